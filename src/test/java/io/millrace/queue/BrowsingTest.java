package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Outcome;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class BrowsingTest {
    private final QueueScene scene = new QueueScene(QueueScene.settings(), 1 << 20);

    private static List<String> names(int first, int last) {
        return IntStream.rangeClosed(first, last).mapToObj(i -> "m" + i).toList();
    }

    @Test
    void aBrowserSeesWhatIsThereAndTakesNothing() {
        scene.offerTransient("a", "b");
        Recipient browser = scene.browser().drain(10);

        assertEquals(List.of("a", "b"), browser.names());
        assertEquals(1, browser.drains);
        assertEquals(0, scene.queue.stats().unsettled());
        assertEquals(0, scene.queue.stats().consumers());
        Recipient consumer = scene.consumer().credit(10);
        assertEquals(List.of("a", "b"), consumer.names());
        assertTrue(consumer.delivery("a").firstAcquirer());
    }

    @Test
    void itDoesNotSeeWhatArrivesAfterIt() {
        scene.offerTransient("a");
        Recipient browser = scene.browser();
        scene.offerTransient("b");
        browser.drain(10);

        assertEquals(List.of("a"), browser.names());
        assertEquals(1, browser.drains);
    }

    @Test
    void itSeesEachMessageOnceHoweverOftenItGrantsCredit() {
        scene.offerTransient("a", "b", "c");
        Recipient browser = scene.browser().credit(1);
        assertEquals(List.of("a"), browser.names());
        browser.credit(1);
        browser.drain(10);
        browser.drain(10);

        assertEquals(List.of("a", "b", "c"), browser.names());
        assertEquals(2, browser.drains);
    }

    @Test
    void itSkipsWhatIsConsumedMeanwhileAndSeesWhatIsReturned() {
        scene.offerTransient("a", "b", "c", "d");
        Recipient browser = scene.browser().credit(1);
        Recipient consumer = scene.consumer().credit(4);
        consumer.accept("b");
        consumer.settle("c", Outcome.RELEASED);
        browser.drain(10);

        assertEquals(List.of("a", "c"), browser.names());
    }

    @Test
    @Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void itPassesByWhatOthersHoldAtTheEndOfWhatIsInTheStore() {
        QueueScene deep = new QueueScene(QueueScene.settings(), 4_000);
        deep.offerMany(1, 50, true, 100);
        deep.settle();
        Recipient holder = deep.consumerOf(names(46, 50)::contains).credit(10);
        deep.settle();
        assertEquals(names(46, 50), holder.names());
        Recipient browser = deep.browser().drain(100);
        deep.settle();

        assertEquals(names(1, 45), browser.names());
        assertEquals(1, browser.drains);
    }

    @Test
    void itWaitsUntilItIsReady() {
        scene.offerTransient("a", "b");
        Recipient browser = scene.browser();
        browser.onDelivery = (self, delivery) -> self.ready = false;
        browser.drain(10);
        assertEquals(List.of("a"), browser.names());
        assertEquals(0, browser.drains);

        browser.resume();
        browser.resume();
        assertEquals(List.of("a", "b"), browser.names());
        assertEquals(1, browser.drains);
    }

    @Test
    void itSeesWhatIsBeyondMemoryToo() {
        scene.offerMany(1, 2000, true, 1000);
        scene.settle();
        Recipient browser = scene.browser().drain(5000);
        scene.settle();

        assertEquals(names(1, 2000), browser.names());
        assertEquals(1, browser.drains);
        assertEquals(2000, scene.queue.stats().messages());
    }

    @Test
    void itGoesOnToLowerPrioritiesWhenWhatItHasReadCameIntoMemoryMeanwhile() {
        QueueScene deep = new QueueScene(QueueScene.settings(), 4_000);
        for (int i = 1; i <= 50; i++) {
            deep.offer(Messages.of("m" + i, true, 5, "", 0));
        }
        deep.offer(Messages.of("low", true, 1, "", 0));
        deep.settle();
        Recipient browser = deep.browser().credit(49);
        deep.settle();
        assertEquals(names(1, 49), browser.names());
        deep.consumerOf(names(1, 49)::contains).credit(49).acceptAll();
        deep.settle();
        deep.consumer();
        deep.settle();
        browser.drain(10);
        deep.settle();

        assertEquals("low", browser.names().get(browser.names().size() - 1));
        assertEquals(51, browser.names().size());
        assertEquals(1, browser.drains);
    }

    @Test
    void itSeesMessagesThatAreOnTheirWayToTheStore() {
        scene.offerMany(1, 500, false, 1000);
        Recipient browser = scene.browser().drain(5000);
        scene.settle();

        assertEquals(names(1, 500), browser.names());
        assertEquals(1, browser.drains);
    }

    @Test
    void itGoesOnWhileAConsumerEmptiesTheQueue() {
        scene.offerMany(1, 2000, true, 1000);
        scene.settle();
        Recipient browser = scene.browser().credit(300);
        scene.settle();
        Recipient consumer = scene.consumer();
        for (int i = 0; i < 100; i++) {
            consumer.credit(50);
            scene.settle();
            consumer.acceptAll();
        }
        browser.drain(5000);
        scene.settle();

        assertEquals(2000, consumer.deliveries.size());
        assertEquals(1, browser.drains);
        assertEquals(names(1, 300), browser.names().subList(0, 300));
        assertEquals(browser.names().stream().distinct().toList(), browser.names());
    }

    @Test
    void creditWithoutDrainCallsAPendingDrainOff() {
        scene.offerTransient("a");
        Recipient browser = scene.browser();
        browser.ready = false;
        browser.drain(5);
        browser.credit(5);
        browser.resume();

        assertEquals(List.of("a"), browser.names());
        assertEquals(0, browser.drains);
    }

    @Test
    void aBrowserThatLeavesWhileItReadsIsForgotten() {
        scene.offerMany(1, 1000, true, 1000);
        scene.settle();
        Recipient browser = scene.browser().credit(5000);
        int seen = browser.deliveries.size();
        browser.detach(false);
        scene.settle();

        assertTrue(seen < 1000);
        assertEquals(seen, browser.deliveries.size());
    }
}
