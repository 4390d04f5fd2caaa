package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.security.SaslChallenge;
import org.apache.qpid.proton.amqp.security.SaslCode;
import org.apache.qpid.proton.amqp.security.SaslInit;
import org.apache.qpid.proton.amqp.security.SaslMechanisms;
import org.apache.qpid.proton.amqp.security.SaslOutcome;
import org.apache.qpid.proton.amqp.security.SaslResponse;
import org.apache.qpid.proton.amqp.transport.Open;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The rules for protocol headers and the SASL layer (AMQP 1.0, part 2, section 2.2, and part 5, section 5.3). */
class SaslRulesTest {
    private static final int SASL_INIT = 0x41;

    private final Peer peer = new Peer(false, true, Duration.ZERO);

    private static byte[] sasl(Object body) {
        return Peer.frame(1, 0, body);
    }

    private static Binary response(String password) {
        return new Binary(("\0ann\0" + password).getBytes(StandardCharsets.UTF_8));
    }

    private static SaslInit init(String mechanism) {
        SaslInit init = new SaslInit();
        init.setMechanism(Symbol.valueOf(mechanism));
        return init;
    }

    private static SaslInit plain() {
        SaslInit init = init("PLAIN");
        init.setInitialResponse(response("secret"));
        return init;
    }

    private static SaslResponse saslResponse() {
        SaslResponse response = new SaslResponse();
        response.setResponse(response("secret"));
        return response;
    }

    private void expectFailure(SaslCode code) {
        assertEquals(code, peer.expect(SaslOutcome.class).getCode());
        peer.expectNothing();
        assertTrue(peer.socketClosed);
        assertFalse(peer.opened);
    }

    @Nested
    class Headers {
        private void expectAnswer(byte[] header, byte[] answer) {
            Peer other = new Peer(false, true, Duration.ZERO);
            other.send(header);
            other.expectHeader(answer);
            other.expectNothing();
            assertTrue(other.socketClosed);
        }

        @Test
        void anotherVersionOfTheSaslLayerIsAnsweredWithOursAndClosed() {
            expectAnswer(new byte[] {'A', 'M', 'Q', 'P', 3, 1, 1, 0}, Handshake.SASL_HEADER);
            expectAnswer(new byte[] {'A', 'M', 'Q', 'P', 3, 2, 0, 0}, Handshake.SASL_HEADER);
        }

        @Test
        void tlsOverTheProtocolHeaderIsNotOfferedAndAnsweredWithWhatIs() {
            expectAnswer(new byte[] {'A', 'M', 'Q', 'P', 2, 1, 0, 0}, Handshake.SASL_HEADER);
        }

        @Test
        void anUnknownProtocolIdIsAnsweredWithWhatIs() {
            expectAnswer(new byte[] {'A', 'M', 'Q', 'P', 9, 1, 0, 0}, Handshake.SASL_HEADER);
        }

        private String refusalOf(byte... bytes) {
            Peer other = new Peer(false, true, Duration.ZERO);
            other.send(bytes);
            assertTrue(other.socketClosed);
            assertEquals(1, other.refusals.size());
            return other.refusals.get(0).toString();
        }

        private String refusalOf(String text) {
            return refusalOf(text.getBytes(StandardCharsets.ISO_8859_1));
        }

        @Test
        void aClientThatSpeaksSomethingElseIsToldWhatItSpeaks() {
            assertEquals(
                    "amqp:not-implemented: the client speaks TLS (amqps://), which this version does not have: use amqp://",
                    refusalOf((byte) 0x16, (byte) 3, (byte) 1, (byte) 2, (byte) 0, (byte) 1));
            for (String http : List.of("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "POST /a HTTP/1.1\r\n\r\n", "OPTIONS *")) {
                assertEquals(
                        "amqp:not-implemented: the client speaks HTTP or WebSocket (amqpws://); AMQP clients use"
                                + " amqp://, health and metrics have their own port",
                        refusalOf(http));
            }
            for (String header : List.of("AMQP\0\0\u0009\u0001", "AMQP\u0001\u0001\u0009\u0001")) {
                assertEquals(
                        "amqp:not-implemented: the client speaks AMQP 0-9-1 (RabbitMQ's); Millrace speaks AMQP 1.0",
                        refusalOf(header));
            }
            assertEquals(
                    "amqp:not-implemented: the client speaks AMQP 0-10; Millrace speaks AMQP 1.0",
                    refusalOf("AMQP\u0001\u0001\0\n"));
        }

        @Test
        void ofAClientThatSpeaksSomethingUnknownTheFirstBytesAreShown() {
            String text = "amqp:not-implemented: the client does not speak AMQP 1.0; its first bytes are ";
            assertEquals(text + "00 ff 0d", refusalOf((byte) 0, (byte) 0xff, (byte) '\r'));
            assertEquals(text + "6e 6f 6e 73 65 6e 73 65", refusalOf("nonsense and more"));
            assertEquals(text + "41 4d 51 50 09 01 00 00", refusalOf("AMQP\u0009\u0001\0\0"));
        }

        @Test
        void aClientThatDoesNotLogInIsToldToAlsoWhenItsHeaderComesInParts() {
            Peer other = new Peer(false, true, Duration.ZERO);
            other.send(Arrays.copyOf(Handshake.AMQP_HEADER, 5));
            assertFalse(other.socketClosed);
            other.send(new byte[] {1, 0, 0});
            assertTrue(other.socketClosed);
            assertEquals(Condition.UNAUTHORIZED_ACCESS, other.refusals.get(0).symbol());
            String why = other.refusals.get(0).description();
            assertTrue(why.contains("user and password"), why);
        }

        @Test
        void theSaslHeaderIsAnsweredWithItself() {
            peer.send(Handshake.SASL_HEADER);
            peer.expectHeader(Handshake.SASL_HEADER);
            assertFalse(peer.socketClosed);
        }

        @Test
        void afterTheOutcomeTheAmqpHeaderIsNeeded() {
            peer.send(Handshake.SASL_HEADER, sasl(plain()), Handshake.SASL_HEADER);
            peer.expectHeader(Handshake.SASL_HEADER);
            peer.expect(SaslMechanisms.class);
            peer.expect(SaslOutcome.class);
            peer.expectHeader(Handshake.AMQP_HEADER);
            assertTrue(peer.socketClosed);
        }

        @Test
        void afterTheOutcomeAFrameWithoutAHeaderIsRefused() {
            peer.send(Handshake.SASL_HEADER, sasl(plain()), Peer.frame(0, Peer.open()));
            peer.expectHeader(Handshake.SASL_HEADER);
            peer.expect(SaslMechanisms.class);
            peer.expect(SaslOutcome.class);
            peer.expectHeader(Handshake.AMQP_HEADER);
            assertTrue(peer.socketClosed);
            assertFalse(peer.opened);
        }

        @Test
        void afterTheOutcomeBothSendTheAmqpHeaderAndGoOn() {
            peer.send(Handshake.SASL_HEADER, sasl(plain()), Handshake.AMQP_HEADER, Peer.frame(0, Peer.open()));
            peer.expectHeader(Handshake.SASL_HEADER);
            peer.expect(SaslMechanisms.class);
            assertEquals(SaslCode.OK, peer.expect(SaslOutcome.class).getCode());
            peer.expectHeader(Handshake.AMQP_HEADER);
            peer.expect(Open.class);
            assertTrue(peer.opened);
        }
    }

    @Nested
    class Negotiation {
        private void mechanisms(byte[]... frames) {
            byte[][] all = new byte[frames.length + 1][];
            all[0] = Handshake.SASL_HEADER;
            System.arraycopy(frames, 0, all, 1, frames.length);
            peer.send(all);
            List<Symbol> offered = List.of(peer.expect(SaslMechanisms.class).getSaslServerMechanisms());
            assertFalse(offered.isEmpty());
            assertTrue(offered.contains(Symbol.valueOf("PLAIN")), offered.toString());
        }

        @Test
        void mechanismsComeFirstAndUnasked() {
            mechanisms();
            peer.expectNothing();
        }

        @Test
        void anUnknownMechanismIsAnAuthenticationFailure() {
            mechanisms(sasl(init("X-UNHEARD-OF")));
            expectFailure(SaslCode.AUTH);
        }

        @Test
        void aMechanismThatIsNotOfferedIsAnAuthenticationFailureToo() {
            mechanisms(sasl(init("ANONYMOUS")));
            expectFailure(SaslCode.AUTH);
        }

        @Test
        void theHostNameMayBeAnything() {
            SaslInit init = plain();
            init.setHostname("any.where");
            mechanisms(sasl(init));
            assertEquals(SaslCode.OK, peer.expect(SaslOutcome.class).getCode());
        }

        @Test
        void anInitWithoutAMechanismIsNotUnderstood() {
            mechanisms(sasl(RawPerformative.of(SASL_INIT, null, response("secret"))));
            expectFailure(SaslCode.SYS_PERM);
            assertTrue(peer.passwordsChecked.isEmpty());
        }

        @Test
        void anInitWithFieldsOfOtherTypesIsNotUnderstood() {
            mechanisms(sasl(RawPerformative.of(SASL_INIT, Symbol.valueOf("PLAIN"), "\0ann\0secret")));
            expectFailure(SaslCode.SYS_PERM);
            assertTrue(peer.passwordsChecked.isEmpty());
        }

        @Test
        void aSecondInitIsOutOfTurn() {
            mechanisms(sasl(init("PLAIN")), sasl(plain()));
            peer.expect(SaslChallenge.class);
            expectFailure(SaslCode.SYS_PERM);
            assertTrue(peer.passwordsChecked.isEmpty());
        }

        @Test
        void framesOfTheServerAreOutOfTurn() {
            SaslOutcome outcome = new SaslOutcome();
            outcome.setCode(SaslCode.OK);
            mechanisms(sasl(outcome));
            expectFailure(SaslCode.SYS_PERM);
        }

        @Test
        void aResponseWithoutAChallengeIsOutOfTurn() {
            mechanisms(sasl(saslResponse()));
            expectFailure(SaslCode.SYS_PERM);
        }

        @Test
        void aResponseAfterTheOutcomeIsRefused() {
            mechanisms(sasl(plain()), sasl(saslResponse()));
            assertEquals(SaslCode.OK, peer.expect(SaslOutcome.class).getCode());
            peer.expectHeader(Handshake.AMQP_HEADER);
            assertTrue(peer.socketClosed);
        }

        @Test
        void aBodyThatCannotBeDecodedIsNotUnderstood() {
            byte[] frame = Arrays.copyOf(sasl(null), 10);
            frame[3] = 10;
            frame[8] = 0;
            frame[9] = 0x53;
            mechanisms(frame);
            expectFailure(SaslCode.SYS_PERM);
        }

        @Test
        void anAmqpFrameBeforeTheOutcomeEndsTheConnection() {
            mechanisms(Peer.frame(0, Peer.open()));
            peer.expectNothing();
            assertTrue(peer.socketClosed);
        }
    }

    @Nested
    class Frames {
        @Test
        void channelAndExtendedHeaderAreIgnored() {
            byte[] frame = Peer.frame(1, 77, plain());
            byte[] extended = new byte[frame.length + 4];
            System.arraycopy(frame, 0, extended, 0, 8);
            System.arraycopy(frame, 8, extended, 12, frame.length - 8);
            ByteBuffer.wrap(extended).putInt(extended.length).put((byte) 3);
            peer.send(Handshake.SASL_HEADER, extended);
            peer.expect(SaslMechanisms.class);
            assertEquals(SaslCode.OK, peer.expect(SaslOutcome.class).getCode());
        }

        @Test
        void oursAreWithinFiveHundredAndTwelveBytesOnChannelZero() {
            peer.send(Handshake.SASL_HEADER, sasl(init("PLAIN")), sasl(saslResponse()));
            ByteBuffer bytes = peer.takeBytes();
            bytes.position(8);
            int frames = 0;
            while (bytes.hasRemaining()) {
                int start = bytes.position();
                int size = bytes.getInt(start);
                assertTrue(size <= 512);
                assertEquals(1, bytes.get(start + 5));
                assertEquals(0, bytes.getShort(start + 6));
                bytes.position(start + size);
                frames++;
            }
            assertEquals(3, frames);
        }

        @Test
        void anEmptyOneIsOutOfTurn() {
            peer.send(Handshake.SASL_HEADER, sasl(null));
            peer.expect(SaslMechanisms.class);
            expectFailure(SaslCode.SYS_PERM);
        }

        @Test
        void oneWithoutAWholeHeaderEndsTheConnection() {
            peer.send(Handshake.SASL_HEADER, new byte[] {0, 0, 0, 7, 2, 1, 0});
            peer.expect(SaslMechanisms.class);
            peer.expectNothing();
            assertTrue(peer.socketClosed);
        }
    }
}
