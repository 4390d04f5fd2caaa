package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.Redelivery;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.Date;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class RedeliveryTest {
    private static final Outcome FAILED = new Outcome.Modified(true, false, Map.of());

    private final QueueScene scene = new QueueScene(resting(100, 2, 10_000, 0), QueueScene.AMPLE_BYTES);

    private static QueueSettings resting(long delay, double multiplier, long max, double jitter) {
        return QueueScene.settings()
                .withMaxDeliveries(6)
                .withRedelivery(new Redelivery(Duration.ofMillis(delay), multiplier, Duration.ofMillis(max), jitter));
    }

    @Nested
    class AFailedMessage {
        @Test
        void restsLongerEachTime() {
            scene.offerDurable("a");
            scene.settle();
            Recipient consumer = scene.consumer().credit(100);
            for (int attempt = 1; attempt <= 5; attempt++) {
                assertEquals(attempt, consumer.deliveries.size());
                assertEquals(attempt - 1, consumer.delivery("a").deliveryCount());
                consumer.settle("a", FAILED);
                scene.settle();
                long rest = 100L << (attempt - 1);
                scene.elapse(rest - 1);
                assertEquals(attempt, consumer.deliveries.size());
                assertEquals(1, scene.queue.stats().scheduled());
                scene.elapse(1);
            }
        }

        @Test
        void isNotInMemoryWhileItRests() {
            WeakReference<Message> resting = rest("a");
            await(() -> resting.refersTo(null));

            Recipient consumer = scene.consumer().credit(1);
            scene.elapse(100);
            assertEquals(1, consumer.delivery("a").deliveryCount());
        }

        private WeakReference<Message> rest(String name) {
            Message message = Messages.transientOne(name);
            scene.offer(message);
            Recipient consumer = scene.consumer().credit(1);
            consumer.settle(name, FAILED);
            scene.settle();
            consumer.detach(false);
            return new WeakReference<>(message);
        }

        private void await(BooleanSupplier collected) {
            for (int i = 0; i < 20 && !collected.getAsBoolean(); i++) {
                System.gc();
            }
            assertTrue(collected.getAsBoolean());
        }

        @Test
        void goesBackToItsPlaceNotToTheEnd() {
            scene.offerDurable("a", "b", "c");
            scene.offerTransient("d", "e");
            scene.settle();
            Recipient consumer = scene.consumer().credit(4);
            consumer.settle("b", FAILED);
            consumer.settle("d", FAILED);
            consumer.detach(false);
            scene.elapse(100);

            assertEquals(
                    List.of("a", "b", "c", "d", "e"),
                    scene.consumer().credit(10).names());
        }

        @Test
        void keepsItsCountThoughItIsNotDurable() {
            scene.offerTransient("a");
            Recipient consumer = scene.consumer().credit(10);
            consumer.settle("a", FAILED);
            scene.settle();
            assertEquals(0, scene.heldBytes());
            scene.elapse(100);

            assertEquals(1, consumer.delivery("a").deliveryCount());
            assertEquals(2, consumer.deliveries.size());
        }

        @Test
        void isNotGivenToTheConsumerThatCannotTakeIt() {
            scene.offerDurable("a");
            scene.settle();
            Recipient first = scene.consumer().credit(10);
            first.settle("a", new Outcome.Modified(true, true, Map.of()));
            Recipient second = scene.consumer().credit(10);
            scene.settle();
            scene.elapse(100);

            assertEquals(1, first.deliveries.size());
            assertEquals(List.of("a"), second.names());
        }

        @Test
        void restsOverARestartAndComesBackWithItsCountToItsPlace() {
            scene.offerDurable("a", "b", "c");
            scene.settle();
            Recipient consumer = scene.consumer().credit(3);
            consumer.settle("b", FAILED);
            scene.settle();
            QueueScene again = scene.restarted(resting(100, 2, 10_000, 0), QueueScene.AMPLE_BYTES);
            again.settle();
            assertEquals(1, again.queue.stats().scheduled());
            again.elapse(100);
            Recipient next = again.consumer().credit(10);
            again.settle();

            assertEquals(List.of("a", "b", "c"), next.names());
            assertEquals(1, next.delivery("b").deliveryCount());
            assertEquals(false, next.delivery("b").firstAcquirer());
        }

        @Test
        void restsWhenItsConnectionIsLost() {
            scene.offerDurable("a");
            scene.settle();
            scene.consumer().credit(1).detach(true);
            scene.settle();
            assertEquals(1, scene.queue.stats().scheduled());
            scene.elapse(100);

            assertEquals(1, scene.consumer().credit(1).delivery("a").deliveryCount());
        }

        @Test
        void isDeadAfterItsLastAttemptWithoutARest() {
            scene.offerDurable("a");
            Recipient consumer = scene.consumer().credit(100);
            for (int i = 0; i < 6; i++) {
                scene.settle();
                consumer.settle("a", FAILED);
                scene.settle();
                scene.elapse(10_000);
            }

            assertEquals(1, scene.dead.stats().messages());
            assertEquals(6, consumer.deliveries.size());
        }
    }

    @Nested
    class AReleasedMessage {
        @Test
        void neverRestsAndIsNeverCounted() {
            scene.offerDurable("a");
            Recipient consumer = scene.consumer().credit(100);
            for (int i = 0; i < 20; i++) {
                consumer.settle("a", Outcome.RELEASED);
            }

            assertEquals(21, consumer.deliveries.size());
            assertEquals(0, consumer.delivery("a").deliveryCount());
            assertEquals(0, scene.queue.stats().scheduled());
        }
    }

    @Nested
    class AConsumerThatSaysWhen {
        @Test
        void getsItThen() {
            QueueScene plain = new QueueScene();
            plain.offerDurable("a", "b");
            plain.settle();
            Recipient consumer = plain.consumer().credit(100);
            long now = plain.loop.now();
            consumer.settle(
                    "a",
                    new Outcome.Modified(
                            true, false, Map.of("x-opt-delivery-time", new Date(now + 500), "x-opt-why", "busy")));
            consumer.settle("b", new Outcome.Modified(false, false, Map.of("x-opt-delivery-time", now + 200)));
            plain.settle();
            plain.elapse(199);
            assertEquals(2, consumer.deliveries.size());
            plain.elapse(1);
            assertEquals(List.of("a", "b", "b"), consumer.names());
            assertEquals(0, consumer.delivery("b").deliveryCount());
            plain.elapse(300);
            assertEquals(List.of("a", "b", "b", "a"), consumer.names());
            assertEquals(1, consumer.delivery("a").deliveryCount());
            assertEquals("busy", consumer.delivery("a").message().annotation("x-opt-why"));
            assertEquals("", consumer.delivery("a").message().annotation("x-opt-delivery-time"));
        }

        @Test
        void countsMoreThanTheQueue() {
            scene.offerDurable("a");
            Recipient consumer = scene.consumer().credit(100);
            consumer.settle(
                    "a", new Outcome.Modified(true, false, Map.of("x-opt-delivery-time", scene.loop.now() + 20)));
            scene.settle();
            scene.elapse(20);

            assertEquals(2, consumer.deliveries.size());
        }
    }

    @Nested
    class Rests {
        @Test
        void areNeverLongerThanTheMaximum() {
            Rest rest = new Rest(resting(100, 3, 1000, 0).redelivery(), 1);

            assertEquals(100, rest.millis(1));
            assertEquals(300, rest.millis(2));
            assertEquals(900, rest.millis(3));
            assertEquals(1000, rest.millis(4));
            assertEquals(1000, rest.millis(4000));
        }

        @Test
        void differByTheJitter() {
            Rest rest = new Rest(resting(1000, 1, 1000, 0.5).redelivery(), 1);
            Set<Long> seen = new HashSet<>();
            for (int i = 0; i < 100; i++) {
                long millis = rest.millis(1);
                assertTrue(millis >= 500 && millis <= 1500, millis + " ms");
                seen.add(millis);
            }

            assertTrue(seen.size() > 50);
        }

        @Test
        void areNoneWhenNothingIsSet() {
            assertEquals(0, new Rest(Redelivery.AT_ONCE, 1).millis(3));
        }
    }
}
