package io.millrace.conformance.spring;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Tap;
import java.time.Duration;

/** Runs tests, each with an address of its own and with containers that are shut down when it ends. */
final class Tests {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Tap tap;
    private final Broker broker;
    private int number;

    /** What a test does. */
    interface Body {
        void run(Trial trial) throws Exception;
    }

    Tests(Tap tap, Broker broker) {
        this.tap = tap;
        this.broker = broker;
    }

    void test(String name, Body body) {
        number++;
        String address = "spring." + number;
        tap.test(name, LIMIT, () -> {
            try (Trial trial = new Trial(broker, broker.address(address))) {
                body.run(trial);
            }
        });
    }
}
