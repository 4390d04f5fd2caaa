package io.millrace.net;

import io.millrace.loop.Loop;
import java.time.Duration;

/**
 * Tells how late a loop runs what is due, and whether it runs at all. Owned by its loop; read on any thread.
 */
public final class Heartbeat {
    private static final Duration PERIOD = Duration.ofMillis(500);

    private final Loop loop;
    private volatile long lastBeatNanos = System.nanoTime();
    private volatile long lagNanos;
    private volatile boolean stopped;

    /** Starts to beat. */
    public Heartbeat(Loop loop) {
        this.loop = loop;
        loop.post(this::next);
    }

    private void next() {
        long due = System.nanoTime() + PERIOD.toNanos();
        loop.after(PERIOD.toMillis(), () -> {
            if (!stopped) {
                lastBeatNanos = System.nanoTime();
                lagNanos = Math.max(0, lastBeatNanos - due);
                next();
            }
        });
    }

    /** How much later than due the latest beat came. */
    public Duration lag() {
        return Duration.ofNanos(lagNanos);
    }

    /** How long ago the loop was last seen alive. */
    public Duration silence() {
        return Duration.ofNanos(Math.max(0, System.nanoTime() - lastBeatNanos));
    }

    /** Beats no more. */
    public void stop() {
        stopped = true;
    }
}
