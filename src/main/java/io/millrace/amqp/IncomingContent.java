package io.millrace.amqp;

import io.millrace.message.Condition;
import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import io.millrace.message.SectionWalk;
import io.millrace.queue.BodyWriter;
import java.util.Arrays;
import java.util.Optional;
import org.apache.qpid.proton.amqp.Binary;

/**
 * The bytes of a message that is being received: in memory as long as they are few, from then on only the sections before
 * the body, while the rest goes to the store as it comes. Owned by its incoming link.
 *
 * <p>A large message that turns out to be none, or finds the store full, is swallowed to its end and then refused; what was
 * stored of it goes at once.
 */
final class IncomingContent {
    private static final byte[] NOTHING = {};

    private final AmqpSession session;

    /** A larger message goes to the store part by part. What is smaller is quicker in one piece. */
    private final int mostInMemory;

    private byte[] bytes = NOTHING;
    private int kept;

    /** How many bytes of memory the connection counts for a message that has begun. */
    private int counted;

    private long size;
    private Optional<BodyWriter> body = Optional.empty();

    /** Looks at the sections of a large message; empty if it is opaque. */
    private Optional<SectionWalk> walk = Optional.empty();

    private Optional<Condition> refusal = Optional.empty();

    IncomingContent(AmqpSession session) {
        this.session = session;
        this.mostInMemory = session.connection().nodes().bodies().memory().mostInOnePiece();
    }

    /** How many bytes have come. */
    long size() {
        return size;
    }

    /** How many of them are in memory for the time to come. */
    int kept() {
        return kept;
    }

    /** Where the body of the message goes, if it is large. */
    Optional<BodyWriter> body() {
        return body;
    }

    /**
     * Takes the bytes of one transfer.
     *
     * @param more whether others follow
     */
    void append(Binary payload, int format, boolean more) {
        int length = payload.getLength();
        size += length;
        if (body.isEmpty() && refusal.isEmpty()) {
            keep(payload, more);
            if (size > mostInMemory) {
                stream(format);
            }
            count(more ? bytes.length : 0);
        } else if (refusal.isEmpty()) {
            pass(payload.getArray(), payload.getArrayOffset(), length);
        }
    }

    /** A peer that is in the middle of a message may stay there: what is here of it counts, and is not without end. */
    private void count(int begun) {
        if (begun != counted) {
            session.connection().held().begun(begun - counted);
            counted = begun;
            if (begun > 0 && session.connection().held().overflows()) {
                refuse(TransferRules.noMemory());
            }
        }
    }

    private void keep(Binary payload, boolean more) {
        int length = payload.getLength();
        byte[] from = payload.getArray();
        if (kept == 0 && !more && length == from.length) {
            bytes = from;
        } else {
            if (kept == 0) {
                bytes = new byte[more ? Math.max(1024, length * 2) : length];
            } else if (bytes.length - kept < length) {
                bytes = Arrays.copyOf(bytes, Math.max(kept + length, more ? bytes.length * 2 : 0));
            }
            System.arraycopy(from, payload.getArrayOffset(), bytes, kept, length);
        }
        kept += length;
    }

    /** From now on the body goes to the store; what has come of it already goes first. */
    private void stream(int format) {
        body = Optional.of(session.connection().nodes().bodies().write(session::held, session::answered));
        byte[] begun = bytes;
        int length = kept;
        bytes = NOTHING;
        kept = 0;
        if (format != 0) {
            pass(begun, 0, length);
            return;
        }
        try {
            SectionWalk sections = new SectionWalk();
            walk = Optional.of(sections);
            sections.take(begun, 0, length);
            if (!sections.inBody()) {
                throw new MalformedMessageException("the sections before the body have more than " + length
                        + " bytes; in a message of more than " + mostInMemory + " bytes they must be smaller");
            }
            kept = (int) sections.bodyStart();
            bytes = Arrays.copyOf(begun, kept);
            store(begun, kept, length - kept);
        } catch (MalformedMessageException e) {
            refuse(new Condition(Condition.DECODE_ERROR, e.getMessage()));
        }
    }

    private void pass(byte[] from, int start, int length) {
        try {
            if (walk.isPresent()) {
                walk.get().take(from, start, length);
            }
            store(from, start, length);
        } catch (MalformedMessageException e) {
            refuse(new Condition(Condition.DECODE_ERROR, e.getMessage()));
        }
    }

    private void store(byte[] from, int start, int length) {
        BodyWriter writer = body.orElseThrow();
        Optional<Condition> full = writer.refusal();
        if (session.connection().held().overflows()) {
            refuse(TransferRules.noMemory());
        } else if (full.isPresent()) {
            refuse(full.get());
        } else {
            writer.take(from, start, length);
        }
    }

    private void refuse(Condition reason) {
        refusal = Optional.of(reason);
        bytes = NOTHING;
        kept = 0;
        count(0);
        body.ifPresent(BodyWriter::release);
    }

    /** Why the message is refused whatever follows; empty if it is not. */
    Optional<Condition> refusal() {
        return refusal;
    }

    /**
     * All has come: the message.
     *
     * @throws MalformedMessageException if it is none, or {@link #refusal} says more
     */
    Message message(int format) throws MalformedMessageException {
        if (refusal.isPresent()) {
            throw new MalformedMessageException(refusal.get().description());
        }
        if (body.isPresent()) {
            if (walk.isPresent()) {
                walk.get().end();
            }
            return body.get().finish(bytes, format);
        }
        return Message.parse(bytes.length == kept ? bytes : Arrays.copyOf(bytes, kept), format);
    }

    /** Begins anew, with the next message. */
    void clear() {
        count(0);
        bytes = NOTHING;
        kept = 0;
        size = 0;
        body = Optional.empty();
        walk = Optional.empty();
        refusal = Optional.empty();
    }

    /** The message will not come: nothing of it is left in the store. */
    void drop() {
        body.ifPresent(BodyWriter::release);
        clear();
    }
}
