package io.millrace.amqp;

import io.millrace.loop.Loop;

/**
 * What a connection has of a {@link RatePool}: tokens for messages that it may give credit for. Owned by the loop of the
 * connection. A pool on the same loop is called directly and answers so if it can; one on another is posted to, a request at a
 * time, and what was spent goes with the request or in lumps.
 */
final class RateLease {
    /** What was spent is told after so many messages, even if nothing is asked for. */
    private static final int REPORTED_MESSAGES = 64;

    private static final long REPORTED_BYTES = 64 << 10;

    private final Loop loop;
    private final RatePool pool;
    private final Runnable answered;

    /** Tokens, those of credit that was given among them, and the bytes that are set aside for them. */
    private long kept;

    private long keptBytes;

    /** Those that no credit was given for yet. */
    private int free;

    private boolean asked;
    private boolean asking;
    private boolean closed;
    private long spent;
    private long spentBytes;

    /** @param answered called when tokens have come that there were none of when they were asked for */
    RateLease(Loop loop, RatePool pool, Runnable answered) {
        this.loop = loop;
        this.pool = pool;
        this.answered = answered;
    }

    RatePool pool() {
        return pool;
    }

    /** How many messages credit may be given for; asks for more if they are fewer than wanted. */
    long available(long wanted) {
        if (free < wanted && !asked) {
            asked = true;
            asking = true;
            closed = false;
            report();
            long more = wanted - free;
            onPool(() -> pool.ask(this, more));
            asking = false;
        }
        return Math.min(free, wanted);
    }

    boolean empty() {
        return free == 0;
    }

    /** Credit was given. */
    void take(int count) {
        free -= count;
    }

    /** The pool has set tokens aside. On the pool's loop. */
    void give(int count, long bytes) {
        if (pool.loop() == loop) {
            given(count, bytes);
        } else {
            loop.post(() -> given(count, bytes));
        }
    }

    private void given(int count, long bytes) {
        loop.assertCurrent();
        kept += count;
        keptBytes += bytes;
        free += count;
        asked = false;
        if (closed) {
            giveBack(free);
        } else if (!asking) {
            answered.run();
        }
    }

    /** Messages have come whose credit was given, and bytes. */
    void spend(long count, long bytes) {
        spent += count;
        spentBytes += bytes;
        if (pool.loop() == loop || spent >= REPORTED_MESSAGES || spentBytes >= REPORTED_BYTES) {
            report();
        }
    }

    private void report() {
        if (spent > 0 || spentBytes > 0) {
            tell(spent, spent, spentBytes);
            spent = 0;
            spentBytes = 0;
        }
    }

    /** Messages will not come whose credit was given. */
    void unused(int count) {
        report();
        tell(count, 0, 0);
    }

    private void giveBack(int count) {
        free -= count;
        unused(count);
    }

    private void tell(long count, long came, long cameBytes) {
        long bytes = kept == 0 ? 0 : keptBytes * count / kept;
        kept -= count;
        keptBytes -= bytes;
        onPool(() -> pool.spend(count, bytes, came, cameBytes));
    }

    /** Nobody wants anything any more. */
    void close() {
        closed = true;
        asked = false;
        giveBack(free);
        onPool(() -> pool.forget(this));
    }

    private void onPool(Runnable task) {
        if (pool.loop() == loop) {
            task.run();
        } else {
            pool.loop().post(task);
        }
    }
}
