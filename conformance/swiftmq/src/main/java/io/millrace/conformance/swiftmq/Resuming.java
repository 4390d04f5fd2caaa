package io.millrace.conformance.swiftmq;

import com.swiftmq.amqp.v100.client.Connection;
import com.swiftmq.amqp.v100.client.Consumer;
import com.swiftmq.amqp.v100.client.DefaultDeliveryMemory;
import com.swiftmq.amqp.v100.client.DeliveryMemory;
import com.swiftmq.amqp.v100.client.Producer;
import com.swiftmq.amqp.v100.client.QoS;
import com.swiftmq.amqp.v100.client.UnsettledDelivery;
import com.swiftmq.amqp.v100.generated.transport.definitions.DeliveryTag;
import com.swiftmq.amqp.v100.messaging.AMQPMessage;
import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/** Links that go on after their connection was cut, with what was unsettled. */
final class Resuming extends Clients {
    private static final int MESSAGES = 50;

    Resuming(Broker broker) {
        super(broker);
    }

    void run(Tap tap) {
        tap.test("a producer that lost its connection sends again what was not settled, and nothing is there twice", this::producer);
        tap.test("a producer loses its connection five times, and each message is there once", this::oftenCut);
        tap.test("a consumer that lost its connection misses nothing", () -> consumer(false));
        tap.todo(
                "a consumer that lost its connection settles what it had accepted, and it does not come again",
                "fault of the client: com/swiftmq/amqp/v100/client/SessionDispatcher.java, visit(POAttachConsumer), asks for"
                        + " receiver-settle-mode first, and for a source that expires when the link is gone (link-detach, timeout"
                        + " 0), also for exactly once: nobody has to keep what it will ask for; what it accepted just before may come"
                        + " again",
                () -> consumer(true));
    }

    /** Sends, cuts the connection without waiting for anything, and returns what is unsettled by then. */
    private int sendAndCut(String container, String address, DeliveryMemory memory, int from, int to) throws Exception {
        Connection connection = connect(container);
        Producer producer = session(connection).createProducer(address, QoS.EXACTLY_ONCE, memory);
        for (int i = from; i < to; i++) {
            producer.send(text(Integer.toString(i)));
        }
        connection.cancel();
        return memory.getNumberUnsettled();
    }

    /** Attaches the link again, and closes it, which waits until all is settled. */
    private void finish(String container, String address, DeliveryMemory memory) throws Exception {
        Connection connection = connect(container);
        Producer producer = session(connection).createProducer(address, QoS.EXACTLY_ONCE, memory);
        Expect.within(Duration.ofSeconds(10), "all is settled", () -> memory.getNumberUnsettled() == 0);
        producer.close();
        close(connection);
    }

    /** That a queue has each number once. */
    private void expectEachOnce(String address, int count) throws Exception {
        Connection connection = connect();
        Consumer consumer = session(connection).createConsumer(address, CREDIT, QoS.AT_LEAST_ONCE, false, null);
        List<String> all = accept(consumer, count);
        Expect.equal(new TreeSet<>(numbers(0, count)), new TreeSet<>(all), "messages");
        expectNothing(consumer, "each message once");
        close(connection);
    }

    private void producer() throws Exception {
        String address = broker.address("swiftmq.resume.producer");
        String container = broker.address("swiftmq.resume.producer.container");
        DeliveryMemory memory = new DefaultDeliveryMemory();
        int sent = 0;
        int unsettled = 0;
        while (unsettled == 0) {
            Expect.that(sent < 10 * MESSAGES, "something is unsettled, in one of ten times, when the connection is cut");
            unsettled = sendAndCut(container, address, memory, sent, sent + MESSAGES);
            sent += MESSAGES;
        }
        finish(container, address, memory);
        expectEachOnce(address, sent);
    }

    private void oftenCut() throws Exception {
        String address = broker.address("swiftmq.resume.often");
        String container = broker.address("swiftmq.resume.often.container");
        DeliveryMemory memory = new DefaultDeliveryMemory();
        sendAndCut(container, address, memory, 0, MESSAGES);
        for (int i = 0; i < 4; i++) {
            Connection connection = connect(container);
            session(connection).createProducer(address, QoS.EXACTLY_ONCE, memory);
            connection.cancel();
        }
        finish(container, address, memory);
        expectEachOnce(address, MESSAGES);
    }

    /** Remembers of which deliveries the client has noted an outcome. It does so a moment after {@code accept}. */
    private static final class Notes extends DefaultDeliveryMemory {
        private final Set<DeliveryTag> noted = ConcurrentHashMap.newKeySet();

        @Override
        public void addUnsettledDelivery(UnsettledDelivery delivery) {
            noted.add(delivery.getDeliveryTag());
            super.addUnsettledDelivery(delivery);
        }
    }

    private void consumer(boolean once) throws Exception {
        String address = broker.address("swiftmq.resume.consumer." + once);
        String container = broker.address("swiftmq.resume.consumer.container." + once);
        Connection connection = connect(container);
        send(session(connection), address, numbers(0, 10).toArray(new String[0]));
        Notes memory = new Notes();
        Consumer consumer = session(connection).createConsumer(address, CREDIT, QoS.EXACTLY_ONCE, false, null, memory);
        Map<String, DeliveryTag> accepted = new HashMap<>();
        for (int i = 0; i < 5; i++) {
            AMQPMessage message = next(consumer);
            accepted.put(body(message), message.getDeliveryTag());
            message.accept();
        }
        connection.cancel();
        accepted.values().retainAll(memory.noted);

        Connection again = connect(container);
        Consumer resumed = session(again).createConsumer(address, CREDIT, QoS.EXACTLY_ONCE, false, null, memory);
        Set<String> all = new TreeSet<>(accepted.keySet());
        while (all.size() < 10) {
            AMQPMessage message = next(resumed);
            Expect.that(all.add(body(message)) || !once, "what was accepted does not come again, but did: " + body(message));
            message.accept();
        }
        Expect.equal(new TreeSet<>(numbers(0, 10)), all, "what came in all");
        if (once) {
            expectNothing(resumed, "each message once");
            Expect.within(Duration.ofSeconds(10), "all is settled", () -> memory.getNumberUnsettled() == 0);
        }
        close(again);
    }
}
