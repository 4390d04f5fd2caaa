package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.ExpiredTo;
import io.millrace.config.QueueSettings.Expiry;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class ExpiryTest {
    private static final int STEP = 256;

    private final QueueScene scene = new QueueScene();

    private static QueueSettings discarding() {
        return QueueScene.settings()
                .withExpiry(new Expiry(Optional.empty(), Optional.empty(), Optional.empty(), new ExpiredTo.Nowhere()));
    }

    private static QueueSettings living(long defaultMillis, long minMillis, long maxMillis) {
        return QueueScene.settings()
                .withExpiry(new Expiry(
                        Optional.of(defaultMillis).filter(m -> m > 0).map(Duration::ofMillis),
                        Optional.of(minMillis).filter(m -> m > 0).map(Duration::ofMillis),
                        Optional.of(maxMillis).filter(m -> m > 0).map(Duration::ofMillis),
                        new ExpiredTo.DeadLetterQueue()));
    }

    private List<String> dead(QueueScene each) {
        Recipient undertaker = new Recipient(each.dead).browsing().drain(100_000);
        each.settle();
        return undertaker.names();
    }

    @Nested
    class AMessage {
        @Test
        void whoseTtlIsOverGoesToTheDeadLetterQueueWithItsStory() {
            scene.offer(Envelope.durable("a").ttl(1000).build());
            scene.settle();
            scene.elapse(999);
            assertEquals(1, scene.queue.stats().messages());
            scene.elapse(1);
            Message dead =
                    new Recipient(scene.dead).attached().credit(1).delivery("a").message();

            assertEquals("expired", dead.annotation("x-opt-death-reason"));
            assertEquals("orders", dead.annotation("x-opt-death-address"));
            assertTrue(((String) dead.annotation("x-opt-death-description")).contains("1970-01-01T00:16:41Z"));
            assertEquals(0, scene.queue.stats().messages());
            assertEquals(1, scene.queue.stats().expired());
            assertEquals(1, scene.storedMessages());
        }

        @Test
        void livesUntilTheEarlierOfItsTwoDeadlines() {
            long now = scene.loop.now();
            scene.offer(Envelope.durable("ttl").ttl(1000).expiresAt(now + 5000).build());
            scene.offer(
                    Envelope.durable("absolute").ttl(5000).expiresAt(now + 2000).build());
            scene.offer(Envelope.durable("only").expiresAt(now + 3000).build());
            scene.elapse(1000);
            assertEquals(List.of("ttl"), dead(scene));
            scene.elapse(1000);
            assertEquals(List.of("ttl", "absolute"), dead(scene));
            scene.elapse(1000);
            assertEquals(List.of("ttl", "absolute", "only"), dead(scene));
        }

        @Test
        void thatHasExpiredWhenItComesIsAcceptedAndGoesTheWayOfTheExpired() {
            Answers answers = scene.offer(Envelope.durable("a").expiresAt(5).build());
            scene.loop.runAll();
            assertEquals(List.of(), answers.outcomes);
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(List.of("a"), dead(scene));
            assertEquals(1, scene.queue.stats().expired());
            assertEquals(0, scene.queue.stats().messages());
        }

        @Test
        void isDiscardedWhereExpiredOnesGoNowhere() {
            QueueScene each = new QueueScene(discarding(), QueueScene.AMPLE_BYTES);
            each.offer(Envelope.durable("a").ttl(10).build());
            each.offer(Envelope.transientOne("b").ttl(10).build());
            Answers late = each.offer(Envelope.durable("c").expiresAt(1).build());
            each.settle();
            each.elapse(10);

            assertEquals(List.of(Outcome.ACCEPTED), late.outcomes);
            assertEquals(0, each.queue.stats().messages() + each.storedMessages() + each.heldBytes());
            assertEquals(3, each.queue.stats().expired());
            assertEquals(0, each.queue.stats().discarded());
        }

        @Test
        void inTheMiddleOfTheQueueLeavesTheOthersInOrder() {
            for (int i = 0; i < 10; i++) {
                scene.offer(i % 3 == 0 ? Envelope.durable("m" + i).ttl(10).build() : Messages.durable("m" + i));
            }
            scene.elapse(10);

            assertEquals(
                    List.of("m1", "m2", "m4", "m5", "m7", "m8"),
                    scene.consumer().credit(20).names());
            assertEquals(List.of("m0", "m3", "m6", "m9"), dead(scene));
        }

        @Test
        void isGivenToNobodyThoughTheTimerIsLate() {
            scene.offer(Envelope.transientOne("a").ttl(10).build());
            scene.offer(Envelope.transientOne("b").build());
            Recipient consumer = scene.consumer();
            consumer.onDelivery = (self, delivery) -> {};
            scene.loop.after(10, () -> consumer.credit(10));
            scene.loop.advance(10);

            assertEquals(List.of("b"), consumer.names());
        }

        @Test
        void tellsItsDeadlineToTheLinkThatSendsIt() {
            scene.offer(Envelope.durable("a").ttl(1000).build());

            assertEquals(
                    scene.loop.now() + 1000,
                    scene.consumer().credit(1).delivery("a").expiryMillis());
        }
    }

    @Nested
    class AnAcquiredMessage {
        @Test
        void doesNotExpireUntilItComesBack() {
            scene.offer(Envelope.durable("a").ttl(10).build());
            scene.offer(Envelope.durable("b").ttl(10).build());
            scene.settle();
            Recipient consumer = scene.consumer().credit(2);
            scene.elapse(100);
            assertEquals(2, scene.queue.stats().messages());
            consumer.accept("a");
            consumer.settle("b", Outcome.RELEASED);
            scene.settle();

            assertEquals(List.of("b"), dead(scene));
            assertEquals(0, scene.queue.stats().messages());
        }

        @Test
        void thatIsUndeliverableHereBecauseItExpiredThereExpires() {
            scene.offer(Envelope.durable("a").ttl(10).build());
            scene.settle();
            Recipient consumer = scene.consumer().credit(1);
            scene.elapse(100);
            Answers answers = new Answers();
            consumer.settle("a", new Outcome.Modified(true, true, Map.of()), answers);
            scene.settle();

            assertEquals(1, answers.outcomes.size());
            assertEquals(0, scene.queue.stats().parked());
            Recipient undertaker = new Recipient(scene.dead).attached().credit(1);
            assertEquals("expired", undertaker.delivery("a").message().annotation("x-opt-death-reason"));
        }

        @Test
        void ofALostConsumerExpires() {
            scene.offer(Envelope.durable("a").ttl(10).build());
            scene.settle();
            Recipient consumer = scene.consumer().credit(1);
            scene.elapse(100);
            consumer.detach(true);
            scene.settle();

            assertEquals(List.of("a"), dead(scene));
        }
    }

    @Nested
    class TheQueue {
        private QueueScene with(QueueSettings settings) {
            return new QueueScene(settings, QueueScene.AMPLE_BYTES);
        }

        @Test
        void givesADeadlineToThoseThatHaveNone() {
            QueueScene each = with(living(1000, 0, 0));
            each.offerDurable("a");
            each.offer(Envelope.durable("b").ttl(2000).build());
            each.elapse(1000);

            assertEquals(List.of("a"), dead(each));
        }

        @Test
        void letsNoneLiveLongerThanTheMaximum() {
            QueueScene each = with(living(0, 0, 1000));
            each.offerDurable("a");
            each.offer(Envelope.durable("b").ttl(2000).build());
            each.elapse(1000);

            assertEquals(List.of("a", "b"), dead(each));
        }

        @Test
        void letsAllLiveAsLongAsTheMinimum() {
            QueueScene each = with(living(0, 1000, 0));
            each.offerDurable("ever");
            each.offer(Envelope.durable("a").ttl(10).build());
            each.offer(Envelope.durable("b").expiresAt(1).build());
            each.elapse(999);
            assertEquals(List.of(), dead(each));
            each.elapse(1);

            assertEquals(List.of("a", "b"), dead(each));
        }
    }

    @Nested
    class ADeepBacklog {
        private final QueueScene deep = new QueueScene(QueueScene.settings(), 1 << 20);

        private void fill(int messages) {
            for (int i = 0; i < messages; i++) {
                Envelope envelope = Envelope.durable("m" + i).bytes(1000);
                deep.offer(i % 10 == 9 ? envelope.ttl(1000).build() : envelope.build());
                if (i % 100 == 0) {
                    deep.settle();
                }
            }
            deep.settle();
        }

        @Test
        void losesWhatExpiresInItWithoutBeingLoaded() {
            fill(3000);
            deep.elapse(1000);

            assertEquals(2700, deep.queue.stats().messages());
            assertEquals(300, deep.queue.stats().expired());
            assertEquals(300, dead(deep).size());
            assertTrue(deep.heldBytes() < 1 << 20);
            Recipient consumer = deep.consumer();
            for (int i = 0; i < 60; i++) {
                consumer.credit(50);
                deep.settle();
                consumer.acceptAll();
                deep.settle();
            }
            assertEquals(2700, consumer.names().size());
            assertTrue(consumer.names().stream().noneMatch(name -> name.endsWith("9")));
            assertEquals(0, deep.queue.stats().messages());
        }

        @Test
        void losesItAfterARestartToo() {
            fill(1000);
            QueueScene again = deep.restarted(QueueScene.settings(), 1 << 20);
            again.settle();
            again.elapse(1000);

            assertEquals(900, again.queue.stats().messages());
            assertEquals(100, dead(again).size());
        }
    }

    @Nested
    class AStorm {
        @Test
        void isHandledInBoundedSteps() {
            for (int i = 0; i < 2000; i++) {
                scene.offer(Envelope.durable("m" + i).ttl(1000).build());
            }
            scene.settle();
            scene.loop.advance(1000);
            int most = 0;
            while (scene.queue.stats().messages() > 0) {
                long before = scene.queue.stats().expired();
                scene.journal.flush();
                scene.loop.runAll();
                most = (int) Math.max(most, scene.queue.stats().expired() - before);
            }

            assertTrue(most <= 2 * STEP, "at most " + most + " at once");
            assertEquals(2000, scene.queue.stats().expired());
        }

        @Test
        void ofMessagesThatAreConsumedInTimeLeavesNothingBehind() {
            Recipient consumer = scene.consumer().credit(10_000);
            for (int i = 0; i < 1000; i++) {
                scene.offer(Envelope.transientOne("m" + i).ttl(1000 + i % 7).build());
            }
            consumer.acceptAll();
            scene.elapse(5000);

            assertEquals(0, scene.queue.stats().expired());
            assertEquals(0, scene.loop.timers());
            assertEquals(0, scene.heldBytes());
        }
    }

    @Test
    void aMessageThatWaitsForItsTimeExpiresFromItsArrivalOn() {
        scene.offer(Envelope.durable("a").ttl(500).delay(1000).build());
        scene.offer(Envelope.durable("b").ttl(1500).delay(1000).build());
        scene.settle();
        scene.elapse(600);
        assertEquals(List.of("a"), dead(scene));
        assertEquals(1, scene.queue.stats().scheduled());
        scene.elapse(400);
        assertEquals(0, scene.queue.stats().scheduled());
        assertEquals(1, scene.queue.stats().messages());
        scene.elapse(500);

        assertEquals(List.of("a", "b"), dead(scene));
        assertEquals(0, scene.queue.stats().messages());
    }

    @Test
    void aDeadMessageDoesNotExpireAgain() {
        scene.offer(Envelope.durable("a").ttl(10).build());
        scene.elapse(10);
        scene.elapse(100_000);

        assertEquals(List.of("a"), dead(scene));
    }
}
