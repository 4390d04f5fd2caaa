package io.millrace.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.broker.BrokerScene.Opened;
import io.millrace.config.Config;
import io.millrace.config.Config.TopicDefinition;
import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.WhenFull;
import io.millrace.journal.InMemoryJournal;
import io.millrace.journal.Journal.Room;
import io.millrace.journal.StoredMessage;
import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import io.millrace.queue.Answers;
import io.millrace.queue.Messages;
import io.millrace.queue.Recipient;
import io.millrace.queue.Target;
import io.millrace.selector.Selector;
import io.millrace.selector.SelectorException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Topics and their subscriptions, with publishers and subscribers on either of two loops. */
class SubscriptionsTest {
    private static final Lifetime FOR_EVER = new Lifetime(Lifetime.Until.NEVER, Duration.ZERO);
    private static final Terms DURABLE = new Terms(true, false, false, Optional.empty(), false, FOR_EVER);
    private static final Terms SHARED_DURABLE = new Terms(true, true, false, Optional.empty(), false, FOR_EVER);
    private static final Terms SHARED = new Terms(false, true, false, Optional.empty(), false, Lifetime.OF_LINK);

    private BrokerScene scene = new BrokerScene(2);

    private static Terms lasting(Lifetime lifetime) {
        return new Terms(false, false, false, Optional.empty(), false, lifetime);
    }

    private static Terms durableWith(String selector, boolean noLocal) throws SelectorException {
        return new Terms(true, false, false, Optional.of(Selector.parse(selector)), noLocal, FOR_EVER);
    }

    /** A link of a container of the same name. */
    private Opened ask(int loop, String topic, String container, String name, Terms terms) {
        Link link = new Link(container, container, name);
        Opened opened = scene.open(loop, Request.toReceive(topic, Optional.of(NodeType.TOPIC), link, terms));
        scene.settle();
        return opened;
    }

    private Recipient consume(Opened opened) {
        Recipient consumer = new Recipient(opened.node().source()).attached().credit(100);
        scene.settle();
        return consumer;
    }

    private void leave(int loop, Opened opened, Recipient consumer, Departure departure) {
        consumer.detach(false);
        scene.broker.nodes(loop).release(opened.node(), opened, departure);
        scene.settle();
    }

    private void leave(int loop, Opened opened, Departure departure) {
        scene.broker.nodes(loop).release(opened.node(), opened, departure);
        scene.settle();
    }

    private Node topic(int loop, String name) {
        Opened opened =
                scene.open(loop, Request.toSend(name, Optional.of(NodeType.TOPIC), new Link("sender", "sender", "s")));
        scene.settle();
        return opened.node();
    }

    private Answers publish(int loop, String topic, String... names) {
        Answers answers = new Answers();
        for (String name : names) {
            topic(loop, topic).target("publisher").offer(Messages.durable(name), answers);
        }
        scene.settle();
        return answers;
    }

    @Test
    void whoeverJoinsADurableSubscriptionWaitsUntilItIsOnDisk() {
        Link link = new Link("a", "a", "1");
        Request request = Request.toReceive("news", Optional.of(NodeType.TOPIC), link, SHARED_DURABLE);
        topic(0, "news");
        Opened first = scene.open(0, request);
        Opened second = scene.open(0, request);
        scene.runLoops();
        assertEquals(List.of(), first.nodes);
        assertEquals(List.of(), second.nodes);
        scene.settle();

        assertEquals(1, first.nodes.size());
        assertEquals(1, second.nodes.size());
    }

    @Test
    void whatNoMemoryIsLeftForComesToAllSubscriptionsOrNoneWhileTheStoreIsFull() {
        scene = BrokerScene.withMemory("2MiB");
        List<Recipient> all = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            Opened opened = ask(0, "news", "c" + i, "s", Terms.PLAIN);
            all.add(new Recipient(opened.node().source()).attached());
        }
        scene.journal.setRoom(new Room(false, "full"));
        Answers answers = new Answers();
        for (int i = 0; i < 200; i++) {
            topic(0, "news").target("p").offer(Messages.message("m" + i, false, 10_007), answers);
            scene.settle();
        }
        scene.journal.setRoom(Room.YES);
        all.forEach(each -> each.credit(1000));
        for (int turn = 0; turn < 3; turn++) {
            // Some hold much, and go on when they have settled it.
            scene.settle();
            all.forEach(Recipient::acceptAll);
        }
        long accepted =
                answers.outcomes.stream().filter(Outcome.ACCEPTED::equals).count();

        assertTrue(accepted > 0 && accepted < 200);
        all.forEach(each -> assertEquals(accepted, each.names().size()));
    }

    @Nested
    class Publishing {
        @Test
        void reachesEverySubscriptionOnEveryLoopInOrder() {
            Recipient here = consume(ask(0, "news", "a", "1", Terms.PLAIN));
            Recipient there = consume(ask(1, "news", "b", "1", Terms.PLAIN));
            Recipient wild = consume(ask(1, "#", "b", "2", Terms.PLAIN));
            publish(0, "news", "a", "b");
            publish(1, "news", "c");

            for (Recipient each : List.of(here, there, wild)) {
                assertEquals(List.of("a", "b", "c"), each.names());
            }
        }

        @Test
        void inATransactionThatMemoryDoesNotHoldForAllSubscriptionsReachesNone() {
            scene = BrokerScene.withMemory("1MiB");
            for (int i = 0; i < 6; i++) {
                ask(0, "news", "c" + i, "1", DURABLE);
            }
            Target news = topic(0, "news").target("publisher");
            LocalTransaction transaction = scene.broker.nodes(0).begin();
            Answers sent = new Answers();
            for (int i = 0; i < 10; i++) {
                transaction.offer(news, Messages.message("m" + i, true, 20_000), sent);
            }
            Answers committed = new Answers();
            transaction.discharge(false, committed);
            scene.settle();

            assertTrue(sent.outcomes.stream().anyMatch(outcome -> outcome instanceof Outcome.Rejected));
            assertEquals("transaction-bytes", committed.refusal().info().get("reason"));
            assertEquals(0, scene.journal.messages().size());
        }

        @Test
        void isAcceptedAndGoneWhenNobodySubscribes() {
            Answers answers = publish(1, "news", "a");

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(0, scene.journal.messages().size());
        }

        @Test
        void isAnsweredWhenAllDurableSubscriptionsHaveItOnDiskAsOneBody() {
            ask(0, "news", "a", "1", DURABLE);
            ask(1, "news", "b", "1", DURABLE);
            ask(1, "news", "c", "1", Terms.PLAIN);
            Answers answers = new Answers();
            topic(0, "news").target("publisher").offer(Messages.durable("a"), answers);
            scene.runLoops();
            assertEquals(List.of(), answers.outcomes);
            scene.settle();

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            List<StoredMessage> stored = scene.journal.messages();
            assertEquals(2, stored.size());
            assertNotEquals(0, stored.get(0).details().body());
            assertEquals(stored.get(0).details().body(), stored.get(1).details().body());
        }

        @Test
        void toOneDurableSubscriptionNeedsNoSharedBodyAndToVolatileOnesNoDisk() {
            ask(0, "news", "a", "1", DURABLE);
            ask(0, "news", "b", "1", Terms.PLAIN);
            ask(0, "weather", "b", "2", Terms.PLAIN);
            publish(0, "news", "a");
            publish(0, "weather", "b");

            List<StoredMessage> stored = scene.journal.messages();
            assertEquals(1, stored.size());
            assertEquals(0, stored.get(0).details().body());
        }

        @Test
        void isRefusedAsAWholeWhenOneSubscriptionIsFullAndRejects() {
            scene = withTopic("news", WhenFull.REJECT);
            Opened slow = ask(0, "news", "slow", "1", Terms.PLAIN);
            Recipient quick = consume(ask(1, "news", "quick", "1", Terms.PLAIN));
            publish(1, "news", "a");
            quick.acceptAll();
            Answers answers = publish(1, "news", "b");

            assertEquals(Condition.RESOURCE_LIMIT_EXCEEDED, answers.refusal().symbol());
            assertEquals(List.of("a"), quick.names());
            leave(0, slow, Departure.CLOSED);
            assertEquals(List.of(Outcome.ACCEPTED), publish(1, "news", "c").outcomes);
            assertEquals(List.of("a", "c"), quick.names());
        }

        @Test
        void goesOnForTheOthersWhenAFullSubscriptionDropsItsOldest() {
            scene = withTopic("news", WhenFull.DROP_OLDEST);
            Opened slow = ask(0, "news", "slow", "1", Terms.PLAIN);
            Opened holding = ask(0, "news", "holding", "1", Terms.PLAIN);
            Recipient holder = consume(holding);
            Recipient quick = consume(ask(1, "news", "quick", "1", Terms.PLAIN));
            quick.onDelivery = (self, delivery) -> self.acceptAll();
            Answers answers = publish(1, "news", "a", "b", "c");

            assertEquals(
                    3,
                    answers.outcomes.stream().filter(Outcome.ACCEPTED::equals).count());
            assertEquals(List.of("a", "b", "c"), quick.names());
            assertEquals(List.of("c"), consume(slow).names());
            assertEquals(List.of("a"), holder.names());
        }

        private BrokerScene withTopic(String name, WhenFull full) {
            QueueSettings settings = Config.defaults()
                    .queueDefaults()
                    .withLimits(Optional.of(1L), Optional.empty(), full)
                    .withHold(Duration.ZERO);
            Config config = Config.defaults().withTopics(List.of(new TopicDefinition(name, settings)));
            return new BrokerScene(config, new InMemoryJournal(), 2);
        }

        @Test
        void deadMessagesOfASubscriptionGoToTheDeadLetterQueueOfItsTopic() {
            Opened opened = ask(1, "news", "a", "1", DURABLE);
            Recipient consumer = consume(opened);
            publish(0, "news", "a");
            consumer.settle("a", new Outcome.Rejected(Optional.empty()));
            scene.settle();

            assertEquals(1, scene.messages("news.dlq"));
            assertEquals(1, scene.journal.messages().size());
        }
    }

    @Nested
    class Durable {
        @Test
        void keepsItsMessagesWithoutALinkAndOverARestart() throws SelectorException {
            Opened opened = ask(1, "news.*", "a", "mine", DURABLE);
            leave(1, opened, Departure.CONNECTION_CLOSED);
            publish(0, "news.sport", "a");
            scene = scene.restarted();
            publish(1, "news.sport", "b");
            publish(1, "news.other", "c");

            assertEquals(
                    List.of("a", "b", "c"),
                    consume(ask(0, "news.*", "a", "mine", DURABLE)).names());
        }

        @Test
        void isWhatItWasAfterARestart() throws SelectorException {
            leave(0, ask(0, "news", "publisher", "mine", durableWith("a = 1 OR TRUE", true)), Departure.DETACHED);
            scene = scene.restarted();
            publish(0, "news", "own");
            topic(0, "news").target("other").offer(Messages.durable("theirs"), new Answers());
            scene.settle();
            Opened again = ask(0, "news", "publisher", "mine", durableWith("a = 1 OR TRUE", true));

            assertEquals(List.of("theirs"), consume(again).names());
        }

        @Test
        void isLetInOnlyWhenItIsInTheJournal() {
            topic(0, "news");
            Link link = new Link("a", "a", "mine");
            Opened opened = scene.open(0, Request.toReceive("news", Optional.empty(), link, DURABLE));
            scene.runLoops();
            assertEquals(List.of(), opened.nodes);
            scene.settle();
            opened.node();
        }

        @Test
        void belongsToItsContainerAndToOneLinkAtATime() {
            Opened first = ask(0, "news", "a", "mine", DURABLE);
            Condition refusal = ask(1, "news", "a", "mine", DURABLE).refusal();
            assertEquals(Condition.RESOURCE_LOCKED, refusal.symbol());
            assertTrue(refusal.description().contains("'mine'"), refusal.description());
            ask(1, "news", "b", "mine", DURABLE).node();
            leave(0, first, Departure.DETACHED);
            ask(1, "news", "a", "mine", DURABLE).node();
        }

        @Test
        void aLinkThatComesRightAfterItsPredecessorFindsItGone() {
            Opened first = ask(1, "news", "a", "mine", DURABLE);
            Recipient consumer = consume(first);
            publish(0, "news", "a");
            consumer.detach(false);
            scene.broker.nodes(1).release(first.node(), first, Departure.DETACHED);
            Link link = new Link("a", "a", "mine");
            Opened second = scene.open(1, Request.toReceive("news", Optional.empty(), link, DURABLE));
            scene.settle();

            assertEquals(List.of("a"), consume(second).names());
        }

        @Test
        void beginsAnewOnOtherTerms() throws SelectorException {
            leave(0, ask(0, "news", "a", "mine", DURABLE), Departure.DETACHED);
            publish(0, "news", "a");
            Opened changed = ask(0, "news", "a", "mine", durableWith("TRUE", false));
            assertEquals(List.of(), consume(changed).names());
            leave(0, changed, Departure.DETACHED);
            publish(0, "news", "b");
            leave(0, ask(0, "weather", "a", "mine", DURABLE), Departure.DETACHED);
            publish(0, "news", "c");

            assertEquals(0, scene.journal.messages().size());
            assertEquals(
                    List.of(), consume(ask(0, "weather", "a", "mine", DURABLE)).names());
        }

        @Test
        void endsWhenItsLinkIsClosed() {
            Opened opened = ask(1, "news", "a", "mine", DURABLE);
            Recipient consumer = consume(opened);
            publish(0, "news", "a");
            leave(1, opened, consumer, Departure.CLOSED);

            assertEquals(List.of(), consumer.closed);
            assertEquals(1, scene.journal.recover().size());
            assertEquals(0, scene.journal.messages().size());
        }

        @Test
        void isLookedUpByItsNameAndEndedWhenNobodyUsesIt() {
            Opened opened = ask(1, "news", "a", "mine|2", SHARED_DURABLE);
            Link link = new Link("any", "a", "mine");
            Opened found = scene.open(0, Request.toLookUp(link, false));
            scene.settle();
            assertEquals("news", found.node().address());
            assertTrue(found.node().subscription().orElseThrow().shared());
            List<Optional<Condition>> results = new ArrayList<>();
            scene.broker.nodes(0).unsubscribe(found.node(), results::add);
            scene.settle();
            assertEquals(Condition.RESOURCE_LOCKED, results.get(0).orElseThrow().symbol());

            leave(1, opened, Departure.DETACHED);
            scene.broker.nodes(0).unsubscribe(found.node(), results::add);
            scene.runLoops();
            assertEquals(1, results.size());
            scene.settle();
            assertEquals(Optional.empty(), results.get(1));
            Opened gone = scene.open(0, Request.toLookUp(link, false));
            scene.settle();
            assertEquals(Condition.NOT_FOUND, gone.refusal().symbol());
        }
    }

    @Nested
    class Shared {
        @Test
        void nameAloneCountsUpToTheBarAndVolatileAndDurableAreTwo() {
            Recipient first = consume(ask(0, "news", "a", "team|volatile1", SHARED));
            Recipient second = consume(ask(1, "news", "a", "team|volatile2", SHARED));
            Recipient durable = consume(ask(1, "news", "a", "team", SHARED_DURABLE));
            publish(0, "news", "a", "b");

            assertEquals(1, first.names().size());
            assertEquals(1, second.names().size());
            assertEquals(List.of("a", "b"), durable.names());
        }

        @Test
        void ofNoContainerIsTheSameForAll() {
            Terms global = new Terms(false, true, true, Optional.empty(), false, Lifetime.OF_LINK);
            Recipient first = consume(ask(0, "news", "a", "team|global-volatile1", global));
            Recipient second = consume(ask(1, "news", "b", "team|global-volatile1", global));
            publish(0, "news", "a", "b");

            assertEquals(1, first.names().size());
            assertEquals(1, second.names().size());
        }

        @Test
        void hasOneTopicAndSelectorWhileItIsInUse() {
            Opened first = ask(0, "news", "a", "team", SHARED);
            assertEquals(
                    Condition.RESOURCE_LOCKED,
                    ask(0, "weather", "a", "team|2", SHARED).refusal().symbol());
            leave(0, first, Departure.DETACHED);
            ask(0, "weather", "a", "team|2", SHARED).node();
        }

        @Test
        void aVolatileOneEndsWithItsLastLinkAndADurableOneStays() {
            Opened first = ask(0, "news", "a", "team", SHARED);
            Opened second = ask(1, "news", "a", "team|2", SHARED);
            leave(0, first, Departure.CLOSED);
            publish(0, "news", "a");
            assertEquals(List.of("a"), consume(second).names());
            leave(1, second, Departure.DETACHED);
            publish(0, "news", "b");
            assertEquals(List.of(), consume(ask(0, "news", "a", "team", SHARED)).names());
        }

        @Test
        void isNeverTheSameAsAnExclusiveOneOfItsName() {
            leave(0, ask(0, "news", "a", "mine", DURABLE), Departure.DETACHED);

            assertEquals(
                    Condition.NOT_ALLOWED,
                    ask(0, "news", "a", "mine", SHARED_DURABLE).refusal().symbol());
        }
    }

    @Nested
    class Lifetimes {
        @Test
        void aSubscriptionOutlivesItsLinkByItsTimeout() {
            Terms terms = lasting(new Lifetime(Lifetime.Until.LINK_DETACH, Duration.ofSeconds(10)));
            leave(1, ask(1, "news", "a", "mine", terms), Departure.DETACHED);
            publish(0, "news", "a");
            scene.loops.get(0).advance(9_000);
            scene.settle();
            Opened again = ask(1, "news", "a", "mine", terms);
            assertEquals(List.of("a"), consume(again).names());
            scene.loops.get(0).advance(60_000);
            scene.settle();
            leave(1, again, Departure.CONNECTION_CLOSED);
            scene.loops.get(0).advance(10_000);
            scene.settle();
            publish(0, "news", "b");

            assertEquals(List.of(), consume(ask(1, "news", "a", "mine", terms)).names());
        }

        @Test
        void theCountdownBeginsWithTheEndOfWhatThePolicyNames() {
            Terms ofSession = lasting(new Lifetime(Lifetime.Until.SESSION_END, Duration.ZERO));
            Terms ofConnection = lasting(new Lifetime(Lifetime.Until.CONNECTION_CLOSE, Duration.ZERO));
            Opened one = ask(0, "news", "a", "one", ofSession);
            Opened two = ask(0, "news", "a", "two", ofConnection);
            leave(0, one, Departure.DETACHED);
            leave(0, two, Departure.DETACHED);
            leave(0, two, Departure.SESSION_ENDED);
            publish(0, "news", "a");
            Opened oneAgain = ask(0, "news", "a", "one", ofSession);
            Opened twoAgain = ask(0, "news", "a", "two", ofConnection);
            assertEquals(List.of("a"), consume(oneAgain).names());
            assertEquals(List.of("a"), consume(twoAgain).names());

            leave(0, oneAgain, Departure.SESSION_ENDED);
            leave(0, twoAgain, Departure.CONNECTION_CLOSED);
            publish(0, "news", "b");
            assertEquals(
                    List.of(), consume(ask(0, "news", "a", "one", ofSession)).names());
            assertEquals(
                    List.of(), consume(ask(0, "news", "a", "two", ofConnection)).names());
        }

        @Test
        void twoLinksOfOneNameOfTwoConnectionsAreTwoSubscriptions() {
            Recipient first = consume(ask(0, "news", "a", "receiver", Terms.PLAIN));
            Recipient second = consume(ask(1, "news", "a", "receiver", Terms.PLAIN));
            publish(0, "news", "a");

            assertEquals(List.of("a"), first.names());
            assertEquals(List.of("a"), second.names());
        }
    }

    @Nested
    class Kinds {
        @Test
        void prefixesAndCapabilitiesDecideAndMustAgree() {
            Link link = new Link("a", "a", "x");
            Opened byPrefix = scene.open(0, Request.toSend("topic://news", Optional.empty(), link));
            Opened contradiction = scene.open(0, Request.toSend("topic://news", Optional.of(NodeType.QUEUE), link));
            Opened queue = scene.open(1, Request.toSend("orders", Optional.empty(), link));
            scene.settle();
            assertEquals(NodeType.TOPIC, byPrefix.node().type());
            assertEquals(NodeType.QUEUE, queue.node().type());
            assertEquals(Condition.INVALID_FIELD, contradiction.refusal().symbol());

            Opened asQueue = scene.open(1, Request.toSend("queue://news", Optional.empty(), link));
            Opened asItIs = scene.open(1, Request.toSend("/news", Optional.empty(), link));
            scene.settle();
            assertEquals(Condition.NOT_ALLOWED, asQueue.refusal().symbol());
            assertTrue(asQueue.refusal().description().contains("'news' is a topic"));
            assertEquals(NodeType.TOPIC, asItIs.node().type());
        }

        @Test
        void twoWhoAskForDifferentThingsAtOnceGetOneAndARefusal() {
            Link link = new Link("a", "a", "x");
            Opened topic = scene.open(0, Request.toSend("news", Optional.of(NodeType.TOPIC), link));
            Opened queue = scene.open(0, Request.toSend("news", Optional.of(NodeType.QUEUE), link));
            scene.settle();

            assertEquals(NodeType.TOPIC, topic.node().type());
            assertEquals(Condition.NOT_ALLOWED, queue.refusal().symbol());
        }

        @Test
        void configuredTopicsAndThoseOfRulesAreThereForClientsThatSayNothing() {
            Config config = Config.defaults()
                    .withTopics(List.of(new TopicDefinition("news", QueueSettings.DEFAULT)))
                    .withAutoCreate(List.of(new Config.AutoCreateRule("*.events", true, true, QueueSettings.DEFAULT)));
            scene = new BrokerScene(config, new InMemoryJournal(), 2);
            Link link = new Link("a", "a", "x");
            for (String address : List.of("news", "car.events")) {
                Opened opened = scene.open(1, Request.toReceive(address, Optional.empty(), link, Terms.PLAIN));
                scene.settle();
                assertTrue(opened.node().subscription().isPresent(), address);
            }
            Opened refused = scene.open(1, Request.toSend("else", Optional.of(NodeType.TOPIC), link));
            scene.settle();
            assertEquals(Condition.NOT_FOUND, refused.refusal().symbol());

            scene = scene.restarted();
            assertEquals(NodeType.TOPIC, scene.node(0, "car.events").type());
        }

        @Test
        void nobodySendsToAPattern() {
            Opened opened =
                    scene.open(0, Request.toSend("news.*", Optional.of(NodeType.TOPIC), new Link("a", "a", "x")));
            scene.settle();

            assertEquals(Condition.INVALID_FIELD, opened.refusal().symbol());
        }
    }

    @Nested
    class TemporaryTopics {
        @Test
        void dieWithTheirMakerAndTakeSubscriptionsAlong() {
            Opened maker = new Opened();
            Link link = new Link("a", "a", "maker");
            scene.broker.nodes(1).openTemporary(NodeType.TOPIC, link, maker);
            scene.settle();
            String address = maker.node().address();
            assertTrue(address.startsWith("temp-topic/"), address);
            Recipient own = consume(ask(1, address, "a", "1", Terms.PLAIN));
            Opened foreign = ask(0, address, "b", "1", Terms.PLAIN);
            assertEquals(Condition.RESOURCE_LOCKED, foreign.refusal().symbol());
            publish(0, address, "a");
            assertEquals(List.of("a"), own.names());

            assertEquals(
                    Condition.NOT_ALLOWED,
                    ask(1, address, "a", "2", DURABLE).refusal().symbol());
            leave(1, maker, Departure.CLOSED);
            assertEquals(Condition.RESOURCE_DELETED, own.closed.get(0).symbol());
            assertEquals(0, scene.journal.recover().size());
        }
    }
}
