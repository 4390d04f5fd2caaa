package io.millrace.journal.h2;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.h2.mvstore.DataUtils;

/**
 * A part of a body as it lies in the store.
 *
 * @param crc CRC32C of its place and its bytes
 */
record PartRecord(int crc, byte[] bytes) {
    static final RecordType<PartRecord> TYPE = RecordType.ofValues(
            PartRecord[]::new,
            part -> 40 + part.bytes.length,
            (out, part) -> out.putInt(part.crc).putVarInt(part.bytes.length).put(part.bytes),
            in -> {
                int crc = in.getInt();
                byte[] bytes = new byte[DataUtils.readVarInt(in)];
                in.get(bytes);
                return new PartRecord(crc, bytes);
            });

    static PartRecord of(BodyKey key, byte[] bytes) {
        return new PartRecord(crcOf(key, bytes), bytes);
    }

    boolean isSound(BodyKey key) {
        return crcOf(key, bytes) == crc;
    }

    private static int crcOf(BodyKey key, byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(
                ByteBuffer.allocate(12).putLong(key.body()).putInt(key.part()).flip());
        crc.update(bytes, 0, bytes.length);
        return (int) crc.getValue();
    }
}
