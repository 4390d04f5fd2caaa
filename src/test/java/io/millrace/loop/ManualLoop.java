package io.millrace.loop;

import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.Queue;

/**
 * A loop for tests: nothing runs but in {@link #runAll} and {@link #advance}, and the clock is moved by hand. Belongs to the
 * thread that made it; only {@link #post} may be called from others.
 */
public final class ManualLoop implements Loop {
    private final Thread owner = Thread.currentThread();
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final PriorityQueue<Waiting> timers =
            new PriorityQueue<>(Comparator.comparingLong(Waiting::due).thenComparingLong(Waiting::order));
    private long now = 1_000_000;
    private long order;

    @Override
    public void post(Runnable task) {
        synchronized (tasks) {
            tasks.add(task);
        }
    }

    /** Runs what is posted, and what that posts, until nothing is left. */
    public void runAll() {
        for (Runnable task = next(); task != null; task = next()) {
            task.run();
        }
    }

    /** Runs one posted task; false when there is none. */
    public boolean runOne() {
        Runnable task = next();
        if (task != null) {
            task.run();
        }
        return task != null;
    }

    private Runnable next() {
        synchronized (tasks) {
            return tasks.poll();
        }
    }

    /** Moves the clock, and runs what falls due on the way, in order of time, each followed by all that it posts. */
    public void advance(long millis) {
        long end = now + millis;
        runAll();
        while (!timers.isEmpty() && timers.peek().due <= end) {
            Waiting timer = timers.poll();
            now = Math.max(now, timer.due);
            timer.task.run();
            runAll();
        }
        now = end;
    }

    @Override
    public Timer after(long delayMillis, Runnable task) {
        assertCurrent();
        if (delayMillis < 1) {
            throw new IllegalArgumentException("a delay of " + delayMillis + " ms");
        }
        Waiting timer = new Waiting(now + delayMillis, order++, task);
        timers.add(timer);
        return () -> timers.remove(timer);
    }

    /** How many timers wait: a test can see that nothing was left behind. */
    public int timers() {
        return timers.size();
    }

    @Override
    public long now() {
        return now;
    }

    @Override
    public boolean isCurrent() {
        return Thread.currentThread() == owner;
    }

    private record Waiting(long due, long order, Runnable task) {}
}
