package io.millrace.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.millrace.security.PasswordHash;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Every limit at once, reached all the time, for {@code -Dmillrace.soak.minutes}: memory flat, nothing lost, nobody stuck. */
@Tag("soak")
@EnabledOnOs(OS.LINUX) // for /proc
class SoakTest {
    static final String PASSWORD = "secret";

    private static final long MIB = 1 << 20;
    private static final long TIDE_BYTES = 100 * MIB;
    private static final long STORE_BYTES = 32 * MIB;
    private static final int CONNECTION_RATE = 200;
    private static final int USER_RATE = 100;
    private static final int USER_BYTES_SIZE = 16_000;
    private static final long ALL_DONE_NANOS = TimeUnit.SECONDS.toNanos(60);

    /** The shortest run whose memory says anything: the JVM has warmed up in the first third. */
    private static final double FLAT_MINUTES = 1;

    private static final double LONG_MINUTES = 10;

    private final double minutes = Double.parseDouble(System.getProperty("millrace.soak.minutes", "0.5"));

    /** A collection costs more than all other sampling, so there are about 36 in a run, and one in five seconds at most. */
    private final long collectSeconds = 5 * Math.max(1, Math.round(minutes * 60 / 36 / 5));

    private final List<Scenario> scenarios = new ArrayList<>();
    private final Set<String> faults = new LinkedHashSet<>();

    @TempDir
    private Path directory;

    private SoakedBroker broker;
    private SoakedBroker full;

    private static String yaml() {
        String hash = PasswordHash.of(PASSWORD).toString();
        return """
                store: {directory: store}
                memory: 48MiB
                connection: {max-message-rate: %d, max-byte-rate: 4MiB, idle-timeout: 20s}
                users:
                  - {name: messages, max-message-rate: %d, password: "%s"}
                  - {name: bytes, max-byte-rate: 1MiB, password: "%s"}
                queue-defaults: {hold: 2s}
                queues:
                  - {name: full.messages, max-messages: 50}
                  - {name: full.bytes, max-bytes: 200KiB}
                  - {name: full.at-once, max-messages: 50, hold: 0}
                  - {name: ring, max-messages: 100, when-full: drop-oldest, dead-letter: off}
                  - {name: poison, max-deliveries: 3}
                  - {name: churn, dead-letter: off}
                topics:
                  - {name: news, max-messages: 200, hold: 5s}
                """.formatted(CONNECTION_RATE, USER_RATE, hash, hash);
    }

    private Flow flow(SoakedBroker at, long end, String limit, String queue) {
        Flow flow = new Flow(at, end, limit, queue);
        scenarios.add(flow);
        return flow;
    }

    private void scenarios(long end) {
        flow(broker, end, "max-messages, hold", "full.messages")
                .producers(3, 5)
                .consumers(1, 8)
                .rests(9_000, 4_000)
                .holds()
                .refuses();
        flow(broker, end, "max-bytes, hold", "full.bytes")
                .producers(3, 10)
                .size(10_000)
                .consumers(1, 15)
                .rests(11_000, 4_000)
                .holds()
                .refuses();
        flow(broker, end, "max-messages, hold: 0", "full.at-once")
                .producers(2, 10)
                .consumers(1, 20)
                .prefetch("1")
                .refuses();
        flow(broker, end, "drop-oldest", "ring")
                .producers(2, 10)
                .consumers(1, 20)
                .prefetch("1")
                .drops();
        flow(broker, end, "memory, durable; bytes/s of connection", "deep.durable")
                .size(64_000)
                .fills(TIDE_BYTES);
        flow(broker, end, "memory, transient", "deep.transient")
                .transientOnes()
                .size(64_000)
                .fills(TIDE_BYTES);
        flow(full, end, "store.max-bytes", "stored")
                .producers(2, 5)
                .size(40_000)
                .rests(6_000, 6_000)
                .holds();
        flow(broker, end, "large messages", "large")
                .producers(1, 2_000)
                .size(4 << 20)
                .consumers(2, 0);
        flow(broker, end, "small credit", "modest")
                .producers(1, 5)
                .consumers(4, 5)
                .prefetch("1", "0");
        flow(broker, end, "messages/s of a connection", "rate.connection")
                .transientOnes()
                .rate(CONNECTION_RATE);
        flow(broker, end, "messages/s of a user", "rate.messages")
                .producers(2, 0)
                .as("messages")
                .transientOnes()
                .rate(USER_RATE);
        flow(broker, end, "bytes/s of a user", "rate.bytes")
                .producers(2, 0)
                .as("bytes")
                .transientOnes()
                .size(USER_BYTES_SIZE)
                .rate((double) MIB / USER_BYTES_SIZE);
        scenarios.add(new Transactions(broker, end));
        scenarios.add(new DeadLetters(broker, end, true));
        scenarios.add(new DeadLetters(broker, end, false));
        scenarios.add(new Churn(broker, end));
        scenarios.add(new SlowSubscriber(broker, end));
        scenarios.add(new IdleConnections(broker, end));
    }

    @Test
    void everyLimitHoldsForAsLongAsItIsReachedAndNothingIsLostAndNobodyIsStuck() throws Exception {
        try (SoakedBroker one = new SoakedBroker(directory.resolve("one"), "192m", yaml());
                SoakedBroker other = new SoakedBroker(directory.resolve("other"), "96m", """
                        store: {directory: store, max-bytes: %d}
                        memory: 24MiB
                        queue-defaults: {hold: 5s}
                        """.formatted(STORE_BYTES))) {
            broker = one;
            full = other;
            long end = System.nanoTime() + (long) (minutes * TimeUnit.MINUTES.toNanos(1));
            scenarios(end);
            for (Scenario each : scenarios) {
                each.prepare();
            }
            scenarios.forEach(each -> each.workers.forEach(Worker::start));
            watch(end);
            for (SoakedBroker each : List.of(one, other)) {
                attempt(() -> finish(each));
            }
            report();
            assertEquals("", String.join("\n", faults));
        }
    }

    private void finish(SoakedBroker each) throws Exception {
        for (Scenario scenario : scenarios) {
            if (scenario.broker == each) {
                scenario.check();
            }
        }
        attempt(each::awaitEmpty);
        flat(each);
        attempt(each::stop);
    }

    /** Something that may find a fault. */
    @FunctionalInterface
    private interface Step {
        void run() throws Exception;
    }

    private void attempt(Step step) {
        try {
            step.run();
        } catch (Exception | AssertionError e) {
            faults.add(e.toString());
        }
    }

    private boolean someAreAtWork() {
        return scenarios.stream().flatMap(each -> each.workers.stream()).anyMatch(Worker::isAlive);
    }

    private void watch(long end) throws Exception {
        long begin = System.nanoTime();
        for (int second = 1; someAreAtWork(); second++) {
            TimeUnit.SECONDS.sleep(1);
            for (Scenario scenario : scenarios) {
                scenario.workers.forEach(worker -> worker.complaint().ifPresent(this::complain));
                scenario.ledgers.forEach(this::watch);
            }
            if (second % 5 == 0 && System.nanoTime() < end) {
                boolean collect = second % collectSeconds == 0;
                SoakedBroker.Sample sample = broker.sample(collect);
                SoakedBroker.Sample ofFull = full.sample(collect);
                if (second % 10 == 0) {
                    System.out.printf(
                            "%4d s: %d received; %s; full store: %s%n",
                            TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begin), received(), sample, ofFull);
                }
            }
            if (System.nanoTime() > end + ALL_DONE_NANOS) {
                faults.add("not all have come to an end");
                return;
            }
        }
    }

    private void watch(Ledger ledger) {
        long nanos = ledger.sinceLastAcceptNanos();
        if (nanos > Worker.BOUND_NANOS) {
            complain(ledger + ": no message was accepted for " + TimeUnit.NANOSECONDS.toSeconds(nanos) + " s");
        }
    }

    /** Once for each, although it may wait on. */
    private void complain(String what) {
        String kind = what.replaceAll("\\d+ s\\b.*", "");
        if (faults.stream().noneMatch(each -> each.startsWith(kind))) {
            System.out.println(what);
            faults.add(what);
        }
    }

    private long received() {
        return scenarios.stream()
                .flatMap(each -> each.ledgers.stream())
                .mapToLong(Ledger::received)
                .sum();
    }

    private void flat(SoakedBroker each) {
        if (minutes < FLAT_MINUTES) {
            return;
        }
        flat(each, "resident memory", SoakedBroker.Sample::rss, 10 * MIB);
        flat(each, "heap beside messages", SoakedBroker.Sample::heapBesideMessages, 10 * MIB);
        if (minutes >= LONG_MINUTES) {
            // It is high or low as messages come and go in tides, and a median may be either.
            compare(each, "heap at ebb", each.known(SoakedBroker.Sample::heap), SoakTest::least, 10 * MIB);
            compare(each, "heap at flood", each.known(SoakedBroker.Sample::heap), SoakTest::most, 10 * MIB);
        }
        flat(each, "threads", SoakedBroker.Sample::threads, 4);
        flat(each, "sockets", SoakedBroker.Sample::sockets, 8);
        // The store swells and shrinks with the tides; what is in it is never more than two of them, or than its limit.
        long most = each == full ? 3 * STORE_BYTES : 5 * 2 * TIDE_BYTES;
        each.samples().stream()
                .filter(sample -> sample.store() > most)
                .findFirst()
                .ifPresent(sample -> faults.add(each + ": the store is not bounded by " + most + ": " + sample));
        if (minutes >= LONG_MINUTES) {
            flat(each, "store", SoakedBroker.Sample::store, 64 * MIB);
        }
    }

    private void flat(SoakedBroker each, String what, ToLongFunction<SoakedBroker.Sample> figure, long slack) {
        compare(each, what, each.known(figure), SoakTest::median, slack);
    }

    private void compare(SoakedBroker each, String what, long[] values, ToLongFunction<long[]> ofThird, long slack) {
        int third = values.length / 3;
        long middle = ofThird.applyAsLong(Arrays.copyOfRange(values, third, 2 * third));
        long last = ofThird.applyAsLong(Arrays.copyOfRange(values, 2 * third, values.length));
        System.out.printf("%s: %s: %d in the middle third, %d in the last third%n", each, what, middle, last);
        if (last > middle * 1.1 + slack) {
            faults.add(each + ": " + what + " grows: " + middle + " in the middle third, " + last + " in the last");
        }
    }

    private static long median(long[] values) {
        Arrays.sort(values);
        return values[values.length / 2];
    }

    private static long least(long[] values) {
        return Arrays.stream(values).min().orElseThrow();
    }

    private static long most(long[] values) {
        return Arrays.stream(values).max().orElseThrow();
    }

    private void report() {
        System.out.printf(
                "%-40s %8s %8s %8s %8s %10s  %s%n",
                "limit", "sent", "accepted", "refused", "received", "wait", "verdict");
        for (Scenario scenario : scenarios) {
            for (Ledger ledger : scenario.ledgers) {
                List<String> wrong = ledger.audit();
                System.out.println(ledger.row() + "  " + (wrong.isEmpty() ? "good" : wrong));
                ledger.reasons().forEach((reason, count) -> System.out.println("    " + count + " refused: " + reason));
                faults.addAll(wrong);
            }
        }
    }
}
