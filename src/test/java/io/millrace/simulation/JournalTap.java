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

    JournalTap(InMemoryJournal journal) {
        this.journal = journal;
        for (StoredMessage message : journal.messages()) {
            sizes.put(message.key(), message.bytes().length);
        }
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
            onDisk.add(Messages.name(stored.bytes()));
        }
    }

    /** Whether the broker has been told that this message is on disk. */
    boolean isOnDisk(String name) {
        return onDisk.contains(name);
    }

    private void check(Fact fact) {
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
    public JournalStats stats() {
        return journal.stats();
    }

    @Override
    public void close(Duration limit) {
        journal.close(limit);
    }
}
