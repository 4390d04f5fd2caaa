package io.millrace.queue;

import io.millrace.config.QueueSettings.Redelivery;
import io.millrace.message.Outcome;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/** How long a message rests after a failed attempt to deliver it. Owned by the queue. */
final class Rest {
    /** With this annotation a consumer that gives a message back says when it wants it delivered again. */
    static final String DELIVERY_TIME = "x-opt-delivery-time";

    private final Redelivery settings;
    private final SplittableRandom random;

    /** @param seed what the jitter is drawn from */
    Rest(Redelivery settings, long seed) {
        this.settings = settings;
        this.random = new SplittableRandom(seed);
    }

    /** The rest after so many failed attempts; 0 for none. */
    long millis(int failedAttempts) {
        double first = (double) settings.delay().toMillis();
        if (first <= 0) {
            return 0;
        }
        double rest = Math.min(
                (double) settings.maxDelay().toMillis(),
                first * Math.pow(settings.multiplier(), Math.max(0, failedAttempts - 1)));
        double share = settings.jitter() == 0 ? 1 : 1 + settings.jitter() * (2 * random.nextDouble() - 1);
        return Math.max(1, Math.round(rest * share));
    }

    /** When the consumer wants it again, in milliseconds since 1970, limited to what there is a place for; 0 if it does not say. */
    static long wantedMillis(Outcome.Modified modified) {
        Object value = modified.annotations().get(DELIVERY_TIME);
        if (value instanceof Date date) {
            return limited(date.getTime());
        }
        return value instanceof Number number ? limited(number.longValue()) : 0;
    }

    private static long limited(long millis) {
        return Math.max(0, Math.min(millis, DueOrder.LATEST_MILLIS - 1));
    }

    /** The annotations that stay on the message: its own delivery time is over, and this one is for once. */
    static Map<String, Object> annotations(Outcome.Modified modified) {
        if (!modified.annotations().containsKey(DELIVERY_TIME)) {
            return modified.annotations();
        }
        Map<String, Object> others = new LinkedHashMap<>(modified.annotations());
        others.remove(DELIVERY_TIME);
        return others;
    }
}
