package io.millrace.bench;

import java.util.Map;
import java.util.TreeMap;
import org.HdrHistogram.Histogram;

/**
 * What was counted. Each event loop owns one; {@link #add} puts those of several together when the loops are at rest.
 *
 * <p>Latencies and the times of the first and last are of what is measured; the counts that say so, too.
 */
final class Tally {
    private static final long HIGHEST_NANOS = 3_600_000_000_000L;
    private static final int DIGITS = 3;

    /** Sent, warm-up included. */
    long sent;
    /** With an outcome, or sent without wanting one. */
    long answered;

    long received;
    /** Of another run. */
    long foreign;

    long accepted;
    long measuredAnswered;
    long measuredReceived;
    long measuredAccepted;
    long transactions;
    long consumeTransactions;
    long outOfOrder;
    long duplicates;
    long firstSentNanos = Long.MAX_VALUE;
    long lastAnsweredNanos = Long.MIN_VALUE;
    long firstReceivedNanos = Long.MAX_VALUE;
    long lastReceivedNanos = Long.MIN_VALUE;
    /** How often each outcome other than accepted, by its condition. */
    final Map<String, Long> refusals = new TreeMap<>();

    Latencies latencies = new Latencies();

    /** Latencies in nanoseconds; lossless, but for the fourth digit. */
    static final class Latencies {
        final Histogram acknowledged = histogram();
        final Histogram endToEnd = histogram();
        final Histogram transaction = histogram();
        final Histogram consumeTransaction = histogram();
        /** How late a message was sent, with a rate. */
        final Histogram late = histogram();

        private static Histogram histogram() {
            Histogram histogram = new Histogram(HIGHEST_NANOS, DIGITS);
            histogram.setAutoResize(true);
            return histogram;
        }

        void add(Latencies other) {
            acknowledged.add(other.acknowledged);
            endToEnd.add(other.endToEnd);
            transaction.add(other.transaction);
            consumeTransaction.add(other.consumeTransaction);
            late.add(other.late);
        }
    }

    void refused(String why, long messages) {
        refusals.merge(why, messages, Long::sum);
    }

    static void record(Histogram histogram, long nanos) {
        histogram.recordValue(Math.max(0, nanos));
    }

    /** Adds the counts of another; not its latencies. */
    void add(Tally other) {
        sent += other.sent;
        answered += other.answered;
        received += other.received;
        foreign += other.foreign;
        accepted += other.accepted;
        measuredAnswered += other.measuredAnswered;
        measuredReceived += other.measuredReceived;
        measuredAccepted += other.measuredAccepted;
        transactions += other.transactions;
        consumeTransactions += other.consumeTransactions;
        outOfOrder += other.outOfOrder;
        duplicates += other.duplicates;
        firstSentNanos = Math.min(firstSentNanos, other.firstSentNanos);
        lastAnsweredNanos = Math.max(lastAnsweredNanos, other.lastAnsweredNanos);
        firstReceivedNanos = Math.min(firstReceivedNanos, other.firstReceivedNanos);
        lastReceivedNanos = Math.max(lastReceivedNanos, other.lastReceivedNanos);
        other.refusals.forEach(this::refused);
    }

    /** The latencies since the last call; they begin anew. */
    Latencies takeLatencies() {
        Latencies taken = latencies;
        latencies = new Latencies();
        return taken;
    }

    /** A copy of the counts. */
    Tally counts() {
        Tally copy = new Tally();
        copy.add(this);
        return copy;
    }
}
