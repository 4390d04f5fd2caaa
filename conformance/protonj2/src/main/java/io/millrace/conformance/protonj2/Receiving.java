package io.millrace.conformance.protonj2;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.qpid.protonj2.client.Connection;
import org.apache.qpid.protonj2.client.ConnectionOptions;
import org.apache.qpid.protonj2.client.Delivery;
import org.apache.qpid.protonj2.client.DeliveryMode;
import org.apache.qpid.protonj2.client.DeliveryState;
import org.apache.qpid.protonj2.client.DistributionMode;
import org.apache.qpid.protonj2.client.Message;
import org.apache.qpid.protonj2.client.NextReceiverPolicy;
import org.apache.qpid.protonj2.client.Receiver;
import org.apache.qpid.protonj2.client.ReceiverOptions;
import org.apache.qpid.protonj2.client.Sender;
import org.apache.qpid.protonj2.client.exceptions.ClientLinkRemotelyClosedException;
import org.apache.qpid.protonj2.types.UnsignedLong;

/** Receivers. */
final class Receiving extends Clients {
    private static final UnsignedLong SELECTOR = UnsignedLong.valueOf(0x0000468C00000004L);

    /** What a test does with a delivery. */
    private interface Settling {
        void settle(Delivery delivery) throws Exception;
    }

    Receiving(Broker broker) {
        super(broker);
    }

    void run(Tap tap) {
        tap.test("an accepted message is gone", () -> settled("accepted", Delivery::accept, -1, false));
        tap.test("a released message comes back, not counted", () -> settled("released", Delivery::release, 0, false));
        tap.test(
                "a rejected message is in the dead-letter queue",
                () -> settled("rejected", delivery -> delivery.reject("shop:bad", "no such article"), -1, true));
        tap.test(
                "a message whose delivery failed comes back, counted",
                () -> settled("failed", delivery -> delivery.modified(true, false), 1, false));
        tap.test("a message that is undeliverable here goes to another receiver", this::undeliverableHere);
        tap.test(
                "an outcome that the receiver has not settled is answered by the broker",
                this::unsettledOutcome);
        tap.test("what is not settled when a receiver closes comes back", this::unsettledAtClose);
        tap.test("a receiver at most once gets messages settled", this::atMostOnce);
        tap.test("credit by hand: exactly so many messages come", this::credit);
        tap.test("a drain of an empty queue completes at once", this::drainEmpty);
        tap.test("a drain brings what is there first", this::drainSome);
        tap.test("a credit window of one goes through a whole queue", this::windowOfOne);
        tap.test("the next receiver with a message is found", this::nextReceiver);
        tap.test("a selector chooses, and the rest stays", this::selector);
        tap.test("a browser sees all and takes nothing", this::browser);
        tap.test("a durable receiver on a topic keeps messages while it is away", () -> durable(true));
        tap.test("a durable receiver on a queue gets copies, as it asks for, and the queue keeps its messages", this::durableOnQueue);
        tap.test("a durable receiver that is closed is forgotten", () -> durable(false));
        tap.test("a receiver from an address that is gone fails with the condition", this::gone);
    }

    /** Settles a message and looks where it is. {@code count} is its delivery-count when it comes back, -1 if it does not. */
    private void settled(String name, Settling how, int count, boolean dead) throws Exception {
        String address = broker.address("protonj2.settled." + name);
        try (Connection connection = connect()) {
            send(connection, address, "x");
            Receiver receiver = connection.openReceiver(address, byHand(10));
            how.settle(next(receiver));
            if (count >= 0) {
                Delivery again = next(receiver);
                Expect.equal((long) count, again.message().deliveryCount(), "delivery-count");
                again.accept();
            }
            expectNothing(receiver, "a settled message");
            receiver.close();
            if (dead) {
                try (Receiver deadLetters = connection.openReceiver(address + ".dlq")) {
                    Message<String> message = next(deadLetters).message();
                    Expect.equal("x", message.body(), "the dead letter");
                    Expect.equal("rejected", message.annotation("x-opt-death-reason"), "reason");
                }
            }
        }
        expectEmpty(address);
    }

    private void undeliverableHere() throws Exception {
        String address = broker.address("protonj2.undeliverable");
        try (Connection connection = connect()) {
            send(connection, address, "not for the first");
            Receiver first = connection.openReceiver(address, byHand(10));
            next(first).modified(true, true);
            expectNothing(first, "a message that it can't deliver");
            Receiver other = connection.openReceiver(address, byHand(10));
            Delivery delivery = next(other);
            Expect.equal("not for the first", body(delivery), "body");
            delivery.accept();
        }
        expectEmpty(address);
    }

    private void unsettledOutcome() throws Exception {
        String address = broker.address("protonj2.unsettled-outcome");
        try (Connection connection = connect()) {
            send(connection, address, "x");
            Receiver receiver = connection.openReceiver(address, byHand(1));
            Delivery delivery = next(receiver);
            delivery.disposition(DeliveryState.accepted(), false);
            Expect.within(Duration.ofSeconds(5), "the broker settles", delivery::remoteSettled);
            Expect.equal(DeliveryState.Type.ACCEPTED, delivery.remoteState().getType(), "outcome that the broker names");
            delivery.settle();
        }
        expectEmpty(address);
    }

    private void unsettledAtClose() throws Exception {
        String address = broker.address("protonj2.unsettled");
        try (Connection connection = connect()) {
            send(connection, address, "a", "b", "c");
            Receiver receiver = connection.openReceiver(address, byHand(10));
            Expect.equal(List.of("a", "b", "c"), bodies(receiver, 3), "first time");
            receiver.close();
            try (Receiver again = connection.openReceiver(address)) {
                Expect.equal(List.of("a", "b", "c"), bodies(again, 3), "second time");
            }
        }
        expectEmpty(address);
    }

    private void atMostOnce() throws Exception {
        String address = broker.address("protonj2.receive-at-most-once");
        ReceiverOptions options = new ReceiverOptions().deliveryMode(DeliveryMode.AT_MOST_ONCE);
        try (Connection connection = connect()) {
            send(connection, address, "x");
            try (Receiver receiver = connection.openReceiver(address, options)) {
                Expect.that(next(receiver).remoteSettled(), "settled by the broker");
            }
        }
        expectEmpty(address);
    }

    private static String[] numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(Integer::toString).toArray(String[]::new);
    }

    private void credit() throws Exception {
        String address = broker.address("protonj2.credit");
        try (Connection connection = connect()) {
            send(connection, address, numbers(0, 10));
            Receiver receiver = connection.openReceiver(address, new ReceiverOptions().creditWindow(0));
            expectNothing(receiver, "without credit");
            receiver.addCredit(3);
            Expect.equal(List.of(numbers(0, 3)), bodies(receiver, 3), "with credit for three");
            expectNothing(receiver, "with no credit left");
            receiver.addCredit(2).addCredit(3);
            Expect.equal(List.of(numbers(3, 8)), bodies(receiver, 5), "with credit for five more");
            expectNothing(receiver, "with no credit left");
        }
    }

    private void drainEmpty() throws Exception {
        try (Connection connection = connect();
                Receiver receiver =
                        connection.openReceiver(broker.address("protonj2.drain.empty"), new ReceiverOptions().creditWindow(0))) {
            receiver.addCredit(100);
            result(receiver.drain());
            Expect.that(receiver.tryReceive() == null, "nothing there");
        }
    }

    private void drainSome() throws Exception {
        String address = broker.address("protonj2.drain.some");
        try (Connection connection = connect()) {
            send(connection, address, numbers(0, 5));
            Receiver receiver = connection.openReceiver(address, new ReceiverOptions().creditWindow(0));
            receiver.addCredit(100);
            result(receiver.drain());
            Expect.equal(5L, receiver.queuedDeliveries(), "messages that came before the answer");
            Expect.equal(List.of(numbers(0, 5)), bodies(receiver, 5), "what was there");
            send(connection, address, "later");
            expectNothing(receiver, "after the drain");
            receiver.addCredit(1);
            Expect.equal("later", body(next(receiver)), "with new credit");
        }
    }

    private void windowOfOne() throws Exception {
        String address = broker.address("protonj2.window");
        try (Connection connection = connect()) {
            send(connection, address, numbers(0, 50));
            try (Receiver receiver = connection.openReceiver(address, new ReceiverOptions().creditWindow(1))) {
                Expect.equal(List.of(numbers(0, 50)), bodies(receiver, 50), "messages");
            }
        }
    }

    private void nextReceiver() throws Exception {
        ConnectionOptions options = new ConnectionOptions().defaultNextReceiverPolicy(NextReceiverPolicy.ROUND_ROBIN);
        try (Connection connection = connect(options)) {
            Receiver[] receivers = new Receiver[3];
            for (int i = 0; i < receivers.length; i++) {
                receivers[i] = connection.openReceiver(broker.address("protonj2.next." + i));
            }
            for (int i : new int[] {2, 0, 1}) {
                send(connection, broker.address("protonj2.next." + i), "for " + i);
                Receiver next = connection.nextReceiver(LIMIT_SECONDS, TimeUnit.SECONDS);
                Expect.that(next == receivers[i], "receiver " + i + " is the next");
                Expect.equal("for " + i, body(next.tryReceive()), "body");
            }
        }
    }

    private void selector() throws Exception {
        String address = broker.address("protonj2.selector");
        try (Connection connection = connect();
                Sender sender = connection.openSender(address)) {
            for (int i = 0; i < 10; i++) {
                Message<String> message = text("message " + i).property("colour", i % 2 == 0 ? "red" : "blue");
                sender.send(message).awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
            }
            ReceiverOptions options = new ReceiverOptions();
            options.sourceOptions().addFilter("selector", SELECTOR, "colour = 'blue'");
            Receiver receiver = connection.openReceiver(address, options);
            Expect.equal(
                    List.of("message 1", "message 3", "message 5", "message 7", "message 9"), bodies(receiver, 5), "selected");
            expectNothing(receiver, "what is not selected");
            Expect.that(receiver.source().filters().containsKey("selector"), "the filter is in the answer");
            receiver.close();
            try (Receiver rest = connection.openReceiver(address)) {
                bodies(rest, 5);
                expectNothing(rest, "what was selected");
            }
        }
    }

    private void browser() throws Exception {
        String address = broker.address("protonj2.browser");
        try (Connection connection = connect()) {
            send(connection, address, numbers(0, 5));
            ReceiverOptions options = new ReceiverOptions();
            options.sourceOptions().distributionMode(DistributionMode.COPY);
            try (Receiver browser = connection.openReceiver(address, options)) {
                Expect.equal(List.of(numbers(0, 5)), bodies(browser, 5), "what is seen");
                expectNothing(browser, "a browser that has seen all");
            }
            try (Receiver receiver = connection.openReceiver(address)) {
                Expect.equal(List.of(numbers(0, 5)), bodies(receiver, 5), "what is still there");
            }
        }
    }

    private void durable(boolean detach) throws Exception {
        String topic = "topic://" + broker.address("protonj2.durable." + detach);
        String container = broker.address("protonj2.durable.container." + detach);
        try (Connection connection = connect(container, new ConnectionOptions())) {
            Receiver receiver = connection.openDurableReceiver(topic, "subscription");
            result(receiver.openFuture());
            send(connection, topic, "one");
            Expect.equal("one", body(next(receiver)), "while it is there");
            if (detach) {
                receiver.detach();
            } else {
                receiver.close();
            }
        }
        try (Connection connection = connect()) {
            send(connection, topic, "two");
        }
        try (Connection connection = connect(container, new ConnectionOptions())) {
            Receiver receiver = connection.openDurableReceiver(topic, "subscription");
            result(receiver.openFuture());
            send(connection, topic, "three");
            Expect.equal(detach ? List.of("two", "three") : List.of("three"), bodies(receiver, detach ? 2 : 1), "when it is back");
            expectNothing(receiver, "the subscription");
            receiver.close();
        }
    }

    /** The client asks for a durable source and copies, and says nothing of a topic: a queue is what the address names. */
    private void durableOnQueue() throws Exception {
        String address = broker.address("protonj2.durable.queue");
        String container = broker.address("protonj2.durable.queue.container");
        try (Connection connection = connect(container, new ConnectionOptions())) {
            send(connection, address, "one", "two");
            Receiver receiver = connection.openDurableReceiver(address, "subscription");
            Expect.equal(List.of("one", "two"), bodies(receiver, 2), "copies");
            receiver.detach();
        }
        try (Connection connection = connect();
                Receiver receiver = connection.openReceiver(address)) {
            Expect.equal(List.of("one", "two"), bodies(receiver, 2), "the messages");
        }
    }

    private void gone() throws Exception {
        try (Connection connection = connect()) {
            String address;
            try (Receiver receiver = connection.openDynamicReceiver(Map.of())) {
                address = receiver.address();
            }
            Receiver receiver = connection.openReceiver(address);
            ClientLinkRemotelyClosedException failure = Expect.failure(
                    ClientLinkRemotelyClosedException.class,
                    "a receiver from an address that is gone",
                    () -> result(receiver.openFuture()));
            Expect.equal("amqp:not-found", failure.getErrorCondition().condition(), "condition");
        }
    }
}
