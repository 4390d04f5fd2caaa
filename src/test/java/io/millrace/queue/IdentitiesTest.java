package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.Duplicates;
import io.millrace.config.QueueSettings.WhenFull;
import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class IdentitiesTest {
    private final QueueScene scene = new QueueScene(telling(Optional.empty(), 1000), QueueScene.AMPLE_BYTES);

    private static QueueSettings telling(Optional<String> property, int most) {
        return QueueScene.settings().withDuplicates(new Duplicates(property, Duration.ofMinutes(10), most));
    }

    private static QueueScene restarted(QueueScene scene) {
        QueueScene again = scene.restarted(telling(Optional.empty(), 1000), QueueScene.AMPLE_BYTES);
        again.settle();
        return again;
    }

    @Nested
    class ADuplicate {
        @Test
        void isAcceptedButNotStored() {
            scene.offer(Envelope.durable("a").id("1").build());
            scene.settle();
            Answers answers = scene.offer(Envelope.durable("again").id("1").build());

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(List.of("a"), scene.consumer().credit(10).names());
        }

        @Test
        void isAcceptedOnlyWhenTheFirstIsDurable() {
            Answers first = scene.offer(Envelope.durable("a").id("1").build());
            Answers second = scene.offer(Envelope.durable("again").id("1").build());
            scene.loop.runAll();
            assertEquals(List.of(), first.outcomes);
            assertEquals(List.of(), second.outcomes);
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), first.outcomes);
            assertEquals(List.of(Outcome.ACCEPTED), second.outcomes);
        }

        @Test
        void isToldAfterTheFirstIsConsumedAndAfterARestart() {
            scene.offer(Envelope.durable("a").id("1").build());
            scene.settle();
            Recipient consumer = scene.consumer().credit(1);
            consumer.accept("a");
            scene.settle();
            QueueScene again = restarted(scene);
            Answers answers = again.offer(Envelope.durable("again").id("1").build());

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(0, again.queue.stats().messages());
        }

        @Test
        void isNoneIfTheFirstNeverGotToTheDisk() {
            scene.offer(Envelope.durable("a").id("1").build());
            scene.loop.runAll();
            QueueScene again = restarted(scene);
            again.offer(Envelope.durable("again").id("1").build());
            again.settle();

            assertEquals(1, again.queue.stats().messages());
        }

        @Test
        void isNoneIfTheFirstWasLostBecauseItWasNotDurable() {
            scene.offer(Envelope.transientOne("a").id("1").build());
            scene.offer(Envelope.transientOne("again").id("1").build());
            scene.settle();
            assertEquals(1, scene.queue.stats().messages());
            QueueScene again = restarted(scene);
            again.offer(Envelope.transientOne("again").id("1").build());

            assertEquals(1, again.queue.stats().messages());
        }

        @Test
        void hasTheSameTypeOfIdentity() {
            scene.offer(Envelope.durable("text").id("1").build());
            scene.offer(Envelope.durable("number").id(UnsignedLong.valueOf(1)).build());
            scene.offer(Envelope.durable("nothing").build());
            scene.offer(Envelope.durable("nothing either").build());
            scene.settle();

            assertEquals(4, scene.queue.stats().messages());
        }

        @Test
        void canBeToldByAProperty() {
            QueueScene each = new QueueScene(telling(Optional.of("order"), 10), QueueScene.AMPLE_BYTES);
            each.offer(Envelope.durable("a").id("1").property("order", "x").build());
            each.offer(Envelope.durable("b").id("1").property("order", "y").build());
            each.offer(Envelope.durable("c").id("2").property("order", "x").build());
            each.settle();

            assertEquals(List.of("a", "b"), each.consumer().credit(10).names());
        }

        @Test
        void ofAMessageThatWaitsIsToldToo() {
            scene.offer(Envelope.durable("a").id("1").delay(100).build());
            Answers answers =
                    scene.offer(Envelope.durable("again").id("1").delay(100).build());
            scene.settle();

            assertEquals(1, scene.queue.stats().scheduled());
            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
        }

        @Test
        void ofAMessageWhosePlaceIsLookedForIsAnsweredWhenTheQueueIsDeleted() {
            scene.offer(Envelope.durable("before").at(5_000_000).build());
            scene.settle();
            QueueScene again = restarted(scene);
            Answers first =
                    again.offer(Envelope.durable("a").id("1").at(2_000_000).build());
            Answers second =
                    again.offer(Envelope.durable("again").id("1").at(2_000_000).build());
            again.queue.delete();
            again.settle();

            assertEquals(Condition.RESOURCE_DELETED, first.refusal().symbol());
            assertEquals(Condition.RESOURCE_DELETED, second.refusal().symbol());
        }
    }

    @Test
    void aMessageThatWaitsForTheDiskInAQueueThatGoesLeavesNothingInMemory() {
        scene.offer(Envelope.durable("a").id("1").build());
        scene.queue.delete();
        scene.settle();

        assertEquals(0, scene.heldBytes());
    }

    @Nested
    class ADuplicateOfAMessageThatHadExpiredWhenItCame {
        @Test
        void isNotBuriedASecondTime() {
            Answers first =
                    scene.offer(Envelope.durable("a").id("1").expiresAt(5).build());
            Answers second =
                    scene.offer(Envelope.durable("again").id("1").expiresAt(5).build());
            scene.settle();
            scene.elapse(1);

            assertEquals(List.of(Outcome.ACCEPTED), first.outcomes);
            assertEquals(List.of(Outcome.ACCEPTED), second.outcomes);
            assertEquals(List.of("a"), dead(scene));
            assertEquals(0, scene.queue.stats().messages());
        }

        @Test
        void isToldAfterARestart() {
            scene.offer(Envelope.durable("a").id("1").expiresAt(5).build());
            scene.elapse(1);
            QueueScene again = restarted(scene);
            again.offer(Envelope.durable("again").id("1").build());
            again.elapse(1);

            assertEquals(0, again.queue.stats().messages());
            assertEquals(List.of("a"), dead(again));
        }

        @Test
        void isToldIfItIsNotDurableOrWasToWait() {
            scene.offer(Envelope.transientOne("a").id("1").expiresAt(5).build());
            scene.offer(Envelope.durable("b").id("2").delay(100).expiresAt(5).build());
            scene.elapse(1);
            scene.offer(Envelope.transientOne("a again").id("1").build());
            scene.offer(Envelope.durable("b again").id("2").build());
            scene.elapse(1);

            assertEquals(0, scene.queue.stats().messages());
            assertEquals(2, scene.queue.stats().expired());
            assertEquals(List.of("a", "b"), dead(scene));
        }

        @Test
        void isSeenByNoConsumer() {
            Recipient consumer = scene.consumer().credit(10);
            scene.offer(Envelope.durable("a").id("1").expiresAt(5).build());
            scene.offer(Envelope.transientOne("b").id("2").expiresAt(5).build());
            scene.elapse(1);

            assertEquals(List.of(), consumer.names());
            assertEquals(Set.of("a", "b"), Set.copyOf(dead(scene)));
        }

        private List<String> dead(QueueScene each) {
            Recipient undertaker = new Recipient(each.dead).browsing().drain(100);
            each.settle();
            return undertaker.names();
        }
    }

    @Nested
    class WhatIsRemembered {
        @Test
        void isForgottenWhenTheWindowIsOver() {
            scene.offer(Envelope.durable("a").id("1").build());
            scene.elapse(Duration.ofMinutes(10).toMillis());
            scene.offer(Envelope.durable("again").id("1").build());
            scene.settle();

            assertEquals(2, scene.queue.stats().messages());
        }

        @Test
        void isNotMoreThanTheLimitInTheStoreEither() {
            QueueScene each = new QueueScene(telling(Optional.empty(), 16), QueueScene.AMPLE_BYTES);
            for (int i = 0; i < 100; i++) {
                each.offer(Envelope.durable("m").id("" + i).build());
            }
            each.settle();
            int kept = each.journal.recover().get(0).identities().size();
            assertTrue(kept >= 16 && kept <= 18, kept + " are kept");
            each.offer(Envelope.durable("m").id("99").build());
            each.offer(Envelope.durable("m").id("84").build());
            assertEquals(100, each.queue.stats().messages());
            each.offer(Envelope.durable("m").id("83").build());
            assertEquals(101, each.queue.stats().messages());
        }

        @Test
        void isNotWhatWasRefusedForALimit() {
            QueueScene small = new QueueScene(
                    telling(Optional.empty(), 16).withLimits(Optional.of(1L), Optional.empty(), WhenFull.REJECT),
                    QueueScene.AMPLE_BYTES);
            small.offer(Envelope.durable("a").id("1").build());
            Answers refused = small.offer(Envelope.durable("b").id("2").build());
            small.settle();
            Answers repeated = small.offer(Envelope.durable("a").id("1").build());
            small.consumer().credit(1).accept("a");
            small.settle();
            small.offer(Envelope.durable("b").id("2").build());
            small.settle();

            assertInstanceOf(Outcome.Rejected.class, refused.outcomes.get(0));
            assertEquals(List.of(Outcome.ACCEPTED), repeated.outcomes);
            assertEquals(1, small.queue.stats().messages());
        }
    }

    @Nested
    class AMessage {
        @Test
        void isNotSeenBeforeItIsDurable() {
            Recipient consumer = scene.consumer().credit(10);
            scene.offer(Envelope.durable("a").id("1").build());
            scene.offer(Envelope.transientOne("b").id("2").build());
            scene.loop.runAll();
            assertEquals(List.of("b"), consumer.names());
            scene.settle();

            assertEquals(List.of("b", "a"), consumer.names());
        }
    }

    @Nested
    class InATransaction {
        @Test
        void aDuplicateOfAnEarlierMessageIsLeftOut() {
            scene.offer(Envelope.durable("a").id("1").build());
            scene.settle();
            TransactionByHand transaction = new TransactionByHand(scene.resources.recorder());
            scene.queue.offer(Envelope.durable("again").id("1").build(), transaction, Receipt.NONE);
            scene.queue.offer(Envelope.durable("b").id("2").build(), transaction, Receipt.NONE);
            scene.queue.offer(Envelope.durable("b again").id("2").build(), transaction, Receipt.NONE);
            transaction.commit();
            scene.settle();

            assertEquals(List.of("a", "b"), scene.consumer().credit(10).names());
            assertEquals(2, restarted(scene).queue.stats().messages());
        }

        @Test
        void aRepeatOfWhatIsRolledBackIsToBeSentAgain() {
            TransactionByHand transaction = new TransactionByHand(scene.resources.recorder());
            scene.queue.offer(Envelope.durable("a").id("1").build(), transaction, Receipt.NONE);
            transaction.prepare();
            Answers repeat = scene.offer(Envelope.durable("b").id("1").build());
            assertEquals(List.of(), repeat.outcomes);
            transaction.rollBack();
            scene.settle();

            assertEquals(Condition.RESOURCE_LOCKED, repeat.refusal().symbol());
        }

        @Test
        void whatIsRolledBackMayComeAgain() {
            TransactionByHand transaction = new TransactionByHand(scene.resources.recorder());
            scene.queue.offer(Envelope.durable("a").id("1").build(), transaction, Receipt.NONE);
            transaction.rollBack();
            scene.settle();
            scene.offer(Envelope.durable("a").id("1").build());
            scene.settle();

            assertEquals(List.of("a"), scene.consumer().credit(10).names());
        }

        @Test
        void delayedMessagesWaitAfterTheCommit() {
            TransactionByHand transaction = new TransactionByHand(scene.resources.recorder());
            scene.queue.offer(Envelope.durable("a").delay(100).build(), transaction, Receipt.NONE);
            transaction.commit();
            scene.settle();
            Recipient consumer = scene.consumer().credit(10);
            assertEquals(1, scene.queue.stats().scheduled());
            assertEquals(List.of(), consumer.names());
            scene.elapse(100);

            assertEquals(List.of("a"), consumer.names());
            assertEquals(1, scene.queue.stats().messages());
        }

        @Test
        void delayedMessagesWaitThoughTheirPlaceMustBeLookedUp() {
            QueueScene again = restartedWithDelayed();
            TransactionByHand transaction = withADelayedMessage(again);
            transaction.commit();
            waitsInTurn(again);
        }

        @Test
        void delayedMessagesWaitThoughTheBrokerDiesAsSoonAsTheyAreCommitted() {
            QueueScene again = restartedWithDelayed();
            TransactionByHand transaction = withADelayedMessage(again);
            transaction.commit();
            again.loop.runAll();
            again.journal.flush();
            waitsInTurn(restarted(again));
        }

        @Test
        void delayedMessagesWaitThoughTheirPlaceWasForgottenBeforeTheCommit() {
            QueueScene again = restartedWithDelayed();
            TransactionByHand transaction = withADelayedMessage(again);
            Schedule schedule = again.queue.schedule();
            for (int i = 1; i <= 10_000; i++) {
                schedule.place(5_000_000 + i);
            }
            transaction.commit();
            waitsInTurn(again);
        }

        /** A queue that does not know which places are taken before that of its one message. */
        private QueueScene restartedWithDelayed() {
            scene.offer(Envelope.durable("before").at(5_000_000).build());
            scene.settle();
            return restarted(scene);
        }

        private static TransactionByHand withADelayedMessage(QueueScene again) {
            TransactionByHand transaction = new TransactionByHand(again.resources.recorder());
            again.queue.offer(Envelope.durable("a").at(2_000_000).build(), transaction, Receipt.NONE);
            again.queue.offer(Messages.durable("now"), transaction, Receipt.NONE);
            again.settle();
            return transaction;
        }

        private static void waitsInTurn(QueueScene again) {
            Recipient consumer = again.consumer().credit(10);
            again.settle();
            again.settle();
            assertEquals(List.of("now"), consumer.names());
            assertEquals(2, again.queue.stats().scheduled());
            again.elapse(1_000_000);

            assertEquals(List.of("now", "a"), consumer.names());
            assertEquals(3, again.queue.stats().messages());
            consumer.acceptAll();
            again.settle();
            assertEquals(1, again.storedMessages());
            assertEquals(0, again.heldBytes());
        }
    }
}
