package io.millrace.conformance.camel;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Tap;
import java.time.Duration;
import org.apache.camel.component.amqp.AMQPComponent;
import org.apache.qpid.jms.JmsConnectionFactory;

/** What Camel applications use. Arguments: patterns of the names of the tests to run. */
public final class Camel {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Tap tap;
    private final Broker broker;
    private int number;

    /** What a test does. */
    interface Body {
        void run(Trial trial) throws Exception;
    }

    private Camel(Tap tap, Broker broker) {
        this.tap = tap;
        this.broker = broker;
    }

    public static void main(String[] patterns) throws Exception {
        Tap tap = new Tap(patterns);
        String qpid = Tap.version(JmsConnectionFactory.class, "org.apache.qpid", "qpid-jms-client");
        tap.client(
                "Camel AMQP",
                Tap.version(AMQPComponent.class, "org.apache.camel", "camel-amqp") + " on Qpid JMS " + qpid);
        Camel tests = new Camel(tap, new Broker());
        Queues.add(tests);
        Requests.add(tests);
        Topics.add(tests);
        System.exit(tap.finish());
    }

    /** Runs a test with an address of its own and with a Camel context that is stopped when it ends. */
    void test(String name, Body body) {
        number++;
        String address = "camel." + number;
        tap.test(name, LIMIT, () -> {
            try (Trial trial = new Trial(broker, broker.address(address))) {
                body.run(trial);
            }
        });
    }
}
