package io.millrace.amqp;

import io.millrace.message.Condition;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.transport.EmptyFrame;
import org.apache.qpid.proton.amqp.transport.FrameBody;

/**
 * Makes frames of the bytes that a peer sends, however they are cut (AMQP 1.0, part 2, section 2.3). Owned by its connection.
 *
 * <p>A frame that is whole is decoded where it lies; of one that is not, the bytes are kept until the rest is here. After
 * bytes that are no frame nothing is read any more.
 */
final class FrameInput {
    private static final int HEADER_SIZE = 8;
    private static final int SIZE_OF_SIZE = 4;
    private static final int KEPT_CAPACITY = 16 * 1024;
    private static final int AMQP_FRAME = 0;
    private static final byte[] NOTHING = {};

    /** The codec is quicker on the heap, where frames of all connections of a thread take turns. */
    private static final ThreadLocal<ByteBuffer> ON_HEAP =
            ThreadLocal.withInitial(() -> ByteBuffer.allocate(64 * 1024));

    private final int maxFrameSize;
    private final Frames frames;
    private final PerformativeDecoder decoder = PerformativeDecoder.ofThread();
    private byte[] held = NOTHING;
    private int heldBytes;
    private int size;
    private boolean over;
    private boolean paused;
    private byte[] later = NOTHING;

    /** Where the frames go. */
    interface Frames {
        /** @param payload null when there is none */
        void frame(int channel, FrameBody body, Binary payload);

        /** The bytes are no frames; nothing more will come. */
        void broken(Condition why);
    }

    FrameInput(int maxFrameSize, Frames frames) {
        this.maxFrameSize = maxFrameSize;
        this.frames = frames;
    }

    void receive(ByteBuffer bytes) {
        if (bytes.hasArray()) {
            parse(bytes);
            return;
        }
        while (bytes.hasRemaining()) {
            ByteBuffer copy = ON_HEAP.get().clear();
            int limit = bytes.limit();
            bytes.limit(bytes.position() + Math.min(copy.remaining(), bytes.remaining()));
            copy.put(bytes).flip();
            bytes.limit(limit);
            parse(copy);
        }
    }

    /** What comes after this frame is kept until {@link #goOn}. */
    void pause() {
        paused = true;
    }

    /** Reads what was kept. */
    void goOn() {
        paused = false;
        byte[] kept = later;
        later = NOTHING;
        parse(ByteBuffer.wrap(kept));
    }

    private void keep(ByteBuffer in) {
        int before = later.length;
        later = Arrays.copyOf(later, before + in.remaining());
        in.get(later, before, in.remaining());
    }

    /** How many bytes the frame has that is heard now. */
    int size() {
        return size;
    }

    /** What follows is not for us any more. */
    void stop() {
        over = true;
    }

    /** Gives memory back; for a connection that is idle. */
    void trim() {
        if (heldBytes == 0 && held.length > KEPT_CAPACITY) {
            held = NOTHING;
        }
    }

    private void parse(ByteBuffer in) {
        int end = in.limit();
        while (in.hasRemaining() && !over) {
            if (paused) {
                keep(in);
                break;
            }
            boolean sizeKnown = heldBytes == 0 && in.remaining() >= SIZE_OF_SIZE;
            int size = sizeKnown ? in.getInt(in.position()) : 0;
            if (sizeKnown && !possible(size)) {
                break;
            }
            if (sizeKnown && in.remaining() >= size) {
                int next = in.position() + size;
                frame(in, in.position(), size);
                in.limit(end).position(next);
            } else {
                hold(in);
            }
        }
        in.position(end);
    }

    private boolean possible(int size) {
        if (size < HEADER_SIZE || size > maxFrameSize) {
            broken(
                    Condition.FRAMING_ERROR,
                    "a frame of " + Integer.toUnsignedString(size) + " bytes; the least is " + HEADER_SIZE
                            + ", and max-frame-size is " + maxFrameSize);
            return false;
        }
        return true;
    }

    /** Keeps what is there of a frame, first of its size and then of all of it, and reads it when it is whole. */
    private void hold(ByteBuffer in) {
        if (heldBytes < SIZE_OF_SIZE) {
            take(in, SIZE_OF_SIZE);
            if (heldBytes < SIZE_OF_SIZE || !possible(heldSize())) {
                return;
            }
        }
        int size = heldSize();
        take(in, size);
        if (heldBytes == size) {
            heldBytes = 0;
            frame(ByteBuffer.wrap(held), 0, size);
        }
    }

    private int heldSize() {
        return ByteBuffer.wrap(held).getInt(0);
    }

    private void take(ByteBuffer in, int upTo) {
        int count = Math.min(upTo - heldBytes, in.remaining());
        if (held.length < heldBytes + count) {
            // No more than what the peer has sent deserves, for it may stop here.
            held = Arrays.copyOf(held, Math.max(64, Math.min(upTo, Math.max(heldBytes + count, held.length * 2))));
        }
        in.get(held, heldBytes, count);
        heldBytes += count;
    }

    private void frame(ByteBuffer in, int start, int size) {
        this.size = size;
        int body = (in.get(start + 4) & 0xff) * 4;
        int type = in.get(start + 5) & 0xff;
        int channel = in.getShort(start + 6) & 0xffff;
        if (body < HEADER_SIZE || body > size) {
            broken(Condition.FRAMING_ERROR, "a data offset of " + body + " bytes in a frame of " + size);
        } else if (type != AMQP_FRAME) {
            broken(Condition.FRAMING_ERROR, "a frame of type " + type + ", where only AMQP frames (0) can be");
        } else if (body == size) {
            frames.frame(channel, EmptyFrame.INSTANCE, null);
        } else {
            in.limit(start + size).position(start + body);
            decode(channel, in);
        }
    }

    private void decode(int channel, ByteBuffer in) {
        FrameBody body;
        try {
            body = decoder.decode(in);
        } catch (UndecodableException e) {
            broken(Condition.DECODE_ERROR, e.getMessage());
            return;
        }
        Binary payload = null;
        if (in.hasRemaining()) {
            byte[] bytes = new byte[in.remaining()];
            in.get(bytes);
            payload = new Binary(bytes);
        }
        frames.frame(channel, body, payload);
    }

    private void broken(String condition, String why) {
        over = true;
        frames.broken(new Condition(condition, "the bytes received are not AMQP frames: " + why));
    }
}
