package io.millrace.journal.h2;

import io.millrace.journal.Fact;
import io.millrace.journal.Fact.BodyDropped;
import io.millrace.journal.Fact.BodyPart;
import io.millrace.journal.Fact.DeliveryFailed;
import io.millrace.journal.Fact.Details;
import io.millrace.journal.Fact.IdentitiesForgotten;
import io.millrace.journal.Fact.IdentitySeen;
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
    final Bodies shared;
    final Deadlines deadlines;
    private final Identities identities;
    private final MVMap<Long, NodeRecord> entities;
    private final MVMap<Long, Counters> counters;

    /** The counters of all queues as they will be written; those in {@link #touched} differ from the map. */
    private final Map<Long, Counters> current = new HashMap<>();

    private final Set<Long> touched = new HashSet<>();
    private final Set<Long> deleted = new HashSet<>();

    /** Queues that outlive a restart. A temporary queue is never declared; all it can have here is spilled messages. */
    private final Set<Long> declared = new HashSet<>();

    private boolean durable;
    private boolean reserving;

    Tables(MVStore store) {
        messages = map(store, "messages", MessageKeyType.INSTANCE, MessageRecord.Type.INSTANCE);
        bodies = map(store, "bodies", PartKey.Type.INSTANCE, PartKey.BytesType.INSTANCE);
        attempts = map(store, "attempts", MessageKeyType.INSTANCE, IntegerDataType.INSTANCE);
        spilled = map(store, "spilled", MessageKeyType.INSTANCE, MessageRecord.Type.INSTANCE);
        entities = map(store, "entities", LongDataType.INSTANCE, NodeRecord.TYPE);
        counters = map(store, "counters", LongDataType.INSTANCE, Counters.Type.INSTANCE);
        shared = new Bodies(store);
        deadlines = new Deadlines(store);
        identities = new Identities(store);
        current.putAll(counters);
        entities.forEach((number, queue) -> (queue.deleted() ? deleted : declared).add(number));
    }

    static <K, V> MVMap<K, V> map(MVStore store, String name, DataType<K> key, DataType<V> value) {
        return store.openMap(name, new MVMap.Builder<K, V>().keyType(key).valueType(value));
    }

    /** Forgets what was kept only to save memory, and counters of queues that are not there any more. */
    void clearTemporary() {
        if (!spilled.isEmpty()) {
            spilled.clear();
        }
        shared.clearTemporary();
        deadlines.clearTemporary();
        for (long number : List.copyOf(current.keySet())) {
            if (!entities.containsKey(number)) {
                current.remove(number);
                counters.remove(number);
            }
        }
    }

    /** All nodes that are not deleted, in the order of their numbers. */
    List<RecoveredNode> nodes() {
        Map<Long, List<IdentitySeen>> seen = identities.byQueue();
        List<RecoveredNode> nodes = new ArrayList<>();
        entities.forEach((number, node) -> {
            if (!node.deleted()) {
                Counters has = current.getOrDefault(number, Counters.NONE);
                nodes.add(new RecoveredNode(
                        node.declared(number),
                        has.bytes(),
                        lanes(number, has.messages()),
                        has.reserved(),
                        List.copyOf(seen.getOrDefault(number, List.of()))));
            }
        });
        return nodes;
    }

    /** Two look-ups for a queue with one lane; nothing is walked over, as the map knows how many keys are before one. */
    private List<Lane> lanes(long queue, long all) {
        if (all == 0) {
            return List.of();
        }
        MessageKey first = messages.ceilingKey(firstKey(queue));
        MessageKey last = messages.floorKey(new MessageKey(queue, Integer.MAX_VALUE, Long.MAX_VALUE));
        if (first.order() == last.order()) {
            return List.of(new Lane(first.order(), all));
        }
        List<Lane> lanes = new ArrayList<>();
        while (first != null && first.queue() == queue) {
            MessageKey end = messages.floorKey(new MessageKey(queue, first.order(), Long.MAX_VALUE));
            lanes.add(new Lane(first.order(), 1 + messages.getKeyIndex(end) - messages.getKeyIndex(first)));
            first = messages.higherKey(end);
        }
        return lanes;
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
        // In the lane of those that wait for their time a sequence is a time.
        if (key.scheduled() || !declared.contains(key.queue())) {
            return;
        }
        Counters has = current.getOrDefault(key.queue(), Counters.NONE);
        if (key.sequence() >= has.reserved() && !deleted.contains(key.queue())) {
            current.put(key.queue(), has.reserving(key.sequence()));
            touched.add(key.queue());
            durable = true;
            reserving = true;
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
            entities.put(node.number(), NodeRecord.of(node));
            declared.add(node.number());
            durable = true;
        } else if (fact instanceof NodeDeleted node) {
            delete(node.number());
        } else {
            applyRare(fact);
        }
    }

    private void applyRare(Fact fact) {
        if (fact instanceof BodyPart part) {
            shared.receive(part);
        } else if (fact instanceof BodyDropped dropped) {
            shared.release(dropped.body());
        } else if (fact instanceof IdentitySeen seen && declared.contains(seen.queue())) {
            identities.add(seen);
            durable = true;
        } else if (fact instanceof IdentitiesForgotten gone) {
            durable |= identities.remove(gone.queue(), gone.upToNumber(), Integer.MAX_VALUE) > 0;
        }
    }

    private void store(MessageStored stored) {
        MessageKey key = stored.key();
        Details details = stored.details();
        boolean temporary = !declared.contains(key.queue());
        if (temporary && (stored.durable() || deleted.contains(key.queue()))) {
            // The node was deleted meanwhile, so the message is gone with it.
            return;
        }
        if (details.body() != 0) {
            shared.note(details.body());
        }
        MessageRecord record;
        if (stored.durable()) {
            record = putDurable(stored);
            count(key.queue(), 1, record.total());
        } else {
            record = shares(stored)
                    ? MessageRecord.sharing(stored, shared.crcOf(stored.bytes()))
                    : MessageRecord.of(stored, true);
            spilled.put(key, record);
        }
        deadlines.add(key, stored.durable(), details.expiryMillis());
        if (record.hasBody()) {
            shared.refer(details.body(), stored.durable(), 1);
        }
    }

    private boolean shares(MessageStored stored) {
        Details details = stored.details();
        return details.body() != 0 && details.streamed() == 0 && shared.share(details.body(), stored.bytes());
    }

    private MessageRecord putDurable(MessageStored stored) {
        MessageRecord record =
                shares(stored) ? MessageRecord.sharing(stored, shared.crcOf(stored.bytes())) : withOwnBytes(stored);
        messages.put(stored.key(), record);
        durable = true;
        return record;
    }

    private MessageRecord withOwnBytes(MessageStored stored) {
        byte[] bytes = stored.bytes();
        int parts = PartKey.partsOf(bytes.length);
        if (parts == 0) {
            return MessageRecord.of(stored, true);
        }
        for (int part = 0; part < parts; part++) {
            int from = part * PartKey.PART_BYTES;
            int to = Math.min(bytes.length, from + PartKey.PART_BYTES);
            bodies.put(new PartKey(stored.key(), part), Arrays.copyOfRange(bytes, from, to));
        }
        boolean streamed = stored.details().streamed() > 0;
        return MessageRecord.of(streamed ? stored : withoutBody(stored, bytes), false);
    }

    private static MessageStored withoutBody(MessageStored s, byte[] bytes) {
        return new MessageStored(
                s.key(),
                s.durable(),
                s.arrivalMillis(),
                s.format(),
                bytes,
                s.details().withBody(0));
    }

    private void remove(MessageRemoved removed) {
        MessageKey key = removed.key();
        if (!removed.durable()) {
            MessageRecord record = spilled.remove(key);
            if (record != null) {
                forget(key, record, false);
            }
            return;
        }
        MessageRecord record = messages.remove(key);
        if (record != null) {
            removeParts(key, 0, record);
            forget(key, record, true);
            count(key.queue(), -1, -record.total());
            durable = true;
        }
        if (!attempts.isEmpty()) {
            attempts.remove(key);
        }
    }

    private void forget(MessageKey key, MessageRecord record, boolean wasDurable) {
        deadlines.remove(key, wasDurable, record.details().expiryMillis());
        if (record.hasBody()) {
            shared.refer(record.details().body(), wasDurable, -1);
        }
    }

    /** Writes a message again as it is, which moves it to another place in the file. */
    void rewrite(MessageKey key, MessageRecord record) {
        for (int part = 0; part < partsOf(record); part++) {
            PartKey place = new PartKey(key, part);
            bodies.put(place, bodies.get(place));
        }
        messages.put(key, record);
        durable = true;
    }

    private static int partsOf(MessageRecord record) {
        return record.shared() ? 0 : PartKey.partsOf(record.size());
    }

    private void removeParts(MessageKey key, int from, MessageRecord record) {
        int parts = partsOf(record);
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
        Details details = old.details();
        // Of a streamed message only the first bytes change, which are its own.
        Details now = details.streamed() > 0 ? details : details.withBody(0);
        MessageRecord record = putDurable(new MessageStored(key, true, old.arrivalMillis(), old.format(), bytes, now));
        removeParts(key, PartKey.partsOf(bytes.length), old);
        if (old.shared()) {
            shared.refer(details.body(), true, -1);
        }
        count(key.queue(), 0, record.total() - old.total());
    }

    private void count(long queue, int messages, long bytes) {
        current.put(queue, current.getOrDefault(queue, Counters.NONE).plus(messages, bytes));
        touched.add(queue);
    }

    private void delete(long number) {
        NodeRecord node = entities.get(number);
        if (node != null) {
            entities.put(number, node.asDeleted());
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

    /** Whether sequences were set aside since the last call, which is to be known to a restart whatever becomes of their messages. */
    boolean takeReserving() {
        boolean was = reserving;
        reserving = false;
        return was;
    }

    /** Writes what is written once for each commit: who has which body, and the counters of the queues touched. */
    void finish() {
        shared.settle();
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
        left -= removeMessages(true, first, left);
        left -= removeMessages(false, first, left);
        left -= removeRun(attempts, first, left);
        PartKey part = bodies.ceilingKey(new PartKey(first, 0));
        while (left > 0 && part != null && part.message().queue() == queue) {
            bodies.remove(part);
            left--;
            part = bodies.higherKey(part);
        }
        left -= identities.remove(queue, Long.MAX_VALUE, left);
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

    private int removeMessages(boolean wereDurable, MessageKey first, int max) {
        MVMap<MessageKey, MessageRecord> map = wereDurable ? messages : spilled;
        int removed = 0;
        MessageKey key = map.isEmpty() ? null : map.ceilingKey(first);
        while (removed < max && key != null && key.queue() == first.queue()) {
            forget(key, map.remove(key), wereDurable);
            removed++;
            key = map.higherKey(key);
        }
        return removed;
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
