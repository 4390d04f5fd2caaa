package io.millrace.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.Config;
import io.millrace.config.Config.QueueDefinition;
import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.DeadLetter;
import io.millrace.config.QueueSettings.WhenFull;
import io.millrace.journal.Fact;
import io.millrace.journal.InMemoryJournal;
import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import io.millrace.queue.Answers;
import io.millrace.queue.QueueStats;
import io.millrace.queue.Recipient;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class DeadLetterQueuesTest {
    private static final Outcome REJECTED = new Outcome.Rejected(new Condition(Condition.DECODE_ERROR, "not an order"));

    private static void reject(BrokerScene scene, int loop, String address, String... names) {
        Recipient consumer = scene.consumer(loop, address).credit(names.length);
        scene.settle();
        for (String name : names) {
            consumer.settle(name, REJECTED);
        }
        scene.settle();
        consumer.detach(false);
        scene.settle();
    }

    private static Config withQueue(String name, DeadLetter deadLetter) {
        return Config.defaults()
                .withQueue(new QueueDefinition(
                        name,
                        QueueSettings.DEFAULT
                                .withMaxDeliveries(2)
                                .withDeadLetter(deadLetter)
                                .withLimits(Optional.empty(), Optional.empty(), WhenFull.REJECT)));
    }

    @Test
    void itIsMadeWhenItIsFirstNeededAndTakesAllThatDieMeanwhile() {
        BrokerScene scene = new BrokerScene(1);
        scene.offer(0, "orders", "a", "b", "c");
        assertTrue(scene.broker.nodes(0).find("orders.dlq").isEmpty());
        reject(scene, 0, "orders", "a", "b", "c");

        assertEquals(0, scene.messages("orders"));
        Recipient consumer = scene.consumer(0, "orders.dlq").credit(5);
        assertEquals(List.of("a", "b", "c"), consumer.names());
        assertEquals("orders", consumer.delivery("a").message().annotation("x-opt-death-address"));
        assertEquals(
                Fact.NodeKind.DEAD_LETTER_QUEUE,
                scene.journal.recover().get(1).declared().kind());
    }

    @Test
    void itHasNoDeadLetterQueueOfItsOwn() {
        BrokerScene scene = new BrokerScene(1);
        scene.offer(0, "orders", "a");
        reject(scene, 0, "orders", "a");
        BrokerScene again = scene.restarted();
        reject(again, 0, "orders.dlq", "a");

        assertEquals(0, again.messages("orders.dlq"));
        assertTrue(again.stats("orders.dlq.dlq").isEmpty());
    }

    @Test
    void itHasNoneEitherWhenSomebodyWaitedAtItBeforeTheFirstDeath() {
        BrokerScene scene = new BrokerScene(1);
        Recipient early = scene.consumer(0, "orders.dlq");
        scene.offer(0, "orders", "a");
        reject(scene, 0, "orders", "a");
        early.credit(1);
        scene.settle();
        early.settle("a", REJECTED);
        scene.settle();

        assertTrue(scene.stats("orders.dlq.dlq").isEmpty());
        assertEquals(1, scene.stats("orders.dlq").map(QueueStats::discarded).orElse(0L));
    }

    @Test
    void anotherQueueMayBeNamedForIt() {
        BrokerScene scene =
                new BrokerScene(withQueue("orders", new DeadLetter.To("graveyard")), new InMemoryJournal(), 2);
        scene.offer(0, "orders", "a");
        reject(scene, 0, "orders", "a");
        assertEquals(1, scene.messages("graveyard"));
        reject(scene, 1, "graveyard", "a");

        assertEquals(0, scene.messages("graveyard"));
        assertTrue(scene.stats("graveyard.dlq").isEmpty());
    }

    @Test
    void aQueueThatIsItsOwnDeadLetterQueueDiscards() {
        BrokerScene scene = new BrokerScene(withQueue("orders", new DeadLetter.To("orders")), new InMemoryJournal(), 1);
        scene.offer(0, "orders", "a");
        reject(scene, 0, "orders", "a");

        assertEquals(0, scene.messages("orders"));
    }

    @Test
    void itCanBeSwitchedOff() {
        BrokerScene scene = new BrokerScene(withQueue("orders", new DeadLetter.Off()), new InMemoryJournal(), 1);
        scene.offer(0, "orders", "a");
        reject(scene, 0, "orders", "a");

        assertEquals(0, scene.messages("orders"));
        assertTrue(scene.stats("orders.dlq").isEmpty());
    }

    @Nested
    class OnAnotherLoop {
        private BrokerScene scene(int flushedBatches) {
            BrokerScene scene = new BrokerScene(2);
            scene.node(1, "orders.dlq");
            scene.offer(0, "orders", "a");
            Recipient consumer = scene.consumer(0, "orders").credit(1);
            scene.settle();
            // The attempt is recorded on one loop and the move on the other: they must reach the journal in this order.
            consumer.settle("a", new Outcome.Modified(true, false, java.util.Map.of("x-opt-note", "seen")));
            consumer.credit(1);
            Answers answers = new Answers();
            consumer.settle("a", REJECTED, answers);
            scene.runLoops();
            assertEquals(List.of(), answers.outcomes);
            scene.journal.flush(flushedBatches);
            return scene;
        }

        @Test
        void aCrashLeavesTheMessageInExactlyOneQueue() {
            for (int flushed = 0; flushed <= 3; flushed++) {
                BrokerScene again = scene(flushed).restarted();

                assertEquals(1, again.messages("orders") + again.messages("orders.dlq"), flushed + " batches");
                assertEquals(1, again.journal.messages().size());
            }
        }

        @Test
        void theMoveIsDoneWhenTheJournalSaysSo() {
            BrokerScene scene = scene(0);
            assertEquals(1, scene.stats("orders").map(QueueStats::messages).orElse(0L));
            scene.settle();

            assertEquals(0, scene.messages("orders"));
            Recipient consumer = scene.consumer(0, "orders.dlq").credit(1);
            scene.settle();
            assertEquals(List.of("a"), consumer.names());
            assertEquals("seen", consumer.delivery("a").message().annotation("x-opt-note"));
        }
    }
}
