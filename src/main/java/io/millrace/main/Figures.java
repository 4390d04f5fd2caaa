package io.millrace.main;

import io.millrace.broker.Broker;
import io.millrace.config.Config;
import io.millrace.http.Meter;
import io.millrace.http.Probes;
import io.millrace.journal.Journal;
import io.millrace.net.AmqpListener;
import io.millrace.net.Heartbeat;
import io.millrace.net.VertxLoop;
import io.millrace.queue.QueueStats;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;

/** How the broker stands, for health checks and metrics. Immutable; asked on any thread. */
final class Figures implements Probes {
    /** A loop that runs nothing for so long is not busy, it hangs. */
    private static final Duration HANGS = Duration.ofSeconds(10);

    private static final double NANOS = 1e9;

    private final Config config;
    private final Broker broker;
    private final Journal journal;
    private final List<VertxLoop> loops;
    private final List<Heartbeat> heartbeats;
    private final List<AmqpListener> listeners;
    private final Connections connections;
    private final Supplier<Millrace.Phase> phase;
    private final long startNanos = System.nanoTime();

    Figures(Parts parts, Supplier<Millrace.Phase> phase) {
        this.config = parts.config();
        this.broker = parts.broker();
        this.journal = parts.journal();
        this.loops = parts.loops();
        this.heartbeats = parts.heartbeats();
        this.listeners = parts.listeners();
        this.connections = parts.connections();
        this.phase = phase;
    }

    /** What figures are of. */
    record Parts(
            Config config,
            Broker broker,
            Journal journal,
            List<VertxLoop> loops,
            List<Heartbeat> heartbeats,
            List<AmqpListener> listeners,
            Connections connections) {}

    @Override
    public Optional<String> notLive() {
        for (int i = 0; i < heartbeats.size(); i++) {
            Duration silence = heartbeats.get(i).silence();
            if (silence.compareTo(HANGS) > 0) {
                return Optional.of(loops.get(i).name() + " has run nothing for " + silence.toSeconds()
                        + " s; take a thread dump (jstack) and start the broker again");
            }
        }
        return Optional.empty();
    }

    @Override
    public Optional<String> notReady() {
        Optional<String> why =
                switch (phase.get()) {
                    case STARTING -> Optional.of("starting");
                    case STOPPING, ENDED -> Optional.of("stopping");
                    case READY -> Optional.empty();
                };
        Journal.Room room = journal.room();
        return why.or(() -> room.available() ? Optional.empty() : Optional.of(room.reason()));
    }

    @Override
    public CompletionStage<List<Meter>> meters() {
        return broker.stats().thenCombine(broker.memoryBytes(), (queues, memory) -> {
            List<Meter> meters = new ArrayList<>();
            queues(meters, queues);
            journal(meters, journal.stats());
            loops(meters);
            connections(meters);
            meters.add(Meter.gauge("millrace_memory_used_bytes", "Heap that messages take, as reckoned by the broker.")
                    .add(memory));
            meters.add(Meter.gauge("millrace_memory_limit_bytes", "Heap that messages may take (memory in the config).")
                    .add(config.memoryBytes()));
            process(meters);
            return meters;
        });
    }

    private static void queues(List<Meter> meters, List<QueueStats> queues) {
        meters.add(Meter.gauge("millrace_queues", "Queues there are.").add(queues.size()));
        long now = System.currentTimeMillis();
        gauge(
                meters,
                queues,
                "messages",
                "Messages in the queue, those with consumers included.",
                QueueStats::messages);
        gauge(meters, queues, "bytes", "Bytes of the messages in the queue.", QueueStats::bytes);
        gauge(meters, queues, "held", "Messages that wait for room in the queue, unanswered.", QueueStats::held);
        gauge(meters, queues, "unsettled", "Messages with consumers, not settled yet.", QueueStats::unsettled);
        gauge(
                meters,
                queues,
                "parked",
                "Messages that every consumer there is has refused (undeliverable here).",
                QueueStats::parked);
        gauge(
                meters,
                queues,
                "scheduled",
                "Messages that wait for their time, or rest after a failed attempt.",
                QueueStats::scheduled);
        gauge(meters, queues, "consumers", "Consumers, browsers not counted.", QueueStats::consumers);
        gauge(
                meters,
                queues,
                "oldest_message_age_seconds",
                "Age of the first message that waits; 0 when none does.",
                queue -> queue.oldestArrivalMillis() == 0 ? 0 : Math.max(0, now - queue.oldestArrivalMillis()) / 1e3);
        counter(meters, queues, "enqueued", "Messages taken in.", QueueStats::enqueued);
        counter(meters, queues, "dequeued", "Messages accepted by consumers.", QueueStats::dequeued);
        counter(
                meters,
                queues,
                "redelivered",
                "Deliveries of messages that had been delivered before.",
                QueueStats::redelivered);
        counter(meters, queues, "dead_lettered", "Messages moved to the dead-letter queue.", QueueStats::deadLettered);
        counter(
                meters,
                queues,
                "discarded",
                "Messages dropped to make room, or rejected where there is no dead-letter queue.",
                QueueStats::discarded);
        counter(meters, queues, "expired", "Messages not consumed before their time was over.", QueueStats::expired);
        counter(meters, queues, "refused", "Messages not taken in because of a limit.", QueueStats::refused);
    }

    private static void gauge(
            List<Meter> meters, List<QueueStats> queues, String name, String help, ToDoubleFunction<QueueStats> value) {
        Meter meter = Meter.gauge("millrace_queue_" + name, help);
        queues.forEach(queue -> meter.add("queue", queue.address(), value.applyAsDouble(queue)));
        meters.add(meter);
    }

    private static void counter(
            List<Meter> meters, List<QueueStats> queues, String name, String help, ToDoubleFunction<QueueStats> value) {
        Meter meter = Meter.counter("millrace_queue_" + name, help);
        queues.forEach(queue -> meter.add("queue", queue.address(), value.applyAsDouble(queue)));
        meters.add(meter);
    }

    private void journal(List<Meter> meters, Journal.JournalStats stats) {
        meters.add(Meter.counter("millrace_journal_commits", "Batches written and synced.")
                .add(stats.commits()));
        meters.add(Meter.counter("millrace_journal_facts", "Facts written in them; by commits: the batch size.")
                .add(stats.facts()));
        meters.add(Meter.counter("millrace_journal_cancelled_facts", "Facts undone before they had to be written.")
                .add(stats.cancelled()));
        meters.add(Meter.gauge("millrace_journal_pending_facts", "Facts that wait for the next commit.")
                .add(stats.pending()));
        meters.add(Meter.gauge("millrace_journal_bytes", "Size of the store on disk.")
                .add(stats.bytes()));
        meters.add(Meter.counter("millrace_journal_sync_seconds", "Time spent in syncs.")
                .add(stats.syncNanos() / NANOS));
        meters.add(Meter.gauge("millrace_journal_last_sync_seconds", "How long the latest sync took.")
                .add(stats.lastSyncNanos() / NANOS));
        meters.add(Meter.gauge("millrace_journal_room", "1 while messages may be stored, 0 when the store is full.")
                .add(journal.room().available() ? 1 : 0));
    }

    private void loops(List<Meter> meters) {
        Meter lag =
                Meter.gauge("millrace_loop_lag_seconds", "How late the event loop ran its latest half-second beat.");
        Meter failures = Meter.counter("millrace_loop_failures", "Tasks that failed unexpectedly; each is in the log.");
        for (int i = 0; i < loops.size(); i++) {
            lag.add("loop", loops.get(i).name(), heartbeats.get(i).lag().toNanos() / NANOS);
            failures.add("loop", loops.get(i).name(), loops.get(i).failures());
        }
        meters.add(lag);
        meters.add(failures);
    }

    private void connections(List<Meter> meters) {
        Meter open = Meter.gauge("millrace_connections", "Connections there are.");
        Meter total = Meter.counter("millrace_connections_accepted", "Connections there have been.");
        for (AmqpListener listener : listeners) {
            open.add("listener", listener.config().name(), listener.open());
            total.add("listener", listener.config().name(), listener.total());
        }
        meters.add(open);
        meters.add(total);
        rates(meters);
        Meter refusals = Meter.counter(
                "millrace_refusals", "Connections, sessions and links refused or ended by the broker, by condition.");
        connections.refusals().forEach((condition, count) -> refusals.add("condition", condition, count));
        meters.add(refusals);
    }

    private void rates(List<Meter> meters) {
        RateWaits waits = connections.rateWaits();
        Meter now = Meter.gauge("millrace_rate_limited_connections", "Connections that wait for a rate limit now.");
        Meter seconds =
                Meter.counter("millrace_rate_limited_seconds", "How long connections have waited for rate limits.");
        for (AmqpListener listener : listeners) {
            String name = listener.config().name();
            now.add("listener", name, waits.waiting(name));
            seconds.add("listener", name, waits.seconds(name));
        }
        Meter users =
                Meter.counter("millrace_user_rate_limited", "How often connections waited for their user's limit.");
        for (Config.User user : config.users()) {
            if (user.rate().limited()) {
                users.add("user", user.name(), waits.ofUser(user.name()));
            }
        }
        meters.addAll(List.of(now, seconds, users));
    }

    private void process(List<Meter> meters) {
        Runtime runtime = Runtime.getRuntime();
        meters.add(Meter.gauge("millrace_jvm_heap_used_bytes", "Heap in use, garbage included.")
                .add(runtime.totalMemory() - runtime.freeMemory()));
        meters.add(Meter.gauge("millrace_jvm_heap_limit_bytes", "How far the heap may grow (-Xmx).")
                .add(runtime.maxMemory()));
        meters.add(Meter.gauge("millrace_uptime_seconds", "Time since the start.")
                .add((System.nanoTime() - startNanos) / NANOS));
    }
}
