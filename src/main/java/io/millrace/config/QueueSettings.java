package io.millrace.config;

import java.time.Duration;
import java.util.Optional;

/**
 * Settings of a queue.
 *
 * @param maxDeliveries after so many failed attempts a message is dead; 1 or more
 * @param deadLetter where dead messages go
 * @param maxMessages how many messages; empty for no limit
 * @param maxBytes how many bytes of messages; empty for no limit
 * @param whenFull what happens to a message over the limit
 * @param hold how long a message that finds no room waits for it, before it is rejected; zero for not at all
 * @param expiry how long messages live, and what becomes of those that have lived long enough
 * @param redelivery how long a message rests after a failed attempt
 * @param consumers how consumers share the queue
 * @param lastValueKey the name of the message annotation or application property whose value a new message replaces the
 *     older one of; empty for a queue that keeps all
 * @param replay what was consumed stays, so that every consumer sees everything, until limits or expiry remove it
 * @param duplicates how messages that come again are told; empty if they are not
 */
public record QueueSettings(
        int maxDeliveries,
        DeadLetter deadLetter,
        Optional<Long> maxMessages,
        Optional<Long> maxBytes,
        WhenFull whenFull,
        Duration hold,
        Expiry expiry,
        Redelivery redelivery,
        Consumers consumers,
        Optional<String> lastValueKey,
        boolean replay,
        Optional<Duplicates> duplicates) {

    /**
     * Longer than consumers are away when they are restarted one after the other or collect their garbage, and shorter than
     * the ten seconds and more that callers of a sender wait before they give up, so that they hear the reason.
     */
    private static final Duration DEFAULT_HOLD = Duration.ofSeconds(5);

    /** Ten attempts, then {@code <queue>.dlq}; no limits, and nothing special. */
    public static final QueueSettings DEFAULT = new QueueSettings(
            10,
            new DeadLetter.Own(),
            Optional.empty(),
            Optional.empty(),
            WhenFull.REJECT,
            DEFAULT_HOLD,
            Expiry.DEFAULT,
            Redelivery.AT_ONCE,
            Consumers.SHARED,
            Optional.empty(),
            false,
            Optional.empty());

    /** This, with another limit of attempts. */
    public QueueSettings withMaxDeliveries(int other) {
        return new QueueSettings(
                other,
                deadLetter,
                maxMessages,
                maxBytes,
                whenFull,
                hold,
                expiry,
                redelivery,
                consumers,
                lastValueKey,
                replay,
                duplicates);
    }

    /** This, with another place for dead messages. */
    public QueueSettings withDeadLetter(DeadLetter other) {
        return new QueueSettings(
                maxDeliveries,
                other,
                maxMessages,
                maxBytes,
                whenFull,
                hold,
                expiry,
                redelivery,
                consumers,
                lastValueKey,
                replay,
                duplicates);
    }

    /** This, with other limits. */
    public QueueSettings withLimits(Optional<Long> messages, Optional<Long> bytes, WhenFull full) {
        return new QueueSettings(
                maxDeliveries,
                deadLetter,
                messages,
                bytes,
                full,
                hold,
                expiry,
                redelivery,
                consumers,
                lastValueKey,
                replay,
                duplicates);
    }

    /** This, with another time for messages to wait for room. */
    public QueueSettings withHold(Duration other) {
        return new QueueSettings(
                maxDeliveries,
                deadLetter,
                maxMessages,
                maxBytes,
                whenFull,
                other,
                expiry,
                redelivery,
                consumers,
                lastValueKey,
                replay,
                duplicates);
    }

    /** This, with other rules for the life of messages. */
    public QueueSettings withExpiry(Expiry other) {
        return new QueueSettings(
                maxDeliveries,
                deadLetter,
                maxMessages,
                maxBytes,
                whenFull,
                hold,
                other,
                redelivery,
                consumers,
                lastValueKey,
                replay,
                duplicates);
    }

    /** This, with other rests after failed attempts. */
    public QueueSettings withRedelivery(Redelivery other) {
        return new QueueSettings(
                maxDeliveries,
                deadLetter,
                maxMessages,
                maxBytes,
                whenFull,
                hold,
                expiry,
                other,
                consumers,
                lastValueKey,
                replay,
                duplicates);
    }

    /** This, with another way to share it. */
    public QueueSettings withConsumers(Consumers other) {
        return new QueueSettings(
                maxDeliveries,
                deadLetter,
                maxMessages,
                maxBytes,
                whenFull,
                hold,
                expiry,
                redelivery,
                other,
                lastValueKey,
                replay,
                duplicates);
    }

    /** This, as a last-value queue. */
    public QueueSettings withLastValueKey(String key) {
        return new QueueSettings(
                maxDeliveries,
                deadLetter,
                maxMessages,
                maxBytes,
                whenFull,
                hold,
                expiry,
                redelivery,
                consumers,
                Optional.of(key),
                replay,
                duplicates);
    }

    /** This, as no last-value queue. */
    public QueueSettings withoutLastValueKey() {
        return new QueueSettings(
                maxDeliveries,
                deadLetter,
                maxMessages,
                maxBytes,
                whenFull,
                hold,
                expiry,
                redelivery,
                consumers,
                Optional.empty(),
                replay,
                duplicates);
    }

    /** This, as a queue that keeps what was consumed, or not. */
    public QueueSettings withReplay(boolean other) {
        return new QueueSettings(
                maxDeliveries,
                deadLetter,
                maxMessages,
                maxBytes,
                whenFull,
                hold,
                expiry,
                redelivery,
                consumers,
                lastValueKey,
                other,
                duplicates);
    }

    /** This, telling messages that come again. */
    public QueueSettings withDuplicates(Duplicates other) {
        return new QueueSettings(
                maxDeliveries,
                deadLetter,
                maxMessages,
                maxBytes,
                whenFull,
                hold,
                expiry,
                redelivery,
                consumers,
                lastValueKey,
                replay,
                Optional.of(other));
    }

    /** This, taking whatever comes, also again. */
    public QueueSettings withoutDuplicates() {
        return new QueueSettings(
                maxDeliveries,
                deadLetter,
                maxMessages,
                maxBytes,
                whenFull,
                hold,
                expiry,
                redelivery,
                consumers,
                lastValueKey,
                replay,
                Optional.empty());
    }

    /** Where dead messages go. */
    public sealed interface DeadLetter {
        /** To {@code <queue>.dlq}, made when first needed. */
        record Own() implements DeadLetter {
            /** The name of the dead-letter queue of a queue. */
            public static String nameFor(String queue) {
                return queue + ".dlq";
            }
        }

        /** To a queue of this name. */
        record To(String queue) implements DeadLetter {}

        /** Nowhere: no limit on deliveries; a rejected message is discarded. */
        record Off() implements DeadLetter {}
    }

    /** What a full queue does. */
    public enum WhenFull {
        /** The sender is told so. */
        REJECT,
        /** The oldest messages that no consumer holds make room. */
        DROP_OLDEST
    }

    /** How consumers share a queue. */
    public enum Consumers {
        /** Each message goes to one of them. */
        SHARED,
        /** One gets all messages; when it goes the next takes over. */
        SINGLE_ACTIVE,
        /** There can be only one; others are refused while it is there. */
        EXCLUSIVE
    }

    /**
     * How long messages live.
     *
     * @param byDefault of those that do not say; empty for ever
     * @param min those that say less live so long; empty for no such rule
     * @param max those that say more, or nothing, live so long; empty for no such rule
     * @param to what becomes of them
     */
    public record Expiry(Optional<Duration> byDefault, Optional<Duration> min, Optional<Duration> max, ExpiredTo to) {
        /** As the messages say, then to the dead-letter queue. */
        public static final Expiry DEFAULT =
                new Expiry(Optional.empty(), Optional.empty(), Optional.empty(), new ExpiredTo.DeadLetterQueue());
    }

    /** What becomes of expired messages. */
    public sealed interface ExpiredTo {
        /** They go where dead messages go; where nothing is set for those, they are discarded. */
        record DeadLetterQueue() implements ExpiredTo {}

        /** They go to a queue of this name. */
        record To(String queue) implements ExpiredTo {}

        /** They are gone. */
        record Nowhere() implements ExpiredTo {}
    }

    /**
     * How long a message rests after a failed attempt to deliver it.
     *
     * @param delay after the first one; zero for no rest
     * @param multiplier each further one takes so many times longer; 1 or more
     * @param maxDelay but never longer than this
     * @param jitter each rest is longer or shorter at random by up to this share of it; 0 to 1
     */
    public record Redelivery(Duration delay, double multiplier, Duration maxDelay, double jitter) {
        /** No rest. */
        public static final Redelivery AT_ONCE = new Redelivery(Duration.ZERO, 1, Duration.ofHours(1), 0);
    }

    /**
     * How messages that come again are told.
     *
     * @param property the application property or message annotation that tells; empty for the message-id
     * @param window how long a message is remembered
     * @param maxIdentities how many are remembered at most; 1 or more
     */
    public record Duplicates(Optional<String> property, Duration window, int maxIdentities) {}
}
