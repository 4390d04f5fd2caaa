package io.millrace.conformance.smallrye;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Tap;
import io.smallrye.reactive.messaging.amqp.AmqpConnector;

/** Applications of SmallRye Reactive Messaging with its AMQP connector. */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws Exception {
        Broker broker = new Broker();
        Tap tap = new Tap(args);
        tap.client(
                "smallrye-reactive-messaging-amqp",
                Tap.version(AmqpConnector.class, "io.smallrye.reactive", "smallrye-reactive-messaging-amqp"));
        new Exchanging(broker).run(tap);
        new Failing(broker).run(tap);
        new Running(broker).run(tap);
        System.exit(tap.finish());
    }
}
