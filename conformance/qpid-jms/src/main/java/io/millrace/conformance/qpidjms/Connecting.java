package io.millrace.conformance.qpidjms;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import jakarta.jms.CompletionListener;
import jakarta.jms.Connection;
import jakarta.jms.InvalidClientIDException;
import jakarta.jms.JMSConsumer;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSException;
import jakarta.jms.JMSSecurityException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.qpid.jms.JmsConnectionFactory;

/** Connections: logging in, client ids, closing, many at once. */
final class Connecting {
    private Connecting() {}

    static void add(Tests tests) {
        tests.test("a user logs in with PLAIN", t -> logsIn(t, "PLAIN"));
        tests.test("a user logs in with SCRAM-SHA-256", t -> logsIn(t, "SCRAM-SHA-256"));
        tests.test("a user logs in with SCRAM-SHA-512", t -> logsIn(t, "SCRAM-SHA-512"));
        tests.test("a wrong password, an unknown user and no user are refused", Connecting::refused);
        tests.test("connects without SASL", t -> roundTrip(t, t.session("amqp.saslLayer=false")));
        tests.test("connects with another host name (amqp.vhost)", t -> roundTrip(t, t.session("amqp.vhost=elsewhere")));
        tests.test("a client id that is in use is refused, and can be had when it is free", Connecting::clientId);
        tests.test("the simplified API (JMSContext) sends and receives", Connecting::context);
        tests.test("close ends a receive that waits", Connecting::closeEndsReceive);
        tests.test("close waits for a listener that works", Connecting::closeWaitsForListener);
        tests.test("close leaves no asynchronous send without completion", Connecting::closeCompletesSends);
        tests.test("eight sessions of one connection send and receive at the same time", Connecting::concurrentSessions);
        tests.test("two hundred sessions, producers and consumers come and go", Connecting::churn);
        tests.test("fifty connections at once", Connecting::manyConnections);
        tests.test("an idle connection stays open by heartbeats", Connecting::heartbeats);
    }

    private static void roundTrip(Trial trial, Session session) throws JMSException {
        Queue queue = session.createQueue(trial.address());
        Messages.send(session, queue, "one");
        Messages.expect(session.createConsumer(queue), "one");
    }

    private static Connection connect(Trial trial, String user, String password, String... options) throws JMSException {
        JmsConnectionFactory factory = new JmsConnectionFactory(Trial.url(trial.broker().userUrl(), options));
        Connection connection = trial.closing(factory.createConnection(user, password));
        connection.start();
        return connection;
    }

    private static void logsIn(Trial trial, String mechanism) throws Exception {
        Broker broker = trial.broker();
        Connection connection;
        try {
            connection = connect(trial, broker.user(), broker.password(), "amqp.saslMechanisms=" + mechanism);
        } catch (JMSSecurityException e) {
            if (e.getMessage().toLowerCase(Locale.ROOT).contains("suitable sasl mechanism")) {
                throw new Tap.Skipped("the broker does not offer " + mechanism);
            }
            throw e;
        }
        roundTrip(trial, connection.createSession(false, Session.AUTO_ACKNOWLEDGE));
    }

    private static void refused(Trial trial) throws Exception {
        Broker broker = trial.broker();
        String user = broker.user();
        Expect.failure(JMSSecurityException.class, "a wrong password", () -> connect(trial, user, "wrong"));
        Expect.failure(JMSSecurityException.class, "an empty password", () -> connect(trial, user, ""));
        Expect.failure(
                JMSSecurityException.class, "an unknown user", () -> connect(trial, "nobody", broker.password()));
        Expect.failure(JMSSecurityException.class, "no user", () -> connect(trial, null, null));
        Expect.failure(
                JMSException.class, "no SASL", () -> connect(trial, user, broker.password(), "amqp.saslLayer=false"));
        roundTrip(trial, connect(trial, user, broker.password()).createSession(false, Session.AUTO_ACKNOWLEDGE));
    }

    private static void clientId(Trial trial) throws Exception {
        String option = "jms.clientID=" + trial.address("client");
        Connection first = trial.connect(option);
        Expect.failure(InvalidClientIDException.class, "the same client id", () -> trial.connect(option));
        roundTrip(trial, first.createSession(false, Session.AUTO_ACKNOWLEDGE));
        first.close();
        roundTrip(trial, trial.session(option));
    }

    private static void context(Trial trial) throws Exception {
        try (JMSContext context = trial.factory().createContext(JMSContext.CLIENT_ACKNOWLEDGE)) {
            Queue queue = context.createQueue(trial.address());
            context.createProducer()
                    .setProperty("color", "red")
                    .setJMSType("order")
                    .setPriority(7)
                    .send(queue, "one");
            context.createProducer().send(queue, new byte[] {1, 2});
            context.createProducer().send(queue, java.util.Map.of("key", 1));
            JMSConsumer consumer = context.createConsumer(queue);
            Message first = consumer.receive(Messages.PATIENCE.toMillis());
            Expect.equal("one", first.getBody(String.class), "text");
            Expect.equal("red", first.getStringProperty("color"), "color");
            Expect.equal(7, first.getJMSPriority(), "priority");
            Expect.equal(2, consumer.receiveBody(byte[].class, Messages.PATIENCE.toMillis()).length, "bytes");
            context.recover();
            Expect.equal("one", consumer.receiveBody(String.class, Messages.PATIENCE.toMillis()), "text again");
            Expect.equal(2, consumer.receiveBody(byte[].class, Messages.PATIENCE.toMillis()).length, "bytes again");
            Expect.equal(
                    1, consumer.receiveBody(java.util.Map.class, Messages.PATIENCE.toMillis()).get("key"), "map");
            context.acknowledge();
        }
        Session session = trial.session();
        Messages.expectQueue(session, session.createQueue(trial.address()));
    }

    private static void closeEndsReceive(Trial trial) throws Exception {
        Connection connection = trial.connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(session.createQueue(trial.address()));
        CountDownLatch waiting = new CountDownLatch(1);
        Future<Message> message = trial.beside(() -> {
            waiting.countDown();
            return consumer.receive();
        });
        waiting.await();
        connection.close();
        try {
            Expect.equal(null, message.get(15, TimeUnit.SECONDS), "message");
        } catch (java.util.concurrent.ExecutionException e) {
            // It had not begun to wait when the connection closed.
            Expect.that(e.getCause() instanceof jakarta.jms.IllegalStateException, "an end, not " + e.getCause());
        }
    }

    private static void closeWaitsForListener(Trial trial) throws Exception {
        Connection connection = trial.connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = session.createQueue(trial.address());
        CountDownLatch begun = new CountDownLatch(1);
        AtomicInteger ended = new AtomicInteger();
        session.createConsumer(queue).setMessageListener(message -> {
            begun.countDown();
            try {
                Thread.sleep(300); // the work
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            ended.incrementAndGet();
        });
        Session other = trial.session();
        Messages.send(other, queue, "one", "two", "three");
        begun.await();
        connection.close();
        int done = ended.get();
        Expect.that(done >= 1, "the listener's work done");
        Expect.within(Messages.PATIENCE, "the rest is there", () -> Messages.browse(other, queue).size() == 3 - done);
    }

    private static void closeCompletesSends(Trial trial) throws Exception {
        Connection connection = trial.connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = session.createQueue(trial.address());
        AtomicInteger completed = new AtomicInteger();
        AtomicInteger failed = new AtomicInteger();
        CompletionListener listener = new CompletionListener() {
            @Override
            public void onCompletion(Message message) {
                completed.incrementAndGet();
            }

            @Override
            public void onException(Message message, Exception exception) {
                failed.incrementAndGet();
            }
        };
        MessageProducer producer = session.createProducer(queue);
        for (int i = 0; i < 500; i++) {
            producer.send(session.createTextMessage("" + i), listener);
        }
        connection.close();
        Expect.within(
                Messages.PATIENCE, "a completion for each of 500", () -> completed.get() + failed.get() == 500);
        List<Message> got = Messages.next(trial.session().createConsumer(queue), completed.get());
        Expect.equal(Messages.numbers(0, completed.get()), Messages.texts(got), "messages that completed");
    }

    private static void concurrentSessions(Trial trial) throws Exception {
        Connection connection = trial.connect();
        List<Future<Void>> workers = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            String address = trial.address("" + i);
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            workers.add(trial.beside(() -> {
                Queue queue = session.createQueue(address);
                MessageConsumer consumer = session.createConsumer(queue);
                for (int round = 0; round < 20; round++) {
                    Messages.send(session, queue, Messages.numbers(0, 10));
                    Messages.expect(consumer, Messages.numbers(0, 10));
                }
                return null;
            }));
        }
        for (Future<Void> worker : workers) {
            worker.get();
        }
    }

    private static void churn(Trial trial) throws Exception {
        Connection connection = trial.connect();
        for (int i = 0; i < 200; i++) {
            try (Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE)) {
                Queue queue = session.createQueue(trial.address("" + i % 5));
                Messages.send(session, queue, "" + i);
                try (MessageConsumer consumer = session.createConsumer(queue)) {
                    Messages.expect(consumer, "" + i);
                }
            }
        }
    }

    private static void manyConnections(Trial trial) throws Exception {
        List<Session> sessions = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            sessions.add(trial.session());
        }
        for (int i = 0; i < 50; i++) {
            Session session = sessions.get(i);
            Queue queue = session.createQueue(trial.address("" + i));
            Messages.send(session, queue, "" + i);
            Messages.expect(sessions.get(49 - i).createConsumer(queue), "" + i);
        }
    }

    private static void heartbeats(Trial trial) throws Exception {
        Connection connection = trial.connect("amqp.idleTimeout=1000");
        AtomicInteger failures = new AtomicInteger();
        connection.setExceptionListener(e -> failures.incrementAndGet());
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Expect.equal(
                null,
                session.createConsumer(session.createQueue(trial.address("silent"))).receive(3_000),
                "message in three idle times");
        roundTrip(trial, session);
        Expect.equal(0, failures.get(), "failures of the connection");
    }
}
