package io.millrace.amqp;

/**
 * Tokens that come at a steady rate, for one resource: messages or bytes. Owned by its {@link RatePool}.
 *
 * <p>Tokens are set aside when credit is given, and gone when what the credit was for is here. Those set aside and those at hand
 * are one second's worth together, so that links which keep credit do not add to the largest burst; but an eighth of a second's
 * worth may always gather, so that they do not keep others from the rate either. What was more than expected is a debt: the
 * level goes below zero, and the rate is exact over time.
 */
final class TokenBucket {
    /** Thousandths of a token, so that nothing is lost in a millisecond. */
    private static final long PARTS = 1000;

    private static final int LUMPS = 64;
    private static final int LEAST_BURSTS = 8;

    private final boolean limited;
    private final long rate;

    /** Less than this is not worth a frame. */
    private final long lump;

    private long level;
    private long setAside;
    private long filledMillis;

    private TokenBucket(boolean limited, long rate, long nowMillis) {
        this.limited = limited;
        this.rate = rate;
        this.lump = Math.max(1, rate / LUMPS);
        this.level = rate * PARTS;
        this.filledMillis = nowMillis;
    }

    /** A full one. */
    static TokenBucket of(long ratePerSecond, long nowMillis) {
        return new TokenBucket(true, ratePerSecond, nowMillis);
    }

    /** One that never gets empty. */
    static TokenBucket unlimited() {
        return new TokenBucket(false, 0, 0);
    }

    /** Lets tokens come for the time that has passed. A clock that was set back costs that time, not more. */
    void fill(long nowMillis) {
        if (!limited) {
            return;
        }
        long passed = Math.max(0, nowMillis - filledMillis);
        filledMillis = nowMillis;
        long most = Math.max(Math.max(PARTS, rate * PARTS / LEAST_BURSTS), (rate - setAside) * PARTS);
        if (level < most) {
            // In PARTS of a token a second is as many as the rate in a millisecond.
            boolean fills = passed > (most - level) / rate;
            level = fills ? most : level + passed * rate;
        }
    }

    /** How many tokens may be set aside now; none if there are too few to be worth it. */
    long available() {
        if (!limited) {
            return Long.MAX_VALUE;
        }
        return level >= lump * PARTS ? level / PARTS : 0;
    }

    /** How long it takes until tokens are {@link #available}. */
    long millisToWait() {
        if (!limited || level >= lump * PARTS) {
            return 0;
        }
        return (lump * PARTS - level + rate - 1) / rate;
    }

    /** Keeps tokens for what is expected; maybe more than there are. */
    void setAside(long tokens) {
        if (limited) {
            level -= tokens * PARTS;
            setAside += tokens;
        }
    }

    /** What they were kept for is here, and took {@code actual}, or will not come. */
    void spend(long kept, long actual) {
        if (limited) {
            setAside -= kept;
            level += (kept - actual) * PARTS;
        }
    }
}
