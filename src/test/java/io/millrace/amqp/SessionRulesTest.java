package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import java.util.List;
import java.util.Map;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedShort;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Begin;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Open;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The rules for sessions: begin, windows, handles, end (AMQP 1.0, part 2, sections 2.5, 2.7.2, 2.7.4 and 2.7.8). */
class SessionRulesTest {
    private final Peer peer = new Peer();
    private FakeQueue queue;

    @BeforeEach
    void open() {
        peer.send(Handshake.AMQP_HEADER, Peer.frame(0, Peer.open()));
        peer.expect(Open.class);
        queue = peer.nodes.add("q");
    }

    private Begin begin(Begin begin) {
        peer.send(begin);
        return peer.expect(Begin.class);
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

    private void attachReceiver(int credit, int window) {
        Flow flow = Peer.credit(0, 0, credit);
        flow.setIncomingWindow(UnsignedInteger.valueOf(window));
        peer.send(Peer.receiver(0, "q"), flow);
        peer.expect(Attach.class);
    }

    private static Flow echo(Flow flow) {
        flow.setEcho(true);
        return flow;
    }

    @Nested
    class Beginning {
        @Test
        void theAnswerNamesTheChannelAndHasWindowsAndAHandleMaximum() {
            peer.send(Peer.frame(3, Peer.newBegin()));
            Begin answer = peer.expect(Begin.class);
            assertEquals(3, answer.getRemoteChannel().intValue());
            assertEquals(UnsignedInteger.ZERO, answer.getNextOutgoingId());
            assertTrue(answer.getIncomingWindow().longValue() > 0);
            assertTrue(answer.getOutgoingWindow().longValue() > 0);
            assertEquals(7, answer.getHandleMax().intValue());
        }

        @Test
        void sessionsOfDifferentChannelsLiveSideBySide() {
            peer.send(
                    Peer.frame(0, Peer.newBegin()),
                    Peer.frame(1, Peer.newBegin()),
                    Peer.frame(2, Peer.newBegin()),
                    Peer.frame(3, Peer.newBegin()));
            for (int i = 0; i < 4; i++) {
                assertEquals(i, peer.expect(Begin.class).getRemoteChannel().intValue());
            }
            peer.send(Peer.frame(1, new End()));
            assertEquals(1, peer.next().channel());
            peer.send(Peer.frame(2, echo(Peer.sessionFlow(0, 1))));
            assertEquals(2, peer.next().channel());
        }

        @Test
        void transferNumbersMayStartAnywhere() {
            Begin begin = Peer.newBegin();
            begin.setNextOutgoingId(UnsignedInteger.valueOf(-1));
            begin(begin);
            peer.attachSender(0, "q");
            peer.transfer(0, 0, Peer.message("a"), Peer.message("b"));
            peer.expectAccepted(0, 1);
            peer.send(echo(Peer.sessionFlow(0, 10)));
            assertEquals(1, peer.expect(Flow.class).getNextIncomingId().intValue());
        }

        @Test
        void anAnswerToNothingEndsTheConnection() {
            Begin begin = Peer.newBegin();
            begin.setRemoteChannel(UnsignedShort.valueOf((short) 7));
            peer.send(begin);
            peer.expectClose(Condition.INVALID_FIELD);
        }
    }

    @Nested
    class Windows {
        @Test
        void nothingIsSentIntoAWindowOfZero() {
            Begin begin = Peer.newBegin();
            begin.setIncomingWindow(UnsignedInteger.ZERO);
            begin(begin);
            fill(1);
            attachReceiver(5, 0);
            peer.expectNothing();
            peer.send(Peer.sessionFlow(0, 1));
            peer.expectTransfer();
        }

        /** remote-incoming-window = next-incoming-id of the flow + incoming-window of the flow - our next-outgoing-id. */
        @Test
        void aFlowCountsFromTheTransfersThatItHasSeen() {
            Begin begin = Peer.newBegin();
            begin.setIncomingWindow(UnsignedInteger.valueOf(2));
            begin(begin);
            fill(9);
            attachReceiver(9, 2);
            peer.expectTransfer();
            peer.expectTransfer();
            peer.expectNothing();
            peer.send(Peer.sessionFlow(1, 2));
            peer.expectTransfer();
            peer.expectNothing();
            peer.send(Peer.sessionFlow(0, 2));
            peer.expectNothing();
            peer.send(Peer.sessionFlow(3, 2));
            peer.expectTransfer();
            peer.expectTransfer();
            peer.expectNothing();
        }

        @Test
        void aFlowOfAPeerThatHasNotSeenOurBeginCountsFromItsStart() {
            Begin begin = Peer.newBegin();
            begin.setIncomingWindow(UnsignedInteger.ZERO);
            Flow flow = Peer.sessionFlow(0, 1);
            flow.setNextIncomingId(null);
            fill(3);
            peer.send(begin, flow, Peer.receiver(0, "q"));
            peer.expect(Begin.class);
            peer.expect(Attach.class);
            Flow credit = Peer.credit(0, 0, 5);
            credit.setNextIncomingId(null);
            credit.setIncomingWindow(UnsignedInteger.ONE);
            peer.send(credit);
            peer.expectTransfer();
            peer.expectNothing();
        }

        @Test
        void everyTransferFrameCountsAndPayloadOrNotDoesNotMatter() {
            begin(Peer.newBegin());
            peer.attachSender(0, "q");
            Transfer first = Peer.transfer(0, 0);
            first.setMore(true);
            Transfer last = new Transfer();
            last.setHandle(UnsignedInteger.ZERO);
            peer.send(Peer.frame(0, first, Peer.message("x")), Peer.frame(0, last), Peer.frame(0, null));
            peer.expectAccepted(0, 0);
            peer.send(echo(Peer.sessionFlow(0, 10)));
            assertEquals(2, peer.expect(Flow.class).getNextIncomingId().intValue());
        }

        @Test
        void ourFlowTellsWhatWeHaveSent() {
            begin(Peer.newBegin());
            fill(3);
            peer.attachReceiver(0, "q", 3);
            peer.skip();
            peer.send(echo(Peer.sessionFlow(3, 100)));
            Flow flow = peer.expect(Flow.class);
            assertEquals(3, flow.getNextOutgoingId().intValue());
            assertTrue(flow.getOutgoingWindow().longValue() > 0);
        }
    }

    @Nested
    class Flows {
        @BeforeEach
        void begin() {
            SessionRulesTest.this.begin(Peer.newBegin());
        }

        @Test
        void oneWithoutEchoIsNotAnswered() {
            peer.send(Peer.sessionFlow(0, 10));
            peer.expectNothing();
        }

        @Test
        void oneWithEchoIsAnsweredWithTheStateOfTheSession() {
            peer.send(echo(Peer.sessionFlow(0, 10)));
            Flow answer = peer.expect(Flow.class);
            assertNull(answer.getHandle());
            assertNull(answer.getLinkCredit());
            assertNull(answer.getDeliveryCount());
            assertFalse(answer.getEcho());
        }

        @Test
        void theStateOfALinkWithoutItsHandleEndsTheSession() {
            Flow count = Peer.sessionFlow(0, 10);
            count.setDeliveryCount(UnsignedInteger.ZERO);
            Flow credit = Peer.sessionFlow(0, 10);
            credit.setLinkCredit(UnsignedInteger.ONE);
            Flow available = Peer.sessionFlow(0, 10);
            available.setAvailable(UnsignedInteger.ONE);
            Flow drain = Peer.sessionFlow(0, 10);
            drain.setDrain(true);
            for (Flow flow : List.of(count, credit, available, drain)) {
                Peer other = new Peer().begin();
                other.send(flow);
                other.expectEnd(Condition.INVALID_FIELD);
            }
        }

        @Test
        void propertiesThatNobodyKnowsAreIgnored() {
            Flow flow = echo(Peer.sessionFlow(0, 10));
            flow.setProperties(Map.of(Symbol.valueOf("nobody:knows"), "x"));
            peer.send(flow);
            assertNull(peer.expect(Flow.class).getProperties());
        }

        @Test
        void aHandleThatIsNotAttachedEndsTheSession() {
            peer.send(Peer.credit(4, 0, 1));
            ErrorCondition error = peer.expectEnd(Condition.UNATTACHED_HANDLE);
            assertTrue(error.getDescription().contains("4"));
            assertEquals(List.of("session 0"), peer.ended);
        }
    }

    @Nested
    class Handles {
        @Test
        void theLargestThatWeAllowIsGood() {
            begin(Peer.newBegin());
            peer.attachSender(7, "q");
        }

        @Test
        void oneAboveThatIsAFramingErrorOfTheConnection() {
            begin(Peer.newBegin());
            peer.send(Peer.sender(8, "q"));
            peer.expectClose(Condition.FRAMING_ERROR);
        }

        @Test
        void ofOursNeverExceedThePeersMaximum() {
            Begin begin = Peer.newBegin();
            begin.setHandleMax(UnsignedInteger.ONE);
            begin(begin);
            peer.send(Peer.receiver(5, "q"), Peer.receiver(3, "q"));
            assertEquals(0, peer.expect(Attach.class).getHandle().intValue());
            assertEquals(1, peer.expect(Attach.class).getHandle().intValue());
            peer.send(Peer.receiver(4, "q"));
            peer.expectEnd(Condition.RESOURCE_LIMIT_EXCEEDED);
        }

        @Test
        void areFreeOnceBothSidesHaveDetached() {
            begin(Peer.newBegin());
            for (int i = 0; i < 20; i++) {
                peer.send(Peer.receiver(7, "q"), Peer.detach(7));
                assertEquals(0, peer.expect(Attach.class).getHandle().intValue());
                peer.expect(Detach.class);
            }
        }

        @Test
        void oneThatIsInUseEndsTheSessionAlsoWhileTheFirstIsBeingAttached() {
            begin(Peer.newBegin());
            peer.nodes.hold = true;
            Attach other = Peer.sender(0, "q");
            other.setName("other");
            peer.send(Peer.sender(0, "q"), other);
            peer.expectEnd(Condition.HANDLE_IN_USE);
        }

        @Test
        void oneThatWeHaveDetachedIsInUseUntilThePeerDetachesToo() {
            begin(Peer.newBegin());
            peer.send(Peer.sender(0, "nowhere"));
            peer.expect(Attach.class);
            peer.expectDetach(Condition.NOT_FOUND);
            peer.send(Peer.sender(0, "q"));
            peer.expectEnd(Condition.HANDLE_IN_USE);
        }
    }

    @Nested
    class Ending {
        @BeforeEach
        void begin() {
            SessionRulesTest.this.begin(Peer.newBegin());
        }

        @Test
        void anEndIsAnsweredOnceAndItsLinksAreLetGo() {
            peer.attachReceiver(0, "q", 1);
            peer.send(new End());
            assertNull(peer.expect(End.class).getError());
            peer.expectNothing();
            assertEquals(List.of("attached", "detached"), queue.log);
            assertFalse(peer.socketClosed);
        }

        @Test
        void anEndWithAnErrorIsAnsweredWithoutOne() {
            End end = new End();
            end.setError(new ErrorCondition(Symbol.valueOf("amqp:internal-error"), "oh"));
            peer.send(end);
            assertNull(peer.expect(End.class).getError());
        }

        @Test
        void afterOurEndEverythingButThePeersIsDropped() {
            peer.attachSender(0, "q");
            peer.send(Peer.transfer(5, 0));
            peer.expectEnd(Condition.UNATTACHED_HANDLE);
            peer.transfer(0, 0, Peer.message("late"));
            peer.send(
                    Peer.sender(1, "q"),
                    echo(Peer.sessionFlow(0, 1)),
                    Peer.disposition(0, 1, true, null),
                    Peer.detach(6),
                    Peer.transfer(6, 9));
            peer.expectNothing();
            assertTrue(queue.messages.isEmpty());
            peer.send(new End());
            peer.expectNothing();
            peer.send(Peer.newBegin());
            peer.expect(Begin.class);
        }

        @Test
        void aBeginBeforeThePeersEndEndsTheConnection() {
            peer.send(Peer.transfer(5, 0));
            peer.expectEnd(Condition.UNATTACHED_HANDLE);
            peer.send(Peer.newBegin());
            peer.expectClose(Condition.ILLEGAL_STATE);
        }

        @Test
        void framesAfterThePeersEndEndTheConnection() {
            peer.send(new End());
            peer.expect(End.class);
            peer.send(Peer.sessionFlow(0, 1));
            peer.expectClose(Condition.ILLEGAL_STATE);
        }

        @Test
        void anEndOfNoSessionEndsTheConnection() {
            peer.send(Peer.frame(1, new End()));
            peer.expectClose(Condition.ILLEGAL_STATE);
        }

        @Test
        void aViolationOfOneSessionLeavesTheOthersAlone() {
            Attach other = Peer.sender(0, "q");
            other.setName("other");
            peer.send(Peer.frame(1, Peer.newBegin()), Peer.frame(1, other));
            peer.skip();
            peer.send(Peer.frame(0, Peer.transfer(5, 0)), Peer.frame(1, Peer.transfer(0, 0), Peer.message("x")));
            assertEquals(0, peer.next().channel());
            assertEquals(1, peer.next().channel());
            assertEquals(1, queue.messages.size());
        }
    }
}
