package io.millrace.conformance.qpidjms;

import io.millrace.conformance.tap.Expect;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.TransactionRolledBackException;
import java.time.Duration;
import java.util.List;

/** Transacted sessions. */
final class Transacting {
    private Transacting() {}

    static void add(Tests tests) {
        tests.test("what a transaction sends is seen when it is committed, all of it and in order", Transacting::commitSends);
        tests.test("what a transaction sent is never seen when it is rolled back", Transacting::rollbackSends);
        tests.test("what a transaction received is gone when it is committed", Transacting::commitReceipts);
        tests.test("what a transaction received comes again in order, redelivered, when it is rolled back", Transacting::rollbackReceipts);
        tests.test("a message that is rolled back comes before newer ones", Transacting::orderAfterRollback);
        tests.test("messages move from queue to queue in transactions, every third rolled back", Transacting::forward);
        tests.test("one transaction sends to queues and topics", Transacting::manyDestinations);
        tests.test("a session that closes rolls back", Transacting::closed);
        tests.test("a transaction of a thousand sends and a thousand receipts", Transacting::large);
        tests.test("a commit fails, and rolls back, when the broker refuses one of the messages", Transacting::refused);
        tests.test("a listener of a transacted session commits and rolls back", Transacting::listener);
        tests.test("what was committed survives a crash, what was not does not", Duration.ofSeconds(60), Transacting::crash);
    }

    private static Session session(Trial trial) throws JMSException {
        return trial.connect().createSession(true, Session.SESSION_TRANSACTED);
    }

    private static void commitSends(Trial trial) throws Exception {
        Session session = session(trial);
        Queue queue = session.createQueue(trial.address());
        Session other = trial.session();
        MessageConsumer consumer = other.createConsumer(queue);
        for (int i = 0; i < 3; i++) {
            Messages.send(session, queue, Messages.numbers(0, 10));
            Messages.expectNone(consumer);
            session.commit();
            Messages.expect(consumer, Messages.numbers(0, 10));
        }
    }

    private static void rollbackSends(Trial trial) throws Exception {
        Session session = session(trial);
        Queue queue = session.createQueue(trial.address());
        Messages.send(session, queue, "never");
        session.rollback();
        Messages.send(session, queue, "for good");
        session.commit();
        MessageConsumer consumer = trial.session().createConsumer(queue);
        Messages.expect(consumer, "for good");
        Messages.expectNone(consumer);
    }

    private static void commitReceipts(Trial trial) throws Exception {
        Session session = session(trial);
        Queue queue = session.createQueue(trial.address());
        Messages.send(trial.session(), queue, Messages.numbers(0, 10));
        Messages.expect(session.createConsumer(queue), Messages.numbers(0, 6));
        session.commit();
        session.close();
        Messages.expect(trial.session().createConsumer(queue), Messages.numbers(6, 10));
    }

    private static void rollbackReceipts(Trial trial) throws Exception {
        Session session = session(trial);
        Queue queue = session.createQueue(trial.address());
        Messages.send(trial.session(), queue, Messages.numbers(0, 10));
        MessageConsumer consumer = session.createConsumer(queue);
        for (int attempt = 1; attempt <= 4; attempt++) {
            List<Message> got = Messages.next(consumer, 5);
            Expect.equal(Messages.numbers(0, 5), Messages.texts(got), "messages of attempt " + attempt);
            for (Message message : got) {
                Expect.equal(attempt > 1, message.getJMSRedelivered(), "redelivered");
                Expect.equal(attempt, Messages.deliveryCount(message), "delivery count");
            }
            session.rollback();
        }
        List<Message> all = Messages.next(consumer, 10);
        Expect.equal(Messages.numbers(0, 10), Messages.texts(all), "messages at last");
        Expect.equal(1, Messages.deliveryCount(all.get(9)), "delivery count of what was only prefetched");
        session.commit();
        Messages.expectNone(consumer);
    }

    private static void orderAfterRollback(Trial trial) throws Exception {
        Session session = session(trial);
        Queue queue = session.createQueue(trial.address());
        Session sending = trial.session();
        Messages.send(sending, queue, "0", "1");
        MessageConsumer consumer = session.createConsumer(queue);
        Messages.expect(consumer, "0", "1");
        Messages.send(sending, queue, "2");
        session.rollback();
        Messages.send(sending, queue, "3");
        Messages.expect(consumer, "0", "1", "2", "3");
        session.commit();
    }

    private static void forward(Trial trial) throws Exception {
        Session session = session(trial);
        Queue from = session.createQueue(trial.address("from"));
        Queue to = session.createQueue(trial.address("to"));
        Messages.send(trial.session(), from, Messages.numbers(0, 60));
        MessageConsumer consumer = session.createConsumer(from);
        MessageProducer producer = session.createProducer(to);
        int done = 0;
        for (int round = 1; done < 60; round++) {
            Message message = Messages.next(consumer);
            Expect.equal("" + done, Messages.text(message), "message of round " + round);
            producer.send(session.createTextMessage(Messages.text(message)));
            if (round % 3 == 0) {
                session.rollback();
            } else {
                session.commit();
                done++;
            }
        }
        Messages.expectNone(consumer);
        MessageConsumer forwarded = trial.session().createConsumer(to);
        Messages.expect(forwarded, Messages.numbers(0, 60));
        Messages.expectNone(forwarded);
    }

    private static void manyDestinations(Trial trial) throws Exception {
        Session session = session(trial);
        Session other = trial.session();
        MessageConsumer subscriber = other.createConsumer(other.createTopic(trial.address("topic")));
        for (int i = 0; i < 5; i++) {
            Messages.send(session, session.createQueue(trial.address("queue-" + i)), "" + i);
        }
        Messages.send(session, session.createTopic(trial.address("topic")), "news");
        Messages.expectNone(subscriber);
        session.commit();
        Messages.expect(subscriber, "news");
        for (int i = 0; i < 5; i++) {
            Messages.expect(other.createConsumer(other.createQueue(trial.address("queue-" + i))), "" + i);
        }
    }

    private static void closed(Trial trial) throws Exception {
        Connection connection = trial.connect();
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        Queue queue = session.createQueue(trial.address());
        Messages.send(trial.session(), queue, "one", "two");
        Messages.send(session, queue, "never");
        Messages.expect(session.createConsumer(queue), "one");
        session.close();
        MessageConsumer consumer = trial.session().createConsumer(queue);
        List<Message> got = Messages.next(consumer, 2);
        Expect.equal(List.of("one", "two"), Messages.texts(got), "messages");
        Expect.equal(true, got.get(0).getJMSRedelivered(), "redelivered");
        Messages.expectNone(consumer);
    }

    private static void large(Trial trial) throws Exception {
        Session session = session(trial);
        Queue queue = session.createQueue(trial.address());
        List<String> texts = Messages.numbers(0, 1_000);
        Messages.send(session, queue, texts);
        session.commit();
        MessageConsumer consumer = session.createConsumer(queue);
        Messages.expect(consumer, texts);
        session.rollback();
        Messages.expect(consumer, texts);
        session.commit();
        Messages.expectNone(consumer);
    }

    private static void refused(Trial trial) throws Exception {
        Session session = session(trial);
        Queue full = session.createQueue(trial.configured("full"));
        Queue other = session.createQueue(trial.address());
        Messages.empty(trial.session(), full);
        Messages.send(session, other, "with the others");
        Messages.send(session, full, Messages.numbers(0, 6));
        Expect.failure(TransactionRolledBackException.class, "commit of a message too many", session::commit);
        Messages.send(session, other, "next transaction");
        session.commit();
        Session reading = trial.session();
        Messages.expect(reading.createConsumer(other), "next transaction");
        Messages.expectNone(reading.createConsumer(full));
    }

    private static void listener(Trial trial) throws Exception {
        Session session = session(trial);
        Queue queue = session.createQueue(trial.address());
        Queue results = session.createQueue(trial.address("results"));
        MessageProducer producer = session.createProducer(results);
        session.createConsumer(queue).setMessageListener(message -> {
            try {
                producer.send(session.createTextMessage(Messages.text(message)));
                if (Messages.deliveryCount(message) < 3) {
                    session.rollback();
                } else {
                    session.commit();
                }
            } catch (JMSException e) {
                throw new IllegalStateException(e);
            }
        });
        Session other = trial.session();
        Messages.send(other, queue, Messages.numbers(0, 5));
        MessageConsumer consumer = other.createConsumer(results);
        Messages.expect(consumer, Messages.numbers(0, 5));
        Messages.expectNone(consumer);
    }

    private static void crash(Trial trial) throws Exception {
        trial.broker().needsCrash();
        Session done = session(trial);
        Queue queue = done.createQueue(trial.address());
        Messages.send(done, queue, Messages.numbers(0, 10));
        done.commit();
        MessageConsumer first = done.createConsumer(queue);
        Messages.expect(first, "0", "1");
        done.commit();
        Messages.expect(first, "2", "3");
        Messages.send(done, queue, "never");
        trial.broker().crash();
        Expect.failure(JMSException.class, "a commit after the crash", done::commit);
        MessageConsumer consumer = trial.session().createConsumer(queue);
        Messages.expect(consumer, Messages.numbers(2, 10));
        Messages.expectNone(consumer);
    }
}
