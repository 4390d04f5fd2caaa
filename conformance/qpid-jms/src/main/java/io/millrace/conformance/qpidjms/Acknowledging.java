package io.millrace.conformance.qpidjms;

import io.millrace.conformance.tap.Expect;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import java.util.List;

/** Acknowledgement in all its modes, recovery, and the outcomes of AMQP. */
final class Acknowledging {
    // Qpid JMS has these beside those of JMS (org.apache.qpid.jms.JmsSession).
    private static final int INDIVIDUAL = 101;
    private static final int NONE = 257;

    private static final String ACK_TYPE = "JMS_AMQP_ACK_TYPE";
    private static final int ACCEPTED = 1;
    private static final int REJECTED = 2;
    private static final int RELEASED = 3;
    private static final int FAILED = 4;
    private static final int UNDELIVERABLE = 5;

    private Acknowledging() {}

    static void add(Tests tests) {
        tests.test("automatic acknowledgement: what was received is gone", t -> automatic(t, Session.AUTO_ACKNOWLEDGE));
        tests.test("lazy acknowledgement (DUPS_OK): what was received is gone", t -> automatic(t, Session.DUPS_OK_ACKNOWLEDGE));
        tests.test("no acknowledgement: what was sent out is gone", Acknowledging::none);
        tests.test("CLIENT_ACKNOWLEDGE: one acknowledge stands for all that the session received", Acknowledging::client);
        tests.test("what was not acknowledged comes again after the session closed, in order and redelivered", Acknowledging::sessionClosed);
        tests.test("what was not acknowledged comes again after the connection was lost", Acknowledging::connectionClosed);
        tests.test("recover: what was not acknowledged comes again, redelivered", Acknowledging::recover);
        tests.test("individual acknowledgement takes one message out of many", Acknowledging::individual);
        tests.test("outcome accepted: the message is gone", Acknowledging::accepted);
        tests.test("outcome rejected: the message is not delivered again", Acknowledging::rejected);
        tests.test("outcome released: the message comes again and its delivery count is as before", Acknowledging::released);
        tests.test("outcome modified, failed: the message comes again and its delivery count has risen", Acknowledging::failed);
        tests.test("outcome modified, undeliverable here: another consumer gets the message", Acknowledging::undeliverable);
        tests.test("more redeliveries than the policy allows: the message is not delivered again", Acknowledging::redeliveryPolicy);
        tests.test("after so many failed attempts a message is in the dead-letter queue", Acknowledging::attempts);
    }

    private static Session session(Trial trial, int mode) throws JMSException {
        return trial.connect().createSession(false, mode);
    }

    private static void automatic(Trial trial, int mode) throws Exception {
        Session session = session(trial, mode);
        Queue queue = session.createQueue(trial.address());
        Messages.send(session, queue, Messages.numbers(0, 10));
        Messages.expect(session.createConsumer(queue), Messages.numbers(0, 4));
        session.close();
        Messages.expect(trial.session().createConsumer(queue), Messages.numbers(4, 10));
    }

    private static void none(Trial trial) throws Exception {
        Session session = session(trial, NONE);
        Queue queue = session.createQueue(trial.address());
        Messages.send(session, queue, Messages.numbers(0, 10));
        Messages.expect(session.createConsumer(queue), Messages.numbers(0, 10));
        session.close();
        Messages.expectNone(trial.session().createConsumer(queue));
    }

    private static void client(Trial trial) throws Exception {
        Session session = session(trial, Session.CLIENT_ACKNOWLEDGE);
        Queue queue = session.createQueue(trial.address("one"));
        Queue other = session.createQueue(trial.address("two"));
        Messages.send(session, queue, Messages.numbers(0, 10));
        Messages.send(session, other, Messages.numbers(0, 3));
        Messages.next(session.createConsumer(other), 2);
        List<Message> got = Messages.next(session.createConsumer(queue), 5);
        got.get(2).acknowledge();
        session.close();
        Session later = trial.session();
        Messages.expect(later.createConsumer(queue), Messages.numbers(5, 10));
        Messages.expect(later.createConsumer(other), "2");
    }

    private static void sessionClosed(Trial trial) throws Exception {
        Session session = session(trial, Session.CLIENT_ACKNOWLEDGE);
        Queue queue = session.createQueue(trial.address());
        Messages.send(session, queue, Messages.numbers(0, 6));
        Messages.next(session.createConsumer(queue), 3);
        session.close();
        expectAgain(trial.session().createConsumer(queue), 3, 6);
    }

    private static void connectionClosed(Trial trial) throws Exception {
        Connection connection = trial.connect();
        Session session = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        Queue queue = session.createQueue(trial.address());
        Messages.send(session, queue, Messages.numbers(0, 6));
        Messages.next(session.createConsumer(queue), 3);
        connection.close();
        expectAgain(trial.session().createConsumer(queue), 3, 6);
    }

    /** That all messages come in order, and those say redelivered that had been delivered. */
    private static void expectAgain(MessageConsumer consumer, int delivered, int all) throws JMSException {
        List<Message> got = Messages.next(consumer, all);
        Expect.equal(Messages.numbers(0, all), Messages.texts(got), "messages");
        for (int i = 0; i < delivered; i++) {
            Expect.equal(true, got.get(i).getJMSRedelivered(), "redelivered, message " + i);
            Expect.equal(2, Messages.deliveryCount(got.get(i)), "delivery count of message " + i);
        }
        Expect.equal(false, got.get(delivered).getJMSRedelivered(), "redelivered, the first that was not delivered");
    }

    private static void recover(Trial trial) throws Exception {
        Session session = session(trial, Session.CLIENT_ACKNOWLEDGE);
        Queue queue = session.createQueue(trial.address());
        Messages.send(session, queue, Messages.numbers(0, 6));
        MessageConsumer consumer = session.createConsumer(queue);
        Messages.next(consumer).acknowledge();
        Messages.expect(consumer, "1", "2");
        session.recover();
        List<Message> again = Messages.next(consumer, 5);
        Expect.equal(Messages.numbers(1, 6), Messages.texts(again), "messages");
        Expect.equal(true, again.get(0).getJMSRedelivered(), "redelivered");
        Expect.equal(2, Messages.deliveryCount(again.get(1)), "delivery count");
        Expect.equal(1, Messages.deliveryCount(again.get(2)), "delivery count of the first that was not delivered");
        again.get(4).acknowledge();
        session.close();
        Messages.expectNone(trial.session().createConsumer(queue));
    }

    private static void individual(Trial trial) throws Exception {
        Session session = session(trial, INDIVIDUAL);
        Queue queue = session.createQueue(trial.address());
        Messages.send(session, queue, Messages.numbers(0, 10));
        List<Message> got = Messages.next(session.createConsumer(queue), 8);
        for (int i : new int[] {5, 0, 7, 2}) {
            got.get(i).acknowledge();
        }
        session.close();
        Messages.expect(trial.session().createConsumer(queue), "1", "3", "4", "6", "8", "9");
    }

    /** Receives two messages with a prefetch of 1 and gives the first an outcome. */
    private static Queue settle(Trial trial, MessageConsumer consumer, int outcome) throws Exception {
        Message first = Messages.next(consumer);
        Expect.equal("first", Messages.text(first), "text");
        first.setIntProperty(ACK_TYPE, outcome);
        first.acknowledge();
        return (Queue) first.getJMSDestination();
    }

    private static MessageConsumer twoMessages(Trial trial) throws Exception {
        Session session = trial.connect("jms.prefetchPolicy.all=0").createSession(false, INDIVIDUAL);
        Queue queue = session.createQueue(trial.address());
        Messages.send(session, queue, "first", "second");
        return session.createConsumer(queue);
    }

    private static void accepted(Trial trial) throws Exception {
        MessageConsumer consumer = twoMessages(trial);
        Queue queue = settle(trial, consumer, ACCEPTED);
        Messages.expectQueue(trial.session(), queue, "second");
    }

    private static void rejected(Trial trial) throws Exception {
        MessageConsumer consumer = twoMessages(trial);
        Queue queue = settle(trial, consumer, REJECTED);
        Message second = Messages.next(consumer);
        Expect.equal("second", Messages.text(second), "text");
        second.acknowledge();
        Messages.expectNone(consumer);
        Messages.expectQueue(trial.session(), queue);
    }

    private static void released(Trial trial) throws Exception {
        MessageConsumer consumer = twoMessages(trial);
        settle(trial, consumer, RELEASED);
        List<Message> got = Messages.next(consumer, 2);
        Expect.equal(List.of("first", "second"), Messages.texts(got), "messages");
        Expect.equal(1, Messages.deliveryCount(got.get(0)), "delivery count");
    }

    private static void failed(Trial trial) throws Exception {
        MessageConsumer consumer = twoMessages(trial);
        settle(trial, consumer, FAILED);
        List<Message> got = Messages.next(consumer, 2);
        Expect.equal(List.of("first", "second"), Messages.texts(got), "messages");
        Expect.equal(2, Messages.deliveryCount(got.get(0)), "delivery count");
        Expect.equal(true, got.get(0).getJMSRedelivered(), "redelivered");
    }

    private static void undeliverable(Trial trial) throws Exception {
        MessageConsumer consumer = twoMessages(trial);
        Queue queue = settle(trial, consumer, UNDELIVERABLE);
        Messages.expect(consumer, "second");
        Messages.expectNone(consumer);
        Session other = trial.session();
        Message got = Messages.next(other.createConsumer(queue));
        Expect.equal("first", Messages.text(got), "text");
        Expect.equal(2, Messages.deliveryCount(got), "delivery count");
    }

    private static void redeliveryPolicy(Trial trial) throws Exception {
        Connection connection =
                trial.connect("jms.redeliveryPolicy.maxRedeliveries=2", "jms.redeliveryPolicy.outcome=REJECTED");
        Session session = connection.createSession(true, Session.SESSION_TRANSACTED);
        Queue queue = session.createQueue(trial.address());
        Messages.send(session, queue, "poison", "good");
        session.commit();
        MessageConsumer consumer = session.createConsumer(queue);
        for (int attempt = 1; attempt <= 3; attempt++) {
            Message got = Messages.next(consumer);
            Expect.equal("poison", Messages.text(got), "text of attempt " + attempt);
            Expect.equal(attempt, Messages.deliveryCount(got), "delivery count");
            session.rollback();
        }
        Messages.expect(consumer, "good");
        session.commit();
        Messages.expectQueue(trial.session(), queue);
    }

    private static void attempts(Trial trial) throws Exception {
        Session session = trial.connect().createSession(true, Session.SESSION_TRANSACTED);
        Queue queue = session.createQueue(trial.configured("attempts"));
        Queue dead = session.createQueue(queue.getQueueName() + ".dlq");
        String text = trial.address();
        Messages.send(session, queue, text);
        session.commit();
        try (MessageConsumer consumer = session.createConsumer(queue)) {
            for (int attempt = 1; attempt <= 3; attempt++) {
                Message got = Messages.next(consumer);
                Expect.equal(text, Messages.text(got), "text of attempt " + attempt);
                Expect.equal(attempt, Messages.deliveryCount(got), "delivery count");
                session.rollback();
            }
            Messages.expectNone(consumer);
        }
        MessageConsumer consumer = session.createConsumer(dead, "\"x-opt-death-reason\" = 'max-deliveries'");
        Messages.expect(consumer, text);
        session.commit();
    }
}
