package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Outcome;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class SettlementTest {
    private static final Outcome FAILED = new Outcome.Modified(true, false, Map.of());
    private static final Outcome NOT_HERE = new Outcome.Modified(false, true, Map.of());

    private final QueueScene scene = new QueueScene();

    @Nested
    class ReturnedMessages {
        @Test
        void goBackToTheirPlace() {
            scene.offerTransient("a", "b", "c", "d");
            Recipient consumer = scene.consumer().credit(3);
            consumer.settle("c", Outcome.RELEASED);
            consumer.settle("a", Outcome.RELEASED);
            Recipient next = scene.consumer().credit(10);

            assertEquals(List.of("a", "c", "d"), next.names());
        }

        @Test
        void comeAgainAsOftenAsTheyAreReleasedAndAreNotCounted() {
            scene.offerDurable("a");
            Recipient consumer = scene.consumer();
            for (int i = 0; i < 20; i++) {
                consumer.credit(1);
                assertEquals(0, consumer.delivery("a").deliveryCount());
                assertEquals(i == 0, consumer.delivery("a").firstAcquirer());
                consumer.settle("a", Outcome.RELEASED);
            }

            assertEquals(20, consumer.deliveries.size());
            assertEquals(19, scene.queue.stats().redelivered());
        }

        @Test
        void countTheirFailedDeliveries() {
            scene.offerDurable("a");
            Recipient consumer = scene.consumer().credit(1);
            consumer.settle("a", FAILED);
            consumer.credit(1);
            assertEquals(1, consumer.delivery("a").deliveryCount());
            consumer.settle("a", FAILED);
            consumer.credit(1);

            assertEquals(2, consumer.delivery("a").deliveryCount());
        }

        @Test
        void keepTheirCountOverARestart() {
            scene.offerDurable("a");
            scene.consumer().credit(1).settle("a", FAILED);
            scene.settle();
            QueueScene again = scene.restarted(QueueScene.settings(), QueueScene.AMPLE_BYTES);
            Recipient consumer = again.consumer().credit(1);
            again.settle();

            assertEquals(1, consumer.delivery("a").deliveryCount());
            assertFalse(consumer.delivery("a").firstAcquirer());
        }

        @Test
        void keepWhatAConsumerReadsOfThemWhileItHoldsThem() {
            scene.offerTransient("a");
            Recipient consumer = scene.consumer().credit(1);

            assertTrue(consumer.delivery("a").firstAcquirer(), "still so after deliver() has returned");
        }

        @Test
        void haveTheirAnnotationsMergedAndKept() {
            scene.offerDurable("a");
            Recipient consumer = scene.consumer().credit(1);
            consumer.settle("a", new Outcome.Modified(false, false, Map.of("x-opt-one", "1", "x-opt-two", "2")));
            consumer.credit(1);
            consumer.settle("a", new Outcome.Modified(true, false, Map.of("x-opt-two", "zwei")));
            scene.settle();
            assertEquals(
                    scene.journal.messages().get(0).bytes().length,
                    scene.queue.stats().bytes());
            QueueScene again = scene.restarted(QueueScene.settings(), QueueScene.AMPLE_BYTES);
            Recipient later = again.consumer().credit(1);
            again.settle();

            assertEquals("1", later.delivery("a").message().annotation("x-opt-one"));
            assertEquals("zwei", later.delivery("a").message().annotation("x-opt-two"));
            assertEquals(1, later.delivery("a").deliveryCount());
            later.accept("a");
            assertEquals(0, again.queue.stats().bytes());
            assertEquals(0, again.heldBytes());
        }
    }

    @Nested
    class Detach {
        @Test
        void aLostConnectionCountsAsAFailedAttempt() {
            scene.offerDurable("a", "b");
            scene.consumer().credit(2).detach(true);
            Recipient next = scene.consumer().credit(10);

            assertEquals(List.of("a", "b"), next.names());
            assertEquals(1, next.delivery("a").deliveryCount());
            scene.settle();
            assertEquals(1, scene.journal.messages().get(0).deliveryCount());
        }

        @Test
        void aCleanOneDoesNot() {
            scene.offerDurable("a", "b");
            scene.consumer().credit(2).detach(false);
            Recipient next = scene.consumer().credit(10);

            assertEquals(List.of("a", "b"), next.names());
            assertEquals(0, next.delivery("a").deliveryCount());
            assertFalse(next.delivery("a").firstAcquirer());
        }

        @Test
        void tooManyLostConnectionsMakeADeadLetter() {
            scene.offerDurable("a");
            for (int i = 0; i < 3; i++) {
                scene.consumer().credit(1).detach(true);
            }
            scene.settle();

            assertEquals(0, scene.queue.stats().messages());
            assertEquals(1, scene.dead.stats().messages());
        }

        @Test
        void aSettlementThatComesTooLateIsAnsweredAndChangesNothing() {
            scene.offerDurable("a");
            Recipient consumer = scene.consumer().credit(1);
            consumer.detach(false);
            Answers answers = new Answers();
            consumer.settle("a", Outcome.ACCEPTED, answers);

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(1, scene.queue.stats().messages());
        }

        @Test
        void aConsumerMayComeBack() {
            scene.offerDurable("a", "b");
            Recipient consumer = scene.consumer().credit(1);
            Delivery old = consumer.delivery("a");
            consumer.detach(false);
            consumer.attached();
            scene.queue.credit(consumer, 1, false);
            scene.queue.settle(consumer, old, Outcome.ACCEPTED, Receipt.NONE);

            assertEquals(List.of("a", "a"), consumer.names());
        }
    }

    @Nested
    class UndeliverableHere {
        @Test
        void goesToAnotherConsumerWhoseCreditCameWithItsAttach() {
            scene.offerTransient("a");
            scene.consumer().credit(1).settle("a", NOT_HERE);
            Recipient other = new Recipient(scene.queue);
            other.onAdmitted = () -> other.credit(1);
            other.attached();

            assertEquals(List.of("a"), other.names());
        }

        @Test
        void goesToAnotherConsumerAtItsPlace() {
            scene.offerTransient("a", "b");
            Recipient refusing = scene.consumer().credit(1);
            refusing.settle("a", NOT_HERE);
            refusing.credit(1);
            assertEquals(List.of("a", "b"), refusing.names());
            scene.offerTransient("c");
            Recipient other = scene.consumer().credit(10);

            assertEquals(List.of("a", "c"), other.names());
            assertEquals(0, scene.queue.stats().parked());
        }

        @Test
        void isParkedWhenEveryConsumerRefusesIt() {
            scene.offerTransient("a");
            Recipient first = scene.consumer().credit(2);
            Recipient second = scene.consumer().credit(2);
            first.settle("a", NOT_HERE);
            second.settle("a", NOT_HERE);

            assertEquals(1, scene.queue.stats().parked());
            assertEquals(List.of("a"), second.names());
            Recipient third = scene.consumer().credit(1);
            assertEquals(List.of("a"), third.names());
            assertEquals(0, scene.queue.stats().parked());
            third.accept("a");
            assertEquals(0, scene.queue.stats().messages());
            assertEquals(0, scene.heldBytes());
        }

        @Test
        void doesNotHoldUpTheMessagesBehind() {
            scene.offerTransient("a", "b", "c");
            Recipient only = scene.consumer().credit(1);
            only.settle("a", NOT_HERE);
            only.credit(10);

            assertEquals(List.of("a", "b", "c"), only.names());
        }

        @Test
        void isForgottenWhenTheConsumerLeaves() {
            scene.offerTransient("a", "b");
            Recipient refusing = scene.consumer().credit(1);
            refusing.settle("a", NOT_HERE);
            refusing.detach(false);
            Recipient next = scene.consumer().credit(10);

            assertEquals(List.of("a", "b"), next.names());
        }

        @Test
        void isKeptForThoseWhoStayWhenOneLeaves() {
            scene.offerTransient("a");
            Recipient first = scene.consumer().credit(1);
            Recipient second = scene.consumer();
            first.settle("a", NOT_HERE);
            second.credit(1);
            second.settle("a", NOT_HERE);
            second.detach(false);
            first.credit(5);

            assertEquals(List.of("a"), first.names());
            assertEquals(1, scene.queue.stats().parked());
        }

        @Test
        void aMessageHeldByOneThatLeavesIsFreeOfTheExclusionsOfThoseGone() {
            scene.offerTransient("a");
            Recipient first = scene.consumer().credit(1);
            Recipient second = scene.consumer().credit(1);
            first.settle("a", NOT_HERE);
            assertEquals(List.of("a"), second.names());
            first.detach(false);
            second.settle("a", Outcome.RELEASED);
            Recipient third = scene.consumer().credit(1);

            assertEquals(List.of("a"), third.names());
        }

        @Test
        void isDroppedToMakeRoomLikeAnyOther() {
            QueueScene small = new QueueScene(
                    QueueScene.atMost(2, io.millrace.config.QueueSettings.WhenFull.DROP_OLDEST),
                    QueueScene.AMPLE_BYTES);
            small.offerTransient("a", "b");
            Recipient refusing = small.consumer().credit(1);
            small.consumer();
            refusing.settle("a", NOT_HERE);
            small.offerTransient("c");
            refusing.credit(10);
            Recipient next = small.consumer().credit(10);

            assertEquals(List.of("a", "b", "c"), refusing.names());
            assertEquals(List.of(), next.names());
            assertEquals(1, small.queue.stats().discarded());
        }
    }
}
