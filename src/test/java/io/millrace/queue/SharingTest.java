package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.QueueSettings.Consumers;
import io.millrace.message.Condition;
import java.util.List;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class SharingTest {

    @Nested
    class Priority {
        private final QueueScene scene = new QueueScene();

        @Test
        void aHigherOneIsServedFirstAsLongAsItCanTakeMore() {
            Recipient low = scene.consumer(Selection.CONSUME.withPriority(-1)).credit(10);
            Recipient high = scene.consumer(Selection.CONSUME.withPriority(5)).credit(2);
            Recipient middle = scene.consumer().credit(1);
            scene.offerTransient("a", "b", "c", "d", "e");
            assertEquals(List.of("a", "b"), high.names());
            assertEquals(List.of("c"), middle.names());
            assertEquals(List.of("d", "e"), low.names());

            high.ready = false;
            high.credit(10);
            scene.offerTransient("f");
            assertEquals(List.of("d", "e", "f"), low.names());
            high.resume();
            scene.offerTransient("g");
            assertEquals(List.of("a", "b", "g"), high.names());
        }

        @Test
        void equalOnesTakeTurns() {
            Recipient first = scene.consumer(Selection.CONSUME.withPriority(3)).credit(10);
            Recipient second = scene.consumer(Selection.CONSUME.withPriority(3)).credit(10);
            scene.offerTransient("a", "b", "c", "d");

            assertEquals(List.of("a", "c"), first.names());
            assertEquals(List.of("b", "d"), second.names());
        }
    }

    @Nested
    class Exclusive {
        private final QueueScene scene =
                new QueueScene(QueueScene.settings().withConsumers(Consumers.EXCLUSIVE), QueueScene.AMPLE_BYTES);

        @Test
        void aSecondConsumerIsRefusedAndNamesTheQueue() {
            Recipient first = scene.consumer();
            Recipient second = scene.consumer();

            assertEquals(List.of(), first.closed);
            assertEquals(Condition.RESOURCE_LOCKED, second.closed.get(0).symbol());
            assertTrue(second.closed.get(0).description().contains("'orders'"));
            assertEquals(1, scene.queue.stats().consumers());
        }

        @Test
        void whenTheFirstIsGoneAnotherMayCome() {
            scene.consumer().detach(false);
            scene.offerTransient("a");

            assertEquals(List.of("a"), scene.consumer().credit(1).names());
        }

        @Test
        void browsersMayComeAlways() {
            scene.offerTransient("a");
            scene.consumer();

            assertEquals(List.of("a"), scene.browser().credit(1).names());
        }
    }

    @Nested
    class SingleActive {
        private final QueueScene scene =
                new QueueScene(QueueScene.settings().withConsumers(Consumers.SINGLE_ACTIVE), QueueScene.AMPLE_BYTES);

        @Test
        void onlyTheFirstIsServedAndTheNextTakesOver() {
            Recipient first = scene.consumer().credit(2);
            Recipient second = scene.consumer().credit(10);
            Recipient third = scene.consumer().credit(10);
            scene.offerTransient("a", "b", "c");
            assertEquals(List.of("a", "b"), first.names());
            assertEquals(List.of(), second.names());

            first.detach(true);
            assertEquals(List.of("a", "b", "c"), second.names());
            assertEquals(List.of(), third.names());
            second.acceptAll();
            second.detach(false);
            scene.offerTransient("d");
            assertEquals(List.of("d"), third.names());
        }

        @Test
        void oneWhoseCreditCameWithItsAttachIsServed() {
            scene.offerTransient("a");
            Recipient consumer = new Recipient(scene.queue);
            consumer.onAdmitted = () -> consumer.credit(10);
            consumer.attached();
            scene.offerTransient("b");

            assertEquals(List.of("a", "b"), consumer.names());
        }

        @Test
        void oneOfAHigherPriorityTakesOverWhenAllIsSettled() {
            Recipient first = scene.consumer().credit(1);
            scene.offerTransient("a", "b");
            Recipient urgent = scene.consumer(Selection.CONSUME.withPriority(1)).credit(10);
            first.credit(10);
            assertEquals(List.of("a"), first.names());
            assertEquals(List.of(), urgent.names());

            first.accept("a");
            assertEquals(List.of("b"), urgent.names());
            assertEquals(List.of("a"), first.names());
        }

        @Test
        void aDrainOfOneThatIsNotServedIsAnsweredAtOnce() {
            scene.consumer();
            scene.offerTransient("a");

            assertEquals(1, scene.consumer().drain(5).drains);
        }
    }
}
