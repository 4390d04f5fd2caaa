package io.millrace.conformance.protonj2;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import java.io.IOException;
import java.io.InputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.qpid.protonj2.client.Connection;
import org.apache.qpid.protonj2.client.ConnectionOptions;
import org.apache.qpid.protonj2.client.Receiver;
import org.apache.qpid.protonj2.client.Sender;
import org.apache.qpid.protonj2.client.SenderOptions;
import org.apache.qpid.protonj2.client.Tracker;
import org.apache.qpid.protonj2.client.exceptions.ClientConnectionSecuritySaslException;
import org.apache.qpid.protonj2.client.exceptions.ClientSendTimedOutException;

/** Connections: SASL, timeouts, heartbeats, and coming back after the broker was killed or restarted. */
final class Connecting extends Clients {
    private static final Duration WITH_A_CRASH = Duration.ofSeconds(60);

    Connecting(Broker broker) {
        super(broker);
    }

    void run(Tap tap) {
        tap.test("the broker names itself and what it offers", this::open);
        tap.test("a connection without SASL is let in where anyone may connect", this::withoutSasl);
        tap.test("a user logs in with PLAIN", () -> user("PLAIN"));
        tap.test("a user logs in with SCRAM-SHA-256", () -> user("SCRAM-SHA-256"));
        tap.test("a user logs in with SCRAM-SHA-512", () -> user("SCRAM-SHA-512"));
        tap.test("a wrong password is refused with an authentication error", this::wrongPassword);
        tap.test("a send without credit ends after its timeout", this::sendTimeout);
        tap.test("heartbeats keep a silent connection open", this::heartbeats);
        tap.test("a client comes back by itself after a crash, and nothing accepted is lost", WITH_A_CRASH, () -> comeBack(true));
        tap.test("a client comes back by itself after a restart, and nothing accepted is lost", WITH_A_CRASH, () -> comeBack(false));
        tap.test("a receiver goes on by itself after a crash", WITH_A_CRASH, this::receiverComesBack);
        tap.test("a client that is not to come back fails what it has under way", WITH_A_CRASH, this::noReconnect);
    }

    private void open() throws Exception {
        try (Connection connection = connect()) {
            List<String> offered = List.of(connection.offeredCapabilities());
            Expect.that(offered.contains("ANONYMOUS-RELAY"), "ANONYMOUS-RELAY is offered: " + offered);
            Expect.that(
                    connection.properties().keySet().containsAll(Set.of("product", "version")),
                    "product and version in: " + connection.properties());
        }
    }

    private void withoutSasl() throws Exception {
        ConnectionOptions options = new ConnectionOptions();
        options.saslOptions().saslEnabled(false);
        try (Connection connection = connect(options)) {
            send(connection, broker.address("protonj2.no-sasl"), "let in");
        }
    }

    private void user(String mechanism) throws Exception {
        if (!mechanisms().contains(mechanism)) {
            throw new Tap.Skipped("the broker does not offer " + mechanism);
        }
        ConnectionOptions options = new ConnectionOptions();
        options.saslOptions().addAllowedMechanism(mechanism);
        try (Connection connection = connectAs(broker.user(), broker.password(), options)) {
            send(connection, broker.address("protonj2.sasl"), "let in");
        }
    }

    /** What the broker offers, as text with other things in it. */
    private String mechanisms() throws IOException {
        try (Socket socket = new Socket(broker.userHost(), broker.userPort())) {
            socket.setSoTimeout(LIMIT_SECONDS * 1000);
            socket.getOutputStream().write(new byte[] {'A', 'M', 'Q', 'P', 3, 1, 0, 0});
            InputStream in = socket.getInputStream();
            in.readNBytes(8);
            byte[] size = in.readNBytes(4);
            int length = (size[2] & 0xff) << 8 | size[3] & 0xff;
            return new String(in.readNBytes(length - 4), StandardCharsets.ISO_8859_1);
        }
    }

    private void wrongPassword() {
        String user = broker.user();
        String password = "not " + broker.password();
        Expect.failure(
                ClientConnectionSecuritySaslException.class,
                "a wrong password",
                () -> connectAs(user, password, new ConnectionOptions()));
    }

    private void sendTimeout() throws Exception {
        broker.needsRestart(); // a sign that the driver started this broker, with the queue that client.toml asks for
        try (Connection connection = connect();
                Sender sender = connection.openSender("protonj2.held", new SenderOptions().sendTimeout(500))) {
            sender.send(text("fills it")).awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
            // It waits for room at the broker, unanswered, and its sender has no credit meanwhile.
            Tracker held = sender.send(text("held"));
            Expect.failure(ClientSendTimedOutException.class, "a send without credit", () -> sender.send(text("no credit")));
            try (Receiver receiver = connection.openReceiver("protonj2.held")) {
                Expect.equal("fills it", body(next(receiver)), "the first message");
                held.awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
                Expect.equal("held", body(next(receiver)), "the one that waited");
            }
        }
    }

    private void heartbeats() throws Exception {
        CompletableFuture<String> lost = new CompletableFuture<>();
        ConnectionOptions options = new ConnectionOptions()
                .idleTimeout(1, TimeUnit.SECONDS)
                .disconnectedHandler((connection, event) -> lost.complete(String.valueOf(event.failureCause())));
        try (Connection connection = connect(options)) {
            result(connection.openFuture());
            // More than twice the time after which the client gives up if it hears nothing.
            Thread.sleep(2500);
            Expect.that(!lost.isDone(), "the connection is open, not: " + lost.getNow(""));
            send(connection, broker.address("protonj2.heartbeats"), "still there");
        }
    }

    private ConnectionOptions reconnecting(CompletableFuture<Boolean> back) {
        ConnectionOptions options = new ConnectionOptions()
                .reconnectEnabled(true)
                .reconnectedHandler((connection, event) -> back.complete(true));
        options.reconnectOptions().maxReconnectAttempts(1000).reconnectDelay(50).useReconnectBackOff(false);
        return options;
    }

    private void comeBack(boolean crash) throws Exception {
        if (crash) {
            broker.needsCrash();
        } else {
            broker.needsRestart();
        }
        String address = broker.address("protonj2.back." + crash);
        CompletableFuture<Boolean> back = new CompletableFuture<>();
        Set<String> accepted = new HashSet<>();
        try (Connection connection = connect(reconnecting(back));
                Sender sender = connection.openSender(address)) {
            for (int i = 0; i < 100; i++) {
                sender.send(text("message " + i)).awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
                accepted.add("message " + i);
            }
            if (crash) {
                broker.crash();
            } else {
                broker.restart();
            }
            result(back);
            for (int i = 100; i < 200; i++) {
                sender.send(text("message " + i)).awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
                accepted.add("message " + i);
            }
        }
        try (Connection connection = connect();
                Receiver receiver = connection.openReceiver(address)) {
            for (int i = 0; i < 200; i++) {
                Expect.that(accepted.remove(body(next(receiver))), "each message once");
            }
            expectNothing(receiver, "nothing comes twice");
        }
    }

    private void receiverComesBack() throws Exception {
        broker.needsCrash();
        String address = broker.address("protonj2.receiver-back");
        CompletableFuture<Boolean> back = new CompletableFuture<>();
        try (Connection connection = connect(reconnecting(back));
                Receiver receiver = connection.openReceiver(address)) {
            send(connection, address, "before");
            Expect.equal("before", body(next(receiver)), "before the crash");
            broker.crash();
            result(back);
            try (Connection other = connect()) {
                send(other, address, "after");
            }
            String text = body(next(receiver));
            // The acknowledgement of the first message may not have been on disk.
            Expect.equal("after", text.equals("before") ? body(next(receiver)) : text, "after the crash");
        }
    }

    private void noReconnect() throws Exception {
        broker.needsCrash();
        CompletableFuture<Boolean> lost = new CompletableFuture<>();
        ConnectionOptions options =
                new ConnectionOptions().disconnectedHandler((connection, event) -> lost.complete(true));
        try (Connection connection = connect(options);
                Sender sender = connection.openSender(broker.address("protonj2.no-reconnect"))) {
            sender.send(text("x")).awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
            broker.crash();
            result(lost);
            Expect.failure(Exception.class, "a send on a lost connection", () -> sender.send(text("y")));
        }
    }
}
