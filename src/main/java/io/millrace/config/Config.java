package io.millrace.config;

import io.millrace.config.QueueSettings.DeadLetter;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

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
 * @param topics the topics that exist from the start
 * @param forwardings what goes to other addresses, too
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
        List<TopicDefinition> topics,
        List<Forwarding> forwardings,
        List<AutoCreateRule> autoCreate) {

    public Config {
        listeners = List.copyOf(listeners);
        users = List.copyOf(users);
        queues = List.copyOf(queues);
        topics = List.copyOf(topics);
        forwardings = List.copyOf(forwardings);
        autoCreate = List.copyOf(autoCreate);
    }

    /** A broker for this machine alone: anonymous, on loopback, the store in {@code data}. An empty file says the same. */
    public static Config defaults() {
        return new Config(
                List.of(Listener.DEFAULT),
                Optional.of(Http.DEFAULT),
                Store.DEFAULT,
                automaticMemoryBytes(Runtime.getRuntime().maxMemory()),
                1,
                Connection.DEFAULT,
                List.of(),
                QueueSettings.DEFAULT,
                List.of(),
                List.of(),
                List.of(),
                List.of(new AutoCreateRule("*", true, false, QueueSettings.DEFAULT)));
    }

    /** A third of the heap, but of a small one what the broker itself does not need, and half as much again for the worst. */
    static long automaticMemoryBytes(long heap) {
        return Math.max(1 << 20, Math.min(heap / 3, (heap - (24 << 20)) / 5 * 2));
    }

    /** This, with one listener: on loopback, for anonymous clients, on a port that may be 0 for any free one. */
    public Config withPort(int port) {
        return withListener(new Listener(Listener.DEFAULT.name(), Listener.DEFAULT.host(), port, true));
    }

    /** This, with a single listener. */
    public Config withListener(Listener listener) {
        return withListeners(List.of(listener));
    }

    /** This, with other listeners. */
    public Config withListeners(List<Listener> others) {
        return new Config(
                others,
                http,
                store,
                memoryBytes,
                eventLoops,
                connection,
                users,
                queueDefaults,
                queues,
                topics,
                forwardings,
                autoCreate);
    }

    /** This, with another HTTP listener or none. */
    public Config withHttp(Optional<Http> other) {
        return new Config(
                listeners,
                other,
                store,
                memoryBytes,
                eventLoops,
                connection,
                users,
                queueDefaults,
                queues,
                topics,
                forwardings,
                autoCreate);
    }

    /** This, with the store in another directory. */
    public Config withDirectory(Path directory) {
        Store moved = new Store(directory, store.maxBytes(), store.minFreeBytes());
        return new Config(
                listeners,
                http,
                moved,
                memoryBytes,
                eventLoops,
                connection,
                users,
                queueDefaults,
                queues,
                topics,
                forwardings,
                autoCreate);
    }

    /** This, with one more queue, which has the default settings. */
    public Config withQueue(String name) {
        return withQueue(new QueueDefinition(name, queueDefaults));
    }

    /** This, with one more queue. */
    public Config withQueue(QueueDefinition queue) {
        List<QueueDefinition> more = new ArrayList<>(queues);
        more.add(queue);
        return withQueues(more);
    }

    /** This, with other queues. */
    public Config withQueues(List<QueueDefinition> others) {
        return new Config(
                listeners,
                http,
                store,
                memoryBytes,
                eventLoops,
                connection,
                users,
                queueDefaults,
                others,
                topics,
                forwardings,
                autoCreate);
    }

    /** This, with other topics. */
    public Config withTopics(List<TopicDefinition> others) {
        return new Config(
                listeners,
                http,
                store,
                memoryBytes,
                eventLoops,
                connection,
                users,
                queueDefaults,
                queues,
                others,
                forwardings,
                autoCreate);
    }

    /** This, with other forwardings. */
    public Config withForwardings(List<Forwarding> others) {
        return new Config(
                listeners,
                http,
                store,
                memoryBytes,
                eventLoops,
                connection,
                users,
                queueDefaults,
                queues,
                topics,
                others,
                autoCreate);
    }

    /** This, with other rules for addresses that are not there yet. */
    public Config withAutoCreate(List<AutoCreateRule> others) {
        return new Config(
                listeners,
                http,
                store,
                memoryBytes,
                eventLoops,
                connection,
                users,
                queueDefaults,
                queues,
                topics,
                forwardings,
                others);
    }

    /** This, with one more user. A listener that is {@link Listener#anonymous} lets others in all the same. */
    public Config withUser(User user) {
        List<User> more = new ArrayList<>(users);
        more.add(user);
        return new Config(
                listeners,
                http,
                store,
                memoryBytes,
                eventLoops,
                connection,
                more,
                queueDefaults,
                queues,
                topics,
                forwardings,
                autoCreate);
    }

    /**
     * The settings of the queue with an address: its own if it is configured, else those of the first rule for automatic
     * creation that matches, else the defaults. A dead-letter queue has no dead-letter queue, whatever is said here; that
     * is for its owner to know. Looks through all queues: to be asked when a queue is made, not for each message.
     */
    public QueueSettings settingsFor(String address) {
        for (QueueDefinition queue : queues) {
            if (queue.name().equals(address)) {
                return queue.settings();
            }
        }
        return ruleFor(address).map(AutoCreateRule::settings).orElse(queueDefaults);
    }

    /**
     * The settings of subscriptions to the topic with an address (or to topics that match it): its own if it is
     * configured, else those of the first rule for automatic creation that matches, else the defaults.
     */
    public QueueSettings subscriptionSettingsFor(String address) {
        for (TopicDefinition topic : topics) {
            if (topic.name().equals(address)) {
                return topic.settings();
            }
        }
        return ruleFor(address).map(AutoCreateRule::settings).orElse(queueDefaults);
    }

    /** Whether an address that is not there yet becomes a topic when the client does not say what it wants. */
    public boolean becomesTopic(String address) {
        return ruleFor(address).map(AutoCreateRule::topic).orElse(false);
    }

    /** Whether an address that is not there yet may become a queue or a topic. No rule that matches means no. */
    public boolean mayCreate(String address) {
        return ruleFor(address).map(AutoCreateRule::create).orElse(false);
    }

    private Optional<AutoCreateRule> ruleFor(String address) {
        return autoCreate.stream().filter(rule -> rule.matches(address)).findFirst();
    }

    /**
     * The names of all queues that take dead messages, as far as the configuration names them: what {@code dead-letter}
     * points to, and {@code <queue>.dlq} of each configured queue that is not a dead-letter queue itself.
     */
    public Set<String> deadLetterQueues() {
        Set<String> targets = new LinkedHashSet<>();
        namedBy(queueDefaults).ifPresent(targets::add);
        autoCreate.forEach(rule -> namedBy(rule.settings()).ifPresent(targets::add));
        queues.forEach(queue -> namedBy(queue.settings()).ifPresent(targets::add));
        // Shortest first, so that "a.dlq" is known as the dead-letter queue of "a" when its own turn comes.
        queues.stream()
                .filter(queue -> queue.settings().deadLetter() instanceof DeadLetter.Own)
                .map(QueueDefinition::name)
                .sorted(Comparator.comparingInt(String::length))
                .forEachOrdered(name -> {
                    if (!targets.contains(name)) {
                        targets.add(DeadLetter.Own.nameFor(name));
                    }
                });
        return targets;
    }

    private static Optional<String> namedBy(QueueSettings settings) {
        return settings.deadLetter() instanceof DeadLetter.To to ? Optional.of(to.queue()) : Optional.empty();
    }

    /** What is allowed but unwise, in sentences for the log at start. */
    public List<String> warnings() {
        return Warnings.of(this);
    }

    /** Whether an address, as it is written in the file, is of this machine alone. Looks up no names. */
    static boolean isLoopback(String host) {
        String plain = host.toLowerCase(Locale.ROOT);
        return plain.equals("localhost")
                || plain.equals("::1")
                || plain.equals("[::1]")
                || plain.matches("127(\\.[0-9]{1,3}){3}");
    }

    /**
     * A socket for AMQP.
     *
     * @param name for logs and metrics
     * @param host the address to bind
     * @param port 0 for any free one
     * @param anonymous whether clients may connect without a user (SASL ANONYMOUS, or no SASL at all)
     */
    public record Listener(String name, String host, int port, boolean anonymous) {
        static final Listener DEFAULT = new Listener("amqp", "127.0.0.1", 5672, true);
    }

    /** The HTTP listener. Port 0 for any free one. */
    public record Http(String host, int port) {
        static final Http DEFAULT = new Http("127.0.0.1", 8672);
    }

    /**
     * The store.
     *
     * @param directory made when it is not there
     * @param maxBytes the store refuses messages when it is larger than this; empty for no limit
     * @param minFreeBytes the store refuses messages when its file system has less free than this
     */
    public record Store(Path directory, Optional<Long> maxBytes, long minFreeBytes) {
        static final Store DEFAULT = new Store(Path.of("data"), Optional.empty(), 256L << 20);
    }

    /**
     * Limits of a connection.
     *
     * @param maxFrameSize bytes; 512 or more
     * @param channelMax the highest channel number; sessions of a connection less one
     * @param handleMax the highest handle; links of a session less one
     * @param idleTimeout a connection that is silent for this long is closed; zero for never
     * @param maxMessageBytes larger messages are refused; what is more than a megabyte goes through the store, not the heap
     * @param linkCredit how many messages a sending client may have under way on one link
     * @param transactionTimeout a transaction that holds messages is rolled back when nothing happened in it for this long;
     *     zero for never
     * @param rate how much it may send
     */
    public record Connection(
            int maxFrameSize,
            int channelMax,
            long handleMax,
            Duration idleTimeout,
            long maxMessageBytes,
            int linkCredit,
            Duration transactionTimeout,
            Rate rate) {
        /** Transactions wait as long as those of Artemis, which clients are used to. */
        static final Connection DEFAULT = new Connection(
                64 << 10, 1023, 4095, Duration.ofSeconds(60), 1L << 30, 1000, Duration.ofMinutes(5), Rate.UNLIMITED);
    }

    /**
     * Someone who may log in.
     *
     * @param passwordHash the salted hash of the password, as {@code security.PasswordHash} writes it
     * @param rate how much all connections of the user together may send
     */
    public record User(String name, String passwordHash, Rate rate) {
        /** A user who may send as much as there is room for. */
        public User(String name, String passwordHash) {
            this(name, passwordHash, Rate.UNLIMITED);
        }

        @Override
        public String toString() {
            return "user " + name;
        }
    }

    /** A queue that exists from the start. */
    public record QueueDefinition(String name, QueueSettings settings) {}

    /** A topic that exists from the start, and the settings of its subscriptions. */
    public record TopicDefinition(String name, QueueSettings settings) {}

    /**
     * What is sent to one address goes to others, too, in the same durable step.
     *
     * @param from a queue or topic
     * @param to queues or topics
     * @param selector which messages, as a JMS selector; empty for all
     * @param divert it does not go to {@code from} itself then
     */
    public record Forwarding(String from, List<String> to, Optional<String> selector, boolean divert) {
        public Forwarding {
            to = List.copyOf(to);
        }
    }

    /**
     * A rule for addresses that are not there yet.
     *
     * @param match an address; {@code *} in it stands for any characters
     * @param create whether a node is made
     * @param topic it is a topic, not a queue, when the client does not say which it wants
     * @param settings of the queues it makes, and of the subscriptions of topics it makes
     */
    public record AutoCreateRule(String match, boolean create, boolean topic, QueueSettings settings) {

        /** Whether the rule is for an address. Takes time by the product of both lengths at worst, and no memory. */
        public boolean matches(String address) {
            int at = 0;
            int pattern = 0;
            int lastStar = -1;
            int resume = 0;
            while (at < address.length()) {
                if (pattern < match.length() && match.charAt(pattern) == '*') {
                    lastStar = pattern++;
                    resume = at;
                } else if (pattern < match.length() && match.charAt(pattern) == address.charAt(at)) {
                    pattern++;
                    at++;
                } else if (lastStar >= 0) {
                    pattern = lastStar + 1;
                    at = ++resume;
                } else {
                    return false;
                }
            }
            while (pattern < match.length() && match.charAt(pattern) == '*') {
                pattern++;
            }
            return pattern == match.length();
        }
    }
}
