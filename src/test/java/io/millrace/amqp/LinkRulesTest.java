package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.DeleteOnClose;
import org.apache.qpid.proton.amqp.messaging.DeleteOnNoLinks;
import org.apache.qpid.proton.amqp.messaging.DeleteOnNoLinksOrMessages;
import org.apache.qpid.proton.amqp.messaging.DeleteOnNoMessages;
import org.apache.qpid.proton.amqp.messaging.LifetimePolicy;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.messaging.Terminus;
import org.apache.qpid.proton.amqp.transaction.Coordinator;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The rules for links: attach, credit, drain, detach, and their nodes (AMQP 1.0, part 2, 2.6, 2.7.3, 2.7.7; part 3, 3.5). */
class LinkRulesTest {
    private final Peer peer = new Peer();
    private FakeQueue queue;

    @BeforeEach
    void begin() {
        peer.begin();
        queue = peer.nodes.add("q");
    }

    private void fill(int count) {
        for (int i = 0; i < count; i++) {
            try {
                queue.messages.add(Message.parse(Peer.message("m" + i), 0));
            } catch (MalformedMessageException e) {
                throw new AssertionError(e);
            }
        }
    }

    private static Flow echo(Flow flow) {
        flow.setEcho(true);
        return flow;
    }

    @Nested
    class Attaching {
        @Test
        void theAnswerHasTheNameAndTheOtherRole() {
            peer.send(Peer.sender(4, "q"), Peer.receiver(5, "q"));
            Attach first = peer.expect(Attach.class);
            assertEquals("link4", first.getName());
            assertEquals(Role.RECEIVER, first.getRole());
            Attach second = peer.expect(Attach.class);
            assertEquals("link5", second.getName());
            assertEquals(Role.SENDER, second.getRole());
            assertEquals(UnsignedInteger.ZERO, second.getInitialDeliveryCount());
        }

        @Test
        void oneThatIsRefusedIsToldApartFromOneThatIsDetached() {
            peer.send(Peer.receiver(6, "nowhere"));
            peer.expect(Attach.class);
            peer.expectDetach(Condition.NOT_FOUND);
            assertEquals(List.of("new link link6"), peer.ended);

            byte[] large = new byte[4000];
            peer.send(Peer.sender(7, "q"));
            peer.expect(Attach.class);
            peer.expect(Flow.class);
            for (int sent = 0; sent <= 100_000; sent += large.length) {
                Transfer part = Peer.transfer(7, 0);
                part.setMore(true);
                peer.send(Peer.frame(0, part, large));
            }
            peer.expectDetach(Condition.MESSAGE_SIZE_EXCEEDED);
            assertEquals(List.of("new link link6", "link link7"), peer.ended);
        }

        @Test
        void bothSidesChooseTheirHandles() {
            peer.send(Peer.receiver(6, "q"));
            assertEquals(0, peer.expect(Attach.class).getHandle().intValue());
            fill(1);
            peer.send(Peer.credit(6, 0, 1));
            assertEquals(
                    0, ((Transfer) peer.expectTransfer().body()).getHandle().intValue());
            peer.send(Peer.detach(6));
            assertEquals(0, peer.expect(Detach.class).getHandle().intValue());
        }

        @Test
        void aSenderWithoutAnInitialDeliveryCountEndsTheSession() {
            Attach attach = Peer.sender(0, "q");
            attach.setInitialDeliveryCount(null);
            peer.send(attach);
            peer.expectEnd(Condition.INVALID_FIELD);
        }

        @Test
        void aReceiversInitialDeliveryCountIsIgnored() {
            Attach attach = Peer.receiver(0, "q");
            attach.setInitialDeliveryCount(UnsignedInteger.valueOf(77));
            fill(2);
            peer.send(attach, Peer.credit(0, 0, 1));
            peer.expect(Attach.class);
            peer.expectTransfer();
            peer.expectNothing();
        }

        @Test
        void aSendersDeliveryCountMayStartAnywhereAndWrapAround() {
            Attach attach = Peer.sender(0, "q");
            attach.setInitialDeliveryCount(UnsignedInteger.valueOf(-2));
            peer.send(attach);
            peer.expect(Attach.class);
            assertEquals(-2, peer.expect(Flow.class).getDeliveryCount().intValue());
            peer.transfer(0, 0, Peer.message("a"), Peer.message("b"), Peer.message("c"), Peer.message("d"));
            peer.expectAccepted(0, 3);
            Flow flow = peer.expect(Flow.class);
            assertEquals(2, flow.getDeliveryCount().intValue());
            assertEquals(Peer.CREDIT, flow.getLinkCredit().intValue());
        }

        @Test
        void aTargetIsNeededToSendAndASourceToReceive() {
            Attach sender = Peer.sender(0, "q");
            sender.setTarget(null);
            Attach receiver = Peer.receiver(1, "q");
            receiver.setSource(null);
            peer.send(sender, receiver);
            assertNull(peer.expect(Attach.class).getTarget());
            peer.expectDetach(Condition.INVALID_FIELD);
            assertNull(peer.expect(Attach.class).getSource());
            peer.expectDetach(Condition.NOT_FOUND);
        }

        @Test
        void aRefusedLinkIsAttachedWithoutTheTerminusAndThenDetachedWithTheReason() {
            peer.send(Peer.sender(0, "nowhere"), Peer.receiver(1, "nowhere"));
            Attach sender = peer.expect(Attach.class);
            assertNull(sender.getTarget());
            peer.expectDetach(Condition.NOT_FOUND);
            Attach receiver = peer.expect(Attach.class);
            assertNull(receiver.getSource());
            assertNotNull(receiver.getInitialDeliveryCount());
            peer.expectDetach(Condition.NOT_FOUND);
            assertFalse(peer.socketClosed);
        }

        @Test
        void linksOfOneNameInTwoDirectionsAreTwoLinks() {
            Attach receiver = Peer.receiver(1, "q");
            receiver.setName("link0");
            peer.send(Peer.sender(0, "q"), receiver);
            peer.expect(Attach.class);
            peer.expect(Attach.class);
            peer.expect(Flow.class);
            peer.expectNothing();
        }

        @Test
        void theSameNameOnAnotherSessionStealsTheLink() {
            peer.attachSender(0, "q");
            peer.send(Peer.frame(1, Peer.newBegin()), Peer.frame(1, Peer.sender(3, "q")));
            peer.next();
            Attach again = Peer.sender(4, "q");
            again.setName("link0");
            peer.skip();
            peer.send(Peer.frame(1, again));
            Peer.Frame stolen = peer.next();
            assertEquals(0, stolen.channel());
            assertEquals(
                    Symbol.valueOf(Condition.LINK_STOLEN),
                    ((Detach) stolen.body()).getError().getCondition());
            assertEquals(1, peer.next().channel());
        }

        @Test
        void framesForALinkThatIsStillBeingAttachedAreKept() {
            peer.nodes.hold = true;
            fill(2);
            peer.send(Peer.receiver(0, "q"), Peer.credit(0, 0, 1));
            peer.expectNothing();
            peer.nodes.releaseHeld();
            peer.loop.runAll();
            peer.expect(Attach.class);
            peer.expectTransfer();
            peer.expectNothing();
        }
    }

    @Nested
    class Capabilities {
        private static final Symbol DELAYED = Symbol.valueOf("DELAYED_DELIVERY");

        private Attach answerTo(Attach attach, Symbol... desired) {
            attach.setDesiredCapabilities(desired);
            Peer other = new Peer().begin();
            other.nodes.add("q");
            other.send(attach);
            return other.expect(Attach.class);
        }

        @Test
        void delayedDeliveryIsOfferedToSendersThatDesireIt() {
            Symbol other = Symbol.valueOf("nobody-knows");
            assertArrayEquals(
                    new Symbol[] {DELAYED},
                    answerTo(Peer.sender(0, "q"), other, DELAYED).getOfferedCapabilities());
            assertArrayEquals(
                    new Symbol[] {DELAYED},
                    answerTo(Peer.sender(0, null), DELAYED).getOfferedCapabilities());
        }

        @Test
        void whatIsNotDesiredOrNotKnownIsNotOffered() {
            assertNull(answerTo(Peer.sender(0, "q")).getOfferedCapabilities());
            assertNull(answerTo(Peer.sender(0, "q"), Symbol.valueOf("nobody-knows"))
                    .getOfferedCapabilities());
            assertNull(answerTo(Peer.receiver(0, "q"), DELAYED).getOfferedCapabilities());
            Attach coordinator = Peer.sender(0, null);
            coordinator.setTarget(new Coordinator());
            assertNull(answerTo(coordinator, DELAYED).getOfferedCapabilities());
        }
    }

    @Nested
    class Idling {
        /** The peer shows that it lives, and its links do nothing. */
        private void pass(Duration time) {
            for (long left = time.toMillis(); left > 0; left -= 30_000) {
                peer.loop.advance(30_000);
                peer.send(Peer.frame(0, null));
            }
        }

        @Test
        void aLinkThatDoesNothingForHoursIsStillThere() {
            FakeQueue other = peer.nodes.add("other");
            peer.attachSender(0, "q");
            peer.attachReceiver(1, "other", 5);
            peer.send(Peer.sender(2, null));
            peer.skip();
            pass(Duration.ofHours(30));
            peer.expectNothing();
            peer.transfer(0, 0, Peer.message("late"));
            peer.expectAccepted(0, 0);
            other.put("late");
            other.dispatch();
            peer.loop.runAll();
            peer.expectTransfer();
            peer.transfer(2, 1, Peer.messageTo("q", "late"));
            peer.expectAccepted(1, 1);
        }
    }

    @Nested
    class Credit {
        /** link-credit of the sender = delivery-count of the flow + link-credit of the flow - delivery-count of the sender. */
        @Test
        void countsFromTheDeliveriesThatTheFlowHasSeen() {
            fill(9);
            peer.attachReceiver(0, "q", 2);
            peer.expectTransfer();
            peer.expectTransfer();
            peer.send(Peer.credit(0, 1, 2));
            peer.expectTransfer();
            peer.expectNothing();
            peer.send(Peer.credit(0, 1, 1));
            peer.expectNothing();
        }

        @Test
        void aFlowWithoutADeliveryCountCountsFromTheFirst() {
            fill(4);
            Flow flow = Peer.credit(0, 0, 3);
            flow.setDeliveryCount(null);
            peer.send(Peer.receiver(0, "q"), flow);
            peer.expect(Attach.class);
            for (int i = 0; i < 3; i++) {
                peer.expectTransfer();
            }
            peer.expectNothing();
        }

        @Test
        void noneMeansNoDelivery() {
            fill(1);
            peer.attachReceiver(0, "q", 0);
            peer.expectNothing();
        }

        @Test
        void aFlowWithoutCreditChangesNothing() {
            fill(2);
            peer.attachReceiver(0, "q", 1);
            peer.expectTransfer();
            Flow flow = Peer.sessionFlow(1, 1000);
            flow.setHandle(UnsignedInteger.ZERO);
            peer.send(flow);
            peer.expectNothing();
            peer.send(Peer.credit(0, 1, 1));
            peer.expectTransfer();
        }

        @Test
        void anEchoIsAnsweredWithTheStateOfTheLink() {
            fill(1);
            peer.attachReceiver(0, "q", 3);
            peer.expectTransfer();
            peer.send(echo(Peer.credit(0, 1, 5)));
            Flow flow = peer.expect(Flow.class);
            assertEquals(0, flow.getHandle().intValue());
            assertEquals(1, flow.getDeliveryCount().intValue());
            assertEquals(5, flow.getLinkCredit().intValue());
        }

        @Test
        void aSenderMayNotSetIt() {
            peer.attachSender(0, "q");
            Flow flow = echo(Peer.credit(0, 0, 5000));
            flow.setDrain(true);
            flow.setAvailable(UnsignedInteger.valueOf(9));
            peer.send(flow);
            assertEquals(Peer.CREDIT, peer.expect(Flow.class).getLinkCredit().intValue());
        }

        @Test
        void aSenderMayUseItUpWithoutADelivery() {
            peer.attachSender(0, "q");
            peer.send(echo(Peer.credit(0, 4, 6)));
            Flow flow = peer.expect(Flow.class);
            assertEquals(4, flow.getDeliveryCount().intValue());
            assertTrue(flow.getLinkCredit().intValue() <= Peer.CREDIT);
        }

        @Test
        void aSendersCountThatGoesBackwardsIsIgnored() {
            peer.attachSender(0, "q");
            peer.transfer(0, 0, Peer.message("x"));
            peer.expectAccepted(0, 0);
            peer.send(echo(Peer.credit(0, 0, 9)));
            Flow flow = peer.expect(Flow.class);
            assertEquals(1, flow.getDeliveryCount().intValue());
            assertEquals(Peer.CREDIT - 1, flow.getLinkCredit().intValue());
        }

        @Test
        void drainingUsesAllOfItUp() {
            fill(1);
            peer.attachReceiver(0, "q", 0);
            Flow flow = Peer.credit(0, 0, 3);
            flow.setDrain(true);
            peer.send(flow);
            peer.expectTransfer();
            Flow answer = peer.expect(Flow.class);
            assertEquals(3, answer.getDeliveryCount().intValue());
            assertEquals(0, answer.getLinkCredit().intValue());
            assertTrue(answer.getDrain());
        }
    }

    @Nested
    class Detaching {
        @Test
        void theAnswerIsClosedWhenThePeersIs() {
            peer.attachSender(0, "q");
            peer.send(Peer.detach(0));
            assertTrue(peer.expect(Detach.class).getClosed());
            Detach open = Peer.detach(0);
            open.setClosed(false);
            peer.attachSender(0, "q");
            peer.send(open);
            assertFalse(peer.expect(Detach.class).getClosed());
        }

        @Test
        void afterThousandsOfLinksNothingIsLeft() {
            int timers = peer.loop.timers();
            for (int i = 0; i < 5_000; i++) {
                assertEquals(0, peer.attachReceiver(i % 7, "q", 0).getHandle().intValue());
                Flow drain = Peer.credit(i % 7, 0, 1);
                drain.setDrain(true);
                peer.send(drain);
                assertEquals(1, peer.expect(Flow.class).getDeliveryCount().intValue());
                peer.send(Peer.detach(i % 7));
                assertTrue(peer.expect(Detach.class).getClosed());
            }
            assertTrue(queue.subscribers.isEmpty());
            assertEquals(timers, peer.loop.timers());
            peer.expectNothing();
        }

        @Test
        void afterThousandsOfConnectionsNothingIsLeft() {
            int timers = peer.loop.timers();
            for (int i = 0; i < 2_000; i++) {
                Peer next = new Peer(peer).begin();
                next.attachSender(0, "q");
                next.attachReceiver(1, "q", 1);
                if (i % 2 == 0) {
                    next.send(new Close());
                    next.expect(Close.class);
                }
                next.connection.lost();
                peer.loop.runAll();
            }
            assertTrue(queue.subscribers.isEmpty());
            assertEquals(timers, peer.loop.timers());
        }

        @Test
        void anErrorOfThePeersIsAnsweredWithoutOne() {
            peer.attachReceiver(0, "q", 1);
            Detach detach = Peer.detach(0);
            detach.setError(new ErrorCondition(Symbol.valueOf("amqp:internal-error"), "oh"));
            peer.send(detach);
            assertNull(peer.expect(Detach.class).getError());
            assertEquals(List.of("attached", "detached"), queue.log);
        }

        @Test
        void aSecondDetachIsOfAHandleThatIsNotAttached() {
            peer.attachSender(0, "q");
            peer.send(Peer.detach(0), Peer.detach(0));
            peer.expect(Detach.class);
            peer.expectEnd(Condition.UNATTACHED_HANDLE);
        }

        @Test
        void whatComesForALinkThatWeHaveDetachedIsDropped() {
            peer.send(Peer.sender(0, "nowhere"));
            peer.expect(Attach.class);
            peer.expectDetach(Condition.NOT_FOUND);
            peer.transfer(0, 0, Peer.message("x"));
            peer.send(echo(Peer.credit(0, 0, 1)));
            peer.expectNothing();
            peer.send(Peer.detach(0));
            peer.expectNothing();
            peer.attachSender(0, "q");
            peer.transfer(0, 1, Peer.message("y"));
            peer.expectAccepted(1, 1);
        }

        @Test
        void aTransferAfterTheDetachIsOfAHandleThatIsNotAttached() {
            peer.attachSender(0, "q");
            peer.send(Peer.detach(0), Peer.transfer(0, 0));
            peer.expect(Detach.class);
            peer.expectEnd(Condition.UNATTACHED_HANDLE);
        }

        @Test
        void aDetachInTheMiddleOfADeliveryForgetsIt() {
            peer.attachSender(0, "q");
            Transfer first = Peer.transfer(0, 0);
            first.setMore(true);
            peer.send(Peer.frame(0, first, Peer.message("half")), Peer.frame(0, Peer.detach(0)));
            peer.expect(Detach.class);
            peer.attachSender(0, "q");
            peer.transfer(0, 1, Peer.message("whole"));
            peer.expectAccepted(1, 1);
            assertEquals(1, queue.messages.size());
        }
    }

    @Nested
    class Nodes {
        @Test
        void oneThatIsDeletedEndsTheLinksThatReceiveFromIt() {
            peer.attachReceiver(0, "q", 1);
            queue.subscribers
                    .keySet()
                    .iterator()
                    .next()
                    .closed(new Condition(Condition.RESOURCE_DELETED, "queue \"q\" was deleted"));
            peer.loop.runAll();
            ErrorCondition error = peer.expectDetach(Condition.RESOURCE_DELETED);
            assertTrue(error.getDescription().contains("\"q\""));
            peer.send(Peer.credit(0, 0, 9), Peer.detach(0));
            peer.expectNothing();
            assertFalse(peer.socketClosed);
        }

        @Test
        void oneThatIsDeletedRejectsWhatIsStillSentToIt() {
            peer.attachSender(0, "q");
            queue.refusal = Optional.of(new Condition(Condition.RESOURCE_DELETED, "queue \"q\" was deleted"));
            peer.transfer(0, 0, Peer.message("late"));
            Rejected state = assertInstanceOf(
                    Rejected.class, peer.expect(Disposition.class).getState());
            assertEquals(
                    Symbol.valueOf(Condition.RESOURCE_DELETED), state.getError().getCondition());
        }

        private void refused(Terminus terminus, String condition) {
            Attach attach;
            if (terminus instanceof Source source) {
                attach = Peer.receiver(0, null);
                attach.setSource(source);
            } else {
                attach = Peer.sender(0, null);
                attach.setTarget((Target) terminus);
            }
            Peer other = new Peer().begin();
            other.nodes.add("q");
            other.send(attach);
            Attach answer = other.expect(Attach.class);
            assertNull(terminus instanceof Source ? answer.getSource() : answer.getTarget());
            other.expectDetach(condition);
            assertEquals(0, other.nodes.temporaries);
        }

        private static <T extends Terminus> T dynamic(T terminus, Map<Symbol, Object> properties) {
            terminus.setDynamic(true);
            terminus.setDynamicNodeProperties(properties);
            return terminus;
        }

        private static Map<Symbol, Object> property(String name, Object value) {
            Map<Symbol, Object> properties = new HashMap<>();
            properties.put(Symbol.valueOf(name), value);
            return properties;
        }

        @Test
        void aDynamicOneWithAnAddressIsRefused() {
            Source source = dynamic(new Source(), null);
            source.setAddress("mine");
            refused(source, Condition.INVALID_FIELD);
            Target target = dynamic(new Target(), null);
            target.setAddress("mine");
            refused(target, Condition.INVALID_FIELD);
        }

        @Test
        void dynamicNodePropertiesOfOneThatIsNotDynamicAreRefused() {
            Source source = new Source();
            source.setAddress("q");
            source.setDynamicNodeProperties(property("lifetime-policy", DeleteOnClose.getInstance()));
            refused(source, Condition.INVALID_FIELD);
        }

        @Test
        void aLifetimePolicyThatIsNoneIsRefused() {
            refused(dynamic(new Source(), property("lifetime-policy", "for ever")), Condition.INVALID_FIELD);
            refused(
                    dynamic(new Target(), property("lifetime-policy", Symbol.valueOf("delete-on-close"))),
                    Condition.INVALID_FIELD);
        }

        @Test
        void aDistributionModeThatIsNoneIsRefused() {
            refused(
                    dynamic(new Source(), property("supported-dist-modes", Symbol.valueOf("broadcast"))),
                    Condition.INVALID_FIELD);
            refused(
                    dynamic(new Source(), property("supported-dist-modes", new Symbol[] {
                        Symbol.valueOf("move"), Symbol.valueOf("broadcast")
                    })),
                    Condition.INVALID_FIELD);
        }

        @Test
        void propertiesThatNobodyKnowsAreNotInTheAnswer() {
            Map<Symbol, Object> properties = property("lifetime-policy", DeleteOnNoMessages.getInstance());
            properties.put(Symbol.valueOf("nobody:knows"), 1);
            Attach attach = Peer.receiver(0, null);
            attach.setSource(dynamic(new Source(), properties));
            peer.send(attach);
            Source source = (Source) peer.expect(Attach.class).getSource();
            assertTrue(source.getDynamic());
            assertNotNull(source.getAddress());
            assertFalse(source.getDynamicNodeProperties().containsKey(Symbol.valueOf("nobody:knows")));
            assertTrue(source.getDynamicNodeProperties().containsKey(Symbol.valueOf("lifetime-policy")));
        }

        @Test
        void whicheverLifetimeIsAskedForTheAnswerSaysThatTheyEndWithTheirLink() {
            for (LifetimePolicy asked : List.of(
                    DeleteOnClose.getInstance(),
                    DeleteOnNoLinks.getInstance(),
                    DeleteOnNoMessages.getInstance(),
                    DeleteOnNoLinksOrMessages.getInstance())) {
                Peer other = new Peer().begin();
                Attach attach = Peer.receiver(0, null);
                attach.setSource(dynamic(new Source(), property("lifetime-policy", asked)));
                other.send(attach);
                Source source = (Source) other.expect(Attach.class).getSource();
                Object inForce = source.getDynamicNodeProperties().get(Symbol.valueOf("lifetime-policy"));
                assertInstanceOf(DeleteOnClose.class, inForce);
            }
        }

        @Test
        void filtersAndCapabilitiesThatNobodyKnowsAreNotInTheAnswer() {
            Attach attach = Peer.receiver(0, "q");
            Source source = (Source) attach.getSource();
            Map<Symbol, Object> filters = new HashMap<>();
            filters.put(Symbol.valueOf("f"), RawPerformative.named(Symbol.valueOf("nobody:knows"), "x"));
            source.setFilter(filters);
            source.setCapabilities(Symbol.valueOf("nobody-knows"));
            peer.send(attach);
            Source answer = (Source) peer.expect(Attach.class).getSource();
            assertTrue(answer.getFilter() == null || answer.getFilter().isEmpty());
            assertNull(answer.getCapabilities());
        }

        @Test
        void theSourcesDistributionModeIsMoveByDefault() {
            peer.send(Peer.receiver(0, "q"));
            Source answer = (Source) peer.expect(Attach.class).getSource();
            assertEquals(Symbol.valueOf("move"), answer.getDistributionMode());
            assertNotNull(answer.getDefaultOutcome());
            assertTrue(List.of(answer.getOutcomes()).contains(Outcomes.ACCEPTED));
        }
    }
}
