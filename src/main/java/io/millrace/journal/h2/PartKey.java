package io.millrace.journal.h2;

import io.millrace.journal.MessageKey;
import java.nio.ByteBuffer;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/** The place of a part of a large message. */
record PartKey(MessageKey message, int part) implements Comparable<PartKey> {
    /** How many bytes of a large message lie together. */
    static final int PART_BYTES = 256 * 1024;

    static int partsOf(int size) {
        return size <= MessageRecord.INLINE_LIMIT ? 0 : (size + PART_BYTES - 1) / PART_BYTES;
    }

    @Override
    public int compareTo(PartKey other) {
        int byMessage = message.compareTo(other.message);
        return byMessage != 0 ? byMessage : Integer.compare(part, other.part);
    }

    /** How the store writes and weighs these keys. */
    static final class Type extends BasicDataType<PartKey> {
        static final Type INSTANCE = new Type();

        private static final int MEMORY_BYTES = 24 + 32;

        @Override
        public int compare(PartKey a, PartKey b) {
            return a.compareTo(b);
        }

        @Override
        public int getMemory(PartKey key) {
            return MEMORY_BYTES;
        }

        @Override
        public boolean isMemoryEstimationAllowed() {
            return false;
        }

        @Override
        public void write(WriteBuffer out, PartKey key) {
            MessageKeyType.INSTANCE.write(out, key.message);
            out.putVarInt(key.part);
        }

        @Override
        public PartKey read(ByteBuffer in) {
            MessageKey message = MessageKeyType.INSTANCE.read(in);
            return new PartKey(message, DataUtils.readVarInt(in));
        }

        @Override
        public PartKey[] createStorage(int size) {
            return new PartKey[size];
        }
    }

    /** The parts themselves. */
    static final class BytesType extends BasicDataType<byte[]> {
        static final BytesType INSTANCE = new BytesType();

        @Override
        public int getMemory(byte[] bytes) {
            return 16 + bytes.length;
        }

        @Override
        public boolean isMemoryEstimationAllowed() {
            return false;
        }

        @Override
        public void write(WriteBuffer out, byte[] bytes) {
            out.putVarInt(bytes.length);
            out.put(bytes);
        }

        @Override
        public byte[] read(ByteBuffer in) {
            byte[] bytes = new byte[DataUtils.readVarInt(in)];
            in.get(bytes);
            return bytes;
        }

        @Override
        public byte[][] createStorage(int size) {
            return new byte[size][];
        }
    }
}
