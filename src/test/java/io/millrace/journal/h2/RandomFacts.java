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
import io.millrace.journal.Fact.NodeKind;
import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.LongSupplier;

/** Facts as a broker would have them: only what is there is removed, numbers and sequences are used once. */
final class RandomFacts {
    static final List<Integer> LANES = List.of(0, 1, MessageKey.SCHEDULED);

    private final Random random;
    private final Map<Long, Long> nextSequence = new TreeMap<>();
    private final Map<Long, Long> nextIdentity = new TreeMap<>();
    private final List<MessageStored> live = new ArrayList<>();

    /** How many parts the bodies have that are being received; negative when a message has them and no more will come. */
    private final Map<Long, Integer> receiving = new TreeMap<>();

    private LongSupplier bodies = () -> 0;
    private long nextQueue = 1;
    private long nextDue = 1;

    RandomFacts(Random random) {
        this.random = random;
    }

    /** Numbers for bodies come from here from now on. */
    void takeBodiesFrom(LongSupplier newBodies) {
        bodies = newBodies;
    }

    /** Goes on from what was recovered. */
    void recovered(List<RecoveredNode> queues, List<StoredMessage> messages) {
        nextSequence.clear();
        live.clear();
        receiving.clear();
        for (RecoveredNode queue : queues) {
            nextSequence.put(queue.declared().number(), queue.nextSequence());
        }
        for (StoredMessage m : messages) {
            live.add(new MessageStored(m.key(), m.durable(), m.arrivalMillis(), m.format(), m.bytes(), m.details()));
        }
    }

    List<Fact> batch() {
        List<Fact> batch = new ArrayList<>();
        int facts = 1 + random.nextInt(random.nextInt(4) == 0 ? 12 : 3);
        for (int i = 0; i < facts; i++) {
            add(batch);
        }
        return batch;
    }

    private void add(List<Fact> batch) {
        int kind = random.nextInt(100);
        if (nextSequence.isEmpty() || (kind < 2 && nextSequence.size() < 4)) {
            batch.add(declare());
        } else if (kind < 3) {
            batch.add(delete());
        } else if (kind < 8) {
            fanOut(batch);
        } else if (kind < 16) {
            stream(batch);
        } else if (kind < 20) {
            batch.add(identity());
        } else if (live.isEmpty() || kind < 50) {
            batch.add(stored(key(), random.nextInt(10) > 0, bytes(), details()));
        } else {
            change(batch, kind);
        }
    }

    private void change(List<Fact> batch, int kind) {
        int at = random.nextInt(live.size());
        MessageStored message = live.get(at);
        if (kind < 78) {
            live.remove(at);
            batch.add(removed(message));
        } else if (kind < 90) {
            live.remove(at);
            batch.add(moved(message));
        } else if (!message.durable()) {
            batch.add(stored(key(), true, bytes(), details()));
        } else if (kind < 95) {
            batch.add(new DeliveryFailed(message.key(), 1 + random.nextInt(5)));
        } else {
            batch.add(annotated(at, message));
        }
    }

    private NodeDeclared declare() {
        nextSequence.put(nextQueue, 0L);
        nextIdentity.put(nextQueue, 1L);
        NodeKind kind = List.of(NodeKind.values()).get(random.nextInt(NodeKind.values().length));
        Map<String, String> properties = random.nextBoolean() ? Map.of() : Map.of("name", "n" + nextQueue);
        return new NodeDeclared(nextQueue, "queue" + nextQueue++, kind, properties);
    }

    private Fact delete() {
        long number = queue();
        nextSequence.remove(number);
        live.removeIf(message -> message.key().queue() == number);
        return new NodeDeleted(number);
    }

    /** Some messages with the same bytes, which may be small, and large. */
    private void fanOut(List<Fact> batch) {
        Details details = details().withBody(bodies.getAsLong());
        byte[] bytes = bytes();
        for (int left = 1 + random.nextInt(4); left > 0; left--) {
            batch.add(stored(key(), random.nextInt(4) > 0, bytes, details));
        }
    }

    /** A part of a body, its end, or what makes it useless. Parts are small here, which a journal does not mind. */
    private void stream(List<Fact> batch) {
        if (receiving.isEmpty() || random.nextInt(3) > 0) {
            boolean another = receiving.isEmpty() || (receiving.size() < 3 && random.nextInt(4) == 0);
            long body = another ? bodies.getAsLong() : receivingBody();
            if (receiving.getOrDefault(body, 0) < 0) {
                return;
            }
            // Now and then one that does not go within one commit.
            for (int parts = random.nextInt(40) == 0 ? 70 : 1; parts > 0; parts--) {
                byte[] bytes = new byte[1 + random.nextInt(600)];
                random.nextBytes(bytes);
                batch.add(new BodyPart(body, receiving.merge(body, 1, Integer::sum) - 1, bytes));
            }
            return;
        }
        long body = receivingBody();
        int parts = Math.abs(receiving.get(body));
        if (random.nextInt(3) == 0) {
            receiving.remove(body);
            batch.add(new BodyDropped(body));
            return;
        }
        receiving.put(body, -parts);
        Details plain = details();
        Details details = new Details(plain.expiryMillis(), plain.originSequence(), body, parts * 100L);
        for (int left = 1 + random.nextInt(2); left > 0; left--) {
            batch.add(stored(key(), random.nextInt(4) > 0, new byte[random.nextInt(50)], details));
        }
    }

    private long receivingBody() {
        List<Long> numbers = List.copyOf(receiving.keySet());
        return numbers.get(random.nextInt(numbers.size()));
    }

    private Fact identity() {
        long queue = queue();
        long next = nextIdentity.get(queue);
        if (random.nextInt(4) == 0) {
            return new IdentitiesForgotten(queue, next - random.nextInt(4));
        }
        nextIdentity.put(queue, next + 1);
        byte[] identity = new byte[16];
        random.nextBytes(identity);
        return new IdentitySeen(queue, next, random.nextInt(1 << 30), identity);
    }

    /** To a queue, or into a lane of the same, or back to where it was, as the broker has it. */
    private Fact moved(MessageStored message) {
        MessageKey from = message.key();
        Details details = message.details();
        MessageKey to = key();
        if (from.scheduled() && details.originSequence() > 0) {
            to = new MessageKey(from.queue(), 0, details.originSequence());
            details = details.withOrigin(0);
        } else if (!from.scheduled() && from.order() == 0 && from.sequence() > 0 && random.nextBoolean()) {
            to = new MessageKey(from.queue(), MessageKey.SCHEDULED, due());
            details = details.withOrigin(from.sequence());
        } else {
            details = details.withOrigin(0);
        }
        boolean sameBytes = details.body() != 0 || random.nextBoolean();
        byte[] bytes = sameBytes ? message.bytes() : bytes();
        return new MessageMoved(removed(message), stored(to, message.durable(), bytes, details));
    }

    private Fact annotated(int at, MessageStored message) {
        Details details = message.details();
        byte[] bytes = bytes();
        live.set(
                at,
                new MessageStored(
                        message.key(),
                        true,
                        message.arrivalMillis(),
                        message.format(),
                        bytes,
                        details.streamed() > 0 ? details : details.withBody(0)));
        return new MessageAnnotated(message.key(), message.bytes().length, bytes);
    }

    private long queue() {
        List<Long> numbers = List.copyOf(nextSequence.keySet());
        return numbers.get(random.nextInt(numbers.size()));
    }

    private static MessageRemoved removed(MessageStored message) {
        return new MessageRemoved(message.key(), message.durable(), message.bytes().length);
    }

    private MessageStored stored(MessageKey key, boolean durable, byte[] bytes, Details details) {
        MessageStored message =
                new MessageStored(key, durable, random.nextInt(1 << 30), random.nextInt(3), bytes, details);
        live.add(message);
        return message;
    }

    private MessageKey key() {
        long queue = queue();
        int lane = LANES.get(random.nextInt(LANES.size()));
        boolean scheduled = lane == MessageKey.SCHEDULED;
        return new MessageKey(queue, lane, scheduled ? due() : nextSequence.merge(queue, 1L, Long::sum) - 1);
    }

    private long due() {
        return ((1_700_000_000_000L + random.nextInt(100)) << MessageKey.DUE_SHIFT) + nextDue++;
    }

    private Details details() {
        return random.nextInt(3) > 0 ? Details.NONE : Details.NONE.withExpiry(1 + random.nextInt(50));
    }

    private byte[] bytes() {
        int kind = random.nextInt(100);
        int limit = kind < 80 ? 400 : kind < 98 ? 3_000 : 100_000;
        byte[] bytes = new byte[1 + random.nextInt(limit)];
        random.nextBytes(bytes);
        return bytes;
    }
}
