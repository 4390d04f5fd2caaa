package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Outcome;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class DispatchTest {
    private final QueueScene scene = new QueueScene();

    @Nested
    class Order {
        @Test
        void messagesComeInTheOrderOfArrival() {
            scene.offerDurable("a", "b");
            scene.offerTransient("c");
            scene.offerDurable("d");
            Recipient consumer = scene.consumer().credit(10);
            scene.offerTransient("e");

            assertEquals(List.of("a", "b", "c", "d", "e"), consumer.names());
        }

        @Test
        void aMessageOfferedByAReceiptComesAfterTheOneItAnswers() {
            scene.queue.offer(
                    Messages.transientOne("a"), outcome -> scene.queue.offer(Messages.transientOne("b"), Receipt.NONE));
            scene.offerTransient("c");
            Recipient consumer = scene.consumer().credit(10);

            assertEquals(List.of("a", "b", "c"), consumer.names());
        }

        @Test
        void aMessageOfferedByAConsumerComesAfterThoseThatWaited() {
            scene.offerTransient("a", "b");
            Recipient consumer = scene.consumer();
            consumer.onDelivery = (self, delivery) -> {
                if (self.deliveries.size() == 1) {
                    scene.offerTransient("c");
                }
            };
            consumer.credit(10);

            assertEquals(List.of("a", "b", "c"), consumer.names());
        }
    }

    @Nested
    class Fairness {
        @Test
        void consumersWithCreditTakeTurns() {
            Recipient first = scene.consumer().credit(10);
            Recipient second = scene.consumer().credit(10);
            scene.offerTransient("a", "b", "c", "d");

            assertEquals(List.of("a", "c"), first.names());
            assertEquals(List.of("b", "d"), second.names());
        }

        @Test
        void aConsumerWithoutCreditIsPassedOver() {
            Recipient first = scene.consumer().credit(1);
            Recipient second = scene.consumer().credit(10);
            scene.offerTransient("a", "b", "c");

            assertEquals(List.of("a"), first.names());
            assertEquals(List.of("b", "c"), second.names());
        }

        @Test
        void aConsumerThatIsNotReadyIsPassedOverUntilItResumes() {
            Recipient slow = scene.consumer();
            slow.ready = false;
            slow.credit(10);
            Recipient other = scene.consumer().credit(1);
            scene.offerTransient("a", "b");

            assertEquals(List.of(), slow.names());
            assertEquals(List.of("a"), other.names());
            slow.resume();
            assertEquals(List.of("b"), slow.names());
        }

        @Test
        void aConsumerThatStopsBeingReadyInMidRunGetsNoMore() {
            scene.offerTransient("a", "b", "c");
            Recipient slow = scene.consumer();
            slow.onDelivery = (self, delivery) -> self.ready = self.deliveries.size() < 2;
            slow.credit(10);

            assertEquals(List.of("a", "b"), slow.names());
            slow.resume();
            assertEquals(List.of("a", "b", "c"), slow.names());
        }
    }

    @Nested
    class Credit {
        @Test
        void noCreditNoDelivery() {
            scene.offerTransient("a");
            Recipient consumer = scene.consumer();

            assertEquals(List.of(), consumer.names());
        }

        @Test
        void itIsNeverExceeded() {
            scene.offerTransient("a", "b", "c");
            Recipient consumer = scene.consumer().credit(2);
            assertEquals(List.of("a", "b"), consumer.names());

            consumer.acceptAll();
            assertEquals(List.of("a", "b"), consumer.names(), "a settlement is no credit");
            consumer.credit(1);
            assertEquals(List.of("a", "b", "c"), consumer.names());
        }

        @Test
        void itIsATotalSoThatTheSameCreditTwiceIsNotTwice() {
            scene.offerTransient("a", "b", "c");
            Recipient consumer = scene.consumer();
            scene.queue.credit(consumer, 1, false);
            scene.queue.credit(consumer, 1, false);

            assertEquals(List.of("a"), consumer.names());
        }

        @Test
        void aLowerOneTakesCreditBack() {
            Recipient consumer = scene.consumer().credit(10);
            scene.offerTransient("a");
            consumer.credit(0);
            scene.offerTransient("b");
            assertEquals(List.of("a"), consumer.names());

            consumer.credit(1);
            assertEquals(List.of("a", "b"), consumer.names());
        }

        @Test
        void creditOfAConsumerThatIsGoneIsNoError() {
            Recipient consumer = scene.consumer();
            consumer.detach(false);
            consumer.credit(1);
            scene.offerTransient("a");

            assertEquals(List.of(), consumer.names());
            assertEquals(1, scene.queue.stats().messages());
        }
    }

    @Nested
    class CallsFromWithin {
        @Test
        void aConsumerMaySettleInsideADelivery() {
            scene.offerTransient("a", "b", "c");
            Recipient consumer = scene.consumer();
            consumer.onDelivery = (self, delivery) -> {
                assertTrue(delivery.firstAcquirer());
                scene.queue.settle(self, delivery, Outcome.ACCEPTED, Receipt.NONE);
            };
            consumer.credit(10);

            assertEquals(List.of("a", "b", "c"), consumer.names());
            assertEquals(0, scene.queue.stats().messages());
        }

        @Test
        void aConsumerMayGrantCreditInsideADelivery() {
            scene.offerTransient("a", "b", "c");
            Recipient consumer = scene.consumer();
            consumer.onDelivery = (self, delivery) -> self.credit(1);
            consumer.credit(1);

            assertEquals(List.of("a", "b", "c"), consumer.names());
        }

        @Test
        void aConsumerMayLeaveInsideADelivery() {
            scene.offerTransient("a", "b");
            Recipient leaving = scene.consumer();
            leaving.onDelivery = (self, delivery) -> self.detach(false);
            leaving.credit(10);
            Recipient next = scene.consumer().credit(10);

            assertEquals(List.of("a"), leaving.names());
            assertEquals(List.of("a", "b"), next.names());
            assertFalse(next.delivery("a").firstAcquirer());
            assertTrue(next.delivery("b").firstAcquirer());
        }

        @Test
        void aConsumerMayMakeAnotherLeaveInsideADelivery() {
            Recipient first = scene.consumer();
            Recipient second = scene.consumer().credit(10);
            first.onDelivery = (self, delivery) -> second.detach(true);
            first.credit(1);
            scene.offerTransient("x", "a");

            assertEquals(List.of("x"), second.names());
            assertEquals(List.of("a"), first.names());
            assertEquals(1, scene.queue.stats().unsettled());
        }

        @Test
        void theQueueMayBeDeletedInsideADelivery() {
            scene.offerTransient("a", "b");
            Recipient consumer = scene.consumer();
            consumer.onDelivery = (self, delivery) -> scene.queue.delete();
            consumer.credit(10);

            assertEquals(List.of("a"), consumer.names());
            assertEquals(1, consumer.closed.size());
            assertEquals(0, scene.heldBytes());
        }
    }
}
