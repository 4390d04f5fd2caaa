package io.millrace.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.broker.BrokerScene.Opened;
import io.millrace.config.Config;
import io.millrace.config.Config.Forwarding;
import io.millrace.config.Config.QueueDefinition;
import io.millrace.config.Config.TopicDefinition;
import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.WhenFull;
import io.millrace.journal.InMemoryJournal;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Answers;
import io.millrace.queue.Messages;
import io.millrace.queue.Recipient;
import io.millrace.queue.Target;
import io.millrace.selector.Selector;
import io.millrace.selector.SelectorException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What goes to many queues, one of which is full, from publishers on the loop of the topic and on another one. */
class HeldPublicationsTest {
    private static final int HOLD_MILLIS = 5000;
    private static final QueueSettings ONE = Config.defaults()
            .queueDefaults()
            .withLimits(Optional.of(1L), Optional.empty(), WhenFull.REJECT)
            .withHold(Duration.ofMillis(HOLD_MILLIS));

    private BrokerScene scene = new BrokerScene(
            Config.defaults()
                    .withTopics(List.of(new TopicDefinition("news", ONE)))
                    .withQueue(new QueueDefinition("audit", ONE))
                    .withForwardings(List.of(new Forwarding("orders", List.of("audit"), Optional.empty(), false))),
            new InMemoryJournal(),
            2);

    private Opened subscribe(int loop, String topic, String name, Terms terms) {
        Link link = new Link(name, name, name);
        Opened opened = scene.open(loop, Request.toReceive(topic, Optional.of(NodeType.TOPIC), link, terms));
        scene.settle();
        return opened;
    }

    private Recipient consumer(Opened opened) {
        Recipient consumer = new Recipient(opened.node().source()).attached().credit(100);
        scene.settle();
        return consumer;
    }

    private Recipient subscriber(int loop, String topic, String name) {
        return consumer(subscribe(loop, topic, name, Terms.PLAIN));
    }

    private Recipient quick(int loop, String topic) {
        Recipient quick = subscriber(loop, topic, "quick");
        quick.onDelivery = (self, delivery) -> self.acceptAll();
        return quick;
    }

    private Target publisher(int loop, String topic) {
        Link link = new Link("sender", "sender", "s");
        Opened opened = scene.open(loop, Request.toSend(topic, Optional.of(NodeType.TOPIC), link));
        scene.settle();
        return opened.node().target("publisher");
    }

    private Answers publish(Target publisher, Message message) {
        Answers answers = new Answers();
        publisher.offer(message, answers);
        scene.settle();
        return answers;
    }

    private Answers publish(Target publisher, String name) {
        return publish(publisher, Messages.durable(name));
    }

    private void accept(Recipient consumer, String name) {
        consumer.accept(name);
        scene.settle();
    }

    private void elapse(int millis) {
        scene.loops.forEach(loop -> loop.advance(millis));
        scene.settle();
    }

    private long memoryBytes() {
        var bytes = scene.broker.memoryBytes();
        scene.settle();
        return bytes.join();
    }

    @Nested
    class OnTheLoopOfTheTopic extends Publications {
        OnTheLoopOfTheTopic() {
            super(0);
        }
    }

    @Nested
    class OnAnotherLoop extends Publications {
        OnAnotherLoop() {
            super(1);
        }
    }

    abstract class Publications {
        private final int loop;

        Publications(int loop) {
            this.loop = loop;
        }

        @Test
        void aPublicationWaitsForAFullSubscriptionAndNobodyGetsItBeforeAllDo() {
            Recipient slow = subscriber(0, "news", "slow");
            Recipient quick = quick(1, "news");
            Target publisher = publisher(loop, "news");
            assertEquals(List.of(Outcome.ACCEPTED), publish(publisher, "a").outcomes);
            Answers waits = publish(publisher, "b");
            assertEquals(List.of(), waits.outcomes);
            assertEquals(1, waits.withdrawals.size());
            assertEquals(List.of("a"), quick.names());

            accept(slow, "a");
            assertEquals(List.of(Outcome.ACCEPTED), waits.outcomes);
            assertEquals(List.of("a", "b"), quick.names());
            assertEquals(List.of("a", "b"), slow.names());
        }

        @Test
        void aPublicationForTwoFullSubscriptionsWaitsForBoth() {
            Recipient first = subscriber(0, "news", "first");
            Recipient second = subscriber(1, "news", "second");
            Target publisher = publisher(loop, "news");
            publish(publisher, "a");
            Answers waits = publish(publisher, "b");
            accept(first, "a");
            assertEquals(List.of(), waits.outcomes);
            assertEquals(List.of("a"), first.names());
            accept(second, "a");

            assertEquals(List.of(Outcome.ACCEPTED), waits.outcomes);
            assertEquals(List.of("a", "b"), first.names());
            assertEquals(List.of("a", "b"), second.names());
        }

        @Test
        void whatWaitsForOneAfterTheOtherDoesNotWaitTwiceAsLong() {
            Recipient first = subscriber(0, "news", "first");
            subscriber(0, "news", "second");
            Target publisher = publisher(loop, "news");
            publish(publisher, "a");
            Answers waits = publish(publisher, "b");
            elapse(HOLD_MILLIS - 10);
            accept(first, "a");
            assertEquals(List.of(), waits.outcomes);
            elapse(10);

            assertEquals("max-messages", waits.refusal().info().get("reason"));
        }

        @Test
        void publicationsOfOnePublisherKeepTheirOrderWhereverTheyGo() throws SelectorException {
            Terms low = new Terms(
                    false, false, false, Optional.of(Selector.parse("JMSPriority < 5")), false, Lifetime.OF_LINK);
            Recipient slow = consumer(subscribe(0, "news", "slow", low));
            Recipient quick = quick(1, "news");
            Target publisher = publisher(loop, "news");
            publish(publisher, "a");
            publish(publisher, "b");
            Answers urgent = publish(publisher, Messages.of("urgent", true, 9, "", 0));
            publish(publisher, "c");
            assertEquals(List.of(), urgent.outcomes);
            assertEquals(List.of("a"), quick.names());

            accept(slow, "a");
            assertEquals(List.of(Outcome.ACCEPTED), urgent.outcomes);
            assertEquals(List.of("a", "b", "urgent"), quick.names());
            accept(slow, "b");
            assertEquals(List.of("a", "b", "urgent", "c"), quick.names());
            assertEquals(List.of("a", "b", "c"), slow.names());
        }

        @Test
        void otherTopicsGoOn() {
            subscriber(0, "news", "slow");
            Recipient other = subscriber(0, "weather", "other");
            Target news = publisher(loop, "news");
            publish(news, "a");
            publish(news, "b");

            assertEquals(List.of(Outcome.ACCEPTED), publish(publisher(loop, "weather"), "c").outcomes);
            assertEquals(List.of("c"), other.names());
        }

        @Test
        void publishersComeInTheirTurn() {
            Recipient slow = subscriber(0, "news", "slow");
            Target first = publisher(loop, "news");
            Target second = publisher(1 - loop, "news");
            publish(first, "a");
            publish(first, "b");
            publish(second, "c");
            publish(first, "d");
            for (String name : List.of("a", "b", "c")) {
                accept(slow, name);
            }

            assertEquals(4, slow.names().size());
            assertEquals(List.of("a", "b", "c"), slow.names().subList(0, 3));
        }

        @Test
        void whoHasWaitedLongEnoughIsToldQueueReasonAndLimitAndNobodyHasIt() {
            Opened slow = subscribe(0, "news", "slow", Terms.PLAIN);
            Recipient quick = quick(0, "news");
            Target publisher = publisher(loop, "news");
            publish(publisher, "a");
            long before = memoryBytes();
            Answers first = publish(publisher, "b");
            Answers second = publish(publisher, "c");
            elapse(HOLD_MILLIS - 1);
            assertEquals(List.of(), first.outcomes);
            elapse(1);

            Map<String, Object> info = first.refusal().info();
            assertTrue(info.get("queue").toString().startsWith("news::slow"), () -> info.toString());
            assertEquals("max-messages", info.get("reason"));
            assertEquals(1L, info.get("limit"));
            assertEquals("max-messages", second.refusal().info().get("reason"));
            assertEquals(1, first.outcomes.size());
            assertEquals(1, second.outcomes.size());
            assertEquals(List.of("a"), quick.names());
            assertEquals(before, memoryBytes());
            Recipient late = consumer(slow);
            accept(late, "a");
            assertEquals(List.of(Outcome.ACCEPTED), publish(publisher, "d").outcomes);
        }

        @Test
        void whatIsTakenBackReachesNobodyAndWhatIsBehindItGoesOn() {
            Recipient slow = subscriber(0, "news", "slow");
            Recipient quick = quick(0, "news");
            Target publisher = publisher(loop, "news");
            publish(publisher, "a");
            long before = memoryBytes();
            Answers first = publish(publisher, "b");
            Answers second = publish(publisher, "c");
            Answers third = publish(publisher, "d");
            second.withdrawals.get(0).run();
            first.withdrawals.get(0).run();
            first.withdrawals.get(0).run();
            scene.settle();
            assertEquals(List.of(Outcome.RELEASED), first.outcomes);
            assertEquals(List.of(Outcome.RELEASED), second.outcomes);
            assertEquals(List.of(), third.outcomes);
            accept(slow, "a");
            accept(slow, "d");

            assertEquals(List.of(Outcome.ACCEPTED), third.outcomes);
            assertEquals(List.of("a", "d"), slow.names());
            assertEquals(List.of("a", "d"), quick.names());
            assertTrue(memoryBytes() < before);
        }

        @Test
        void aFullSubscriptionThatEndsLetsItGoOn() {
            Opened slow = subscribe(0, "news", "slow", Terms.PLAIN);
            Recipient quick = quick(0, "news");
            Target publisher = publisher(loop, "news");
            publish(publisher, "a");
            Answers waits = publish(publisher, "b");
            scene.broker.nodes(0).release(slow.node(), slow, Departure.CLOSED);
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), waits.outcomes);
            assertEquals(List.of("a", "b"), quick.names());
        }

        @Test
        void aMessageWaitsForAFullQueueThatItIsForwardedTo() {
            Recipient auditor = scene.consumer(0, "audit").credit(10);
            Recipient orders = scene.consumer(0, "orders").credit(10);
            Target sender = scene.node(loop, "orders").target("sender");
            publish(sender, "a");
            Answers waits = publish(sender, "b");
            Answers behind = publish(sender, "c");
            assertEquals(List.of(), waits.outcomes);
            assertEquals(List.of("a"), orders.names());
            accept(auditor, "a");
            assertEquals(List.of(Outcome.ACCEPTED), waits.outcomes);
            assertEquals(List.of("a", "b"), orders.names());
            elapse(HOLD_MILLIS);

            assertEquals(
                    Map.of("queue", "audit", "reason", "max-messages", "limit", 1L),
                    behind.refusal().info());
            assertEquals(List.of("a", "b"), orders.names());
        }
    }
}
