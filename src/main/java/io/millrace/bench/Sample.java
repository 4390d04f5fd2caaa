package io.millrace.bench;

import java.util.Optional;

/**
 * One stretch of a run, about a second.
 *
 * @param atSeconds its end, counted from the beginning of the measurement; negative in the warm-up
 * @param seconds how long it is
 * @param broker how the process of the broker is at its end
 * @param brokerCpuMicros processor time of the broker in it
 */
record Sample(
        double atSeconds,
        double seconds,
        boolean warmup,
        long answered,
        long received,
        Tally.Latencies latencies,
        Optional<BrokerProcess> broker,
        long brokerCpuMicros) {
    Sample earlierBy(double others) {
        return new Sample(atSeconds - others, seconds, warmup, answered, received, latencies, broker, brokerCpuMicros);
    }
}
