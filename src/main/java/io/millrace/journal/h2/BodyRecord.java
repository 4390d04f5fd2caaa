package io.millrace.journal.h2;

import org.h2.mvstore.DataUtils;

/**
 * What is known of a body that messages have.
 *
 * @param references durable messages that have it
 * @param size of its bytes; 0 if it was streamed, then the messages know
 * @param crc CRC32C of its bytes; 0 if it was streamed, then only its parts have one
 */
record BodyRecord(int references, int size, int crc) {
    static final RecordType<BodyRecord> TYPE = RecordType.ofValues(
            BodyRecord[]::new,
            body -> 32,
            (out, body) -> out.putVarInt(body.references).putVarInt(body.size).putInt(body.crc),
            in -> new BodyRecord(DataUtils.readVarInt(in), DataUtils.readVarInt(in), in.getInt()));

    BodyRecord with(int newReferences) {
        return new BodyRecord(newReferences, size, crc);
    }
}
