package io.millrace.amqp;

import io.millrace.loop.Loop;
import io.millrace.message.Condition;
import io.millrace.security.Authenticator;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
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
import org.apache.qpid.proton.codec.AMQPDefinedTypes;
import org.apache.qpid.proton.codec.DecoderImpl;
import org.apache.qpid.proton.codec.EncoderImpl;

/**
 * The start of a connection: protocol headers and SASL (AMQP 1.0, part 2, section 2.2, and part 5, section 5.3). Owned by its
 * {@link AmqpConnection}.
 *
 * <p>Peers may send everything at once, so nothing is read beyond the frame that starts an asynchronous check before its
 * answer is there. One attempt per connection; the number of bytes held is bounded.
 */
final class Handshake {
    static final byte[] AMQP_HEADER = {'A', 'M', 'Q', 'P', 0, 1, 0, 0};
    static final byte[] SASL_HEADER = {'A', 'M', 'Q', 'P', 3, 1, 0, 0};
    private static final Symbol ANONYMOUS = Symbol.valueOf("ANONYMOUS");
    private static final Symbol PLAIN = Symbol.valueOf("PLAIN");
    private static final int MAX_SASL_FRAME = 4096;
    private static final int MAX_HELD = 256 * 1024;
    private static final int SASL_FRAME = 1;

    private final ConnectionSettings settings;
    private final Loop loop;
    private final Authenticator authenticator;
    private final FrameOutput frames;
    private final Result result;

    private Stage stage = Stage.HEADER;
    private byte[] held = new byte[64];
    private int start;
    private int end;
    private boolean started;

    /** What came of it. Called once. */
    interface Result {
        /** The peer is in; {@code rest} is what it has sent already, behind its AMQP header. */
        void done(String user, ByteBuffer rest);

        /** What had to be said is in the output; the connection is to be closed. */
        void failed(Condition reason);
    }

    private enum Stage {
        HEADER,
        SASL_INIT,
        SASL_RESPONSE,
        CHECKING,
        AMQP_HEADER,
        OVER
    }

    private String user = "";

    Handshake(ConnectionSettings settings, Loop loop, Authenticator authenticator, FrameOutput frames, Result result) {
        this.settings = settings;
        this.loop = loop;
        this.authenticator = authenticator;
        this.frames = frames;
        this.result = result;
    }

    /** Whether the peer has sent anything at all. */
    boolean started() {
        return started;
    }

    /** The connection is gone; an answer that is still to come matters no more. */
    void cancel() {
        stage = Stage.OVER;
    }

    void received(ByteBuffer bytes) {
        if (!bytes.hasRemaining()) {
            return;
        }
        started = true;
        if (end - start + bytes.remaining() > MAX_HELD) {
            fail("more than " + MAX_HELD + " bytes came before the peer was let in");
            return;
        }
        hold(bytes);
        proceed();
    }

    private void hold(ByteBuffer bytes) {
        if (held.length - end < bytes.remaining()) {
            int size = end - start;
            byte[] larger = new byte[Math.max(held.length * 2, size + bytes.remaining())];
            System.arraycopy(held, start, larger, 0, size);
            held = larger;
            start = 0;
            end = size;
        }
        int count = bytes.remaining();
        bytes.get(held, end, count);
        end += count;
    }

    private void proceed() {
        boolean progress = true;
        while (progress) {
            progress = switch (stage) {
                case HEADER -> firstHeader();
                case SASL_INIT, SASL_RESPONSE -> saslFrame();
                case AMQP_HEADER -> secondHeader();
                case CHECKING, OVER -> false;
            };
        }
    }

    private boolean firstHeader() {
        if (startsWith(SASL_HEADER)) {
            if (end - start < SASL_HEADER.length) {
                return false;
            }
            start += SASL_HEADER.length;
            offerMechanisms();
            stage = Stage.SASL_INIT;
            return true;
        }
        if (!settings.anonymous() || !startsWith(AMQP_HEADER)) {
            if (ForeignHeader.unfinished(held, start, end)) {
                return false;
            }
            boolean sasl = !settings.anonymous() || (end - start > 4 && held[start + 4] == SASL_HEADER[4]);
            frames.protocolHeader(sasl ? SASL_HEADER : AMQP_HEADER);
            if (startsWith(AMQP_HEADER)) {
                fail("the client does not log in, but must on this listener: give it a user and password (SASL PLAIN)");
            } else {
                fail(new Condition(Condition.NOT_IMPLEMENTED, ForeignHeader.described(held, start, end)));
            }
            return false;
        }
        return secondHeader();
    }

    private boolean secondHeader() {
        if (!startsWith(AMQP_HEADER)) {
            frames.protocolHeader(AMQP_HEADER);
            fail(new Condition(Condition.NOT_IMPLEMENTED, ForeignHeader.described(held, start, end)));
            return false;
        }
        if (end - start < AMQP_HEADER.length) {
            return false;
        }
        start += AMQP_HEADER.length;
        frames.protocolHeader(AMQP_HEADER);
        stage = Stage.OVER;
        result.done(user, ByteBuffer.wrap(held, start, end - start));
        return false;
    }

    /** Whether what is held agrees with {@code header}, as far as it goes. */
    private boolean startsWith(byte[] header) {
        int length = Math.min(end - start, header.length);
        return Arrays.equals(held, start, start + length, header, 0, length);
    }

    /** PLAIN comes first: some clients take the first one on the list that they know. */
    private void offerMechanisms() {
        List<Symbol> mechanisms = new ArrayList<>();
        if (settings.passwords() || !settings.anonymous()) {
            mechanisms.add(PLAIN);
        }
        if (settings.anonymous()) {
            mechanisms.add(ANONYMOUS);
        }
        SaslMechanisms offer = new SaslMechanisms();
        offer.setSaslServerMechanisms(mechanisms.toArray(Symbol[]::new));
        frames.protocolHeader(SASL_HEADER);
        frames.saslFrame(offer);
    }

    private boolean saslFrame() {
        if (end - start < 4) {
            return false;
        }
        int size = ByteBuffer.wrap(held, start, 4).getInt();
        if (size < 8 || size > MAX_SASL_FRAME) {
            fail("a SASL frame of " + size + " bytes; the limit is " + MAX_SASL_FRAME);
            return false;
        }
        if (end - start < size) {
            return false;
        }
        ByteBuffer frame = ByteBuffer.wrap(held, start, size);
        start += size;
        int body = (frame.get(frame.position() + 4) & 0xff) * 4;
        if (frame.get(frame.position() + 5) != SASL_FRAME || body < 8 || body > size) {
            fail("a frame that is not a SASL frame came before the SASL outcome");
            return false;
        }
        frame.position(frame.position() + body);
        handle(decode(frame));
        return true;
    }

    private static Object decode(ByteBuffer body) {
        DecoderImpl decoder = new DecoderImpl();
        AMQPDefinedTypes.registerSecurityTypes(decoder, new EncoderImpl(decoder));
        decoder.setMaxDecodeDepth(2);
        decoder.setZeroWidthArrayElementLimit(0);
        decoder.setByteBuffer(body);
        try {
            return decoder.readObject();
        } catch (RuntimeException e) {
            // Whatever it is, it is not the frame that is due, and is answered as such.
            return e;
        }
    }

    private void handle(Object body) {
        if (stage == Stage.SASL_INIT && body instanceof SaslInit init) {
            begin(init);
        } else if (stage == Stage.SASL_RESPONSE && body instanceof SaslResponse response) {
            checkPassword(response.getResponse());
        } else {
            outcome(SaslCode.SYS_PERM);
            fail("a SASL frame that was not due, or could not be decoded");
        }
    }

    private void begin(SaslInit init) {
        if (ANONYMOUS.equals(init.getMechanism()) && settings.anonymous()) {
            letIn("anonymous");
        } else if (!PLAIN.equals(init.getMechanism())) {
            outcome(SaslCode.AUTH);
            fail("the SASL mechanism " + init.getMechanism() + " is not offered");
        } else if (init.getInitialResponse() == null) {
            SaslChallenge challenge = new SaslChallenge();
            challenge.setChallenge(new Binary(new byte[0]));
            frames.saslFrame(challenge);
            stage = Stage.SASL_RESPONSE;
        } else {
            checkPassword(init.getInitialResponse());
        }
    }

    /** RFC 4616: authorization identity, NUL, user, NUL, password. */
    private void checkPassword(Binary response) {
        String text = response == null
                ? ""
                : new String(
                        response.getArray(), response.getArrayOffset(), response.getLength(), StandardCharsets.UTF_8);
        int first = text.indexOf('\0');
        int second = first < 0 ? -1 : text.indexOf('\0', first + 1);
        if (second < 0 || text.indexOf('\0', second + 1) >= 0) {
            outcome(SaslCode.AUTH);
            fail("the SASL PLAIN response is malformed");
            return;
        }
        String name = text.substring(first + 1, second);
        stage = Stage.CHECKING;
        authenticator.check(name, text.substring(second + 1), loop, verdict -> checked(name, verdict));
    }

    private void checked(String name, Authenticator.Verdict verdict) {
        if (stage != Stage.CHECKING) {
            return;
        }
        switch (verdict) {
            case RIGHT -> {
                letIn(name);
                proceed();
            }
            case WRONG -> {
                outcome(SaslCode.AUTH);
                fail("wrong user or password for user \"" + name + "\"");
            }
            case UNDECIDED -> {
                // Clients come again after this code alone; the others tell them that their password is wrong.
                outcome(SaslCode.SYS_TEMP);
                fail(new Condition(
                        Condition.RESOURCE_LIMIT_EXCEEDED,
                        "the password of user \"" + name + "\" cannot be checked, for too many wait for that; connect"
                                + " again later"));
            }
        }
    }

    private void letIn(String name) {
        user = name;
        outcome(SaslCode.OK);
        stage = Stage.AMQP_HEADER;
    }

    private void outcome(SaslCode code) {
        SaslOutcome outcome = new SaslOutcome();
        outcome.setCode(code);
        frames.saslFrame(outcome);
    }

    private void fail(String reason) {
        fail(new Condition(Condition.UNAUTHORIZED_ACCESS, reason));
    }

    private void fail(Condition reason) {
        stage = Stage.OVER;
        result.failed(reason);
    }
}
