package io.millrace.journal.h2;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Where loops leave batches for the journal thread, which takes all there are at once.
 *
 * <p>Batches for which nobody waits (settled deliveries, mostly) linger a little: with the next one that somebody waits
 * for they cost no commit of their own, and do not keep it from the disk either.
 *
 * <p>Shared by all threads; this lock is the one place where a loop can meet the journal thread, and it is held for an
 * addition to a list or the swap of two lists.
 */
final class Handover {
    /** How long facts linger for which nobody waits. */
    static final long LINGER_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    /** So many are worth a commit of their own. */
    private static final int MOST_LINGERING_FACTS = 4096;

    private final Object lock = new Object();
    private List<Batch> waiting = new ArrayList<>();
    private long waitingFacts;
    private boolean due;
    private long lingersUntilNanos;
    private boolean closed;
    private long sleepsUntilNanos;
    private volatile Thread parked;

    /** Adds a batch, unless the journal is closed. Any thread. */
    void put(Batch batch) {
        boolean early;
        synchronized (lock) {
            if (closed) {
                return;
            }
            if (waiting.isEmpty() && !batch.awaited()) {
                lingersUntilNanos = System.nanoTime() + LINGER_NANOS;
            }
            waiting.add(batch);
            waitingFacts += batch.facts().size();
            due |= batch.awaited() || waitingFacts >= MOST_LINGERING_FACTS;
            early = due || sleepsUntilNanos - lingersUntilNanos > 0;
        }
        if (early) {
            wake();
        }
    }

    /** Takes all there is, if any of it is to be written now, and leaves {@code empty} in its place. Journal thread. */
    List<Batch> take(List<Batch> empty) {
        synchronized (lock) {
            if (!isDue()) {
                return empty;
            }
            List<Batch> taken = waiting;
            waiting = empty;
            waitingFacts = 0;
            due = false;
            return taken;
        }
    }

    private boolean isDue() {
        return due || closed || (!waiting.isEmpty() && System.nanoTime() - lingersUntilNanos >= 0);
    }

    boolean isEmpty() {
        synchronized (lock) {
            return waiting.isEmpty();
        }
    }

    long waitingFacts() {
        synchronized (lock) {
            return waitingFacts;
        }
    }

    /** From now on batches are dropped. */
    void close() {
        synchronized (lock) {
            closed = true;
        }
        wake();
    }

    boolean isClosed() {
        synchronized (lock) {
            return closed;
        }
    }

    private void wake() {
        Thread sleeper = parked;
        if (sleeper != null) {
            parked = null;
            LockSupport.unpark(sleeper);
        }
    }

    /** Sleeps until there is a batch to be written, or for {@code nanos}. Journal thread. */
    void await(long nanos) {
        parked = Thread.currentThread();
        long sleep = nanos;
        synchronized (lock) {
            long now = System.nanoTime();
            if (!waiting.isEmpty()) {
                sleep = Math.min(nanos, lingersUntilNanos - now);
            }
            if (isDue()) {
                sleep = 0;
            }
            sleepsUntilNanos = now + sleep;
        }
        if (sleep > 0) {
            LockSupport.parkNanos(this, sleep);
        }
        parked = null;
    }
}
