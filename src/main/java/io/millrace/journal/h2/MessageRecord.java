package io.millrace.journal.h2;

import io.millrace.journal.Fact.Details;
import io.millrace.journal.Fact.MessageStored;
import io.millrace.journal.MessageKey;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/**
 * A message as it lies in the store.
 *
 * @param size of its bytes; of a streamed message, of those before its body
 * @param crc CRC32C of its key and everything here, so that bytes at the wrong place are seen too; of a message that shares
 *     its bytes it covers the CRC32C of these
 * @param bytes the message, or nothing when it shares its bytes, or is larger than {@link #INLINE_LIMIT} and lies in parts
 *     of its own
 */
record MessageRecord(long arrivalMillis, int format, int size, int crc, byte[] bytes, Details details) {
    static final int INLINE_LIMIT = 32 * 1024;

    private static final byte[] ELSEWHERE = {};

    /** With bytes of its own. */
    static MessageRecord of(MessageStored stored, boolean inline) {
        byte[] bytes = stored.bytes();
        Details details = stored.details();
        CRC32C head = head(stored.key(), stored.arrivalMillis(), stored.format(), details);
        return new MessageRecord(
                stored.arrivalMillis(),
                stored.format(),
                bytes.length,
                crcOf(head, bytes),
                inline ? bytes : ELSEWHERE,
                details);
    }

    /** With bytes that lie in its body; {@code bodyCrc} is their CRC32C. */
    static MessageRecord sharing(MessageStored stored, int bodyCrc) {
        CRC32C head = head(stored.key(), stored.arrivalMillis(), stored.format(), stored.details());
        return new MessageRecord(
                stored.arrivalMillis(),
                stored.format(),
                stored.bytes().length,
                sharedCrcOf(head, bodyCrc),
                ELSEWHERE,
                stored.details());
    }

    boolean inline() {
        return bytes.length == size;
    }

    /** Whether its bytes are in a body, and all of them. */
    boolean shared() {
        return details.body() != 0 && details.streamed() == 0 && !inline();
    }

    /** Whether there is a body that must be kept for it. */
    boolean hasBody() {
        return details.body() != 0 && (details.streamed() > 0 || !inline());
    }

    /** Size of the whole message. */
    long total() {
        return size + details.streamed();
    }

    boolean isSound(MessageKey key, byte[] all) {
        if (all.length != size) {
            return false;
        }
        CRC32C head = head(key, arrivalMillis, format, details);
        return crc == (shared() ? sharedCrcOf(head, crcOf(new CRC32C(), all)) : crcOf(head, all));
    }

    private static int sharedCrcOf(CRC32C head, int bodyCrc) {
        return crcOf(head, ByteBuffer.allocate(4).putInt(bodyCrc).array());
    }

    static int crcOf(CRC32C before, byte[] bytes) {
        before.update(bytes, 0, bytes.length);
        return (int) before.getValue();
    }

    private static CRC32C head(MessageKey key, long arrivalMillis, int format, Details details) {
        boolean plain = details.isNone();
        ByteBuffer head = ByteBuffer.allocate(plain ? 32 : 64);
        head.putLong(key.queue()).putInt(key.order()).putLong(key.sequence());
        head.putLong(arrivalMillis).putInt(format);
        if (!plain) {
            head.putLong(details.expiryMillis()).putLong(details.originSequence());
            head.putLong(details.body()).putLong(details.streamed());
        }
        CRC32C crc = new CRC32C();
        crc.update(head.flip());
        return crc;
    }

    /**
     * How the store writes and weighs records. One without details is as in format 1; where details follow, the complement
     * of the size says so.
     */
    static final class Type extends BasicDataType<MessageRecord> {
        static final Type INSTANCE = new Type();

        private static final int MEMORY_BYTES = 48 + 16;
        private static final int DETAILS_BYTES = 48;

        @Override
        public int getMemory(MessageRecord record) {
            int details = record.details.isNone() ? 0 : DETAILS_BYTES;
            return MEMORY_BYTES + record.bytes.length + details;
        }

        @Override
        public boolean isMemoryEstimationAllowed() {
            return false;
        }

        @Override
        public void write(WriteBuffer out, MessageRecord record) {
            boolean plain = record.details.isNone();
            out.putVarLong(record.arrivalMillis);
            out.putVarInt(record.format);
            out.putInt(record.crc);
            out.putVarInt(plain ? record.size : ~record.size);
            if (!plain) {
                out.putVarLong(record.details.expiryMillis());
                out.putVarLong(record.details.originSequence());
                out.putVarLong(record.details.body());
                out.putVarLong(record.details.streamed());
            }
            out.putVarInt(record.bytes.length);
            out.put(record.bytes);
        }

        @Override
        public MessageRecord read(ByteBuffer in) {
            long arrivalMillis = DataUtils.readVarLong(in);
            int format = DataUtils.readVarInt(in);
            int crc = in.getInt();
            int size = DataUtils.readVarInt(in);
            Details details = size < 0 ? details(in) : Details.NONE;
            byte[] bytes = new byte[DataUtils.readVarInt(in)];
            in.get(bytes);
            return new MessageRecord(arrivalMillis, format, size < 0 ? ~size : size, crc, bytes, details);
        }

        private static Details details(ByteBuffer in) {
            long expiryMillis = DataUtils.readVarLong(in);
            long originSequence = DataUtils.readVarLong(in);
            long body = DataUtils.readVarLong(in);
            return new Details(expiryMillis, originSequence, body, DataUtils.readVarLong(in));
        }

        @Override
        public MessageRecord[] createStorage(int size) {
            return new MessageRecord[size];
        }
    }
}
