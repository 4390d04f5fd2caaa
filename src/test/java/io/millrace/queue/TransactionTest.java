package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.QueueSettings.WhenFull;
import io.millrace.journal.Journal.Room;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What a queue does with messages and deliveries that belong to a transaction. */
class TransactionTest {
    private static final Outcome FAILED = new Outcome.Modified(true, false, Map.of());

    private QueueScene scene = new QueueScene();
    private TransactionByHand transaction = begin();

    private TransactionByHand begin() {
        return new TransactionByHand(scene.resources.recorder());
    }

    private void in(QueueScene other) {
        scene = other;
        transaction = begin();
    }

    private Answers send(Message message) {
        Answers answers = new Answers();
        scene.queue.offer(message, transaction, answers);
        return answers;
    }

    private void send(String... names) {
        for (String name : names) {
            assertEquals(List.of(Outcome.ACCEPTED), send(Messages.durable(name)).outcomes);
        }
    }

    private void settle(Recipient consumer, String name, Outcome outcome) {
        Answers answers = new Answers();
        scene.queue.settle(consumer, consumer.delivery(name), outcome, transaction, answers);
        assertEquals(List.of(outcome), answers.outcomes);
    }

    private List<String> received() {
        return scene.consumer().credit(100).names();
    }

    private long unsettled() {
        return scene.queue.stats().unsettled();
    }

    @Nested
    class Sending {
        @Test
        void isAnsweredAtOnceAndSeenByNobody() {
            send("a", "b");
            scene.settle();

            assertEquals(List.of(), received());
            assertEquals(List.of(), scene.browser().credit(10).names());
            assertEquals(0, scene.storedMessages());
            assertEquals(0, scene.queue.stats().messages());
        }

        @Test
        void isSeenWhenTheCommitIsDurableAndNotBefore() {
            Recipient consumer = scene.consumer().credit(10);
            send("a", "b");
            transaction.commit();
            scene.loop.runAll();
            assertEquals(List.of(), consumer.names());

            scene.settle();
            assertEquals(List.of("a", "b"), consumer.names());
            assertEquals(2, scene.queue.stats().messages());
            assertEquals(2, scene.queue.stats().enqueued());
        }

        @Test
        void isOneBatchOfTheJournal() {
            send("a", "b");
            transaction.commit();
            scene.loop.runAll();

            assertEquals(1, scene.journal.waiting());
        }

        @Test
        void isUndoneByRollback() {
            long before = scene.heldBytes();
            send("a", "b");
            transaction.rollBack();
            scene.settle();

            assertEquals(List.of(), received());
            assertEquals(0, scene.storedMessages());
            assertEquals(before, scene.heldBytes());
        }

        @Test
        void isUndoneByRollbackAfterThePlacesAreGiven() {
            long before = scene.heldBytes();
            send("a", "b");
            transaction.prepare();
            transaction.rollBack();
            scene.offerDurable("c");
            scene.settle();

            assertEquals(List.of("c"), received());
            assertEquals(1, scene.storedMessages());
            assertTrue(scene.resources.recorder().hasRoom());
            assertTrue(scene.heldBytes() > before);
        }

        @Test
        void takesItsPlaceAtCommitAlthoughOthersAreSeenFirst() {
            send("a");
            scene.offerDurable("b");
            transaction.prepare();
            scene.offerTransient("c");
            Recipient consumer = scene.consumer().credit(1);
            scene.settle();
            assertEquals(List.of("b"), consumer.names());
            transaction.record();
            scene.settle();

            consumer.credit(10);
            assertEquals(List.of("b", "a", "c"), consumer.names());
        }

        @Test
        void costsNoJournalForWhatIsNotDurable() {
            Recipient consumer = scene.consumer().credit(10);
            send(Messages.transientOne("a"));
            assertEquals(List.of(), consumer.names());
            transaction.commit();

            assertEquals(List.of("a"), consumer.names());
            assertEquals(0, scene.journal.waiting());
        }

        @Test
        void survivesACrashAfterTheCommitOnly() {
            send("a", "b");
            transaction.commit();
            scene.loop.runAll();
            scene.journal.flush();
            transaction = begin();
            send("c");
            transaction.commit();
            scene.loop.runAll();

            in(scene.restarted(QueueScene.settings(), QueueScene.AMPLE_BYTES));
            Recipient consumer = scene.consumer().credit(10);
            scene.settle();
            assertEquals(List.of("a", "b"), consumer.names());
        }
    }

    @Nested
    class Limits {
        @Test
        void ofTheQueueCountWhatOpenTransactionsHold() {
            in(new QueueScene(QueueScene.atMost(2, WhenFull.REJECT), QueueScene.AMPLE_BYTES));
            send("a", "b");

            assertEquals(
                    Condition.RESOURCE_LIMIT_EXCEEDED,
                    send(Messages.durable("c")).refusal().symbol());
            assertEquals(
                    Condition.RESOURCE_LIMIT_EXCEEDED,
                    scene.offer(Messages.durable("d")).refusal().symbol());
            transaction.rollBack();
            scene.offerDurable("e");
            scene.settle();
            assertEquals(List.of("e"), received());
        }

        @Test
        void ofARingDropTheOldestWhenTheTransactionCommits() {
            in(new QueueScene(QueueScene.atMost(2, WhenFull.DROP_OLDEST), QueueScene.AMPLE_BYTES));
            scene.offerDurable("a", "b");
            send("c", "d", "e");
            scene.settle();
            assertEquals(2, scene.queue.stats().messages());
            transaction.commit();
            scene.settle();

            assertEquals(List.of("d", "e"), received());
        }

        @Test
        void ofTheMemoryRefuseAMessageAndSaySo() {
            in(new QueueScene(QueueScene.settings(), 1 << 20));
            send(Messages.message("a", true, 400 << 10));

            Condition refusal = send(Messages.message("b", true, 200 << 10)).refusal();
            assertEquals("transaction-bytes", refusal.info().get("reason"));
            assertEquals((long) (512 << 10), refusal.info().get("limit"));
            transaction.rollBack();
            transaction = begin();
            assertEquals(List.of(Outcome.ACCEPTED), send(Messages.message("c", true, 400 << 10)).outcomes);
        }

        @Test
        void ofTheStoreRefuseTheCommitWhenItIsFull() {
            send("a");
            scene.journal.setRoom(new Room(false, "the disk is full"));
            Condition refusal = transaction.prepare().orElseThrow();

            assertEquals("store-full", refusal.info().get("reason"));
            transaction.rollBack();
            assertEquals(0, scene.heldBytes());
        }

        @Test
        void thatHaveTheirPlacesInAQueueThatGoesLeaveNothingInMemory() {
            send("a", "b");
            assertEquals(Optional.empty(), transaction.prepare());
            scene.queue.delete();
            transaction.record();
            scene.settle();

            assertEquals(0, scene.heldBytes());
        }

        @Test
        void ofAQueueThatIsGoneRefuseTheCommit() {
            send("a");
            scene.queue.delete();

            assertEquals(
                    Condition.RESOURCE_DELETED,
                    transaction.prepare().orElseThrow().symbol());
            transaction.rollBack();
            assertEquals(0, scene.heldBytes());
        }
    }

    @Nested
    class Settling {
        private final Recipient consumer = consumerOf("a", "b", "c");

        private Recipient consumerOf(String... names) {
            scene.offerDurable(names);
            scene.settle();
            return scene.consumer().credit(names.length);
        }

        @Test
        void removesTheMessageWithTheCommit() {
            settle(consumer, "a", Outcome.ACCEPTED);
            settle(consumer, "b", Outcome.ACCEPTED);
            scene.settle();
            assertEquals(3, scene.storedMessages());
            assertEquals(3, unsettled());
            transaction.commit();
            scene.settle();

            assertEquals(1, scene.storedMessages());
            assertEquals(1, scene.queue.stats().messages());
            assertEquals(2, scene.queue.stats().dequeued());
            assertEquals(1, unsettled());
        }

        @Test
        void isUndoneByRollbackInOrderBeforeNewerMessagesAndCounted() {
            scene.offerDurable("d");
            settle(consumer, "b", Outcome.ACCEPTED);
            settle(consumer, "a", Outcome.ACCEPTED);
            consumer.credit(2);
            scene.settle();
            assertEquals(List.of("a", "b", "c", "d"), consumer.names());
            consumer.credit(0);
            scene.offerDurable("e");
            transaction.rollBack();
            consumer.credit(10);

            assertEquals(List.of("a", "b", "c", "d", "a", "b", "e"), consumer.names());
            assertEquals(1, consumer.delivery("a").deliveryCount());
            assertFalse(consumer.delivery("a").firstAcquirer());
            scene.settle();
            assertEquals(
                    List.of(1, 1, 0, 0, 0),
                    scene.journal.messages().stream()
                            .map(each -> each.deliveryCount())
                            .toList());
        }

        @Test
        void givesAllBackBeforeAnyIsHandedOutAgain() {
            Recipient other = scene.consumer().credit(10);
            settle(consumer, "b", Outcome.ACCEPTED);
            settle(consumer, "a", Outcome.ACCEPTED);
            transaction.rollBack();

            assertEquals(List.of("a", "b"), other.names());
        }

        @Test
        void belongsToTheTransactionAndNotToTheConsumer() {
            settle(consumer, "a", Outcome.ACCEPTED);
            consumer.detach(true);
            Recipient other = scene.consumer().credit(10);
            assertEquals(List.of("b", "c"), other.names());
            transaction.commit();
            scene.settle();

            assertEquals(2, scene.queue.stats().messages());
        }

        @Test
        void onceMoreInATransactionChangesNothing() {
            settle(consumer, "a", Outcome.ACCEPTED);
            settle(consumer, "a", Outcome.RELEASED);
            transaction.commit();
            scene.settle();

            assertEquals(2, scene.queue.stats().messages());
            assertEquals(2, unsettled());
        }

        @Test
        void releasesWithTheCommit() {
            settle(consumer, "a", Outcome.RELEASED);
            Recipient other = scene.consumer().credit(10);
            assertEquals(List.of(), other.names());
            transaction.commit();
            scene.settle();

            assertEquals(List.of("a"), other.names());
            assertEquals(0, other.delivery("a").deliveryCount());
        }

        @Test
        void countsAFailedAttemptWithTheCommit() {
            settle(consumer, "a", FAILED);
            transaction.commit();
            Recipient other = scene.consumer().credit(10);
            scene.settle();

            assertEquals(List.of("a"), other.names());
            assertEquals(1, other.delivery("a").deliveryCount());
        }

        @Test
        void movesWhatIsRejectedToTheDeadLetterQueueWithTheCommit() {
            settle(consumer, "a", new Outcome.Rejected(new Condition("shop:bad", "no such article")));
            assertEquals(0, scene.dead.stats().messages());
            transaction.commit();
            scene.settle();

            assertEquals(1, scene.dead.stats().messages());
            assertEquals(2, scene.queue.stats().messages());
        }

        @Test
        void discardsWhatIsRejectedWithoutADeadLetterQueue() {
            in(new QueueScene(QueueScene.withoutDeadLetters(), QueueScene.AMPLE_BYTES));
            Recipient only = consumerOf("x");
            settle(only, "x", new Outcome.Rejected(new Condition("shop:bad", "no such article")));
            transaction.commit();
            scene.settle();

            assertEquals(0, scene.storedMessages());
            assertEquals(1, scene.queue.stats().discarded());
        }

        @Test
        void goesToTheDeadLetterQueueAfterTooManyRollbacks() {
            for (int i = 0; i < 3; i++) {
                consumer.credit(10);
                settle(consumer, "a", Outcome.ACCEPTED);
                transaction.rollBack();
                transaction = begin();
            }
            scene.settle();

            assertEquals(1, scene.dead.stats().messages());
            assertEquals(2, scene.queue.stats().messages());
        }

        @Test
        void ofADeletedQueueDoesNotHinderTheCommit() {
            settle(consumer, "a", Outcome.ACCEPTED);
            scene.queue.delete();
            transaction.commit();
            scene.settle();

            assertEquals(0, scene.heldBytes());
        }

        @Test
        void togetherWithSendingIsAllOrNothingAfterACrash() {
            settle(consumer, "a", Outcome.ACCEPTED);
            send("reply");
            transaction.commit();
            scene.loop.runAll();
            QueueScene before = scene.restarted(QueueScene.settings(), QueueScene.AMPLE_BYTES);
            Recipient all = before.consumer().credit(10);
            before.settle();

            assertEquals(List.of("a", "b", "c"), all.names());
        }
    }

    @Nested
    class Backlog {
        private static final int BYTES = 64 << 10;

        private void sendLarge(int first, int last) {
            for (int i = first; i <= last; i++) {
                assertEquals(List.of(Outcome.ACCEPTED), send(Messages.message("m" + i, true, BYTES)).outcomes);
            }
        }

        private List<String> names(int first, int last) {
            return IntStream.rangeClosed(first, last).mapToObj(i -> "m" + i).toList();
        }

        private Recipient receiveAll() {
            Recipient all = scene.consumer();
            all.onDelivery = (self, delivery) -> scene.queue.settle(self, delivery, Outcome.ACCEPTED, Receipt.NONE);
            all.credit(1000);
            scene.settle();
            return all;
        }

        @Test
        void thatDoesNotFitInMemoryGoesToTheStoreAndComesBackInOrder() {
            in(new QueueScene(QueueScene.settings(), 1 << 20));
            for (int i = 1; i <= 37; i += 4) {
                sendLarge(i, i + 3);
                transaction.commit();
                scene.settle();
                transaction = begin();
            }
            assertTrue(scene.heldBytes() < 1 << 20);
            assertEquals(40, scene.queue.stats().messages());

            assertEquals(names(1, 40), receiveAll().names());
        }

        @Test
        void isNotReadPastAPlaceWhoseTransactionIsNotDecided() {
            in(new QueueScene(QueueScene.settings(), 1 << 20));
            scene.offerMany(1, 8, true, BYTES);
            sendLarge(9, 10);
            assertTrue(transaction.prepare().isEmpty());
            scene.offerMany(11, 12, true, BYTES);
            scene.settle();
            Recipient all = receiveAll();
            assertEquals(names(1, 8), all.names());
            transaction.record();
            scene.settle();

            assertEquals(names(1, 12), all.names());
            assertEquals(0, scene.queue.stats().messages());
        }

        @Test
        void isReadPastAPlaceWhoseTransactionIsRolledBack() {
            in(new QueueScene(QueueScene.settings(), 1 << 20));
            scene.offerMany(1, 8, true, BYTES);
            sendLarge(20, 21);
            assertTrue(transaction.prepare().isEmpty());
            scene.offerMany(9, 10, true, BYTES);
            scene.settle();
            transaction.rollBack();

            assertEquals(names(1, 10), receiveAll().names());
            assertEquals(0, scene.heldBytes());
        }
    }

    @Test
    void aMessageThatComesAndMakesRoomAtOnceDoesNotExpireToo() {
        in(new QueueScene(QueueScene.atMost(1, WhenFull.DROP_OLDEST), QueueScene.AMPLE_BYTES));
        scene.offerDurable("held");
        Recipient consumer = scene.consumer().credit(1);
        assertEquals(
                List.of(Outcome.ACCEPTED), send(Envelope.durable("a").ttl(1000).build()).outcomes);
        transaction.commit();
        scene.settle();
        consumer.accept("held");
        scene.elapse(2000);

        assertEquals(0, scene.queue.stats().messages());
        assertEquals(0, scene.queue.stats().expired());
        assertEquals(0, scene.storedMessages());
        assertEquals(0, scene.heldBytes());
    }
}
