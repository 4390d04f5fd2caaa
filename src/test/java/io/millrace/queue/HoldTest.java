package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.Duplicates;
import io.millrace.config.QueueSettings.WhenFull;
import io.millrace.journal.Journal.Room;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class HoldTest {
    private static final int HOLD_MILLIS = 5000;

    private QueueScene scene = new QueueScene(held(QueueScene.atMost(1, WhenFull.REJECT)), QueueScene.AMPLE_BYTES);

    private static QueueSettings held(QueueSettings settings) {
        return settings.withHold(Duration.ofMillis(HOLD_MILLIS));
    }

    private Answers offer(Message message) {
        Answers waits = new Answers();
        scene.queue.offer(message, waits);
        return waits;
    }

    private Answers offer(String name) {
        return offer(Messages.transientOne(name));
    }

    @Nested
    class InLine {
        @Test
        void aMessageThatFindsNoRoomAnswersUnansweredAndComesInWhenThereIs() {
            Recipient consumer = scene.consumer().credit(5);
            offer("a");
            Answers waits = offer("b");
            scene.settle();
            assertEquals(List.of(), waits.outcomes);
            assertEquals(1, waits.withdrawals.size());
            assertEquals(1, scene.queue.stats().held());
            assertEquals(1, scene.queue.stats().messages());

            consumer.accept("a");
            scene.settle();
            assertEquals(List.of(Outcome.ACCEPTED), waits.outcomes);
            assertEquals(List.of("a", "b"), consumer.names());
            assertEquals(0, scene.queue.stats().held());
            assertEquals(0, scene.loop.timers());
        }

        @Test
        void thoseThatWaitComeInOneAfterTheOtherAndNobodyOvertakesThem() {
            Recipient consumer = scene.consumer().credit(9);
            offer("a");
            offer("b");
            offer("c");
            for (String next : List.of("a", "b")) {
                consumer.accept(next);
                offer("after " + next);
                scene.settle();
            }
            consumer.accept("c");
            scene.settle();
            consumer.accept("after a");
            scene.settle();

            assertEquals(List.of("a", "b", "c", "after a", "after b"), consumer.names());
        }

        @Test
        void aSmallMessageDoesNotOvertakeALargeOne() {
            scene = new QueueScene(held(QueueScene.atMostBytes(1000, WhenFull.REJECT)), QueueScene.AMPLE_BYTES);
            Recipient consumer = scene.consumer().credit(9);
            offer(Messages.message("a", false, 600));
            offer(Messages.message("large", false, 600));
            Answers small = offer(Messages.message("small", false, 100));
            assertEquals(List.of(), small.outcomes);
            consumer.accept("a");
            scene.settle();

            assertEquals(List.of("a", "large", "small"), consumer.names());
        }

        @Test
        void aDurableMessageIsAcceptedWhenItIsOnDisk() {
            Recipient consumer = scene.consumer().credit(5);
            offer("a");
            Answers waits = offer(Messages.durable("b"));
            consumer.accept("a");
            scene.loop.runAll();
            assertEquals(List.of(), waits.outcomes);
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), waits.outcomes);
        }

        @Test
        void deadMessagesMoveIntoAFullQueueAtOnce() {
            offer("a");
            offer("b");
            scene.queue.move(Messages.transientOne("dead"), Optional.empty(), Receipt.NONE);

            assertEquals(2, scene.queue.stats().messages());
        }

        @Test
        void aQueueWithNoRoomLetsALinkSendOneMoreSoThatItHears() {
            assertEquals(1, scene.queue.room());
            offer("a");
            assertEquals(1, scene.queue.room());
            offer("b");
            assertEquals(1, scene.queue.room());
            QueueScene ten = new QueueScene(QueueScene.atMost(10, WhenFull.REJECT), QueueScene.AMPLE_BYTES);
            ten.offerTransient("a", "b");
            assertEquals(8, ten.queue.room());
        }

        @Test
        void aRepeatOfAMessageThatAnswersIsAnsweredLikeItAndComesOnce() {
            QueueSettings telling = held(QueueScene.atMost(1, WhenFull.REJECT))
                    .withDuplicates(new Duplicates(Optional.of("name"), Duration.ofHours(1), 100));
            scene = new QueueScene(telling, QueueScene.AMPLE_BYTES);
            Recipient consumer = scene.consumer().credit(5);
            offer("first");
            Message message = Messages.durable("b").withAnnotations(Map.of("name", "b"));
            Answers original = offer(message);
            Answers repeat = offer(message);
            consumer.accept("first");
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), original.outcomes);
            consumer.accept("b");
            scene.settle();
            assertEquals(List.of(Outcome.ACCEPTED), repeat.outcomes);
            assertEquals(List.of("first", "b"), consumer.names());
        }

        @Test
        void aRepeatOfAMessageThatIsHereNeedsNoRoom() {
            scene = new QueueScene(tellingByName(), QueueScene.AMPLE_BYTES);
            Message message = Messages.durable("a").withAnnotations(Map.of("name", "a"));
            offer(message);
            scene.settle();
            Answers repeat = offer(message);
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), repeat.outcomes);
            assertEquals(List.of(), repeat.withdrawals);
            assertEquals(1, scene.queue.stats().messages());
        }

        @Test
        void whatWasRefusedOrTakenBackIsNoDuplicateWhenItComesAgain() {
            scene = new QueueScene(tellingByName(), QueueScene.AMPLE_BYTES);
            Recipient consumer = scene.consumer().credit(9);
            offer("first");
            Message refused = Messages.durable("b").withAnnotations(Map.of("name", "b"));
            Message takenBack = Messages.durable("c").withAnnotations(Map.of("name", "c"));
            offer(refused);
            scene.elapse(HOLD_MILLIS);
            consumer.accept("first");
            offer("second");
            offer(takenBack).withdrawals.get(0).run();
            consumer.accept("second");
            for (Message again : List.of(refused, takenBack)) {
                assertEquals(List.of(), offer(again).outcomes);
                scene.settle();
                consumer.acceptAll();
                scene.settle();
            }

            assertEquals(List.of("first", "second", "b", "c"), consumer.names());
        }

        private QueueSettings tellingByName() {
            return held(QueueScene.atMost(1, WhenFull.REJECT))
                    .withDuplicates(new Duplicates(Optional.of("name"), Duration.ofHours(1), 100));
        }

        private Message due(String name, long delayMillis) {
            return Messages.durable(name).withAnnotations(Map.of(Rest.DELIVERY_TIME, scene.loop.now() + delayMillis));
        }

        @Test
        void aMessageForLaterWaitsForRoomTooAndThenForItsTime() {
            Recipient consumer = scene.consumer().credit(9);
            offer("a");
            Answers waits = offer(due("later", 2000));
            scene.settle();
            assertEquals(List.of(), waits.outcomes);
            consumer.accept("a");
            scene.settle();
            assertEquals(List.of(Outcome.ACCEPTED), waits.outcomes);
            assertEquals(1, scene.queue.stats().scheduled());
            scene.elapse(1999);
            assertEquals(List.of("a"), consumer.names());
            scene.elapse(1);

            assertEquals(List.of("a", "later"), consumer.names());
        }

        @Test
        void aMessageWhoseTimeCameWhileItWaitedForRoomIsDeliveredWhenItComesIn() {
            Recipient consumer = scene.consumer().credit(9);
            offer("a");
            offer(due("later", 2000));
            scene.elapse(3000);
            consumer.accept("a");
            scene.settle();

            assertEquals(List.of("a", "later"), consumer.names());
        }

        @Test
        void aQueueThatIsFullOfMessagesForLaterHoldsOthersUntilTheyAreConsumed() {
            Recipient consumer = scene.consumer().credit(9);
            offer(due("later", 2000));
            scene.settle();
            Answers waits = offer("b");
            scene.elapse(2000);
            assertEquals(List.of("later"), consumer.names());
            assertEquals(List.of(), waits.outcomes);
            consumer.accept("later");
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), waits.outcomes);
            assertEquals(List.of("later", "b"), consumer.names());
        }

        @Test
        void aTransactionDoesNotWaitForRoom() {
            offer("a");
            TransactionByHand transaction = new TransactionByHand(scene.resources.recorder());
            Answers answers = new Answers();
            scene.queue.offer(Messages.durable("b"), transaction, answers);

            assertEquals("max-messages", answers.refusal().info().get("reason"));
        }

        @Test
        void aRollbackMakesRoom() {
            TransactionByHand transaction = new TransactionByHand(scene.resources.recorder());
            scene.queue.offer(Messages.durable("a"), transaction, new Answers());
            Answers waits = offer("b");
            assertEquals(List.of(), waits.outcomes);
            transaction.rollBack();
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), waits.outcomes);
        }
    }

    @Nested
    class TooLong {
        @Test
        void whoHasWaitedLongEnoughIsToldQueueReasonAndLimit() {
            offer("a");
            Answers waits = offer("b");
            scene.elapse(HOLD_MILLIS - 1);
            assertEquals(List.of(), waits.outcomes);
            scene.elapse(1);

            Condition reason =
                    ((Outcome.Rejected) waits.outcomes.get(0)).error().orElseThrow();
            assertEquals(Map.of("queue", "orders", "reason", "max-messages", "limit", 1L), reason.info());
            assertEquals(1, scene.queue.stats().refused());
            assertEquals(0, scene.queue.stats().held());
            assertEquals(0, scene.loop.timers());
        }

        @Test
        void whenNobodyCameInForAllThatTimeAllAreRefusedAtOnceUntilThereIsRoom() {
            Recipient consumer = scene.consumer().credit(5);
            offer("a");
            offer("b");
            scene.elapse(HOLD_MILLIS / 2);
            Answers later = offer("c");
            scene.elapse(HOLD_MILLIS / 2);
            assertTrue(later.outcomes.get(0) instanceof Outcome.Rejected);
            Answers next = offer("d");
            assertTrue(next.outcomes.get(0) instanceof Outcome.Rejected);
            assertEquals(List.of(), next.withdrawals);
            assertEquals(1, scene.queue.room());

            consumer.accept("a");
            assertEquals(List.of(Outcome.ACCEPTED), offer("e").outcomes);
            assertEquals(List.of(), offer("f").outcomes);
        }

        @Test
        void thoseThatCameInOneBurstAreRefusedTogetherWhenTheirTimeIsOver() {
            Recipient consumer = scene.consumer().credit(9);
            offer("a");
            offer("b");
            List<Answers> burst = List.of(offer("c"), offer("d"), offer("e"));
            consumer.accept("a");
            scene.elapse(HOLD_MILLIS - 1);
            Answers later = offer("f");
            scene.elapse(1);

            burst.forEach(
                    each -> assertEquals("max-messages", each.refusal().info().get("reason")));
            assertEquals(List.of(), later.outcomes);
            assertEquals(1, scene.loop.timers());
        }

        @Test
        void whileSomeComeInEachWaitsForItsOwnTime() {
            Recipient consumer = scene.consumer().credit(9);
            offer("a");
            offer("b");
            Answers slow = offer("c");
            scene.elapse(HOLD_MILLIS - 1000);
            Answers later = offer("d");
            consumer.accept("a");
            scene.elapse(1000);
            assertTrue(slow.outcomes.get(0) instanceof Outcome.Rejected);
            assertEquals(List.of(), later.outcomes);
            consumer.accept("b");
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), later.outcomes);
        }

        @Test
        void aMessageThatWillNeverFitIsRefusedAtOnce() {
            scene = new QueueScene(held(QueueScene.atMostBytes(1000, WhenFull.REJECT)), QueueScene.AMPLE_BYTES);

            assertTrue(offer(Messages.message("a", false, 1500)).outcomes.get(0) instanceof Outcome.Rejected);
        }

        @Test
        void aRingWithNothingToDropRefusesAtOnce() {
            scene = new QueueScene(held(QueueScene.atMost(1, WhenFull.DROP_OLDEST)), QueueScene.AMPLE_BYTES);
            scene.consumer().credit(5);
            offer("a");

            assertTrue(offer("b").outcomes.get(0) instanceof Outcome.Rejected);
        }
    }

    @Nested
    class Memory {
        @Test
        void whatAnswersIsBoundedAndTheRestIsRefusedAtOnce() {
            scene = new QueueScene(held(QueueScene.atMost(1, WhenFull.REJECT)), 160_000);
            offer("a");
            List<Answers> all = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                all.add(offer(Messages.message("m" + i, false, 1760)));
            }
            long waiting = all.stream().filter(each -> each.outcomes.isEmpty()).count();

            assertEquals(scene.queue.stats().held(), waiting);
            assertTrue(waiting > 1 && waiting <= 6, waiting + " wait");
            scene.elapse(HOLD_MILLIS);
            scene.consumer().credit(5).acceptAll();
            scene.settle();
            assertEquals(0, scene.heldBytes());
        }

        @Test
        void consumersThatTakeAllMemoryLeaveAReserveForThoseThatWait() {
            scene = new QueueScene(held(QueueScene.atMost(1, WhenFull.REJECT)), 160_000);
            offer("a");
            scene.resources.memory().take(200_000);
            List<Answers> all = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                all.add(offer(Messages.message("m" + i, false, 1760)));
            }
            long waiting = all.stream().filter(each -> each.outcomes.isEmpty()).count();

            assertTrue(waiting > 1 && waiting <= 10, waiting + " wait");
        }

        @Test
        void whatIsWithdrawnIsForgottenAndReleased() {
            Recipient consumer = scene.consumer().credit(5);
            offer("a");
            Answers first = offer("b");
            Answers second = offer("c");
            first.withdrawals.get(0).run();
            first.withdrawals.get(0).run();
            assertEquals(List.of(Outcome.RELEASED), first.outcomes);
            consumer.accept("a");
            scene.settle();
            assertEquals(List.of("a", "c"), consumer.names());
            second.withdrawals.get(0).run();
            assertEquals(List.of(Outcome.ACCEPTED), second.outcomes);
            consumer.accept("c");
            scene.settle();

            assertEquals(0, scene.heldBytes());
            assertEquals(0, scene.loop.timers());
        }

        @Test
        void aQueueThatIsDeletedAnswersAllThatWait() {
            offer("a");
            Answers waits = offer("b");
            scene.queue.delete();
            scene.settle();

            assertEquals(
                    Condition.RESOURCE_DELETED,
                    ((Outcome.Rejected) waits.outcomes.get(0))
                            .error()
                            .orElseThrow()
                            .symbol());
            assertEquals(0, scene.heldBytes());
            assertEquals(0, scene.loop.timers());
        }
    }

    @Nested
    class StoreFull {
        StoreFull() {
            scene = new QueueScene(held(QueueScene.settings()), QueueScene.AMPLE_BYTES);
            scene.journal.setRoom(new Room(false, "it is full"));
        }

        @Test
        void aDurableMessageComesInWhenTheStoreHasRoomAgain() {
            Answers waits = offer(Messages.durable("a"));
            scene.settle();
            assertEquals(List.of(), waits.outcomes);
            scene.journal.setRoom(Room.YES);
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), waits.outcomes);
        }

        @Test
        void whatNeedsNoStoreKeepsItsOrderAndGoesOnOnceNothingAnswers() {
            Answers durable = offer(Messages.durable("a"));
            Answers behind = offer("b");
            assertEquals(List.of(), behind.outcomes);
            scene.elapse(HOLD_MILLIS);
            assertEquals(
                    "store-full",
                    ((Outcome.Rejected) durable.outcomes.get(0))
                            .error()
                            .orElseThrow()
                            .info()
                            .get("reason"));
            assertEquals(List.of(Outcome.ACCEPTED), behind.outcomes);
            assertEquals(List.of(Outcome.ACCEPTED), offer("c").outcomes);
            assertTrue(offer(Messages.durable("d")).outcomes.get(0) instanceof Outcome.Rejected);
            scene.journal.setRoom(Room.YES);
            scene.settle();
            Answers after = offer(Messages.durable("e"));
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), after.outcomes);
        }
    }
}
