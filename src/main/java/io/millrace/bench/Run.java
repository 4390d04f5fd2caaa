package io.millrace.bench;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.net.NetClient;
import io.vertx.core.net.NetClientOptions;
import java.math.BigDecimal;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * One run from the first connection to the last. On the thread that calls {@link #execute}, which looks at the event loops now and
 * then, and is not on the way of any message.
 */
final class Run {
    private static final long LOOK_MILLIS = 20;
    private static final long SAMPLE_NANOS = 1_000_000_000L;
    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(5);
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);

    private final Settings settings;
    private final Progress progress;
    private final CompletableFuture<Void> stop;
    private final CompletableFuture<Refusal> failure = new CompletableFuture<>();
    private final List<BenchLoop> loops = new ArrayList<>();
    private final List<Sample> samples = new ArrayList<>();
    private final Tally.Latencies latencies = new Tally.Latencies();
    private Tally now = new Tally();
    private Tally sampled = new Tally();
    private Optional<BrokerProcess> sampledBroker = Optional.empty();
    private long sampledNanos = System.nanoTime();
    private long measureNanos = System.nanoTime();
    private long moved;
    private long movedNanos = System.nanoTime();
    private Costs before = new Costs(0, Optional.empty(), 0, 0);
    private boolean warm;
    private boolean measuring;
    private boolean complete;

    private record Costs(long ownMicros, Optional<BrokerProcess> broker, long answered, long received) {}

    /** @param stop completes when the user wants no more */
    Run(Settings settings, Progress progress, CompletableFuture<Void> stop) {
        this.settings = settings;
        this.progress = progress;
        this.stop = stop;
    }

    Result execute() {
        Vertx vertx = Vertx.builder()
                .with(new VertxOptions()
                        .setEventLoopPoolSize(settings.eventLoops)
                        .setPreferNativeTransport(true)
                        .setWorkerPoolSize(1)
                        .setInternalBlockingPoolSize(1))
                .build();
        Instant started = Instant.now();
        Optional<String> why = Optional.empty();
        try {
            connect(vertx);
            load();
        } catch (Refusal e) {
            why = Optional.of(e.getMessage());
        }
        try {
            Result.Costs costs = costs();
            look();
            sample();
            close();
            return new Result(settings, started, now, latencies, samples, why, stop.isDone(), complete, lost(), costs);
        } catch (Refusal e) {
            throw new IllegalStateException(e);
        } finally {
            progress.end();
            vertx.close()
                    .toCompletionStage()
                    .toCompletableFuture()
                    .orTimeout(3, TimeUnit.SECONDS)
                    .exceptionally(e -> null)
                    .join();
        }
    }

    // ---- the phases

    private void connect(Vertx vertx) throws Refusal {
        int run = new SecureRandom().nextInt();
        for (int i = 0; i < settings.eventLoops; i++) {
            loops.add(new BenchLoop(vertx, settings, run, failure::complete));
        }
        NetClient client = vertx.createNetClient(
                new NetClientOptions().setConnectTimeout(10_000).setTcpNoDelay(true));
        String container = "millrace-bench-" + Integer.toHexString(run);
        List<CompletableFuture<?>> asked = new ArrayList<>();
        // Consumers first: a topic gives a message only to those who are there. Each kind begins at another loop.
        asked.addAll(links(client, container + "-c", settings.consumers(), loops.size() - 1, BenchLoop::addConsumer));
        all(asked);
        until("the links", () -> ask(BenchLoop::unopened).stream().allMatch(count -> count == 0));
        all(links(client, container + "-p", settings.producers(), 0, BenchLoop::addProducer));
        until("the links", () -> ask(BenchLoop::unopened).stream().allMatch(count -> count == 0));
        all(loops.stream().map(loop -> loop.tell(loop::keepAlive)).toList());
    }

    /** Adds a link to a connection. */
    private interface Adding {
        void add(BenchLoop loop, ClientConnection connection, int number);
    }

    private List<CompletableFuture<?>> links(
            NetClient client, String container, int count, int firstLoop, Adding adding) {
        int connections = settings.connections == 0 ? count : Math.min(settings.connections, count);
        List<CompletableFuture<?>> asked = new ArrayList<>();
        for (int i = 0; i < connections; i++) {
            int first = i;
            BenchLoop loop = loops.get((firstLoop + i) % loops.size());
            asked.add(loop.tell(() -> {
                ClientConnection connection = loop.connect(client, container + first);
                for (int number = first; number < count; number += connections) {
                    adding.add(loop, connection, number);
                }
            }));
        }
        return asked;
    }

    private void load() throws Refusal {
        boolean timedWarmup = settings.warmup().time().isPresent();
        if (!timedWarmup) {
            measure();
        }
        long start = System.nanoTime();
        all(loops.stream().map(loop -> loop.tell(() -> loop.begin(start))).toList());
        boolean going = true;
        if (timedWarmup) {
            going = until("the warm-up", after(start, settings.warmup().time().get()));
            measure();
        }
        if (going && settings.producers() == 0) {
            going = until("messages", drained());
        } else if (going) {
            Optional<Duration> duration = settings.duration();
            going = until("messages", duration.isPresent() ? after(measureNanos, duration.get()) : this::producersDone);
        }
        all(loops.stream().map(loop -> loop.tell(loop::stopSending)).toList());
        // Who was stopped waits for what is on its way, too.
        finish("outcomes", this::producersDone);
        if (settings.tracked()) {
            finish("messages", () -> now.received - now.foreign - now.duplicates >= expected());
            complete = true;
        }
        all(loops.stream().map(loop -> loop.tell(loop::endConsumers)).toList());
        finish("commits", () -> ask(BenchLoop::consumersDone).stream().allMatch(done -> done));
    }

    private void measure() {
        look();
        sample();
        measuring = true;
        long beganNanos = measureNanos;
        measureNanos = System.nanoTime();
        samples.replaceAll(warmup -> warmup.earlierBy((measureNanos - beganNanos) / 1e9));
        sampledNanos = measureNanos;
        before = costsNow();
        warm = settings.warmup().messages() == 0;
        all(loops.stream().map(loop -> loop.tell(loop::measure)).toList());
    }

    /** Messages of the warm-up that are counted, not timed, go together with the others; what they cost does not count. */
    private void lookWhetherWarm() {
        if (measuring && !warm && now.answered >= settings.warmup().messages()) {
            warm = true;
            before = costsNow();
        }
    }

    private Costs costsNow() {
        return new Costs(
                BrokerProcess.ownCpuMicros(), BrokerProcess.of(settings.brokerPid), now.answered, now.received);
    }

    private static BooleanSupplier after(long sinceNanos, Duration time) {
        return () -> System.nanoTime() - sinceNanos >= time.toNanos();
    }

    private boolean producersDone() {
        return ask(BenchLoop::producersDone).stream().allMatch(done -> done);
    }

    private BooleanSupplier drained() {
        Optional<Duration> duration = settings.duration();
        if (duration.isPresent()) {
            return after(measureNanos, duration.get());
        }
        return () -> (settings.messages > 0 && now.received >= settings.messages)
                || System.nanoTime() - movedNanos >= settings.emptyAfter.toNanos();
    }

    private long expected() {
        return now.accepted * (settings.topic ? settings.consumers() / settings.addresses : 1);
    }

    /** Waits until something is so; false when the user wants no more. */
    private boolean until(String what, BooleanSupplier over) throws Refusal {
        movedNanos = System.nanoTime();
        while (!stop.isDone()) {
            look();
            lookWhetherWarm();
            if (over.getAsBoolean()) {
                return true;
            }
            pause(what);
        }
        return false;
    }

    /** Like {@link #until}, though the user wants no more: not longer than it takes. */
    private void finish(String what, BooleanSupplier over) throws Refusal {
        movedNanos = System.nanoTime();
        while (true) {
            look();
            if (over.getAsBoolean()) {
                return;
            }
            if (stop.isDone() && System.nanoTime() - movedNanos > CLOSE_LIMIT.toNanos()) {
                return;
            }
            pause(what);
        }
    }

    private void pause(String what) throws Refusal {
        try {
            Refusal refusal = failure.get(LOOK_MILLIS, TimeUnit.MILLISECONDS);
            throw refusal;
        } catch (TimeoutException e) {
            if (System.nanoTime() - sampledNanos >= SAMPLE_NANOS) {
                sample();
            }
            checkStall(what);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            stop.complete(null);
        } catch (ExecutionException e) {
            throw new IllegalStateException(e);
        }
    }

    private void checkStall(String what) throws Refusal {
        // Who sends a message a minute may be silent for a minute.
        double between = settings.rate > 0 ? 2e9 / settings.rate : 0;
        boolean onlyWaits = settings.producers() == 0 && measuring;
        if (!onlyWaits && System.nanoTime() - movedNanos > settings.stallLimit.toNanos() + between) {
            String limit = BigDecimal.valueOf(settings.stallLimit.toMillis(), 3)
                            .stripTrailingZeros()
                            .toPlainString()
                    + " s";
            if (ask(BenchLoop::isAnswered).stream().noneMatch(answered -> answered)) {
                throw new Refusal("no AMQP answer from " + settings.host() + ":" + settings.port() + " in " + limit
                        + ": is that an AMQP 1.0 port?");
            }
            throw new Refusal("nothing has moved for " + limit + " while waiting for " + what + ": " + waits());
        }
    }

    private String waits() {
        Map<String, Integer> waits = new TreeMap<>();
        ask(BenchLoop::waits)
                .forEach(each -> each.forEach((reason, count) -> waits.merge(reason, count, Integer::sum)));
        List<String> words = new ArrayList<>();
        waits.forEach((reason, count) ->
                words.add(count + " " + (count == 1 ? reason : reason.replaceFirst("r waits ", "rs wait "))));
        long missing = expected() - (now.received - now.foreign - now.duplicates);
        if (settings.tracked() && missing > 0) {
            words.add(
                    missing == 1
                            ? "1 message that was accepted has not come"
                            : missing + " messages that were accepted have not come");
        }
        return String.join("; ", words);
    }

    private void close() throws Refusal {
        all(loops.stream().map(loop -> loop.tell(loop::close)).toList());
        long deadline = System.nanoTime() + (failure.isDone() ? 0 : CLOSE_LIMIT.toNanos());
        while (System.nanoTime() < deadline && !ask(BenchLoop::closed).stream().allMatch(closed -> closed)) {
            rest();
        }
        all(loops.stream().map(loop -> loop.tell(loop::cut)).toList());
    }

    private static void rest() {
        try {
            TimeUnit.MILLISECONDS.sleep(LOOK_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    // ---- looking

    private void look() {
        Tally sum = new Tally();
        ask(loop -> loop.tally().counts()).forEach(sum::add);
        now = sum;
        long moves = sum.sent + sum.answered + sum.received + sum.transactions + sum.consumeTransactions;
        if (moves != moved) {
            moved = moves;
            movedNanos = System.nanoTime();
        }
    }

    private void sample() {
        Tally.Latencies taken = new Tally.Latencies();
        ask(loop -> loop.tally().takeLatencies()).forEach(taken::add);
        latencies.add(taken);
        long at = System.nanoTime();
        Optional<BrokerProcess> broker = BrokerProcess.of(settings.brokerPid);
        long cpu = broker.isPresent() && sampledBroker.isPresent()
                ? broker.get().cpuMicros() - sampledBroker.get().cpuMicros()
                : 0;
        Sample sample = new Sample(
                (at - measureNanos) / 1e9,
                (at - sampledNanos) / 1e9,
                !measuring,
                now.answered - sampled.answered,
                now.received - sampled.received,
                taken,
                broker,
                cpu);
        sampledBroker = broker;
        sampled = now;
        sampledNanos = at;
        if (sample.answered() + sample.received() > 0 || measuring) {
            samples.add(sample);
            progress.show(sample);
        }
    }

    private Result.Costs costs() {
        look();
        Costs after = costsNow();
        Optional<Result.Broker> broker = before.broker.isPresent() && after.broker.isPresent()
                ? Optional.of(new Result.Broker(
                        after.broker.get().cpuMicros() - before.broker.get().cpuMicros(),
                        after.broker.get().residentBytes(),
                        after.broker.get().writtenBytes() - before.broker.get().writtenBytes()))
                : Optional.empty();
        return new Result.Costs(
                after.answered - before.answered,
                after.received - before.received,
                after.ownMicros - before.ownMicros,
                broker);
    }

    /** How many accepted messages have not come to a queue's consumers or to a subscription; finds those that came on two loops. */
    private long lost() {
        Map<Integer, SequenceSet> accepted = new HashMap<>();
        ask(BenchLoop::accepted).forEach(accepted::putAll);
        Map<Integer, Arrivals> arrivals = new HashMap<>();
        for (Map<Integer, Arrivals> each : ask(BenchLoop::arrivals)) {
            each.forEach((group, came) -> now.duplicates +=
                    arrivals.computeIfAbsent(group, ignored -> new Arrivals()).addAll(came));
        }
        long lost = 0;
        for (Map.Entry<Integer, Arrivals> group : arrivals.entrySet()) {
            for (Map.Entry<Integer, SequenceSet> producer : accepted.entrySet()) {
                if (producer.getKey() % settings.addresses == group.getKey() % settings.addresses) {
                    lost += producer.getValue().without(group.getValue().of(producer.getKey()));
                }
            }
        }
        return settings.tracked() ? lost : 0;
    }

    private <T> List<T> ask(Function<BenchLoop, T> question) {
        List<CompletableFuture<T>> answers = new ArrayList<>();
        for (BenchLoop loop : loops) {
            Supplier<T> asked = () -> question.apply(loop);
            answers.add(loop.ask(asked));
        }
        all(answers);
        return answers.stream().map(CompletableFuture::join).toList();
    }

    private static void all(List<? extends CompletableFuture<?>> asked) {
        CompletableFuture.allOf(asked.toArray(new CompletableFuture<?>[0]))
                .orTimeout(ANSWER_LIMIT.toSeconds(), TimeUnit.SECONDS)
                .join();
    }
}
