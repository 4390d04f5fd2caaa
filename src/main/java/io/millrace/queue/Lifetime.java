package io.millrace.queue;

import io.millrace.config.QueueSettings;
import io.millrace.message.Message;
import java.time.Duration;

/**
 * How long messages of a queue live: what they say themselves (AMQP 1.0, part 3, sections 3.2.1 and 3.2.4: the earlier of ttl
 * and absolute-expiry-time), within the limits of the queue. Immutable.
 */
final class Lifetime {
    private static final long NONE = -1;

    private final long defaultMillis;
    private final long minMillis;
    private final long maxMillis;

    Lifetime(QueueSettings.Expiry settings) {
        this.defaultMillis = settings.byDefault().map(Duration::toMillis).orElse(NONE);
        this.minMillis = settings.min().map(Duration::toMillis).orElse(NONE);
        this.maxMillis = settings.max().map(Duration::toMillis).orElse(NONE);
    }

    /** Whether messages may live longer than they say. */
    boolean prolongs() {
        return minMillis != NONE;
    }

    /**
     * The message, without the time at which it says that it expires if it is to live longer here: clients would drop it then.
     * What is left is told by the ttl; who has none is not told.
     */
    Message prolonged(Message message, long nowMillis) {
        if (minMillis == NONE || message.ttlMillis() < 0) {
            return message;
        }
        long own = message.absoluteExpiryMillis();
        return own != 0 && own < deadline(message, nowMillis) ? message.withoutExpiry(true) : message;
    }

    /** When a message that arrives now expires, in milliseconds since 1970; 0 for never. */
    long deadline(Message message, long nowMillis) {
        long ttl = message.ttlMillis();
        long absolute = message.absoluteExpiryMillis();
        long own = ttl < 0 ? Long.MAX_VALUE : nowMillis + ttl;
        if (absolute != 0) {
            own = Math.min(own, absolute);
        }
        return own == Long.MAX_VALUE ? deadline(nowMillis) : limited(Math.max(1, own), nowMillis);
    }

    /** When a message expires for which only the rules of the queue count, because its own time is over. */
    long deadline(long nowMillis) {
        if (defaultMillis != NONE) {
            return limited(nowMillis + defaultMillis, nowMillis);
        }
        return maxMillis == NONE ? 0 : nowMillis + maxMillis;
    }

    private long limited(long deadline, long nowMillis) {
        long atLeast = minMillis == NONE ? deadline : Math.max(deadline, nowMillis + minMillis);
        return maxMillis == NONE ? atLeast : Math.min(atLeast, nowMillis + maxMillis);
    }
}
