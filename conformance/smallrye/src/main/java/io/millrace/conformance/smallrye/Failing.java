package io.millrace.conformance.smallrye;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import io.smallrye.reactive.messaging.amqp.IncomingAmqpMetadata;
import io.vertx.amqp.AmqpMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.eclipse.microprofile.reactive.messaging.Message;

/** What becomes of messages that an application could not process, and of those that the broker does not take. */
final class Failing {
    private static final Duration SOON = Duration.ofSeconds(10);
    private static final int LIMIT_SECONDS = 15;

    private final Broker broker;

    Failing(Broker broker) {
        this.broker = broker;
    }

    void run(Tap tap) {
        tap.test("failure strategy fail: the application is not alive any more, and the message is not lost", this::fail);
        tap.test("failure strategy accept: the message is gone", () -> goesOn("accept", false));
        tap.test("failure strategy reject: the message is a dead letter, and others go on", () -> goesOn("reject", true));
        tap.test("failure strategy release: the message comes again, not counted", () -> comesAgain("release", 0));
        tap.test("failure strategy modified-failed: the message comes again, counted", () -> comesAgain("modified-failed", 1));
        tap.test(
                "failure strategy modified-failed-undeliverable-here: another consumer gets the message",
                this::undeliverableHere);
        tap.test("an application that fails a message every time has it as a dead letter after ten attempts", this::poison);
        tap.test("a queue that is full holds an application back, and nothing is lost", this::held);
        tap.test("a message for a full queue is told its refusal", this::refused);
        tap.todo(
                "an application goes on sending after a message was refused",
                "fault of the client: io/smallrye/reactive/messaging/amqp/AmqpCreditBasedSender.java, onNext: a send that failed,"
                        + " after its retries and the nack, also fails the whole channel (subscriber::onError); open as"
                        + " quarkus#54375",
                this::goesOnAfterRefusal);
    }

    private App start(String address, String strategy) {
        return App.start(new App.Channels(broker).incoming(address, "failure-strategy", strategy), Inbox.class);
    }

    /** The connector closes its client, and the rejection of the message may or may not go out before that. */
    private void fail() throws Exception {
        String address = broker.address("smallrye.fail");
        try (Probe probe = new Probe(broker)) {
            try (App app = start(address, "fail")) {
                Expect.within(SOON, "the application is ready", app::ready);
                probe.send(address, "bad");
                Expect.equal("bad", app.get(Inbox.class).next(), "payload");
                Expect.within(SOON, "it says that it is not alive", () -> !app.alive());
            }
            int found = probe.drain(address) + probe.drain(address + ".dlq");
            Expect.equal(1, found, "messages in the queue and its dead-letter queue");
        }
    }

    private void goesOn(String strategy, boolean dead) throws Exception {
        String address = broker.address("smallrye." + strategy);
        try (Probe probe = new Probe(broker)) {
            try (App app = start(address, strategy)) {
                Inbox inbox = app.get(Inbox.class);
                probe.send(address, "bad", "good");
                Expect.equal(List.of("bad", "good"), List.of(inbox.next(), inbox.next()), "payloads");
                inbox.staysEmpty("a message that is settled");
                Expect.that(app.alive(), "the application is alive");
            }
            probe.expectEmpty(address);
            if (dead) {
                Expect.equal("bad", probe.next(address + ".dlq").bodyAsString(), "the dead letter");
            } else {
                probe.expectEmpty(address + ".dlq");
            }
        }
    }

    private void comesAgain(String strategy, int count) throws Exception {
        String address = broker.address("smallrye." + strategy);
        try (Probe probe = new Probe(broker)) {
            try (App app = start(address, strategy)) {
                Inbox inbox = app.get(Inbox.class);
                probe.send(address, "bad");
                Expect.equal("bad", inbox.next(), "payload");
                Message<String> again = inbox.nextMessage();
                Expect.equal("bad", again.getPayload(), "payload, second time");
                IncomingAmqpMetadata metadata =
                        again.getMetadata(IncomingAmqpMetadata.class).orElseThrow();
                Expect.equal(count, metadata.getDeliveryCount(), "delivery-count");
                inbox.staysEmpty("a message that is settled");
            }
            probe.expectEmpty(address);
        }
    }

    private void undeliverableHere() throws Exception {
        String address = broker.address("smallrye.undeliverable");
        try (Probe probe = new Probe(broker);
                App app = start(address, "modified-failed-undeliverable-here")) {
            Inbox inbox = app.get(Inbox.class);
            probe.send(address, "bad");
            Expect.equal("bad", inbox.next(), "payload");
            AmqpMessage message = probe.next(address);
            Expect.equal("bad", message.bodyAsString(), "what another consumer gets");
            Expect.equal(1, message.deliveryCount(), "delivery-count");
            inbox.staysEmpty("a consumer that can't deliver it");
        }
    }

    private void poison() throws Exception {
        String address = broker.address("smallrye.poison");
        App.Channels channels = new App.Channels(broker).incoming(address, "failure-strategy", "modified-failed");
        try (Probe probe = new Probe(broker);
                App app = App.start(channels, Rejecter.class)) {
            probe.send(address, "poison");
            AmqpMessage dead = probe.next(address + ".dlq");
            Expect.equal("poison", dead.bodyAsString(), "the dead letter");
            Expect.equal(10, app.get(Rejecter.class).attempts(), "attempts");
        }
    }

    private App sender(String address) {
        return App.start(
                new App.Channels(broker)
                        .outgoing(
                                address,
                                "max-inflight-messages",
                                "2",
                                "credit-retrieval-period",
                                "100",
                                "retry-on-fail-attempts",
                                "1",
                                "retry-on-fail-interval",
                                "1"),
                Outbox.class);
    }

    private void held() throws Exception {
        broker.needsRestart(); // a sign that the driver started this broker, with the queue that client.toml asks for
        try (App app = sender("smallrye.held");
                Probe probe = new Probe(broker)) {
            Outbox outbox = app.get(Outbox.class);
            List<CompletableFuture<Void>> sent = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                sent.add(outbox.send("message " + i));
            }
            Expect.within(SOON, "three messages are accepted", () -> accepted(sent) >= 3);
            // The others are not, as long as nobody makes room.
            Thread.sleep(300);
            Expect.equal(3L, accepted(sent), "messages accepted by a queue that has room for three");
            Set<String> got = new HashSet<>();
            for (int i = 0; i < 20; i++) {
                Expect.that(got.add(probe.next("smallrye.held").bodyAsString()), "each message once");
            }
            for (CompletableFuture<Void> each : sent) {
                each.get(LIMIT_SECONDS, TimeUnit.SECONDS);
            }
        }
    }

    private static long accepted(List<CompletableFuture<Void>> sent) {
        return sent.stream().filter(CompletableFuture::isDone).count();
    }

    private void refused() throws Exception {
        broker.needsRestart();
        try (App app = sender("smallrye.full");
                Probe probe = new Probe(broker)) {
            Outbox outbox = app.get(Outbox.class);
            outbox.send("fills it").get(LIMIT_SECONDS, TimeUnit.SECONDS);
            ExecutionException failure = Expect.failure(
                    ExecutionException.class, "a message too many", () -> outbox.send("too many").get(LIMIT_SECONDS, TimeUnit.SECONDS));
            String reasons = reasons(failure);
            Expect.that(
                    reasons.contains("resource-limit-exceeded") && reasons.contains("smallrye.full"),
                    "condition and queue in: " + reasons);
            probe.next("smallrye.full");
        }
    }

    private static String reasons(Throwable failure) {
        StringBuilder reasons = new StringBuilder();
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            reasons.append(cause).append('\n');
        }
        return reasons.toString();
    }

    private void goesOnAfterRefusal() throws Exception {
        broker.needsRestart();
        try (App app = sender("smallrye.full");
                Probe probe = new Probe(broker)) {
            Outbox outbox = app.get(Outbox.class);
            outbox.send("fills it").get(LIMIT_SECONDS, TimeUnit.SECONDS);
            Expect.failure(
                    ExecutionException.class, "a message too many", () -> outbox.send("too many").get(LIMIT_SECONDS, TimeUnit.SECONDS));
            probe.next("smallrye.full");
            try {
                outbox.send("there is room again").get(3, TimeUnit.SECONDS);
            } finally {
                probe.drain("smallrye.full");
            }
        }
    }
}
