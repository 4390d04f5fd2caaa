package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.WhenFull;
import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class ScheduleTest {
    private final QueueScene scene = new QueueScene();

    private long in(long millis) {
        return scene.loop.now() + millis;
    }

    private static QueueScene restarted(QueueScene scene) {
        QueueScene again = scene.restarted(QueueScene.settings(), QueueScene.AMPLE_BYTES);
        again.settle();
        return again;
    }

    private static Recipient listed(QueueScene scene) {
        Recipient viewer = new Recipient(scene.queue.scheduled()).browsing().drain(1000);
        scene.settle();
        return viewer;
    }

    @Nested
    class ADelayedMessage {
        @Test
        void isAcceptedWhenItIsStoredAndDeliveredWhenItsTimeHasCome() {
            Answers answers = scene.offer(Envelope.durable("a").at(in(1000)).build());
            scene.loop.runAll();
            assertEquals(List.of(), answers.outcomes);
            scene.settle();
            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            Recipient consumer = scene.consumer().credit(10);

            scene.elapse(999);
            assertEquals(List.of(), consumer.names());
            scene.elapse(1);
            assertEquals(List.of("a"), consumer.names());
            consumer.acceptAll();
            scene.settle();
            assertEquals(0, scene.queue.stats().messages());
            assertEquals(0, scene.storedMessages());
        }

        @Test
        void isSeenByNoBrowserBefore() {
            scene.offer(Envelope.durable("a").at(in(1000)).build());
            scene.offerDurable("b");
            scene.settle();
            Recipient browser = scene.browser().drain(10);
            scene.settle();

            assertEquals(List.of("b"), browser.names());
            assertEquals(1, scene.queue.stats().scheduled());
            assertEquals(2, scene.queue.stats().messages());
        }

        @Test
        void takesNoMemoryEvenIfItIsNotDurable() {
            for (int i = 0; i < 100; i++) {
                scene.offer(
                        Envelope.transientOne("t" + i).delay(1000).bytes(10_000).build());
                scene.offer(Envelope.durable("d" + i).delay(1000).bytes(10_000).build());
            }
            scene.settle();

            assertEquals(0, scene.heldBytes());
            Recipient consumer = scene.consumer().credit(1000);
            scene.elapse(1000);
            assertEquals(200, consumer.names().size());
            consumer.acceptAll();
            scene.settle();
            assertEquals(0, scene.heldBytes());
        }

        @Test
        void whoseTimeHasPassedIsDeliveredAtOnce() {
            scene.offer(Envelope.durable("a").at(in(0)).build());
            scene.offer(Envelope.durable("b").at(1).build());

            assertEquals(List.of("a", "b"), scene.consumer().credit(10).names());
            assertEquals(0, scene.queue.stats().scheduled());
        }

        @Test
        void isDeliveredInOrderOfTimeAndOfArrivalWithinOneTime() {
            for (int i : new int[] {3, 1, 2, 1, 3, 2}) {
                scene.offer(Envelope.durable("at" + i).at(2_000_000 + i).build());
            }
            scene.settle();
            Recipient consumer = scene.consumer().credit(10);
            scene.elapse(2_000_000);

            assertEquals(List.of("at1", "at1", "at2", "at2", "at3", "at3"), consumer.names());
        }

        @Test
        void ofADelayTellsItsTimeLikeAnyOther() {
            scene.offer(Envelope.durable("a").delay(500).build());
            scene.settle();
            scene.elapse(500);

            assertEquals(
                    scene.loop.now(),
                    scene.consumer().credit(1).delivery("a").message().annotation("x-opt-delivery-time"));
        }

        @Test
        void farBeyondAllTimesIsRefusedWithTheLimit() {
            Condition why = scene.offer(Envelope.durable("a").at(Long.MAX_VALUE).build())
                    .refusal();

            assertEquals(Condition.INVALID_FIELD, why.symbol());
            assertEquals(DueOrder.LATEST_MILLIS, why.info().get("limit"));
            assertEquals(0, scene.queue.stats().messages());
        }

        @Test
        void countsForTheLimitsOfTheQueue() {
            QueueScene small = new QueueScene(QueueScene.atMost(2, WhenFull.REJECT), QueueScene.AMPLE_BYTES);
            small.offer(Envelope.durable("a").delay(1000).build());
            small.offer(Envelope.durable("b").delay(1000).build());
            small.settle();

            assertEquals(
                    "max-messages",
                    small.offer(Messages.durable("c")).refusal().info().get("reason"));
        }

        @Test
        void countsForTheLimitsWhileItsPlaceIsLookedFor() {
            QueueSettings two = QueueScene.atMost(2, WhenFull.REJECT);
            QueueScene before = new QueueScene(two, QueueScene.AMPLE_BYTES);
            long due = before.loop.now() + 1000;
            before.offer(Envelope.durable("a").at(due).build());
            before.settle();
            QueueScene again = before.restarted(two, QueueScene.AMPLE_BYTES);
            again.offer(Envelope.durable("b").at(due).build());

            assertEquals(
                    "max-messages",
                    again.offer(Messages.durable("c")).refusal().info().get("reason"));
        }

        @Test
        void ofATemporaryQueueWaitsAsWell() {
            Queue temporary = new Queue(
                    new QueueIdentity(99, "temp", false),
                    QueueSettings.DEFAULT,
                    scene.resources,
                    DeadLetterRoute.NONE,
                    Backlog.NONE);
            temporary.offer(Envelope.durable("a").delay(1000).build(), Receipt.NONE);
            scene.settle();
            Recipient consumer = new Recipient(temporary).attached().credit(1);
            scene.settle();
            assertEquals(List.of(), consumer.names());
            scene.elapse(1000);

            assertEquals(List.of("a"), consumer.names());
        }
    }

    @Nested
    class AfterARestart {
        @Test
        void messagesWaitOnAndComeInOrder() {
            scene.offer(Envelope.durable("b").at(3_000_000).build());
            scene.offer(Envelope.durable("a").at(2_000_000).build());
            scene.offer(Envelope.transientOne("lost").at(2_000_000).build());
            scene.settle();
            QueueScene again = restarted(scene);
            Recipient consumer = again.consumer().credit(10);
            assertEquals(2, again.queue.stats().scheduled());

            again.elapse(999_999);
            assertEquals(List.of(), consumer.names());
            again.elapse(1);
            assertEquals(List.of("a"), consumer.names());
            again.elapse(1_000_000);
            assertEquals(List.of("a", "b"), consumer.names());
            assertEquals(0, again.queue.stats().scheduled());
        }

        @Test
        void messagesWhoseTimeCameMeanwhileAreDeliveredAtOnce() {
            scene.offer(Envelope.durable("a").at(1_500_000).build());
            scene.settle();
            scene.loop.advance(0);
            QueueScene again = scene.restarted(QueueScene.settings(), QueueScene.AMPLE_BYTES);
            again.loop.advance(600_000);
            again.settle();

            assertEquals(List.of("a"), again.consumer().credit(1).names());
        }

        @Test
        void noPlaceThatWasTakenBeforeIsGivenAgain() {
            List<String> names = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                names.add("m" + i);
            }
            QueueScene each = scene;
            for (int i = 0; i < 20; i += 5) {
                for (String name : names.subList(i, i + 5)) {
                    each.offer(Envelope.durable(name).at(9_000_000).build());
                }
                each.settle();
                each = restarted(each);
            }
            Recipient consumer = each.consumer().credit(100);
            each.elapse(9_000_000);

            assertEquals(names, consumer.names());
        }

        @Test
        void theMoveToTheQueueIsOneFact() {
            scene.offer(Envelope.durable("a").delay(10).build());
            scene.settle();
            scene.loop.advance(10);
            for (int flushed = 0; flushed < 4; flushed++) {
                scene.loop.runAll();
                scene.journal.flush(1);
                assertEquals(1, scene.storedMessages());
            }
        }
    }

    @Nested
    class ADeepSchedule {
        @Test
        void comesInRunsAndStaysOutsideTheMemory() {
            QueueScene small = new QueueScene(QueueScene.settings(), 1 << 20);
            for (int i = 0; i < 5000; i++) {
                small.offer(Envelope.durable("m" + i).at(2_000_000).bytes(1000).build());
                if (i % 100 == 0) {
                    small.settle();
                }
            }
            small.settle();
            assertEquals(0, small.heldBytes());
            small.loop.advance(1_000_000);
            int turns = 0;
            long most = 0;
            while (small.queue.stats().scheduled() > 0) {
                small.loop.runAll();
                small.journal.flush();
                most = Math.max(most, small.heldBytes());
                turns++;
            }
            small.settle();

            assertTrue(turns >= 5000 / 256, turns + " turns");
            assertTrue(most < 1 << 20, most + " bytes");
            Recipient consumer = small.consumer();
            for (int i = 0; i < 50; i++) {
                consumer.credit(100);
                small.settle();
                consumer.acceptAll();
                small.settle();
            }
            assertEquals(IntStream.range(0, 5000).mapToObj(i -> "m" + i).toList(), consumer.names());
        }
    }

    @Nested
    class AList {
        @Test
        void showsWhatWaitsInOrderOfTime() {
            scene.offer(Envelope.durable("c").at(4_000_000).build());
            scene.offer(Envelope.durable("a").at(2_000_000).build());
            scene.offer(Envelope.transientOne("b").at(3_000_000).build());
            scene.offerDurable("not");
            Recipient viewer = listed(scene);

            assertEquals(List.of("a", "b", "c"), viewer.names());
            assertEquals(1, viewer.drains);
            assertEquals(3, scene.queue.stats().scheduled());
        }

        @Test
        void countsWhatItHasReadAsLongAsItIsOpen() {
            for (String name : List.of("a", "b", "c")) {
                scene.offer(Envelope.durable(name).at(2_000_000).build());
            }
            scene.settle();
            assertEquals(0, scene.heldBytes());
            for (boolean deleted : List.of(false, true)) {
                Recipient viewer =
                        new Recipient(scene.queue.scheduled()).browsing().credit(1);
                scene.settle();
                assertEquals(1, viewer.names().size());
                assertTrue(scene.heldBytes() >= 2 * MemoryBudget.OVERHEAD_BYTES, scene.heldBytes() + " bytes for two");

                if (deleted) {
                    scene.queue.delete();
                } else {
                    viewer.detach(false);
                }
                scene.settle();
                assertEquals(0, scene.heldBytes());
            }
        }

        @Test
        void isAsLongAsItMustBe() {
            for (int i = 0; i < 1000; i++) {
                scene.offer(Envelope.durable("m" + i).at(2_000_000 + i).build());
            }

            assertEquals(1000, listed(scene).names().size());
        }

        @Test
        void canBeOfTheOnesThatMatch() {
            scene.offer(Envelope.durable("a").delay(10).build());
            scene.offer(Envelope.durable("b").delay(10).build());
            Recipient viewer = new Recipient(scene.queue.scheduled());
            scene.queue.scheduled().attach(viewer, Selection.BROWSE.matching(delivery -> Messages.name(
                            delivery.message())
                    .equals("b")));
            viewer.drain(10);
            scene.settle();

            assertEquals(List.of("b"), viewer.names());
        }
    }

    @Nested
    class ACancelledMessage {
        @Test
        void neverComes() {
            scene.offer(Envelope.durable("a").delay(1000).build());
            scene.offer(Envelope.durable("b").delay(1000).build());
            scene.settle();
            Recipient canceller =
                    new Recipient(scene.queue.scheduled()).attached().credit(10);
            scene.settle();
            Answers answers = new Answers();
            canceller.settle("a", Outcome.ACCEPTED, answers);
            canceller.settle("b", Outcome.RELEASED);
            assertEquals(List.of(), answers.outcomes);
            scene.settle();
            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(1, scene.queue.stats().messages());
            Recipient consumer = scene.consumer().credit(10);
            scene.elapse(1000);

            assertEquals(List.of("b"), consumer.names());
        }

        @Test
        void thatIsHeldWhenItIsDueComesWhenTheHolderLetsGo() {
            scene.offer(Envelope.durable("a").delay(1000).build());
            scene.settle();
            Recipient holder = new Recipient(scene.queue.scheduled()).attached().credit(10);
            scene.settle();
            Recipient consumer = scene.consumer().credit(10);
            scene.elapse(1000);
            assertEquals(List.of(), consumer.names());
            holder.detach(true);
            scene.settle();

            assertEquals(List.of("a"), consumer.names());
            assertEquals(0, consumer.delivery("a").deliveryCount());
        }

        @Test
        void isHeldByOneOnly() {
            scene.offer(Envelope.durable("a").delay(1000).build());
            scene.settle();
            Recipient first = new Recipient(scene.queue.scheduled()).attached().credit(10);
            scene.settle();
            Recipient second = new Recipient(scene.queue.scheduled()).attached().drain(10);
            scene.settle();

            assertEquals(List.of("a"), first.names());
            assertEquals(List.of(), second.names());
            assertEquals(1, second.drains);
        }

        @Test
        void isNotInAListAnyMoreThoughTheDiskStillHasIt() {
            scene.offer(Envelope.durable("a").delay(1000).build());
            scene.settle();
            Recipient canceller =
                    new Recipient(scene.queue.scheduled()).attached().credit(1);
            scene.settle();
            canceller.accept("a");
            Recipient viewer = new Recipient(scene.queue.scheduled()).browsing().credit(10);
            scene.settle();

            assertEquals(List.of(), viewer.names());
        }
    }

    @Test
    void aDeletedQueueLeavesNothingBehind() {
        scene.offer(Envelope.durable("a").delay(1000).build());
        scene.settle();
        Recipient viewer = new Recipient(scene.queue.scheduled()).attached().credit(1);
        scene.settle();
        scene.queue.delete();
        scene.settle();

        assertEquals(1, viewer.closed.size());
        assertEquals(0, scene.loop.timers());
        assertEquals(0, scene.storedMessages());
    }

    @Test
    void theStoreIsNotAskedForPlacesThatCanOnlyBeFree() {
        for (int i = 0; i < 100; i++) {
            scene.offer(Envelope.durable("m" + i).delay(1000 + i).build());
        }
        // All are recorded within the turn that offered them: nobody waits for a read.
        scene.loop.runAll();
        scene.journal.flush();
        assertEquals(100, scene.storedMessages());
    }

    @Nested
    class CancellingInATransaction {
        private final QueueScene scene = new QueueScene();
        private final TransactionByHand transaction = new TransactionByHand(scene.resources.recorder());

        private Recipient cancel() {
            scene.offer(Envelope.durable("a").delay(1000).build());
            scene.settle();
            Recipient viewer = new Recipient(scene.queue.scheduled()).attached().credit(1);
            scene.settle();
            scene.queue.scheduled().settle(viewer, viewer.delivery("a"), Outcome.ACCEPTED, transaction, Receipt.NONE);
            return viewer;
        }

        @Test
        void waitsForTheCommit() {
            cancel().detach(false);
            scene.elapse(2000);
            assertEquals(1, scene.queue.stats().messages());
            transaction.commit();
            scene.settle();

            assertEquals(0, scene.queue.stats().messages());
            assertEquals(0, scene.storedMessages());
            assertEquals(List.of(), scene.consumer().credit(1).names());
        }

        @Test
        void isUndoneByARollback() {
            cancel();
            Recipient consumer = scene.consumer().credit(1);
            scene.elapse(2000);
            assertEquals(List.of(), consumer.names());
            transaction.rollBack();
            scene.settle();

            assertEquals(List.of("a"), consumer.names());
        }
    }
}
