package io.millrace.amqp;

import io.millrace.loop.Loop;
import java.util.function.BooleanSupplier;

/**
 * The idle time-outs of one connection, both ways (AMQP 1.0, part 2, section 2.4.5): tells when the peer has been silent for
 * too long, and when we must say something. One timer, re-armed when it fires and never per frame. Owned by its connection.
 */
final class IdleTimeouts {
    private final Loop loop;
    private final long localMillis;
    private final BooleanSupplier deaf;
    private final Runnable expired;
    private final Runnable heartbeat;
    private long remoteMillis;
    private long lastInput;
    private long lastOutput;
    private Loop.Timer timer = () -> {};
    private boolean stopped;

    /**
     * Starts nothing yet.
     *
     * @param localMillis how long the peer may be silent; 0 for ever
     * @param deaf whether we do not hear the peer, so that its silence means nothing
     * @param expired it was silent for longer
     * @param heartbeat we must write a frame
     */
    IdleTimeouts(Loop loop, long localMillis, BooleanSupplier deaf, Runnable expired, Runnable heartbeat) {
        this.loop = loop;
        this.localMillis = localMillis;
        this.deaf = deaf;
        this.expired = expired;
        this.heartbeat = heartbeat;
    }

    /**
     * Begins to watch.
     *
     * @param remote how long the peer lets us be silent, as it said in its open; 0 for ever. We use half of it
     */
    void start(long remote) {
        remoteMillis = remote / 2;
        lastInput = loop.now();
        lastOutput = lastInput;
        arm();
    }

    void input() {
        lastInput = loop.now();
    }

    void output() {
        lastOutput = loop.now();
    }

    void stop() {
        stopped = true;
        timer.cancel();
    }

    private void fired() {
        if (stopped) {
            return;
        }
        long now = loop.now();
        if (deaf.getAsBoolean()) {
            lastInput = now;
        }
        if (localMillis > 0 && now - lastInput >= localMillis) {
            stopped = true;
            expired.run();
            return;
        }
        if (remoteMillis > 0 && now - lastOutput >= remoteMillis) {
            lastOutput = now;
            heartbeat.run();
        }
        arm();
    }

    private void arm() {
        long due = Long.MAX_VALUE;
        if (localMillis > 0) {
            due = lastInput + localMillis;
        }
        if (remoteMillis > 0) {
            due = Math.min(due, lastOutput + remoteMillis);
        }
        if (due != Long.MAX_VALUE && !stopped) {
            timer = loop.after(Math.max(1, due - loop.now()), this::fired);
        }
    }
}
