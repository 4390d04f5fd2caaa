package io.millrace.conformance.qpidjms;

import io.millrace.conformance.tap.Expect;
import jakarta.jms.Connection;
import jakarta.jms.IllegalStateException;
import jakarta.jms.JMSContext;
import jakarta.jms.JMSException;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import org.messaginghub.pooled.jms.JmsPoolConnectionFactory;

/** Pooled connections and sessions, as application servers and frameworks use them. */
final class Pooling {
    private Pooling() {}

    static void add(Tests tests) {
        tests.test("pool: five hundred sends, each with connection, session and producer of its own", Pooling::perMessage);
        tests.test("pool: the same with a producer for each destination", Pooling::explicitProducers);
        tests.test("pool: eight threads share two connections", Pooling::threads);
        tests.test("pool: a session that goes back to the pool rolls back and gives back what it held", Pooling::givenBack);
        tests.test("pool: a session too many is refused, and can be had when another is closed", Pooling::exhausted);
        tests.test("pool: temporary queues end when their connection goes back to the pool", Pooling::temporaryQueues);
        tests.test("pool: the simplified API (JMSContext)", Pooling::contexts);
        tests.test("pool: users log in, each with a connection of its own", Pooling::users);
        tests.test("pool: after a crash of the broker it hands out new connections", Duration.ofSeconds(60), Pooling::crash);
    }

    /** What a test does with a pool. */
    private interface Body {
        void run(JmsPoolConnectionFactory pool) throws Exception;
    }

    private static void pooled(Trial trial, Body body) throws Exception {
        JmsPoolConnectionFactory pool = new JmsPoolConnectionFactory();
        pool.setConnectionFactory(trial.factory());
        pool.start();
        try {
            body.run(pool);
        } finally {
            pool.stop();
        }
    }

    private static void send(JmsPoolConnectionFactory pool, String address, String text) throws JMSException {
        try (Connection connection = pool.createConnection();
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
                MessageProducer producer = session.createProducer(session.createQueue(address))) {
            producer.send(session.createTextMessage(text));
        }
    }

    private static void receive(JmsPoolConnectionFactory pool, String address, List<String> texts) throws JMSException {
        try (Connection connection = pool.createConnection();
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
                MessageConsumer consumer = session.createConsumer(session.createQueue(address))) {
            connection.start();
            Messages.expect(consumer, texts);
        }
    }

    private static void perMessage(Trial trial) throws Exception {
        pooled(trial, pool -> sendMany(trial, pool));
    }

    private static void explicitProducers(Trial trial) throws Exception {
        pooled(trial, pool -> {
            pool.setUseAnonymousProducers(false);
            pool.setExplicitProducerCacheSize(3);
            sendMany(trial, pool);
        });
    }

    private static void sendMany(Trial trial, JmsPoolConnectionFactory pool) throws JMSException {
        for (int i = 0; i < 100; i++) {
            for (int queue = 0; queue < 5; queue++) {
                send(pool, trial.address("" + queue), "" + i);
            }
        }
        Expect.equal(1, pool.getNumConnections(), "connections");
        for (int queue = 0; queue < 5; queue++) {
            receive(pool, trial.address("" + queue), Messages.numbers(0, 100));
        }
    }

    private static void threads(Trial trial) throws Exception {
        pooled(trial, pool -> {
            pool.setMaxConnections(2);
            List<Future<Void>> workers = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                String address = trial.address("" + i);
                workers.add(trial.beside(() -> {
                    for (int message = 0; message < 50; message++) {
                        send(pool, address, "" + message);
                    }
                    receive(pool, address, Messages.numbers(0, 50));
                    return null;
                }));
            }
            for (Future<Void> worker : workers) {
                worker.get();
            }
            Expect.equal(2, pool.getNumConnections(), "connections");
        });
    }

    private static void givenBack(Trial trial) throws Exception {
        pooled(trial, pool -> {
            Queue queue;
            try (Connection connection = pool.createConnection();
                    Session session = connection.createSession(true, Session.SESSION_TRANSACTED)) {
                connection.start();
                queue = session.createQueue(trial.address());
                Messages.send(session, queue, "one", "two");
                session.commit();
                Messages.send(session, queue, "never");
                Messages.expect(session.createConsumer(queue), "one");
            }
            try (Connection connection = pool.createConnection();
                    Session session = connection.createSession(true, Session.SESSION_TRANSACTED)) {
                connection.start();
                MessageConsumer consumer = session.createConsumer(queue);
                Messages.expect(consumer, "one", "two");
                Messages.expectNone(consumer);
                session.commit();
            }
        });
    }

    private static void exhausted(Trial trial) throws Exception {
        pooled(trial, pool -> {
            pool.setMaxSessionsPerConnection(5);
            pool.setBlockIfSessionPoolIsFull(false);
            Connection connection = pool.createConnection();
            List<Session> sessions = new ArrayList<>();
            for (int i = 0; i < 5; i++) {
                sessions.add(connection.createSession(false, Session.AUTO_ACKNOWLEDGE));
            }
            Expect.failure(
                    IllegalStateException.class,
                    "a sixth session",
                    () -> connection.createSession(false, Session.AUTO_ACKNOWLEDGE));
            sessions.get(2).close();
            Session again = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            Messages.send(again, again.createQueue(trial.address()), "one");
            connection.close();
            receive(pool, trial.address(), List.of("one"));
        });
    }

    private static void temporaryQueues(Trial trial) throws Exception {
        pooled(trial, pool -> {
            TemporaryQueue queue;
            try (Connection connection = pool.createConnection();
                    Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE)) {
                connection.start();
                queue = session.createTemporaryQueue();
                try (MessageConsumer consumer = session.createConsumer(queue)) {
                    Messages.send(session, queue, "one");
                    Messages.expect(consumer, "one");
                }
            }
            try (Connection connection = pool.createConnection();
                    Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE)) {
                Expect.failure(JMSException.class, "a send to it", () -> Messages.send(session, queue, "two"));
            }
        });
    }

    private static void contexts(Trial trial) throws Exception {
        pooled(trial, pool -> {
            for (int i = 0; i < 100; i++) {
                try (JMSContext context = pool.createContext()) {
                    context.createProducer().send(context.createQueue(trial.address()), "" + i);
                }
            }
            receive(pool, trial.address(), Messages.numbers(0, 100));
        });
    }

    private static void users(Trial trial) throws Exception {
        JmsPoolConnectionFactory pool = new JmsPoolConnectionFactory();
        pool.setConnectionFactory(new org.apache.qpid.jms.JmsConnectionFactory(trial.broker().userUrl()));
        pool.start();
        try (Connection connection = pool.createConnection(trial.broker().user(), trial.broker().password());
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE)) {
            connection.start();
            Queue queue = session.createQueue(trial.address());
            Messages.send(session, queue, "one");
            Messages.expect(session.createConsumer(queue), "one");
            Expect.failure(
                    JMSException.class,
                    "a wrong password",
                    () -> pool.createConnection(trial.broker().user(), "wrong").start());
        } finally {
            pool.stop();
        }
    }

    private static void crash(Trial trial) throws Exception {
        trial.broker().needsCrash();
        pooled(trial, pool -> {
            send(pool, trial.address(), "before");
            trial.broker().crash();
            Expect.within(Messages.PATIENCE, "a send that works", () -> {
                try {
                    send(pool, trial.address(), "after");
                    return true;
                } catch (JMSException e) {
                    return false;
                }
            });
            receive(pool, trial.address(), List.of("before", "after"));
        });
    }
}
