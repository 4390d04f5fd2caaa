package io.millrace.journal;

import io.millrace.journal.Fact.BodyDropped;
import io.millrace.journal.Fact.BodyPart;
import io.millrace.journal.Fact.DeliveryFailed;
import io.millrace.journal.Fact.IdentitiesForgotten;
import io.millrace.journal.Fact.IdentitySeen;
import io.millrace.journal.Fact.MessageAnnotated;
import io.millrace.journal.Fact.MessageMoved;
import io.millrace.journal.Fact.MessageRemoved;
import io.millrace.journal.Fact.MessageStored;
import io.millrace.journal.Fact.NodeDeclared;
import io.millrace.journal.Fact.NodeDeleted;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * A journal for deterministic tests: what is appended waits until {@link #flush}, and can be lost by {@link #crash}.
 *
 * <p>On one thread. Nothing is ever called inside a call: callbacks and answers go through the executor given.
 */
public final class InMemoryJournal implements Journal, MessageReader {
    private final TreeMap<Long, NodeDeclared> nodes = new TreeMap<>();
    private final TreeMap<MessageKey, StoredMessage> messages = new TreeMap<>();
    private final Map<Long, Long> nextSequence = new TreeMap<>();
    private final Set<Long> deleted = new HashSet<>();
    private final Map<Long, List<byte[]>> parts = new HashMap<>();
    private final Map<Long, TreeMap<Long, IdentitySeen>> identities = new HashMap<>();
    private final List<Waiting> waiting = new ArrayList<>();

    /** Bodies that may have lost their last message in this batch. */
    private final Set<Long> questioned = new HashSet<>();

    private final Set<Long> receiving = new HashSet<>();

    private final Consumer<JournalException> onFailure;
    private Room room = Room.YES;
    private final List<Runnable> waitingForRoom = new ArrayList<>();
    private boolean failNext;
    private boolean ended;
    private long commits;
    private long lastBody;
    private long facts;

    private record Waiting(List<Fact> batch, Executor loop, Runnable durable) {}

    public InMemoryJournal() {
        this(failure -> {});
    }

    /** A journal that tells somebody when it fails. */
    public InMemoryJournal(Consumer<JournalException> onFailure) {
        this.onFailure = onFailure;
    }

    /** Makes durable all that waits, and posts its callbacks: one task for each executor, in order of append. */
    public void flush() {
        flush(waiting.size());
    }

    /** As {@link #flush()}, with the oldest {@code batches} only. */
    public void flush(int batches) {
        if (failNext && batches > 0) {
            failNext = false;
            waiting.clear();
            ended = true;
            onFailure.accept(new JournalException("the disk of the test failed: that was asked for"));
            return;
        }
        // In a fixed order, so that a seed is the same run each time.
        Map<Executor, List<Runnable>> answers = new LinkedHashMap<>();
        List<Waiting> flushed = waiting.subList(0, Math.min(batches, waiting.size()));
        for (Waiting next : flushed) {
            next.batch.forEach(this::apply);
            questioned.forEach(this::release);
            questioned.clear();
            facts += next.batch.size();
            answers.computeIfAbsent(next.loop, loop -> new ArrayList<>()).add(next.durable);
        }
        commits += flushed.isEmpty() ? 0 : 1;
        flushed.clear();
        answers.forEach((loop, durable) -> loop.execute(() -> durable.forEach(Runnable::run)));
    }

    /** The next flush fails: what waits is lost, nobody is called back, and later appends are dropped. */
    public void failNext() {
        failNext = true;
    }

    /** Forgets what was not flushed and what is not durable, and calls nobody back. {@link #recover} works again. */
    public void crash() {
        waiting.clear();
        messages.values().removeIf(message -> !message.durable());
        Set<Long> named =
                messages.values().stream().map(m -> m.details().body()).collect(Collectors.toSet());
        parts.keySet().retainAll(named);
        receiving.clear();
        failNext = false;
        ended = false;
    }

    /** Crashes; what a restarted broker opens. This one is dead from now on. */
    public InMemoryJournal successor() {
        crash();
        InMemoryJournal successor = new InMemoryJournal(onFailure);
        successor.nodes.putAll(nodes);
        successor.messages.putAll(messages);
        successor.nextSequence.putAll(nextSequence);
        successor.parts.putAll(parts);
        identities.forEach((queue, seen) -> successor.identities.put(queue, new TreeMap<>(seen)));
        successor.lastBody = lastBody;
        ended = true;
        return successor;
    }

    /** How many batches wait for {@link #flush}. */
    public int waiting() {
        return waiting.size();
    }

    /** What {@link #room()} says from now on. */
    public void setRoom(Room room) {
        this.room = room;
        if (room.available()) {
            List<Runnable> tasks = List.copyOf(waitingForRoom);
            waitingForRoom.clear();
            tasks.forEach(Runnable::run);
        }
    }

    /** All messages that are flushed, in order, for assertions. */
    public List<StoredMessage> messages() {
        return List.copyOf(messages.values());
    }

    /** How many bodies have parts in the store. */
    public int bodies() {
        return parts.size();
    }

    @Override
    public List<RecoveredNode> recover() {
        return nodes.values().stream().map(this::recovered).toList();
    }

    private RecoveredNode recovered(NodeDeclared node) {
        TreeMap<Integer, Long> lanes = new TreeMap<>();
        long bytes = 0;
        for (StoredMessage message : messages.tailMap(first(node.number())).values()) {
            if (message.key().queue() != node.number()) {
                break;
            }
            if (message.durable()) {
                lanes.merge(message.key().order(), 1L, Long::sum);
                bytes += size(message);
            }
        }
        long next = nextSequence.getOrDefault(node.number(), 0L);
        List<Lane> found = lanes.entrySet().stream()
                .map(lane -> new Lane(lane.getKey(), lane.getValue()))
                .toList();
        List<IdentitySeen> seen = List.copyOf(
                identities.getOrDefault(node.number(), new TreeMap<>()).values());
        return new RecoveredNode(node, bytes, found, next, seen);
    }

    private static long size(StoredMessage message) {
        return message.bytes().length + message.details().streamed();
    }

    private static MessageKey first(long queue) {
        return new MessageKey(queue, Integer.MIN_VALUE, Long.MIN_VALUE);
    }

    @Override
    public void append(List<Fact> batch, Executor loop, Runnable durable) {
        if (!ended) {
            waiting.add(new Waiting(List.copyOf(batch), loop, durable));
        }
    }

    private void apply(Fact fact) {
        if (fact instanceof MessageStored stored) {
            store(stored);
        } else if (fact instanceof MessageRemoved removed) {
            remove(removed.key());
        } else if (fact instanceof MessageMoved moved) {
            remove(moved.removed().key());
            store(moved.stored());
        } else if (fact instanceof DeliveryFailed f) {
            messages.computeIfPresent(
                    f.key(),
                    (key, m) -> new StoredMessage(
                            key,
                            m.durable(),
                            m.arrivalMillis(),
                            m.format(),
                            f.deliveryCount(),
                            m.bytes(),
                            m.details()));
        } else if (fact instanceof MessageAnnotated a) {
            messages.computeIfPresent(
                    a.key(),
                    (key, m) -> new StoredMessage(
                            key,
                            m.durable(),
                            m.arrivalMillis(),
                            m.format(),
                            m.deliveryCount(),
                            a.bytes(),
                            m.details().streamed() > 0
                                    ? m.details()
                                    : m.details().withBody(0)));
        } else if (fact instanceof NodeDeclared node) {
            nodes.put(node.number(), node);
        } else if (fact instanceof NodeDeleted node) {
            nodes.remove(node.number());
            deleted.add(node.number());
            identities.remove(node.number());
            List.copyOf(messages.keySet()).stream()
                    .filter(key -> key.queue() == node.number())
                    .forEach(this::remove);
        } else if (fact instanceof BodyPart part) {
            receiving.add(part.body());
            parts.computeIfAbsent(part.body(), body -> new ArrayList<>()).add(part.bytes());
        } else if (fact instanceof BodyDropped dropped) {
            receiving.remove(dropped.body());
            questioned.add(dropped.body());
        } else if (fact instanceof IdentitySeen seen && nodes.containsKey(seen.queue())) {
            identities.computeIfAbsent(seen.queue(), queue -> new TreeMap<>()).put(seen.number(), seen);
        } else if (fact instanceof IdentitiesForgotten gone && identities.containsKey(gone.queue())) {
            identities.get(gone.queue()).headMap(gone.upToNumber(), true).clear();
        }
    }

    private void remove(MessageKey key) {
        StoredMessage gone = messages.remove(key);
        if (gone != null) {
            questioned.add(gone.details().body());
        }
    }

    /** The parts of a body go with the last message that has it, but not while it is received. */
    private void release(long body) {
        if (!receiving.contains(body)
                && messages.values().stream().noneMatch(m -> m.details().body() == body)) {
            parts.remove(body);
        }
    }

    private void store(MessageStored s) {
        long queue = s.key().queue();
        boolean declared = nodes.containsKey(queue);
        if (deleted.contains(queue) || (!declared && s.durable())) {
            return;
        }
        if (declared && !s.key().scheduled()) {
            nextSequence.merge(queue, s.key().sequence() + 1, Math::max);
        }
        messages.put(
                s.key(),
                new StoredMessage(s.key(), s.durable(), s.arrivalMillis(), s.format(), 0, s.bytes(), s.details()));
    }

    @Override
    public void read(
            MessageKey after, int maxMessages, long maxBytes, Executor loop, Consumer<List<StoredMessage>> result) {
        if (ended) {
            return;
        }
        List<StoredMessage> found = new ArrayList<>();
        long bytes = 0;
        for (StoredMessage message : messages.tailMap(after, false).values()) {
            boolean enough = found.size() >= maxMessages || (!found.isEmpty() && bytes >= maxBytes);
            boolean sameLane =
                    message.key().queue() == after.queue() && message.key().order() == after.order();
            if (enough || !sameLane) {
                break;
            }
            found.add(message);
            bytes += message.bytes().length;
        }
        loop.execute(() -> result.accept(found));
    }

    @Override
    public void readExpired(
            ExpiryMark after, long untilMillis, int maxMessages, Executor loop, Consumer<ExpiredRun> result) {
        if (ended) {
            return;
        }
        TreeMap<ExpiryMark, StoredMessage> marks =
                new TreeMap<>(Comparator.comparingLong(ExpiryMark::expiryMillis).thenComparing(ExpiryMark::key));
        messages.values().stream()
                .filter(m ->
                        m.key().queue() == after.key().queue() && m.details().expiryMillis() > 0)
                .forEach(m -> marks.put(new ExpiryMark(m.details().expiryMillis(), m.key()), m));
        List<StoredMessage> found = new ArrayList<>();
        long next = 0;
        for (Map.Entry<ExpiryMark, StoredMessage> entry :
                marks.tailMap(after, false).entrySet()) {
            if (found.size() >= maxMessages || entry.getKey().expiryMillis() > untilMillis) {
                next = entry.getKey().expiryMillis();
                break;
            }
            found.add(entry.getValue());
        }
        ExpiredRun run = new ExpiredRun(found, next);
        loop.execute(() -> result.accept(run));
    }

    @Override
    public void readPart(long body, int part, Executor loop, Consumer<Optional<byte[]>> result) {
        if (ended) {
            return;
        }
        List<byte[]> all = parts.getOrDefault(body, List.of());
        Optional<byte[]> found = part < all.size() ? Optional.of(all.get(part)) : Optional.empty();
        loop.execute(() -> result.accept(found));
    }

    @Override
    public MessageReader reader() {
        return this;
    }

    @Override
    public long newBody() {
        return ++lastBody;
    }

    @Override
    public Room room() {
        return room;
    }

    @Override
    public void whenRoom(Executor loop, Runnable task) {
        if (room.available()) {
            loop.execute(task);
        } else {
            waitingForRoom.add(() -> loop.execute(task));
        }
    }

    @Override
    public JournalStats stats() {
        long bytes = messages.values().stream().mapToLong(m -> m.bytes().length).sum();
        long pending = waiting.stream().mapToLong(next -> next.batch.size()).sum();
        return new JournalStats("memory", bytes, commits, facts, 0, 0, 0, pending);
    }

    @Override
    public void close(Duration limit) {
        flush();
        ended = true;
    }
}
