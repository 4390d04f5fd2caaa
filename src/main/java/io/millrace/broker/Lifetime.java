package io.millrace.broker;

import java.time.Duration;

/**
 * How long a subscription outlives its last link (AMQP 1.0, part 3, section 3.5.6).
 *
 * @param until what starts the countdown
 * @param timeout how long it is
 */
public record Lifetime(Until until, Duration timeout) {
    public static final Lifetime OF_LINK = new Lifetime(Until.LINK_DETACH, Duration.ZERO);

    /** Expiry policies. */
    public enum Until {
        LINK_DETACH,
        SESSION_END,
        CONNECTION_CLOSE,
        NEVER
    }
}
