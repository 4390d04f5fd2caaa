package io.millrace.journal.h2;

import io.millrace.journal.Fact;
import io.millrace.journal.Fact.NodeDeclared;
import io.millrace.journal.Journal.JournalStats;
import io.millrace.journal.Journal.Room;
import io.millrace.journal.JournalException;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.LockSupport;
import org.h2.mvstore.MVStore;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one writer of the store: takes all batches that wait, commits them as one, syncs, answers.
 *
 * <p>Nobody who waits for an answer waits for a timer. While it syncs the next batches gather, so the group grows with the
 * load and with the time that the disk takes. Never interrupted: an interrupt closes the file under H2.
 */
final class JournalThread {
    private static final Logger LOG = LoggerFactory.getLogger(JournalThread.class);
    private static final long COMMIT_BYTES =
            Math.min(4 << 20, Math.max(512 << 10, Runtime.getRuntime().maxMemory() / 64));
    /** A page of a map is in memory, and in the next commit, for each of the last messages that is not beside the others. */
    private static final long MOST_UNSAVED_BYTES = 2 * COMMIT_BYTES;

    private static final long CHECK_NANOS = 1_000_000_000L;

    /** A fast disk fills by more in a second than operators like to keep free. */
    private static final long CHECK_BYTES = 8 << 20;

    private final H2Journal.Options options;
    private final OpenStore open;
    private final MVStore store;
    private final SealedFileStore file;
    private final Tables tables;
    private final WriteAheadLog log;
    private final Handover handover;
    private final Failure failure;
    private final Space space;
    private final Upkeep upkeep;
    private final Thread thread = new Thread(this::run, "journal");
    private final Plan plan = new Plan();
    private final Briskness briskness = new Briskness();
    private final Queue<Runnable> waitingForRoom = new ConcurrentLinkedQueue<>();
    private final IdentityHashMap<Executor, List<Runnable>> answers = new IdentityHashMap<>();
    private List<Batch> taken = new ArrayList<>();
    private List<Batch> spare = new ArrayList<>();
    private int next;
    private boolean rested;
    private boolean justCommitted;
    private long checkedNanos;
    private long uncheckedBytes;
    private volatile boolean abandoned;
    private volatile Room room = Room.YES;
    private volatile JournalStats stats;

    JournalThread(H2Journal.Options options, OpenStore open, Handover handover, Failure failure, Space space) {
        this.options = options;
        this.open = open;
        this.store = open.file().store();
        this.file = open.file().file();
        this.tables = open.tables();
        this.log = open.log();
        this.handover = handover;
        this.failure = failure;
        this.space = space;
        this.upkeep = new Upkeep(open.file(), tables, options.compactAboveBytes());
        this.stats = new JournalStats(options.directory().toString(), this.file.size(), 0, 0, 0, 0, 0, 0);
    }

    void start() {
        thread.start();
    }

    Room room() {
        return room;
    }

    /** Any thread. One that comes just as there is room again is told at the next look. */
    void whenRoom(Runnable task) {
        if (room.available()) {
            task.run();
        } else {
            waitingForRoom.add(task);
        }
    }

    JournalStats stats() {
        JournalStats s = stats;
        return new JournalStats(
                s.directory(),
                s.bytes(),
                s.commits(),
                s.facts(),
                s.cancelled(),
                s.syncNanos(),
                s.lastSyncNanos(),
                s.pending() + handover.waitingFacts());
    }

    /** Lets it finish what it has taken on, for at most {@code limit}. */
    void close(Duration limit) {
        handover.close();
        try {
            thread.join(Math.max(1, limit.toMillis()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        if (thread.isAlive()) {
            LOG.warn("the store in {} did not close within {}: it is left as it is", options.directory(), limit);
            abandoned = true;
        }
    }

    private void run() {
        try {
            commit();
            checkSpace();
            while (!failure.happened() && !abandoned && turn()) {
                // the turn says it all
            }
            if (!failure.happened() && !abandoned) {
                commit();
                open.close();
                return;
            }
        } catch (RuntimeException e) {
            failure.report(new JournalException(
                    "the store in " + options.directory() + " cannot be written (" + reason(e)
                            + "): check the disk, then start the broker again",
                    e));
        }
        open.abandon();
    }

    /** What the system says of a failed write is in the cause, and is what helps. */
    private static String reason(RuntimeException e) {
        return e.getCause() instanceof IOException cause ? cause.getMessage() + ": " + e.getMessage() : e.getMessage();
    }

    /** One commit, or a little upkeep, or a rest; false when it is time to close. */
    private boolean turn() {
        if (next == taken.size()) {
            taken.clear();
            List<Batch> empty = spare;
            spare = taken;
            taken = handover.take(empty);
            next = 0;
        }
        if (next < taken.size()) {
            commitTaken();
            afterCommit();
            return true;
        }
        if (handover.isClosed() && handover.isEmpty()) {
            return false;
        }
        rest();
        checkSpaceInTime();
        return true;
    }

    private void rest() {
        if (justCommitted) {
            // The next batch will most likely come soon; what may linger need not wake this thread up then.
            handover.await(Handover.LINGER_NANOS);
            justCommitted = false;
        } else if (upkeep.purge()) {
            commit();
        } else if (!rested) {
            handover.await(options.rest().toNanos());
            rested = handover.isEmpty();
            if (rested && log.isNeeded()) {
                settleLog();
            }
        } else if (upkeep.settle() || upkeep.compact()) {
            giveBack();
        } else {
            handover.await(CHECK_NANOS);
        }
    }

    /** The store gets what it has in memory only, so that a restart finds little to do, and space that is free is known. */
    private void settleLog() {
        commit();
        if (log.isNeeded()) {
            store.sync();
        }
    }

    private void afterCommit() {
        rested = false;
        justCommitted = true;
        upkeep.wake();
        if (upkeep.purge()) {
            commit();
        }
        if (space.takeGiven()) {
            checkSpace();
        } else if (checkSpaceInTime() && upkeep.compact()) {
            giveBack();
        }
    }

    private void giveBack() {
        file.setShrinking(true);
        commit();
        // At once, while nobody waits: the next commit would have to do it first.
        store.sync();
        file.setShrinking(false);
        plan.clear();
        publish(false, 0);
    }

    private void commitTaken() {
        int first = next;
        plan.clear();
        while (next < taken.size() && plan.weight() < COMMIT_BYTES) {
            for (Fact fact : taken.get(next++).facts()) {
                makeWay(fact);
                tables.noteSequences(fact);
                plan.add(fact);
            }
        }
        briskness.came(plan.added());
        boolean reserving = tables.takeReserving();
        boolean written = plan.size() > 0 || reserving;
        plan.forEach(tables::apply);
        long syncNanos = 0;
        if (written && !reserving && logs()) {
            syncNanos = log();
        } else if (written) {
            syncNanos = commit();
        }
        uncheckedBytes += plan.weight();
        publish(written, syncNanos);
        answer(first);
    }

    /**
     * Whether the log may have it, and is better. A store that was closed says so until its first commit. Sequences that are set aside must be known to a restart, and references to bodies
     * are counted by commits.
     */
    private boolean logs() {
        return !briskness.isBrisk()
                && file.hasCommitted()
                && plan.isDurable()
                && log.takes(plan)
                && tables.shared.isSettled()
                && store.getUnsavedMemory() < MOST_UNSAVED_BYTES;
    }

    /** What a commit would write, in the log instead; how long its sync took. */
    private long log() {
        tables.takeDurable();
        return log.write(plan) ? synced(log::sync) : 0;
    }

    /** A number should never come back; but should it, then what the old queue left must not be taken for the new. */
    private void makeWay(Fact fact) {
        if (fact instanceof NodeDeclared node) {
            while (tables.isDeleted(node.number())) {
                tables.purge(node.number(), Upkeep.PURGE_ENTRIES);
                commit();
            }
        }
    }

    /** Commits, then syncs if a durable fact is in it; how long the sync took. */
    private long commit() {
        tables.finish();
        store.commit();
        if (!tables.takeDurable()) {
            return 0;
        }
        return synced(store::sync);
    }

    private long synced(Runnable sync) {
        long start = System.nanoTime();
        delay(start);
        sync.run();
        return System.nanoTime() - start;
    }

    private void delay(long start) {
        long nanos = options.syncDelay().toNanos();
        for (long left = nanos; left > 0; left = start + nanos - System.nanoTime()) {
            LockSupport.parkNanos(left);
        }
    }

    private void publish(boolean written, long syncNanos) {
        JournalStats s = stats;
        stats = new JournalStats(
                s.directory(),
                file.size(),
                s.commits() + (written ? 1 : 0),
                s.facts() + plan.size(),
                s.cancelled() + plan.cancelled(),
                s.syncNanos() + syncNanos,
                syncNanos > 0 ? syncNanos : s.lastSyncNanos(),
                taken.size() - next);
    }

    private void answer(int first) {
        if (failure.happened()) {
            return;
        }
        for (int i = first; i < next; i++) {
            Batch batch = taken.get(i);
            if (batch.awaited()) {
                answers.computeIfAbsent(batch.loop(), loop -> new ArrayList<>()).add(batch.durable());
            }
        }
        answers.forEach((loop, durable) -> loop.execute(() -> answer(durable)));
        answers.clear();
    }

    /** One that fails must not keep the answers from those behind it. */
    private static void answer(List<Runnable> durable) {
        Optional<RuntimeException> failure = Optional.empty();
        for (Runnable each : durable) {
            try {
                each.run();
            } catch (RuntimeException e) {
                failure.ifPresent(e::addSuppressed);
                failure = Optional.of(e);
            }
        }
        if (failure.isPresent()) {
            throw failure.get();
        }
    }

    private boolean checkSpaceInTime() {
        boolean due = uncheckedBytes >= CHECK_BYTES || System.nanoTime() - checkedNanos >= CHECK_NANOS;
        if (due) {
            checkSpace();
        }
        return due;
    }

    private void checkSpace() {
        room = space.check(file.usedBytes());
        checkedNanos = System.nanoTime();
        uncheckedBytes = 0;
        if (room.available()) {
            for (Runnable task = waitingForRoom.poll(); task != null; task = waitingForRoom.poll()) {
                task.run();
            }
        }
    }
}
