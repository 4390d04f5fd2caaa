package io.millrace.conformance.qpidjms;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Tap;
import java.time.Duration;

/** Runs tests, each with addresses of its own and with connections that are closed when it ends. */
final class Tests {
    private static final Duration LIMIT = Duration.ofSeconds(30);

    private final Tap tap;
    private final Broker broker;
    private final String project;
    private int number;

    /** What a test does. */
    interface Body {
        void run(Trial trial) throws Exception;
    }

    Tests(Tap tap, Broker broker, String project) {
        this.tap = tap;
        this.broker = broker;
        this.project = project;
    }

    void test(String name, Body body) {
        test(name, LIMIT, body);
    }

    void test(String name, Duration limit, Body body) {
        number++;
        String address = project + "." + number;
        tap.test(name, limit, () -> {
            try (Trial trial = new Trial(broker, project, broker.address(address))) {
                body.run(trial);
            }
        });
    }
}
