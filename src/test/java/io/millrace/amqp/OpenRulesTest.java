package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import java.time.Duration;
import java.util.List;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedShort;
import org.apache.qpid.proton.amqp.transport.Begin;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.apache.qpid.proton.amqp.transport.Open;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The rules for connections: open, channels, idle time-outs and close (AMQP 1.0, part 2, sections 2.4, 2.7.1 and 2.7.9). */
class OpenRulesTest {
    private final Peer peer = new Peer();

    private void open(Open open) {
        peer.send(Handshake.AMQP_HEADER, Peer.frame(0, open));
    }

    @Nested
    class Opening {
        @Test
        void anOpenOnAnotherChannelThanZeroEndsTheConnection() {
            peer.send(Handshake.AMQP_HEADER, Peer.frame(1, Peer.open()));
            peer.expect(Open.class);
            peer.expectClose(Condition.FRAMING_ERROR);
            assertFalse(peer.opened);
        }

        @Test
        void everyOtherFrameBeforeTheOpenEndsTheConnection() {
            for (Object frame : List.of(
                    Peer.newBegin(),
                    Peer.sender(0, "q"),
                    Peer.sessionFlow(0, 1),
                    Peer.transfer(0, 0),
                    Peer.detach(0),
                    new End(),
                    new Close())) {
                Peer other = new Peer();
                other.send(Handshake.AMQP_HEADER, Peer.frame(0, frame));
                other.expect(Open.class);
                other.expectClose(Condition.ILLEGAL_STATE);
                assertFalse(other.opened);
            }
        }

        @Test
        void ourOpenComesFirstAndOnChannelZero() {
            open(Peer.open());
            Peer.Frame first = peer.next();
            assertEquals(0, first.channel());
            assertTrue(first.body() instanceof Open);
        }

        @Test
        void theHostNameMayBeAnything() {
            for (String host : new String[] {null, "", "broker.example.org", "vhost:/"}) {
                Peer other = new Peer();
                Open open = Peer.open();
                open.setHostname(host);
                other.send(Handshake.AMQP_HEADER, Peer.frame(0, open));
                other.expect(Open.class);
                assertTrue(other.opened);
            }
        }

        @Test
        void severalConnectionsMayHaveTheSameContainerId() {
            open(Peer.open());
            Peer other = new Peer();
            other.send(Handshake.AMQP_HEADER, Peer.frame(0, Peer.open()));
            assertTrue(peer.opened);
            assertTrue(other.opened);
        }

        @Test
        void theLeastMaxFrameSizeIsFiveHundredAndTwelve() {
            Open open = Peer.open();
            open.setMaxFrameSize(UnsignedInteger.valueOf(512));
            open(open);
            peer.expect(Open.class);
            assertTrue(peer.opened);
        }

        @Test
        void aMaxFrameSizeOneBelowThatIsAFramingError() {
            Open open = Peer.open();
            open.setMaxFrameSize(UnsignedInteger.valueOf(511));
            open(open);
            peer.expect(Open.class);
            peer.expectClose(Condition.FRAMING_ERROR);
        }
    }

    @Nested
    class ChannelNumbers {
        private void open(int channelMax) {
            Open open = Peer.open();
            open.setChannelMax(UnsignedShort.valueOf((short) channelMax));
            OpenRulesTest.this.open(open);
            peer.expect(Open.class);
        }

        private int answeredOn(int channel) {
            peer.send(Peer.frame(channel, Peer.newBegin()));
            Peer.Frame frame = peer.next();
            assertEquals(channel, ((Begin) frame.body()).getRemoteChannel().intValue());
            return frame.channel();
        }

        @Test
        void weAnswerOnTheSameWhereWeCan() {
            open(65_535);
            assertEquals(3, answeredOn(3));
            assertEquals(0, answeredOn(0));
        }

        @Test
        void weNeverUseOneAboveThePeersMaximum() {
            open(1);
            assertEquals(0, answeredOn(3));
            assertEquals(1, answeredOn(0));
            peer.send(Peer.frame(3, new End()));
            Peer.Frame end = peer.next();
            assertTrue(end.body() instanceof End);
            assertEquals(0, end.channel());
            assertEquals(0, answeredOn(2));
        }

        @Test
        void framesOfASessionGoOutOnTheChannelOfItsAnswer() {
            open(0);
            assertEquals(0, answeredOn(2));
            peer.nodes.add("q");
            peer.send(Peer.frame(2, Peer.sender(0, "q")));
            assertEquals(0, peer.next().channel());
            assertEquals(0, peer.next().channel());
        }

        @Test
        void whenNoneIsLeftTheConnectionEnds() {
            open(0);
            assertEquals(0, answeredOn(0));
            peer.send(Peer.frame(1, Peer.newBegin()));
            peer.expectClose(Condition.RESOURCE_LIMIT_EXCEEDED);
        }

        @Test
        void everyFrameAboveOurMaximumEndsTheConnection() {
            for (Object frame : List.of(Peer.newBegin(), Peer.sender(0, "q"), new End())) {
                Peer other = new Peer().begin();
                other.send(Peer.frame(4, frame));
                assertTrue(other.expect(Close.class).getError() != null);
            }
        }
    }

    @Nested
    class IdleTimeOuts {
        private Peer silentAfter(Duration ours) {
            Peer other = new Peer(true, false, ours);
            other.send(Handshake.AMQP_HEADER, Peer.frame(0, Peer.open()));
            return other;
        }

        @Test
        void zeroOfOursIsNotSaidAndNeverExpires() {
            Peer other = silentAfter(Duration.ZERO);
            assertNull(other.expect(Open.class).getIdleTimeOut());
            other.loop.advance(Duration.ofDays(1).toMillis());
            assertFalse(other.socketClosed);
            other.expectNothing();
        }

        @Test
        void weSayHalfOfWhatWeWaitFor() {
            Peer other = silentAfter(Duration.ofSeconds(10));
            assertEquals(5000, other.expect(Open.class).getIdleTimeOut().intValue());
            other.loop.advance(9_900);
            other.expectNothing();
            other.loop.advance(200);
            other.expectClose(Condition.RESOURCE_LIMIT_EXCEEDED);
        }

        @Test
        void anyFrameOfThePeerStartsItAnew() {
            Peer other = silentAfter(Duration.ofSeconds(10));
            other.expect(Open.class);
            other.loop.advance(6_000);
            other.send(Peer.newBegin());
            other.expect(Begin.class);
            other.loop.advance(6_000);
            other.expectNothing();
        }

        @Test
        void withoutOneOfThePeersWeNeedNotSendAnything() {
            Peer other = silentAfter(Duration.ZERO);
            other.expect(Open.class);
            other.loop.advance(Duration.ofHours(1).toMillis());
            other.expectNothing();
        }

        @Test
        void whatWeSendMakesAHeartbeatUnnecessary() {
            Open open = Peer.open();
            open.setIdleTimeOut(UnsignedInteger.valueOf(10_000));
            open(open);
            peer.expect(Open.class);
            peer.loop.advance(4_000);
            peer.send(Peer.newBegin());
            peer.expect(Begin.class);
            peer.loop.advance(4_000);
            peer.expectNothing();
            peer.loop.advance(2_000);
            assertEquals("heartbeat", peer.next().body());
        }
    }

    @Nested
    class Closing {
        @Test
        void aCloseMayComeOnAnyChannel() {
            peer.begin();
            peer.send(Peer.frame(3, new Close()));
            Peer.Frame close = peer.next();
            assertEquals(0, close.channel());
            assertNull(((Close) close.body()).getError());
            assertTrue(peer.socketClosed);
        }

        @Test
        void whatFollowsACloseIsNotRead() {
            peer.begin();
            peer.nodes.add("q");
            peer.send(new Close(), Peer.sender(0, "q"), new Close(), Peer.open());
            peer.expect(Close.class);
            peer.expectNothing();
            assertTrue(peer.refusals.isEmpty());
        }

        @Test
        void afterOurCloseEverythingButThePeersIsDropped() {
            peer.begin();
            FakeQueue queue = peer.nodes.add("q");
            peer.attachSender(0, "q");
            peer.connection.close(new Condition(Condition.CONNECTION_FORCED, "stop"));
            peer.loop.runAll();
            peer.expectClose(Condition.CONNECTION_FORCED);
            peer.transfer(0, 0, Peer.message("late"));
            peer.send(Peer.frame(2, Peer.newBegin()));
            peer.expectNothing();
            assertTrue(queue.messages.isEmpty());
            peer.send(new Close());
            peer.expectNothing();
            assertTrue(peer.socketClosed);
        }

        @Test
        void theReasonOfThePeersCloseIsKept() {
            peer.begin();
            Close close = new Close();
            close.setError(new ErrorCondition(
                    org.apache.qpid.proton.amqp.Symbol.valueOf("amqp:connection:forced"), "I must go"));
            peer.send(close);
            assertNull(peer.expect(Close.class).getError());
            assertEquals("I must go", peer.closeReason.orElseThrow().description());
        }

        @Test
        void aCloseThatIsNotAnsweredIsNotWaitedForLongerThanSomeSeconds() {
            peer.begin();
            peer.send(Peer.open());
            peer.expectClose(Condition.ILLEGAL_STATE);
            assertFalse(peer.socketClosed);
            peer.loop.advance(5_100);
            assertTrue(peer.socketClosed);
        }

        @Test
        void sessionsAndLinksNeedNotBeEndedBefore() {
            peer.begin();
            FakeQueue queue = peer.nodes.add("q");
            peer.attachReceiver(0, "q", 5);
            peer.send(new Close());
            assertNull(peer.expect(Close.class).getError());
            peer.expectNothing();
            assertEquals(List.of("attached", "detached"), queue.log);
        }

        @Test
        void ourErrorSaysWhatAndWhy() {
            peer.begin();
            peer.send(Peer.frame(2, Peer.sender(0, "q")));
            ErrorCondition error = peer.expectClose(Condition.ILLEGAL_STATE);
            assertTrue(error.getDescription().contains("channel 2"), error.getDescription());
        }
    }
}
