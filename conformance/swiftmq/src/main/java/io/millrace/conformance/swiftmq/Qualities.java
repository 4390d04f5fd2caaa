package io.millrace.conformance.swiftmq;

import com.swiftmq.amqp.v100.client.Connection;
import com.swiftmq.amqp.v100.client.Consumer;
import com.swiftmq.amqp.v100.client.DefaultDeliveryMemory;
import com.swiftmq.amqp.v100.client.DeliveryMemory;
import com.swiftmq.amqp.v100.client.Producer;
import com.swiftmq.amqp.v100.client.QoS;
import com.swiftmq.amqp.v100.client.Session;
import com.swiftmq.amqp.v100.generated.messaging.message_format.Data;
import com.swiftmq.amqp.v100.messaging.AMQPMessage;
import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;

/** The three qualities of service, through session windows of every size. */
final class Qualities extends Clients {
    private static final int MESSAGES = 200;
    private static final int LARGE = 1 << 20;

    Qualities(Broker broker) {
        super(broker);
    }

    void run(Tap tap) {
        for (int window : new int[] {1, 10, 1000}) {
            tap.test("at most once, with session windows of " + window, () -> quality("at-most-once", QoS.AT_MOST_ONCE, window));
            tap.test("at least once, with session windows of " + window, () -> quality("at-least-once", QoS.AT_LEAST_ONCE, window));
            tap.test("exactly once, with session windows of " + window, () -> quality("exactly-once", QoS.EXACTLY_ONCE, window));
            tap.test("a message of 1 MiB, with session windows of " + window, () -> large(window));
        }
        tap.test("a producer closes when all it sent is settled", this::closesWhenSettled);
    }

    private void quality(String name, int quality, int window) throws Exception {
        String address = broker.address("swiftmq." + name + "." + window);
        Connection connection = connect();
        Session sending = session(connection, window);
        Session receiving = session(connection, window);
        DeliveryMemory memory = new DefaultDeliveryMemory();
        Consumer consumer = receiving.createConsumer(address, 50, quality, false, null, memory);
        Producer producer = sending.createProducer(address, quality);
        for (int i = 0; i < MESSAGES; i++) {
            producer.send(text(Integer.toString(i)));
        }
        Expect.equal(numbers(0, MESSAGES), accept(consumer, MESSAGES), "messages, in order");
        Expect.within(
                Duration.ofSeconds(5), "all is settled on the side of the consumer", () -> memory.getNumberUnsettled() == 0);
        producer.close();
        Expect.equal(0, producer.getDeliveryMemory().getNumberUnsettled(), "unsettled on the side of the producer");
        expectNothing(consumer, "each message once");
        close(connection);
        expectEmpty(address);
    }

    private void large(int window) throws Exception {
        String address = broker.address("swiftmq.large." + window);
        byte[] body = new byte[LARGE];
        new Random(window).nextBytes(body);
        Connection connection = connect();
        Session session = session(connection, window);
        Producer producer = session.createProducer(address, QoS.AT_LEAST_ONCE);
        AMQPMessage message = new AMQPMessage();
        message.addData(new Data(body));
        producer.send(message);
        Consumer consumer = session.createConsumer(address, 10, QoS.AT_LEAST_ONCE, false, null);
        AMQPMessage got = next(consumer);
        Expect.that(Arrays.equals(body, got.getData().get(0).getValue()), "the body as it was sent");
        got.accept();
        close(connection);
    }

    private void closesWhenSettled() throws Exception {
        String address = broker.address("swiftmq.close");
        Connection connection = connect();
        Session session = session(connection);
        for (int i = 0; i < 20; i++) {
            Producer producer = session.createProducer(address, QoS.EXACTLY_ONCE);
            producer.send(text("message " + i));
            producer.close();
            Expect.equal(0, producer.getDeliveryMemory().getNumberUnsettled(), "unsettled");
        }
        close(connection);
    }
}
