package io.millrace.journal.h2;

import io.millrace.journal.Fact;
import io.millrace.journal.Fact.DeliveryFailed;
import io.millrace.journal.Fact.MessageAnnotated;
import io.millrace.journal.Fact.MessageMoved;
import io.millrace.journal.Fact.MessageRemoved;
import io.millrace.journal.Fact.MessageStored;
import io.millrace.journal.Fact.NodeDeclared;
import io.millrace.journal.Fact.NodeDeleted;
import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** Facts as a broker would have them: only what is there is removed, numbers and sequences are used once. */
final class RandomFacts {
    static final List<Integer> LANES = List.of(0, 1, MessageKey.SCHEDULED);

    private final Random random;
    private final Map<Long, Long> nextSequence = new TreeMap<>();
    private final List<MessageStored> live = new ArrayList<>();
    private long nextQueue = 1;

    RandomFacts(Random random) {
        this.random = random;
    }

    /** Goes on from what was recovered. */
    void recovered(List<RecoveredNode> queues, List<StoredMessage> messages) {
        nextSequence.clear();
        live.clear();
        for (RecoveredNode queue : queues) {
            nextSequence.put(queue.declared().number(), queue.nextSequence());
        }
        for (StoredMessage m : messages) {
            live.add(new MessageStored(
                    m.key(),
                    m.durable(),
                    m.arrivalMillis(),
                    m.format(),
                    m.bytes(),
                    io.millrace.journal.Fact.Details.NONE));
        }
    }

    List<Fact> batch() {
        List<Fact> batch = new ArrayList<>();
        int facts = 1 + random.nextInt(random.nextInt(4) == 0 ? 12 : 3);
        for (int i = 0; i < facts; i++) {
            batch.add(next());
        }
        return batch;
    }

    private Fact next() {
        int kind = random.nextInt(100);
        if (nextSequence.isEmpty() || (kind < 2 && nextSequence.size() < 4)) {
            nextSequence.put(nextQueue, 0L);
            return new NodeDeclared(
                    nextQueue,
                    "queue" + nextQueue++,
                    random.nextBoolean() ? Fact.NodeKind.DEAD_LETTER_QUEUE : Fact.NodeKind.QUEUE,
                    Map.of());
        }
        if (kind < 3) {
            return delete();
        }
        if (live.isEmpty() || kind < 50) {
            return stored(random.nextInt(10) > 0);
        }
        int at = random.nextInt(live.size());
        MessageStored message = live.get(at);
        if (kind < 80) {
            live.remove(at);
            return removed(message);
        }
        if (kind < 90) {
            live.remove(at);
            return new MessageMoved(removed(message), stored(message.durable()));
        }
        if (!message.durable()) {
            return stored(true);
        }
        if (kind < 95) {
            return new DeliveryFailed(message.key(), 1 + random.nextInt(5));
        }
        byte[] bytes = bytes();
        live.set(
                at,
                new MessageStored(
                        message.key(),
                        true,
                        message.arrivalMillis(),
                        message.format(),
                        bytes,
                        io.millrace.journal.Fact.Details.NONE));
        return new MessageAnnotated(message.key(), message.bytes().length, bytes);
    }

    private Fact delete() {
        long number = queue();
        nextSequence.remove(number);
        live.removeIf(message -> message.key().queue() == number);
        return new NodeDeleted(number);
    }

    private long queue() {
        List<Long> numbers = List.copyOf(nextSequence.keySet());
        return numbers.get(random.nextInt(numbers.size()));
    }

    private static MessageRemoved removed(MessageStored message) {
        return new MessageRemoved(message.key(), message.durable(), message.bytes().length);
    }

    private MessageStored stored(boolean durable) {
        long queue = queue();
        long sequence = nextSequence.merge(queue, 1L, Long::sum) - 1;
        MessageKey key = new MessageKey(queue, random.nextInt(2), sequence);
        MessageStored message = new MessageStored(
                key,
                durable,
                random.nextInt(1 << 30),
                random.nextInt(3),
                bytes(),
                io.millrace.journal.Fact.Details.NONE);
        live.add(message);
        return message;
    }

    private byte[] bytes() {
        int kind = random.nextInt(100);
        int limit = kind < 80 ? 400 : kind < 98 ? 3_000 : 100_000;
        byte[] bytes = new byte[1 + random.nextInt(limit)];
        random.nextBytes(bytes);
        return bytes;
    }
}
