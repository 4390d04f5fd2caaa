package io.millrace.broker;

import io.millrace.broker.Request.Use;
import io.millrace.loop.Loop;
import io.millrace.message.Condition;
import io.millrace.queue.Bodies;
import io.millrace.queue.LoopResources;
import io.millrace.queue.MoveTarget;
import io.millrace.queue.QueueStats;
import io.millrace.queue.Source;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.LongConsumer;
import java.util.function.Supplier;

/**
 * The address book as one loop sees it. Owned by that loop; the {@link AddressBook} tells it of every change before it answers
 * whoever asked for the change, so a look-up never waits and never misses what the asker has been told of.
 *
 * <p>What it asks of the book goes the way that its calls to queues there go, so a link that comes back finds that its
 * predecessor has left.
 */
final class Directory implements Nodes {
    private final int index;
    private final LoopResources loop;
    private final AddressBook book;
    private final Containers containers;
    private final Bodies bodies;
    private final Map<String, EntryNode> nodes = new HashMap<>();
    private final Map<Integer, Relay> relaysThere = new HashMap<>();

    /** Links that send to a node; they are told when it goes. */
    private final Map<Entry, Set<Answer>> senders = new HashMap<>();

    private Optional<Directory> home = Optional.empty();

    Directory(int index, LoopResources loop, AddressBook book, ContainerBook containers) {
        this.index = index;
        this.loop = loop;
        this.book = book;
        this.bodies = new Bodies(loop);
        this.containers = containers.seenFrom(loop.loop());
    }

    /** Tells where the book is, before anything is asked. */
    void homeIs(Directory directory) {
        home = Optional.of(directory);
    }

    Loop loop() {
        return loop.loop();
    }

    LoopResources resources() {
        return loop;
    }

    int index() {
        return index;
    }

    private void atHome(Runnable task) {
        Directory there = home.orElseThrow();
        if (there == this) {
            loop().post(task);
        } else {
            relayTo(there).send(task);
        }
    }

    private Relay relayTo(Directory other) {
        return relaysThere.computeIfAbsent(other.index, i -> new Relay(loop(), other.loop()));
    }

    // ---- Nodes

    @Override
    public Optional<Node> find(String address) {
        return Optional.ofNullable(nodes.get(Address.plain(address)));
    }

    @Override
    public void open(Request request, Answer answer) {
        if (request.use() == Use.LOOK_UP) {
            atHome(() -> book.lookUp(request, this, answer));
            return;
        }
        String plain = Address.plain(request.address());
        if (plain.endsWith(ScheduledNode.SUFFIX)) {
            openScheduled(plain, request, answer);
            return;
        }
        Optional<Condition> contradiction = contradiction(request);
        EntryNode known = nodes.get(plain);
        if (contradiction.isPresent()) {
            loop().post(() -> answer.refused(contradiction.get()));
        } else if (known == null || (known.type() == NodeType.TOPIC && request.use() == Use.RECEIVE)) {
            atHome(() -> book.open(request, this, answer));
        } else {
            Optional<Condition> objection = objection(known.entry(), request);
            loop().post(() -> objection.ifPresentOrElse(answer::refused, () -> tell(plain, request.use(), answer)));
        }
    }

    private void openScheduled(String plain, Request request, Answer answer) {
        if (request.use() == Use.SEND) {
            loop().post(() -> answer.refused(new Condition(
                    Condition.NOT_ALLOWED,
                    "'" + plain + "' lists the messages that wait for their time; send to '"
                            + ScheduledNode.queueOf(plain) + "' with x-opt-delivery-time")));
            return;
        }
        if (request.wanted().equals(Optional.of(NodeType.TOPIC))) {
            // Whoever takes it for a topic does not know that to receive is to cancel.
            loop().post(() -> answer.refused(new Condition(
                    Condition.NOT_ALLOWED,
                    "'" + plain + "' is what waits in a queue, not a topic; ask for a queue or use another name")));
            return;
        }
        Request ofQueue = new Request(
                ScheduledNode.queueOf(plain),
                Optional.of(NodeType.QUEUE),
                Use.RECEIVE,
                request.link(),
                request.terms());
        open(ofQueue, new Answer() {
            @Override
            public void opened(Node node) {
                answer.opened(new ScheduledNode(
                        plain, ((EntryNode) node).scheduled().orElseThrow().get()));
            }

            @Override
            public void refused(Condition reason) {
                answer.refused(reason);
            }
        });
    }

    private static Optional<Condition> contradiction(Request request) {
        return Address.parse(request.address())
                .type()
                .filter(prefix -> request.type().filter(type -> type != prefix).isPresent())
                .map(prefix -> new Condition(
                        Condition.INVALID_FIELD,
                        "the address '" + request.address() + "' says " + prefix + ", its capability says "
                                + request.type().get() + "; make them agree or leave one out"));
    }

    /** Why the node is not for this link. */
    static Optional<Condition> objection(Entry entry, Request request) {
        boolean foreign = entry.owner()
                .map(owner -> owner.connection() != request.link().connection())
                .orElse(false);
        if (request.use() == Use.RECEIVE && foreign) {
            return Optional.of(new Condition(
                    Condition.RESOURCE_LOCKED,
                    "'" + entry.address() + "' is a temporary " + entry.type()
                            + " of another connection; only that one may receive from it"));
        }
        return Address.mismatch(entry.address(), entry.type(), request.wanted());
    }

    /** The node was there a moment ago. */
    void tell(String plain, Use use, Answer answer) {
        EntryNode node = nodes.get(plain);
        if (node == null) {
            answer.refused(new Condition(Condition.RESOURCE_DELETED, "'" + plain + "' was deleted"));
            return;
        }
        if (use == Use.SEND) {
            senders.computeIfAbsent(node.entry(), e -> Collections.newSetFromMap(new IdentityHashMap<>()))
                    .add(answer);
        }
        answer.opened(node);
    }

    @Override
    public void openTemporary(NodeType type, Link link, Answer answer) {
        atHome(() -> book.openTemporary(type, link.connection(), this, answer));
    }

    @Override
    public void release(Node node, Answer answer, Departure departure) {
        if (node instanceof SubscriptionNode subscription) {
            atHome(() -> book.released(subscription.itself(), answer, departure));
        } else if (node instanceof EntryNode known) {
            forget(known.entry(), answer);
            if (known.entry().owner().filter(owner -> owner.maker() == answer).isPresent()) {
                // Not the long way: the peer may tell another that it is gone as soon as its link is.
                home.orElseThrow().loop().post(() -> book.delete(known.entry()));
            }
        }
    }

    @Override
    public Bodies bodies() {
        return bodies;
    }

    @Override
    public Containers containers() {
        return containers;
    }

    @Override
    public LocalTransaction begin() {
        return book.begin(this);
    }

    private void forget(Entry entry, Answer answer) {
        Set<Answer> there = senders.get(entry);
        if (there != null && there.remove(answer) && there.isEmpty()) {
            senders.remove(entry);
        }
    }

    @Override
    public void unsubscribe(Node node, Consumer<Optional<Condition>> done) {
        if (!(node instanceof SubscriptionNode subscription)) {
            throw new IllegalArgumentException("'" + node.address() + "' is no subscription");
        }
        atHome(() -> book.unsubscribe(subscription.itself(), result -> loop().post(() -> done.accept(result))));
    }

    // ---- for the book

    /** There is a node. */
    void add(Entry entry, Directory owner) {
        Optional<Source> source = Optional.empty();
        Optional<Supplier<Source>> scheduled = Optional.empty();
        EntryNode.Targets targets = container -> routed(entry, container, owner);
        if (entry instanceof Entry.OfQueue queue) {
            source = Optional.of(receiving(queue.queue(), owner));
            scheduled = Optional.of(() -> receiving(queue.queue().scheduled(), owner));
            if (queue.forwarding().isEmpty()) {
                MoveTarget target = sending(queue.queue(), owner);
                targets = container -> target;
            }
        }
        nodes.put(entry.address(), new EntryNode(entry, targets, source, scheduled));
    }

    private MoveTarget routed(Entry entry, String container, Directory owner) {
        return sending(new RoutedTarget(entry.route(), container, owner.loop), owner);
    }

    private MoveTarget sending(MoveTarget target, Directory owner) {
        return owner == this ? target : new RemoteTarget(target, relayTo(owner), new Relay(owner.loop(), loop()));
    }

    private Source receiving(Source queue, Directory owner) {
        return owner == this ? queue : new RemoteSource(queue, relayTo(owner), new Relay(owner.loop(), loop()));
    }

    /** A subscription as this loop sees it. */
    Node subscription(Subscription subscription) {
        return new SubscriptionNode(subscription, receiving(subscription.queue(), home.orElseThrow()));
    }

    void remove(Entry entry) {
        nodes.remove(entry.address());
        Condition gone = new Condition(
                Condition.RESOURCE_DELETED, "the " + entry.type() + " '" + entry.address() + "' was deleted");
        Set<Answer> told = senders.remove(entry);
        if (told != null) {
            List.copyOf(told).forEach(answer -> answer.deleted(gone));
        }
    }

    /** The target of a node that is known to be there. */
    MoveTarget target(String address) {
        return nodes.get(address).target("");
    }

    boolean knows(String address) {
        return nodes.containsKey(address);
    }

    /** How the queues of this loop stand; {@code result} runs on this loop. */
    void stats(Consumer<List<QueueStats>> result) {
        loop().post(() -> {
            List<QueueStats> stats = new ArrayList<>();
            for (EntryNode node : nodes.values()) {
                if (node.entry() instanceof Entry.OfQueue queue && queue.loop() == index) {
                    stats.add(queue.queue().stats());
                }
            }
            if (home.orElseThrow() == this) {
                book.subscriptionQueues().forEach(queue -> stats.add(queue.stats()));
            }
            result.accept(stats);
        });
    }

    /** How much heap the messages of this loop take; {@code result} runs on this loop. */
    void memoryBytes(LongConsumer result) {
        loop().post(() -> result.accept(loop.memory().usedBytes()));
    }
}
