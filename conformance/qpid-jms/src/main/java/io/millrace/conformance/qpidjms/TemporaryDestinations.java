package io.millrace.conformance.qpidjms;

import io.millrace.conformance.tap.Expect;
import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.QueueConnection;
import jakarta.jms.QueueRequestor;
import jakarta.jms.QueueSession;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TemporaryTopic;
import jakarta.jms.TopicConnection;
import jakarta.jms.TopicRequestor;
import jakarta.jms.TopicSession;
import org.apache.qpid.jms.JmsConnectionFactory;

/** Request and reply, with temporary queues and topics and with a queue of fixed name. */
final class TemporaryDestinations {
    private TemporaryDestinations() {}

    static void add(Tests tests) {
        tests.test("a hundred requests are answered at a temporary queue", TemporaryDestinations::requests);
        tests.test("QueueRequestor gets its reply", TemporaryDestinations::queueRequestor);
        tests.test("TopicRequestor gets its reply", TemporaryDestinations::topicRequestor);
        tests.test("replies are told apart by correlation id at a queue of fixed name", TemporaryDestinations::fixedReplyQueue);
        tests.test("a temporary topic reaches all its consumers", TemporaryDestinations::temporaryTopic);
        tests.test("a temporary queue that was deleted takes no message", TemporaryDestinations::deleted);
        tests.test("a temporary queue that has a consumer can't be deleted", TemporaryDestinations::inUse);
        tests.test("a temporary queue ends with its connection", TemporaryDestinations::connectionGone);
        tests.test("only its own connection consumes from a temporary queue", TemporaryDestinations::ownConnection);
    }

    /** Answers each request that comes to a queue, on a connection of its own, at where it says that the reply should go. */
    private static void serve(Trial trial, Queue requests) throws JMSException {
        Session session = trial.session();
        MessageProducer producer = session.createProducer(null);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        session.createConsumer(requests).setMessageListener(request -> {
            try {
                Message reply = session.createTextMessage("reply to " + Messages.text(request));
                reply.setJMSCorrelationID(request.getJMSMessageID());
                producer.send(request.getJMSReplyTo(), reply);
            } catch (JMSException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private static void requests(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        serve(trial, queue);
        TemporaryQueue replies = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(replies);
        MessageProducer producer = session.createProducer(queue);
        for (int i = 0; i < 100; i++) {
            Message request = session.createTextMessage("" + i);
            request.setJMSReplyTo(replies);
            producer.send(request);
            Message reply = Messages.next(consumer);
            Expect.equal("reply to " + i, Messages.text(reply), "reply");
            Expect.equal(request.getJMSMessageID(), reply.getJMSCorrelationID(), "correlation id");
        }
        consumer.close();
        replies.delete();
    }

    private static void queueRequestor(Trial trial) throws Exception {
        JmsConnectionFactory factory = trial.factory();
        QueueConnection connection = trial.closing(factory.createQueueConnection());
        connection.start();
        QueueSession session = connection.createQueueSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = session.createQueue(trial.address());
        serve(trial, queue);
        QueueRequestor requestor = new QueueRequestor(session, queue);
        Expect.equal("reply to one", Messages.text(requestor.request(session.createTextMessage("one"))), "reply");
        requestor.close();
    }

    private static void topicRequestor(Trial trial) throws Exception {
        TopicConnection connection = trial.closing(trial.factory().createTopicConnection());
        connection.start();
        TopicSession session = connection.createTopicSession(false, Session.AUTO_ACKNOWLEDGE);
        Session serving = trial.session();
        MessageProducer producer = serving.createProducer(null);
        serving.createConsumer(serving.createTopic(trial.address())).setMessageListener(request -> {
            try {
                producer.send(request.getJMSReplyTo(), serving.createTextMessage("reply"));
            } catch (JMSException e) {
                throw new IllegalStateException(e);
            }
        });
        TopicRequestor requestor = new TopicRequestor(session, session.createTopic(trial.address()));
        Expect.equal("reply", Messages.text(requestor.request(session.createTextMessage("one"))), "reply");
        requestor.close();
    }

    private static void fixedReplyQueue(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        Queue replies = session.createQueue(trial.address("replies"));
        serve(trial, queue);
        MessageProducer producer = session.createProducer(queue);
        Message[] requests = new Message[10];
        for (int i = 0; i < requests.length; i++) {
            requests[i] = session.createTextMessage("" + i);
            requests[i].setJMSReplyTo(replies);
            producer.send(requests[i]);
        }
        for (int i = requests.length - 1; i >= 0; i--) {
            String selector = "JMSCorrelationID = '" + requests[i].getJMSMessageID() + "'";
            try (MessageConsumer consumer = session.createConsumer(replies, selector)) {
                Messages.expect(consumer, "reply to " + i);
            }
        }
    }

    private static void temporaryTopic(Trial trial) throws Exception {
        Connection connection = trial.connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        TemporaryTopic topic = session.createTemporaryTopic();
        MessageConsumer one = session.createConsumer(topic);
        MessageConsumer two =
                connection.createSession(false, Session.AUTO_ACKNOWLEDGE).createConsumer(topic);
        Messages.send(trial.session(), topic, "a", "b");
        Messages.expect(one, "a", "b");
        Messages.expect(two, "a", "b");
    }

    private static void deleted(Trial trial) throws Exception {
        Session session = trial.session();
        TemporaryQueue queue = session.createTemporaryQueue();
        Session other = trial.session();
        Messages.send(other, queue, "one");
        queue.delete();
        Expect.failure(JMSException.class, "a send to it", () -> Messages.send(other, queue, "two"));
        Messages.send(other, other.createQueue(trial.address()), "the session goes on");
    }

    private static void inUse(Trial trial) throws Exception {
        Session session = trial.session();
        TemporaryQueue queue = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(queue);
        Expect.failure(JMSException.class, "delete while in use", queue::delete);
        Messages.send(session, queue, "one");
        Messages.expect(consumer, "one");
        consumer.close();
        queue.delete();
    }

    private static void connectionGone(Trial trial) throws Exception {
        Connection connection = trial.connect();
        TemporaryQueue queue =
                connection.createSession(false, Session.AUTO_ACKNOWLEDGE).createTemporaryQueue();
        Session other = trial.session();
        Messages.send(other, queue, "one");
        connection.close();
        Expect.within(Messages.PATIENCE, "a send to it fails", () -> {
            try {
                Messages.send(other, queue, "two");
                return false;
            } catch (JMSException e) {
                return true;
            }
        });
    }

    private static void ownConnection(Trial trial) throws Exception {
        Session session = trial.session();
        TemporaryQueue queue = session.createTemporaryQueue();
        Session other = trial.session();
        Expect.failure(JMSException.class, "a consumer of another connection", () -> other.createConsumer(queue));
        Messages.send(other, queue, "one");
        Messages.expect(session.createConsumer(queue), "one");
    }
}
