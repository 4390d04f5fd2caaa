package io.millrace.journal.h2;

import io.millrace.journal.MessageKey;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/**
 * A message as it lies in the store.
 *
 * @param size of its bytes
 * @param crc CRC32C of its key and everything here, so that bytes at the wrong place are seen too
 * @param bytes the message, or nothing when it is larger than {@link #INLINE_LIMIT} and lies in parts of its own
 */
record MessageRecord(long arrivalMillis, int format, int size, int crc, byte[] bytes) {
    static final int INLINE_LIMIT = 32 * 1024;

    static MessageRecord of(MessageKey key, long arrivalMillis, int format, byte[] bytes, boolean inline) {
        int crc = crcOf(key, arrivalMillis, format, bytes);
        return new MessageRecord(arrivalMillis, format, bytes.length, crc, inline ? bytes : new byte[0]);
    }

    boolean inline() {
        return bytes.length == size;
    }

    boolean isSound(MessageKey key, byte[] all) {
        return all.length == size && crcOf(key, arrivalMillis, format, all) == crc;
    }

    private static int crcOf(MessageKey key, long arrivalMillis, int format, byte[] bytes) {
        ByteBuffer head = ByteBuffer.allocate(32);
        head.putLong(key.queue()).putInt(key.order()).putLong(key.sequence());
        head.putLong(arrivalMillis).putInt(format).flip();
        CRC32C crc = new CRC32C();
        crc.update(head);
        crc.update(bytes, 0, bytes.length);
        return (int) crc.getValue();
    }

    /** How the store writes and weighs records. */
    static final class Type extends BasicDataType<MessageRecord> {
        static final Type INSTANCE = new Type();

        private static final int MEMORY_BYTES = 40 + 16;

        @Override
        public int getMemory(MessageRecord record) {
            return MEMORY_BYTES + record.bytes.length;
        }

        @Override
        public boolean isMemoryEstimationAllowed() {
            return false;
        }

        @Override
        public void write(WriteBuffer out, MessageRecord record) {
            out.putVarLong(record.arrivalMillis);
            out.putVarInt(record.format);
            out.putInt(record.crc);
            out.putVarInt(record.size);
            out.putVarInt(record.bytes.length);
            out.put(record.bytes);
        }

        @Override
        public MessageRecord read(ByteBuffer in) {
            long arrivalMillis = DataUtils.readVarLong(in);
            int format = DataUtils.readVarInt(in);
            int crc = in.getInt();
            int size = DataUtils.readVarInt(in);
            byte[] bytes = new byte[DataUtils.readVarInt(in)];
            in.get(bytes);
            return new MessageRecord(arrivalMillis, format, size, crc, bytes);
        }

        @Override
        public MessageRecord[] createStorage(int size) {
            return new MessageRecord[size];
        }
    }
}
