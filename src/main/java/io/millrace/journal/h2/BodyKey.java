package io.millrace.journal.h2;

import io.millrace.journal.Fact.Details;
import org.h2.mvstore.DataUtils;

/** The place of a part of a body that is kept apart from the messages that have it. */
record BodyKey(long body, int part) {
    static final RecordType<BodyKey> TYPE = RecordType.ofKeys(
            BodyKey[]::new,
            32,
            (out, key) -> out.putVarLong(key.body).putVarInt(key.part),
            in -> new BodyKey(DataUtils.readVarLong(in), DataUtils.readVarInt(in)),
            BodyKey::compare);

    private static int compare(BodyKey a, BodyKey b) {
        int byBody = Long.compare(a.body, b.body);
        return byBody != 0 ? byBody : Integer.compare(a.part, b.part);
    }

    /** How many parts so many bytes are. */
    static int partsOf(int size) {
        return (size + Details.PART_BYTES - 1) / Details.PART_BYTES;
    }
}
