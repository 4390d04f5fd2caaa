package io.millrace.conformance.swiftmq;

import com.swiftmq.amqp.v100.client.AMQPException;
import com.swiftmq.amqp.v100.client.Connection;
import com.swiftmq.amqp.v100.client.Consumer;
import com.swiftmq.amqp.v100.client.DurableConsumer;
import com.swiftmq.amqp.v100.client.Producer;
import com.swiftmq.amqp.v100.client.QoS;
import com.swiftmq.amqp.v100.client.Session;
import com.swiftmq.amqp.v100.generated.messaging.delivery_state.Modified;
import com.swiftmq.amqp.v100.generated.messaging.delivery_state.Released;
import com.swiftmq.amqp.v100.generated.messaging.message_format.ApplicationProperties;
import com.swiftmq.amqp.v100.messaging.AMQPMessage;
import com.swiftmq.amqp.v100.types.AMQPBoolean;
import com.swiftmq.amqp.v100.types.AMQPString;
import com.swiftmq.amqp.v100.types.AMQPType;
import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Consumers: outcomes, selectors, durable and temporary ones. */
final class Consuming extends Clients {
    Consuming(Broker broker) {
        super(broker);
    }

    void run(Tap tap) {
        tap.test("a rejected message is in the dead-letter queue", this::rejected);
        tap.test("a released message comes back, not counted", () -> comesBack("released", false));
        tap.test("a message whose delivery failed comes back, counted", () -> comesBack("modified", true));
        tap.test("what is not settled when a consumer closes comes back", this::unsettled);
        tap.test("a selector chooses, and the rest stays", this::selector);
        tap.test("a consumer without its own messages gets those of others", this::noLocal);
        tap.test("a topic reaches all of its consumers", this::topic);
        tap.test("a temporary queue gets replies, and is gone with its consumer", this::temporary);
        tap.test("a durable consumer (configuration only) keeps messages while its connection is away", this::durable);
        tap.test("a durable consumer that unsubscribes is forgotten", this::unsubscribed);
        tap.todo(
                "a durable consumer that only closes keeps messages",
                "fault of the client: com/swiftmq/amqp/v100/client/SessionDispatcher.java, visit(POCloseLink), detaches with"
                        + " closed=true whatever the link is, and a closed link's terminus is gone (AMQP 1.0, 2.6.4, 3.5.3);"
                        + " end the connection instead",
                this::durableClosed);
        tap.test("a consumer of an address that is gone is refused", this::gone);
    }

    private static Consumer consumer(Session session, String address) throws Exception {
        return session.createConsumer(address, CREDIT, QoS.AT_LEAST_ONCE, false, null);
    }

    private void rejected() throws Exception {
        String address = broker.address("swiftmq.rejected");
        Connection connection = connect();
        Session session = session(connection);
        send(session, address, "bad");
        next(consumer(session, address)).reject();
        Expect.equal(List.of("bad"), accept(consumer(session, address + ".dlq"), 1), "the dead letter");
        close(connection);
        expectEmpty(address);
    }

    private void comesBack(String name, boolean counted) throws Exception {
        String address = broker.address("swiftmq." + name);
        Connection connection = connect();
        Session session = session(connection);
        send(session, address, "x");
        Consumer consumer = consumer(session, address);
        AMQPMessage first = next(consumer);
        if (counted) {
            Modified modified = new Modified();
            modified.setDeliveryFailed(AMQPBoolean.TRUE);
            consumer.sendDisposition(first, modified);
        } else {
            consumer.sendDisposition(first, new Released());
        }
        AMQPMessage again = next(consumer);
        Expect.equal("x", body(again), "body");
        long count = again.getHeader().getDeliveryCount() == null
                ? 0
                : again.getHeader().getDeliveryCount().getValue();
        Expect.equal(counted ? 1L : 0L, count, "delivery-count");
        again.accept();
        close(connection);
        expectEmpty(address);
    }

    private void unsettled() throws Exception {
        String address = broker.address("swiftmq.unsettled");
        Connection connection = connect();
        Session session = session(connection);
        send(session, address, "a", "b");
        Consumer consumer = consumer(session, address);
        next(consumer);
        next(consumer);
        consumer.close();
        Expect.equal(List.of("a", "b"), accept(consumer(session, address), 2), "again");
        close(connection);
    }

    private void selector() throws Exception {
        String address = broker.address("swiftmq.selector");
        Connection connection = connect();
        Session session = session(connection);
        Producer producer = session.createProducer(address, QoS.AT_LEAST_ONCE);
        for (int i = 0; i < 10; i++) {
            AMQPMessage message = text(Integer.toString(i));
            Map<AMQPType, AMQPType> properties = new HashMap<>();
            properties.put(new AMQPString("colour"), new AMQPString(i % 2 == 0 ? "red" : "blue"));
            message.setApplicationProperties(new ApplicationProperties(properties));
            producer.send(message);
        }
        producer.close();
        Consumer blue = session.createConsumer(address, CREDIT, QoS.AT_LEAST_ONCE, false, "colour = 'blue'");
        Expect.equal(List.of("1", "3", "5", "7", "9"), accept(blue, 5), "selected");
        expectNothing(blue, "what is not selected");
        Expect.equal(List.of("0", "2", "4", "6", "8"), accept(consumer(session, address), 5), "the rest");
        close(connection);
    }

    private void noLocal() throws Exception {
        String topic = "topic://" + broker.address("swiftmq.no-local");
        Connection connection = connect();
        Connection other = connect();
        Session session = session(connection);
        Consumer consumer = session.createConsumer(topic, CREDIT, QoS.AT_LEAST_ONCE, true, null);
        send(session, topic, "mine");
        send(session(other), topic, "another's");
        Expect.equal(List.of("another's"), accept(consumer, 1), "what it gets");
        expectNothing(consumer, "its own message");
        close(other);
        close(connection);
    }

    private void topic() throws Exception {
        String topic = "topic://" + broker.address("swiftmq.topic");
        Connection connection = connect();
        Session session = session(connection);
        Consumer one = consumer(session, topic);
        Consumer other = consumer(session, topic);
        send(session, topic, "a", "b");
        Expect.equal(List.of("a", "b"), accept(one, 2), "what the first got");
        Expect.equal(List.of("a", "b"), accept(other, 2), "what the second got");
        close(connection);
    }

    private void temporary() throws Exception {
        Connection connection = connect();
        Session session = session(connection);
        Consumer replies = session.createConsumer(CREDIT, QoS.AT_LEAST_ONCE);
        String address = replies.getRemoteAddress().getValueString();
        Connection server = connect();
        send(session(server), address, "reply");
        Expect.equal(List.of("reply"), accept(replies, 1), "the reply");
        replies.close();
        Expect.failure(AMQPException.class, "a producer for what is gone", () -> session(server).createProducer(address, QoS.AT_LEAST_ONCE));
        close(server);
        close(connection);
    }

    private DurableConsumer durable(Connection connection, String topic) throws Exception {
        return session(connection).createDurableConsumer("subscription", topic, CREDIT, QoS.AT_LEAST_ONCE, false, null);
    }

    private void durable() throws Exception {
        String topic = "topic://" + broker.address("swiftmq.durable");
        String container = broker.address("swiftmq.durable.container");
        Connection connection = connect(container);
        DurableConsumer consumer = durable(connection, topic);
        send(session(connection), topic, "one");
        Expect.equal(List.of("one"), accept(consumer, 1), "while it is there");
        close(connection);
        Connection other = connect();
        send(session(other), topic, "two");
        close(other);
        connection = connect(container);
        consumer = durable(connection, topic);
        Expect.equal(List.of("two"), accept(consumer, 1), "what came while it was away");
        expectNothing(consumer, "the subscription");
        consumer.unsubscribe();
        close(connection);
    }

    private void unsubscribed() throws Exception {
        String topic = "topic://" + broker.address("swiftmq.unsubscribed");
        String container = broker.address("swiftmq.unsubscribed.container");
        Connection connection = connect(container);
        durable(connection, topic).unsubscribe();
        send(session(connection), topic, "nobody is there");
        expectNothing(durable(connection, topic), "a new subscription");
        close(connection);
    }

    private void durableClosed() throws Exception {
        String topic = "topic://" + broker.address("swiftmq.durable-closed");
        Connection connection = connect(broker.address("swiftmq.durable-closed.container"));
        durable(connection, topic).close();
        send(session(connection), topic, "kept");
        AMQPMessage message = durable(connection, topic).receive(1000);
        close(connection);
        Expect.that(message != null, "the message that came while the consumer was closed");
    }

    private void gone() throws Exception {
        Connection connection = connect();
        Session session = session(connection);
        Consumer temporary = session.createConsumer(CREDIT, QoS.AT_LEAST_ONCE);
        String address = temporary.getRemoteAddress().getValueString();
        temporary.close();
        Expect.failure(AMQPException.class, "a consumer of what is gone", () -> consumer(session, address));
        // Not on that session: the client may take the handle of the refused link for another before it has detached it.
        send(session(connection), broker.address("swiftmq.still-good"), "the connection is still good");
        close(connection);
    }
}
