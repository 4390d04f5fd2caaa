package io.millrace.amqp;

import io.millrace.broker.Containers;
import io.millrace.broker.Departure;
import io.millrace.broker.EndpointBook;
import io.millrace.broker.Link;
import io.millrace.broker.LinkEndpoints;
import io.millrace.broker.LocalTransaction;
import io.millrace.broker.Node;
import io.millrace.broker.NodeType;
import io.millrace.broker.Nodes;
import io.millrace.broker.Request;
import io.millrace.journal.InMemoryJournal;
import io.millrace.loop.Loop;
import io.millrace.message.Condition;
import io.millrace.queue.Bodies;
import io.millrace.queue.LoopResources;
import io.millrace.queue.MemoryBudget;
import io.millrace.queue.Recorder;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/** Addresses for tests: those that were put there, and those that may be made. */
final class FakeNodes implements Nodes {
    static final int MEMORY_BYTES = 256 << 20;

    final Map<String, FakeQueue> queues = new HashMap<>();
    final List<Runnable> held = new ArrayList<>();
    final List<FakeTransaction> transactions = new ArrayList<>();
    boolean create;
    boolean hold;
    int temporaries;
    final List<Request> requests = new ArrayList<>();
    final List<String> departures = new ArrayList<>();
    Optional<Condition> unsubscribing = Optional.empty();
    private final IdentityHashMap<Answer, FakeQueue> makers = new IdentityHashMap<>();
    private final IdentityHashMap<Answer, Node> open = new IdentityHashMap<>();

    final Map<String, Claim> claims = new HashMap<>();

    final InMemoryJournal journal = new InMemoryJournal();
    final MemoryBudget memory;

    private final Loop loop;
    private final Bodies bodies;
    private final LinkEndpoints endpoints;

    FakeNodes(Loop loop) {
        this.loop = loop;
        endpoints = new EndpointBook(loop, 3).seenFrom(loop);
        memory = new MemoryBudget(loop, MEMORY_BYTES);
        bodies = new Bodies(new LoopResources(loop, new Recorder(loop, journal, 64 << 20), memory));
    }

    FakeQueue add(String name) {
        return queues.computeIfAbsent(name, FakeQueue::new);
    }

    private static String plain(String address) {
        String name = address.startsWith("queue://") ? address.substring(8) : address;
        return name.startsWith("/") ? name.substring(1) : name;
    }

    @Override
    public Optional<Node> find(String address) {
        return Optional.ofNullable(queues.get(plain(address)));
    }

    @Override
    public void open(Request request, Nodes.Answer answer) {
        String address = request.address();
        requests.add(request);
        if (request.use() == Request.Use.LOOK_UP) {
            lookUp(request.link().name(), answer);
            return;
        }
        Runnable task = () -> {
            if (create) {
                add(plain(address));
            }
            find(address)
                    .ifPresentOrElse(
                            node -> {
                                open.put(answer, node);
                                answer.opened(node);
                            },
                            () -> answer.refused(new Condition(
                                    Condition.NOT_FOUND, "there is no queue \"" + plain(address) + "\"")));
        };
        answer(task);
    }

    private void lookUp(String name, Nodes.Answer answer) {
        answer(() -> Optional.ofNullable(queues.get(name))
                .ifPresentOrElse(
                        answer::opened,
                        () -> answer.refused(
                                new Condition(Condition.NOT_FOUND, "there is no subscription \"" + name + "\""))));
    }

    @Override
    public void openTemporary(NodeType type, Link link, Nodes.Answer answer) {
        answer(() -> {
            FakeQueue queue = add("temp-" + ++temporaries);
            queue.temporary = true;
            queue.type = type;
            makers.put(answer, queue);
            answer.opened(queue);
        });
    }

    @Override
    public Bodies bodies() {
        return bodies;
    }

    @Override
    public LocalTransaction begin() {
        FakeTransaction transaction = new FakeTransaction();
        transactions.add(transaction);
        return transaction;
    }

    private void answer(Runnable task) {
        if (hold) {
            held.add(() -> loop.post(task));
        } else {
            loop.post(task);
        }
    }

    void releaseHeld() {
        List<Runnable> tasks = List.copyOf(held);
        held.clear();
        tasks.forEach(Runnable::run);
    }

    @Override
    public Containers containers() {
        return new Containers() {
            @Override
            public LinkEndpoints endpoints() {
                return endpoints;
            }

            @Override
            public void claim(String container, Object connection, boolean takeOver, Containers.Answer answer) {
                FakeNodes.this.answer(() -> {
                    Claim before = claims.get(container);
                    boolean granted = before == null || takeOver;
                    if (granted) {
                        claims.put(container, new Claim(connection, answer));
                    }
                    answer.claimed(granted);
                    if (granted && before != null) {
                        before.answer.takenOver();
                    }
                });
            }

            @Override
            public void release(String container, Object connection) {
                claims.values().removeIf(claim -> claim.connection == connection);
            }
        };
    }

    record Claim(Object connection, Containers.Answer answer) {}

    /** Tells those who have opened it. */
    void delete(FakeQueue queue) {
        queues.remove(queue.address());
        open.forEach((answer, node) -> {
            if (node == queue) {
                answer.deleted(
                        new Condition(Condition.RESOURCE_DELETED, "the queue \"" + queue.address() + "\" was deleted"));
            }
        });
    }

    @Override
    public void release(Node node, Nodes.Answer answer, Departure departure) {
        departures.add(node.address() + " " + departure);
        if (makers.remove(answer) != null) {
            queues.remove(node.address());
        }
    }

    @Override
    public void unsubscribe(Node node, Consumer<Optional<Condition>> done) {
        answer(() -> done.accept(unsubscribing));
    }
}
