package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.Fact;
import io.millrace.message.Outcome;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class DurabilityTest {
    private final QueueScene scene = new QueueScene();

    @Nested
    class OfOffers {
        @Test
        void aDurableMessageIsAcceptedWhenItIsOnDiskAndNotBefore() {
            Answers answers = scene.offer(Messages.durable("a"));
            scene.loop.runAll();
            assertEquals(List.of(), answers.outcomes);

            scene.settle();
            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(1, scene.storedMessages());
        }

        @Test
        void anAnswerThatFailsDoesNotKeepBackTheNext() {
            scene.queue.offer(Messages.durable("a"), outcome -> {
                throw new IllegalStateException("says a test");
            });
            Answers answers = scene.offer(Messages.durable("b"));
            assertThrows(IllegalStateException.class, scene::settle);
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
        }

        @Test
        void aTransientMessageIsAcceptedAtOnceAndNotStored() {
            Answers answers = scene.offer(Messages.transientOne("a"));
            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);

            scene.settle();
            assertEquals(0, scene.storedMessages());
        }

        @Test
        void deliveryDoesNotWaitForTheDisk() {
            Recipient consumer = scene.consumer().credit(1);
            scene.offerDurable("a");

            assertEquals(List.of("a"), consumer.names());
        }

        @Test
        void aMessageAcceptedByItsConsumerBeforeItIsOnDiskIsStillAnsweredToItsProducer() {
            Recipient consumer = scene.consumer().credit(1);
            Answers answers = scene.offer(Messages.durable("a"));
            consumer.accept("a");
            assertEquals(List.of(), answers.outcomes);

            scene.settle();
            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(0, scene.storedMessages());
            assertEquals(0, scene.heldBytes());
        }

        @Test
        void allOffersOfATurnAreOneBatch() {
            scene.offerDurable("a", "b", "c");
            scene.loop.runAll();

            assertEquals(1, scene.journal.waiting());
        }

        @Test
        void aFailedJournalAnswersNobody() {
            Answers answers = scene.offer(Messages.durable("a"));
            scene.loop.runAll();
            scene.journal.failNext();
            scene.settle();

            assertEquals(List.of(), answers.outcomes);
        }

        @Test
        void messagesOnTheirWayToTheDiskAreBoundedByTheRoom() {
            LoopResources small = new LoopResources(
                    scene.loop,
                    new Recorder(scene.loop, scene.journal, 1000),
                    new MemoryBudget(scene.loop, QueueScene.AMPLE_BYTES));
            Queue queue = new Queue(
                    new QueueIdentity(1, "orders", true),
                    QueueScene.settings(),
                    small,
                    DeadLetterRoute.NONE,
                    Backlog.NONE);
            assertTrue(queue.room() > 0);
            Recipient consumer = new Recipient(queue).attached().credit(1);
            queue.offer(Messages.message("a", true, 2000), Receipt.NONE);
            assertEquals(0, queue.room());
            boolean[] told = {false};
            queue.whenRoom(() -> told[0] = true);
            consumer.settle("a", new Outcome.Modified(false, false, Map.of("x-opt-note", "longer than it was before")));

            scene.settle();
            assertTrue(told[0]);
            queue.offer(Messages.message("b", true, 900), Receipt.NONE);
            queue.offer(Messages.message("c", true, 200), Receipt.NONE);
            assertEquals(0, queue.room(), "what was annotated meanwhile counts as it was counted first");
        }
    }

    @Nested
    class OfSettlements {
        @Test
        void anAcceptedDurableMessageIsAnsweredWhenItsRemovalIsOnDisk() {
            scene.offerDurable("a");
            scene.settle();
            Recipient consumer = scene.consumer().credit(1);
            Answers answers = new Answers();
            consumer.settle("a", Outcome.ACCEPTED, answers);
            scene.loop.runAll();
            assertEquals(List.of(), answers.outcomes);

            scene.settle();
            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(0, scene.storedMessages());
        }

        @Test
        void anAcceptedTransientMessageIsAnsweredAtOnce() {
            scene.offerTransient("a");
            Answers answers = new Answers();
            scene.consumer().credit(1).settle("a", Outcome.ACCEPTED, answers);

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
        }

        @Test
        void aReleaseIsAnsweredAtOnce() {
            scene.offerDurable("a");
            Answers answers = new Answers();
            scene.consumer().credit(1).settle("a", Outcome.RELEASED, answers);

            assertEquals(List.of(Outcome.RELEASED), answers.outcomes);
        }

        @Test
        void aFailedDeliveryIsAnsweredWhenItsCountIsOnDisk() {
            scene.offerDurable("a");
            Recipient consumer = scene.consumer().credit(1);
            Outcome failed = new Outcome.Modified(true, false, Map.of());
            Answers answers = new Answers();
            consumer.settle("a", failed, answers);
            assertEquals(List.of(), answers.outcomes);

            scene.settle();
            assertEquals(List.of(failed), answers.outcomes);
            assertEquals(1, scene.journal.messages().get(0).deliveryCount());
        }

        @Test
        void aSecondSettlementIsAnsweredAndChangesNothing() {
            scene.offerTransient("a");
            Recipient consumer = scene.consumer().credit(1);
            consumer.settle("a", Outcome.RELEASED);
            Answers answers = new Answers();
            consumer.settle("a", Outcome.ACCEPTED, answers);

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(1, scene.queue.stats().messages());
        }

        @Test
        void whatWasAcceptedDoesNotComeBackAfterARestartAndTheRestDoes() {
            scene.offerDurable("a", "b");
            scene.offerTransient("c");
            scene.consumer().credit(1).accept("a");
            scene.settle();
            QueueScene again = scene.restarted(QueueScene.settings(), QueueScene.AMPLE_BYTES);
            assertEquals(1, again.queue.stats().messages());
            Recipient consumer = again.consumer().credit(10);
            again.settle();

            assertEquals(List.of("b"), consumer.names());
        }

        @Test
        void sequencesGoOnAfterARestart() {
            scene.offerDurable("a");
            scene.settle();
            QueueScene again = scene.restarted(QueueScene.settings(), QueueScene.AMPLE_BYTES);
            again.offerDurable("b");
            again.settle();

            assertEquals(2, again.storedMessages());
            Recipient consumer = again.consumer().credit(10);
            again.settle();
            assertEquals(List.of("a", "b"), consumer.names());
        }
    }

    @Nested
    class OfTemporaryQueues {
        private final Queue queue = new Queue(
                new QueueIdentity(1L << 40, "temp-queue/x", false),
                QueueScene.settings(),
                scene.resources,
                DeadLetterRoute.NONE,
                Backlog.NONE);

        @Test
        void aDurableMessageIsNotStoredThere() {
            Answers answers = new Answers();
            queue.offer(Messages.durable("a"), answers);
            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);

            scene.settle();
            assertEquals(0, scene.storedMessages());
        }

        @Test
        void aMoveFromAStoredQueueRemovesTheMessageThere() {
            scene.offerDurable("a");
            scene.settle();
            Fact.MessageRemoved leaves = new Fact.MessageRemoved(
                    scene.journal.messages().get(0).key(),
                    true,
                    scene.journal.messages().get(0).bytes().length);
            queue.move(Messages.durable("a"), Optional.of(leaves), Receipt.NONE);
            scene.settle();

            assertEquals(0, scene.storedMessages());
            assertEquals(1, queue.stats().messages());
        }
    }
}
