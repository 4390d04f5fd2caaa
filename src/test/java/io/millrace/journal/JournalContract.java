package io.millrace.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.Fact.DeliveryFailed;
import io.millrace.journal.Fact.MessageAnnotated;
import io.millrace.journal.Fact.MessageMoved;
import io.millrace.journal.Fact.MessageRemoved;
import io.millrace.journal.Fact.MessageStored;
import io.millrace.journal.Fact.NodeDeclared;
import io.millrace.journal.Fact.NodeDeleted;
import io.millrace.journal.Fact.NodeKind;
import io.millrace.journal.Journal.RecoveredNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What every journal does. */
public abstract class JournalContract extends DetailsContract {
    @Nested
    class Reading {
        @Test
        void aMessageIsReadAsItWasStored() {
            MessageStored message = stored(ORDERS, 7, 100);
            append(message);
            StoredMessage found = read(ORDERS, -1, 10, 1000).get(0);
            assertEquals(message.key(), found.key());
            assertEquals(message.arrivalMillis(), found.arrivalMillis());
            assertEquals(3, found.format());
            assertEquals(0, found.deliveryCount());
            assertTrue(found.durable());
            assertArrayEquals(message.bytes(), found.bytes());
        }

        @Test
        void messagesComeBySequenceAndOnlyThoseOfOneLane() {
            append(
                    stored(new MessageKey(ORDERS, 1, 1), true, 1),
                    stored(new MessageKey(ORDERS, 0, 3), true, 1),
                    stored(new MessageKey(ORDERS, MessageKey.SCHEDULED, 4), true, 1),
                    stored(new MessageKey(ORDERS, 1, 5), false, 1),
                    stored(new MessageKey(ORDERS, 0, 2), true, 1));
            assertEquals(List.of(2L, 3L), sequences(ORDERS, 0));
            assertEquals(List.of(1L, 5L), sequences(ORDERS, 1));
            assertEquals(List.of(), sequences(ORDERS, 2));
            assertEquals(List.of(4L), sequences(ORDERS, MessageKey.SCHEDULED));
        }

        @Test
        void aRunGoesOnAfterTheKeyGivenAndStaysInItsQueue() {
            append(stored(ORDERS, 1, 1), stored(ORDERS, 2, 1), stored(ORDERS, 3, 1), stored(DEAD, 1, 1));
            assertEquals(2, read(ORDERS, 1, 10, 1000).get(0).key().sequence());
            assertEquals(2, read(ORDERS, 1, 10, 1000).size());
            assertEquals(List.of(), read(ORDERS, 3, 10, 1000));
        }

        @Test
        void aRunEndsAtTheLimitsButHasOneMessage() {
            append(stored(ORDERS, 1, 100), stored(ORDERS, 2, 100), stored(ORDERS, 3, 100));
            assertEquals(2, read(ORDERS, -1, 2, 1000).size());
            assertEquals(1, read(ORDERS, -1, 10, 1).size());
            assertEquals(2, read(ORDERS, -1, 10, 150).size());
        }

        @Test
        void largeMessagesAreWhole() {
            MessageStored message = stored(ORDERS, 1, 3_000_000);
            append(stored(ORDERS, 0, 10), message, stored(ORDERS, 2, 40_000));
            assertArrayEquals(message.bytes(), read(ORDERS, 0, 1, 1).get(0).bytes());
            append(removed(message));
            assertEquals(List.of(0L, 2L), sequences(ORDERS));
        }

        @Test
        void messagesThatAreNotDurableComeAtTheirPlaces() {
            append(stored(ORDERS, 1, 1), stored(ORDERS, 3, 1));
            append(stored(new MessageKey(ORDERS, 0, 2), false, 10), stored(new MessageKey(ORDERS, 0, 4), false, 10));
            List<StoredMessage> found = read(ORDERS, -1, 10, 1000);
            assertEquals(List.of(1L, 2L, 3L, 4L), sequences(ORDERS));
            assertTrue(found.get(0).durable() && !found.get(1).durable());
        }
    }

    @Nested
    class Changing {
        @Test
        void callbacksComeInTheOrderOfAppends() {
            List<Integer> order = new ArrayList<>();
            for (int i = 0; i < 500; i++) {
                int number = i;
                journal.append(List.of(stored(ORDERS, i, 10)), line, () -> order.add(number));
            }
            settle();
            line.until(() -> order.size() == 500);
            for (int i = 0; i < 500; i++) {
                assertEquals(i, order.get(i));
            }
        }

        @Test
        void aBatchWithoutFactsIsAnsweredToo() {
            append();
            assertEquals(List.of(), sequences(ORDERS));
        }

        @Test
        void aMovedMessageIsInOneQueueOnly() {
            MessageStored message = stored(ORDERS, 1, 50);
            append(message);
            append(new MessageMoved(removed(message), stored(DEAD, 1, 80)));
            assertEquals(List.of(), sequences(ORDERS));
            assertEquals(80, read(DEAD, -1, 10, 1000).get(0).bytes().length);
        }

        @Test
        void failedDeliveriesAreCountedUntilTheMessageGoes() {
            MessageStored message = stored(ORDERS, 1, 50);
            append(message);
            append(new DeliveryFailed(message.key(), 2));
            crashAndReopen();
            assertEquals(2, read(ORDERS, -1, 1, 1).get(0).deliveryCount());
            append(removed(message), new DeliveryFailed(message.key(), 3));
            assertEquals(List.of(), sequences(ORDERS));
        }

        @Test
        void annotatedMessagesHaveTheirNewBytesWhateverTheirSizes() {
            for (int[] sizes : new int[][] {{10, 20}, {10, 700_000}, {700_000, 300_000}, {700_000, 10}}) {
                MessageStored message = stored(ORDERS, sizes[0] + sizes[1], sizes[0]);
                byte[] bytes = stored(ORDERS, 99, sizes[1]).bytes();
                append(message);
                append(new MessageAnnotated(message.key(), sizes[0], bytes));
                assertArrayEquals(bytes, read(ORDERS, -1, 1, 1).get(0).bytes());
                append(new MessageRemoved(message.key(), true, sizes[1]));
            }
            crashAndReopen();
            assertEquals(0, recovered(ORDERS).bytes());
        }

        @Test
        void factsThatUndoEachOtherInOneBatchLeaveNothing() {
            MessageStored kept = stored(ORDERS, 2, 50);
            MessageStored gone = stored(ORDERS, 1, 50);
            append(
                    gone,
                    new DeliveryFailed(gone.key(), 1),
                    new MessageAnnotated(gone.key(), 50, new byte[60]),
                    kept,
                    new MessageRemoved(gone.key(), true, 60),
                    new MessageMoved(removed(kept), stored(DEAD, 1, 70)));
            assertEquals(List.of(), sequences(ORDERS));
            assertEquals(List.of(1L), sequences(DEAD));
            crashAndReopen();
            assertEquals(0, recovered(ORDERS).messages());
            assertEquals(70, recovered(DEAD).bytes());
        }

        @Test
        void aDeletedQueueIsGoneWithItsMessages() {
            for (int i = 0; i < 20; i++) {
                append(stored(ORDERS, i, 10), stored(DEAD, i, 10));
            }
            append(new NodeDeleted(ORDERS));
            append(stored(ORDERS, 100, 10));
            crashAndReopen();
            assertEquals(1, journal.recover().size());
            assertEquals(20, sequences(DEAD).size());
        }
    }

    @Nested
    class OfATemporaryQueue {
        private static final long TEMPORARY = 77;

        private MessageStored spilled(long sequence) {
            return stored(new MessageKey(TEMPORARY, 0, sequence), false, 10);
        }

        @Test
        void whatWasSpilledIsReadThoughTheQueueIsNotDeclared() {
            append(spilled(1), spilled(2), spilled(3));
            append(removed(spilled(1)));
            assertEquals(List.of(2L, 3L), sequences(TEMPORARY));
        }

        @Test
        void whatWasSpilledGoesWithTheQueue() {
            for (int i = 0; i < 1_500; i++) {
                append(spilled(i));
            }
            append(new NodeDeleted(TEMPORARY));
            append(stored(ORDERS, 1, 10));
            append(stored(ORDERS, 2, 10));
            assertEquals(List.of(), sequences(TEMPORARY));
        }

        @Test
        void nothingOfItIsRecovered() {
            append(spilled(1));
            crashAndReopen();
            assertEquals(2, journal.recover().size());
            assertEquals(List.of(), sequences(TEMPORARY));
        }
    }

    @Nested
    class Recovering {
        @Test
        void queuesComeInTheOrderOfTheirNumbersWithWhatTheyHold() {
            append(stored(ORDERS, 0, 10), stored(ORDERS, 1, 30), new NodeDeclared(9, "nine", NodeKind.QUEUE, Map.of()));
            crashAndReopen();
            List<RecoveredNode> queues = journal.recover();
            assertEquals(
                    List.of("orders", "orders.dlq", "nine"),
                    queues.stream().map(n -> n.declared().address()).toList());
            assertEquals(
                    List.of(false, true, false),
                    queues.stream()
                            .map(n -> n.declared().kind() == Fact.NodeKind.DEAD_LETTER_QUEUE)
                            .toList());
            assertEquals(2, recovered(ORDERS).messages());
            assertEquals(40, recovered(ORDERS).bytes());
            assertTrue(recovered(ORDERS).nextSequence() >= 2);
        }

        @Test
        void whatWasRemovedStaysAway() {
            append(stored(ORDERS, 1, 10), stored(ORDERS, 2, 10));
            append(removed(stored(ORDERS, 1, 10)));
            crashAndReopen();
            assertEquals(List.of(2L), sequences(ORDERS));
            reopen();
            assertEquals(List.of(2L), sequences(ORDERS));
            assertEquals(1, recovered(ORDERS).messages());
        }

        @Test
        void sequencesAreNotGivenAgainEvenIfTheMessageWasNeverWritten() {
            MessageStored brief = stored(ORDERS, 123_456, 10);
            append(brief, removed(brief));
            crashAndReopen();
            assertTrue(recovered(ORDERS).nextSequence() > 123_456);
        }

        @Test
        void messagesThatAreNotDurableAreGone() {
            append(stored(new MessageKey(ORDERS, 0, 1), false, 10), stored(ORDERS, 2, 10));
            crashAndReopen();
            assertEquals(List.of(2L), sequences(ORDERS));
            append(stored(new MessageKey(ORDERS, 0, 3), false, 10));
            reopen();
            assertEquals(List.of(2L), sequences(ORDERS));
            assertEquals(10, recovered(ORDERS).bytes());
        }

        @Test
        void closingAnswersWhatWasAppendedAndTakesNoMore() {
            int[] answered = new int[1];
            for (int i = 0; i < 100; i++) {
                journal.append(List.of(stored(ORDERS, i, 10)), line, () -> answered[0]++);
            }
            journal.close(Duration.ofSeconds(10));
            line.until(() -> answered[0] == 100);
            journal.append(List.of(stored(ORDERS, 100, 10)), line, () -> answered[0]++);
            journal = open();
            assertEquals(100, sequences(ORDERS).size());
            assertEquals(0, line.tasks());
        }
    }
}
