package io.millrace.journal.h2;

import java.nio.ByteBuffer;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/**
 * How a queue stands: kept beside the messages, so that a restart does not have to count them.
 *
 * @param messages durable ones
 * @param bytes of durable messages
 * @param reserved no sequence from this one on has been used
 */
record Counters(long messages, long bytes, long reserved) {
    /** Sequences are set aside in blocks, so that a message that leaves before it was written costs no write. */
    static final long BLOCK = 1 << 16;

    static final Counters NONE = new Counters(0, 0, 0);

    Counters plus(int moreMessages, long moreBytes) {
        return new Counters(messages + moreMessages, bytes + moreBytes, reserved);
    }

    Counters reserving(long sequence) {
        return new Counters(messages, bytes, (sequence / BLOCK + 1) * BLOCK);
    }

    /** How the store writes and weighs counters. */
    static final class Type extends BasicDataType<Counters> {
        static final Type INSTANCE = new Type();

        private static final int MEMORY_BYTES = 40;

        @Override
        public int getMemory(Counters counters) {
            return MEMORY_BYTES;
        }

        @Override
        public boolean isMemoryEstimationAllowed() {
            return false;
        }

        @Override
        public void write(WriteBuffer out, Counters counters) {
            out.putVarLong(counters.messages).putVarLong(counters.bytes).putVarLong(counters.reserved);
        }

        @Override
        public Counters read(ByteBuffer in) {
            long messages = DataUtils.readVarLong(in);
            long bytes = DataUtils.readVarLong(in);
            return new Counters(messages, bytes, DataUtils.readVarLong(in));
        }

        @Override
        public Counters[] createStorage(int size) {
            return new Counters[size];
        }
    }
}
