package io.millrace.journal.h2;

import io.millrace.journal.MessageKey;
import io.millrace.journal.MessageReader.ExpiryMark;
import java.util.Comparator;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

/**
 * Which messages expire, queue by queue in the order of their deadlines. Those of messages that are not durable lie apart,
 * as these messages do, so that they are forgotten together. Written by the journal thread only.
 */
final class Deadlines {
    private static final RecordType<ExpiryMark> MARKS = RecordType.ofKeys(
            ExpiryMark[]::new,
            24 + 32,
            (out, mark) -> {
                MessageKeyType.INSTANCE.write(out, mark.key());
                out.putVarLong(mark.expiryMillis());
            },
            in -> {
                MessageKey key = MessageKeyType.INSTANCE.read(in);
                return new ExpiryMark(DataUtils.readVarLong(in), key);
            },
            Comparator.<ExpiryMark>comparingLong(mark -> mark.key().queue())
                    .thenComparingLong(ExpiryMark::expiryMillis)
                    .thenComparing(ExpiryMark::key));

    /** All there is to know is in the key. */
    private static final RecordType<Boolean> NOTHING =
            RecordType.ofValues(Boolean[]::new, nothing -> 0, (out, nothing) -> {}, in -> true);

    private final MVMap<ExpiryMark, Boolean> durable;
    private final MVMap<ExpiryMark, Boolean> spilled;

    Deadlines(MVStore store) {
        durable = Tables.map(store, "expiry", MARKS, NOTHING);
        spilled = Tables.map(store, "spilledExpiry", MARKS, NOTHING);
    }

    MVMap<ExpiryMark, Boolean> of(boolean durableMessages) {
        return durableMessages ? durable : spilled;
    }

    void clearTemporary() {
        if (!spilled.isEmpty()) {
            spilled.clear();
        }
    }

    void add(MessageKey key, boolean isDurable, long millis) {
        if (millis > 0) {
            of(isDurable).put(new ExpiryMark(millis, key), true);
        }
    }

    void remove(MessageKey key, boolean isDurable, long millis) {
        if (millis > 0) {
            of(isDurable).remove(new ExpiryMark(millis, key));
        }
    }
}
