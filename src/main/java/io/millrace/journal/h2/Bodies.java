package io.millrace.journal.h2;

import io.millrace.journal.Fact.BodyPart;
import io.millrace.journal.Fact.Details;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.zip.CRC32C;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.type.IntegerDataType;
import org.h2.mvstore.type.LongDataType;

/**
 * Bodies that are kept apart from the messages that have them: shared by several, or too large to come in one piece.
 *
 * <p>A body lives as long as a message has it, or somebody receives it. Who has it is counted once for each commit, at its end, so a message that
 * moves does not lose its body on the way. A body that no durable message has is also in {@code loose}: what is found there
 * on opening is left over from a broker that ended, and goes. A body of many parts goes in small steps.
 *
 * <p>Written by the journal thread only; parts are put before the first message that has them, and taken away after the
 * last.
 */
final class Bodies {
    /** Fewer bytes than this cost less in each message than the two entries of a body that they share. */
    private static final int SHARED_BYTES = 256;

    /** How many bytes are removed within one commit. They must be read for it. */
    private static final long FREED_BYTES = 8 << 20;

    /** What a small part counts as, for it is found in a page with others. */
    private static final long LEAST_BYTES = 2048;

    private static final long NEXT = 0;
    private static final int ALIVE = 0;
    private static final int CONDEMNED = 1;

    private final MVMap<BodyKey, PartRecord> parts;
    private final MVMap<Long, BodyRecord> references;

    /** As the counts in {@link #references}, of messages that are not durable. */
    private final MVMap<Long, Integer> spilledReferences;

    private final MVMap<Long, Integer> loose;

    /** One entry: from where on numbers may be given after a restart. */
    private final MVMap<Long, Long> numbers;

    private final Map<Long, Held> held = new HashMap<>();
    private final ArrayDeque<Long> condemned = new ArrayDeque<>();

    /** Bodies of which more parts, or more messages, may come. */
    private final Set<Long> receiving = new HashSet<>();

    /** No body up to this number that is loose is of any use. */
    private final long leftOver;

    private boolean hasLeftOver;
    private long reserved;
    private byte[] summed = {};
    private int sum;

    /** A body whose references change in this commit. */
    private static final class Held {
        private final boolean dying;
        private BodyRecord record;
        private boolean kept;
        private int durable;
        private int spilled;

        Held(BodyRecord found, boolean dying) {
            this.dying = dying;
            kept = found != null;
            record = kept ? found : new BodyRecord(0, 0, 0);
        }
    }

    Bodies(MVStore store) {
        parts = Tables.map(store, "parts", BodyKey.TYPE, PartRecord.TYPE);
        references = Tables.map(store, "references", LongDataType.INSTANCE, BodyRecord.TYPE);
        spilledReferences = Tables.map(store, "spilledReferences", LongDataType.INSTANCE, IntegerDataType.INSTANCE);
        loose = Tables.map(store, "loose", LongDataType.INSTANCE, IntegerDataType.INSTANCE);
        numbers = Tables.map(store, "bodyNumbers", LongDataType.INSTANCE, LongDataType.INSTANCE);
        reserved = numbers.getOrDefault(NEXT, 1L);
        hasLeftOver = !loose.isEmpty();
        leftOver = hasLeftOver ? loose.lastKey() : 0;
    }

    void clearTemporary() {
        if (!spilledReferences.isEmpty()) {
            spilledReferences.clear();
        }
    }

    /** No number from this one on is known to the store. */
    long reserved() {
        return reserved;
    }

    /** Numbers are set aside in blocks, as sequences are. */
    void note(long body) {
        if (body >= reserved) {
            reserved = (body / Counters.BLOCK + 1) * Counters.BLOCK;
            numbers.put(NEXT, reserved);
        }
    }

    void receive(BodyPart part) {
        note(part.body());
        BodyKey key = new BodyKey(part.body(), part.part());
        parts.put(key, PartRecord.of(key, part.bytes()));
        if (part.part() == 0) {
            loose.put(part.body(), ALIVE);
            receiving.add(part.body());
        }
    }

    /**
     * Takes bytes in, or finds that they are there.
     *
     * @return whether a message may refer to the body; otherwise it has to keep its bytes itself
     */
    boolean share(long body, byte[] bytes) {
        if (bytes.length < SHARED_BYTES) {
            return false;
        }
        Held has = held(body);
        if (has.dying) {
            return false;
        }
        int crc = crcOf(bytes);
        if (!has.kept) {
            has.kept = true;
            has.record = new BodyRecord(0, bytes.length, crc);
            putParts(body, bytes);
        }
        return has.record.size() == bytes.length && has.record.crc() == crc;
    }

    private void putParts(long body, byte[] bytes) {
        int count = BodyKey.partsOf(bytes.length);
        for (int part = 0; part < count; part++) {
            BodyKey key = new BodyKey(body, part);
            int from = part * Details.PART_BYTES;
            int to = Math.min(bytes.length, from + Details.PART_BYTES);
            parts.put(key, PartRecord.of(key, count == 1 ? bytes : Arrays.copyOfRange(bytes, from, to)));
        }
    }

    /** CRC32C of bytes. The messages of one fan-out come one after the other with the same ones. */
    int crcOf(byte[] bytes) {
        if (summed != bytes) {
            summed = bytes;
            sum = MessageRecord.crcOf(new CRC32C(), bytes);
        }
        return sum;
    }

    /** A message refers to a body from now on, or does so no more. */
    void refer(long body, boolean durable, int more) {
        Held has = held(body);
        if (durable) {
            has.durable += more;
        } else {
            has.spilled += more;
        }
    }

    /** A body that was received lives on for the messages that have it only. */
    void release(long body) {
        receiving.remove(body);
        held(body);
    }

    private Held held(long body) {
        return held.computeIfAbsent(body, number -> new Held(references.get(number), isDead(number)));
    }

    /** Whether there is nothing for {@link #settle} to do. */
    boolean isSettled() {
        return held.isEmpty();
    }

    /** Writes the references as they are at the end of a commit, and frees bodies that have none. */
    void settle() {
        if (held.isEmpty()) {
            return;
        }
        long left = FREED_BYTES;
        for (Map.Entry<Long, Held> entry : held.entrySet()) {
            long body = entry.getKey();
            Held has = entry.getValue();
            int durable = has.record.references() + has.durable;
            int spilled = spilled(body, has.spilled);
            if (durable > 0 || spilled > 0 || receiving.contains(body)) {
                keep(body, has.record, durable);
            } else if (!has.dying) {
                left -= drop(body, has.record, left);
            }
        }
        held.clear();
        summed = new byte[0];
    }

    private int spilled(long body, int more) {
        Integer before = spilledReferences.isEmpty() ? null : spilledReferences.get(body);
        int now = (before == null ? 0 : before) + more;
        if (now > 0 && more != 0) {
            spilledReferences.put(body, now);
        } else if (now <= 0 && before != null) {
            spilledReferences.remove(body);
        }
        return now;
    }

    private void keep(long body, BodyRecord record, int durable) {
        references.put(body, record.with(Math.max(0, durable)));
        if (durable <= 0) {
            loose.put(body, ALIVE);
        } else if (!loose.isEmpty()) {
            loose.remove(body);
        }
    }

    /** The bytes that it gave free; if it may have more than it was allowed to, the rest follows step by step. */
    private long drop(long body, BodyRecord record, long maxBytes) {
        references.remove(body);
        long freed =
                removeParts(body, record.size() > 0 ? BodyKey.partsOf(record.size()) : Integer.MAX_VALUE, maxBytes);
        if (freed >= maxBytes) {
            loose.put(body, CONDEMNED);
            condemned.add(body);
        } else if (!loose.isEmpty()) {
            loose.remove(body);
        }
        return freed;
    }

    private long removeParts(long body, int count, long maxBytes) {
        if (maxBytes <= 0) {
            return 0;
        }
        PartRecord gone = parts.remove(new BodyKey(body, 0));
        int next = gone != null ? 1 : firstPart(body);
        long freed = gone != null ? weight(gone) : 0;
        while (next < count && freed < maxBytes) {
            gone = parts.remove(new BodyKey(body, next++));
            if (gone == null) {
                break;
            }
            freed += weight(gone);
        }
        return freed;
    }

    /** Of a body whose first parts went in an earlier step. */
    private int firstPart(long body) {
        BodyKey first = parts.ceilingKey(new BodyKey(body, 0));
        return first != null && first.body() == body ? first.part() : Integer.MAX_VALUE;
    }

    private static long weight(PartRecord part) {
        return Math.max(LEAST_BYTES, part.bytes().length);
    }

    /** Removes some parts that nobody needs; whether there were any. */
    boolean purge() {
        long left = FREED_BYTES;
        Long body = nextDead();
        boolean any = body != null;
        // An entry without parts is work too.
        for (int entries = 0; body != null && left > 0 && entries < Upkeep.PURGE_ENTRIES; entries++) {
            left -= removeParts(body, Integer.MAX_VALUE, left);
            if (left > 0) {
                loose.remove(body);
                references.remove(body);
                condemned.remove(body);
                body = nextDead();
            }
        }
        return any;
    }

    private Long nextDead() {
        if (hasLeftOver) {
            Long first = loose.firstKey();
            hasLeftOver = first != null && first <= leftOver;
            if (hasLeftOver) {
                return first;
            }
        }
        return condemned.peek();
    }

    /** Whether the body is going, step by step. Any thread. */
    boolean isDead(long body) {
        Integer state = loose.isEmpty() ? null : loose.get(body);
        return state != null && (state == CONDEMNED || body <= leftOver);
    }

    /** For the reader: the map itself. */
    MVMap<BodyKey, PartRecord> parts() {
        return parts;
    }
}
