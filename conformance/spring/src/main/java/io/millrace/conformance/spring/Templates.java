package io.millrace.conformance.spring;

import io.millrace.conformance.tap.Expect;
import jakarta.jms.DeliveryMode;
import jakarta.jms.Message;
import jakarta.jms.TextMessage;
import java.util.Map;
import org.springframework.jms.connection.CachingConnectionFactory;
import org.springframework.jms.connection.JmsTransactionManager;
import org.springframework.jms.core.JmsTemplate;
import org.springframework.jms.listener.DefaultMessageListenerContainer;
import org.springframework.jms.listener.SessionAwareMessageListener;
import org.springframework.transaction.support.TransactionTemplate;

/** JmsTemplate. */
final class Templates {
    private Templates() {}

    static void add(Tests tests) {
        tests.test("template: converts, sends and receives text, bytes and maps", Templates::converting);
        tests.test("template: sends with priority, time to live, delay and delivery mode", Templates::qualityOfService);
        tests.test("template: receives without waiting, and by selector", Templates::receiving);
        tests.test("template: sendAndReceive gets its reply at a temporary queue", Templates::sendAndReceive);
        tests.test("template: five hundred sends over CachingConnectionFactory", Templates::caching);
        tests.test("template: sends and receives in a transaction, committed and rolled back", Templates::transactions);
    }

    private static void converting(Trial trial) {
        JmsTemplate template = trial.template();
        template.setDefaultDestinationName(trial.address());
        template.convertAndSend("text");
        template.convertAndSend(new byte[] {1, 2, 3});
        template.convertAndSend(Map.of("key", "value"));
        Expect.equal("text", template.receiveAndConvert(), "text");
        Expect.equal(3, ((byte[]) template.receiveAndConvert()).length, "bytes");
        Expect.equal(Map.of("key", "value"), template.receiveAndConvert(), "map");
    }

    private static void qualityOfService(Trial trial) throws Exception {
        JmsTemplate template = trial.template();
        template.setExplicitQosEnabled(true);
        template.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        template.setPriority(8);
        template.setTimeToLive(600_000);
        template.setDeliveryDelay(500);
        template.convertAndSend(trial.address(), "one");
        Message got = template.receive(trial.address());
        Expect.equal(DeliveryMode.NON_PERSISTENT, got.getJMSDeliveryMode(), "delivery mode");
        Expect.equal(8, got.getJMSPriority(), "priority");
        Expect.that(got.getJMSExpiration() > System.currentTimeMillis(), "an expiration to come");
        Expect.that(got.getJMSDeliveryTime() <= System.currentTimeMillis(), "not before its time");
    }

    private static void receiving(Trial trial) throws Exception {
        JmsTemplate template = trial.template();
        template.setReceiveTimeout(JmsTemplate.RECEIVE_TIMEOUT_NO_WAIT);
        Expect.equal(null, template.receive(trial.address()), "message of an empty queue");
        for (int i = 0; i < 5; i++) {
            int number = i;
            template.convertAndSend(trial.address(), "" + i, message -> {
                message.setIntProperty("number", number);
                return message;
            });
        }
        Expect.equal("3", template.receiveSelectedAndConvert(trial.address(), "number = 3"), "selected message");
        Expect.equal(null, template.receiveSelected(trial.address(), "number = 3"), "selected message again");
        // Each receive has a connection of its own, and what that had prefetched goes back when it closes.
        template.setReceiveTimeout(Trial.PATIENCE.toMillis());
        for (String text : new String[] {"0", "1", "2", "4"}) {
            Expect.equal(text, template.receiveAndConvert(trial.address()), "message");
        }
    }

    private static void sendAndReceive(Trial trial) throws Exception {
        DefaultMessageListenerContainer container = trial.container(trial.factory(), trial.address());
        container.setMessageListener((SessionAwareMessageListener<TextMessage>) (request, session) -> {
            TextMessage reply = session.createTextMessage("reply to " + request.getText());
            reply.setJMSCorrelationID(request.getJMSMessageID());
            session.createProducer(null).send(request.getJMSReplyTo(), reply);
        });
        Trial.started(container);
        JmsTemplate template = trial.template();
        for (int i = 0; i < 10; i++) {
            String text = "" + i;
            Message reply = template.sendAndReceive(trial.address(), session -> session.createTextMessage(text));
            Expect.that(reply != null, "a reply");
            Expect.equal("reply to " + i, ((TextMessage) reply).getText(), "reply");
        }
    }

    private static CachingConnectionFactory cachingFactory(Trial trial) {
        CachingConnectionFactory factory = new CachingConnectionFactory(trial.factory());
        factory.setSessionCacheSize(5);
        trial.closing(factory::destroy);
        return factory;
    }

    private static void caching(Trial trial) {
        CachingConnectionFactory factory = cachingFactory(trial);
        JmsTemplate template = Trial.template(factory);
        for (int i = 0; i < 500; i++) {
            template.convertAndSend(trial.address("" + i % 5), "" + i);
        }
        for (int i = 0; i < 500; i++) {
            Expect.equal("" + i, template.receiveAndConvert(trial.address("" + i % 5)), "message");
        }
    }

    private static void transactions(Trial trial) throws Exception {
        CachingConnectionFactory factory = cachingFactory(trial);
        JmsTemplate template = Trial.template(factory);
        template.setSessionTransacted(true);
        TransactionTemplate transaction = new TransactionTemplate(new JmsTransactionManager(factory));
        transaction.executeWithoutResult(status -> {
            template.convertAndSend(trial.address(), "never");
            status.setRollbackOnly();
        });
        transaction.executeWithoutResult(status -> {
            template.convertAndSend(trial.address(), "one");
            template.convertAndSend(trial.address(), "two");
        });
        transaction.executeWithoutResult(status -> {
            Expect.equal("one", template.receiveAndConvert(trial.address()), "message");
            template.convertAndSend(trial.address("next"), "never");
            status.setRollbackOnly();
        });
        transaction.executeWithoutResult(status -> {
            Message again = template.receive(trial.address());
            try {
                Expect.equal("one", ((TextMessage) again).getText(), "message again");
                Expect.equal(true, again.getJMSRedelivered(), "redelivered");
            } catch (jakarta.jms.JMSException e) {
                throw new IllegalStateException(e);
            }
            template.convertAndSend(trial.address("next"), "for good");
        });
        factory.resetConnection();
        Trial.expectQueue(trial.template(), trial.address(), "two");
        Trial.expectQueue(trial.template(), trial.address("next"), "for good");
    }
}
