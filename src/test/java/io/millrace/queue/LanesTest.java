package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.QueueSettings.WhenFull;
import io.millrace.message.Outcome;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class LanesTest {
    private static final int BUDGET_BYTES = 1 << 20;

    private final QueueScene scene = new QueueScene(QueueScene.settings(), BUDGET_BYTES);

    private void offer(String name, int priority) {
        scene.offer(Messages.of(name, true, priority, "", 0));
    }

    private static List<String> names(String prefix, int count) {
        return IntStream.rangeClosed(1, count).mapToObj(i -> prefix + i).toList();
    }

    private static List<String> takeAll(QueueScene scene) {
        Recipient consumer = scene.consumer();
        int before;
        do {
            before = consumer.deliveries.size();
            consumer.credit(50);
            scene.settle();
            consumer.acceptAll();
        } while (consumer.deliveries.size() > before);
        scene.settle();
        return consumer.names();
    }

    @Test
    void higherPrioritiesComeFirstAndEqualOnesInOrder() {
        offer("c1", 0);
        offer("b1", 4);
        offer("a1", 9);
        offer("b2", 4);
        offer("a2", 9);

        assertEquals(
                List.of("a1", "a2", "b1", "b2", "c1"),
                scene.consumer().credit(10).names());
    }

    @Test
    void prioritiesAboveNineAreNine() {
        offer("a", 9);
        offer("b", 200);
        offer("c", 8);

        assertEquals(List.of("a", "b", "c"), scene.consumer().credit(10).names());
    }

    @Test
    void whatIsReturnedKeepsItsPriority() {
        offer("low", 1);
        offer("high", 8);
        Recipient consumer = scene.consumer().credit(1);
        consumer.settle("high", Outcome.RELEASED);

        assertEquals(List.of("high", "low"), scene.consumer().credit(10).names());
    }

    @Test
    void deepOnesComeInTheOrderOfTheirPrioritiesAlsoAfterARestart() {
        for (int i = 1; i <= 2000; i++) {
            scene.offer(Messages.of("low" + i, true, 1, "", 0));
            scene.offer(Messages.of("high" + i, true, 7, "", 0));
        }
        scene.settle();
        QueueScene again = scene.restarted(QueueScene.settings(), BUDGET_BYTES);
        again.offer(Messages.of("low2001", true, 1, "", 0));
        again.offer(Messages.of("high2001", true, 7, "", 0));
        again.settle();

        assertEquals(
                Stream.concat(names("high", 2001).stream(), names("low", 2001).stream())
                        .toList(),
                takeAll(again));
        assertEquals(0, again.heldBytes());
        assertEquals(0, again.storedMessages());
        assertEquals(0, again.queue.stats().bytes());
    }

    @Test
    void aBrowserSeesThemInOrderToo() {
        for (int i = 1; i <= 2000; i++) {
            scene.offer(Messages.of("low" + i, true, 1, "", 0));
            scene.offer(Messages.of("high" + i, true, 7, "", 0));
        }
        scene.settle();
        Recipient browser = scene.browser();
        offer("high-late", 7);
        browser.drain(10_000);
        scene.settle();

        assertEquals(
                Stream.concat(names("high", 2000).stream(), names("low", 2000).stream())
                        .toList(),
                browser.names());
        assertEquals(1, browser.drains);
    }

    @Test
    void aRingDropsTheOldestOfTheLowestPriority() {
        QueueScene ring = new QueueScene(QueueScene.atMost(3, WhenFull.DROP_OLDEST), QueueScene.AMPLE_BYTES);
        for (String each : List.of("high1", "low1", "low2", "high2", "high3")) {
            ring.offer(Messages.of(each, true, each.startsWith("high") ? 9 : 1, "", 0));
        }

        assertEquals(
                List.of("high1", "high2", "high3"), ring.consumer().credit(9).names());
        assertEquals(2, ring.queue.stats().discarded());
    }

    @Test
    void aDeepRingOfTwoPrioritiesComesBackUnderItsLimit() {
        QueueScene deep = new QueueScene(QueueScene.settings(), QueueScene.AMPLE_BYTES);
        for (int i = 1; i <= 1500; i++) {
            deep.offer(Messages.of("low" + i, true, 1, "", 0));
            deep.offer(Messages.of("high" + i, true, 7, "", 0));
        }
        deep.settle();
        QueueScene ring = deep.restarted(QueueScene.atMost(2000, WhenFull.DROP_OLDEST), QueueScene.AMPLE_BYTES);
        ring.offer(Messages.of("high1501", true, 7, "", 0));
        ring.settle();

        assertEquals(2000, ring.queue.stats().messages());
        List<String> left = takeAll(ring);
        assertEquals(names("high", 1501), left.subList(0, 1501));
        assertTrue(left.get(1501).startsWith("low") && left.get(1999).equals("low1500"), left.get(1501));
    }

    @Test
    void whatOneConsumerRefusedDoesNotComeBeforeMoreUrgentOnesThatAreBeingRead() {
        QueueScene small = new QueueScene(QueueScene.settings(), 1000);
        Recipient refusing = small.consumer().credit(1);
        small.offer(Envelope.durable("low").priority(1).bytes(400).build());
        small.settle();
        refusing.settle("low", new Outcome.Modified(false, true, Map.of()));
        small.offer(Envelope.durable("high").priority(9).bytes(400).build());
        small.loop.runAll();
        small.journal.flush();
        small.loop.runOne();
        Recipient other = small.consumer().credit(2);
        small.settle();

        assertEquals(List.of("high", "low"), other.names());
    }
}
