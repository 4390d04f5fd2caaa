package io.millrace.conformance.protonj2;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.qpid.protonj2.client.Connection;
import org.apache.qpid.protonj2.client.Delivery;
import org.apache.qpid.protonj2.client.DeliveryMode;
import org.apache.qpid.protonj2.client.DeliveryState;
import org.apache.qpid.protonj2.client.Message;
import org.apache.qpid.protonj2.client.Receiver;
import org.apache.qpid.protonj2.client.Sender;
import org.apache.qpid.protonj2.client.SenderOptions;
import org.apache.qpid.protonj2.client.Tracker;
import org.apache.qpid.protonj2.client.exceptions.ClientDeliveryStateException;
import org.apache.qpid.protonj2.client.exceptions.ClientException;
import org.apache.qpid.protonj2.client.exceptions.ClientLinkRemotelyClosedException;
import org.apache.qpid.protonj2.types.UnsignedLong;

/** Senders. */
final class Sending extends Clients {
    Sending(Broker broker) {
        super(broker);
    }

    void run(Tap tap) {
        tap.test("1,000 messages are accepted, and arrive in order", this::inOrder);
        tap.test("the settlement of a message completes its future", this::settlementFuture);
        tap.test("a sender that settles by hand sees accepted, then settles", this::settledByHand);
        tap.test("messages sent at most once arrive", this::atMostOnce);
        tap.test("all parts of a message arrive as they were sent", this::allParts);
        tap.test("an anonymous sender reaches every address it names", this::anonymous);
        tap.test("a connection sends by itself", this::byConnection);
        tap.test("an address that is gone rejects a message of an anonymous sender", this::anonymousGone);
        tap.test("a sender to an address that is gone fails with the condition", this::gone);
        tap.test("a request through a dynamic receiver gets its reply", this::requestAndReply);
        tap.test("a full queue rejects with its name, the reason and the limit", this::full);
        tap.test("a sender without credit does not send what it only tries to", this::trySend);
    }

    private void inOrder() throws Exception {
        String address = broker.address("protonj2.order");
        try (Connection connection = connect();
                Sender sender = connection.openSender(address)) {
            List<Tracker> trackers = new ArrayList<>();
            for (int i = 0; i < 1000; i++) {
                trackers.add(sender.send(text("message " + i)));
            }
            for (Tracker tracker : trackers) {
                tracker.awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
            }
            try (Receiver receiver = connection.openReceiver(address)) {
                for (int i = 0; i < 1000; i++) {
                    Expect.equal("message " + i, body(next(receiver)), "body");
                }
            }
        }
        expectEmpty(address);
    }

    private void settlementFuture() throws Exception {
        try (Connection connection = connect();
                Sender sender = connection.openSender(broker.address("protonj2.future"))) {
            Tracker tracker = result(sender.send(text("x")).settlementFuture());
            Expect.that(tracker.remoteSettled(), "settled by the broker");
            Expect.equal(DeliveryState.Type.ACCEPTED, tracker.remoteState().getType(), "outcome");
        }
    }

    private void settledByHand() throws Exception {
        try (Connection connection = connect();
                Sender sender = connection.openSender(broker.address("protonj2.by-hand"), new SenderOptions().autoSettle(false))) {
            Tracker tracker = sender.send(text("x"));
            tracker.awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
            Expect.that(!tracker.settled(), "not settled by the client yet");
            tracker.settle();
            Expect.within(Duration.ofSeconds(5), "the client has settled", tracker::settled);
        }
    }

    private void atMostOnce() throws Exception {
        String address = broker.address("protonj2.at-most-once");
        SenderOptions options = new SenderOptions().deliveryMode(DeliveryMode.AT_MOST_ONCE);
        try (Connection connection = connect();
                Receiver receiver = connection.openReceiver(address);
                Sender sender = connection.openSender(address, options)) {
            for (int i = 0; i < 200; i++) {
                Expect.that(sender.send(text("message " + i)).settled(), "settled from the start");
            }
            for (int i = 0; i < 200; i++) {
                Expect.equal("message " + i, body(next(receiver)), "body");
            }
        }
    }

    private void allParts() throws Exception {
        String address = broker.address("protonj2.parts");
        try (Connection connection = connect();
                Sender sender = connection.openSender(address)) {
            Message<Map<String, Object>> message = Message.create(Map.<String, Object>of("key", List.of(1, "two", true)));
            message.durable(true).priority((byte) 8).timeToLive(3_600_000);
            message.messageId("id").userId(new byte[] {1, 2}).to(address).subject("subject").replyTo("reply-to");
            message.correlationId(UnsignedLong.valueOf(7)).contentType("text/x").contentEncoding("enc").creationTime(1234567890123L);
            message.groupId("group").groupSequence(3).replyToGroupId("reply-group");
            message.property("text", "ä€").property("number", 42).annotation("x-opt-mine", "yes").footer("footer", "end");
            sender.send(message).awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
            try (Receiver receiver = connection.openReceiver(address)) {
                Message<Object> got = next(receiver).message();
                Expect.equal(Map.of("key", List.of(1, "two", true)), got.body(), "body");
                Expect.equal(List.of(true, (byte) 8), List.of(got.durable(), got.priority()), "durable and priority");
                Expect.equal(List.of(0L, true), List.of(got.deliveryCount(), got.firstAcquirer()), "delivery-count and first acquirer");
                Expect.equal(
                        List.of("id", address, "subject", "reply-to", UnsignedLong.valueOf(7), "text/x", "enc", 1234567890123L, "group", 3, "reply-group"),
                        List.of(
                                got.messageId(),
                                got.to(),
                                got.subject(),
                                got.replyTo(),
                                got.correlationId(),
                                got.contentType(),
                                got.contentEncoding(),
                                got.creationTime(),
                                got.groupId(),
                                got.groupSequence(),
                                got.replyToGroupId()),
                        "properties");
                Expect.equal(List.of("ä€", 42), List.of(got.property("text"), got.property("number")), "application properties");
                Expect.equal("yes", got.annotation("x-opt-mine"), "annotation");
                Expect.equal("end", got.footer("footer"), "footer");
            }
        }
    }

    private void anonymous() throws Exception {
        try (Connection connection = connect();
                Sender sender = connection.openAnonymousSender()) {
            for (int i = 0; i < 3; i++) {
                Message<String> message = text("message " + i).to(broker.address("protonj2.anonymous." + i));
                sender.send(message).awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
            }
            for (int i = 0; i < 3; i++) {
                try (Receiver receiver = connection.openReceiver(broker.address("protonj2.anonymous." + i))) {
                    Expect.equal("message " + i, body(next(receiver)), "body");
                }
            }
        }
    }

    private void byConnection() throws Exception {
        String address = broker.address("protonj2.connection");
        try (Connection connection = connect()) {
            connection.send(text("by the connection").to(address)).awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
            try (Receiver receiver = connection.openReceiver(address)) {
                Expect.equal("by the connection", body(next(receiver)), "body");
            }
        }
    }

    private static String goneAddress(Connection connection) throws ClientException {
        try (Receiver receiver = connection.openDynamicReceiver()) {
            return receiver.address();
        }
    }

    private void anonymousGone() throws Exception {
        try (Connection connection = connect()) {
            String address = goneAddress(connection);
            Tracker tracker = connection.send(text("lost").to(address)).awaitSettlement(LIMIT_SECONDS, TimeUnit.SECONDS);
            Expect.equal(DeliveryState.Type.REJECTED, tracker.remoteState().getType(), "outcome");
            Expect.failure(
                    ClientDeliveryStateException.class,
                    "to wait for accepted",
                    () -> tracker.awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS));
            send(connection, broker.address("protonj2.still-good"), "the connection is still good");
        }
    }

    private void gone() throws Exception {
        try (Connection connection = connect()) {
            Sender sender = connection.openSender(goneAddress(connection));
            ClientLinkRemotelyClosedException failure = Expect.failure(
                    ClientLinkRemotelyClosedException.class, "a sender to an address that is gone", () -> result(sender.openFuture()));
            Expect.equal("amqp:not-found", failure.getErrorCondition().condition(), "condition");
            send(connection, broker.address("protonj2.still-good"), "the connection is still good");
        }
    }

    private void requestAndReply() throws Exception {
        String address = broker.address("protonj2.requests");
        try (Connection server = connect();
                Connection client = connect();
                Receiver requests = server.openReceiver(address);
                Receiver replies = client.openDynamicReceiver();
                Sender sender = client.openSender(address)) {
            for (int i = 0; i < 5; i++) {
                sender.send(text("request " + i).replyTo(replies.address()).messageId(UnsignedLong.valueOf(i)));
                Delivery request = next(requests);
                Message<String> message = request.message();
                server.send(text("reply to " + message.body()).to(message.replyTo()).correlationId(message.messageId()));
                Message<String> reply = next(replies).message();
                Expect.equal("reply to request " + i, reply.body(), "body");
                Expect.equal(UnsignedLong.valueOf(i), reply.correlationId(), "correlation-id");
            }
        }
    }

    private void full() throws Exception {
        broker.needsRestart(); // a sign that the driver started this broker, with the queue that client.toml asks for
        try (Connection connection = connect();
                Sender sender = connection.openSender("protonj2.full")) {
            DeliveryState outcome = null;
            for (int i = 0; i < 11; i++) {
                outcome = sender.send(text("message " + i)).awaitSettlement(LIMIT_SECONDS, TimeUnit.SECONDS).remoteState();
            }
            Expect.equal(DeliveryState.Type.REJECTED, outcome.getType(), "outcome of the 11th message");
            ClientDeliveryStateException failure = Expect.failure(
                    ClientDeliveryStateException.class,
                    "a message too many",
                    () -> sender.send(text("one more")).awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS));
            Expect.that(failure.getOutcome().isAccepted() == false, "an outcome that is not accepted");
            try (Receiver receiver = connection.openReceiver("protonj2.full")) {
                bodies(receiver, 10);
                sender.send(text("there is room again")).awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
                Expect.equal("there is room again", body(next(receiver)), "body");
            }
        }
    }

    private void trySend() throws Exception {
        try (Connection connection = connect();
                Sender sender = connection.openSender(broker.address("protonj2.try"))) {
            Tracker last = sender.send(text("message 0"));
            int refused = 0;
            for (int i = 1; i < 5000; i++) {
                Tracker tracker = sender.trySend(text("message " + i));
                while (tracker == null) {
                    refused++;
                    last.awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
                    tracker = sender.trySend(text("message " + i));
                }
                last = tracker;
            }
            last.awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
            Expect.that(refused > 0, "credit was used up at times");
        }
    }
}
