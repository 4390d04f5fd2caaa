package io.millrace.bench;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What came of a run.
 *
 * @param failure why it could not go on to its end
 * @param stopped at the wish of the user
 * @param complete whether messages were sent and all that were accepted had time to come
 * @param lost accepted and not received, over all subscriptions
 */
record Result(
        Settings settings,
        Instant started,
        Tally tally,
        Tally.Latencies latencies,
        List<Sample> samples,
        Optional<String> failure,
        boolean stopped,
        boolean complete,
        long lost,
        Costs costs) {
    /** Processor time while it was measured, for so many messages. */
    record Costs(long answered, long received, long ownMicros, Optional<Broker> broker) {

        /** Sent and received ones. */
        long sides() {
            return answered + received;
        }

        /** A message that is sent and received is one. */
        long messages() {
            return answered > 0 ? answered : received;
        }
    }

    /** What the process of the broker took meanwhile. */
    record Broker(long cpuMicros, long residentBytes, long writtenBytes) {}

    /** Whether all is as it should be. */
    boolean good() {
        return failure.isEmpty() && tally.duplicates == 0 && (lost == 0 || settings.presettled || stopped);
    }

    /** Seconds from the first message that was measured to the last answer; 0 when there was none. */
    double sendSeconds() {
        return seconds(tally.firstSentNanos, tally.lastAnsweredNanos);
    }

    double receiveSeconds() {
        return seconds(tally.firstReceivedNanos, tally.lastReceivedNanos);
    }

    double sendRate() {
        return rate(tally.measuredAnswered, sendSeconds());
    }

    double receiveRate() {
        return rate(tally.measuredReceived, receiveSeconds());
    }

    private static double seconds(long first, long last) {
        return last > first ? (last - first) / 1e9 : 0;
    }

    private static double rate(long messages, double seconds) {
        return seconds > 0 ? messages / seconds : 0;
    }
}
