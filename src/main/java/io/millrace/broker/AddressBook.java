package io.millrace.broker;

import io.millrace.broker.Request.Use;
import io.millrace.config.Config;
import io.millrace.config.QueueSettings;
import io.millrace.journal.Fact;
import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.message.Condition;
import io.millrace.queue.Backlog;
import io.millrace.queue.DeadLetterRoute;
import io.millrace.queue.MoveTarget;
import io.millrace.queue.Queue;
import io.millrace.queue.QueueIdentity;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which queues and topics there are, and how new ones come to be. Owned by the first loop, its home.
 *
 * <p>A node that is to last is declared to the journal before anyone is told of it. A queue is put on the loop of whoever
 * first asks for it, so that producer, queue and consumer often share one; but topics, and whatever forwarding rules speak
 * of, live at home.
 */
final class AddressBook {
    private static final Logger LOG = LoggerFactory.getLogger(AddressBook.class);

    private final Config config;
    private final Map<String, QueueSettings> configured = new HashMap<>();
    private final List<Directory> directories;
    private final Map<String, Entry> entries = new HashMap<>();
    private final Map<String, List<Waiting>> opening = new HashMap<>();
    private final Numbers numbers = new Numbers();
    private final DeadLetters deadLetters;
    private final Forwardings forwardings;
    private final Subscriptions subscriptions;

    /** Someone who waits for an address. */
    private record Waiting(Directory directory, Request request, Nodes.Answer answer) {
        void refuse(Condition reason) {
            directory.loop().post(() -> answer.refused(reason));
        }
    }

    /** In the order of the loops; the first is the home. */
    AddressBook(Config config, List<Directory> directories) {
        this.config = config;
        this.directories = directories;
        this.deadLetters = new DeadLetters(config, this::openDeadLetter);
        this.forwardings = new Forwardings(config);
        this.subscriptions = new Subscriptions(config, numbers, deadLetters, this::home);
        config.queues().forEach(queue -> configured.put(queue.name(), queue.settings()));
    }

    private Directory home() {
        return directories.get(0);
    }

    // ---- start

    /** Brings back the nodes of the store and makes those of the config file; runs on the home loop, before any other call. */
    void start(List<RecoveredNode> recovered, Runnable done) {
        home().loop().assertCurrent();
        for (RecoveredNode node : recovered) {
            numbers.used(node.declared().number());
            if (node.declared().kind() == Fact.NodeKind.DEAD_LETTER_QUEUE) {
                deadLetters.made(node.declared().address());
            }
        }
        recovered.forEach(this::recoverNode);
        // When their topics are there.
        recovered.stream()
                .filter(node -> node.declared().kind() == Fact.NodeKind.SUBSCRIPTION)
                .forEach(subscriptions::recover);
        Map<String, NodeType> missing = configured();
        missing.forEach(this::warnOfOtherType);
        missing.keySet().removeAll(entries.keySet());
        Countdown countdown = new Countdown(missing.size(), done);
        missing.forEach((name, type) -> declare(name, kind(type), nextOwner(), countdown::step));
    }

    private void warnOfOtherType(String name, NodeType type) {
        Entry entry = entries.get(name);
        if (entry != null && entry.type() != type) {
            LOG.warn(
                    "the config has a {} '{}', but the store has a {} of that name, which stays; give one another name",
                    type,
                    name,
                    entry.type());
        }
    }

    private void recoverNode(RecoveredNode node) {
        long number = node.declared().number();
        String address = node.declared().address();
        switch (node.declared().kind()) {
            case QUEUE, DEAD_LETTER_QUEUE -> {
                Directory owner = ownerOf(address, directories.get((int) (number % directories.size())));
                announce(queueOf(number, address, owner, Backlog.of(node)), () -> {});
            }
            case TOPIC -> announce(topicOf(address, Optional.empty()), () -> {});
            case SUBSCRIPTION -> {}
        }
    }

    private Map<String, NodeType> configured() {
        Map<String, NodeType> all = new LinkedHashMap<>();
        config.queues().forEach(queue -> all.put(queue.name(), NodeType.QUEUE));
        config.topics().forEach(topic -> all.put(topic.name(), NodeType.TOPIC));
        forwardings.destinations().forEach(name -> all.putIfAbsent(name, typeOf(name)));
        return all;
    }

    private Directory nextOwner() {
        return directories.get((int) (numbers.peek() % directories.size()));
    }

    int size() {
        return entries.size();
    }

    /** Begins a transaction of a connection on the loop of a directory; called there. */
    LocalTransaction begin(Directory on) {
        return new CoordinatedTransaction(on, directories, TransactionLimits.of(config.memoryBytes()));
    }

    /** The queues behind the subscriptions; on the home loop. */
    Set<Queue> subscriptionQueues() {
        return subscriptions.queues();
    }

    // ---- on behalf of links; called on the home loop

    void open(Request request, Directory from, Nodes.Answer answer) {
        home().loop().assertCurrent();
        String plain = Address.plain(request.address());
        Waiting waiting = new Waiting(from, request, answer);
        if (entries.containsKey(plain)) {
            opened(plain, waiting);
            return;
        }
        NodeType type = request.wanted().orElseGet(() -> typeOf(plain));
        if (request.use() == Use.RECEIVE && type == NodeType.TOPIC && new TopicPattern(plain).wild()) {
            subscriptions.subscribe(plain, request, from, answer);
            return;
        }
        Optional<Condition> objection = Address.objection(plain).or(() -> mayNotCreate(plain, type, request.use()));
        if (objection.isPresent()) {
            waiting.refuse(objection.get());
            return;
        }
        create(plain, kind(type), waiting);
    }

    /** What becomes of an address that is not there yet when nobody says. */
    private NodeType typeOf(String plain) {
        return config.becomesTopic(plain) && !deadLetters.has(plain) ? NodeType.TOPIC : NodeType.QUEUE;
    }

    private static Fact.NodeKind kind(NodeType type) {
        return type == NodeType.TOPIC ? Fact.NodeKind.TOPIC : Fact.NodeKind.QUEUE;
    }

    private Optional<Condition> mayNotCreate(String plain, NodeType type, Use use) {
        if (Address.temporary(plain)) {
            return Optional.of(new Condition(
                    Condition.NOT_FOUND,
                    "the temporary " + (plain.startsWith(Address.TEMPORARY_TOPIC) ? "topic" : "queue") + " '" + plain
                            + "' is gone; its owner has closed it"));
        }
        if (plain.startsWith(Address.RESERVED)) {
            return Optional.of(new Condition(
                    Condition.NOT_FOUND,
                    "there is no '" + plain
                            + "' in this broker; no queue or topic is made with a name that begins with "
                            + Address.RESERVED));
        }
        // A queue of such a name would be in the way of the subscribers who mean the pattern.
        if (new TopicPattern(plain).wild() && (type == NodeType.TOPIC || !deadLetters.has(plain))) {
            return Optional.of(new Condition(
                    Condition.INVALID_FIELD,
                    "'" + plain + "' has wildcards, which are for "
                            + (use == Use.SEND
                                    ? "subscribers; name one " + type + " to send to"
                                    : "topics: ask for the topic (capability topic, or topic://" + plain
                                            + "), or name one queue")));
        }
        return config.mayCreate(plain)
                ? Optional.empty()
                : Optional.of(new Condition(
                        Condition.NOT_FOUND,
                        "there is no " + type + " '" + plain
                                + "', and no auto-create rule of the config allows to make it"));
    }

    private void create(String plain, Fact.NodeKind kind, Waiting waiting) {
        List<Waiting> others = opening.get(plain);
        if (others != null) {
            others.add(waiting);
            return;
        }
        opening.put(plain, new ArrayList<>(List.of(waiting)));
        declare(plain, kind, waiting.directory(), () -> opening.remove(plain).forEach(each -> opened(plain, each)));
    }

    /** The node is there: whoever asked for something else is refused, whoever wants to receive from a topic subscribes. */
    private void opened(String plain, Waiting waiting) {
        Entry entry = entries.get(plain);
        Request request = waiting.request();
        if (entry == null) {
            waiting.refuse(new Condition(Condition.RESOURCE_DELETED, "'" + plain + "' was deleted"));
            return;
        }
        Optional<Condition> objection = Directory.objection(entry, request);
        if (objection.isPresent()) {
            waiting.refuse(objection.get());
        } else if (entry.type() == NodeType.TOPIC && request.use() == Use.RECEIVE) {
            subscriptions.subscribe(plain, request, waiting.directory(), waiting.answer());
        } else {
            waiting.directory().loop().post(() -> waiting.directory().tell(plain, request.use(), waiting.answer()));
        }
    }

    private void declare(String address, Fact.NodeKind kind, Directory asking, Runnable done) {
        long number = numbers.next();
        if (kind == Fact.NodeKind.DEAD_LETTER_QUEUE) {
            deadLetters.made(address);
        }
        Fact.NodeDeclared declared = new Fact.NodeDeclared(number, address, kind, Map.of());
        home().resources().recorder().declare(declared, () -> {
            Entry entry = kind == Fact.NodeKind.TOPIC
                    ? topicOf(address, Optional.empty())
                    : queueOf(number, address, ownerOf(address, asking), Backlog.NONE);
            announce(entry, done);
        });
    }

    private Directory ownerOf(String address, Directory asking) {
        return forwardings.concern(address) ? home() : asking;
    }

    private Entry queueOf(long number, String address, Directory owner, Backlog backlog) {
        QueueSettings own = configured.get(address);
        QueueSettings settings = own == null ? config.settingsFor(address) : own;
        Queue queue = new Queue(
                new QueueIdentity(number, address, true),
                settings,
                owner.resources(),
                deadLetters.routeFrom(address, settings, owner),
                backlog);
        Optional<Route> forwarding = forwardings.leadFrom(address)
                ? Optional.of(
                        forwardings.routeFrom(address, publication -> publication.goesTo(queue, true), this::routeTo))
                : Optional.empty();
        return new Entry.OfQueue(number, address, owner.index(), queue, Optional.empty(), forwarding);
    }

    private Entry topicOf(String address, Optional<Entry.Owner> owner) {
        Topic topic = subscriptions.topic(address);
        Route route = forwardings.concern(address) ? forwardings.routeFrom(address, topic, this::routeTo) : topic;
        return new Entry.OfTopic(topic, owner, route);
    }

    private Optional<Route> routeTo(String address) {
        return Optional.ofNullable(entries.get(address)).map(Entry::route);
    }

    /** Tells every loop; {@code done} runs on the home loop when its own directory knows, the others will before they are asked. */
    private void announce(Entry entry, Runnable done) {
        entries.put(entry.address(), entry);
        Directory owner = directories.get(entry.loop());
        for (Directory directory : directories) {
            if (directory == home()) {
                directory.add(entry, owner);
            } else {
                directory.loop().post(() -> directory.add(entry, owner));
            }
        }
        done.run();
    }

    // ---- temporary nodes

    void openTemporary(NodeType type, Object connection, Directory from, Nodes.Answer answer) {
        Optional<Entry.Owner> owner = Optional.of(new Entry.Owner(connection, answer));
        Entry entry;
        if (type == NodeType.TOPIC) {
            entry = topicOf(Address.TEMPORARY_TOPIC + UUID.randomUUID(), owner);
        } else {
            String address = Address.TEMPORARY_QUEUE + UUID.randomUUID();
            QueueIdentity identity = new QueueIdentity(numbers.nextTemporary(), address, false);
            Queue queue =
                    new Queue(identity, config.queueDefaults(), from.resources(), DeadLetterRoute.NONE, Backlog.NONE);
            entry = new Entry.OfQueue(identity.number(), address, from.index(), queue, owner, Optional.empty());
        }
        announce(entry, () -> from.loop().post(() -> from.tell(entry.address(), Use.RECEIVE, answer)));
    }

    void delete(Entry entry) {
        if (!entries.remove(entry.address(), entry)) {
            return;
        }
        for (Directory directory : directories) {
            directory.loop().post(() -> directory.remove(entry));
        }
        if (entry instanceof Entry.OfQueue queue) {
            directories.get(entry.loop()).loop().post(queue.queue()::delete);
        } else if (entry instanceof Entry.OfTopic topic) {
            subscriptions.deleted(topic.topic());
        }
    }

    // ---- subscriptions

    void lookUp(Request request, Directory from, Nodes.Answer answer) {
        subscriptions.lookUp(SubscriptionKey.of(request.link(), request.terms()), from, answer);
    }

    void released(Subscription subscription, Nodes.Answer link, Departure departure) {
        subscriptions.released(subscription, link, departure);
    }

    /** {@code done} runs on the home loop. */
    void unsubscribe(Subscription subscription, Consumer<Optional<Condition>> done) {
        subscriptions.unsubscribe(subscription, done);
    }

    // ---- dead letters

    private void openDeadLetter(String address, Directory from, Consumer<MoveTarget> opened) {
        Nodes.Answer answer = new Nodes.Answer() {
            @Override
            public void opened(Node node) {
                opened.accept(from.target(address));
            }

            @Override
            public void refused(Condition reason) {
                throw new IllegalStateException("the dead-letter queue '" + address + "' cannot be made: " + reason);
            }
        };
        home().loop().post(() -> {
            Request request = new Request(address, Optional.empty(), Use.SEND, new Link(this, "", ""), Terms.PLAIN);
            Waiting waiting = new Waiting(from, request, answer);
            if (entries.containsKey(address)) {
                opened(address, waiting);
            } else {
                create(address, Fact.NodeKind.DEAD_LETTER_QUEUE, waiting);
            }
        });
    }

    /** Runs a task after so many steps; at once if there are none. */
    private static final class Countdown {
        private final Runnable task;
        private int left;

        Countdown(int steps, Runnable task) {
            this.task = task;
            left = steps;
            if (steps == 0) {
                task.run();
            }
        }

        void step() {
            left--;
            if (left == 0) {
                task.run();
            }
        }
    }
}
