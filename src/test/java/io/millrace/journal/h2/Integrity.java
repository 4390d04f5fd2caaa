package io.millrace.journal.h2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.MessageKey;
import io.millrace.journal.MessageReader.ExpiryMark;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.type.IntegerDataType;
import org.h2.mvstore.type.LongDataType;

/** Whether the maps of a store say the same: nothing is left over, and nothing lacks. */
final class Integrity {
    private final Tables tables;
    private final MVMap<Long, BodyRecord> references;
    private final MVMap<Long, Integer> spilledReferences;
    private final MVMap<Long, Integer> loose;

    private Integrity(MVStore store) {
        tables = new Tables(store);
        references = Tables.map(store, "references", LongDataType.INSTANCE, BodyRecord.TYPE);
        spilledReferences = Tables.map(store, "spilledReferences", LongDataType.INSTANCE, IntegerDataType.INSTANCE);
        loose = Tables.map(store, "loose", LongDataType.INSTANCE, IntegerDataType.INSTANCE);
    }

    /** Of a store that is not in use. */
    static void check(H2Journal.Options options) {
        StoreFile file = StoreFile.open(options, () -> false);
        try {
            Integrity maps = new Integrity(file.store());
            maps.checkReferences();
            maps.checkParts();
            maps.checkDeadlines(true, maps.tables.messages);
            maps.checkDeadlines(false, maps.tables.spilled);
            assertTrue(maps.tables.messages.keySet().containsAll(maps.tables.attempts.keySet()));
            maps.checkOwnParts();
        } finally {
            file.store().close();
        }
    }

    private static Map<Long, Integer> counted(MVMap<MessageKey, MessageRecord> messages) {
        Map<Long, Integer> counts = new TreeMap<>();
        messages.forEach((key, record) -> {
            if (record.hasBody()) {
                counts.merge(record.details().body(), 1, Integer::sum);
            }
        });
        return counts;
    }

    private void checkReferences() {
        Map<Long, Integer> durable = new TreeMap<>();
        references.forEach((body, record) -> {
            if (record.references() > 0) {
                durable.put(body, record.references());
            } else {
                assertTrue(loose.containsKey(body), () -> body + " has no references and is not loose");
            }
        });
        assertEquals(counted(tables.messages), durable);
        assertEquals(counted(tables.spilled), new TreeMap<>(spilledReferences));
    }

    private void checkParts() {
        Set<Long> kept = new HashSet<>();
        tables.shared.parts().forEach((key, part) -> {
            BodyRecord record = references.get(key.body());
            boolean needed = record != null && record.references() > 0;
            assertTrue(needed != loose.containsKey(key.body()), () -> "body " + key.body() + ": " + record);
            kept.add(key.body());
        });
        counted(tables.messages).keySet().forEach(body -> assertTrue(kept.contains(body), () -> body + " lacks"));
    }

    private void checkDeadlines(boolean durable, MVMap<MessageKey, MessageRecord> messages) {
        Set<ExpiryMark> marks = new HashSet<>();
        messages.forEach((key, record) -> {
            if (record.details().expiryMillis() > 0) {
                marks.add(new ExpiryMark(record.details().expiryMillis(), key));
            }
        });
        assertEquals(marks, new HashSet<>(tables.deadlines.of(durable).keySet()));
    }

    private void checkOwnParts() {
        tables.bodies.keySet().forEach(part -> {
            MessageRecord record = tables.messages.get(part.message());
            boolean own = record != null && !record.inline() && !record.shared();
            assertTrue(own || tables.isDeleted(part.message().queue()), () -> part + " belongs to nobody");
        });
    }
}
