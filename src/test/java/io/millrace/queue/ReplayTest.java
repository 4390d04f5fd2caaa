package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.QueueSettings.WhenFull;
import io.millrace.message.Outcome;
import io.millrace.queue.Selection.Start;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ReplayTest {
    private static final int BUDGET_BYTES = 1 << 20;

    private final QueueScene scene = new QueueScene(QueueScene.settings().withReplay(true), BUDGET_BYTES);

    private static List<String> names(int first, int last) {
        return IntStream.rangeClosed(first, last).mapToObj(i -> "m" + i).toList();
    }

    private Recipient from(Start.Kind kind, long millis) {
        return scene.consumer(Selection.CONSUME.from(new Start(kind, millis)));
    }

    @Test
    void everyConsumerSeesEverythingAndWhatArrivesLater() {
        scene.offerDurable("a", "b");
        Recipient first = scene.consumer().credit(10);
        Recipient second = scene.consumer().credit(10);
        scene.offerTransient("c");

        assertEquals(List.of("a", "b", "c"), first.names());
        assertEquals(List.of("a", "b", "c"), second.names());
        assertEquals(2, scene.queue.stats().consumers());
    }

    @Test
    void noOutcomeRemovesAnything() {
        scene.offerDurable("a", "b");
        Recipient consumer = scene.consumer().credit(10);
        Answers answers = new Answers();
        consumer.settle("a", Outcome.ACCEPTED, answers);
        consumer.settle("b", new Outcome.Rejected(Optional.empty()), answers);
        consumer.detach(true);
        scene.settle();

        assertEquals(2, answers.outcomes.size());
        assertEquals(2, scene.queue.stats().messages());
        assertEquals(2, scene.storedMessages());
        assertEquals(List.of("a", "b"), scene.consumer().credit(10).names());
    }

    @Test
    void aConsumerBeginsWhereItWants() {
        scene.offerDurable("a", "b");
        scene.loop.advance(1000);
        long later = scene.loop.now();
        scene.offerDurable("c", "d");
        List<Recipient> consumers = List.of(
                from(Start.Kind.FIRST, 0),
                from(Start.Kind.TIME, later),
                from(Start.Kind.LAST, 0),
                from(Start.Kind.NEXT, 0));
        consumers.forEach(each -> each.credit(10));
        scene.offerDurable("e");

        assertEquals(
                List.of(List.of("a", "b", "c", "d", "e"), List.of("c", "d", "e"), List.of("d", "e"), List.of("e")),
                consumers.stream().map(Recipient::names).toList());
    }

    @Test
    void whatIsBeyondMemoryIsReadFromTheStore() {
        scene.offerMany(1, 3000, true, 1000);
        scene.settle();
        Recipient consumer = scene.consumer().credit(10_000);
        scene.settle();
        scene.offerMany(3001, 3100, true, 1000);
        scene.settle();

        assertEquals(names(1, 3100), consumer.names());
        assertTrue(scene.heldBytes() <= BUDGET_BYTES, scene.heldBytes() + " bytes are held");
    }

    @Test
    void aDrainIsAnsweredAtTheEnd() {
        scene.offerMany(1, 3000, true, 1000);
        scene.settle();
        Recipient consumer = scene.consumer();
        consumer.onDrained = () -> assertEquals(3000, consumer.deliveries.size());
        consumer.drain(10_000);
        assertEquals(0, consumer.drains);
        scene.settle();

        assertEquals(1, consumer.drains);
    }

    @Test
    void filtersApply() {
        scene.offerMany(1, 100, true, 10);
        Recipient consumer = scene.consumerOf(name -> name.endsWith("5")).credit(20);
        scene.offerTransient("m105");

        assertEquals(11, consumer.deliveries.size());
    }

    @Test
    void itOutlivesARestart() {
        scene.offerDurable("a", "b");
        scene.settle();
        QueueScene again = scene.restarted(QueueScene.settings().withReplay(true), BUDGET_BYTES);
        Recipient consumer = again.consumer().credit(10);
        again.settle();
        again.offerDurable("c");
        again.settle();

        assertEquals(List.of("a", "b", "c"), consumer.names());
    }

    @Test
    void theLimitDropsTheOldestAlsoThoseInTheStore() {
        QueueScene ring =
                new QueueScene(QueueScene.atMost(500, WhenFull.DROP_OLDEST).withReplay(true), BUDGET_BYTES);
        for (int i = 0; i < 30; i++) {
            ring.offerMany(i * 100 + 1, i * 100 + 100, true, 1000);
            ring.settle();
        }

        assertEquals(500, ring.queue.stats().messages());
        assertEquals(500, ring.storedMessages());
        Recipient consumer = ring.consumer().credit(1000);
        ring.settle();
        assertEquals(names(2501, 3000), consumer.names());
    }
}
