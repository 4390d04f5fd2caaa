package io.millrace.journal.h2;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * Where loops leave batches for the journal thread, which takes all there are at once.
 *
 * <p>Shared by all threads; this lock is the one place where a loop can meet the journal thread, and it is held for an
 * addition to a list or the swap of two lists.
 */
final class Handover {
    private final Object lock = new Object();
    private List<Batch> waiting = new ArrayList<>();
    private long waitingFacts;
    private boolean closed;
    private volatile Thread parked;

    /** Adds a batch, unless the journal is closed. Any thread. */
    void put(Batch batch) {
        synchronized (lock) {
            if (closed) {
                return;
            }
            waiting.add(batch);
            waitingFacts += batch.facts().size();
        }
        wake();
    }

    /** Takes all there is and leaves {@code empty} in its place. Journal thread. */
    List<Batch> take(List<Batch> empty) {
        synchronized (lock) {
            List<Batch> taken = waiting;
            waiting = empty;
            waitingFacts = 0;
            return taken;
        }
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

    /** Sleeps until there is a batch, or for {@code nanos}. Journal thread. */
    void await(long nanos) {
        parked = Thread.currentThread();
        if (isEmpty() && !isClosed()) {
            LockSupport.parkNanos(this, nanos);
        }
        parked = null;
    }
}
