package io.millrace.queue;

import io.millrace.loop.Loop;
import java.util.Optional;

/**
 * One timer of a queue: whoever wants to be woken says when, and the earliest wish counts. Owned by the queue.
 *
 * <p>It looks at the clock at least once a minute while it is set, because the time of day may be put forward.
 */
final class Alarm {
    private static final long LONGEST_MILLIS = 60_000;

    private final Loop loop;
    private final Runnable task;
    private long atMillis = Long.MAX_VALUE;
    private Optional<Loop.Timer> timer = Optional.empty();

    Alarm(Loop loop, Runnable task) {
        this.loop = loop;
        this.task = task;
    }

    /** Runs the task at this time, in milliseconds since 1970, or at an earlier one that was asked for. */
    void at(long millis) {
        if (millis < atMillis) {
            atMillis = millis;
            timer.ifPresent(Loop.Timer::cancel);
            set();
        }
    }

    private void set() {
        long delay = Math.max(1, Math.min(LONGEST_MILLIS, atMillis - loop.now()));
        timer = Optional.of(loop.after(delay, this::rang));
    }

    private void rang() {
        timer = Optional.empty();
        if (atMillis > loop.now()) {
            set();
        } else {
            atMillis = Long.MAX_VALUE;
            task.run();
        }
    }

    /** The task will not run. */
    void off() {
        timer.ifPresent(Loop.Timer::cancel);
        timer = Optional.empty();
        atMillis = Long.MAX_VALUE;
    }
}
