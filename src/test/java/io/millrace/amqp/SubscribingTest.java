package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.broker.Lifetime;
import io.millrace.broker.NodeType;
import io.millrace.broker.Request;
import io.millrace.broker.Terms;
import io.millrace.message.Condition;
import io.millrace.queue.Delivery;
import io.millrace.queue.Messages;
import io.millrace.queue.Selection;
import io.millrace.selector.Selector;
import io.millrace.selector.SelectorException;
import java.time.Duration;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.apache.qpid.proton.amqp.DescribedType;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.messaging.TerminusDurability;
import org.apache.qpid.proton.amqp.messaging.TerminusExpiryPolicy;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What peers ask of a source, what reaches the broker of it, and what the answer says is in force. */
class SubscribingTest {
    private static final UnsignedLong SELECTOR = UnsignedLong.valueOf(0x468C00000004L);
    private static final UnsignedLong NO_LOCAL = UnsignedLong.valueOf(0x468C00000003L);
    private static final Symbol TOPIC = Symbol.valueOf("topic");
    private static final Symbol SHARED = Symbol.valueOf("shared");
    private static final Symbol GLOBAL = Symbol.valueOf("global");

    private final Peer peer = new Peer().begin();

    private record Filter(Object descriptor, Object described) implements DescribedType {
        @Override
        public Object getDescriptor() {
            return descriptor;
        }

        @Override
        public Object getDescribed() {
            return described;
        }
    }

    private static Attach receiver(String address, Map<String, Object> filters) {
        Attach attach = Peer.receiver(0, address);
        Map<Symbol, Object> set = new LinkedHashMap<>();
        filters.forEach((key, filter) -> set.put(Symbol.valueOf(key), filter));
        source(attach).setFilter(set);
        return attach;
    }

    private static Source source(Attach attach) {
        return (Source) attach.getSource();
    }

    private FakeQueue topic(Terms terms) {
        FakeQueue topic = peer.nodes.add("news");
        topic.type = NodeType.TOPIC;
        topic.terms = Optional.of(terms);
        return topic;
    }

    private Source attached(Attach attach) {
        peer.send(attach);
        return source(peer.expect(Attach.class));
    }

    private Request request() {
        return peer.nodes.requests.get(peer.nodes.requests.size() - 1);
    }

    private static Detach detach(boolean closed) {
        Detach detach = new Detach();
        detach.setHandle(UnsignedInteger.ZERO);
        detach.setClosed(closed);
        return detach;
    }

    private record Fresh(String name) implements Delivery {
        @Override
        public io.millrace.message.Message message() {
            return Messages.durable(name);
        }

        @Override
        public int deliveryCount() {
            return name.length();
        }

        @Override
        public boolean firstAcquirer() {
            return true;
        }

        @Override
        public long expiryMillis() {
            return 0;
        }
    }

    @Nested
    class Filters {
        @Test
        void aSelectorIsKnownByEitherDescriptorUnderAnyKeyAndChoosesOnAQueue() {
            for (Object descriptor : List.of(SELECTOR, Symbol.valueOf("apache.org:selector-filter:string"))) {
                Peer other = new Peer().begin();
                FakeQueue queue = other.nodes.add("q");
                other.send(receiver("q", Map.of("any", new Filter(descriptor, "JMSXDeliveryCount = 3"))));
                Source answer = source(other.expect(Attach.class));

                assertEquals(Set.of(Symbol.valueOf("any")), answer.getFilter().keySet());
                assertTrue(queue.selection.filter().orElseThrow().test(new Fresh("ab")));
                assertFalse(queue.selection.filter().orElseThrow().test(new Fresh("abc")));
            }
        }

        @Test
        void aBareStringIsASelectorIfItsKeySaysSo() {
            FakeQueue queue = peer.nodes.add("q");
            Source answer = attached(receiver("q", Map.of("jms-selector", "FALSE", "com.example:session", "FALSE = ")));

            assertEquals(Map.of(Symbol.valueOf("jms-selector"), "FALSE"), answer.getFilter());
            assertFalse(queue.selection.filter().orElseThrow().test(new Fresh("a")));
        }

        @Test
        void whatIsNotKnownOrNotForThisKindOfNodeIsNotInTheAnswer() {
            FakeQueue queue = peer.nodes.add("q");
            Source answer = attached(receiver(
                    "q",
                    Map.of(
                            "x", new Filter(Symbol.valueOf("example:else"), "a"),
                            "no-local", new Filter(NO_LOCAL, List.of()))));

            assertNull(answer.getFilter());
            assertEquals(Optional.empty(), queue.selection.filter());
        }

        @Test
        void aSelectorThatIsWrongRefusesTheLinkWithThePosition() {
            peer.nodes.add("q");
            peer.send(receiver("q", Map.of("s", new Filter(SELECTOR, "a = = 1"))));

            assertNull(peer.expect(Attach.class).getSource());
            ErrorCondition error = peer.expectDetach(Condition.INVALID_FIELD);
            assertTrue(error.getDescription().contains("character 5"), error.getDescription());
        }

        @Test
        void allOfThemMustPassAndFilterExpressionsAreFilters() {
            FakeQueue queue = peer.nodes.add("q");
            Source answer = attached(receiver(
                    "q",
                    Map.of(
                            "a", new Filter(SELECTOR, "JMSXDeliveryCount = 2 OR JMSXDeliveryCount = 3"),
                            "b", new Filter(SELECTOR, "JMSXDeliveryCount <> 2"),
                            "c", new Filter(Symbol.valueOf("amqp:sql-filter"), "header.priority = 4"))));

            assertEquals(3, answer.getFilter().size());
            Predicate<Delivery> filter = queue.selection.filter().orElseThrow();
            assertFalse(filter.test(new Fresh("a")));
            assertTrue(filter.test(new Fresh("ab")));
            assertFalse(filter.test(new Fresh("abc")));
        }

        @Test
        void aPropertiesFilterComparesFieldsAndCannotBeKeptByADurableSubscription() {
            for (Object descriptor : List.of(UnsignedLong.valueOf(0x174), UnsignedLong.valueOf(0x173))) {
                Peer other = new Peer().begin();
                FakeQueue queue = other.nodes.add("q");
                Attach attach = receiver("q", Map.of("p", new Filter(descriptor, Map.of("subject", "x"))));
                other.send(attach);
                assertEquals(1, source(other.expect(Attach.class)).getFilter().size());
                assertFalse(queue.selection.filter().orElseThrow().test(new Fresh("a")));
            }
            Attach durable = receiver("q", Map.of("p", new Filter(UnsignedLong.valueOf(0x174), Map.of("a", 1))));
            source(durable).setDurable(TerminusDurability.CONFIGURATION);
            source(durable).setExpiryPolicy(TerminusExpiryPolicy.NEVER);
            peer.send(durable);
            assertNull(peer.expect(Attach.class).getSource());
            peer.expectDetach(Condition.NOT_IMPLEMENTED);
        }

        @Test
        void onATopicTheyAreTermsOfTheSubscription() throws SelectorException {
            FakeQueue topic =
                    topic(new Terms(false, false, false, Optional.of(Selector.parse("a = 1")), true, Lifetime.OF_LINK));
            Attach attach =
                    receiver("news", Map.of("s", new Filter(SELECTOR, "a = 1"), "n", new Filter(NO_LOCAL, List.of())));
            Source answer = attached(attach);

            assertEquals(
                    Set.of(Symbol.valueOf("s"), Symbol.valueOf("n")),
                    answer.getFilter().keySet());
            assertEquals("a = 1", request().terms().selector().orElseThrow().text());
            assertTrue(request().terms().noLocal());
            assertEquals(Optional.empty(), topic.selection.filter());
        }

        @Test
        void whereToBeginAndThePriorityReachTheQueue() {
            FakeQueue queue = peer.nodes.add("q");
            Attach attach = receiver(
                    "q", Map.of("o", new Filter(Symbol.valueOf("rabbitmq:stream-offset-spec"), new Date(4711))));
            attach.setProperties(Map.of(Symbol.valueOf("rabbitmq:priority"), 7));
            Source answer = attached(attach);

            assertEquals(1, answer.getFilter().size());
            assertEquals(new Selection.Start(Selection.Start.Kind.TIME, 4711), queue.selection.start());
            assertEquals(7, queue.selection.priority());
        }
    }

    @Nested
    class TermsOfASubscription {
        @Test
        void comeFromCapabilitiesDurabilityAndExpiryAndAreAnsweredAsTheyAreInForce() {
            Lifetime forEver = new Lifetime(Lifetime.Until.NEVER, Duration.ZERO);
            FakeQueue topic = topic(new Terms(true, true, false, Optional.empty(), false, forEver));
            Attach attach = Peer.receiver(0, "news");
            source(attach).setCapabilities(TOPIC, SHARED, GLOBAL, Symbol.valueOf("else"));
            source(attach).setDurable(TerminusDurability.CONFIGURATION);
            source(attach).setExpiryPolicy(TerminusExpiryPolicy.NEVER);
            source(attach).setDistributionMode(Symbol.valueOf("copy"));
            Source answer = attached(attach);

            assertEquals(Optional.of(NodeType.TOPIC), request().type());
            assertEquals(
                    new Terms(true, true, true, Optional.empty(), false, forEver),
                    request().terms());
            assertEquals("client", request().link().container());
            assertEquals("link0", request().link().name());
            assertArrayEquals(new Symbol[] {TOPIC, SHARED}, answer.getCapabilities());
            assertEquals(TerminusDurability.CONFIGURATION, answer.getDurable());
            assertEquals(TerminusExpiryPolicy.NEVER, answer.getExpiryPolicy());
            assertFalse(topic.selection.browse());
        }

        @Test
        void areNotDurableUnlessTheyNeverExpire() {
            topic(Terms.PLAIN);
            Attach attach = Peer.receiver(0, "news");
            source(attach).setDurable(TerminusDurability.UNSETTLED_STATE);
            source(attach).setExpiryPolicy(TerminusExpiryPolicy.CONNECTION_CLOSE);
            source(attach).setTimeout(UnsignedInteger.valueOf(60));
            Source answer = attached(attach);

            assertFalse(request().terms().durable());
            assertEquals(
                    new Lifetime(Lifetime.Until.CONNECTION_CLOSE, Duration.ofMinutes(1)),
                    request().terms().lifetime());
            assertEquals(TerminusDurability.NONE, answer.getDurable());
        }

        @Test
        void copyIsToBrowseOnAQueueOnly() {
            FakeQueue queue = peer.nodes.add("q");
            Attach attach = Peer.receiver(0, "q");
            source(attach).setDistributionMode(Symbol.valueOf("copy"));
            attached(attach);

            assertTrue(queue.selection.browse());
        }
    }

    @Nested
    class Leaving {
        private final Lifetime ofConnection = new Lifetime(Lifetime.Until.CONNECTION_CLOSE, Duration.ZERO);

        private void attach() {
            topic(new Terms(false, false, false, Optional.empty(), false, ofConnection));
            attached(Peer.receiver(0, "news"));
        }

        @Test
        void tellsTheBrokerWhetherTheLinkWasClosed() {
            attach();
            peer.send(detach(true));
            assertTrue(peer.expect(Detach.class).getClosed());
            assertEquals(List.of("news CLOSED"), peer.nodes.departures);
        }

        @Test
        void ofALinkThatMayComeBackIsToldAgainWhenItsSessionAndItsConnectionEnd() {
            attach();
            peer.send(detach(false));
            assertFalse(peer.expect(Detach.class).getClosed());
            assertEquals(List.of("news DETACHED"), peer.nodes.departures);
            peer.send(new End());
            peer.expect(End.class);
            peer.send(new Close());

            assertEquals(
                    List.of("news DETACHED", "news SESSION_ENDED", "news CONNECTION_CLOSED"), peer.nodes.departures);
        }

        @Test
        void withTheSessionOrTheConnectionIsToldAsThat() {
            attach();
            peer.send(new End());
            assertEquals(List.of("news SESSION_ENDED"), peer.nodes.departures);
            Peer lost = new Peer().begin();
            lost.nodes.add("q");
            lost.send(Peer.receiver(0, "q"));
            lost.connection.lost();
            assertEquals(List.of("q CONNECTION_CLOSED"), lost.nodes.departures);
        }

        @Test
        void beforeTheAnswerIsThereGivesTheNodeBack() {
            topic(Terms.PLAIN);
            peer.nodes.hold = true;
            peer.send(Peer.receiver(0, "news"));
            peer.send(detach(true));
            assertEquals(List.of(), peer.nodes.departures);
            peer.nodes.releaseHeld();
            peer.loop.runAll();

            assertEquals(List.of("news CLOSED"), peer.nodes.departures);
        }

        @Test
        void whenItsNameIsStolenComesBeforeTheNewLinkIsAskedFor() {
            attach();
            Attach second = Peer.receiver(1, "news");
            second.setName("link0");
            peer.send(second);

            peer.expectDetach(Condition.LINK_STOLEN);
            peer.expect(Attach.class);
            assertEquals(List.of("news DETACHED"), peer.nodes.departures);
            assertEquals(2, peer.nodes.requests.size());
        }

        @Test
        void ofTheNodeDetachesTheSender() {
            FakeQueue queue = peer.nodes.add("q");
            peer.attachSender(0, "q");
            peer.nodes.delete(queue);
            peer.loop.runAll();

            assertTrue(peer.expectDetach(Condition.RESOURCE_DELETED)
                    .getDescription()
                    .contains("q"));
        }
    }

    @Nested
    class LookingUp {
        private Attach lookUp(String name) {
            Attach attach = Peer.receiver(0, "x");
            attach.setName(name);
            attach.setSource(null);
            return attach;
        }

        private void subscription() throws SelectorException {
            topic(new Terms(
                    true,
                    true,
                    true,
                    Optional.of(Selector.parse("a = 1")),
                    true,
                    new Lifetime(Lifetime.Until.NEVER, Duration.ZERO)));
        }

        @Test
        void isAnsweredWithTheSubscriptionAsItIs() throws SelectorException {
            subscription();
            Attach attach = lookUp("news");
            attach.setDesiredCapabilities(SHARED, GLOBAL);
            Source answer = attached(attach);

            assertTrue(request().terms().global());
            assertEquals("news", answer.getAddress());
            assertEquals(TerminusDurability.UNSETTLED_STATE, answer.getDurable());
            assertEquals(TerminusExpiryPolicy.NEVER, answer.getExpiryPolicy());
            assertEquals(Symbol.valueOf("copy"), answer.getDistributionMode());
            assertArrayEquals(new Symbol[] {TOPIC, SHARED, GLOBAL}, answer.getCapabilities());
            DescribedType selector = (DescribedType) answer.getFilter().get(Symbol.valueOf("jms-selector"));
            assertEquals(SELECTOR, selector.getDescriptor());
            assertEquals("a = 1", selector.getDescribed());
            assertEquals(2, answer.getFilter().size());
        }

        @Test
        void andClosingEndsTheSubscriptionAndIsAnsweredWhenThatIsDone() throws SelectorException {
            subscription();
            attached(lookUp("news"));
            peer.nodes.hold = true;
            peer.send(detach(true));
            peer.expectNothing();
            peer.nodes.releaseHeld();
            peer.loop.runAll();
            assertNull(peer.expect(Detach.class).getError());
            peer.nodes.hold = false;

            attached(lookUp("news"));
        }

        @Test
        void andClosingIsAnsweredWithTheReasonWhenTheSubscriptionIsInUse() throws SelectorException {
            subscription();
            peer.nodes.unsubscribing = Optional.of(new Condition(Condition.RESOURCE_LOCKED, "in use"));
            attached(lookUp("news"));
            peer.send(detach(true));

            assertEquals("in use", peer.expectDetach(Condition.RESOURCE_LOCKED).getDescription());
        }

        @Test
        void stealsTheNameOfNoLinkAndReceivesNothing() throws SelectorException {
            subscription();
            Attach consumer = Peer.receiver(1, "news");
            consumer.setName("news");
            attached(consumer);
            Attach attach = lookUp("news");
            attached(attach);
            Flow drain = Peer.credit(0, 0, 5);
            drain.setDrain(true);
            peer.send(drain);
            Flow answer = peer.expect(Flow.class);

            assertEquals(5, answer.getDeliveryCount().intValue());
            peer.expectNothing();
        }
    }

    @Nested
    class DynamicTopics {
        @Test
        void asASourceAreMadeAndSubscribedToAndDieWithTheLink() {
            Attach attach = Peer.receiver(0, null);
            source(attach).setDynamic(true);
            source(attach).setCapabilities(Symbol.valueOf("temporary-topic"));
            Source answer = attached(attach);

            assertEquals("temp-1", answer.getAddress());
            assertEquals("temp-1", request().address());
            assertEquals(Request.Use.RECEIVE, request().use());
            peer.send(detach(true));
            assertEquals(List.of("temp-1 CLOSED", "temp-1 CLOSED"), peer.nodes.departures);
            assertTrue(peer.nodes.queues.isEmpty());
        }

        @Test
        void asATargetAreAnsweredWithTheirAddress() {
            Attach attach = Peer.sender(0, null);
            ((Target) attach.getTarget()).setDynamic(true);
            ((Target) attach.getTarget()).setCapabilities(Symbol.valueOf("temporary-topic"));
            peer.send(attach);
            Target answer = (Target) peer.expect(Attach.class).getTarget();

            assertEquals("temp-1", answer.getAddress());
            assertEquals(NodeType.TOPIC, peer.nodes.queues.get("temp-1").type);
        }
    }
}
