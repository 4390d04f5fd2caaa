package io.millrace.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.Config;
import io.millrace.config.Config.Forwarding;
import io.millrace.config.Config.QueueDefinition;
import io.millrace.config.Config.TopicDefinition;
import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.WhenFull;
import io.millrace.journal.InMemoryJournal;
import io.millrace.journal.StoredMessage;
import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import io.millrace.queue.Answers;
import io.millrace.queue.Messages;
import io.millrace.queue.Recipient;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ForwardingTest {
    private static Forwarding rule(String from, boolean divert, String... to) {
        return new Forwarding(from, List.of(to), Optional.empty(), divert);
    }

    private static Forwarding rule(String from, String selector, boolean divert, String... to) {
        return new Forwarding(from, List.of(to), Optional.of(selector), divert);
    }

    private static BrokerScene with(Forwarding... rules) {
        return new BrokerScene(Config.defaults().withForwardings(List.of(rules)), new InMemoryJournal(), 2);
    }

    private static List<String> names(BrokerScene scene, String address) {
        Recipient consumer = scene.consumer(0, address).credit(100);
        scene.settle();
        return consumer.names();
    }

    @Test
    void aMessageGoesToAllOfThemAsOneBodyAndIsAnsweredOnce() {
        BrokerScene scene = with(rule("orders", false, "audit", "statistics"));
        Answers answers = new Answers();
        scene.node(1, "orders").target().offer(Messages.durable("a"), answers);
        scene.runLoops();
        assertEquals(List.of(), answers.outcomes);
        scene.settle();

        assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
        List<StoredMessage> stored = scene.journal.messages();
        assertEquals(3, stored.size());
        assertNotEquals(0, stored.get(0).details().body());
        for (String queue : List.of("orders", "audit", "statistics")) {
            assertEquals(List.of("a"), names(scene, queue), queue);
        }
    }

    @Test
    void aMessageThatIsDivertedIsNotWhereItWasSentTo() {
        BrokerScene scene = with(rule("orders", "JMSPriority = 4", true, "normal"), rule("rest", "FALSE", true, "no"));
        scene.offer(1, "orders", "a");
        scene.offer(1, "rest", "b");

        assertEquals(0, scene.messages("orders"));
        assertEquals(List.of("a"), names(scene, "normal"));
        assertEquals(List.of("b"), names(scene, "rest"));
        assertEquals(0, scene.messages("no"));
    }

    @Test
    void chainsAreFollowedAndCirclesEnd() {
        BrokerScene scene = with(
                rule("a", false, "b"), rule("b", false, "c", "a"), rule("c", false, "a"), rule("x.#", true, "x.y"));
        scene.offer(0, "a", "1");
        scene.offer(1, "c", "2");

        assertEquals(List.of("1", "2"), names(scene, "a"));
        assertEquals(List.of("1", "2"), names(scene, "b"));
        assertEquals(List.of("1", "2"), names(scene, "c"));
    }

    @Test
    void wildcardsLeadFromManyAddressesAndTopicsTakePart() {
        Config config = Config.defaults()
                .withTopics(List.of(new TopicDefinition("news", QueueSettings.DEFAULT)))
                .withForwardings(List.of(rule("shop.*.orders", false, "news", "all"), rule("news", false, "archive")));
        BrokerScene scene = new BrokerScene(config, new InMemoryJournal(), 2);
        Recipient[] subscribers = new Recipient[2];
        for (int i = 0; i < 2; i++) {
            var opened = scene.open(
                    i, Request.toReceive("news", Optional.empty(), new Link("a", "a", "x" + i), Terms.PLAIN));
            scene.settle();
            subscribers[i] = new Recipient(opened.node().source()).attached().credit(10);
        }
        scene.offer(1, "shop.paris.orders", "a");
        scene.offer(1, "shop.orders", "b");

        assertEquals(List.of("a"), subscribers[0].names());
        assertEquals(List.of("a"), subscribers[1].names());
        assertEquals(List.of("a"), names(scene, "all"));
        assertEquals(List.of("a"), names(scene, "archive"));
        assertEquals(List.of("a"), names(scene, "shop.paris.orders"));
    }

    @Test
    void deadLettersAreForwardedToo() {
        BrokerScene scene = with(rule("orders.dlq", true, "hospital", "statistics"));
        scene.offer(1, "orders", "a");
        Recipient consumer = scene.consumer(1, "orders").credit(1);
        scene.settle();
        consumer.settle("a", new Outcome.Rejected(Optional.empty()));
        scene.settle();

        assertEquals(0, scene.messages("orders"));
        assertEquals(0, scene.messages("orders.dlq"));
        assertEquals(1, scene.messages("hospital"));
        assertEquals(2, scene.journal.messages().size());
        assertEquals(List.of("a"), names(scene, "statistics"));
    }

    @Test
    void nobodyHasAMessageThatOneOfThemRefuses() {
        QueueSettings one = QueueSettings.DEFAULT
                .withLimits(Optional.of(1L), Optional.empty(), WhenFull.REJECT)
                .withHold(Duration.ZERO);
        Config config = Config.defaults()
                .withQueue(new QueueDefinition("audit", one))
                .withForwardings(List.of(rule("orders", false, "audit")));
        BrokerScene scene = new BrokerScene(config, new InMemoryJournal(), 2);
        scene.offer(1, "orders", "a");
        Answers answers = new Answers();
        scene.node(1, "orders").target().offer(Messages.durable("b"), answers);
        scene.settle();

        assertEquals(Condition.RESOURCE_LIMIT_EXCEEDED, answers.refusal().symbol());
        assertTrue(
                answers.refusal().description().contains("'audit'"),
                answers.refusal().description());
        assertEquals(1, scene.messages("orders"));
    }

    @Test
    void theSameQueuesShareALoopAfterARestart() {
        BrokerScene scene = with(rule("orders", false, "audit"));
        scene.offer(1, "orders", "a");
        scene = scene.restarted();
        scene.offer(1, "orders", "b");

        assertEquals(List.of("a", "b"), names(scene, "orders"));
        assertEquals(List.of("a", "b"), names(scene, "audit"));
    }

    @Test
    void aRuleWhoseSelectorIsWrongStopsTheStart() {
        var refused =
                assertThrows(IllegalArgumentException.class, () -> with(rule("orders", "kind = ", false, "audit")));
        assertTrue(refused.getMessage().contains("\"orders\""), refused.getMessage());
    }

    @Test
    void inATransactionItHappensWithTheCommit() {
        BrokerScene scene = with(rule("orders", false, "audit"));
        LocalTransaction transaction = scene.broker.nodes(1).begin();
        transaction.offer(scene.node(1, "orders").target(), Messages.durable("a"), new Answers());
        scene.settle();
        assertEquals(0, scene.messages("audit"));
        Answers committed = new Answers();
        transaction.discharge(false, committed);
        scene.settle();
        assertEquals(List.of(Outcome.ACCEPTED), committed.outcomes);

        assertEquals(List.of("a"), names(scene, "orders"));
        assertEquals(List.of("a"), names(scene, "audit"));
    }
}
