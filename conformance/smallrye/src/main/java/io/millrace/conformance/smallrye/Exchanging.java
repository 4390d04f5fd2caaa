package io.millrace.conformance.smallrye;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import io.smallrye.reactive.messaging.amqp.IncomingAmqpMetadata;
import io.smallrye.reactive.messaging.amqp.OutgoingAmqpMetadata;
import io.smallrye.reactive.messaging.ce.CloudEventMetadata;
import io.smallrye.reactive.messaging.ce.OutgoingCloudEventMetadata;
import io.vertx.amqp.AmqpMessage;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.reactive.messaging.Message;

/** Messages, their addresses and metadata. */
final class Exchanging {
    private static final int LIMIT_SECONDS = 15;

    private final Broker broker;

    Exchanging(Broker broker) {
        this.broker = broker;
    }

    void run(Tap tap) {
        tap.test("300 messages go through a queue, each once, and all are acknowledged", this::eachOnce);
        tap.test("each message goes where its metadata says, by the anonymous sender that is the default", this::addresses);
        tap.test("a sender for one address, if the application wants it", this::oneAddress);
        tap.test("metadata goes out and comes in", this::metadata);
        tap.test("a CloudEvent in binary mode goes out and comes in", () -> cloudEvent("binary"));
        tap.test("a CloudEvent in structured mode goes out and comes in", () -> cloudEvent("structured"));
        tap.test("a selector chooses, and the rest stays", this::selector);
        tap.test("the capability of a topic makes one", this::topic);
        tap.test("a durable subscription keeps messages while the application is stopped", this::durable);
        tap.test("messages that are acknowledged when they come are gone", this::autoAcknowledged);
        tap.test("a time to live of the channel is that of its messages", this::timeToLive);
    }

    private App.Channels channels() {
        return new App.Channels(broker);
    }

    private static void accepted(CompletableFuture<Void> sent) throws Exception {
        sent.get(LIMIT_SECONDS, TimeUnit.SECONDS);
    }

    private void eachOnce() throws Exception {
        String address = broker.address("smallrye.once");
        try (App app = App.start(channels().outgoing(address).incoming(address), Outbox.class, Inbox.class);
                Probe probe = new Probe(broker)) {
            Outbox outbox = app.get(Outbox.class);
            List<CompletableFuture<Void>> sent = new ArrayList<>();
            for (int i = 0; i < 300; i++) {
                sent.add(outbox.send("message " + i));
            }
            for (CompletableFuture<Void> each : sent) {
                accepted(each);
            }
            Inbox inbox = app.get(Inbox.class);
            // The connector sends from several threads, and does not keep the order.
            Set<String> got = new HashSet<>();
            for (int i = 0; i < 300; i++) {
                Expect.that(got.add(inbox.next()), "each message once");
            }
            probe.expectEmpty(address);
        }
    }

    private void addresses() throws Exception {
        try (App app = App.start(channels().outgoing(broker.address("smallrye.default")), Outbox.class);
                Probe probe = new Probe(broker)) {
            Outbox outbox = app.get(Outbox.class);
            accepted(outbox.send("for the address of the channel"));
            for (int i = 0; i < 3; i++) {
                String address = broker.address("smallrye.address." + i);
                accepted(outbox.send(
                        "for " + i, OutgoingAmqpMetadata.builder().withAddress(address).build()));
            }
            Expect.equal(
                    "for the address of the channel", probe.next(broker.address("smallrye.default")).bodyAsString(), "body");
            for (int i = 0; i < 3; i++) {
                Expect.equal("for " + i, probe.next(broker.address("smallrye.address." + i)).bodyAsString(), "body");
            }
        }
    }

    private void oneAddress() throws Exception {
        String address = broker.address("smallrye.one");
        try (App app = App.start(channels().outgoing(address, "use-anonymous-sender", "false", "durable", "true"), Outbox.class);
                Probe probe = new Probe(broker)) {
            accepted(app.get(Outbox.class).send("x"));
            AmqpMessage message = probe.next(address);
            Expect.equal("x", message.bodyAsString(), "body");
            Expect.that(message.isDurable(), "durable, as the channel says");
        }
    }

    private void metadata() throws Exception {
        String address = broker.address("smallrye.metadata");
        try (App app = App.start(channels().outgoing(address).incoming(address), Outbox.class, Inbox.class)) {
            OutgoingAmqpMetadata out = OutgoingAmqpMetadata.builder()
                    .withSubject("subject")
                    .withMessageId("id")
                    .withCorrelationId("correlation")
                    .withReplyTo("reply-to")
                    .withGroupId("group")
                    .withPriority((short) 7)
                    .withDurable(true)
                    .withContentType("text/plain")
                    .withApplicationProperties(new JsonObject().put("text", "ä€").put("number", 42))
                    .withMessageAnnotations("x-opt-mine", "yes")
                    .build();
            accepted(app.get(Outbox.class).send("x", out));
            IncomingAmqpMetadata in = app.get(Inbox.class)
                    .nextMessage()
                    .getMetadata(IncomingAmqpMetadata.class)
                    .orElseThrow();
            Expect.equal(
                    List.of("subject", "id", "correlation", "reply-to", "group", "text/plain", address),
                    List.of(
                            in.getSubject(),
                            in.getId(),
                            in.getCorrelationId(),
                            in.getReplyTo(),
                            in.getGroupId(),
                            in.getContentType(),
                            in.getAddress()),
                    "properties");
            Expect.equal(7, (int) in.getPriority(), "priority");
            Expect.that(in.isDurable(), "durable");
            Expect.equal("ä€", in.getProperties().getString("text"), "a text among the application properties");
            Expect.equal(42, in.getProperties().getInteger("number"), "a number among them");
        }
    }

    private void cloudEvent(String mode) throws Exception {
        String address = broker.address("smallrye.cloud-event." + mode);
        App.Channels channels = channels().outgoing(address, "cloud-events-mode", mode).incoming(address);
        try (App app = App.start(channels, Outbox.class, Inbox.class)) {
            accepted(app.get(Outbox.class)
                    .send(
                            "\"data\"",
                            OutgoingCloudEventMetadata.builder()
                                    .withId("event-1")
                                    .withType("shop.order")
                                    .withSource(URI.create("urn:shop"))
                                    .withSubject("a subject")
                                    .build()));
            Message<String> message = app.get(Inbox.class).nextMessage();
            CloudEventMetadata<?> event = message.getMetadata(CloudEventMetadata.class).orElseThrow();
            Expect.equal(
                    List.of("event-1", "shop.order", "urn:shop", "a subject"),
                    List.of(event.getId(), event.getType(), event.getSource().toString(), event.getSubject().orElse("none")),
                    "attributes");
        }
    }

    private void selector() throws Exception {
        String address = broker.address("smallrye.selector");
        try (Probe probe = new Probe(broker)) {
            for (String colour : List.of("red", "blue", "red")) {
                probe.send(
                        address,
                        AmqpMessage.create()
                                .applicationProperties(new JsonObject().put("colour", colour))
                                .withBody(colour)
                                .build());
            }
            try (App app = App.start(channels().incoming(address, "selector", "colour = 'red'"), Inbox.class)) {
                Inbox inbox = app.get(Inbox.class);
                Expect.equal(List.of("red", "red"), List.of(inbox.next(), inbox.next()), "selected");
                inbox.staysEmpty("what is not selected");
            }
            Expect.equal("blue", probe.next(address).bodyAsString(), "the rest");
            probe.expectEmpty(address);
        }
    }

    private void topic() throws Exception {
        String address = broker.address("smallrye.topic");
        App.Channels channels = channels()
                .outgoing(address, "capabilities", "topic", "use-anonymous-sender", "false")
                .incoming(address, "capabilities", "topic");
        try (App app = App.start(channels, Outbox.class, Inbox.class)) {
            Expect.within(Duration.ofSeconds(10), "the application is ready", app::ready);
            accepted(app.get(Outbox.class).send("news"));
            Expect.equal("news", app.get(Inbox.class).next(), "payload");
        }
    }

    private void durable() throws Exception {
        String address = broker.address("smallrye.durable");
        App.Channels channels = channels()
                .incoming(
                        address,
                        "durable",
                        "true",
                        "capabilities",
                        "topic",
                        "container-id",
                        broker.address("smallrye.durable.container"),
                        "link-name",
                        "subscription");
        try (Probe probe = new Probe(broker)) {
            try (App app = App.start(channels, Inbox.class)) {
                Expect.within(Duration.ofSeconds(10), "the application is ready", app::ready);
                probe.send("topic://" + address, "one");
                Expect.equal("one", app.get(Inbox.class).next(), "while it runs");
            }
            probe.send("topic://" + address, "two", "three");
            try (App app = App.start(channels, Inbox.class)) {
                Inbox inbox = app.get(Inbox.class);
                Expect.equal(List.of("two", "three"), List.of(inbox.next(), inbox.next()), "what came while it was stopped");
                inbox.staysEmpty("the subscription");
            }
        }
    }

    private void autoAcknowledged() throws Exception {
        String address = broker.address("smallrye.auto");
        try (Probe probe = new Probe(broker)) {
            probe.send(address, "one", "two");
            try (App app = App.start(channels().incoming(address, "auto-acknowledgement", "true"), Inbox.class)) {
                Inbox inbox = app.get(Inbox.class);
                inbox.next();
                Expect.equal("two", inbox.next(), "payload");
            }
            probe.expectEmpty(address);
            probe.expectEmpty(address + ".dlq");
        }
    }

    private void timeToLive() throws Exception {
        String address = broker.address("smallrye.ttl");
        try (App app = App.start(channels().outgoing(address, "ttl", "3600000"), Outbox.class);
                Probe probe = new Probe(broker)) {
            accepted(app.get(Outbox.class).send("x"));
            long left = probe.next(address).ttl();
            Expect.that(left > 0 && left <= 3_600_000, "what is left of an hour, not: " + left + " ms");
        }
    }
}
