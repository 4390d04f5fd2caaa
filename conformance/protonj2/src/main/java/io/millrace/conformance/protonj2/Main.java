package io.millrace.conformance.protonj2;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Tap;
import org.apache.qpid.protonj2.client.Client;

/** The blocking client of protonj2. */
public final class Main {
    private Main() {}

    public static void main(String[] args) throws Exception {
        Broker broker = new Broker();
        Tap tap = new Tap(args);
        tap.client("protonj2-client", Tap.version(Client.class, "org.apache.qpid", "protonj2-client"));
        new Sending(broker).run(tap);
        new Receiving(broker).run(tap);
        new Streaming(broker).run(tap);
        new Transacting(broker).run(tap);
        new Connecting(broker).run(tap);
        System.exit(tap.finish());
    }
}
