package io.millrace.conformance.jmeter;

import javax.jms.Connection;
import javax.jms.JMSException;
import javax.jms.Message;
import javax.jms.MessageProducer;
import javax.jms.Session;
import javax.jms.TextMessage;
import org.apache.qpid.jms.JmsConnectionFactory;

/** Answers every request where it says, until it is closed. */
final class Replier implements AutoCloseable {
    private final Connection connection;
    private final Session session;
    private final MessageProducer producer;

    Replier(String url, String queue) throws JMSException {
        connection = new JmsConnectionFactory(url).createConnection();
        session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        producer = session.createProducer(null);
        session.createConsumer(session.createQueue(queue)).setMessageListener(this::answer);
        connection.start();
    }

    private void answer(Message request) {
        try {
            TextMessage reply = session.createTextMessage("the answer to " + ((TextMessage) request).getText());
            // JMeter matches a reply by the id of its request when its plan says so.
            reply.setJMSCorrelationID(request.getJMSMessageID());
            producer.send(request.getJMSReplyTo(), reply);
        } catch (JMSException e) {
            // The sample that waits for this reply fails, and tells.
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() throws JMSException {
        connection.close();
    }
}
