package io.millrace.journal.h2;

import io.millrace.journal.Fact.IdentitySeen;
import io.millrace.journal.JournalException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.CRC32C;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

/** The identities of messages that queues took in, by queue and number. Written by the journal thread only. */
final class Identities {
    private final MVMap<Key, Seen> identities;

    private record Key(long queue, long number) {
        static final RecordType<Key> TYPE = RecordType.ofKeys(
                Key[]::new,
                32,
                (out, key) -> out.putVarLong(key.queue).putVarLong(key.number),
                in -> new Key(DataUtils.readVarLong(in), DataUtils.readVarLong(in)),
                Comparator.comparingLong(Key::queue).thenComparingLong(Key::number));
    }

    private record Seen(long millis, int crc, byte[] identity) {
        static final RecordType<Seen> TYPE = RecordType.ofValues(
                Seen[]::new,
                seen -> 48 + seen.identity.length,
                (out, seen) -> out.putVarLong(seen.millis)
                        .putInt(seen.crc)
                        .putVarInt(seen.identity.length)
                        .put(seen.identity),
                in -> {
                    long millis = DataUtils.readVarLong(in);
                    int crc = in.getInt();
                    byte[] identity = new byte[DataUtils.readVarInt(in)];
                    in.get(identity);
                    return new Seen(millis, crc, identity);
                });

        static int crcOf(Key key, long millis, byte[] identity) {
            CRC32C crc = new CRC32C();
            crc.update(ByteBuffer.allocate(24)
                    .putLong(key.queue)
                    .putLong(key.number)
                    .putLong(millis)
                    .flip());
            crc.update(identity, 0, identity.length);
            return (int) crc.getValue();
        }
    }

    Identities(MVStore store) {
        identities = Tables.map(store, "identities", Key.TYPE, Seen.TYPE);
    }

    void add(IdentitySeen seen) {
        Key key = new Key(seen.queue(), seen.number());
        int crc = Seen.crcOf(key, seen.seenMillis(), seen.identity());
        identities.put(key, new Seen(seen.seenMillis(), crc, seen.identity()));
    }

    /** Removes those of a queue up to a number, at most so many; how many they were. */
    int remove(long queue, long upToNumber, int max) {
        int removed = 0;
        Key key = identities.isEmpty() ? null : identities.ceilingKey(new Key(queue, Long.MIN_VALUE));
        while (removed < max && key != null && key.queue == queue && key.number <= upToNumber) {
            identities.remove(key);
            removed++;
            key = identities.higherKey(key);
        }
        return removed;
    }

    /** All there are, by queue, oldest first. */
    Map<Long, List<IdentitySeen>> byQueue() {
        Map<Long, List<IdentitySeen>> all = new HashMap<>();
        identities.forEach((key, seen) -> {
            if (Seen.crcOf(key, seen.millis, seen.identity) != seen.crc) {
                throw new JournalException("the identity number " + key.number + " of queue number " + key.queue
                        + " does not match its checksum: the store is damaged, restore it from a backup");
            }
            all.computeIfAbsent(key.queue, queue -> new ArrayList<>())
                    .add(new IdentitySeen(key.queue, key.number, seen.millis, seen.identity));
        });
        return all;
    }
}
