package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.Connection;
import jakarta.jms.Destination;
import jakarta.jms.InvalidDestinationException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import org.apache.qpid.jms.JmsConnectionFactory;

/** An application with an unmodified Qpid JMS client: what tests do with it again and again. Closes what it has opened. */
final class JmsApplication implements AutoCloseable {
    static final long SOON_MILLIS = 10_000;

    private static final long NOTHING_MILLIS = 50;

    private final RunningBroker broker;
    private final List<Connection> connections = new ArrayList<>();

    JmsApplication(RunningBroker broker) {
        this.broker = broker;
    }

    /** What happens to a message before it is sent. */
    @FunctionalInterface
    interface Touch {
        void to(Message message) throws JMSException;
    }

    /** A temporary destination is on its way out, or gone already: soon nobody finds it. */
    static void assertGoes(Session session, Destination destination) {
        assertThrows(InvalidDestinationException.class, () -> {
            while (true) {
                attachUnlessDeletedMeanwhile(session, destination);
            }
        });
    }

    private static void attachUnlessDeletedMeanwhile(Session session, Destination destination) throws JMSException {
        try {
            session.createProducer(destination).close();
        } catch (InvalidDestinationException e) {
            throw e;
        } catch (JMSException e) {
            assertTrue(e.getMessage().contains("deleted"), e.getMessage());
        }
    }

    Connection connect(String options) throws JMSException {
        Connection connection = new JmsConnectionFactory(broker.url() + options).createConnection();
        connections.add(connection);
        connection.start();
        return connection;
    }

    /** A session of a connection of its own. */
    Session session(int mode) throws JMSException {
        return connect("").createSession(mode);
    }

    Session session() throws JMSException {
        return session(Session.AUTO_ACKNOWLEDGE);
    }

    /** A consumer with a connection of its own. */
    MessageConsumer consumer(String queue) throws JMSException {
        Session session = session();
        return session.createConsumer(session.createQueue(queue));
    }

    /** One that asks for few messages at a time, so that others get some, too. */
    MessageConsumer modestConsumer(String queue, int prefetch) throws JMSException {
        Session session = connect("?jms.prefetchPolicy.all=" + prefetch).createSession();
        return session.createConsumer(session.createQueue(queue));
    }

    void send(String queue, String... texts) throws JMSException {
        send(queue, message -> {}, texts);
    }

    /** Sends texts that are touched before. */
    void send(String queue, Touch touch, String... texts) throws JMSException {
        try (Connection connection = connect("")) {
            Session session = connection.createSession();
            send(session, session.createProducer(session.createQueue(queue)), touch, texts);
        }
    }

    static void send(Session session, MessageProducer producer, Touch touch, String... texts) throws JMSException {
        for (String text : texts) {
            TextMessage message = session.createTextMessage(text);
            touch.to(message);
            producer.send(message);
        }
    }

    /** Sends texts that live so long. */
    void sendMortal(String queue, long ttlMillis, String... texts) throws JMSException {
        try (Connection connection = connect("")) {
            Session session = connection.createSession();
            MessageProducer producer = session.createProducer(session.createQueue(queue));
            producer.setTimeToLive(ttlMillis);
            send(session, producer, message -> {}, texts);
        }
    }

    /** Sends texts that are to be delivered later. */
    void sendDelayed(String queue, long delayMillis, String... texts) throws JMSException {
        try (Connection connection = connect("")) {
            Session session = connection.createSession();
            MessageProducer producer = session.createProducer(session.createQueue(queue));
            producer.setDeliveryDelay(delayMillis);
            send(session, producer, message -> {}, texts);
        }
    }

    static String text(Message message) throws JMSException {
        assertNotNull(message, "no message came");
        return assertInstanceOf(TextMessage.class, message).getText();
    }

    static List<String> receive(MessageConsumer consumer, int count) throws JMSException {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Message message = consumer.receive(SOON_MILLIS);
            assertNotNull(message, () -> "of " + count + " messages came only " + texts);
            texts.add(text(message));
        }
        return texts;
    }

    /** Whether a queue holds just these messages now, and consumes them. */
    void expect(String queue, String... texts) throws JMSException {
        try (Connection connection = connect("")) {
            Session session = connection.createSession();
            MessageConsumer consumer = session.createConsumer(session.createQueue(queue));
            assertEquals(List.of(texts), receive(consumer, texts.length));
            nothing(consumer);
        }
    }

    static void nothing(MessageConsumer consumer) throws JMSException {
        Message message = consumer.receive(NOTHING_MILLIS);
        assertNull(message, () -> "came, and should not have: " + message);
    }

    List<String> browse(String queue) throws JMSException {
        try (Connection connection = connect("")) {
            Session session = connection.createSession();
            QueueBrowser browser = session.createBrowser(session.createQueue(queue));
            List<String> seen = new ArrayList<>();
            for (Enumeration<?> e = browser.getEnumeration(); e.hasMoreElements(); ) {
                seen.add(text((Message) e.nextElement()));
            }
            return seen;
        }
    }

    /** Gives an outcome to a message that a session with {@code CLIENT_ACKNOWLEDGE} has received. */
    static void settle(Message message, int how) throws JMSException {
        message.setIntProperty("JMS_AMQP_ACK_TYPE", how);
        message.acknowledge();
    }

    @Override
    public void close() throws JMSException {
        for (Connection connection : connections) {
            connection.close();
        }
        connections.clear();
    }
}
