package io.millrace.conformance.qpidjms;

import io.millrace.conformance.tap.Expect;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Text messages, sent and received a few at a time. */
final class Messages {
    /** How long a test waits for what must come. */
    static final Duration PATIENCE = Duration.ofSeconds(15);

    private Messages() {}

    static void send(Session session, Destination destination, String... texts) throws JMSException {
        send(session, destination, List.of(texts));
    }

    static void send(Session session, Destination destination, List<String> texts) throws JMSException {
        try (MessageProducer producer = session.createProducer(destination)) {
            for (String text : texts) {
                producer.send(session.createTextMessage(text));
            }
        }
    }

    /** The numbers from one up to, and without, another. */
    static List<String> numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(Integer::toString).collect(Collectors.toList());
    }

    static String text(Message message) throws JMSException {
        return ((TextMessage) message).getText();
    }

    static int deliveryCount(Message message) throws JMSException {
        return message.getIntProperty("JMSXDeliveryCount");
    }

    /** The next message, which must come. */
    static Message next(MessageConsumer consumer) throws JMSException {
        Message message = consumer.receive(PATIENCE.toMillis());
        Expect.that(message != null, "a message within " + PATIENCE.toSeconds() + " s");
        return message;
    }

    /** The next messages, of which each must come. The last of them is the one to acknowledge. */
    static List<Message> next(MessageConsumer consumer, int count) throws JMSException {
        List<Message> messages = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Message message = consumer.receive(PATIENCE.toMillis());
            if (message == null) {
                throw new AssertionError("expected " + count + " messages, but got only " + texts(messages));
            }
            messages.add(message);
        }
        return messages;
    }

    static List<String> texts(List<Message> messages) throws JMSException {
        List<String> texts = new ArrayList<>();
        for (Message message : messages) {
            texts.add(text(message));
        }
        return texts;
    }

    /** That these come, in this order. */
    static void expect(MessageConsumer consumer, String... texts) throws JMSException {
        expect(consumer, List.of(texts));
    }

    static void expect(MessageConsumer consumer, List<String> texts) throws JMSException {
        Expect.equal(texts, texts(next(consumer, texts.size())), "messages");
    }

    /** That the broker has nothing for a consumer: it is asked (with drain), so there is no need to wait. */
    static void expectNone(MessageConsumer consumer) throws JMSException {
        Message message = consumer.receiveNoWait();
        Expect.that(message == null, "no message, but there is " + message);
    }

    /** Takes what is in a queue that tests share. */
    static void empty(Session session, Queue queue) throws JMSException {
        try (MessageConsumer consumer = session.createConsumer(queue)) {
            while (consumer.receiveNoWait() != null) {}
        }
    }

    /** What a browser finds in a queue. */
    static List<String> browse(Session session, Queue queue) throws JMSException {
        return browse(session, queue, null);
    }

    static List<String> browse(Session session, Queue queue, String selector) throws JMSException {
        List<String> texts = new ArrayList<>();
        try (QueueBrowser browser = session.createBrowser(queue, selector)) {
            for (Object message : Collections.list(browser.getEnumeration())) {
                texts.add(text((Message) message));
            }
        }
        return texts;
    }

    /** That a queue comes to hold these. */
    static void expectQueue(Session session, Queue queue, String... texts) throws Exception {
        Expect.within(PATIENCE, queue + " holds " + List.of(texts), () -> browse(session, queue)
                .equals(List.of(texts)));
    }
}
