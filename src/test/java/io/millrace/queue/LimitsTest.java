package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.DeadLetter;
import io.millrace.config.QueueSettings.WhenFull;
import io.millrace.journal.Journal.Room;
import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class LimitsTest {

    @Nested
    class Reject {
        @Test
        void aMessageTooManyIsToldQueueReasonAndLimit() {
            QueueScene scene = new QueueScene(QueueScene.atMost(2, WhenFull.REJECT), QueueScene.AMPLE_BYTES);
            scene.offerTransient("a");
            scene.offerDurable("b");
            Answers answers = scene.offer(Messages.transientOne("c"));
            Condition refusal = answers.refusal();

            assertEquals(Condition.RESOURCE_LIMIT_EXCEEDED, refusal.symbol());
            assertEquals(Map.of("queue", "orders", "reason", "max-messages", "limit", 2L), refusal.info());
            assertEquals(
                    "queue 'orders' refuses the message: it holds 2 messages, its max-messages; consume some, or raise"
                            + " that in the config",
                    refusal.description());
            assertEquals(1, scene.queue.stats().refused());
            assertEquals(2, scene.queue.stats().messages());
        }

        @Test
        void aMessageTooLargeIsToldTheBytes() {
            QueueScene scene = new QueueScene(QueueScene.atMostBytes(1000, WhenFull.REJECT), QueueScene.AMPLE_BYTES);
            scene.offer(Messages.message("a", true, 600));
            Answers answers = scene.offer(Messages.message("b", true, 600));

            assertEquals("max-bytes", answers.refusal().info().get("reason"));
            assertEquals(1000L, answers.refusal().info().get("limit"));
            assertTrue(
                    answers.refusal()
                            .description()
                            .matches(
                                    "queue 'orders' refuses the message: with its 6[0-9]{2} bytes there would be more than"
                                            + " 1000 in the queue, its max-bytes; consume some, or raise that in the config"),
                    answers.refusal().description());
            String larger =
                    scene.offer(Messages.message("c", true, 1600)).refusal().description();
            assertTrue(
                    larger.endsWith(
                            " bytes, more than the 1000 of the queue's max-bytes; send smaller ones, or raise that in the"
                                    + " config"),
                    larger);
        }

        @Test
        void theLimitThatIsReachedIsTheOneThatIsTold() {
            QueueSettings both = QueueSettings.DEFAULT
                    .withMaxDeliveries(3)
                    .withDeadLetter(new DeadLetter.Own())
                    .withLimits(Optional.of(10L), Optional.of(1000L), WhenFull.REJECT)
                    .withHold(Duration.ZERO);
            QueueScene scene = new QueueScene(both, QueueScene.AMPLE_BYTES);
            scene.offer(Messages.message("a", true, 600));
            Answers answers = scene.offer(Messages.message("b", true, 600));

            assertEquals("max-bytes", answers.refusal().info().get("reason"));
        }

        @Test
        void whatConsumersHoldCounts() {
            QueueScene scene = new QueueScene(QueueScene.atMost(1, WhenFull.REJECT), QueueScene.AMPLE_BYTES);
            Recipient consumer = scene.consumer().credit(5);
            scene.offerTransient("a");
            Answers refused = scene.offer(Messages.transientOne("b"));
            assertEquals("max-messages", refused.refusal().info().get("reason"));

            consumer.accept("a");
            assertEquals(List.of(Outcome.ACCEPTED), scene.offer(Messages.transientOne("c")).outcomes);
        }

        @Test
        void theBacklogOfARestartCounts() {
            QueueScene scene = new QueueScene(QueueScene.atMost(2, WhenFull.REJECT), QueueScene.AMPLE_BYTES);
            scene.offerDurable("a", "b");
            scene.settle();
            QueueScene again = scene.restarted(QueueScene.atMost(2, WhenFull.REJECT), QueueScene.AMPLE_BYTES);

            assertEquals(
                    "max-messages",
                    again.offer(Messages.durable("c")).refusal().info().get("reason"));
        }
    }

    @Nested
    class DropOldest {
        private final QueueScene scene =
                new QueueScene(QueueScene.atMost(2, WhenFull.DROP_OLDEST), QueueScene.AMPLE_BYTES);

        @Test
        void theOldestMakeRoom() {
            scene.offerDurable("a", "b", "c", "d");
            scene.settle();

            assertEquals(List.of("c", "d"), scene.consumer().credit(5).names());
            assertEquals(2, scene.queue.stats().discarded());
            assertEquals(2, scene.storedMessages());
        }

        @Test
        void whatConsumersHoldIsNotDropped() {
            Recipient consumer = scene.consumer().credit(1);
            scene.offerTransient("a", "b", "c");
            consumer.settle("a", Outcome.RELEASED);

            assertEquals(List.of("a", "c"), scene.consumer().credit(5).names());
        }

        @Test
        void whenConsumersHoldAllTheMessageIsRefused() {
            scene.consumer().credit(5);
            scene.offerTransient("a", "b");
            Answers answers = scene.offer(Messages.transientOne("c"));

            assertEquals("max-messages", answers.refusal().info().get("reason"));
            assertEquals(1, scene.queue.stats().refused());
        }

        @Test
        void nothingIsDroppedForAMessageThatIsRefusedAllTheSame() {
            QueueScene bytes =
                    new QueueScene(QueueScene.atMostBytes(1000, WhenFull.DROP_OLDEST), QueueScene.AMPLE_BYTES);
            bytes.consumer().credit(1);
            bytes.offer(Messages.message("held", false, 700));
            bytes.offer(Messages.message("small", false, 100));
            Answers larger = bytes.offer(Messages.message("larger", false, 500));
            Answers largest = bytes.offer(Messages.message("largest", false, 1500));

            assertEquals("max-bytes", larger.refusal().info().get("reason"));
            assertEquals("max-bytes", largest.refusal().info().get("reason"));
            assertEquals(2, bytes.queue.stats().messages());
            assertEquals(0, bytes.queue.stats().discarded());
        }

        @Test
        void aDeepBacklogLosesItsHeadAndComesBackUnderItsLimit() {
            QueueScene deep = new QueueScene(QueueScene.settings(), QueueScene.AMPLE_BYTES);
            deep.offerMany(1, 3000, true, 100);
            deep.settle();
            QueueScene again = deep.restarted(QueueScene.atMost(2000, WhenFull.DROP_OLDEST), QueueScene.AMPLE_BYTES);
            again.offerMany(3001, 3100, true, 100);
            again.settle();
            assertEquals(2000, again.queue.stats().messages());
            assertEquals(2000, again.storedMessages());

            Recipient consumer = again.consumer().credit(5000);
            again.settle();
            assertEquals(2000, consumer.deliveries.size());
            assertEquals("m1101", consumer.names().get(0));
            assertEquals("m3100", consumer.names().get(1999));
        }
    }

    @Nested
    class StoreFull {
        private final QueueScene scene = new QueueScene(QueueScene.settings(), 1 << 20);

        @Test
        void durableMessagesAreRefusedAndConsumersGoOn() {
            scene.offerDurable("a");
            scene.settle();
            scene.journal.setRoom(new Room(false, "it holds 10 GB, its limit; raise store.max-bytes"));
            Answers answers = scene.offer(Messages.durable("b"));
            assertEquals(
                    Map.of("queue", "orders", "reason", "store-full", "limit", "store"),
                    answers.refusal().info());
            assertTrue(answers.refusal().description().contains("raise store.max-bytes"));

            assertEquals(List.of(Outcome.ACCEPTED), scene.offer(Messages.transientOne("c")).outcomes);
            Recipient consumer = scene.consumer().credit(5);
            consumer.acceptAll();
            scene.settle();
            assertEquals(List.of("a", "c"), consumer.names());
            assertEquals(0, scene.storedMessages());
        }

        @Test
        void deadLettersStillMove() {
            scene.offerDurable("a");
            scene.settle();
            scene.journal.setRoom(new Room(false, "it is full"));
            scene.consumer().credit(5).settle("a", new Outcome.Rejected(Optional.empty()));
            scene.settle();

            assertEquals(1, scene.dead.stats().messages());
        }

        @Test
        void aTransientMessageThatMemoryCannotHoldIsRefusedToo() {
            scene.offerMany(1, 400, false, 1000);
            scene.settle();
            assertTrue(scene.storedMessages() > 0, "some are in the store already");
            scene.journal.setRoom(new Room(false, "it is full"));
            Answers answers = scene.offer(Messages.transientOne("x"));

            assertEquals("store-full", answers.refusal().info().get("reason"));
        }
    }
}
