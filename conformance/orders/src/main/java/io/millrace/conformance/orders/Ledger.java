package io.millrace.conformance.orders;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/** What the application knows of its orders: which were accepted, settled and buried, and when. Safe for all threads. */
final class Ledger {
    private final Set<String> sent = ConcurrentHashMap.newKeySet();
    private final Set<String> accepted = ConcurrentHashMap.newKeySet();
    private final Map<String, Long> settledNanos = new ConcurrentHashMap<>();
    private final Map<String, AtomicInteger> deaths = new ConcurrentHashMap<>();
    private final Set<String> cameBack = ConcurrentHashMap.newKeySet();
    private final AtomicInteger again = new AtomicInteger();
    private final AtomicInteger failedAttempts = new AtomicInteger();
    private final AtomicLong crashNanos = new AtomicLong(Long.MAX_VALUE);
    private final long graceNanos;

    /** Settled so long before a crash, an order must not come back. */
    Ledger(long graceNanos) {
        this.graceNanos = graceNanos;
    }

    static boolean poison(String order) {
        return order.startsWith("poison");
    }

    void sending(String order) {
        sent.add(order);
    }

    void accepted(String order) {
        accepted.add(order);
    }

    int acceptedCount() {
        return accepted.size();
    }

    /** An order is about to be processed. */
    void received(String order) {
        Long settled = settledNanos.get(order);
        if (settled != null) {
            again.incrementAndGet();
            if (crashNanos.get() == Long.MAX_VALUE || settled < crashNanos.get() - graceNanos) {
                cameBack.add(order);
            }
        }
    }

    void settled(String order) {
        settledNanos.putIfAbsent(order, System.nanoTime());
    }

    void attemptFailed() {
        failedAttempts.incrementAndGet();
    }

    void buried(String order) {
        deaths.computeIfAbsent(order, o -> new AtomicInteger()).incrementAndGet();
    }

    void crashed() {
        crashNanos.compareAndSet(Long.MAX_VALUE, System.nanoTime());
    }

    boolean hasCrashed() {
        return crashNanos.get() != Long.MAX_VALUE;
    }

    /** Whether every accepted order has come to its end. */
    boolean complete() {
        return accepted.stream().allMatch(order -> poison(order) ? deaths.containsKey(order) : settledNanos.containsKey(order));
    }

    /** What is claimed of the broker. */
    enum Claim {
        KEPT("every accepted order is settled, or is poison and dead-lettered"),
        FINAL("no order comes back once it is settled"),
        JUST("no good order is dead-lettered"),
        TRUE("no order arrives that was never sent");

        final String words;

        Claim(String words) {
            this.words = words;
        }
    }

    /** What is wrong; empty if all is well. */
    List<String> faults() {
        return Stream.of(Claim.values()).flatMap(claim -> faults(claim).stream()).toList();
    }

    /** What is wrong with one claim; empty if it holds. */
    List<String> faults(Claim claim) {
        return switch (claim) {
            case KEPT -> faults(
                    accepted.stream()
                            .filter(order -> poison(order) ? !deaths.containsKey(order) : !settledNanos.containsKey(order)),
                    "accepted, but lost");
            case FINAL -> faults(cameBack.stream(), "came back after they had been settled");
            case JUST -> faults(deaths.keySet().stream().filter(order -> !poison(order)), "good, but dead-lettered");
            case TRUE -> faults(settledNanos.keySet().stream().filter(order -> !sent.contains(order)), "never sent");
        };
    }

    private static List<String> faults(Stream<String> wrong, String what) {
        List<String> orders = wrong.sorted().toList();
        return orders.isEmpty()
                ? List.of()
                : List.of(orders.size() + " orders " + what + ", the first: "
                        + orders.subList(0, Math.min(5, orders.size())));
    }

    /** The figures, a row each. */
    List<String> counts() {
        long poisoned = accepted.stream().filter(Ledger::poison).count();
        return List.of(
                row("orders sent", sent.size()),
                row("accepted by the broker", accepted.size()),
                row("  of them poison", poisoned),
                row("settled", settledNanos.size()),
                row("failed attempts", failedAttempts.get()),
                row("dead-lettered", deaths.size()),
                row("seen again (at least once)", again.get()),
                row("came back though settled", cameBack.size()));
    }

    private static String row(String what, long count) {
        return String.format("  %-28s %,12d", what, count);
    }
}
