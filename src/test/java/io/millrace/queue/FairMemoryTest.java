package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.Fact;
import io.millrace.message.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Many queues and consumers on one loop that together want far more memory than there is, and one brisk neighbour. */
class FairMemoryTest {
    private static final int BUDGET_BYTES = 4 << 20;
    private static final int CEILING_BYTES = BUDGET_BYTES + BUDGET_BYTES / 2;
    private static final int BODY_BYTES = 15_000;

    private final QueueScene scene = new QueueScene(QueueScene.settings(), BUDGET_BYTES);
    private final List<Queue> queues = new ArrayList<>();

    private Queue another() {
        int number = 10 + queues.size();
        String address = "queue" + number;
        scene.resources
                .recorder()
                .declare(new Fact.NodeDeclared(number, address, Fact.NodeKind.QUEUE, Map.of()), () -> {});
        Queue queue = new Queue(
                new QueueIdentity(number, address, true),
                QueueScene.settings(),
                scene.resources,
                DeadLetterRoute.NONE,
                Backlog.NONE);
        queues.add(queue);
        return queue;
    }

    private Queue another(int messages, int bytes, boolean durable) {
        Queue queue = another();
        for (int i = 0; i < messages; i++) {
            queue.offer(Messages.message("m" + i, durable, bytes), Receipt.NONE);
            scene.settle();
        }
        return queue;
    }

    /** One message at a time: sent, received, settled. */
    private void neighbourIsBrisk(boolean durable) {
        Queue queue = another();
        Recipient consumer = new Recipient(queue).attached().credit(10_000);
        for (int i = 1; i <= 100; i++) {
            queue.offer(Messages.message("n" + i, durable, 1000), Receipt.NONE);
            scene.settle();
            assertEquals(i, consumer.deliveries.size(), "messages that the brisk neighbour has got");
            consumer.settle("n" + i, Outcome.ACCEPTED);
            scene.settle();
        }
    }

    private void assertWithin(long bytes) {
        assertTrue(scene.heldBytes() <= bytes, scene.heldBytes() + " bytes are held");
    }

    @Nested
    class ANeighbourIsNotHeldUp {
        @Test
        void byManyQueuesOfWhichEachHasLittle() {
            for (int i = 0; i < 500; i++) {
                another(2, BODY_BYTES, i % 2 == 0);
            }
            assertWithin(BUDGET_BYTES / 2);
            neighbourIsBrisk(false);
            neighbourIsBrisk(true);
        }

        @Test
        void byConsumersWithoutCreditOfManyDeepQueues() {
            for (int i = 0; i < 300; i++) {
                new Recipient(another(3, BODY_BYTES, true)).attached();
                scene.settle();
            }
            assertWithin(BUDGET_BYTES * 3 / 4);
            neighbourIsBrisk(false);
            neighbourIsBrisk(true);
        }

        @Test
        void byConsumersOfManyQueuesThatSettleNothing() {
            for (int i = 0; i < 60; i++) {
                Recipient hoarder = new Recipient(another(20, BODY_BYTES, i % 2 == 0))
                        .attached()
                        .credit(1000);
                scene.settle();
                int number = i;
                assertTrue(
                        !hoarder.deliveries.isEmpty(),
                        () -> "consumer " + number + " has got nothing, though only " + scene.heldBytes()
                                + " bytes are held");
            }
            assertWithin(CEILING_BYTES);
            neighbourIsBrisk(false);
            neighbourIsBrisk(true);
        }

        @Test
        void byManyConsumersOfOneQueueThatSettleNothing() {
            Queue deep = another(1000, BODY_BYTES, true);
            for (int i = 0; i < 250; i++) {
                new Recipient(deep).attached().credit(1000);
                scene.settle();
            }
            assertWithin(CEILING_BYTES);
            neighbourIsBrisk(false);
        }
    }

    @Nested
    class Browsers {
        @Test
        void thatStopAfterTheirFirstMessageShareWhatIsLeft() {
            Queue deep = another(1000, BODY_BYTES, true);
            for (int i = 0; i < 250; i++) {
                Recipient browser = new Recipient(deep).browsing().credit(100);
                scene.settle();
                assertEquals(100, browser.deliveries.size());
            }
            assertWithin(CEILING_BYTES);
            neighbourIsBrisk(true);
        }

        @Test
        void giveBackWhatTheyHaveReadWhenTheyGo() {
            Queue deep = another(1000, BODY_BYTES, true);
            long before = scene.heldBytes();
            Recipient browser = new Recipient(deep).browsing().credit(100);
            scene.settle();
            assertTrue(scene.heldBytes() > before, "what is read and not shown is counted");
            browser.detach(false);
            scene.settle();
            assertEquals(before, scene.heldBytes());
        }
    }

    /** Nobody waits for more memory than would do. */
    @Test
    void whoWaitsForMemoryGoesOnWhenALittleComesBack() {
        List<Recipient> hoarders = new ArrayList<>();
        while (scene.heldBytes() < CEILING_BYTES - 16 * BODY_BYTES) {
            hoarders.add(new Recipient(another(1, BODY_BYTES, true)).attached().credit(1));
            scene.settle();
        }
        Recipient late = new Recipient(another(2, BODY_BYTES, true)).attached();
        scene.settle();
        late.credit(1);
        scene.settle();
        for (int freed = 0; late.deliveries.isEmpty(); freed++) {
            assertTrue(freed < 10, "the memory of ten messages came back, and none was handed over");
            hoarders.get(freed).acceptAll();
            scene.settle();
        }
    }

    @Nested
    class ASingleQueue {
        @Test
        void mayHaveMostOfTheMemoryWithItsConsumer() {
            Recipient only = new Recipient(another(2000, 5000, true)).attached().credit(2000);
            scene.settle();

            assertTrue(scene.heldBytes() > BUDGET_BYTES * 7 / 10, scene.heldBytes() + " bytes are held");
            assertTrue(only.deliveries.size() > 300, only.deliveries.size() + " are delivered");
        }

        @Test
        void leavesRoomToTheNextOne() {
            Queue first = another(1000, 5000, true);
            Queue second = another(1000, 5000, true);

            assertTrue(scene.heldBytes() > BUDGET_BYTES / 3, "both have some: " + scene.heldBytes());
            assertWithin(BUDGET_BYTES / 2);
            assertEquals(2000, first.stats().messages() + second.stats().messages());
        }
    }

    @Test
    void consumersThatWaitForMemoryGoOnWhenThereIsSome() {
        List<Recipient> hoarders = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            hoarders.add(
                    new Recipient(another(3, BODY_BYTES, i % 2 == 0)).attached().credit(3));
            scene.settle();
        }
        for (int round = 0; round < 10; round++) {
            for (Recipient hoarder : hoarders) {
                hoarder.acceptAll();
            }
            scene.settle();
        }

        for (Recipient hoarder : hoarders) {
            assertEquals(List.of("m0", "m1", "m2"), hoarder.names());
        }
        assertEquals(0, scene.heldBytes());
    }
}
