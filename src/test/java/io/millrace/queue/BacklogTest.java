package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.Fact;
import io.millrace.journal.InMemoryJournal;
import io.millrace.journal.Journal.Lane;
import io.millrace.journal.MessageKey;
import io.millrace.message.Outcome;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class BacklogTest {
    private static final int BUDGET_BYTES = 1 << 20;
    private static final int BODY_BYTES = 1000;

    private final QueueScene scene = new QueueScene(QueueScene.settings(), BUDGET_BYTES);

    private static List<String> names(int first, int last) {
        return IntStream.rangeClosed(first, last).mapToObj(i -> "m" + i).toList();
    }

    /** Takes all there is, 50 at a time, and asserts that the heap stays within its budget. */
    private static List<String> drainWithinBudget(QueueScene scene, Recipient consumer) {
        int before;
        do {
            before = consumer.deliveries.size();
            consumer.credit(50);
            scene.settle();
            assertTrue(scene.heldBytes() <= BUDGET_BYTES, scene.heldBytes() + " bytes are held");
            consumer.acceptAll();
        } while (consumer.deliveries.size() > before);
        scene.settle();
        return consumer.names();
    }

    @Nested
    class BeyondTheBudget {
        @Test
        void afterARestartTheAgeOfTheOldestIsKnownThoughNobodyConsumes() {
            scene.offerDurable("a", "b");
            scene.settle();
            long arrival = scene.queue.stats().oldestArrivalMillis();
            QueueScene again = scene.restarted(QueueScene.settings(), BUDGET_BYTES);
            again.queue.stats();
            again.settle();

            assertTrue(arrival > 0);
            assertEquals(arrival, again.queue.stats().oldestArrivalMillis());
            Recipient consumer = again.consumer().credit(2);
            again.settle();
            assertEquals(List.of("a", "b"), consumer.names());
        }

        @Test
        void aConsumerThatSettlesInLargeBatchesGetsThemThoughManyQueuesAreDeep() {
            QueueScene shared = new QueueScene(QueueScene.settings(), 8 << 20);
            for (int number = 10; number < 30; number++) {
                String address = "idle" + number;
                shared.resources
                        .recorder()
                        .declare(new Fact.NodeDeclared(number, address, Fact.NodeKind.QUEUE, Map.of()), () -> {});
                Queue idle = new Queue(
                        new QueueIdentity(number, address, true),
                        QueueScene.settings(),
                        shared.resources,
                        DeadLetterRoute.NONE,
                        Backlog.NONE);
                for (int i = 0; i < 1000; i++) {
                    idle.offer(Messages.message("m" + i, true, BODY_BYTES), Receipt.NONE);
                }
                shared.settle();
            }
            shared.offerMany(1, 1000, true, BODY_BYTES);
            Recipient consumer = shared.consumer().credit(1000);
            shared.settle();

            assertEquals(names(1, 1000), consumer.names());
            assertTrue(shared.heldBytes() <= 8 << 20, shared.heldBytes() + " bytes are held");
        }

        @Test
        void everythingIsDeliveredOnceInOrderWithinTheBudget() {
            for (int i = 0; i < 5000; i += 100) {
                scene.offerMany(i + 1, i + 100, true, BODY_BYTES);
                scene.settle();
                assertTrue(scene.heldBytes() <= BUDGET_BYTES / 4, scene.heldBytes() + " bytes are held");
            }

            assertEquals(names(1, 5000), drainWithinBudget(scene, scene.consumer()));
            assertEquals(0, scene.heldBytes());
            assertEquals(0, scene.queue.stats().messages());
            assertEquals(0, scene.queue.stats().bytes());
            assertEquals(0, scene.storedMessages());
        }

        @Test
        void transientMessagesAreSpilledAndComeInOrderWithDurableOnes() {
            for (int i = 1; i <= 2000; i++) {
                scene.offer(Messages.message("m" + i, i % 2 == 0, BODY_BYTES));
            }
            scene.settle();
            assertTrue(scene.heldBytes() <= BUDGET_BYTES / 4, scene.heldBytes() + " bytes are held");

            assertEquals(names(1, 2000), drainWithinBudget(scene, scene.consumer()));
            assertEquals(0, scene.heldBytes());
            assertEquals(0, scene.storedMessages());
        }

        @Test
        void afterARestartTheSpilledOnesAreGoneAndTheCountsAreRight() {
            for (int i = 1; i <= 1000; i++) {
                scene.offer(Messages.message("m" + i, i % 2 == 0, BODY_BYTES));
            }
            scene.settle();
            QueueScene again = scene.restarted(QueueScene.settings(), BUDGET_BYTES);
            assertEquals(500, again.queue.stats().messages());
            assertEquals(
                    500L * Messages.message("m", true, BODY_BYTES).size(),
                    again.queue.stats().bytes());

            List<String> got = drainWithinBudget(again, again.consumer());
            assertEquals(
                    names(1, 1000).stream()
                            .filter(name -> Integer.parseInt(name.substring(1)) % 2 == 0)
                            .toList(),
                    got);
            assertEquals(0, again.queue.stats().messages());
            assertEquals(0, again.queue.stats().bytes());
        }

        @Test
        void whatArrivesWhileTheBacklogIsReadComesLast() {
            scene.offerMany(1, 1000, true, BODY_BYTES);
            scene.settle();
            Recipient consumer = scene.consumer().credit(10);
            scene.offerMany(1001, 1100, false, BODY_BYTES);
            scene.loop.runAll();
            scene.offerMany(1101, 1200, true, BODY_BYTES);

            assertEquals(names(1, 1200), drainWithinBudget(scene, consumer));
            assertEquals(0, scene.heldBytes());
        }

        @Test
        void returnedMessagesComeBeforeThoseBeyond() {
            scene.offerMany(1, 1000, true, BODY_BYTES);
            scene.settle();
            Recipient consumer = scene.consumer().credit(20);
            consumer.detach(false);

            assertEquals(names(1, 1000), drainWithinBudget(scene, scene.consumer()));
        }

        @Test
        void aMessageThatEveryConsumerRefusesDoesNotHoldUpThoseBeyond() {
            scene.offer(Messages.message("big", true, BUDGET_BYTES / 2));
            scene.offerMany(1, 500, true, BODY_BYTES);
            scene.settle();
            Recipient only = scene.consumer().credit(1);
            scene.settle();
            only.settle("big", new Outcome.Modified(false, true, Map.of()));
            scene.settle();
            only.onDelivery = (self, delivery) -> scene.queue.settle(self, delivery, Outcome.ACCEPTED, Receipt.NONE);
            only.drain(1000);
            scene.settle();

            assertEquals(501, only.deliveries.size());
            assertEquals(1, only.drains);
        }

        @Test
        void aConsumerThatRefusesEverythingDoesNotFillTheHeap() {
            scene.offerMany(1, 3000, true, BODY_BYTES);
            scene.settle();
            Recipient only = scene.consumer();
            only.onDelivery = (self, delivery) ->
                    scene.queue.settle(self, delivery, new Outcome.Modified(false, true, Map.of()), Receipt.NONE);
            scene.queue.credit(only, 5000, true);
            scene.settle();
            assertTrue(scene.heldBytes() <= BUDGET_BYTES, scene.heldBytes() + " bytes are held");
            assertEquals(1, only.drains, "it has got all that it can get for now");

            only.detach(false);
            assertEquals(names(1, 3000), drainWithinBudget(scene, scene.consumer()));
            assertEquals(0, scene.heldBytes());
        }

        @Test
        void aConsumerThatHoldsMuchWaitsForMemoryAndThenGoesOn() {
            QueueScene two = new QueueScene(QueueScene.settings(), 1 << 20);
            two.offerMany(1, 900, true, BODY_BYTES);
            two.settle();
            Recipient hoarder = two.consumer().credit(2000);
            two.settle();
            int held = hoarder.deliveries.size();
            assertTrue(held < 900, "it holds " + held);
            assertTrue(two.heldBytes() <= BUDGET_BYTES + BUDGET_BYTES / 4, two.heldBytes() + " bytes are held");

            for (int i = 0; i < 20; i++) {
                hoarder.acceptAll();
                two.settle();
            }
            assertEquals(names(1, 900), hoarder.names());
            assertEquals(0, two.heldBytes());
        }
    }

    @Nested
    class Damage {
        @Test
        void messagesThatAreCountedButNotThereAreCountedNoMore() {
            InMemoryJournal journal = new InMemoryJournal();
            QueueScene empty = new QueueScene(QueueScene.settings(), BUDGET_BYTES, journal);
            Queue queue = new Queue(
                    new QueueIdentity(1, "orders", true),
                    QueueScene.settings(),
                    empty.resources,
                    DeadLetterRoute.NONE,
                    new Backlog(300, List.of(new Lane(0, 3)), 10, List.of()));
            Recipient consumer = new Recipient(queue).attached().drain(5);
            empty.settle();

            assertEquals(1, consumer.drains);
            assertEquals(0, queue.stats().messages());
            assertEquals(0, queue.stats().bytes());
        }
    }

    @Nested
    class Deletion {
        private final Queue temporary = new Queue(
                new QueueIdentity(7, "temp-queue/x", false),
                QueueScene.settings(),
                scene.resources,
                DeadLetterRoute.NONE,
                Backlog.NONE);

        Deletion() {
            // The store of the tests keeps messages of queues only that it knows.
            scene.journal.append(List.of(new Fact.NodeDeclared(7, "temp-queue/x", Fact.NodeKind.QUEUE, Map.of())));
            scene.settle();
        }

        private void offer(int messages) {
            for (int i = 1; i <= messages; i++) {
                temporary.offer(Messages.message("m" + i, false, BODY_BYTES), Receipt.NONE);
            }
        }

        @Test
        void consumersAreToldAndNothingIsLeft() {
            offer(1000);
            Recipient consumer = new Recipient(temporary).attached().credit(10);
            Recipient browser = new Recipient(temporary).browsing();
            Recipient waiting = new Recipient(temporary).attached();
            scene.settle();
            temporary.delete();
            scene.settle();

            assertEquals("amqp:resource-deleted", consumer.closed.get(0).symbol());
            assertEquals(1, browser.closed.size());
            assertEquals(1, waiting.closed.size());
            assertEquals(0, scene.heldBytes());
            assertEquals(0, scene.storedMessages());
            Answers answers = new Answers();
            consumer.settle("m1", Outcome.ACCEPTED, answers);
            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(0, temporary.stats().messages());
            assertEquals(0, scene.heldBytes());
        }

        @Test
        void givesBackTheMemoryOfMessagesOnTheirWayToTheDisk() {
            offer(1000);
            temporary.delete();
            scene.settle();

            assertEquals(0, scene.heldBytes());
        }

        @Test
        void whileMessagesAreReadChangesNothingAfterwards() {
            offer(1000);
            scene.settle();
            new Recipient(temporary).attached().credit(200);
            temporary.delete();
            scene.settle();

            assertEquals(0, scene.heldBytes());
            assertEquals(0, temporary.stats().messages());
        }

        @Test
        void lateOffersAndConsumersAreTold() {
            temporary.delete();
            Answers answers = new Answers();
            temporary.offer(Messages.transientOne("a"), answers);
            Recipient late = new Recipient(temporary).attached();

            assertEquals("amqp:resource-deleted", answers.refusal().symbol());
            assertEquals(1, late.closed.size());
        }
    }

    @Test
    void theRunThatIsReadAheadIsNoLargerThanTheShareOfTheQueue() {
        scene.offerMany(1, 1000, true, BODY_BYTES);
        scene.settle();
        QueueScene again = scene.restarted(QueueScene.settings(), BUDGET_BYTES);
        again.consumer();
        again.settle();

        assertTrue(again.heldBytes() > 0, "some are read ahead of need");
        assertTrue(again.heldBytes() <= BUDGET_BYTES / 4, again.heldBytes() + " bytes are held");
        assertEquals(1, again.journal.messages().get(0).key().compareTo(new MessageKey(1, 5, 0)));
    }
}
