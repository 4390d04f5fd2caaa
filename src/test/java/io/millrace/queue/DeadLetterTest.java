package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.StoredMessage;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class DeadLetterTest {
    private static final Outcome REJECTED =
            new Outcome.Rejected(new Condition(Condition.DECODE_ERROR, "the order has no customer"));
    private static final Outcome FAILED = new Outcome.Modified(true, false, Map.of());

    private final QueueScene scene = new QueueScene();

    private Message deadMessage(String name) {
        return new Recipient(scene.dead).attached().credit(10).delivery(name).message();
    }

    @Nested
    class Story {
        @Test
        void aRejectedMessageTellsWhereWhyWhenAndAfterHowManyAttempts() {
            scene.offerDurable("a");
            Recipient consumer = scene.consumer().credit(1);
            consumer.settle("a", FAILED);
            consumer.credit(1).settle("a", REJECTED);
            scene.settle();
            Message dead = deadMessage("a");

            assertEquals("orders", dead.annotation("x-opt-death-address"));
            assertEquals("rejected", dead.annotation("x-opt-death-reason"));
            assertEquals("amqp:decode-error: the order has no customer", dead.annotation("x-opt-death-description"));
            assertEquals(new Date(scene.loop.now()), dead.annotation("x-opt-death-time"));
            assertEquals(1, dead.annotation("x-opt-death-delivery-count"));
            assertEquals("", dead.annotation("x-opt-earlier-deaths"));
            assertEquals(1, scene.queue.stats().deadLettered());
        }

        @Test
        void aMessageThatFailedTooOftenNamesTheLimit() {
            scene.offerDurable("a");
            Recipient consumer = scene.consumer();
            for (int i = 0; i < 3; i++) {
                assertEquals(0, scene.dead.stats().messages());
                consumer.credit(1).settle("a", FAILED);
            }
            scene.settle();
            Message dead = deadMessage("a");

            assertEquals("max-deliveries", dead.annotation("x-opt-death-reason"));
            String description = (String) dead.annotation("x-opt-death-description");
            assertTrue(description.contains("3 attempts") && description.contains("'orders' is 3"), description);
            assertEquals(3, dead.annotation("x-opt-death-delivery-count"));
        }

        @Test
        void earlierDeathsAreToldLatestFirst() {
            Message message = Messages.durable("a");
            for (int i = 0; i < 3; i++) {
                scene.loop.advance(10);
                scene.queue.offer(message, Receipt.NONE);
                scene.consumer().credit(1).settle("a", i == 1 ? new Outcome.Rejected(Optional.empty()) : REJECTED);
                scene.settle();
                Recipient undertaker = new Recipient(scene.dead).attached().credit(1);
                message = undertaker.delivery("a").message();
                undertaker.accept("a");
                undertaker.detach(false);
            }
            List<?> earlier = assertInstanceOf(List.class, message.annotation("x-opt-earlier-deaths"));

            assertEquals(2, earlier.size());
            Map<?, ?> second = assertInstanceOf(Map.class, earlier.get(0));
            assertEquals("the consumer rejected it and did not say why", second.get("x-opt-death-description"));
            assertEquals(new Date(scene.loop.now() - 10), second.get("x-opt-death-time"));
            Map<?, ?> first = assertInstanceOf(Map.class, earlier.get(1));
            assertEquals("amqp:decode-error: the order has no customer", first.get("x-opt-death-description"));
            assertEquals("orders", first.get("x-opt-death-address"));
        }

        @Test
        void doesNotGrowWithoutEnd() {
            Message message = Messages.durable("a");
            int size = 0;
            for (int i = 0; i < 40; i++) {
                scene.queue.offer(message, Receipt.NONE);
                Recipient consumer = scene.consumer().credit(1);
                consumer.settle("a", REJECTED);
                consumer.detach(false);
                Recipient undertaker = new Recipient(scene.dead).attached().credit(1);
                message = undertaker.delivery("a").message();
                undertaker.accept("a");
                undertaker.detach(false);
                if (i == 30) {
                    size = message.size();
                }
            }

            assertEquals(size, message.size());
        }

        @Test
        void annotationsOfTheConsumerStayOnTheDead() {
            scene.offerDurable("a");
            Recipient consumer = scene.consumer().credit(1);
            consumer.settle("a", new Outcome.Modified(true, false, Map.of("x-opt-note", "mine")));
            consumer.credit(1).settle("a", REJECTED);

            assertEquals("mine", deadMessage("a").annotation("x-opt-note"));
        }
    }

    @Nested
    class TheMove {
        @Test
        void isOneFactSoThatACrashLeavesTheMessageInExactlyOneQueue() {
            for (int flushed = 0; flushed <= 2; flushed++) {
                QueueScene each = new QueueScene();
                each.offerDurable("a");
                each.settle();
                each.consumer().credit(1).settle("a", REJECTED);
                each.loop.runAll();
                each.journal.flush(flushed);
                QueueScene again = each.restarted(QueueScene.settings(), QueueScene.AMPLE_BYTES);

                assertEquals(1, again.storedMessages(), "after " + flushed + " batches");
                assertEquals(
                        1, again.queue.stats().messages() + again.dead.stats().messages());
            }
        }

        @Test
        void isAnsweredWhenItIsOnDisk() {
            scene.offerDurable("a");
            scene.settle();
            Answers answers = new Answers();
            scene.consumer().credit(1).settle("a", REJECTED, answers);
            scene.loop.runAll();
            assertEquals(List.of(), answers.outcomes);
            assertEquals(1, scene.queue.stats().messages());

            scene.settle();
            assertEquals(List.of(REJECTED), answers.outcomes);
            assertEquals(0, scene.queue.stats().messages());
            assertEquals(2, scene.journal.messages().get(0).key().queue());
        }

        @Test
        void ofATransientMessageIsAnsweredAtOnce() {
            scene.offerTransient("a");
            Answers answers = new Answers();
            scene.consumer().credit(1).settle("a", REJECTED, answers);

            assertEquals(List.of(REJECTED), answers.outcomes);
            assertEquals("a", Messages.name(deadMessage("a")));
            scene.settle();
            assertEquals(0, scene.storedMessages());
        }

        @Test
        void isNotRefusedForALimit() {
            Queue full = new Queue(
                    new QueueIdentity(2, "orders.dlq", true),
                    QueueScene.atMost(1, io.millrace.config.QueueSettings.WhenFull.REJECT),
                    scene.resources,
                    DeadLetterRoute.NONE,
                    Backlog.NONE);
            full.move(Messages.durable("a"), Optional.empty(), Receipt.NONE);
            Answers answers = new Answers();
            full.move(Messages.durable("b"), Optional.empty(), answers);
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(2, full.stats().messages());
        }

        @Test
        void mayWaitForTheDeadLetterQueueToBeMade() {
            List<Consumer<MoveTarget>> waiting = new ArrayList<>();
            DeadLetterRoute slow = new DeadLetterRoute() {
                @Override
                public boolean exists() {
                    return true;
                }

                @Override
                public void open(Consumer<MoveTarget> opened) {
                    waiting.add(opened);
                }
            };
            Queue queue = new Queue(
                    new QueueIdentity(1, "orders", true), QueueScene.settings(), scene.resources, slow, Backlog.NONE);
            queue.offer(Messages.durable("a"), Receipt.NONE);
            Recipient consumer = new Recipient(queue).attached().credit(5);
            consumer.settle("a", REJECTED);
            scene.settle();
            assertEquals(1, queue.stats().messages());
            assertEquals(0, queue.stats().unsettled());

            waiting.get(0).accept(scene.dead);
            scene.settle();
            assertEquals(0, queue.stats().messages());
            assertEquals(
                    List.of(2L),
                    scene.journal.messages().stream()
                            .map(StoredMessage::key)
                            .map(key -> key.queue())
                            .toList());
        }

        @Test
        void givesItsMemoryBackAlsoWhenTheQueueIsDeletedMeanwhile() {
            List<Consumer<MoveTarget>> waiting = new ArrayList<>();
            DeadLetterRoute slow = new DeadLetterRoute() {
                @Override
                public boolean exists() {
                    return true;
                }

                @Override
                public void open(Consumer<MoveTarget> opened) {
                    waiting.add(opened);
                }
            };
            Queue queue = new Queue(
                    new QueueIdentity(1, "orders", true), QueueScene.settings(), scene.resources, slow, Backlog.NONE);
            queue.offer(Messages.transientOne("a"), Receipt.NONE);
            new Recipient(queue).attached().credit(5).settle("a", REJECTED);
            queue.delete();
            waiting.get(0).accept(scene.dead);
            new Recipient(scene.dead).attached().credit(1).accept("a");

            assertEquals(0, scene.heldBytes());
            assertEquals(0, queue.stats().messages());
        }
    }

    @Nested
    class SwitchedOff {
        private final QueueScene off = new QueueScene(QueueScene.withoutDeadLetters(), QueueScene.AMPLE_BYTES);

        @Test
        void aRejectedMessageIsDiscarded() {
            off.offerDurable("a");
            Answers answers = new Answers();
            off.consumer().credit(1).settle("a", REJECTED, answers);
            off.settle();

            assertEquals(List.of(REJECTED), answers.outcomes);
            assertEquals(0, off.queue.stats().messages());
            assertEquals(1, off.queue.stats().discarded());
            assertEquals(0, off.storedMessages());
        }

        @Test
        void attemptsHaveNoLimit() {
            off.offerDurable("a");
            Recipient consumer = off.consumer();
            for (int i = 0; i < 10; i++) {
                consumer.credit(1).settle("a", FAILED);
            }
            consumer.credit(1);

            assertEquals(10, consumer.delivery("a").deliveryCount());
        }
    }
}
