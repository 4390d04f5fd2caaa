package io.millrace.conformance.vertx;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import io.vertx.amqp.AmqpClientOptions;
import io.vertx.amqp.AmqpConnection;
import io.vertx.amqp.AmqpMessage;
import io.vertx.amqp.AmqpReceiverOptions;
import io.vertx.amqp.AmqpSender;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Connections of vertx-amqp-client: users, idle times, crashes. */
final class AmqpClientConnecting extends AmqpClients {
    AmqpClientConnecting(Broker broker, Vertx vertx) {
        super(broker, vertx);
    }

    void run(Tap tap) {
        tap.test("a user with the right password is let in", this::user);
        tap.test("a user with a wrong password is not", this::wrongPassword);
        tap.test("nobody gets in without a user where one is wanted", this::noUser);
        tap.test("a connection that only sends heartbeats stays open", this::heartbeats);
        tap.test("an application that connects again after a crash loses nothing that was accepted", Duration.ofSeconds(60), this::crash);
        tap.test("an application hears that the broker is restarted, and why", Duration.ofSeconds(60), this::restart);
    }

    private AmqpClientOptions userOptions() {
        return new AmqpClientOptions().setHost(broker.userHost()).setPort(broker.userPort());
    }

    private void user() throws Exception {
        AmqpConnection connection =
                connect(userOptions().setUsername(broker.user()).setPassword(broker.password()));
        String address = broker.address("vertx.user");
        send(connection, address, "from a user");
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(connection, address, new AmqpReceiverOptions(), inbox);
        Expect.equal("from a user", inbox.next().bodyAsString(), "body");
        result(connection.close());
    }

    private void wrongPassword() {
        AmqpClientOptions options = userOptions().setUsername(broker.user()).setPassword("not " + broker.password());
        Exception failure = Expect.failure(Exception.class, "a wrong password", () -> connect(options));
        Expect.that(
                failure.toString().toLowerCase(Locale.ROOT).contains("authenticate"),
                "it says that it could not authenticate: " + failure);
    }

    private void noUser() {
        AmqpClientOptions options = userOptions();
        Expect.failure(Exception.class, "no user", () -> connect(options));
    }

    private void heartbeats() throws Exception {
        Promise<String> lost = Promise.promise();
        AmqpConnection connection = connect(options().setHeartbeat(500));
        connection.exceptionHandler(e -> lost.tryComplete(e.getMessage()));
        // More than twice the time after which either side would give up.
        Thread.sleep(2500);
        Expect.that(!connection.isDisconnected() && !lost.future().isComplete(), "the connection is open");
        send(connection, broker.address("vertx.heartbeats"), "still there");
        result(connection.close());
    }

    private void crash() throws Exception {
        broker.needsCrash();
        String address = broker.address("vertx.crash");
        AmqpConnection connection = connect();
        Promise<Void> lost = Promise.promise();
        connection.exceptionHandler(e -> lost.tryComplete());
        AmqpSender sender = result(connection.createSender(address));
        Set<String> accepted = new HashSet<>();
        for (int i = 0; i < 200; i++) {
            result(sender.sendWithAck(text("message " + i)));
            accepted.add("message " + i);
        }
        List<Future<Void>> unanswered = new ArrayList<>();
        for (int i = 200; i < 500; i++) {
            unanswered.add(sender.sendWithAck(text("message " + i)));
        }
        broker.crash();
        result(lost.future());
        Expect.that(connection.isDisconnected(), "the client knows that it is not connected");
        for (int i = 0; i < unanswered.size(); i++) {
            if (unanswered.get(i).succeeded()) {
                accepted.add("message " + (200 + i));
            }
        }
        AmqpConnection again = connect();
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(again, address, new AmqpReceiverOptions(), inbox);
        send(again, address, "the last");
        Set<String> got = new HashSet<>();
        String text = inbox.next().bodyAsString();
        while (!text.equals("the last")) {
            Expect.that(got.add(text), "no message comes twice, but did: " + text);
            text = inbox.next().bodyAsString();
        }
        accepted.removeAll(got);
        Expect.equal(Set.of(), accepted, "messages that were accepted and are not there");
        result(again.close());
    }

    private void restart() throws Exception {
        broker.needsRestart();
        String address = broker.address("vertx.restart");
        AmqpConnection connection = connect();
        Promise<String> lost = Promise.promise();
        connection.exceptionHandler(e -> lost.tryComplete(e.getMessage()));
        send(connection, address, "kept");
        broker.restart();
        Expect.that(!result(lost.future()).equals("Connection disconnected"), "a reason, not: " + result(lost.future()));
        AmqpConnection again = connect();
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(again, address, new AmqpReceiverOptions(), inbox);
        Expect.equal("kept", inbox.next().bodyAsString(), "body");
        result(again.close());
    }
}
