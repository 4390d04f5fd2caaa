package io.millrace.conformance.vertx;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import io.vertx.amqp.AmqpConnection;
import io.vertx.amqp.AmqpMessage;
import io.vertx.amqp.AmqpReceiver;
import io.vertx.amqp.AmqpReceiverOptions;
import io.vertx.amqp.AmqpSender;
import io.vertx.amqp.AmqpSenderOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.UUID;

/** Senders of vertx-amqp-client. */
final class AmqpClientSending extends AmqpClients {
    private static final int LARGE = 5 << 20;
    private static final int STREAMED = 5000;

    private int streamed;
    private int pauses;

    AmqpClientSending(Broker broker, Vertx vertx) {
        super(broker, vertx);
    }

    void run(Tap tap) {
        tap.test("1,000 messages are accepted and arrive in order", this::inOrder);
        tap.test("properties and application properties arrive as they were sent", this::properties);
        tap.test("every kind of body arrives as it was sent", this::bodies);
        tap.test("an anonymous sender reaches every address it names", this::anonymous);
        tap.test("an anonymous sender is told of an address that is not there, and goes on", this::anonymousRefused);
        tap.test("a sender whose stream is full goes on when there is credit again", this::backPressure);
        tap.test("a sender to a topic reaches all of its receivers", this::topic);
        tap.test("a message of 5 MiB arrives whole", this::large);
        tap.test("a full queue rejects with its name, the reason and the limit", this::full);
        tap.test("a request through a dynamic address gets its reply", this::requestAndReply);
        tap.test("a sender with a dynamic address is given one", this::dynamicTarget);
        tap.test("a sender to an address that is not there fails with the condition", this::refused);
    }

    private void inOrder() throws Exception {
        AmqpConnection connection = connect();
        String address = broker.address("vertx.order");
        AmqpSender sender = result(connection.createSender(address));
        List<Future<Void>> accepted = new ArrayList<>();
        for (int i = 0; i < 1000; i++) {
            accepted.add(sender.sendWithAck(text("message " + i)));
        }
        result(Future.all(accepted));
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(connection, address, new AmqpReceiverOptions(), inbox);
        for (int i = 0; i < 1000; i++) {
            Expect.equal("message " + i, inbox.next().bodyAsString(), "body");
        }
        result(connection.close());
    }

    private void properties() throws Exception {
        AmqpConnection connection = connect();
        String address = broker.address("vertx.properties");
        AmqpMessage sent = AmqpMessage.create()
                .id("id-1")
                .subject("a subject")
                .correlationId("correlation")
                .replyTo("somewhere")
                .contentType("text/plain")
                .contentEncoding("utf-8")
                .creationTime(1234567890123L)
                .groupId("group")
                .replyToGroupId("reply-group")
                .priority((short) 7)
                .ttl(3_600_000)
                .durable(true)
                .applicationProperties(new JsonObject().put("text", "ä€").put("number", 42).put("flag", true))
                .withBody("body")
                .build();
        AmqpSender sender = result(connection.createSender(address));
        result(sender.sendWithAck(sent));
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(connection, address, new AmqpReceiverOptions(), inbox);
        AmqpMessage got = inbox.next();
        Expect.equal("id-1", got.id(), "message-id");
        Expect.equal("a subject", got.subject(), "subject");
        Expect.equal("correlation", got.correlationId(), "correlation-id");
        Expect.equal("somewhere", got.replyTo(), "reply-to");
        Expect.equal("text/plain", got.contentType(), "content-type");
        Expect.equal("utf-8", got.contentEncoding(), "content-encoding");
        Expect.equal(1234567890123L, got.creationTime(), "creation-time");
        Expect.equal("group", got.groupId(), "group-id");
        Expect.equal("reply-group", got.replyToGroupId(), "reply-to-group-id");
        Expect.equal(7, got.priority(), "priority");
        Expect.equal(true, got.isDurable(), "durable");
        Expect.equal(0, got.deliveryCount(), "delivery-count");
        Expect.equal(sent.applicationProperties(), got.applicationProperties(), "application properties");
        result(connection.close());
    }

    private void bodies() throws Exception {
        AmqpConnection connection = connect();
        String address = broker.address("vertx.bodies");
        UUID uuid = UUID.fromString("01234567-89ab-cdef-0123-456789abcdef");
        Instant time = Instant.ofEpochMilli(1_700_000_000_123L);
        AmqpSender sender = result(connection.createSender(address));
        for (AmqpMessage message : List.of(
                AmqpMessage.create().withBooleanAsBody(true).build(),
                AmqpMessage.create().withByteAsBody(Byte.MIN_VALUE).build(),
                AmqpMessage.create().withShortAsBody(Short.MIN_VALUE).build(),
                AmqpMessage.create().withIntegerAsBody(Integer.MIN_VALUE).build(),
                AmqpMessage.create().withLongAsBody(Long.MIN_VALUE).build(),
                AmqpMessage.create().withFloatAsBody(Float.MIN_VALUE).build(),
                AmqpMessage.create().withDoubleAsBody(Double.MAX_VALUE).build(),
                AmqpMessage.create().withCharAsBody('€').build(),
                AmqpMessage.create().withInstantAsBody(time).build(),
                AmqpMessage.create().withUuidAsBody(uuid).build(),
                AmqpMessage.create().withSymbolAsBody("symbol").build(),
                AmqpMessage.create().withListAsBody(List.of("one", 2, 3L)).build(),
                AmqpMessage.create().withMapAsBody(Map.of("key", "value")).build(),
                AmqpMessage.create().withBufferAsBody(Buffer.buffer(new byte[] {0, 1, -1})).build(),
                AmqpMessage.create().withJsonObjectAsBody(new JsonObject().put("a", 1)).build(),
                AmqpMessage.create().withJsonArrayAsBody(new JsonArray().add(1).add("b")).build())) {
            result(sender.sendWithAck(message));
        }
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(connection, address, new AmqpReceiverOptions(), inbox);
        Expect.equal(true, inbox.next().bodyAsBoolean(), "boolean");
        Expect.equal(Byte.MIN_VALUE, inbox.next().bodyAsByte(), "byte");
        Expect.equal(Short.MIN_VALUE, inbox.next().bodyAsShort(), "short");
        Expect.equal(Integer.MIN_VALUE, inbox.next().bodyAsInteger(), "int");
        Expect.equal(Long.MIN_VALUE, inbox.next().bodyAsLong(), "long");
        Expect.equal(Float.MIN_VALUE, inbox.next().bodyAsFloat(), "float");
        Expect.equal(Double.MAX_VALUE, inbox.next().bodyAsDouble(), "double");
        Expect.equal('€', inbox.next().bodyAsChar(), "char");
        Expect.equal(time, inbox.next().bodyAsTimestamp(), "timestamp");
        Expect.equal(uuid, inbox.next().bodyAsUUID(), "uuid");
        Expect.equal("symbol", inbox.next().bodyAsSymbol(), "symbol");
        Expect.equal(List.of("one", 2, 3L), inbox.next().bodyAsList(), "list");
        Expect.equal(Map.of("key", "value"), inbox.next().bodyAsMap(), "map");
        Expect.equal(Buffer.buffer(new byte[] {0, 1, -1}), inbox.next().bodyAsBinary(), "binary");
        Expect.equal(new JsonObject().put("a", 1), inbox.next().bodyAsJsonObject(), "JSON object");
        Expect.equal(new JsonArray().add(1).add("b"), inbox.next().bodyAsJsonArray(), "JSON array");
        result(connection.close());
    }

    private void anonymous() throws Exception {
        AmqpConnection connection = connect();
        AmqpSender sender = result(connection.createAnonymousSender());
        for (int i = 0; i < 3; i++) {
            result(sender.sendWithAck(AmqpMessage.create()
                    .address(broker.address("vertx.anonymous." + i))
                    .withIntegerAsBody(i)
                    .build()));
        }
        for (int i = 0; i < 3; i++) {
            Inbox<AmqpMessage> inbox = new Inbox<>();
            receive(connection, broker.address("vertx.anonymous." + i), new AmqpReceiverOptions(), inbox);
            Expect.equal(i, inbox.next().bodyAsInteger(), "body");
        }
        result(connection.close());
    }

    private void anonymousRefused() throws Exception {
        AmqpConnection connection = connect();
        AmqpSender sender = result(connection.createAnonymousSender());
        AmqpMessage lost = AmqpMessage.create()
                .address(goneAddress(connection))
                .withBody("lost")
                .build();
        Exception failure = Expect.failure(
                Exception.class, "a send to an address that is gone", () -> result(sender.sendWithAck(lost)));
        Expect.that(failure.getMessage().contains("REJECTED"), "rejected, not: " + failure.getMessage());
        String address = broker.address("vertx.anonymous.again");
        result(sender.sendWithAck(AmqpMessage.create().address(address).withBody("kept").build()));
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(connection, address, new AmqpReceiverOptions(), inbox);
        Expect.equal("kept", inbox.next().bodyAsString(), "body");
        result(connection.close());
    }

    private void backPressure() throws Exception {
        AmqpConnection connection = connect();
        String address = broker.address("vertx.stream");
        Promise<Integer> done = Promise.promise();
        // At once, on the loop of the connection, for its first credit may come before this thread goes on.
        result(connection.createSender(address).onSuccess(sender -> {
            sender.exceptionHandler(done::tryFail);
            sender.drainHandler(ignored -> fill(sender, done));
            if (!sender.writeQueueFull()) {
                fill(sender, done);
            }
        }));
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(connection, address, new AmqpReceiverOptions(), inbox);
        for (int i = 0; i < STREAMED; i++) {
            Expect.equal(i, inbox.next().bodyAsInteger(), "body");
        }
        Expect.that(result(done.future()) > 0, "the stream was full at times");
        result(connection.close());
    }

    /** Writes until the stream is full or all is written. On the loop of the connection. */
    private void fill(AmqpSender sender, Promise<Integer> done) {
        while (streamed < STREAMED && !sender.writeQueueFull()) {
            sender.write(AmqpMessage.create().withIntegerAsBody(streamed++).build()).onFailure(done::tryFail);
        }
        if (streamed == STREAMED) {
            done.tryComplete(pauses);
        } else {
            pauses++;
        }
    }

    private void topic() throws Exception {
        AmqpConnection connection = connect();
        String address = broker.address("vertx.topic");
        Inbox<AmqpMessage> one = new Inbox<>();
        Inbox<AmqpMessage> other = new Inbox<>();
        receive(connection, address, new AmqpReceiverOptions().addCapability("topic"), one);
        receive(connection, address, new AmqpReceiverOptions().addCapability("topic"), other);
        AmqpSender sender =
                result(connection.createSender(address, new AmqpSenderOptions().addCapability("topic")));
        result(sender.sendWithAck(text("news")));
        Expect.equal("news", one.next().bodyAsString(), "what the first got");
        Expect.equal("news", other.next().bodyAsString(), "what the second got");
        result(connection.close());
    }

    private void large() throws Exception {
        AmqpConnection connection = connect();
        String address = broker.address("vertx.large");
        byte[] body = new byte[LARGE];
        new Random(1).nextBytes(body);
        AmqpSender sender = result(connection.createSender(address));
        result(sender.sendWithAck(AmqpMessage.create()
                .withBufferAsBody(Buffer.buffer(body))
                .durable(true)
                .build()));
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(connection, address, new AmqpReceiverOptions(), inbox);
        Expect.that(Buffer.buffer(body).equals(inbox.next().bodyAsBinary()), "the body as it was sent");
        result(connection.close());
    }

    private void full() throws Exception {
        broker.needsRestart(); // a sign that the driver started this broker, with the queue that client.toml asks for
        AmqpConnection connection = connect();
        AmqpSender sender = result(connection.createSender("vertx.full"));
        Exception failure = Expect.failure(Exception.class, "sends to a queue for 10 messages", () -> {
            for (int i = 0; i < 11; i++) {
                result(sender.sendWithAck(text("message " + i)));
            }
        });
        Expect.that(
                failure.getMessage().contains("resource-limit-exceeded")
                        && failure.getMessage().contains("vertx.full")
                        && failure.getMessage().contains("max-messages"),
                "condition, queue and limit in: " + failure.getMessage());
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(connection, "vertx.full", new AmqpReceiverOptions(), inbox);
        inbox.next(10);
        result(sender.sendWithAck(text("there is room again")));
        Expect.equal("there is room again", inbox.next().bodyAsString(), "body");
        result(connection.close());
    }

    private void requestAndReply() throws Exception {
        AmqpConnection server = connect();
        String address = broker.address("vertx.requests");
        AmqpSender replies = result(server.createAnonymousSender());
        result(server.createReceiver(address)).handler(request -> replies.send(AmqpMessage.create()
                .address(request.replyTo())
                .correlationId(request.id())
                .withBody(request.bodyAsString().toUpperCase(Locale.ROOT))
                .build()));

        AmqpConnection client = connect();
        AmqpReceiver receiver = result(client.createDynamicReceiver());
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receiver.handler(inbox::add);
        Expect.that(receiver.address() != null && !receiver.address().isEmpty(), "an address was made");
        AmqpSender requests = result(client.createSender(address));
        for (int i = 0; i < 10; i++) {
            result(requests.sendWithAck(AmqpMessage.create()
                    .id("request-" + i)
                    .replyTo(receiver.address())
                    .withBody("number " + i)
                    .build()));
            AmqpMessage reply = inbox.next();
            Expect.equal("request-" + i, reply.correlationId(), "correlation-id");
            Expect.equal("NUMBER " + i, reply.bodyAsString(), "reply");
        }
        result(client.close());
        result(server.close());
    }

    private void dynamicTarget() throws Exception {
        AmqpConnection connection = connect();
        AmqpSender sender = result(connection.createSender(null, new AmqpSenderOptions().setDynamic(true)));
        Expect.that(sender.address() != null && !sender.address().isEmpty(), "an address was made");
        result(sender.sendWithAck(text("for a temporary queue")));
        Inbox<AmqpMessage> inbox = new Inbox<>();
        receive(connection, sender.address(), new AmqpReceiverOptions(), inbox);
        Expect.equal("for a temporary queue", inbox.next().bodyAsString(), "body");
        result(connection.close());
    }

    private void refused() throws Exception {
        refusesWhatIsGone("a sender to", (connection, address) -> result(connection.createSender(address)).unwrap());
    }
}
