package io.millrace.conformance.swiftmq;

import com.swiftmq.amqp.v100.client.Connection;
import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Tap;

/** The AMQP 1.0 client of SwiftMQ. */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws Exception {
        Broker broker = new Broker();
        Tap tap = new Tap(args);
        tap.client("swiftmq-client", Tap.version(Connection.class, "com.swiftmq", "swiftmq-client"));
        new Qualities(broker).run(tap);
        new Consuming(broker).run(tap);
        new Resuming(broker).run(tap);
        new Transacting(broker).run(tap);
        new Connecting(broker).run(tap);
        System.exit(tap.finish());
    }
}
