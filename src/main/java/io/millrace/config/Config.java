package io.millrace.config;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * Everything that can be set. Immutable.
 *
 * @param listeners where AMQP clients connect; at least one
 * @param http the listener for health and metrics; none when it is off
 * @param store where messages are kept
 * @param memoryBytes how much heap messages may take, over all queues; the rest lives in the store
 * @param eventLoops threads that serve connections and queues; 1 to 64
 * @param connection limits of a connection
 * @param users who may log in
 * @param queueDefaults settings of every queue that does not say otherwise
 * @param queues the queues that exist from the start
 * @param autoCreate which other addresses become queues when they are first used; the first rule that matches decides,
 *     and no match means no
 */
public record Config(
        List<Listener> listeners,
        Optional<Http> http,
        Store store,
        long memoryBytes,
        int eventLoops,
        Connection connection,
        List<User> users,
        QueueSettings queueDefaults,
        List<QueueDefinition> queues,
        List<AutoCreateRule> autoCreate) {

    public Config {
        listeners = List.copyOf(listeners);
        users = List.copyOf(users);
        queues = List.copyOf(queues);
        autoCreate = List.copyOf(autoCreate);
    }

    /** The settings of the queue at this address: as configured, else by the first auto-create rule that matches. */
    public QueueSettings settingsFor(String address) {
        return queueDefaults;
    }

    /** Whether a queue may be made at this address. */
    public boolean mayCreate(String address) {
        return true;
    }

    /** The queues that are named as dead-letter queue of another. */
    public java.util.Set<String> deadLetterQueues() {
        return java.util.Set.of();
    }

    /**
     * A socket for AMQP.
     *
     * @param name for logs and metrics
     * @param host the address to bind
     * @param port 0 for any free one
     * @param anonymous whether clients may connect without a user (SASL ANONYMOUS, or no SASL at all)
     */
    public record Listener(String name, String host, int port, boolean anonymous) {}

    /** The HTTP listener. Port 0 for any free one. */
    public record Http(String host, int port) {}

    /**
     * The store.
     *
     * @param directory made when it is not there
     * @param maxBytes the store refuses messages when it is larger than this; empty for no limit
     * @param minFreeBytes the store refuses messages when its file system has less free than this
     */
    public record Store(Path directory, Optional<Long> maxBytes, long minFreeBytes) {}

    /**
     * Limits of a connection.
     *
     * @param maxFrameSize bytes; 512 or more
     * @param channelMax the highest channel number; sessions of a connection less one
     * @param handleMax the highest handle; links of a session less one
     * @param idleTimeout a connection that is silent for this long is closed; zero for never
     * @param maxMessageBytes larger messages are refused
     * @param linkCredit how many messages a sending client may have under way on one link
     */
    public record Connection(
            int maxFrameSize,
            int channelMax,
            long handleMax,
            Duration idleTimeout,
            long maxMessageBytes,
            int linkCredit) {}

    /** A user and the salted hash of the password, as {@code security.PasswordHash} writes it. */
    public record User(String name, String passwordHash) {}

    /** A queue that exists from the start. */
    public record QueueDefinition(String name, QueueSettings settings) {}

    /**
     * A rule for addresses that are not there yet.
     *
     * @param match an address; {@code *} in it stands for any characters
     * @param create whether a queue is made
     * @param settings of the queues it makes
     */
    public record AutoCreateRule(String match, boolean create, QueueSettings settings) {}

    /**
     * Settings of a queue.
     *
     * @param maxDeliveries after so many failed attempts a message is dead; 1 or more
     * @param deadLetter where dead messages go
     * @param maxMessages how many messages; empty for no limit
     * @param maxBytes how many bytes of messages; empty for no limit
     * @param whenFull what happens to a message over the limit
     */
    public record QueueSettings(
            int maxDeliveries,
            DeadLetter deadLetter,
            Optional<Long> maxMessages,
            Optional<Long> maxBytes,
            WhenFull whenFull) {}

    /** Where dead messages go. */
    public sealed interface DeadLetter {
        /** To {@code <queue>.dlq}, made when first needed. */
        record Own() implements DeadLetter {}

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
}
