package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedShort;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.security.SaslChallenge;
import org.apache.qpid.proton.amqp.security.SaslCode;
import org.apache.qpid.proton.amqp.security.SaslInit;
import org.apache.qpid.proton.amqp.security.SaslMechanisms;
import org.apache.qpid.proton.amqp.security.SaslOutcome;
import org.apache.qpid.proton.amqp.security.SaslResponse;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Begin;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Open;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Connections and sessions, as bytes in and bytes out. */
class AmqpConnectionTest {

    private static SaslInit plain(String user, String password) {
        SaslInit init = new SaslInit();
        init.setMechanism(Symbol.valueOf("PLAIN"));
        init.setInitialResponse(response(user, password));
        return init;
    }

    private static Binary response(String user, String password) {
        return new Binary(("\0" + user + "\0" + password).getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] sasl(Object body) {
        return Peer.frame(1, 0, body);
    }

    private static void expectClose(Peer peer, String condition) {
        assertEquals(
                Symbol.valueOf(condition), peer.expect(Close.class).getError().getCondition());
    }

    @Nested
    class ProtocolHeaders {
        @Test
        void aPeerThatSaysNothingIsClosedSilentlyInTheEnd() {
            Peer peer = new Peer();
            peer.loop.advance(31_000);
            assertTrue(peer.socketClosed);
            assertEquals(0, peer.writes);
            assertTrue(peer.refusals.isEmpty());
            assertTrue(peer.closeReason.isEmpty());
        }

        @Test
        void aConnectionThatIsLostBeforeItSaidAnythingIsNoEvent() {
            Peer peer = new Peer();
            peer.connection.lost();
            assertEquals(1, peer.closedEvents);
            assertEquals(0, peer.loop.timers());
            assertTrue(peer.refusals.isEmpty());
        }

        @Test
        void anotherProtocolIsAnsweredWithOurHeaderAndClosed() {
            Peer peer = new Peer();
            peer.send("GET / HTTP/1.1\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
            peer.expectHeader(Handshake.AMQP_HEADER);
            assertTrue(peer.socketClosed);
        }

        @Test
        void anotherVersionIsAnsweredWithOurs() {
            Peer peer = new Peer();
            peer.send(new byte[] {'A', 'M', 'Q', 'P', 0, 0, 9, 1});
            peer.expectHeader(Handshake.AMQP_HEADER);
            assertTrue(peer.socketClosed);
        }

        @Test
        void aListenerThatWantsUsersAnswersWithTheSaslHeader() {
            Peer peer = new Peer(false, true, Duration.ZERO);
            peer.send(Handshake.AMQP_HEADER);
            peer.expectHeader(Handshake.SASL_HEADER);
            assertTrue(peer.socketClosed);
        }

        @Test
        void aHeaderMayComeByteByByte() {
            Peer peer = new Peer();
            for (byte each : Handshake.AMQP_HEADER) {
                peer.send(new byte[] {each});
            }
            peer.expectHeader(Handshake.AMQP_HEADER);
            assertFalse(peer.socketClosed);
        }
    }

    @Nested
    class Sasl {
        @Test
        void everythingMayBeSentAtOnce() {
            Peer peer = new Peer(false, true, Duration.ZERO);
            peer.send(
                    Handshake.SASL_HEADER,
                    sasl(plain("ann", "secret")),
                    Handshake.AMQP_HEADER,
                    Peer.frame(0, Peer.open()),
                    Peer.frame(0, Peer.newBegin()));
            assertEquals(
                    List.of(Symbol.valueOf("PLAIN")),
                    List.of(peer.expect(SaslMechanisms.class).getSaslServerMechanisms()));
            assertEquals(SaslCode.OK, peer.expect(SaslOutcome.class).getCode());
            peer.expect(Open.class);
            peer.expect(Begin.class);
            assertEquals("ann", peer.connection.user());
        }

        @Test
        void aWrongPasswordEndsInOutcomeAuthAndTheConnectionIsClosed() {
            Peer peer = new Peer(false, true, Duration.ZERO);
            peer.send(Handshake.SASL_HEADER, sasl(plain("ann", "guess")));
            peer.expect(SaslMechanisms.class);
            assertEquals(SaslCode.AUTH, peer.expect(SaslOutcome.class).getCode());
            assertTrue(peer.socketClosed);
            assertEquals(Condition.UNAUTHORIZED_ACCESS, peer.refusals.get(0).symbol());
            assertFalse(peer.refusals.get(0).description().contains("guess"));
        }

        @Test
        void aPasswordThatCannotBeCheckedJustNowIsATemporaryFailure() {
            Peer peer = new Peer(false, true, Duration.ZERO);
            peer.send(Handshake.SASL_HEADER, sasl(plain("ann", "too many")));
            peer.expect(SaslMechanisms.class);
            assertEquals(SaslCode.SYS_TEMP, peer.expect(SaslOutcome.class).getCode());
            assertTrue(peer.socketClosed);
            assertEquals(Condition.RESOURCE_LIMIT_EXCEEDED, peer.refusals.get(0).symbol());
        }

        @Test
        void passwordsComeBeforeAnonymous() {
            Peer peer = new Peer(true, true, Duration.ZERO);
            peer.send(Handshake.SASL_HEADER);
            assertEquals(
                    List.of(Symbol.valueOf("PLAIN"), Symbol.valueOf("ANONYMOUS")),
                    List.of(peer.expect(SaslMechanisms.class).getSaslServerMechanisms()));
        }

        @Test
        void anonymousIsLetInWhereItIsAllowed() {
            Peer peer = new Peer();
            SaslInit init = new SaslInit();
            init.setMechanism(Symbol.valueOf("ANONYMOUS"));
            init.setInitialResponse(new Binary("trace".getBytes(StandardCharsets.UTF_8)));
            peer.send(Handshake.SASL_HEADER, sasl(init));
            peer.expect(SaslMechanisms.class);
            assertEquals(SaslCode.OK, peer.expect(SaslOutcome.class).getCode());
            assertTrue(peer.passwordsChecked.isEmpty());
        }

        @Test
        void anonymousIsRefusedWhereItIsNotAllowed() {
            Peer peer = new Peer(false, true, Duration.ZERO);
            SaslInit init = new SaslInit();
            init.setMechanism(Symbol.valueOf("ANONYMOUS"));
            peer.send(Handshake.SASL_HEADER, sasl(init));
            peer.expect(SaslMechanisms.class);
            assertEquals(SaslCode.AUTH, peer.expect(SaslOutcome.class).getCode());
            assertTrue(peer.socketClosed);
        }

        @Test
        void plainWithoutAnInitialResponseIsChallenged() {
            Peer peer = new Peer(false, true, Duration.ZERO);
            SaslInit init = new SaslInit();
            init.setMechanism(Symbol.valueOf("PLAIN"));
            peer.send(Handshake.SASL_HEADER, sasl(init));
            peer.expect(SaslMechanisms.class);
            peer.expect(SaslChallenge.class);
            SaslResponse response = new SaslResponse();
            response.setResponse(response("ann", "secret"));
            peer.send(sasl(response));
            assertEquals(SaslCode.OK, peer.expect(SaslOutcome.class).getCode());
        }

        @Test
        void aFrameOutOfTurnIsAnsweredWithAFailure() {
            Peer peer = new Peer(false, true, Duration.ZERO);
            SaslResponse response = new SaslResponse();
            response.setResponse(response("ann", "secret"));
            peer.send(Handshake.SASL_HEADER, sasl(response));
            peer.expect(SaslMechanisms.class);
            assertEquals(SaslCode.SYS_PERM, peer.expect(SaslOutcome.class).getCode());
            assertTrue(peer.socketClosed);
            assertTrue(peer.passwordsChecked.isEmpty());
        }

        @Test
        void aMalformedResponseIsNeverChecked() {
            Peer peer = new Peer(false, true, Duration.ZERO);
            SaslInit init = plain("a", "b");
            init.setInitialResponse(new Binary("no zeros".getBytes(StandardCharsets.UTF_8)));
            peer.send(Handshake.SASL_HEADER, sasl(init));
            peer.expect(SaslMechanisms.class);
            assertEquals(SaslCode.AUTH, peer.expect(SaslOutcome.class).getCode());
            assertTrue(peer.passwordsChecked.isEmpty());
        }

        @Test
        void aSaslFrameOfUnlikelySizeIsNotWaitedFor() {
            Peer peer = new Peer(false, true, Duration.ZERO);
            peer.send(Handshake.SASL_HEADER, new byte[] {0x7f, 0, 0, 0, 2, 1, 0, 0});
            assertTrue(peer.socketClosed);
        }
    }

    @Nested
    class Opening {
        @Test
        void theOpenSaysWhatTheBrokerCan() {
            Peer peer = new Peer();
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, Peer.open()));
            Open open = peer.expect(Open.class);
            assertEquals("broker", open.getContainerId());
            assertEquals(
                    List.of("ANONYMOUS-RELAY", "DELAYED_DELIVERY", "SHARED-SUBS", "sole-connection-for-container"),
                    Stream.of(open.getOfferedCapabilities())
                            .map(String::valueOf)
                            .toList());
            assertEquals("Millrace", open.getProperties().get(Symbol.valueOf("product")));
            assertEquals("1.2.3", open.getProperties().get(Symbol.valueOf("version")));
            assertEquals(Peer.MAX_FRAME, open.getMaxFrameSize().intValue());
            assertEquals(3, open.getChannelMax().intValue());
            assertEquals(30_000, open.getIdleTimeOut().intValue());
            assertTrue(peer.opened);
            assertEquals("client", peer.connection.container());
        }

        @Test
        void aSillyIdleTimeoutIsRefusedInAWayThatClientsUnderstand() {
            Peer peer = new Peer();
            Open asked = Peer.open();
            asked.setIdleTimeOut(UnsignedInteger.valueOf(10));
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, asked));
            Open open = peer.expect(Open.class);
            assertEquals(true, open.getProperties().get(Symbol.valueOf("amqp:connection-establishment-failed")));
            expectClose(peer, Condition.NOT_ALLOWED);
            assertFalse(peer.opened);
        }

        @Test
        void aMaxFrameSizeBelowTheMinimumIsRefused() {
            Peer peer = new Peer();
            Open asked = Peer.open();
            asked.setMaxFrameSize(UnsignedInteger.valueOf(100));
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, asked));
            peer.expect(Open.class);
            expectClose(peer, Condition.FRAMING_ERROR);
            assertTrue(peer.socketClosed);
        }

        @Test
        void anotherFrameBeforeTheOpenEndsTheConnection() {
            Peer peer = new Peer();
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, Peer.newBegin()));
            peer.expect(Open.class);
            expectClose(peer, Condition.ILLEGAL_STATE);
        }

        @Test
        void aSecondOpenEndsTheConnection() {
            Peer peer = new Peer().begin();
            peer.send(Peer.open());
            expectClose(peer, Condition.ILLEGAL_STATE);
        }

        @Test
        void aPeerThatNeverOpensIsClosed() {
            Peer peer = new Peer();
            peer.send(Handshake.AMQP_HEADER);
            peer.loop.advance(31_000);
            assertTrue(peer.socketClosed);
            assertEquals(
                    Condition.RESOURCE_LIMIT_EXCEEDED,
                    peer.closeReason.orElseThrow().symbol());
        }
    }

    @Nested
    class Idle {
        @Test
        void aSilentPeerIsClosedWithTheReason() {
            Peer peer = new Peer().begin();
            peer.loop.advance(59_000);
            peer.expectNothing();
            peer.loop.advance(2_000);
            expectClose(peer, Condition.RESOURCE_LIMIT_EXCEEDED);
        }

        @Test
        void heartbeatsKeepItOpen() {
            Peer peer = new Peer().begin();
            for (int i = 0; i < 10; i++) {
                peer.loop.advance(30_000);
                peer.send(Peer.frame(0, null));
            }
            peer.expectNothing();
            assertFalse(peer.socketClosed);
        }

        @Test
        void weSendHeartbeatsAtHalfOfThePeersTimeout() {
            Peer peer = new Peer(true, false, Duration.ZERO);
            Open open = Peer.open();
            open.setIdleTimeOut(UnsignedInteger.valueOf(1000));
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, open));
            peer.expect(Open.class);
            peer.loop.advance(400);
            peer.expectNothing();
            peer.loop.advance(200);
            assertEquals("heartbeat", peer.next().body());
            peer.loop.advance(500);
            assertEquals("heartbeat", peer.next().body());
        }
    }

    @Nested
    class Ending {
        @Test
        void aCloseIsAnswered() {
            Peer peer = new Peer().begin();
            peer.send(new Close());
            assertNull(peer.expect(Close.class).getError());
            assertTrue(peer.socketClosed);
            assertEquals(1, peer.closedEvents);
            assertEquals(0, peer.loop.timers());
        }

        @Test
        void aStopTellsThePeerAndWaitsForItsClose() {
            Peer peer = new Peer().begin();
            peer.connection.close(new Condition(Condition.CONNECTION_FORCED, "the broker stops"));
            peer.loop.runAll();
            expectClose(peer, Condition.CONNECTION_FORCED);
            assertFalse(peer.socketClosed);
            peer.send(new Close());
            assertTrue(peer.socketClosed);
            peer.expectNothing();
        }

        @Test
        void aPeerThatDoesNotAnswerAStopCannotHoldItUp() {
            Peer peer = new Peer().begin();
            peer.connection.close(new Condition(Condition.CONNECTION_FORCED, "the broker stops"));
            peer.loop.advance(6_000);
            assertTrue(peer.socketClosed);
            assertEquals(0, peer.loop.timers());
        }

        @Test
        void whatWasUnsettledCountsAsAFailedAttemptOnlyWhenTheConnectionIsLost() {
            Peer lost = new Peer().begin();
            FakeQueue queue = lost.nodes.add("q");
            lost.attachReceiver(0, "q", 5);
            lost.connection.lost();
            assertEquals(List.of("attached", "lost"), queue.log);

            Peer closed = new Peer().begin();
            queue = closed.nodes.add("q");
            closed.attachReceiver(0, "q", 5);
            closed.send(new Close());
            assertEquals(List.of("attached", "detached"), queue.log);
        }

        @Test
        void aStopIsNoFailedAttempt() {
            Peer peer = new Peer().begin();
            FakeQueue queue = peer.nodes.add("q");
            peer.attachReceiver(0, "q", 5);
            peer.connection.close(new Condition(Condition.CONNECTION_FORCED, "the broker stops"));
            assertEquals(List.of("attached", "detached"), queue.log);
        }
    }

    @Nested
    class BrokenFrames {
        @Test
        void aFrameAboveTheMaximumSizeIsAFramingError() {
            Peer peer = new Peer().begin();
            peer.send(new byte[] {0x7f, 0, 0, 0, 2, 0, 0, 0});
            expectClose(peer, Condition.FRAMING_ERROR);
            assertTrue(peer.socketClosed);
        }

        @Test
        void aBodyThatIsNoPerformativeIsAnError() {
            Peer peer = new Peer().begin();
            peer.send(new byte[] {0, 0, 0, 12, 2, 0, 0, 0, 0, 0x53, 0x7f, 0x45});
            assertTrue(peer.next().body() instanceof Close);
            assertTrue(peer.socketClosed);
        }

        @Test
        void damagedFramesOfAnyKindNeverEscapeAsExceptions() {
            Object[] kinds = {
                Peer.sender(0, "q"),
                Peer.receiver(2, "q"),
                Peer.transfer(1, 0),
                Peer.credit(1, 0, 5),
                Peer.disposition(0, 3, true, Accepted.getInstance()),
                Peer.detach(1),
                Peer.newBegin(),
                new End(),
                new Close(),
                Peer.open()
            };
            for (int seed = 0; seed < 3000; seed++) {
                Random random = new Random(seed);
                Peer peer = new Peer().begin();
                peer.nodes.add("q");
                peer.attachSender(1, "q");
                byte[] frame = Peer.frame(0, kinds[seed % kinds.length], Peer.message("x"));
                for (int i = 0; i < 3; i++) {
                    frame[8 + random.nextInt(frame.length - 8)] = (byte) random.nextInt();
                }
                peer.send(frame);
                peer.send(Peer.frame(0, new Close()));
                peer.loop.advance(6_000);
                assertTrue(peer.socketClosed, "seed " + seed);
                assertEquals(1, peer.closedEvents, "seed " + seed);
                assertTrue(
                        peer.refusals.stream().noneMatch(c -> c.symbol().equals(Condition.INTERNAL_ERROR)),
                        "seed " + seed + ": " + peer.refusals);
            }
        }
    }

    @Nested
    class Sessions {
        @Test
        void aBeginIsAnsweredInFull() {
            Peer peer = new Peer();
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, Peer.open()), Peer.frame(2, Peer.newBegin()));
            peer.expect(Open.class);
            Begin begin = peer.expect(Begin.class);
            assertEquals(2, begin.getRemoteChannel().intValue());
            assertEquals(7, begin.getHandleMax().intValue());
            assertTrue(begin.getProperties().isEmpty());
        }

        @Test
        void aChannelAboveTheMaximumIsAFramingError() {
            Peer peer = new Peer().begin();
            peer.send(Peer.frame(4, Peer.newBegin()));
            expectClose(peer, Condition.FRAMING_ERROR);
        }

        @Test
        void aSecondBeginOnAChannelEndsTheConnection() {
            Peer peer = new Peer().begin();
            peer.send(Peer.newBegin());
            expectClose(peer, Condition.ILLEGAL_STATE);
        }

        @Test
        void aFrameOnAChannelWithoutASessionEndsTheConnection() {
            Peer peer = new Peer().begin();
            peer.send(Peer.frame(1, Peer.sessionFlow(0, 10)));
            expectClose(peer, Condition.ILLEGAL_STATE);
        }

        @Test
        void aBeginThatAnswersNothingEndsTheConnection() {
            Peer peer = new Peer().begin();
            Begin begin = Peer.newBegin();
            begin.setRemoteChannel(UnsignedShort.valueOf((short) 0));
            peer.send(Peer.frame(1, begin));
            expectClose(peer, Condition.INVALID_FIELD);
        }

        @Test
        void anEndIsAnsweredAndTheChannelIsFree() {
            Peer peer = new Peer().begin();
            FakeQueue queue = peer.nodes.add("q");
            peer.attachReceiver(0, "q", 1);
            peer.send(new End(), Peer.newBegin());
            assertNull(peer.expect(End.class).getError());
            peer.expect(Begin.class);
            assertEquals(List.of("attached", "detached"), queue.log);
        }

        @Test
        void anEchoIsAnswered() {
            Peer peer = new Peer().begin();
            Flow flow = Peer.sessionFlow(0, 10);
            flow.setEcho(true);
            peer.send(flow);
            Flow answer = peer.expect(Flow.class);
            assertNull(answer.getHandle());
            assertEquals(0, answer.getNextIncomingId().intValue());
        }

        @Test
        void aHandleInUseEndsTheSessionAndOnlyThat() {
            Peer peer = new Peer().begin();
            peer.nodes.add("q");
            peer.attachSender(1, "q");
            Attach again = Peer.sender(1, "q");
            again.setName("other");
            peer.send(again);
            assertEquals(
                    Symbol.valueOf(Condition.HANDLE_IN_USE),
                    peer.expect(End.class).getError().getCondition());
            peer.send(Peer.frame(0, Peer.sessionFlow(0, 1)), Peer.frame(0, new End()), Peer.frame(1, Peer.newBegin()));
            peer.expect(Begin.class);
            peer.expectNothing();
        }

        @Test
        void aHandleAboveTheMaximumIsAFramingError() {
            Peer peer = new Peer().begin();
            peer.send(Peer.sender(8, "q"));
            expectClose(peer, Condition.FRAMING_ERROR);
        }

        @Test
        void framesForAHandleThatIsNotAttachedEndTheSession() {
            for (Object frame : List.of(Peer.transfer(5, 0), Peer.detach(5), Peer.credit(5, 0, 1))) {
                Peer peer = new Peer().begin();
                peer.send(frame);
                assertEquals(
                        Symbol.valueOf(Condition.UNATTACHED_HANDLE),
                        peer.expect(End.class).getError().getCondition());
                assertFalse(peer.socketClosed);
            }
        }

        @Test
        void severalSessionsDoNotMixTheirHandles() {
            Peer peer = new Peer().begin();
            FakeQueue a = peer.nodes.add("a");
            FakeQueue b = peer.nodes.add("b");
            Attach second = Peer.sender(0, "b");
            second.setName("another");
            peer.send(Peer.frame(0, Peer.sender(0, "a")), Peer.frame(1, Peer.newBegin()), Peer.frame(1, second));
            peer.skip();
            peer.send(
                    Peer.frame(0, Peer.transfer(0, 0), Peer.message("to a")),
                    Peer.frame(1, Peer.transfer(0, 0), Peer.message("to b")));
            assertArrayEquals(Peer.message("to a"), a.messages.element().bytes());
            assertArrayEquals(Peer.message("to b"), b.messages.element().bytes());
        }
    }
}
