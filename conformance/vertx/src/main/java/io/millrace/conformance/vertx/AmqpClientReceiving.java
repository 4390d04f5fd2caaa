package io.millrace.conformance.vertx;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import io.vertx.amqp.AmqpConnection;
import io.vertx.amqp.AmqpMessage;
import io.vertx.amqp.AmqpReceiver;
import io.vertx.amqp.AmqpReceiverOptions;
import io.vertx.amqp.AmqpSender;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Receivers of vertx-amqp-client. */
final class AmqpClientReceiving extends AmqpClients {
    AmqpClientReceiving(Broker broker, Vertx vertx) {
        super(broker, vertx);
    }

    void run(Tap tap) {
        tap.test("what is acknowledged by itself does not come again", this::autoAcknowledged);
        tap.test("what is not acknowledged comes again when the receiver is gone, not counted", this::unacknowledged);
        tap.test("an accepted message is gone", () -> settled(AmqpMessage::accepted, 0, false, false));
        tap.test("a rejected message is in the dead-letter queue", () -> settled(AmqpMessage::rejected, 0, false, true));
        tap.test("a released message comes back, not counted", () -> settled(AmqpMessage::released, 0, true, false));
        tap.test(
                "a message whose delivery failed comes back, counted",
                () -> settled(message -> message.modified(true, false), 1, true, false));
        tap.test(
                "a message modified without a failure comes back, not counted",
                () -> settled(message -> message.modified(false, false), 0, true, false));
        tap.test("a message that is undeliverable here goes to another receiver", this::undeliverableHere);
        tap.test("a handler that throws rejects its message", this::throwingHandler);
        tap.test("a receiver that is paused holds no more than its credit", this::credit);
        tap.test("a paused receiver goes on by hand, message by message", this::fetching);
        tap.test("a receiver with a selector gets what it selects and leaves the rest", this::selector);
        tap.test("a selector that cannot be parsed refuses its receiver", this::badSelector);
        tap.test("a receiver at most once gets its messages settled", this::atMostOnce);
        tap.test("a durable subscription keeps messages while its receiver is away", this::durable);
        tap.test("a durable subscription brings back what was not acknowledged", this::durableByHand);
        tap.test("two receivers share a subscription", this::shared);
        tap.test("a receiver without its own messages gets those of others", this::noLocal);
        tap.test("a receiver from an address that is not there fails with the condition", this::refused);
    }

    private void autoAcknowledged() throws Exception {
        String address = broker.address("vertx.auto");
        AmqpConnection first = connect();
        send(first, address, "a", "b", "c");
        Inbox<AmqpMessage> inbox = new Inbox<>();
        AmqpReceiver receiver = receive(first, address, new AmqpReceiverOptions(), inbox);
        inbox.next(3);
        result(receiver.close());
        result(first.close());
        expectNothing(address);
    }

    private void unacknowledged() throws Exception {
        String address = broker.address("vertx.unacknowledged");
        AmqpConnection connection = connect();
        send(connection, address, "a", "b", "c");
        Inbox<AmqpMessage> inbox = new Inbox<>();
        AmqpReceiver receiver = receive(connection, address, byHand(), inbox);
        Expect.equal(List.of("a", "b", "c"), texts(inbox.next(3)), "first time");
        result(receiver.close());
        Inbox<AmqpMessage> again = new Inbox<>();
        receive(connection, address, new AmqpReceiverOptions(), again);
        List<AmqpMessage> messages = again.next(3);
        Expect.equal(List.of("a", "b", "c"), texts(messages), "second time");
        Expect.equal(0, messages.get(0).deliveryCount(), "delivery-count");
        result(connection.close());
    }

    private int number;

    /** Settles a message, and looks where it is afterwards. */
    private void settled(Consumer<AmqpMessage> how, int count, boolean comesBack, boolean dead) throws Exception {
        String address = broker.address("vertx.settled." + count + comesBack + dead + number++);
        AmqpConnection connection = connect();
        send(connection, address, "x");
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(connection, address, byHand(), inbox);
        AmqpMessage first = inbox.next();
        Expect.equal(0, first.deliveryCount(), "delivery-count, first time");
        how.accept(first);
        if (comesBack) {
            AmqpMessage second = inbox.next();
            Expect.equal("x", second.bodyAsString(), "body");
            Expect.equal(count, second.deliveryCount(), "delivery-count, second time");
            second.accepted();
        }
        inbox.staysEmpty("a settled message");
        if (dead) {
            Inbox<AmqpMessage> deadLetters = new Inbox<>();
            receive(connection, address + ".dlq", new AmqpReceiverOptions(), deadLetters);
            Expect.equal("x", deadLetters.next().bodyAsString(), "the dead letter");
        }
        result(connection.close());
        expectNothing(address);
    }

    private void undeliverableHere() throws Exception {
        String address = broker.address("vertx.undeliverable");
        AmqpConnection connection = connect();
        send(connection, address, "not for the first");
        Inbox<AmqpMessage> first = new Inbox<>();
        receive(connection, address, byHand(), first);
        first.next().modified(true, true);
        first.staysEmpty("a message that it can't deliver");
        Inbox<AmqpMessage> other = new Inbox<>();
        receive(connection, address, byHand(), other);
        AmqpMessage message = other.next();
        Expect.equal("not for the first", message.bodyAsString(), "body");
        Expect.equal(1, message.deliveryCount(), "delivery-count");
        message.accepted();
        result(connection.close());
        expectNothing(address);
    }

    private void throwingHandler() throws Exception {
        String address = broker.address("vertx.throwing");
        AmqpConnection connection = connect();
        send(connection, address, "bad", "good");
        Inbox<AmqpMessage> inbox = new Inbox<>();
        result(connection.createReceiver(address)).handler(message -> {
            if (message.bodyAsString().equals("bad")) {
                throw new IllegalStateException("a fault of the application");
            }
            inbox.add(message);
        });
        Expect.equal("good", inbox.next().bodyAsString(), "what came after the bad one");
        Inbox<AmqpMessage> deadLetters = new Inbox<>();
        receive(connection, address + ".dlq", new AmqpReceiverOptions(), deadLetters);
        Expect.equal("bad", deadLetters.next().bodyAsString(), "the dead letter");
        result(connection.close());
    }

    private void credit() throws Exception {
        String address = broker.address("vertx.credit");
        AmqpConnection connection = connect();
        Inbox<AmqpMessage> paused = new Inbox<>();
        AmqpReceiver receiver = result(connection.createReceiver(address, new AmqpReceiverOptions().setMaxBufferedMessages(5)));
        receiver.pause().handler(paused::add);
        send(connection, address, numbers(0, 20));
        Inbox<AmqpMessage> other = new Inbox<>();
        receive(connection, address, new AmqpReceiverOptions(), other);
        Expect.equal(List.of(numbers(5, 20)), texts(other.next(15)), "what another receiver gets");
        other.staysEmpty("what the paused receiver holds");
        paused.staysEmpty("a paused receiver");
        receiver.resume();
        Expect.equal(List.of(numbers(0, 5)), texts(paused.next(5)), "what the paused receiver held");
        result(connection.close());
    }

    private void fetching() throws Exception {
        String address = broker.address("vertx.fetch");
        AmqpConnection connection = connect();
        send(connection, address, numbers(0, 10));
        Inbox<AmqpMessage> inbox = new Inbox<>();
        AmqpReceiver receiver =
                result(connection.createReceiver(address, new AmqpReceiverOptions().setMaxBufferedMessages(2)));
        receiver.pause().handler(inbox::add);
        inbox.staysEmpty("a paused receiver");
        receiver.fetch(3);
        Expect.equal(List.of(numbers(0, 3)), texts(inbox.next(3)), "three");
        inbox.staysEmpty("after three");
        receiver.fetch(7);
        Expect.equal(List.of(numbers(3, 10)), texts(inbox.next(7)), "the rest");
        result(connection.close());
    }

    private void selector() throws Exception {
        String address = broker.address("vertx.selector");
        AmqpConnection connection = connect();
        AmqpSender sender = result(connection.createSender(address));
        for (int i = 0; i < 20; i++) {
            result(sender.sendWithAck(AmqpMessage.create()
                    .applicationProperties(new JsonObject()
                            .put("colour", i % 2 == 0 ? "red" : "blue")
                            .put("weight", i))
                    .withIntegerAsBody(i)
                    .build()));
        }
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(connection, address, new AmqpReceiverOptions().setSelector("colour = 'red' AND weight > 9"), inbox);
        for (int i = 10; i < 20; i += 2) {
            Expect.equal(i, inbox.next().bodyAsInteger(), "what is selected");
        }
        inbox.staysEmpty("what is not selected");
        Inbox<AmqpMessage> rest = new Inbox<>();
        receive(connection, address, new AmqpReceiverOptions(), rest);
        rest.next(15);
        rest.staysEmpty("what was selected");
        result(connection.close());
    }

    private void badSelector() throws Exception {
        AmqpConnection connection = connect();
        Exception failure = Expect.failure(
                Exception.class,
                "a receiver with a selector that is none",
                () -> isRefused(result(connection.createReceiver(
                                broker.address("vertx.selector.bad"), new AmqpReceiverOptions().setSelector("colour = = 1")))
                        .unwrap()));
        Expect.that(failure.getMessage().contains("amqp:invalid-field"), "amqp:invalid-field in: " + failure.getMessage());
        result(connection.close());
    }

    private void atMostOnce() throws Exception {
        String address = broker.address("vertx.at-most-once");
        AmqpConnection connection = connect();
        send(connection, address, "a", "b");
        Inbox<AmqpMessage> inbox = new Inbox<>();
        AmqpReceiver receiver = receive(connection, address, byHand().setQos("AT_MOST_ONCE"), inbox);
        Expect.equal(List.of("a", "b"), texts(inbox.next(2)), "messages");
        result(receiver.close());
        result(connection.close());
        expectNothing(address);
    }

    private static AmqpReceiverOptions durable(String name) {
        return new AmqpReceiverOptions().setDurable(true).setLinkName(name).addCapability("topic");
    }

    private void durable() throws Exception {
        String address = broker.address("vertx.durable");
        String container = broker.address("vertx.durable.container");
        AmqpConnection connection = connect(options().setContainerId(container));
        Inbox<AmqpMessage> inbox = new Inbox<>();
        AmqpReceiver receiver = receive(connection, address, durable("sub"), inbox);
        send(connection, "topic://" + address, "one");
        Expect.equal("one", inbox.next().bodyAsString(), "while it is there");
        result(receiver.close());
        result(connection.close());

        AmqpConnection other = connect();
        send(other, "topic://" + address, "two", "three");
        result(other.close());

        connection = connect(options().setContainerId(container));
        receive(connection, address, durable("sub"), inbox);
        Expect.equal(List.of("two", "three"), texts(inbox.next(2)), "what came while it was away");
        inbox.staysEmpty("a subscription whose messages were acknowledged");
        result(connection.close());
    }

    private void durableByHand() throws Exception {
        String address = broker.address("vertx.durable.by-hand");
        String container = broker.address("vertx.durable.by-hand.container");
        AmqpConnection connection = connect(options().setContainerId(container));
        Inbox<AmqpMessage> inbox = new Inbox<>();
        AmqpReceiver receiver = receive(connection, address, durable("sub").setAutoAcknowledgement(false), inbox);
        send(connection, "topic://" + address, "one", "two", "three");
        List<AmqpMessage> messages = inbox.next(3);
        messages.get(1).accepted();
        result(receiver.close());
        result(connection.close());

        connection = connect(options().setContainerId(container));
        receive(connection, address, durable("sub"), inbox);
        Expect.equal(List.of("one", "three"), texts(inbox.next(2)), "what was not acknowledged");
        inbox.staysEmpty("what was acknowledged");
        result(connection.close());
    }

    private void shared() throws Exception {
        String address = broker.address("vertx.shared");
        AmqpConnection connection = connect();
        AmqpReceiverOptions options =
                new AmqpReceiverOptions().setCapabilities(List.of("topic", "shared", "global")).setMaxBufferedMessages(1);
        Inbox<AmqpMessage> all = new Inbox<>();
        String name = broker.address("vertx.shared.sub");
        AmqpConnection other = connect();
        receive(connection, address, new AmqpReceiverOptions(options).setLinkName(name + "|global-volatile1"), all);
        receive(other, address, new AmqpReceiverOptions(options).setLinkName(name + "|global-volatile2"), all);
        send(connection, "topic://" + address, numbers(0, 20));
        Expect.equal(
                Stream.of(numbers(0, 20)).sorted().collect(Collectors.toList()),
                texts(all.next(20)).stream().sorted().collect(Collectors.toList()),
                "what both got together");
        all.staysEmpty("a shared subscription");
        result(other.close());
        result(connection.close());
    }

    private void noLocal() throws Exception {
        String address = broker.address("vertx.no-local");
        AmqpConnection connection = connect();
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(connection, address, new AmqpReceiverOptions().addCapability("topic").setNoLocal(true), inbox);
        send(connection, "topic://" + address, "mine");
        AmqpConnection other = connect();
        send(other, "topic://" + address, "another's");
        Expect.equal("another's", inbox.next().bodyAsString(), "body");
        inbox.staysEmpty("its own message");
        result(other.close());
        result(connection.close());
    }

    private void refused() throws Exception {
        refusesWhatIsGone("a receiver from", (connection, address) -> result(connection.createReceiver(address)).unwrap());
    }

    private void expectNothing(String address) throws Exception {
        AmqpConnection connection = connect();
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(connection, address, new AmqpReceiverOptions(), inbox);
        inbox.staysEmpty("nothing is left in " + address);
        result(connection.close());
    }

    private static List<String> texts(List<AmqpMessage> messages) {
        return messages.stream().map(AmqpMessage::bodyAsString).collect(Collectors.toList());
    }

    private static String[] numbers(int from, int to) {
        return IntStream.range(from, to).mapToObj(Integer::toString).toArray(String[]::new);
    }
}
