package io.millrace.queue;

import java.util.ArrayDeque;

/**
 * The reads of the store that are under way for a queue, so that what they may still show is not forgotten. Owned by the
 * queue.
 *
 * <p>A read shows the store as it was at some time after it began. Whoever wants to forget that a message was removed
 * waits until the removal is durable, and then for {@link #after} the reads that had begun by that time.
 */
final class Reads {
    private final ArrayDeque<Long> underWay = new ArrayDeque<>(0);
    private final ArrayDeque<Later> later = new ArrayDeque<>(0);
    private long next = 1;

    /** Something to be done when no read with a smaller number is under way. */
    private record Later(long before, Runnable task) {}

    /** A read begins. Its number is to be given to {@link #end} when all that it found has been dealt with. */
    long begin() {
        underWay.add(next);
        return next++;
    }

    void end(long read) {
        underWay.remove(read);
        while (!later.isEmpty() && (underWay.isEmpty() || underWay.peek() >= later.peek().before)) {
            later.poll().task.run();
        }
    }

    boolean none() {
        return underWay.isEmpty();
    }

    /** Runs a task when all reads that are under way now have ended: at once, if there are none. */
    void after(Runnable task) {
        if (underWay.isEmpty()) {
            task.run();
        } else {
            later.add(new Later(next, task));
        }
    }
}
