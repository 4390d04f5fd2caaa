package io.millrace.conformance.vertx;

import io.millrace.conformance.tap.Broker;
import io.vertx.core.Vertx;
import io.vertx.proton.ProtonClientOptions;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What the tests of vertx-proton have in common. */
class ProtonTests {
    final Broker broker;
    final Vertx vertx;

    ProtonTests(Broker broker, Vertx vertx) {
        this.broker = broker;
        this.vertx = vertx;
    }

    Peer connect() throws Exception {
        return connect(new ProtonClientOptions());
    }

    Peer connect(ProtonClientOptions options) throws Exception {
        return Peer.connect(vertx, options, broker.host(), broker.port(), null, null);
    }

    /** That a queue has no message. */
    void expectNothing(String address) throws Exception {
        try (Peer peer = connect()) {
            Inbox<Peer.Received> inbox = new Inbox<>();
            peer.open(peer.receiver(address, inbox));
            inbox.staysEmpty("nothing is left in " + address);
        }
    }

    static List<Object> bodies(List<Peer.Received> messages) {
        return messages.stream().map(Peer.Received::body).collect(Collectors.toList());
    }

    static String[] numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(Integer::toString).toArray(String[]::new);
    }
}
