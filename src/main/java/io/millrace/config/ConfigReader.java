package io.millrace.config;

import io.millrace.config.Config.AutoCreateRule;
import io.millrace.config.Config.Forwarding;
import io.millrace.config.Config.Http;
import io.millrace.config.Config.Listener;
import io.millrace.config.Config.QueueDefinition;
import io.millrace.config.Config.Store;
import io.millrace.config.Config.TopicDefinition;
import io.millrace.config.Config.User;
import io.millrace.config.QueueSettings.DeadLetter;
import io.millrace.config.QueueSettings.ExpiredTo;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Makes a {@link Config} of the top section of a file. Owned by one {@link ConfigFile#load} call. */
final class ConfigReader {
    private static final String MAKE_A_HASH = "; make one with: java -jar millrace.jar hash-password";

    private final Section top;
    private final Function<String, Optional<String>> selectorFault;

    /** @param selectorFault what is wrong with a selector; empty when it is right */
    ConfigReader(Section top, Function<String, Optional<String>> selectorFault) {
        this.top = top;
        this.selectorFault = selectorFault;
    }

    Config read() {
        Config byDefault = Config.defaults();
        List<User> users = users();
        List<Listener> listeners = listeners(!users.isEmpty());
        Optional<Http> http = http(listeners);
        QueueSettings queueDefaults =
                SettingsReader.settings(top.section("queue-defaults", Keys.SETTINGS), QueueSettings.DEFAULT);
        Config config = new Config(
                listeners,
                http,
                store(top.section("store", Keys.STORE)),
                memory(byDefault.memoryBytes()),
                (int) top.number("event-loops", byDefault.eventLoops(), 1, 64),
                connection(top.section("connection", Keys.CONNECTION)),
                users,
                queueDefaults,
                List.of(),
                List.of(),
                List.of(),
                autoCreate(queueDefaults));
        Config withNodes = withQueues(config);
        return withNodes.withTopics(topics(withNodes)).withForwardings(forwardings());
    }

    private List<Listener> listeners(boolean hasUsers) {
        Optional<List<Section>> given = top.list("listeners", Keys.LISTENER);
        if (given.isEmpty()) {
            return List.of(Listener.DEFAULT);
        }
        if (given.get().isEmpty() && !top.isText("listeners")) {
            top.wrongValue("listeners", "at least one listener is needed; leave the key out for the default");
        }
        List<Listener> listeners = new ArrayList<>();
        Set<String> names = new HashSet<>();
        Map<String, String> sockets = new HashMap<>();
        for (Section section : given.get()) {
            Listener listener = listener(section, listeners.size() + 1);
            if (!names.add(listener.name())) {
                section.wrongValue("name", "there are two listeners named \"" + listener.name() + "\"");
            }
            String socket = listener.host() + ":" + listener.port();
            String other = sockets.putIfAbsent(socket, listener.name());
            if (other != null && listener.port() != 0) {
                section.wrongValue("port", socket + " is taken by the listener " + other);
            }
            if (!listener.anonymous() && !hasUsers && !top.has("users")) {
                section.wrongValue("anonymous", "nobody could log in: add users, or set anonymous: true");
            }
            listeners.add(listener);
        }
        return listeners;
    }

    private static Listener listener(Section section, int number) {
        String name = section.name("name").orElse(number == 1 ? "amqp" : "amqp-" + number);
        String host = host(section, Listener.DEFAULT.host());
        int port = (int) section.number("port", Listener.DEFAULT.port(), 0, 65_535);
        return new Listener(name, host, port, section.flag("anonymous", Config.isLoopback(host)));
    }

    private static String host(Section section, String byDefault) {
        return section.read(
                "host",
                byDefault,
                "a host name or an address, such as 127.0.0.1, or 0.0.0.0 for all of this machine",
                text -> text.matches("[A-Za-z0-9._:%\\[\\]-]+") ? Optional.of(text) : Optional.empty());
    }

    private Optional<Http> http(List<Listener> listeners) {
        if (top.isText("http")) {
            boolean on = top.read("http", true, "off, or a mapping with host and port", Section::truth);
            return on ? Optional.of(Http.DEFAULT) : Optional.empty();
        }
        Section section = top.section("http", Keys.HTTP);
        Http http = new Http(
                host(section, Http.DEFAULT.host()), (int) section.number("port", Http.DEFAULT.port(), 0, 65_535));
        for (Listener listener : listeners) {
            if (listener.port() != 0
                    && listener.port() == http.port()
                    && listener.host().equals(http.host())) {
                top.wrongValue(
                        "http", http.host() + ":" + http.port() + " is taken by the listener " + listener.name());
            }
        }
        return Optional.of(http);
    }

    private static Store store(Section section) {
        Path directory = section.read("directory", Store.DEFAULT.directory(), "the path of a directory", text -> {
            try {
                return text.isBlank() ? Optional.empty() : Optional.of(Path.of(text));
            } catch (InvalidPathException e) {
                return Optional.empty();
            }
        });
        return new Store(
                directory,
                SettingsReader.limit(section, "max-bytes", Store.DEFAULT.maxBytes(), 1 << 20),
                section.bytes("min-free", Store.DEFAULT.minFreeBytes(), 0, SettingsReader.MAX_BYTES));
    }

    private long memory(long automatic) {
        return top.read(
                "memory",
                automatic,
                "auto, or a size from 1MiB, such as 256MiB",
                text -> text.equals("auto")
                        ? Optional.of(automatic)
                        : Quantity.bytes(text).filter(bytes -> bytes >= 1 << 20 && bytes <= SettingsReader.MAX_BYTES));
    }

    private static Config.Connection connection(Section section) {
        Config.Connection byDefault = Config.Connection.DEFAULT;
        return new Config.Connection(
                (int) section.bytes("max-frame-size", byDefault.maxFrameSize(), 512, 16 << 20),
                (int) section.number("channel-max", byDefault.channelMax(), 0, 65_535),
                section.number("handle-max", byDefault.handleMax(), 0, 0xffff_ffffL),
                section.duration("idle-timeout", byDefault.idleTimeout(), Duration.ofHours(24)),
                section.bytes("max-message-size", byDefault.maxMessageBytes(), 1 << 10, 1L << 40),
                (int) section.number("link-credit", byDefault.linkCredit(), 1, 1_000_000),
                section.duration("transaction-timeout", byDefault.transactionTimeout(), Duration.ofHours(24)),
                rate(section));
    }

    /** What clients may send in a second. */
    private static Rate rate(Section section) {
        return new Rate(
                SettingsReader.limit(
                        section,
                        "max-message-rate",
                        Optional.empty(),
                        "messages in a second, a whole number from 1 to " + Rate.MAX_MESSAGES + ", or unlimited",
                        text -> Section.wholeNumber(text, 1, Rate.MAX_MESSAGES)),
                SettingsReader.limit(
                        section,
                        "max-byte-rate",
                        Optional.empty(),
                        "bytes in a second, a size from 1 to " + Quantity.ofBytes(Rate.MAX_BYTES)
                                + ", such as 64KiB or 10MiB, or unlimited",
                        text -> Quantity.bytes(text).filter(bytes -> bytes >= 1 && bytes <= Rate.MAX_BYTES)));
    }

    private List<User> users() {
        List<User> users = new ArrayList<>();
        Set<String> names = new HashSet<>();
        for (Section section : top.list("users", Keys.USER).orElse(List.of())) {
            Optional<String> name = section.requiredName("name");
            Optional<String> password = section.requiredName("password", MAKE_A_HASH);
            Rate rate = rate(section);
            name.filter(it -> !names.add(it))
                    .ifPresent(it -> section.wrongValue("name", "there are two users named \"" + it + "\""));
            if (password.isPresent() && !isHash(password.get())) {
                section.wrongValue("password", "not a password hash (and not shown here)" + MAKE_A_HASH);
            } else if (name.isPresent() && password.isPresent()) {
                users.add(new User(name.get(), password.get(), rate));
            }
        }
        return users;
    }

    /** The form that {@code security.PasswordHash} reads. */
    private static boolean isHash(String text) {
        return text.matches("pbkdf2-sha512:[1-9][0-9]{0,6}(:(?:[A-Za-z0-9+/]{4})*"
                + "(?:[A-Za-z0-9+/]{4}|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{2}==)){2}");
    }

    private List<AutoCreateRule> autoCreate(QueueSettings queueDefaults) {
        Optional<List<Section>> given = top.list("auto-create", Keys.RULE);
        if (given.isEmpty()) {
            return List.of(new AutoCreateRule("*", true, false, queueDefaults));
        }
        List<AutoCreateRule> rules = new ArrayList<>();
        Set<String> matches = new HashSet<>();
        for (Section section : given.get()) {
            QueueSettings settings = SettingsReader.settings(section, queueDefaults);
            boolean create = section.flag("create", true);
            boolean topic = section.read("type", false, "queue or topic", text -> switch (text) {
                case "queue" -> Optional.of(false);
                case "topic" -> Optional.of(true);
                default -> Optional.empty();
            });
            section.requiredName("match").ifPresent(match -> {
                if (!matches.add(match)) {
                    section.wrongValue("match", "there are two rules for \"" + match + "\"; only the first would work");
                }
                rules.add(new AutoCreateRule(match, create, topic, settings));
            });
        }
        return rules;
    }

    private Config withQueues(Config config) {
        Map<String, Section> sections = new LinkedHashMap<>();
        List<QueueDefinition> queues = new ArrayList<>();
        for (Section section : top.list("queues", Keys.QUEUE).orElse(List.of())) {
            QueueSettings settings = SettingsReader.settings(section, config.queueDefaults());
            section.requiredName("name")
                    .filter(name -> SettingsReader.isQueue(section, "name", name))
                    .ifPresent(name -> {
                        if (section.has("expired") && settings.expiry().to().equals(new ExpiredTo.To(name))) {
                            section.wrongValue("expired", "\"" + name + "\" is the queue itself; name another");
                        }
                        if (sections.putIfAbsent(name, section) == null) {
                            queues.add(new QueueDefinition(name, settings));
                        } else {
                            section.wrongValue("name", "there are two queues named \"" + name + "\"");
                        }
                    });
        }
        Set<String> deadLetterQueues = config.withQueues(queues).deadLetterQueues();
        queues.replaceAll(queue ->
                deadLetterQueues.contains(queue.name()) ? lastResort(queue, sections.get(queue.name())) : queue);
        return config.withQueues(queues);
    }

    private List<TopicDefinition> topics(Config config) {
        Set<String> names = new HashSet<>();
        config.queues().forEach(queue -> names.add(queue.name()));
        List<TopicDefinition> topics = new ArrayList<>();
        for (Section section : top.list("topics", Keys.TOPIC).orElse(List.of())) {
            QueueSettings settings = SettingsReader.settings(section, config.queueDefaults());
            section.requiredName("name")
                    .filter(name -> SettingsReader.isDestination(section, "name", name))
                    .ifPresent(name -> {
                        if (names.add(name)) {
                            topics.add(new TopicDefinition(name, settings));
                        } else {
                            section.wrongValue("name", "there is a queue or another topic named \"" + name + "\"");
                        }
                    });
        }
        return topics;
    }

    private List<Forwarding> forwardings() {
        List<Forwarding> forwardings = new ArrayList<>();
        for (Section section : top.list("forward", Keys.FORWARD).orElse(List.of())) {
            Optional<String> selector = section.name("selector");
            selector.flatMap(selectorFault).ifPresent(fault -> section.wrongValue("selector", fault));
            boolean divert = section.flag("divert", false);
            List<String> to = section.requiredNames("to").stream()
                    .filter(name -> SettingsReader.isDestination(section, "to", name))
                    .toList();
            section.requiredName("from")
                    .filter(from -> SettingsReader.isAddress(section, "from", from))
                    .ifPresent(from -> {
                        if (to.contains(from)) {
                            section.wrongValue("to", "\"" + from + "\" would forward to itself");
                        }
                        forwardings.add(new Forwarding(from, to, selector, divert));
                    });
        }
        return forwardings;
    }

    /** A queue that takes the dead messages of others: it has no dead-letter queue, and must not ask for one. */
    private static QueueDefinition lastResort(QueueDefinition queue, Section section) {
        QueueSettings settings = queue.settings();
        if (section.has("dead-letter") && !(settings.deadLetter() instanceof DeadLetter.Off)) {
            section.wrongValue(
                    "dead-letter",
                    settings.deadLetter().equals(new DeadLetter.To(queue.name()))
                            ? "\"" + queue.name() + "\" is the queue itself; name another, or set on or off"
                            : "\"" + queue.name() + "\" takes the dead messages of another queue, so it cannot have a"
                                    + " dead-letter queue of its own; leave the key out");
        }
        return new QueueDefinition(queue.name(), settings.withDeadLetter(new DeadLetter.Off()));
    }
}
