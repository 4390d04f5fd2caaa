package io.millrace.broker;

import io.millrace.loop.Loop;
import io.millrace.message.Condition;
import io.millrace.queue.Bodies;
import io.millrace.queue.LoopResources;
import io.millrace.queue.MoveTarget;
import io.millrace.queue.QueueStats;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * The address book as one loop sees it. Owned by that loop; the {@link AddressBook} tells it of every change before it answers
 * whoever asked for the change, so a look-up never waits and never misses what the asker has been told of.
 */
final class Directory implements Nodes {
    private final int index;
    private final LoopResources loop;
    private final AddressBook book;
    private final Containers containers;
    private final Bodies bodies;
    private final Map<String, QueueNode> nodes = new HashMap<>();
    private final Map<Integer, Relay> relaysThere = new HashMap<>();

    Directory(int index, LoopResources loop, AddressBook book, ContainerBook containers) {
        this.index = index;
        this.loop = loop;
        this.book = book;
        this.bodies = new Bodies(loop);
        this.containers = containers.seenFrom(loop.loop());
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

    @Override
    public Optional<Node> find(String address) {
        return Optional.ofNullable(nodes.get(Address.plain(address)));
    }

    @Override
    public void open(String address, Use use, Object connection, Answer answer) {
        String plain = Address.plain(address);
        QueueNode known = nodes.get(plain);
        if (known != null) {
            Optional<Condition> objection = objection(known, use, connection);
            loop.loop().post(() -> objection.ifPresentOrElse(answer::refused, () -> answer.opened(known)));
            return;
        }
        book.open(plain, this, new Answer() {
            @Override
            public void opened(Node node) {
                Optional<Condition> objection =
                        node instanceof QueueNode queue ? objection(queue, use, connection) : Optional.empty();
                objection.ifPresentOrElse(answer::refused, () -> answer.opened(node));
            }

            @Override
            public void refused(Condition reason) {
                answer.refused(reason);
            }
        });
    }

    private static Optional<Condition> objection(QueueNode node, Use use, Object connection) {
        boolean foreign = node.entry().owner().map(owner -> owner != connection).orElse(false);
        return use == Use.RECEIVE && foreign
                ? Optional.of(new Condition(
                        Condition.RESOURCE_LOCKED,
                        "'" + node.address() + "' is a temporary queue of another connection; only that one may receive"
                                + " from it"))
                : Optional.empty();
    }

    @Override
    public void openTemporary(Object connection, Answer answer) {
        book.openTemporary(connection, this, answer);
    }

    @Override
    public void deleteTemporary(Node node) {
        if (node instanceof QueueNode queue && queue.temporary()) {
            book.delete(queue.entry());
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

    /** There is a queue. */
    QueueNode add(QueueEntry entry, Directory owner) {
        QueueNode node;
        if (owner == this) {
            node = new QueueNode(entry, entry.queue(), entry.queue());
        } else {
            Relay there = relaysThere.computeIfAbsent(owner.index, i -> new Relay(loop(), owner.loop()));
            Relay back = new Relay(owner.loop(), loop());
            node = new QueueNode(
                    entry, new RemoteTarget(entry.queue(), there, back), new RemoteSource(entry.queue(), there, back));
        }
        nodes.put(entry.address(), node);
        return node;
    }

    void remove(QueueEntry entry) {
        nodes.remove(entry.address());
    }

    /** The target of a queue that is known to be there. */
    MoveTarget target(String address) {
        return nodes.get(address).target();
    }

    boolean knows(String address) {
        return nodes.containsKey(address);
    }

    /** How the queues of this loop stand; {@code result} runs on this loop. */
    void stats(Consumer<List<QueueStats>> result) {
        loop.loop().post(() -> {
            List<QueueStats> stats = new ArrayList<>();
            for (QueueNode node : nodes.values()) {
                if (node.entry().loop() == index) {
                    stats.add(node.entry().queue().stats());
                }
            }
            result.accept(stats);
        });
    }

    /** How much heap the messages of this loop take; {@code result} runs on this loop. */
    void memoryBytes(LongConsumer result) {
        loop.loop().post(() -> result.accept(loop.memory().usedBytes()));
    }
}
