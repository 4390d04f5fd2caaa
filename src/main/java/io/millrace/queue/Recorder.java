package io.millrace.queue;

import io.millrace.journal.Fact;
import io.millrace.journal.Journal;
import io.millrace.loop.Loop;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Gathers the facts of one turn of a loop and hands them to the journal as one batch.
 *
 * <p>Owned by its loop, shared by all queues on it, so the facts of different queues keep the order in which they
 * happened. The batch goes off in a task at the end of the line: every transfer of a socket read is in it, and nothing waits
 * for a timer. It also knows how many bytes wait for the disk, and tells links to wait when they are too many.
 */
public final class Recorder {
    private final Loop loop;
    private final Journal journal;
    private final long pendingLimitBytes;
    private final ArrayDeque<Runnable> waitingForRoom = new ArrayDeque<>();

    private List<Fact> facts = new ArrayList<>();
    private List<Waiting> waiting = new ArrayList<>();
    private long pendingBytes;
    private final List<Runnable> waitingForStore = new ArrayList<>();
    private long arrivals;

    /** Something that goes on when the facts recorded with it are durable. */
    @FunctionalInterface
    public interface Waiting {
        void durable();
    }

    /**
     * For one loop.
     *
     * @param pendingLimitBytes from this many bytes on, which are not on disk yet, {@link #hasRoom} is false
     */
    public Recorder(Loop loop, Journal journal, long pendingLimitBytes) {
        this.loop = loop;
        this.journal = journal;
        this.pendingLimitBytes = pendingLimitBytes;
    }

    Loop loop() {
        return loop;
    }

    /** Where the facts go. */
    public Journal journal() {
        return journal;
    }

    /** Records a fact for whose durability nobody waits. */
    public void record(Fact fact) {
        if (facts.isEmpty()) {
            loop.post(this::flush);
        }
        facts.add(fact);
    }

    /** Records a fact and calls back, on the loop, when it is durable. */
    void record(Fact fact, Waiting callback) {
        record(fact);
        waiting.add(callback);
    }

    /** Records facts that become durable together, or not at all, and calls back on the loop when they are. */
    public void commit(List<Fact> together, Runnable durable) {
        loop.assertCurrent();
        if (together.isEmpty()) {
            durable.run();
        } else {
            together.forEach(this::record);
            waiting.add(durable::run);
        }
    }

    /** Calls back, on the loop, when all that has been recorded so far is durable. */
    public void whenDurable(Waiting callback) {
        if (facts.isEmpty()) {
            journal.append(List.of(), loop, callback::durable);
        } else {
            waiting.add(callback);
        }
    }

    /** Records that a queue exists; {@code durable} runs when that is so for good. */
    public void declare(Fact.NodeDeclared node, Runnable durable) {
        loop.assertCurrent();
        record(node, durable::run);
    }

    /** Bytes that have entered the broker and wait for the disk. */
    void pending(int bytes) {
        pendingBytes += bytes;
    }

    /** Bytes that wait no longer. */
    void written(int bytes) {
        pendingBytes -= bytes;
        while (!waitingForRoom.isEmpty() && hasRoom()) {
            waitingForRoom.poll().run();
        }
    }

    /** Whether more bytes may wait for the disk. */
    public boolean hasRoom() {
        return pendingBytes < pendingLimitBytes;
    }

    /** Runs a task once when {@link #hasRoom} is true again. */
    public void whenRoom(Runnable task) {
        waitingForRoom.add(task);
    }

    /** Runs a task now, or as soon as there is room. */
    void whenRoomAgain(Runnable task) {
        if (hasRoom()) {
            task.run();
        } else {
            whenRoom(task);
        }
    }

    /** Runs a task once when the store takes messages again. */
    void whenStoreHasRoom(Runnable task) {
        if (waitingForStore.isEmpty()) {
            journal.whenRoom(loop, this::storeHasRoom);
        }
        waitingForStore.add(task);
    }

    private void storeHasRoom() {
        List<Runnable> tasks = List.copyOf(waitingForStore);
        waitingForStore.clear();
        tasks.forEach(Runnable::run);
    }

    /** A number for a message that waits, higher than those of all that came to this loop before. */
    long nextArrival() {
        return ++arrivals;
    }

    /** Hands over what was recorded in this turn, before another loop records what builds on it. */
    public void flush() {
        loop.assertCurrent();
        if (facts.isEmpty()) {
            return;
        }
        List<Fact> batch = facts;
        facts = new ArrayList<>(batch.size());
        if (waiting.isEmpty()) {
            journal.append(batch);
            return;
        }
        List<Waiting> callbacks = waiting;
        waiting = new ArrayList<>(callbacks.size());
        journal.append(batch, loop, () -> answer(callbacks));
    }

    /** One that fails must not keep the answers from those behind it, which belong to other queues and links. */
    private static void answer(List<Waiting> callbacks) {
        Optional<RuntimeException> failure = Optional.empty();
        for (Waiting callback : callbacks) {
            try {
                callback.durable();
            } catch (RuntimeException e) {
                failure.ifPresent(e::addSuppressed);
                failure = Optional.of(e);
            }
        }
        if (failure.isPresent()) {
            throw failure.get();
        }
    }
}
