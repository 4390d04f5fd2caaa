package io.millrace.journal.h2;

import java.util.concurrent.TimeUnit;

/**
 * Whether facts come so quickly that it is better to be slow with each commit: what comes meanwhile is the next one, each costs
 * as much however much is in it, and a message that is stored and removed within one costs nothing. Owned by the journal thread.
 */
final class Briskness {
    /** Two transactions of ten at a time, each message sent and received, are 130,000; a stream of single messages 600,000 and more. */
    private static final long FACTS_PER_SECOND = 200_000;

    /** One way of committing makes for another rate than the other, and is not to bring the other about again. */
    private static final long FACTS_PER_SECOND_STILL = 150_000;

    private static final long WINDOW_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private long sinceNanos = System.nanoTime();
    private long facts;
    private boolean brisk;

    /** So many facts came, some of which may have undone each other. */
    void came(int more) {
        facts += more;
        long now = System.nanoTime();
        long passed = now - sinceNanos;
        if (passed >= WINDOW_NANOS) {
            long most = brisk ? FACTS_PER_SECOND_STILL : FACTS_PER_SECOND;
            brisk = facts > passed * most / TimeUnit.SECONDS.toNanos(1);
            facts = 0;
            sinceNanos = now;
        }
    }

    boolean isBrisk() {
        return brisk;
    }
}
