package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.QueueSettings.WhenFull;
import io.millrace.journal.Fact.Details;
import io.millrace.journal.Journal.Room;
import io.millrace.message.Condition;
import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.qpid.proton.Proton;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.messaging.MessageAnnotations;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Messages whose bodies are in the store only. */
class StreamedTest {
    private static final int SIZE = Details.PART_BYTES * 2 + 1000;
    private static final byte[] DURABLE = {0x00, 0x53, 0x70, (byte) 0xc0, 2, 1, 0x41};
    private static final byte[] TRANSIENT = {0x00, 0x53, 0x70, (byte) 0xc0, 2, 1, 0x42};

    private final byte[] body = new byte[SIZE];
    private QueueScene scene = new QueueScene();
    private Bodies bodies = new Bodies(scene.resources);
    private long held;

    StreamedTest() {
        new Random(5).nextBytes(body);
    }

    private BodyWriter writer() {
        BodyWriter writer = bodies.write(bytes -> held += bytes, bytes -> held -= bytes);
        for (int at = 0; at < SIZE; at += 1000) {
            writer.take(body, at, Math.min(1000, SIZE - at));
        }
        return writer;
    }

    private static Message finish(BodyWriter writer, byte[] beginning) {
        try {
            return writer.finish(beginning, 0);
        } catch (MalformedMessageException e) {
            throw new AssertionError(e);
        }
    }

    /** Offers a message as a link does. */
    private Answers offer(byte[] beginning) {
        BodyWriter writer = writer();
        Answers answers = new Answers();
        scene.queue.offer(finish(writer, beginning), outcome -> {
            writer.release();
            answers.settled(outcome);
        });
        return answers;
    }

    private byte[] read(Message message) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        BodyReader[] reader = new BodyReader[1];
        reader[0] = bodies.read(message, () -> {});
        while (all.size() < message.streamed() && !reader[0].gone()) {
            if (reader[0].ready()) {
                all.writeBytes(reader[0].part());
                reader[0].next();
            } else {
                scene.settle();
            }
        }
        return all.toByteArray();
    }

    private void assertNothingLeft() {
        scene.settle();
        assertEquals(0, scene.journal.bodies());
        assertEquals(0, scene.heldBytes());
        assertEquals(0, held);
    }

    private void restart() {
        scene = scene.restarted(QueueScene.settings(), QueueScene.AMPLE_BYTES);
        bodies = new Bodies(scene.resources);
    }

    @Nested
    class AMessage {
        @Test
        void isReadAsItWasWritten() {
            offer(DURABLE);
            Recipient consumer = scene.consumer().credit(1);
            scene.settle();
            Message message = consumer.deliveries.get(0).message();
            assertEquals(SIZE, message.streamed());
            assertEquals(SIZE + DURABLE.length, message.totalSize());
            assertArrayEquals(body, read(message));
        }

        @Test
        void canBeReadBeforeTheEndOfItIsWritten() {
            Recipient consumer = scene.consumer().credit(1);
            offer(DURABLE);
            assertArrayEquals(body, read(consumer.deliveries.get(0).message()));
        }

        @Test
        void isAcceptedWhenTheStoreHasIt() {
            Answers durable = offer(DURABLE);
            Answers other = offer(TRANSIENT);
            scene.loop.runAll();
            assertTrue(durable.outcomes.isEmpty() && other.outcomes.isEmpty());
            scene.settle();
            assertEquals(Outcome.ACCEPTED, durable.outcomes.get(0));
            assertEquals(Outcome.ACCEPTED, other.outcomes.get(0));
        }

        @Test
        void takesNoMoreMemoryThanItsBeginning() {
            offer(TRANSIENT);
            scene.settle();
            assertTrue(scene.heldBytes() < 1000, () -> scene.heldBytes() + " bytes");
            assertEquals(SIZE + TRANSIENT.length, scene.queue.stats().bytes());
            assertEquals(0, held);
        }

        @Test
        void isGoneWithItsBodyWhenItIsConsumed() {
            for (byte[] beginning : new byte[][] {DURABLE, TRANSIENT}) {
                offer(beginning);
                Recipient consumer = scene.consumer().credit(1);
                scene.settle();
                assertEquals(1, scene.journal.bodies());
                consumer.acceptAll();
                assertNothingLeft();
                assertEquals(0, scene.queue.stats().bytes());
                consumer.detach(false);
            }
        }

        @Test
        void isGoneWithItsBodyWhenItIsConsumedBeforeItIsWritten() {
            Recipient consumer = scene.consumer().credit(1);
            offer(DURABLE);
            consumer.acceptAll();
            assertNothingLeft();
        }

        @Test
        void isReadAgainAfterAFailedDelivery() {
            offer(DURABLE);
            Recipient first = scene.consumer().credit(1);
            scene.settle();
            first.detach(true);
            Recipient second = scene.consumer().credit(1);
            scene.settle();
            assertEquals(1, second.deliveries.get(0).deliveryCount());
            assertArrayEquals(body, read(second.deliveries.get(0).message()));
        }

        @Test
        void isShownToABrowser() {
            offer(DURABLE);
            Recipient browser = scene.browser().credit(1);
            scene.settle();
            assertArrayEquals(body, read(browser.deliveries.get(0).message()));
        }
    }

    @Nested
    class Limits {
        @Test
        void countAllOfTheMessage() {
            scene = new QueueScene(QueueScene.atMostBytes(SIZE, WhenFull.REJECT), QueueScene.AMPLE_BYTES);
            bodies = new Bodies(scene.resources);
            Answers answers = offer(DURABLE);
            scene.settle();
            Outcome.Rejected rejected = (Outcome.Rejected) answers.outcomes.get(0);
            assertEquals(
                    Condition.RESOURCE_LIMIT_EXCEEDED,
                    rejected.error().orElseThrow().symbol());
            assertNothingLeft();
        }

        @Test
        void makeAnOlderLargeMessageGoForANewerOne() {
            scene = new QueueScene(QueueScene.atMostBytes(SIZE + 1000, WhenFull.DROP_OLDEST), QueueScene.AMPLE_BYTES);
            bodies = new Bodies(scene.resources);
            offer(DURABLE);
            scene.settle();
            Answers second = offer(DURABLE);
            scene.settle();
            assertEquals(Outcome.ACCEPTED, second.outcomes.get(0));
            assertEquals(1, scene.journal.bodies());
            assertEquals(1, scene.queue.stats().messages());
        }

        @Test
        void makeALargeMessageWaitInTheStoreUntilThereIsRoomOrItsTimeIsOver() {
            scene = new QueueScene(
                    QueueScene.atMostBytes(SIZE + 1000, WhenFull.REJECT).withHold(Duration.ofSeconds(5)),
                    QueueScene.AMPLE_BYTES);
            bodies = new Bodies(scene.resources);
            Recipient consumer = scene.consumer().credit(5);
            offer(DURABLE);
            Answers second = offer(DURABLE);
            Answers third = offer(TRANSIENT);
            scene.settle();
            assertTrue(second.outcomes.isEmpty() && third.outcomes.isEmpty());
            assertEquals(3, scene.journal.bodies());
            consumer.acceptAll();
            scene.settle();
            assertEquals(List.of(Outcome.ACCEPTED), second.outcomes);
            assertArrayEquals(body, read(consumer.deliveries.get(1).message()));
            scene.elapse(5000);
            assertEquals("max-bytes", third.refusal().info().get("reason"));
            assertEquals(1, scene.journal.bodies());
            consumer.acceptAll();
            assertNothingLeft();
        }

        @Test
        void ofTheStoreAreKnownWhileTheMessageComes() {
            BodyWriter writer = writer();
            assertTrue(writer.refusal().isEmpty());
            scene.journal.setRoom(new Room(false, "the disk is full"));
            assertTrue(writer.refusal().orElseThrow().description().contains("the disk is full"));
            writer.release();
            assertNothingLeft();
        }

        @Test
        void ofWhatIsPendingHoldTheSenderBack() {
            LoopResources small = new LoopResources(
                    scene.loop,
                    new Recorder(scene.loop, scene.journal, Details.PART_BYTES),
                    new MemoryBudget(scene.loop, QueueScene.AMPLE_BYTES));
            bodies = new Bodies(small);
            writer();
            writer();
            assertEquals(4 * Details.PART_BYTES, held);
            scene.loop.runAll();
            assertEquals(4 * Details.PART_BYTES, held);
            scene.settle();
            assertEquals(0, held);
        }
    }

    @Nested
    class ABody {
        @Test
        void thatIsNeverFinishedLeavesNothing() {
            BodyWriter writer = writer();
            scene.settle();
            assertEquals(1, scene.journal.bodies());
            writer.release();
            writer.release();
            assertNothingLeft();
        }

        @Test
        void thatNoMessageHadIsForgottenByARestart() {
            writer();
            scene.settle();
            restart();
            assertEquals(0, scene.journal.bodies());
        }

        @Test
        void thatIsGoneSaysSo() {
            offer(DURABLE);
            Recipient consumer = scene.consumer().credit(1);
            scene.settle();
            Message message = consumer.deliveries.get(0).message();
            consumer.acceptAll();
            scene.settle();
            BodyReader reader = bodies.read(message, () -> {});
            scene.settle();
            assertTrue(reader.gone());
            assertFalse(reader.ready());
            assertNothingLeft();
        }

        @Test
        void isReadTwoPartsAheadAndNoMore() {
            offer(DURABLE);
            Recipient consumer = scene.consumer().credit(1);
            scene.settle();
            long before = scene.heldBytes();
            BodyReader reader = bodies.read(consumer.deliveries.get(0).message(), () -> {});
            scene.settle();
            assertTrue(scene.heldBytes() - before < Details.PART_BYTES * 2 + 1000);
            reader.close();
            assertEquals(before, scene.heldBytes());
        }

        @Test
        void thatIsClosedWhileItIsReadCallsNobody() {
            offer(DURABLE);
            Recipient consumer = scene.consumer().credit(1);
            scene.settle();
            int[] calls = new int[1];
            BodyReader reader = bodies.read(consumer.deliveries.get(0).message(), () -> calls[0]++);
            reader.close();
            consumer.acceptAll();
            assertNothingLeft();
            assertEquals(0, calls[0]);
        }
    }

    @Nested
    class AfterARestart {
        @Test
        void aDurableMessageIsThereWithItsBodyAndOthersAreNot() {
            offer(DURABLE);
            offer(TRANSIENT);
            scene.settle();
            restart();
            assertEquals(SIZE + DURABLE.length, scene.queue.stats().bytes());
            Recipient consumer = scene.consumer().credit(2);
            scene.settle();
            assertEquals(1, consumer.deliveries.size());
            assertArrayEquals(body, read(consumer.deliveries.get(0).message()));
            consumer.acceptAll();
            assertNothingLeft();
            assertEquals(0, scene.queue.stats().bytes());
        }
    }

    @Nested
    class ADeadMessage {
        @Test
        void takesItsBodyAlongAndItsStoryInTheBeginning() {
            for (byte[] beginning : new byte[][] {DURABLE, TRANSIENT}) {
                offer(beginning);
                Recipient consumer = scene.consumer().credit(1);
                scene.settle();
                scene.queue.settle(
                        consumer,
                        consumer.deliveries.get(0),
                        new Outcome.Rejected(new Condition("no:thanks", "too large")),
                        Receipt.NONE);
                consumer.detach(false);
                scene.settle();
                Recipient mourner = new Recipient(scene.dead).attached().credit(1);
                scene.settle();
                Message dead = mourner.deliveries.get(0).message();
                assertEquals("orders", dead.annotation("x-opt-death-address"));
                assertArrayEquals(body, read(dead));
                mourner.acceptAll();
                mourner.detach(false);
                assertNothingLeft();
                assertEquals(0, scene.dead.stats().bytes());
            }
        }

        @Test
        void canBeAnnotatedWithoutItsBody() {
            offer(DURABLE);
            Recipient consumer = scene.consumer().credit(1);
            scene.settle();
            scene.queue.settle(
                    consumer,
                    consumer.deliveries.get(0),
                    new Outcome.Modified(false, false, Map.of("seen", "yes")),
                    Receipt.NONE);
            scene.settle();
            restart();
            Recipient again = scene.consumer().credit(1);
            scene.settle();
            Message message = again.deliveries.get(0).message();
            assertEquals("yes", message.annotation("seen"));
            assertArrayEquals(body, read(message));
            again.acceptAll();
            scene.settle();
            assertEquals(0, scene.queue.stats().bytes());
            assertEquals(0, scene.journal.bodies());
        }
    }

    @Nested
    class InATransaction {
        @Test
        void theBodyStaysUntilTheTransactionIsCommittedAndConsumed() {
            TransactionByHand transaction = new TransactionByHand(scene.resources.recorder());
            BodyWriter writer = writer();
            scene.queue.offer(finish(writer, DURABLE), transaction, outcome -> writer.release(transaction));
            scene.settle();
            assertEquals(1, scene.journal.bodies());
            transaction.commit();
            scene.settle();
            Recipient consumer = scene.consumer().credit(1);
            scene.settle();
            assertArrayEquals(body, read(consumer.deliveries.get(0).message()));
            consumer.acceptAll();
            assertNothingLeft();
        }

        @Test
        void theBodyGoesWhenTheTransactionIsRolledBack() {
            TransactionByHand transaction = new TransactionByHand(scene.resources.recorder());
            BodyWriter writer = writer();
            scene.queue.offer(finish(writer, DURABLE), transaction, outcome -> writer.release(transaction));
            scene.settle();
            transaction.rollBack();
            assertNothingLeft();
        }
    }

    private static byte[] delayed(boolean durable) {
        org.apache.qpid.proton.message.Message delayed = Proton.message();
        delayed.setDurable(durable);
        delayed.setMessageAnnotations(new MessageAnnotations(Map.of(Symbol.valueOf("x-opt-delivery-delay"), 1000L)));
        byte[] encoded = new byte[200];
        return Arrays.copyOf(encoded, delayed.encode(encoded, 0, encoded.length));
    }

    @Test
    void aDelayedMessageIsNotAnsweredBeforeTheStoreKnowsWhoHasItsBody() {
        Answers answers = offer(delayed(false));
        scene.loop.runAll();
        assertEquals(List.of(), answers.outcomes);
        scene.settle();
        assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
        Recipient consumer = scene.consumer().credit(1);
        scene.elapse(1000);

        assertArrayEquals(body, read(consumer.deliveries.get(0).message()));
        consumer.acceptAll();
        assertNothingLeft();
    }

    @Test
    void aDelayedMessageIsWholeAfterARestart() {
        offer(delayed(true));
        scene.settle();
        restart();
        Recipient consumer = scene.consumer().credit(1);
        scene.elapse(2000);

        assertArrayEquals(body, read(consumer.deliveries.get(0).message()));
        consumer.acceptAll();
        assertNothingLeft();
    }
}
