package io.millrace.simulation;

import io.millrace.journal.Fact;
import io.millrace.journal.InMemoryJournal;
import io.millrace.journal.Journal;
import io.millrace.journal.MessageKey;
import io.millrace.journal.MessageReader;
import io.millrace.journal.StoredMessage;
import io.millrace.queue.Messages;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * The journal of a simulation: holds reads and answers back until they are let through, and checks that each fact fits those before it.
 */
final class JournalTap implements Journal, MessageReader {
    final InMemoryJournal journal;
    private final Map<MessageKey, Integer> sizes = new HashMap<>();
    private final Set<String> onDisk = new HashSet<>();
    private final IdentityHashMap<Executor, Executor> answersTo = new IdentityHashMap<>();
    private final ArrayDeque<Runnable> answers = new ArrayDeque<>();
    private final List<Runnable> reads = new ArrayList<>();

    private final Set<Long> deleted = new HashSet<>();
    private final Map<Long, String> titles = new HashMap<>();

    /** The broker died: what the next one opens. What was on disk once is remembered. */
    JournalTap successor() {
        JournalTap successor = new JournalTap(journal.successor());
        successor.onDisk.addAll(onDisk);
        return successor;
    }

    JournalTap(InMemoryJournal journal) {
        this.journal = journal;
        for (RecoveredNode node : journal.recover()) {
            titles.put(node.declared().number(), title(node.declared()));
        }
        for (StoredMessage message : journal.messages()) {
            sizes.put(message.key(), message.bytes().length);
            onDisk.add(place(message.key(), message.bytes()));
        }
    }

    /** What the broker calls a node in figures and annotations. */
    private static String title(Fact.NodeDeclared node) {
        return node.kind() == Fact.NodeKind.SUBSCRIPTION
                ? node.address() + "::" + node.properties().get("container") + "."
                        + node.properties().get("name")
                : node.address();
    }

    /** Which message this is, and from which place, be it there still or dead; as {@link Ledger#key} says it. */
    private String place(MessageKey key, byte[] bytes) {
        Object origin = Messages.parse(bytes).annotation("x-opt-death-address");
        String place = origin.equals("") ? titles.getOrDefault(key.queue(), "?") : origin.toString();
        return place + "/" + Messages.name(bytes);
    }

    /** How many messages each node has. */
    Map<Long, Long> counts() {
        return journal.recover().stream()
                .collect(Collectors.toMap(node -> node.declared().number(), RecoveredNode::messages));
    }

    /** The number of the node that has this title now; 0 if none has. */
    long number(String title) {
        return titles.entrySet().stream()
                .filter(each -> each.getValue().equals(title))
                .mapToLong(Map.Entry::getKey)
                .max()
                .orElse(0);
    }

    /** The titles of all nodes that are there. */
    Set<String> nodes() {
        return journal.recover().stream().map(node -> title(node.declared())).collect(Collectors.toSet());
    }

    /** All messages that are in the store. */
    Set<String> contents() {
        return journal.messages().stream()
                .map(stored -> place(stored.key(), stored.bytes()))
                .collect(Collectors.toSet());
    }

    /** How many messages wait for their time in the store, by the titles of their queues. */
    Map<String, Long> scheduled() {
        return journal.messages().stream()
                .filter(stored -> stored.key().scheduled())
                .collect(Collectors.groupingBy(
                        stored -> titles.getOrDefault(stored.key().queue(), "?"), Collectors.counting()));
    }

    /** Lets the next answer to an append through; false if none waits. A read may see what is not answered yet. */
    boolean letAnswer() {
        Runnable answer = answers.poll();
        if (answer != null) {
            answer.run();
        }
        return answer != null;
    }

    /** Lets one read through, of those that wait; false if there is none. */
    boolean letRead(Random random) {
        if (reads.isEmpty()) {
            return false;
        }
        reads.remove(random.nextInt(reads.size())).run();
        return true;
    }

    @Override
    public void append(List<Fact> batch, Executor loop, Runnable durable) {
        batch.forEach(this::check);
        Executor late = answersTo.computeIfAbsent(loop, to -> task -> answers.add(() -> to.execute(task)));
        journal.append(batch, late, () -> {
            batch.forEach(this::written);
            durable.run();
        });
    }

    private void written(Fact fact) {
        if (fact instanceof Fact.MessageStored stored) {
            onDisk.add(place(stored.key(), stored.bytes()));
        } else if (fact instanceof Fact.MessageMoved moved) {
            onDisk.add(place(moved.stored().key(), moved.stored().bytes()));
        }
    }

    /** Whether the broker has been told that this message is on disk. */
    boolean isOnDisk(String key) {
        return onDisk.contains(key);
    }

    private void check(Fact fact) {
        if (fact instanceof Fact.NodeDeclared node) {
            titles.put(node.number(), title(node));
        } else if (fact instanceof Fact.NodeDeleted node) {
            sizes.keySet().removeIf(key -> key.queue() == node.number());
            deleted.add(node.number());
        }
        if (fact instanceof Fact.MessageStored stored) {
            stored(stored);
        } else if (fact instanceof Fact.MessageRemoved removed) {
            removed(removed);
        } else if (fact instanceof Fact.MessageMoved moved) {
            removed(moved.removed());
            stored(moved.stored());
        } else if (fact instanceof Fact.DeliveryFailed failed) {
            Checks.that(sizes.containsKey(failed.key()), "an attempt failed for %s, which is not stored", failed.key());
        } else if (fact instanceof Fact.MessageAnnotated annotated) {
            Integer before = sizes.put(annotated.key(), annotated.bytes().length);
            Checks.that(
                    before != null && before == annotated.oldSize(),
                    "%s was annotated as if of %s bytes, not %s",
                    annotated.key(),
                    annotated.oldSize(),
                    before);
        }
    }

    private void stored(Fact.MessageStored stored) {
        Integer before = sizes.put(stored.key(), stored.bytes().length);
        Checks.that(before == null, "%s is stored twice", stored.key());
    }

    private void removed(Fact.MessageRemoved removed) {
        if (deleted.contains(removed.key().queue())) {
            return;
        }
        Integer before = sizes.remove(removed.key());
        Checks.that(before != null, "%s is removed, but not stored (any more)", removed.key());
        Checks.that(
                !removed.durable() || before == removed.size(),
                "%s is removed as if of %s bytes, not %s",
                removed.key(),
                removed.size(),
                before);
    }

    @Override
    public List<RecoveredNode> recover() {
        return journal.recover();
    }

    @Override
    public MessageReader reader() {
        return this;
    }

    @Override
    public long newBody() {
        return journal.newBody();
    }

    @Override
    public void readExpired(
            ExpiryMark after, long untilMillis, int maxMessages, Executor loop, Consumer<ExpiredRun> result) {
        reads.add(() -> journal.reader().readExpired(after, untilMillis, maxMessages, loop, result));
    }

    @Override
    public void readPart(long body, int part, Executor loop, Consumer<Optional<byte[]>> result) {
        reads.add(() -> journal.reader().readPart(body, part, loop, result));
    }

    @Override
    public void read(
            MessageKey after, int maxMessages, long maxBytes, Executor loop, Consumer<List<StoredMessage>> result) {
        reads.add(() -> journal.reader().read(after, maxMessages, maxBytes, loop, result));
    }

    @Override
    public Room room() {
        return journal.room();
    }

    @Override
    public void whenRoom(Executor loop, Runnable task) {
        journal.whenRoom(loop, task);
    }

    @Override
    public JournalStats stats() {
        return journal.stats();
    }

    @Override
    public void close(Duration limit) {
        journal.close(limit);
    }
}
