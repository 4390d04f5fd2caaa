package io.millrace.conformance.spring;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.TextMessage;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.springframework.jms.core.JmsTemplate;
import org.springframework.jms.listener.AbstractJmsListeningContainer;
import org.springframework.jms.listener.DefaultMessageListenerContainer;

/** What one test has: the broker, an address that is its own, and containers that end with it. */
final class Trial implements AutoCloseable {
    /** How long a test waits for what must come. */
    static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Broker broker;
    private final String address;
    private final Deque<AutoCloseable> closing = new ArrayDeque<>();

    Trial(Broker broker, String address) {
        this.broker = broker;
        this.address = address;
    }

    Broker broker() {
        return broker;
    }

    /** An address that no other test has. */
    String address() {
        return address;
    }

    String address(String name) {
        return address + "." + name;
    }

    ConnectionFactory factory(String... options) {
        String query = options.length == 0 ? "" : "?" + String.join("&", options);
        return new JmsConnectionFactory(broker.url() + query);
    }

    /** Closes something when the test ends, the latest first. */
    void closing(AutoCloseable closeable) {
        closing.push(closeable);
    }

    /** A container on an address, not started yet, that is shut down when the test ends. */
    DefaultMessageListenerContainer container(ConnectionFactory factory, String destination) {
        DefaultMessageListenerContainer container = new DefaultMessageListenerContainer();
        container.setConnectionFactory(factory);
        container.setDestinationName(destination);
        container.setRecoveryInterval(200);
        closing(container::shutdown);
        return container;
    }

    static <C extends AbstractJmsListeningContainer> C started(C container) {
        container.afterPropertiesSet();
        container.start();
        return container;
    }

    /** A template that waits for what must come, over a connection of its own for each call. */
    JmsTemplate template() {
        return template(factory());
    }

    static JmsTemplate template(ConnectionFactory factory) {
        JmsTemplate template = new JmsTemplate(factory);
        template.setReceiveTimeout(PATIENCE.toMillis());
        return template;
    }

    static void send(JmsTemplate template, String destination, List<String> texts) {
        template.execute(destination, (session, producer) -> {
            for (String text : texts) {
                producer.send(session.createTextMessage(text));
            }
            return null;
        });
    }

    /** What a queue holds that no consumer has. */
    static List<String> browse(JmsTemplate template, String queue) {
        return template.browse(queue, (session, browser) -> {
            List<String> texts = new ArrayList<>();
            for (Object message : Collections.list(browser.getEnumeration())) {
                texts.add(((TextMessage) message).getText());
            }
            return texts;
        });
    }

    static void expectQueue(JmsTemplate template, String queue, String... texts) throws Exception {
        Expect.within(PATIENCE, queue + " holds " + List.of(texts), () -> browse(template, queue)
                .equals(List.of(texts)));
    }

    static List<String> numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(Integer::toString).collect(Collectors.toList());
    }

    @Override
    public void close() throws Exception {
        while (!closing.isEmpty()) {
            closing.pop().close();
        }
    }
}
