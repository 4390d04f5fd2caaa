package io.millrace.amqp;

import io.millrace.message.Condition;
import io.millrace.message.Message;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.function.Consumer;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.messaging.Released;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.codec.AMQPDefinedTypes;
import org.apache.qpid.proton.codec.DecoderImpl;
import org.apache.qpid.proton.codec.EncoderImpl;
import org.apache.qpid.proton.engine.impl.FrameWriterBuffer;

/**
 * The frames of one connection that wait to be flushed, already encoded, in order. Owned by the connection's loop.
 *
 * <p>Transfers and dispositions are encoded by hand, straight from the message into the buffer; the rest goes through the
 * Proton encoder. Dispositions that say the same of consecutive deliveries become one frame with a range (AMQP 1.0, part 2,
 * section 2.7.6); one that waits for more is written before any other frame, so that the order of frames never changes.
 */
final class FrameOutput {
    private static final int INITIAL_CAPACITY = 512;
    private static final int KEPT_CAPACITY = 16 * 1024;
    private static final int FRAME_HEADER_SIZE = 8;
    private static final int AMQP_FRAME = 0;
    private static final int SASL_FRAME = 1;

    /** Bytes of the largest transfer performative that is written, with its frame header. */
    private static final int MAX_TRANSFER_SIZE = 64;

    private static final byte TRUE = 0x41;
    private static final byte FALSE = 0x42;
    private static final byte NULL = 0x40;

    /** The registry of types is large and the same for all; an encoder keeps no state between two values. */
    private static final ThreadLocal<EncoderImpl> ENCODER = ThreadLocal.withInitial(FrameOutput::newEncoder);

    private final EncoderImpl encoder = ENCODER.get();
    private final Runnable wake;
    private boolean awake;
    private FrameWriterBuffer buffer = new FrameWriterBuffer(INITIAL_CAPACITY);
    private ByteBuffer view = ByteBuffer.wrap(buffer.array());

    /** What the peer takes; until it has said so, what every peer takes (section 2.4.1). */
    private int maxFrameSize = 512;

    private Consumer<Condition> tooLarge = condition -> {};

    /** A close frame is the last thing that is written (section 2.4.3). */
    private boolean over;

    private boolean dispositionWaits;
    private int dispositionChannel;
    private boolean dispositionOfSender;
    private boolean dispositionSettled;
    private int dispositionFirst;
    private int dispositionLast;
    private DeliveryState dispositionState = Accepted.getInstance();

    /** @param wake called when the first of the frames for the next flush is here */
    FrameOutput(Runnable wake) {
        this.wake = wake;
    }

    private static EncoderImpl newEncoder() {
        DecoderImpl decoder = new DecoderImpl();
        EncoderImpl encoder = new EncoderImpl(decoder);
        AMQPDefinedTypes.registerAllTypes(decoder, encoder);
        return encoder;
    }

    /** Bytes that wait, but for a disposition that may still grow. */
    int size() {
        return buffer.position();
    }

    boolean isEmpty() {
        return buffer.position() == 0 && !dispositionWaits;
    }

    /** All that waits, valid until the next frame; what follows starts anew. */
    ByteBuffer take() {
        writeDisposition();
        if (view.array() != buffer.array()) {
            view = ByteBuffer.wrap(buffer.array());
        }
        view.limit(buffer.position()).position(0);
        buffer.position(0);
        awake = false;
        return view;
    }

    private void wake() {
        if (!awake) {
            awake = true;
            wake.run();
        }
    }

    /** Gives memory back; for a connection that is idle. */
    void trim() {
        if (isEmpty() && buffer.array().length > KEPT_CAPACITY) {
            buffer = new FrameWriterBuffer(INITIAL_CAPACITY);
            view = ByteBuffer.wrap(buffer.array());
        }
    }

    void protocolHeader(byte[] header) {
        wake();
        buffer.put(header, 0, header.length);
    }

    /**
     * Keeps to what the peer takes from now on.
     *
     * @param size of its largest frame
     * @param instead hears of a performative that does not fit, which is then not written
     */
    void limit(int size, Consumer<Condition> instead) {
        maxFrameSize = size;
        tooLarge = instead;
    }

    void frame(int channel, Object performative) {
        if (over) {
            return;
        }
        writeDisposition();
        if (writeShortened(channel, performative)) {
            over = performative instanceof Close;
        } else {
            tooLarge.accept(new Condition(
                    Condition.FRAME_SIZE_TOO_SMALL,
                    performative.getClass().getSimpleName().toLowerCase(Locale.ROOT) + " does not fit into the "
                            + maxFrameSize + " bytes of the peer's max-frame-size"));
        }
    }

    /** Leaves out details of an error, and then the end of its text, rather than not to tell of it. */
    private boolean writeShortened(int channel, Object performative) {
        int excess = write(AMQP_FRAME, channel, performative);
        if (excess <= 0) {
            return true;
        }
        ErrorCondition error = error(performative);
        if (error == null) {
            return false;
        }
        error.setInfo(null);
        excess = write(AMQP_FRAME, channel, performative);
        if (excess > 0 && error.getDescription() != null) {
            String text = error.getDescription();
            error.setDescription(text.substring(0, Math.max(0, text.length() - excess)));
            excess = write(AMQP_FRAME, channel, performative);
        }
        return excess <= 0;
    }

    /** What a performative says of an error; null when it says nothing. */
    private static ErrorCondition error(Object performative) {
        if (performative instanceof Close close) {
            return close.getError();
        }
        if (performative instanceof End end) {
            return end.getError();
        }
        if (performative instanceof Detach detach) {
            return detach.getError();
        }
        return performative instanceof Disposition disposition && disposition.getState() instanceof Rejected rejected
                ? rejected.getError()
                : null;
    }

    void saslFrame(Object body) {
        write(SASL_FRAME, 0, body);
    }

    /** A frame without a body, which only says that we are alive. */
    void heartbeat() {
        wake();
        writeDisposition();
        int start = buffer.position();
        buffer.position(start + FRAME_HEADER_SIZE);
        endFrame(start, AMQP_FRAME, 0);
    }

    /** Writes a frame, or says by how many bytes it is too large for the peer. */
    private int write(int type, int channel, Object body) {
        wake();
        int start = buffer.position();
        buffer.position(start + FRAME_HEADER_SIZE);
        encoder.setByteBuffer(buffer);
        try {
            encoder.writeObject(body);
        } catch (RuntimeException e) {
            buffer.position(start);
            throw e;
        }
        int excess = buffer.position() - start - maxFrameSize;
        if (excess > 0) {
            buffer.position(start);
        } else {
            endFrame(start, type, channel);
        }
        return excess;
    }

    private void endFrame(int start, int type, int channel) {
        byte[] bytes = buffer.array();
        putInt(bytes, start, buffer.position() - start);
        bytes[start + 4] = 2;
        bytes[start + 5] = (byte) type;
        bytes[start + 6] = (byte) (channel >>> 8);
        bytes[start + 7] = (byte) channel;
    }

    /**
     * Says what became of a delivery, together with its neighbours if they follow.
     *
     * @param sender whether we are the sender of the delivery
     */
    void disposition(int channel, boolean sender, int id, boolean settled, DeliveryState state) {
        if (dispositionWaits) {
            if (id == dispositionLast + 1
                    && state == dispositionState
                    && sender == dispositionOfSender
                    && channel == dispositionChannel
                    && settled == dispositionSettled) {
                dispositionLast = id;
                return;
            }
            writeDisposition();
        }
        wake();
        dispositionWaits = true;
        dispositionChannel = channel;
        dispositionOfSender = sender;
        dispositionSettled = settled;
        dispositionFirst = id;
        dispositionLast = id;
        dispositionState = state;
    }

    private void writeDisposition() {
        if (!dispositionWaits) {
            return;
        }
        dispositionWaits = false;
        int outcome = dispositionState == Accepted.getInstance()
                ? 0x24
                : dispositionState == Released.getInstance() ? 0x26 : 0;
        if (outcome == 0) {
            writeOtherDisposition();
            return;
        }
        int start = buffer.position();
        buffer.ensureRemaining(MAX_TRANSFER_SIZE);
        byte[] out = buffer.array();
        int at = descriptor(out, start + FRAME_HEADER_SIZE, 0x15);
        out[at++] = (byte) 0xc0;
        int size = at++;
        out[at++] = 5;
        out[at++] = dispositionOfSender ? FALSE : TRUE;
        at = putUint(out, at, dispositionFirst);
        if (dispositionLast == dispositionFirst) {
            out[at++] = NULL;
        } else {
            at = putUint(out, at, dispositionLast);
        }
        out[at++] = dispositionSettled ? TRUE : FALSE;
        at = descriptor(out, at, outcome);
        out[at++] = 0x45;
        out[size] = (byte) (at - size - 1);
        buffer.position(at);
        endFrame(start, AMQP_FRAME, dispositionChannel);
    }

    private void writeOtherDisposition() {
        Disposition disposition = new Disposition();
        disposition.setRole(dispositionOfSender ? Role.SENDER : Role.RECEIVER);
        disposition.setFirst(UnsignedInteger.valueOf(dispositionFirst));
        disposition.setLast(UnsignedInteger.valueOf(dispositionLast));
        disposition.setSettled(dispositionSettled);
        disposition.setState(dispositionState);
        frame(dispositionChannel, disposition);
    }

    /**
     * Writes one frame of a delivery, with as much of the message as fits.
     *
     * <p>All eleven fields are there, because some clients count them.
     *
     * @param maxFrameSize of the peer; at least 512
     */
    void transfer(int channel, OutgoingDelivery delivery, int maxFrameSize) {
        wake();
        writeDisposition();
        Message message = delivery.message();
        byte[] payload = delivery.chunk();
        int start = buffer.position();
        buffer.ensureRemaining(MAX_TRANSFER_SIZE + Message.MAX_HEADER_SIZE);
        byte[] out = buffer.array();
        int at = descriptor(out, start + FRAME_HEADER_SIZE, 0x14);
        out[at++] = (byte) 0xc0;
        int size = at++;
        out[at++] = 11;
        at = putUint(out, at, delivery.handle());
        at = putUint(out, at, delivery.id());
        out[at++] = (byte) 0xa0;
        out[at++] = 4;
        at = putInt(out, at, delivery.tag());
        at = putUint(out, at, message.format());
        out[at++] = delivery.settled() ? TRUE : FALSE;
        int more = at++;
        out[at++] = NULL;
        out[at++] = NULL;
        out[at++] = delivery.resumed() ? TRUE : FALSE;
        out[at++] = delivery.aborted() ? TRUE : FALSE;
        out[at++] = FALSE;
        out[size] = (byte) (at - size - 1);
        if (delivery.unbegun() && !delivery.aborted()) {
            at += message.header(
                    delivery.deliveryCount(), delivery.firstAcquirer(), delivery.remainingTtlMillis(), out, at);
        }
        int from = delivery.chunkStart();
        int length = Math.min(payload.length - from, maxFrameSize - (at - start));
        out[more] = length < delivery.left() ? TRUE : FALSE;
        buffer.position(at);
        buffer.put(payload, from, length);
        endFrame(start, AMQP_FRAME, channel);
        delivery.sent(length);
    }

    private static int descriptor(byte[] out, int at, int code) {
        out[at] = 0;
        out[at + 1] = 0x53;
        out[at + 2] = (byte) code;
        return at + 3;
    }

    private static int putUint(byte[] out, int start, int value) {
        int at = start;
        if (value == 0) {
            out[at++] = 0x43;
        } else if (value > 0 && value < 256) {
            out[at++] = 0x52;
            out[at++] = (byte) value;
        } else {
            out[at++] = 0x70;
            at = putInt(out, at, value);
        }
        return at;
    }

    private static int putInt(byte[] out, int at, int value) {
        out[at] = (byte) (value >>> 24);
        out[at + 1] = (byte) (value >>> 16);
        out[at + 2] = (byte) (value >>> 8);
        out[at + 3] = (byte) value;
        return at + 4;
    }
}
