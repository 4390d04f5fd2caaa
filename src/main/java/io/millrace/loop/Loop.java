package io.millrace.loop;

import java.util.concurrent.Executor;

/**
 * One thread of control: tasks run on it one after the other, in the order in which they were posted.
 *
 * <p>{@link #post} may be called from any thread; everything else only on the loop itself. As an {@link Executor} a
 * loop is also the identity under which the journal groups its answers: one task per loop and commit.
 */
public interface Loop extends Executor {

    /** Puts a task at the end of the line. It never runs inside the call. Tasks of one caller keep their order. */
    void post(Runnable task);

    /** Runs a task on this loop once {@code delayMillis} milliseconds (at least 1) have passed. */
    Timer after(long delayMillis, Runnable task);

    /** The time of day, in milliseconds since 1970-01-01T00:00Z. */
    long now();

    /** Whether the calling thread is this loop. */
    boolean isCurrent();

    /** Fails when the caller is not on this loop; each owner calls it at its entries. */
    default void assertCurrent() {
        assert isCurrent() : "called on " + Thread.currentThread().getName() + ", which does not own this object";
    }

    @Override
    default void execute(Runnable task) {
        post(task);
    }

    /** A task that waits for its time. */
    interface Timer {
        /** The task will not run, if it has not run before. */
        void cancel();
    }
}
