package io.millrace.journal.h2;

import io.millrace.journal.Fact;
import io.millrace.journal.Fact.DeliveryFailed;
import io.millrace.journal.Fact.MessageAnnotated;
import io.millrace.journal.Fact.MessageMoved;
import io.millrace.journal.Fact.MessageRemoved;
import io.millrace.journal.Fact.MessageStored;
import io.millrace.journal.Fact.NodeDeclared;
import io.millrace.journal.Fact.NodeDeleted;
import io.millrace.journal.Journal.Lane;
import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.journal.MessageKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.type.DataType;
import org.h2.mvstore.type.IntegerDataType;
import org.h2.mvstore.type.LongDataType;

/**
 * The maps of the store, and what each fact does to them.
 *
 * <p>Written by the journal thread only. The maps may be read elsewhere; for the reader's sake the parts of a large
 * message are put before it, and taken away after it.
 */
final class Tables {
    final MVMap<MessageKey, MessageRecord> messages;
    final MVMap<PartKey, byte[]> bodies;
    final MVMap<MessageKey, Integer> attempts;
    final MVMap<MessageKey, MessageRecord> spilled;
    private final MVMap<Long, QueueRecord> entities;
    private final MVMap<Long, Counters> counters;

    /** The counters of all queues as they will be written; those in {@link #touched} differ from the map. */
    private final Map<Long, Counters> current = new HashMap<>();

    private final Set<Long> touched = new HashSet<>();
    private final Set<Long> deleted = new HashSet<>();

    /** Queues that outlive a restart. A temporary queue is never declared; all it can have here is spilled messages. */
    private final Set<Long> declared = new HashSet<>();

    private boolean durable;

    Tables(MVStore store) {
        messages = map(store, "messages", MessageKeyType.INSTANCE, MessageRecord.Type.INSTANCE);
        bodies = map(store, "bodies", PartKey.Type.INSTANCE, PartKey.BytesType.INSTANCE);
        attempts = map(store, "attempts", MessageKeyType.INSTANCE, IntegerDataType.INSTANCE);
        spilled = map(store, "spilled", MessageKeyType.INSTANCE, MessageRecord.Type.INSTANCE);
        entities = map(store, "entities", LongDataType.INSTANCE, QueueRecord.Type.INSTANCE);
        counters = map(store, "counters", LongDataType.INSTANCE, Counters.Type.INSTANCE);
        current.putAll(counters);
        entities.forEach((number, queue) -> (queue.deleted() ? deleted : declared).add(number));
    }

    private static <K, V> MVMap<K, V> map(MVStore store, String name, DataType<K> key, DataType<V> value) {
        return store.openMap(name, new MVMap.Builder<K, V>().keyType(key).valueType(value));
    }

    /** Forgets what was kept only to save memory, and counters of queues that are not there any more. */
    void clearTemporary() {
        if (!spilled.isEmpty()) {
            spilled.clear();
        }
        for (long number : List.copyOf(current.keySet())) {
            if (!entities.containsKey(number)) {
                current.remove(number);
                counters.remove(number);
            }
        }
    }

    /** All queues that are not deleted, in the order of their numbers. */
    List<RecoveredNode> queues() {
        List<RecoveredNode> queues = new ArrayList<>();
        entities.forEach((number, queue) -> {
            if (!queue.deleted()) {
                Counters has = current.getOrDefault(number, Counters.NONE);
                queues.add(new RecoveredNode(
                        new NodeDeclared(
                                number,
                                queue.address(),
                                queue.deadLetter() ? Fact.NodeKind.DEAD_LETTER_QUEUE : Fact.NodeKind.QUEUE,
                                Map.of()),
                        has.bytes(),
                        has.messages() == 0 ? List.of() : List.of(new Lane(0, has.messages())),
                        has.reserved(),
                        List.of()));
            }
        });
        return queues;
    }

    /** Takes note of the sequence of a message, also when the message will not be written. */
    void noteSequences(Fact fact) {
        if (fact instanceof MessageStored stored) {
            note(stored);
        } else if (fact instanceof MessageMoved moved) {
            note(moved.stored());
        } else if (fact instanceof NodeDeclared node) {
            declared.add(node.number());
        }
    }

    private void note(MessageStored stored) {
        MessageKey key = stored.key();
        if (!stored.durable() && !declared.contains(key.queue())) {
            return;
        }
        Counters has = current.getOrDefault(key.queue(), Counters.NONE);
        if (key.sequence() >= has.reserved() && !deleted.contains(key.queue())) {
            current.put(key.queue(), has.reserving(key.sequence()));
            touched.add(key.queue());
            durable = true;
        }
    }

    void apply(Fact fact) {
        if (fact instanceof MessageStored stored) {
            store(stored);
        } else if (fact instanceof MessageRemoved removed) {
            remove(removed);
        } else if (fact instanceof MessageMoved moved) {
            remove(moved.removed());
            store(moved.stored());
        } else if (fact instanceof DeliveryFailed failed) {
            fail(failed);
        } else if (fact instanceof MessageAnnotated annotated) {
            annotate(annotated);
        } else if (fact instanceof NodeDeclared node) {
            entities.put(
                    node.number(),
                    new QueueRecord(node.address(), node.kind() == Fact.NodeKind.DEAD_LETTER_QUEUE, false));
            durable = true;
        } else if (fact instanceof NodeDeleted node) {
            delete(node.number());
        }
    }

    private void store(MessageStored stored) {
        MessageKey key = stored.key();
        if (deleted.contains(key.queue())) {
            return;
        }
        byte[] bytes = stored.bytes();
        if (!stored.durable()) {
            spilled.put(key, MessageRecord.of(key, stored.arrivalMillis(), stored.format(), bytes, true));
            return;
        }
        putDurable(key, stored.arrivalMillis(), stored.format(), bytes);
        count(key.queue(), 1, bytes.length);
    }

    private void putDurable(MessageKey key, long arrivalMillis, int format, byte[] bytes) {
        int parts = PartKey.partsOf(bytes.length);
        for (int part = 0; part < parts; part++) {
            int from = part * PartKey.PART_BYTES;
            int to = Math.min(bytes.length, from + PartKey.PART_BYTES);
            bodies.put(new PartKey(key, part), Arrays.copyOfRange(bytes, from, to));
        }
        messages.put(key, MessageRecord.of(key, arrivalMillis, format, bytes, parts == 0));
        durable = true;
    }

    private void remove(MessageRemoved removed) {
        MessageKey key = removed.key();
        if (!removed.durable()) {
            spilled.remove(key);
            return;
        }
        MessageRecord record = messages.remove(key);
        if (record != null) {
            removeParts(key, 0, record.size());
            count(key.queue(), -1, -record.size());
            durable = true;
        }
        if (!attempts.isEmpty()) {
            attempts.remove(key);
        }
    }

    /** Writes a message again as it is, which moves it to another place in the file. */
    void rewrite(MessageKey key, MessageRecord record) {
        for (int part = 0; part < PartKey.partsOf(record.size()); part++) {
            PartKey place = new PartKey(key, part);
            bodies.put(place, bodies.get(place));
        }
        messages.put(key, record);
        durable = true;
    }

    private void removeParts(MessageKey key, int from, int size) {
        int parts = PartKey.partsOf(size);
        for (int part = from; part < parts; part++) {
            bodies.remove(new PartKey(key, part));
        }
    }

    private void fail(DeliveryFailed failed) {
        if (messages.containsKey(failed.key())) {
            attempts.put(failed.key(), failed.deliveryCount());
            durable = true;
        }
    }

    private void annotate(MessageAnnotated annotated) {
        MessageKey key = annotated.key();
        MessageRecord old = messages.get(key);
        if (old == null) {
            return;
        }
        byte[] bytes = annotated.bytes();
        putDurable(key, old.arrivalMillis(), old.format(), bytes);
        removeParts(key, PartKey.partsOf(bytes.length), old.size());
        count(key.queue(), 0, bytes.length - old.size());
    }

    private void count(long queue, int messages, long bytes) {
        current.put(queue, current.getOrDefault(queue, Counters.NONE).plus(messages, bytes));
        touched.add(queue);
    }

    private void delete(long number) {
        QueueRecord queue = entities.get(number);
        if (queue != null) {
            entities.put(number, queue.asDeleted());
            deleted.add(number);
            durable = true;
        } else if (hasSpilled(number)) {
            deleted.add(number);
        }
        declared.remove(number);
    }

    private boolean hasSpilled(long queue) {
        MessageKey first = spilled.ceilingKey(firstKey(queue));
        return first != null && first.queue() == queue;
    }

    /** Whether counters differ from what was written. */
    boolean hasTouched() {
        return !touched.isEmpty();
    }

    /** Writes the counters of the queues touched since the last call. */
    void writeCounters() {
        for (long queue : touched) {
            counters.put(queue, current.get(queue));
        }
        touched.clear();
    }

    /** Whether anything durable was written since the last call. */
    boolean takeDurable() {
        boolean was = durable;
        durable = false;
        return was;
    }

    boolean isDeleted(long queue) {
        return deleted.contains(queue);
    }

    /** A deleted queue that still has entries, or an entry of its own. */
    Optional<Long> deletedQueue() {
        return deleted.stream().findFirst();
    }

    /**
     * Removes some entries of a deleted queue, and the queue itself after the last one.
     *
     * @return whether it is all gone
     */
    boolean purge(long queue, int maxEntries) {
        MessageKey first = firstKey(queue);
        int left = maxEntries;
        left -= removeRun(messages, first, left);
        left -= removeRun(spilled, first, left);
        left -= removeRun(attempts, first, left);
        PartKey part = bodies.ceilingKey(new PartKey(first, 0));
        while (left > 0 && part != null && part.message().queue() == queue) {
            bodies.remove(part);
            left--;
            part = bodies.higherKey(part);
        }
        durable = true;
        if (left == 0) {
            return false;
        }
        entities.remove(queue);
        counters.remove(queue);
        current.remove(queue);
        touched.remove(queue);
        deleted.remove(queue);
        return true;
    }

    private static MessageKey firstKey(long queue) {
        return new MessageKey(queue, Integer.MIN_VALUE, Long.MIN_VALUE);
    }

    private static int removeRun(MVMap<MessageKey, ?> map, MessageKey first, int max) {
        List<MessageKey> keys = new ArrayList<>();
        for (var run = map.keyIterator(first); keys.size() < max && run.hasNext(); ) {
            MessageKey key = run.next();
            if (key.queue() != first.queue()) {
                break;
            }
            keys.add(key);
        }
        keys.forEach(map::remove);
        return keys.size();
    }
}
