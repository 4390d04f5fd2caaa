package io.millrace.conformance.vertx;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Tap;
import io.vertx.amqp.AmqpClient;
import io.vertx.core.Vertx;
import io.vertx.proton.ProtonClient;

/** The two AMQP clients of Vert.x: vertx-amqp-client, and vertx-proton below it. */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws Exception {
        Broker broker = new Broker();
        Vertx vertx = Vertx.vertx();
        Tap tap = new Tap(args);
        tap.client("vertx-amqp-client", Tap.version(AmqpClient.class, "io.vertx", "vertx-amqp-client"));
        new AmqpClientSending(broker, vertx).run(tap);
        new AmqpClientReceiving(broker, vertx).run(tap);
        new AmqpClientConnecting(broker, vertx).run(tap);
        tap.client("vertx-proton", Tap.version(ProtonClient.class, "io.vertx", "vertx-proton"));
        new ProtonLinks(broker, vertx).run(tap);
        new ProtonDeliveries(broker, vertx).run(tap);
        new ProtonConnections(broker, vertx).run(tap);
        System.exit(tap.finish());
    }
}
