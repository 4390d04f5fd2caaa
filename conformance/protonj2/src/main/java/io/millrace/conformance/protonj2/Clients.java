package io.millrace.conformance.protonj2;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.qpid.protonj2.client.Client;
import org.apache.qpid.protonj2.client.ClientOptions;
import org.apache.qpid.protonj2.client.Connection;
import org.apache.qpid.protonj2.client.ConnectionOptions;
import org.apache.qpid.protonj2.client.Delivery;
import org.apache.qpid.protonj2.client.Message;
import org.apache.qpid.protonj2.client.Receiver;
import org.apache.qpid.protonj2.client.ReceiverOptions;
import org.apache.qpid.protonj2.client.Sender;
import org.apache.qpid.protonj2.client.exceptions.ClientException;

/** What the tests have in common: clients of the broker, and what they send and receive most. */
class Clients {
    static final int LIMIT_SECONDS = 15;
    private static final int SILENCE_MILLIS = 300;

    final Broker broker;

    Clients(Broker broker) {
        this.broker = broker;
    }

    Connection connect() throws ClientException {
        return connect(new ConnectionOptions());
    }

    Connection connect(ConnectionOptions options) throws ClientException {
        return connect("", options);
    }

    /** As a container of this name; an empty one leaves the name to the client. */
    Connection connect(String container, ConnectionOptions options) throws ClientException {
        return client(container).connect(broker.host(), broker.port(), limited(options));
    }

    Connection connectAs(String user, String password, ConnectionOptions options) throws Exception {
        Connection connection = client("")
                .connect(broker.userHost(), broker.userPort(), limited(options).user(user).password(password));
        result(connection.openFuture());
        return connection;
    }

    private static Client client(String container) {
        return container.isEmpty() ? Client.create() : Client.create(new ClientOptions().id(container));
    }

    private static ConnectionOptions limited(ConnectionOptions options) {
        return options.openTimeout(LIMIT_SECONDS, TimeUnit.SECONDS).requestTimeout(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    static Message<String> text(String body) throws ClientException {
        return Message.create(body).durable(true);
    }

    /** Sends texts, each accepted before the next. */
    static void send(Connection connection, String address, String... texts) throws ClientException {
        try (Sender sender = connection.openSender(address)) {
            for (String text : texts) {
                sender.send(text(text)).awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
            }
        }
    }

    static ReceiverOptions byHand(int credit) {
        return new ReceiverOptions().autoAccept(false).autoSettle(false).creditWindow(credit);
    }

    static Delivery next(Receiver receiver) throws ClientException {
        Delivery delivery = receiver.receive(LIMIT_SECONDS, TimeUnit.SECONDS);
        Expect.that(delivery != null, "a message within " + LIMIT_SECONDS + " s");
        return delivery;
    }

    static String body(Delivery delivery) throws ClientException {
        Message<String> message = delivery.message();
        return message.body();
    }

    /** The texts of the next messages. */
    static List<String> bodies(Receiver receiver, int count) throws ClientException {
        List<String> bodies = new ArrayList<>();
        while (bodies.size() < count) {
            bodies.add(body(next(receiver)));
        }
        return bodies;
    }

    static void expectNothing(Receiver receiver, String why) throws ClientException {
        Delivery delivery = receiver.receive(SILENCE_MILLIS, TimeUnit.MILLISECONDS);
        if (delivery != null) {
            throw new AssertionError(why + ": came all the same: " + delivery.message().body());
        }
    }

    /** That a queue has no message. */
    void expectEmpty(String address) throws ClientException {
        try (Connection connection = connect();
                Receiver receiver = connection.openReceiver(address)) {
            expectNothing(receiver, "nothing is left in " + address);
        }
    }

    static <T> T result(Future<T> future) throws Exception {
        try {
            return future.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Exception) {
                throw (Exception) e.getCause();
            }
            throw e;
        }
    }
}
