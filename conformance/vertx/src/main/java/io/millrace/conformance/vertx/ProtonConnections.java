package io.millrace.conformance.vertx;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.proton.ProtonClientOptions;
import io.vertx.proton.ProtonSender;
import java.time.Duration;
import javax.security.sasl.AuthenticationException;
import org.apache.qpid.proton.amqp.messaging.Accepted;

/** Connections of vertx-proton: SASL, heartbeats, crashes. */
final class ProtonConnections extends ProtonTests {
    ProtonConnections(Broker broker, Vertx vertx) {
        super(broker, vertx);
    }

    void run(Tap tap) {
        tap.test("a client without a user logs in as anonymous", this::anonymous);
        tap.test("a user logs in with PLAIN", this::plain);
        tap.test("a wrong password is refused", this::wrongPassword);
        tap.test("heartbeats keep a silent connection open", this::heartbeats);
        tap.test("a crash is heard of, and the messages are there afterwards", Duration.ofSeconds(60), this::crash);
    }

    private void anonymous() throws Exception {
        try (Peer peer = connect(new ProtonClientOptions().addEnabledSaslMechanism("ANONYMOUS"))) {
            peer.sendTexts(broker.address("proton.sasl.anonymous"), "let in");
        }
    }

    private void plain() throws Exception {
        ProtonClientOptions options = new ProtonClientOptions().addEnabledSaslMechanism("PLAIN");
        try (Peer peer =
                Peer.connect(vertx, options, broker.userHost(), broker.userPort(), broker.user(), broker.password())) {
            peer.sendTexts(broker.address("proton.sasl.plain"), "let in");
        }
    }

    private void wrongPassword() {
        String password = "not " + broker.password();
        Expect.failure(
                AuthenticationException.class,
                "a wrong password",
                () -> Peer.connect(vertx, new ProtonClientOptions(), broker.userHost(), broker.userPort(), broker.user(), password));
    }

    private void heartbeats() throws Exception {
        try (Peer peer = connect(new ProtonClientOptions().setHeartbeat(300))) {
            Promise<Void> lost = Promise.promise();
            peer.on(() -> peer.connection.disconnectHandler(x -> lost.tryComplete()));
            // Several times the time after which the client gives up if it hears nothing.
            Thread.sleep(2000);
            Expect.that(!lost.future().isComplete(), "the connection is open");
            peer.sendTexts(broker.address("proton.heartbeats"), "still there");
        }
    }

    private void crash() throws Exception {
        broker.needsCrash();
        String address = broker.address("proton.crash");
        Peer peer = connect();
        Promise<Void> lost = Promise.promise();
        peer.on(() -> peer.connection.disconnectHandler(x -> lost.tryComplete()));
        ProtonSender sender = peer.open(peer.sender(address));
        for (int i = 0; i < 100; i++) {
            Expect.that(peer.send(sender, Peer.text("message " + i)) instanceof Accepted, "accepted");
        }
        broker.crash();
        AmqpClients.result(lost.future());
        try (Peer again = connect()) {
            Inbox<Peer.Received> inbox = new Inbox<>();
            again.open(again.receiver(address, inbox));
            for (int i = 0; i < 100; i++) {
                Expect.equal("message " + i, inbox.next().body(), "body");
            }
            inbox.staysEmpty("nothing comes twice");
        }
    }
}
