package io.millrace.bench;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import org.apache.qpid.proton.codec.ReadableBuffer;

/**
 * A message that is encoded once and sent again and again: only the first bytes of its body change. These are the time it
 * was sent at or should have been, the number of the run, the producer with whether it is measured, and the sequence number.
 * Owned by its link.
 */
final class Body {
    /** A body has at least so many bytes. */
    static final int MIN_BYTES = 24;

    private static final int RUN = 8;
    private static final int PRODUCER = 12;
    private static final int SEQUENCE = 16;
    private static final int MEASURED = 1 << 31;

    private static final VarHandle LONG = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle INT = MethodHandles.byteArrayViewVarHandle(int[].class, ByteOrder.BIG_ENDIAN);

    private final byte[] encoded;
    private final int start;
    private final ReadableBuffer view;

    /** @param to the address, for senders without one */
    Body(int bytes, boolean durable, Optional<String> to, int run) {
        byte[] properties = to.map(Body::properties).orElse(new byte[0]);
        ByteBuffer out = ByteBuffer.allocate(bytes + properties.length + 16);
        // header { durable }: a described list of one field
        out.put(new byte[] {0x00, 0x53, 0x70, (byte) 0xc0, 2, 1, (byte) (durable ? 0x41 : 0x42)});
        out.put(properties);
        // one data section
        out.put(new byte[] {0x00, 0x53, 0x75, (byte) 0xb0}).putInt(bytes);
        start = out.position();
        encoded = Arrays.copyOf(out.array(), start + bytes);
        Arrays.fill(encoded, start, encoded.length, (byte) 'x');
        INT.set(encoded, start + RUN, run);
        view = ReadableBuffer.ByteBufferReader.wrap(encoded);
    }

    /** The section of properties with {@code to} as their third field. */
    private static byte[] properties(String to) {
        byte[] address = to.getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(address.length + 24);
        out.put(new byte[] {0x00, 0x53, 0x73, (byte) 0xd0});
        out.putInt(4 + 2 + 5 + address.length).putInt(3);
        out.put((byte) 0x40).put((byte) 0x40);
        out.put((byte) 0xb1).putInt(address.length).put(address);
        return Arrays.copyOf(out.array(), out.position());
    }

    /** The message as it goes out, whose bytes are good until the next one. */
    ReadableBuffer stamped(long stampNanos, int producer, boolean measured, long sequence) {
        LONG.set(encoded, start, stampNanos);
        INT.set(encoded, start + PRODUCER, measured ? producer | MEASURED : producer);
        LONG.set(encoded, start + SEQUENCE, sequence);
        view.position(0);
        return view;
    }

    int encodedBytes() {
        return encoded.length;
    }

    /** Reads what producers of a run wrote; one for each consumer, so that nothing is made for a message. */
    static final class Reader {
        private final int bytes;
        private final int run;
        private final byte[] copy = new byte[MIN_BYTES];
        private byte[] in = copy;
        private int at;

        Reader(int bytes, int run) {
            this.bytes = bytes;
            this.run = run;
        }

        /** Looks at a message; whether it is of this run. The body is at its end, whatever the broker put before it. */
        boolean read(ReadableBuffer message) {
            int offset = message.remaining() - bytes;
            if (offset < 0) {
                return false;
            }
            if (message.hasArray()) {
                in = message.array();
                at = message.arrayOffset() + message.position() + offset;
            } else {
                message.position(message.position() + offset);
                message.get(copy, 0, MIN_BYTES);
                in = copy;
                at = 0;
            }
            return (int) INT.get(in, at + RUN) == run;
        }

        long stampNanos() {
            return (long) LONG.get(in, at);
        }

        int producer() {
            return (int) INT.get(in, at + PRODUCER) & ~MEASURED;
        }

        boolean measured() {
            return ((int) INT.get(in, at + PRODUCER) & MEASURED) != 0;
        }

        long sequence() {
            return (long) LONG.get(in, at + SEQUENCE);
        }
    }
}
