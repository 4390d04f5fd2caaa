package io.millrace.main;

import io.millrace.broker.Broker;
import io.millrace.config.Config;
import io.millrace.http.HttpListener;
import io.millrace.http.Metrics;
import io.millrace.journal.Journal;
import io.millrace.journal.JournalException;
import io.millrace.journal.h2.H2Journal;
import io.millrace.loop.Loop;
import io.millrace.net.AmqpListener;
import io.millrace.net.Heartbeat;
import io.millrace.net.ListenException;
import io.millrace.net.VertxLoop;
import io.millrace.security.Users;
import io.vertx.core.Vertx;
import io.vertx.core.VertxBuilder;
import io.vertx.core.VertxOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A running broker. {@link #start} gives one that takes messages; {@link #stop} ends it. Any thread.
 *
 * <p>Two of them can run in one JVM, with different stores and ports. A broker whose store fails ends by itself: its
 * sockets are closed with nothing more answered, and {@link #ended} tells.
 */
public final class Millrace implements AutoCloseable {
    /** Link to queue, queue to address book, back, to the dead-letter queue, each with a turn to gather calls. */
    private static final int MOST_HOPS = 8;

    private static final Duration HOP_LIMIT = Duration.ofMillis(250);

    private static final Logger LOG = LoggerFactory.getLogger(Millrace.class);

    /** For peers to answer that they have heard of the end, and for what was written to leave. */
    private static final Duration PEERS_LIMIT = Duration.ofSeconds(5);

    /** For the last facts to reach the disk. */
    private static final Duration JOURNAL_LIMIT = Duration.ofSeconds(8);

    private static final Duration VERTX_LIMIT = Duration.ofSeconds(3);

    private final Config config;
    private final AtomicReference<Phase> phase = new AtomicReference<>(Phase.STARTING);
    private final AtomicReference<JournalException> failure = new AtomicReference<>();
    private final CompletableFuture<Optional<JournalException>> ended = new CompletableFuture<>();
    private final List<AmqpListener> listeners = new ArrayList<>();
    private final List<Integer> ports = new ArrayList<>();
    private final List<Heartbeat> heartbeats = new ArrayList<>();
    private final List<AutoCloseable> belongings = new ArrayList<>();
    private Optional<Integer> httpPort = Optional.empty();
    private List<VertxLoop> loops = List.of();
    private Optional<Journal> journal = Optional.empty();
    private Optional<Vertx> vertx = Optional.empty();

    /** How far it is. */
    enum Phase {
        STARTING,
        READY,
        STOPPING,
        ENDED
    }

    /** Opens the store; tests have others. */
    @FunctionalInterface
    interface Stores {
        Journal open(Config.Store store, Consumer<JournalException> onFailure);
    }

    private Millrace(Config config) {
        this.config = config;
    }

    /**
     * Starts a broker. Blocks until it takes messages.
     *
     * @throws JournalException when the store cannot be opened
     * @throws ListenException when a port is taken
     */
    public static Millrace start(Config config) {
        return start(config, Millrace::openStore, System.currentTimeMillis());
    }

    static Millrace start(Config config, Stores stores, long sinceMillis) {
        Millrace millrace = new Millrace(config);
        try {
            int queues = millrace.open(stores);
            millrace.ready(queues, sinceMillis);
            return millrace;
        } catch (Throwable e) {
            millrace.release(Duration.ZERO, Duration.ofSeconds(1));
            throw e;
        }
    }

    static Journal openStore(Config.Store store, Consumer<JournalException> onFailure) {
        return H2Journal.open(
                // Absolute, for what is said of it, in the log and to clients, must be found by people elsewhere.
                H2Journal.Options.in(store.directory().toAbsolutePath())
                        .withLimits(store.maxBytes(), store.minFreeBytes()),
                onFailure);
    }

    // ---- start

    private int open(Stores stores) {
        Optional<Metrics> metrics = config.http().map(ignored -> new Metrics());
        metrics.ifPresent(belongings::add);
        CompletableFuture<Vertx> vertxStarts =
                CompletableFuture.supplyAsync(() -> startVertx(config, metrics), Millrace::inThread);
        Vertx running;
        try {
            journal = Optional.of(stores.open(config.store(), this::failed));
        } finally {
            running = await(vertxStarts);
            vertx = Optional.of(running);
        }
        loops = VertxLoop.on(running, config.eventLoops());
        loops.forEach(loop -> heartbeats.add(new Heartbeat(loop)));
        Broker broker = new Broker(config, journal.get(), List.<Loop>copyOf(loops));
        int queues = await(broker.start());
        Users users = new Users(config.users());
        belongings.add(users);
        Connections connections = new Connections(config, broker, users, loops, new LastAnswers(journal.get(), loops));
        for (Config.Listener listener : config.listeners()) {
            listeners.add(new AmqpListener(running, listener, loops, connections.protocolsOf(listener)));
        }
        Figures figures = new Figures(
                new Figures.Parts(config, broker, journal.get(), loops, heartbeats, listeners, connections),
                phase::get);
        metrics.ifPresent(its -> httpPort = Optional.of(listenHttp(running, figures, its)));
        for (AmqpListener listener : listeners) {
            ports.add(await(listener.listen(ports.size())));
        }
        return queues;
    }

    private int listenHttp(Vertx running, Figures figures, Metrics metrics) {
        Config.Http http = config.http().orElseThrow();
        HttpListener listener = new HttpListener(running, figures, metrics);
        try {
            return await(listener.listen(http.host(), http.port()).toCompletableFuture());
        } catch (RuntimeException e) {
            throw new ListenException("http", http.host(), http.port(), "http", "http: off", e);
        }
    }

    private static Vertx startVertx(Config config, Optional<Metrics> metrics) {
        VertxOptions options = new VertxOptions()
                .setEventLoopPoolSize(config.eventLoops())
                .setPreferNativeTransport(true)
                // Two scrapes at a time, and names to look up; nothing on the path of a message.
                .setWorkerPoolSize(2)
                .setInternalBlockingPoolSize(2);
        VertxBuilder builder = Vertx.builder();
        metrics.ifPresent(its -> {
            options.setMetricsOptions(its.options());
            builder.withMetrics(its.factory());
        });
        return builder.with(options).build();
    }

    private void ready(int queues, long sinceMillis) {
        config.warnings().forEach(LOG::warn);
        for (int i = 0; i < ports.size(); i++) {
            Config.Listener listener = config.listeners().get(i);
            LOG.info(
                    "listener {}: {}:{}, open to {}",
                    listener.name(),
                    listener.host(),
                    ports.get(i),
                    admitted(listener));
        }
        httpPort.ifPresent(port -> LOG.info(
                "http: {}:{}, /livez /readyz /metrics, open to everyone",
                config.http().orElseThrow().host(),
                port));
        Journal.JournalStats store = journal.orElseThrow().stats();
        phase.set(Phase.READY);
        LOG.info(
                "Millrace {} ready in {} s: {}, store {} ({} MiB)",
                Version.NUMBER,
                String.format(Locale.ROOT, "%.2f", (System.currentTimeMillis() - sinceMillis) / 1000.0),
                queues == 1 ? "1 queue" : queues + " queues",
                store.directory(),
                (store.bytes() + (1 << 20) - 1) >> 20);
        if (failure.get() != null) {
            failed(failure.get());
        }
    }

    private String admitted(Config.Listener listener) {
        int users = config.users().size();
        String known = users + (users == 1 ? " user" : " users");
        if (!listener.anonymous()) {
            return known;
        }
        return users == 0 ? "everyone (anonymous)" : "everyone (anonymous), and to " + known;
    }

    // ---- while it runs

    /** The port of the first listener. */
    public int port() {
        return ports.get(0);
    }

    /**
     * The port of the listener with this name.
     *
     * @throws IllegalArgumentException if there is none
     */
    public int port(String listener) {
        for (int i = 0; i < ports.size(); i++) {
            if (config.listeners().get(i).name().equals(listener)) {
                return ports.get(i);
            }
        }
        throw new IllegalArgumentException("there is no listener named '" + listener + "'");
    }

    /** The port of health and metrics, if they are on. */
    public Optional<Integer> httpPort() {
        return httpPort;
    }

    /** Completed when the broker has ended: with the failure of the store, or with none when it was stopped. */
    public CompletionStage<Optional<JournalException>> ended() {
        return ended.minimalCompletionStage();
    }

    // ---- stop

    /**
     * Stops: accepts no more connections, answers what was taken, tells peers, brings what was taken to the disk, closes the store. Blocks, for at
     * most some 20 seconds, until the broker has ended, whoever began it. Does nothing when it has.
     */
    public void stop() {
        if (phase.compareAndSet(Phase.READY, Phase.STOPPING)) {
            LOG.info("stopping: telling clients, then closing the store");
            end(PEERS_LIMIT, JOURNAL_LIMIT);
        }
        ended.join();
    }

    @Override
    public void close() {
        stop();
    }

    /** The store has failed; called on its thread. */
    private void failed(JournalException e) {
        failure.compareAndSet(null, e);
        if (phase.compareAndSet(Phase.READY, Phase.STOPPING)) {
            LOG.error(
                    "the store failed, so the broker stops and answers nothing more: {}. Whatever was accepted is on disk;"
                            + " see that the disk is sound and has room, then start again.",
                    e.getMessage());
            inThread(() -> end(Duration.ZERO, Duration.ofSeconds(1)));
        }
    }

    private void end(Duration peers, Duration store) {
        try {
            release(peers, store);
        } finally {
            phase.set(Phase.ENDED);
            LOG.info("stopped");
            ended.complete(Optional.ofNullable(failure.get()));
        }
    }

    private void release(Duration peers, Duration store) {
        heartbeats.forEach(Heartbeat::stop);
        List<CompletableFuture<Void>> closing = listeners.stream()
                .map(listener -> listener.shutdown(peers).toCompletableFuture())
                .toList();
        within(
                peers.plus(VERTX_LIMIT),
                "closing the connections",
                CompletableFuture.allOf(closing.toArray(new CompletableFuture<?>[0])));
        carryOver();
        journal.ifPresent(open -> open.close(store));
        vertx.ifPresent(running -> within(
                VERTX_LIMIT,
                "closing Vert.x",
                running.close().toCompletionStage().toCompletableFuture()));
        for (AutoCloseable each : belongings) {
            try {
                each.close();
            } catch (Exception e) {
                LOG.warn("closing {} failed: {}", each.getClass().getSimpleName(), e.toString());
            }
        }
    }

    /** Lets settlements and dead letters that are on their way between loops get to the journal, one hop with each round. */
    private void carryOver() {
        for (int hop = 0; hop < MOST_HOPS; hop++) {
            within(
                    HOP_LIMIT,
                    "the last work of the event loops",
                    CompletableFuture.allOf(loops.stream()
                            .map(loop -> CompletableFuture.runAsync(() -> {}, loop))
                            .toArray(CompletableFuture<?>[]::new)));
        }
    }

    private static void within(Duration limit, String what, CompletableFuture<?> step) {
        try {
            step.get(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            LOG.warn("{} took longer than {} s; going on without", what, limit.toSeconds());
        } catch (ExecutionException e) {
            LOG.warn("{} failed: {}; going on without", what, e.getCause().toString());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static void inThread(Runnable task) {
        Thread thread = new Thread(task, "millrace-main");
        thread.setDaemon(true);
        thread.start();
    }

    private static <T> T await(CompletableFuture<T> future) {
        try {
            return future.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException cause) {
                throw cause;
            }
            throw e;
        }
    }
}
