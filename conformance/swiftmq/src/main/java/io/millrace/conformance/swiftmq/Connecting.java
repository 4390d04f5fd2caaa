package io.millrace.conformance.swiftmq;

import com.swiftmq.amqp.v100.client.AuthenticationException;
import com.swiftmq.amqp.v100.client.Connection;
import com.swiftmq.amqp.v100.client.Consumer;
import com.swiftmq.amqp.v100.client.Producer;
import com.swiftmq.amqp.v100.client.QoS;
import com.swiftmq.amqp.v100.client.Session;
import com.swiftmq.amqp.v100.generated.messaging.message_format.Data;
import com.swiftmq.amqp.v100.messaging.AMQPMessage;
import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** Connections: logging in, frame sizes, heartbeats, a crash. */
final class Connecting extends Clients {
    Connecting(Broker broker) {
        super(broker);
    }

    void run(Tap tap) {
        tap.test("a connection without SASL is let in where anyone may connect", () -> usable(connect(), "no-sasl"));
        tap.todo(
                "a connection as anonymous is let in where anyone may connect",
                Duration.ofSeconds(5),
                "fault of the client: com/swiftmq/amqp/v100/client/ConnectionDispatcher.java:175-177 asks the JDK for a SASL client"
                        + " for ANONYMOUS, which has none (null), and connect() waits for ever; connect without SASL instead",
                this::anonymous);
        tap.test("a user logs in with PLAIN", this::plain);
        tap.test("a wrong password is refused", this::wrongPassword);
        tap.test("frames of 1 KiB carry a message of 200 KiB both ways", this::smallFrames);
        tap.test("heartbeats keep a silent connection open", this::heartbeats);
        tap.test("a crash is heard of, and the messages are there afterwards", Duration.ofSeconds(60), this::crash);
    }

    private void usable(Connection connection, String name) throws Exception {
        String address = broker.address("swiftmq.connecting." + name);
        Session session = session(connection);
        send(session, address, "let in");
        Consumer consumer = session.createConsumer(address, CREDIT, QoS.AT_LEAST_ONCE, false, null);
        Expect.equal(List.of("let in"), accept(consumer, 1), "message");
        close(connection);
    }

    private void anonymous() throws Exception {
        Connection connection = new Connection(context(), broker.host(), broker.port(), "anonymous", "");
        connection.setMechanism("ANONYMOUS");
        connection.connect();
        usable(connection, "anonymous");
    }

    private Connection user(String password) {
        return new Connection(context(), broker.userHost(), broker.userPort(), broker.user(), password);
    }

    private void plain() throws Exception {
        Connection connection = user(broker.password());
        connection.connect();
        usable(connection, "plain");
    }

    private void wrongPassword() {
        Connection connection = user("not " + broker.password());
        Expect.failure(AuthenticationException.class, "a wrong password", connection::connect);
    }

    private void smallFrames() throws Exception {
        Connection connection = new Connection(context(), broker.host(), broker.port(), false);
        connection.setMaxFrameSize(1024);
        connection.connect();
        String address = broker.address("swiftmq.small-frames");
        byte[] body = new byte[200 << 10];
        new Random(3).nextBytes(body);
        Session session = session(connection);
        Producer producer = session.createProducer(address, QoS.AT_LEAST_ONCE);
        AMQPMessage message = new AMQPMessage();
        message.addData(new Data(body));
        producer.send(message);
        producer.close();
        AMQPMessage got = next(session.createConsumer(address, CREDIT, QoS.AT_LEAST_ONCE, false, null));
        Expect.that(Arrays.equals(body, got.getData().get(0).getValue()), "the body as it was sent");
        got.accept();
        close(connection);
    }

    private void heartbeats() throws Exception {
        CompletableFuture<String> lost = new CompletableFuture<>();
        Connection connection = new Connection(context(), broker.host(), broker.port(), false);
        connection.setIdleTimeout(1000);
        connection.setExceptionListener(e -> lost.complete(e.getMessage()));
        connection.connect();
        // More than twice the time after which the client gives up if it hears nothing.
        Thread.sleep(2500);
        Expect.that(!lost.isDone(), "the connection is open, not: " + lost.getNow(""));
        usable(connection, "heartbeats");
    }

    private void crash() throws Exception {
        broker.needsCrash();
        String address = broker.address("swiftmq.crash");
        CompletableFuture<String> lost = new CompletableFuture<>();
        Connection connection = connect();
        connection.setExceptionListener(e -> lost.complete(e.getMessage()));
        send(session(connection), address, numbers(0, 100).toArray(new String[0]));
        broker.crash();
        lost.get(10, TimeUnit.SECONDS);
        Connection again = connect();
        Consumer consumer = session(again).createConsumer(address, CREDIT, QoS.AT_LEAST_ONCE, false, null);
        Expect.equal(numbers(0, 100), accept(consumer, 100), "messages");
        expectNothing(consumer, "nothing comes twice");
        close(again);
    }
}
