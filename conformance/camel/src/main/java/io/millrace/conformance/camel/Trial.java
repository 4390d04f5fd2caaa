package io.millrace.conformance.camel;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.camel.CamelContext;
import org.apache.camel.ConsumerTemplate;
import org.apache.camel.ProducerTemplate;
import org.apache.camel.builder.RouteBuilder;
import org.apache.camel.component.amqp.AMQPComponent;
import org.apache.camel.impl.DefaultCamelContext;

/** What one test has: the broker, an address that is its own, and a Camel context with the component {@code amqp}. */
final class Trial implements AutoCloseable {
    /** How long a test waits for what must come. */
    static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Broker broker;
    private final String address;
    private final CamelContext context = new DefaultCamelContext();
    private final ProducerTemplate producer;
    private final ConsumerTemplate consumer;

    /** What a route is. */
    interface Route {
        void configure(RouteBuilder builder);
    }

    Trial(Broker broker, String address) throws Exception {
        this.broker = broker;
        this.address = address;
        AMQPComponent component = new AMQPComponent();
        component.setHost(broker.host());
        component.setPort(broker.port());
        component.setRecoveryInterval(200);
        context.addComponent("amqp", component);
        context.getShutdownStrategy().setTimeout(10);
        context.start();
        producer = context.createProducerTemplate();
        consumer = context.createConsumerTemplate();
    }

    Broker broker() {
        return broker;
    }

    /** An address that no other test has. */
    String address() {
        return address;
    }

    /** The endpoint of a queue that no other test has. */
    String queue(String name, String... options) {
        return endpoint("amqp:queue:" + address + "." + name, options);
    }

    /** The endpoint of a topic that no other test has. */
    String topic(String name, String... options) {
        return endpoint("amqp:topic:" + address + "." + name, options);
    }

    static String endpoint(String base, String... options) {
        return options.length == 0 ? base : base + "?" + String.join("&", options);
    }

    CamelContext context() {
        return context;
    }

    /** Adds a route and starts it. */
    void route(Route route) throws Exception {
        context.addRoutes(new RouteBuilder() {
            @Override
            public void configure() {
                route.configure(this);
            }
        });
    }

    void send(String endpoint, Object body) {
        producer.sendBody(endpoint, body);
    }

    void send(String endpoint, Object body, Map<String, Object> headers) {
        producer.sendBodyAndHeaders(endpoint, body, headers);
    }

    Object request(String endpoint, Object body) {
        return producer.requestBody(endpoint, body);
    }

    ProducerTemplate producer() {
        return producer;
    }

    ConsumerTemplate consumer() {
        return consumer;
    }

    /** That these come, in this order. */
    void expect(String endpoint, List<String> texts) {
        for (String text : texts) {
            Expect.equal(text, consumer.receiveBody(endpoint, PATIENCE.toMillis()), "message of " + endpoint);
        }
    }

    static List<String> numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(Integer::toString).collect(Collectors.toList());
    }

    @Override
    public void close() {
        consumer.stop();
        context.stop();
    }
}
