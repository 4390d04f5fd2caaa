package io.millrace.conformance.swiftmq;

import com.swiftmq.amqp.AMQPContext;
import com.swiftmq.amqp.v100.client.Connection;
import com.swiftmq.amqp.v100.client.Consumer;
import com.swiftmq.amqp.v100.client.Producer;
import com.swiftmq.amqp.v100.client.QoS;
import com.swiftmq.amqp.v100.client.Session;
import com.swiftmq.amqp.v100.generated.messaging.message_format.AmqpValue;
import com.swiftmq.amqp.v100.messaging.AMQPMessage;
import com.swiftmq.amqp.v100.types.AMQPString;
import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import java.util.ArrayList;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** What the tests have in common: clients of the broker, and what they send and receive most. */
class Clients {
    static final int CREDIT = 100;
    private static final int WINDOW = 100;
    private static final long LIMIT_MILLIS = 10_000;
    private static final long SILENCE_MILLIS = 300;

    final Broker broker;
    private final Map<Connection, List<Session>> sessions = new IdentityHashMap<>();
    private final AMQPContext context = new AMQPContext(AMQPContext.CLIENT);

    Clients(Broker broker) {
        this.broker = broker;
    }

    AMQPContext context() {
        return context;
    }

    Connection connect() throws Exception {
        return connect("");
    }

    /** As a container of this name; an empty one leaves the name to the client. */
    Connection connect(String container) throws Exception {
        Connection connection = new Connection(context, broker.host(), broker.port(), false);
        if (!container.isEmpty()) {
            connection.setContainerId(container);
        }
        connection.connect();
        return connection;
    }

    Session session(Connection connection) throws Exception {
        return session(connection, WINDOW);
    }

    Session session(Connection connection, int window) throws Exception {
        Session session = connection.createSession(window, window);
        sessions.computeIfAbsent(connection, none -> new ArrayList<>()).add(session);
        return session;
    }

    /** Closes a connection in order. Its sessions first: the client may send its close before what they still have to send. */
    void close(Connection connection) {
        sessions.getOrDefault(connection, List.of()).forEach(Session::close);
        connection.close();
    }

    static AMQPMessage text(String body) {
        AMQPMessage message = new AMQPMessage();
        message.setAmqpValue(new AmqpValue(new AMQPString(body)));
        return message;
    }

    static String body(AMQPMessage message) throws Exception {
        return ((AMQPString) message.getAmqpValue().getValue()).getValue();
    }

    /** Sends texts, and waits until all are settled. */
    static void send(Session session, String address, String... texts) throws Exception {
        Producer producer = session.createProducer(address, QoS.AT_LEAST_ONCE);
        for (String text : texts) {
            producer.send(text(text));
        }
        producer.close();
    }

    static AMQPMessage next(Consumer consumer) {
        AMQPMessage message = consumer.receive(LIMIT_MILLIS);
        Expect.that(message != null, "a message within " + LIMIT_MILLIS / 1000 + " s");
        return message;
    }

    /** The texts of the next messages, each accepted. */
    static List<String> accept(Consumer consumer, int count) throws Exception {
        List<String> bodies = new ArrayList<>();
        while (bodies.size() < count) {
            AMQPMessage message = next(consumer);
            bodies.add(body(message));
            if (!message.isSettled()) {
                message.accept();
            }
        }
        return bodies;
    }

    static void expectNothing(Consumer consumer, String why) throws Exception {
        AMQPMessage message = consumer.receive(SILENCE_MILLIS);
        if (message != null) {
            throw new AssertionError(why + ": came all the same: " + body(message));
        }
    }

    /** That a queue has no message. */
    void expectEmpty(String address) throws Exception {
        Connection connection = connect();
        expectNothing(
                session(connection).createConsumer(address, CREDIT, QoS.AT_LEAST_ONCE, false, null),
                "nothing is left in " + address);
        close(connection);
    }

    static List<String> numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(Integer::toString).collect(Collectors.toList());
    }
}
