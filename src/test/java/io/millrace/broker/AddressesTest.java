package io.millrace.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.Config;
import io.millrace.config.Config.AutoCreateRule;
import io.millrace.config.QueueSettings;
import io.millrace.journal.InMemoryJournal;
import io.millrace.message.Condition;
import io.millrace.queue.Answers;
import io.millrace.queue.Messages;
import io.millrace.queue.Recipient;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class AddressesTest {

    private static Config withRules(AutoCreateRule... rules) {
        Config config = Config.defaults();
        return new Config(
                config.listeners(),
                config.http(),
                config.store(),
                config.memoryBytes(),
                config.eventLoops(),
                config.connection(),
                config.users(),
                config.queueDefaults(),
                config.queues(),
                List.of(),
                List.of(),
                List.of(rules));
    }

    @Nested
    class Forms {
        private final BrokerScene scene = new BrokerScene(1);

        @Test
        void threeOfThemAreTheSameQueue() {
            Node node = scene.node(0, "orders");

            assertSame(node, scene.node(0, "/orders"));
            assertSame(node, scene.node(0, "queue://orders"));
            assertSame(node, scene.broker.nodes(0).find("/orders").orElseThrow());
            assertEquals("orders", node.address());
            assertFalse(node.temporary());
        }

        @Test
        void anEmptyOrUnprintableOrEndlessAddressIsRefused() {
            for (String address : List.of("", "/", "queue://", "topic://", "a\nb", "x".repeat(256))) {
                BrokerScene.Opened opened = scene.open(0, address, Request.Use.SEND, this);
                scene.settle();

                assertEquals(Condition.INVALID_FIELD, opened.refusal().symbol(), address);
            }
        }
    }

    @Nested
    class Creation {
        @Test
        void theAnswerWaitsUntilTheQueueIsInTheJournalAndNeverComesInsideTheCall() {
            BrokerScene scene = new BrokerScene(1);
            BrokerScene.Opened opened = scene.open(0, "orders", Request.Use.SEND, this);
            scene.runLoops();
            assertEquals(List.of(), opened.nodes);

            scene.settle();
            opened.node();
            BrokerScene.Opened again = scene.open(0, "orders", Request.Use.SEND, this);
            assertEquals(List.of(), again.nodes);
        }

        @Test
        void twoWhoAskAtOnceGetOneQueue() {
            BrokerScene scene = new BrokerScene(2);
            BrokerScene.Opened first = scene.open(0, "orders", Request.Use.SEND, this);
            BrokerScene.Opened second = scene.open(1, "orders", Request.Use.RECEIVE, "another");
            scene.settle();
            Recipient consumer =
                    new Recipient(second.node().source()).attached().credit(5);
            first.node().target().offer(Messages.durable("a"), new Answers());
            scene.settle();

            assertEquals(List.of("a"), consumer.names());
            assertEquals(1, scene.journal.recover().size());
        }

        @Test
        void aQueueThatWasMadeIsThereAfterARestart() {
            BrokerScene scene = new BrokerScene(2);
            scene.offer(1, "orders", "a", "b");
            scene.offer(0, "bills", "c");
            BrokerScene again = scene.restarted();
            assertEquals(2, again.messages("orders"));
            Recipient consumer = again.consumer(0, "orders").credit(5);
            again.settle();
            assertEquals(List.of("a", "b"), consumer.names());

            again.node(0, "new");
            assertEquals(
                    List.of(1L, 2L, 3L),
                    again.journal.recover().stream()
                            .map(queue -> queue.declared().number())
                            .toList());
        }

        @Test
        void theQueuesOfTheConfigAreThereFromTheStartAndOnlyOnce() {
            Config config = Config.defaults().withQueue("orders").withQueue("bills");
            BrokerScene scene = new BrokerScene(config, new InMemoryJournal(), 2);
            assertTrue(scene.broker.nodes(0).find("orders").isPresent());
            assertTrue(scene.broker.nodes(1).find("bills").isPresent());

            assertEquals(2, scene.restarted().journal.recover().size());
        }

        @Test
        void withoutARuleItIsRefused() {
            BrokerScene scene = new BrokerScene(withRules(), new InMemoryJournal(), 1);
            BrokerScene.Opened opened = scene.open(0, "orders", Request.Use.SEND, this);
            scene.settle();

            assertEquals(Condition.NOT_FOUND, opened.refusal().symbol());
            assertTrue(opened.refusal().description().contains("'orders'"));
        }

        @Test
        void namesThatAreTheBrokersOwnAreNotMadeWhateverTheRulesSay() {
            BrokerScene scene = new BrokerScene(1);
            for (String address : List.of("$management", "/$cbs", "queue://$any", "topic://$any")) {
                BrokerScene.Opened opened = scene.open(0, address, Request.Use.SEND, this);
                scene.settle();

                assertEquals(Condition.NOT_FOUND, opened.refusal().symbol(), address);
                assertTrue(
                        opened.refusal().description().contains("$"),
                        opened.refusal().description());
            }
            assertEquals(List.of(), scene.journal.recover());
        }

        @Test
        void theFirstRuleThatMatchesDecides() {
            Config config = withRules(
                    new AutoCreateRule("private.*", false, false, QueueSettings.DEFAULT),
                    new AutoCreateRule("*", true, false, QueueSettings.DEFAULT));
            BrokerScene scene = new BrokerScene(config, new InMemoryJournal(), 1);
            BrokerScene.Opened closed = scene.open(0, "private.orders", Request.Use.SEND, this);
            scene.settle();

            closed.refusal();
            scene.node(0, "orders");
        }
    }

    @Nested
    class Wildcards {
        private static final String ADVICE = "'news.*' has wildcards, which are for topics: ask for the topic"
                + " (capability topic, or topic://news.*), or name one queue";

        private Condition refusal(BrokerScene scene, Request request) {
            BrokerScene.Opened opened = scene.open(0, request);
            scene.settle();
            return opened.refusal();
        }

        private Request request(String address, Optional<NodeType> wanted, Request.Use use) {
            return new Request(address, wanted, use, new Link(this, "", "link"), Terms.PLAIN);
        }

        @Test
        void areNotForQueues() {
            BrokerScene scene = new BrokerScene(1);
            for (Optional<NodeType> wanted : List.of(Optional.<NodeType>empty(), Optional.of(NodeType.QUEUE))) {
                Condition refusal = refusal(scene, request("news.*", wanted, Request.Use.RECEIVE));
                assertEquals(Condition.INVALID_FIELD, refusal.symbol());
                assertEquals(ADVICE, refusal.description());
            }
            Condition ofSender = refusal(scene, request("#", Optional.of(NodeType.QUEUE), Request.Use.SEND));
            assertEquals(Condition.INVALID_FIELD, ofSender.symbol());
            assertEquals(
                    "'#' has wildcards, which are for subscribers; name one queue to send to", ofSender.description());

            assertEquals(List.of(), scene.journal.recover());
            BrokerScene.Opened subscriber =
                    scene.open(0, request("news.*", Optional.of(NodeType.TOPIC), Request.Use.RECEIVE));
            scene.settle();
            subscriber.node();
        }

        @Test
        void withinAWordAreCharactersLikeOthers() {
            BrokerScene scene = new BrokerScene(1);
            assertEquals("news*.#1", scene.node(0, "news*.#1").address());
        }

        @Test
        void inTheNameOfAQueueThatIsThereAlreadyDoNoHarm() {
            Config config = Config.defaults().withQueue("news.*");
            BrokerScene scene = new BrokerScene(config, new InMemoryJournal(), 1);
            scene.offer(0, "news.*", "a");
            BrokerScene again = new BrokerScene(Config.defaults(), scene.journal.successor(), 1);
            Recipient consumer = again.consumer(0, "news.*").credit(5);
            again.settle();

            assertEquals(List.of("a"), consumer.names());
        }

        @Test
        void inTheNameOfADeadLetterQueueOfSubscribersDoNoHarm() {
            BrokerScene scene = new BrokerScene(1);
            BrokerScene.Opened early = scene.open(0, "news.*.dlq", Request.Use.RECEIVE, this);
            scene.settle();

            assertEquals("news.*.dlq", early.node().address());
            Condition ofTopic = refusal(scene, request("a.*.dlq", Optional.of(NodeType.TOPIC), Request.Use.SEND));
            assertEquals(
                    "'a.*.dlq' has wildcards, which are for subscribers; name one topic to send to",
                    ofTopic.description());
        }
    }

    @Nested
    class TemporaryQueues {
        private final BrokerScene scene = new BrokerScene(2);
        private final Object owner = new Object();

        @Test
        void haveAddressesOfTheirOwnAndAreNotInTheStore() {
            Node first = scene.temporary(0, owner).node();
            Node second = scene.temporary(0, owner).node();
            assertNotEquals(first.address(), second.address());
            assertTrue(first.temporary());
            Answers answers = new Answers();
            first.target().offer(Messages.durable("a"), answers);

            assertEquals(1, answers.outcomes.size());
            scene.settle();
            assertEquals(0, scene.journal.messages().size());
            assertEquals(0, scene.journal.recover().size());
        }

        @Test
        void everybodyMaySendAndOnlyTheOwnerReceives() {
            Node node = scene.temporary(0, owner).node();
            BrokerScene.Opened sender = scene.open(1, node.address(), Request.Use.SEND, "stranger");
            BrokerScene.Opened thief = scene.open(1, node.address(), Request.Use.RECEIVE, "stranger");
            BrokerScene.Opened own = scene.open(0, node.address(), Request.Use.RECEIVE, owner);
            scene.settle();

            assertEquals(Condition.RESOURCE_LOCKED, thief.refusal().symbol());
            Recipient consumer = new Recipient(own.node().source()).attached().credit(1);
            sender.node().target().offer(Messages.durable("reply"), new Answers());
            scene.settle();
            assertEquals(List.of("reply"), consumer.names());
        }

        @Test
        void onlyTheOwnerReceivesAlsoWhenItIsAskedForBeforeThisLoopKnowsIt() {
            BrokerScene.Opened opened = new BrokerScene.Opened();
            scene.broker.nodes(0).openTemporary(NodeType.QUEUE, new Link(owner, "", "link"), opened);
            while (opened.nodes.isEmpty()) {
                scene.loops.get(0).runOne();
            }
            BrokerScene.Opened thief = scene.open(1, opened.node().address(), Request.Use.RECEIVE, "stranger");
            scene.settle();

            assertEquals(Condition.RESOURCE_LOCKED, thief.refusal().symbol());
        }

        @Test
        void deletionTellsTheLinksOfAllLoops() {
            BrokerScene.Opened maker = scene.temporary(0, owner);
            Node node = maker.node();
            BrokerScene.Opened sender = scene.open(1, node.address(), Request.Use.SEND, "stranger");
            BrokerScene.Opened gone = scene.open(1, node.address(), Request.Use.SEND, "another");
            scene.settle();
            scene.broker.nodes(1).release(gone.node(), gone, Departure.CLOSED);
            Node remote = scene.broker.nodes(1).find(node.address()).orElseThrow();
            Recipient here = new Recipient(node.source()).attached().credit(1);
            Recipient there = new Recipient(remote.source()).attached().credit(1);
            scene.broker.nodes(1).release(remote, sender, Departure.DETACHED);
            scene.broker.nodes(1).open(Request.toSend(node.address(), Optional.empty(), new Link("x", "", "")), sender);
            scene.settle();
            assertEquals(List.of(), here.closed);
            scene.broker.nodes(0).release(node, maker, Departure.DETACHED);
            scene.broker.nodes(0).release(node, maker, Departure.CLOSED);
            scene.settle();

            assertEquals(1, sender.deletions.size());
            assertEquals(Condition.RESOURCE_DELETED, sender.deletions.get(0).symbol());
            assertEquals(List.of(), gone.deletions);

            assertEquals(Condition.RESOURCE_DELETED, here.closed.get(0).symbol());
            assertEquals(1, here.closed.size());
            assertEquals(Condition.RESOURCE_DELETED, there.closed.get(0).symbol());
            assertTrue(scene.broker.nodes(0).find(node.address()).isEmpty());
            Answers answers = new Answers();
            remote.target().offer(Messages.durable("late"), answers);
            scene.settle();
            assertEquals(Condition.RESOURCE_DELETED, answers.refusal().symbol());
        }

        @Test
        void oneThatIsGoneIsNotMadeAgain() {
            BrokerScene.Opened maker = scene.temporary(0, owner);
            Node node = maker.node();
            scene.broker.nodes(0).release(node, maker, Departure.CLOSED);
            scene.settle();
            BrokerScene.Opened opened = scene.open(0, node.address(), Request.Use.SEND, owner);
            scene.settle();

            assertEquals(Condition.NOT_FOUND, opened.refusal().symbol());
        }

        @Test
        void aQueueThatIsToLastIsNotDeletedThisWay() {
            BrokerScene.Opened opened = scene.open(0, "orders", Request.Use.SEND, owner);
            scene.settle();
            scene.broker.nodes(0).release(opened.node(), opened, Departure.CLOSED);
            scene.settle();

            assertTrue(scene.broker.nodes(0).find("orders").isPresent());
        }
    }
}
