package io.millrace.bench;

import io.netty.channel.EventLoop;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import io.vertx.core.net.NetClient;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * An event loop with its share of the connections, and what is counted on it. Everything but {@link #ask} runs on the loop.
 */
final class BenchLoop {
    private static final long SHORTEST_PAUSE_NANOS = 50_000;
    private static final long LONGEST_PAUSE_NANOS = 100_000_000;

    private final Settings settings;
    private final int run;
    private final Consumer<Refusal> onFailure;
    private final ContextInternal context;
    private final EventLoop eventLoop;
    private final List<ClientConnection> connections = new ArrayList<>();
    private final List<ProducerLink> producers = new ArrayList<>();
    private final List<ConsumerLink> consumers = new ArrayList<>();
    private final Map<Integer, Arrivals> arrivals = new HashMap<>();
    private final Tally tally = new Tally();
    private Pace pace = new Pace(0, 1, 1);
    private boolean sending;
    private boolean measuring;

    BenchLoop(Vertx vertx, Settings settings, int run, Consumer<Refusal> onFailure) {
        this.settings = settings;
        this.run = run;
        this.onFailure = onFailure;
        // Vert.x hands out its event loops in turn.
        context = ((VertxInternal) vertx).createEventLoopContext();
        eventLoop = context.nettyEventLoop();
    }

    /** Runs something on the loop; any thread. */
    <T> CompletableFuture<T> ask(Supplier<T> question) {
        return CompletableFuture.supplyAsync(question, task -> context.runOnContext(ignored -> task.run()));
    }

    CompletableFuture<Void> tell(Runnable task) {
        return CompletableFuture.runAsync(task, each -> context.runOnContext(ignored -> each.run()));
    }

    ClientConnection connect(NetClient client, String container) {
        ClientConnection connection = new ClientConnection(container, settings, onFailure);
        connections.add(connection);
        client.connect(settings.port(), settings.host()).onComplete(result -> {
            if (result.succeeded()) {
                connection.connected(result.result());
            } else {
                onFailure.accept(new Refusal("cannot connect to " + settings.broker() + ": "
                        + result.cause().getMessage()));
            }
        });
        return connection;
    }

    void addProducer(ClientConnection connection, int number) {
        producers.add(new ProducerLink(this, connection, number));
    }

    void addConsumer(ClientConnection connection, int number) {
        consumers.add(new ConsumerLink(this, connection, number));
    }

    /** How many links are not attached yet. */
    long unopened() {
        return producers.stream().filter(link -> !link.isOpened()).count()
                + consumers.stream().filter(link -> !link.isOpened()).count();
    }

    void keepAlive() {
        var unused = eventLoop.scheduleAtFixedRate(
                () -> connections.forEach(ClientConnection::tick), 1, 1, TimeUnit.SECONDS);
    }

    /** Producers begin. */
    void begin(long startNanos) {
        pace = new Pace(startNanos, settings.producers(), settings.rate);
        sending = true;
        consumers.forEach(ConsumerLink::begin);
        if (paced() && !producers.isEmpty()) {
            pacedTurn();
        } else {
            pumpAll();
        }
    }

    private void pumpAll() {
        for (ProducerLink producer : producers) {
            producer.pump();
            producer.connection().flush();
        }
    }

    private void pacedTurn() {
        pumpAll();
        if (!sending) {
            return;
        }
        long now = System.nanoTime();
        long next = now + LONGEST_PAUSE_NANOS;
        for (ProducerLink producer : producers) {
            next = Math.min(next, producer.due());
        }
        var unused =
                eventLoop.schedule(this::pacedTurn, Math.max(SHORTEST_PAUSE_NANOS, next - now), TimeUnit.NANOSECONDS);
    }

    void measure() {
        measuring = true;
    }

    /** Nothing more is sent; what is on its way is waited for. */
    void stopSending() {
        sending = false;
        pumpAll();
    }

    boolean producersDone() {
        return producers.stream().allMatch(ProducerLink::done);
    }

    /** Consumers commit what they have. */
    void endConsumers() {
        consumers.forEach(ConsumerLink::end);
        connections.forEach(ClientConnection::flush);
    }

    boolean consumersDone() {
        return consumers.stream().allMatch(ConsumerLink::done);
    }

    void close() {
        consumers.forEach(ConsumerLink::close);
        connections.forEach(ClientConnection::close);
    }

    void cut() {
        connections.forEach(ClientConnection::cut);
    }

    boolean closed() {
        return connections.stream().allMatch(ClientConnection::isOver);
    }

    /** What links wait for, and how many of each kind, in the words for one of them. */
    Map<String, Integer> waits() {
        Map<String, Integer> waits = new TreeMap<>();
        producers.forEach(link -> waits.merge("producer waits for " + link.waitsFor(), 1, Integer::sum));
        consumers.forEach(link -> waits.merge("consumer waits for " + link.waitsFor(), 1, Integer::sum));
        return waits;
    }

    /** Whether the peer of a connection has said anything. */
    boolean isAnswered() {
        return connections.stream().anyMatch(ClientConnection::isAnswered);
    }

    Map<Integer, SequenceSet> accepted() {
        Map<Integer, SequenceSet> accepted = new HashMap<>();
        producers.forEach(link -> accepted.put(link.number(), link.acceptedSequences()));
        return accepted;
    }

    Map<Integer, Arrivals> arrivals() {
        return arrivals;
    }

    Arrivals arrivals(int group) {
        return arrivals.computeIfAbsent(group, ignored -> new Arrivals());
    }

    Settings settings() {
        return settings;
    }

    int run() {
        return run;
    }

    Tally tally() {
        return tally;
    }

    Pace pace() {
        return pace;
    }

    boolean paced() {
        return settings.rate > 0;
    }

    boolean sending() {
        return sending;
    }

    boolean measuring() {
        return measuring;
    }
}
