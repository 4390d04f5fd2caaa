package io.millrace.conformance.vertx;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.proton.ProtonDelivery;
import io.vertx.proton.ProtonHelper;
import io.vertx.proton.ProtonQoS;
import io.vertx.proton.ProtonReceiver;
import io.vertx.proton.ProtonSender;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.MessageAnnotations;
import org.apache.qpid.proton.amqp.messaging.Modified;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.messaging.Released;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.apache.qpid.proton.message.Message;

/** Deliveries of vertx-proton: quality of service, outcomes, credit and drain by hand. */
final class ProtonDeliveries extends ProtonTests {
    ProtonDeliveries(Broker broker, Vertx vertx) {
        super(broker, vertx);
    }

    void run(Tap tap) {
        tap.test("at least once: each message is accepted and settled", this::atLeastOnce);
        tap.test("at most once: 1,000 messages go settled and arrive in order", this::atMostOnce);
        tap.test("a receiver at most once gets messages settled, and they are gone", this::receiveAtMostOnce);
        tap.test("credit by hand: exactly so many messages come", this::credit);
        tap.test("a drain of an empty queue is answered at once", this::drainEmpty);
        tap.test("a drain brings what is there first", this::drainSome);
        tap.test("a receiver goes on with new credit after a drain", this::afterDrain);
        tap.test("an accepted message that the receiver has not settled is settled by the broker", () -> unsettled(Accepted.getInstance()));
        tap.test("a rejected message that the receiver has not settled is settled by the broker", () -> unsettled(new Rejected()));
        tap.test("a released message that the receiver has not settled is settled by the broker", () -> unsettled(Released.getInstance()));
        tap.test("a modified message that the receiver has not settled is settled by the broker", () -> unsettled(failed()));
        tap.test("a rejected message is in the dead-letter queue with the receiver's reason", this::rejected);
        tap.test("a message settled without an outcome gets the default outcome", this::settledOnly);
        tap.test("annotations of a modified message are on its next delivery", this::annotated);
        tap.test("deliveries settled out of order are settled each by itself", this::outOfOrder);
        tap.test("a message that fails ten times is in the dead-letter queue", this::tooManyFailures);
    }

    private static Modified failed() {
        Modified modified = new Modified();
        modified.setDeliveryFailed(true);
        return modified;
    }

    private void atLeastOnce() throws Exception {
        try (Peer peer = connect()) {
            String address = broker.address("proton.at-least-once");
            ProtonSender sender = peer.on(() -> peer.connection.createSender(address).setQoS(ProtonQoS.AT_LEAST_ONCE));
            peer.open(sender);
            for (int i = 0; i < 100; i++) {
                DeliveryState outcome = peer.send(sender, Peer.text("message " + i));
                Expect.that(outcome instanceof Accepted, "accepted, not: " + outcome);
            }
            Inbox<Peer.Received> inbox = new Inbox<>();
            peer.open(peer.receiver(address, inbox));
            for (int i = 0; i < 100; i++) {
                Expect.equal("message " + i, inbox.next().body(), "body");
            }
        }
        expectNothing(broker.address("proton.at-least-once"));
    }

    private void atMostOnce() throws Exception {
        try (Peer peer = connect()) {
            String address = broker.address("proton.at-most-once");
            ProtonSender sender = peer.on(() -> peer.connection.createSender(address).setQoS(ProtonQoS.AT_MOST_ONCE));
            Inbox<Peer.Received> inbox = new Inbox<>();
            peer.open(peer.receiver(address, inbox));
            peer.open(sender);
            Promise<Void> sent = Promise.promise();
            int[] next = {0};
            peer.on(() -> sender.sendQueueDrainHandler(ignored -> {
                while (next[0] < 1000 && !sender.sendQueueFull()) {
                    sender.send(Peer.text("message " + next[0]++));
                }
                if (next[0] == 1000) {
                    sent.tryComplete();
                }
            }));
            AmqpClients.result(sent.future());
            for (int i = 0; i < 1000; i++) {
                Expect.equal("message " + i, inbox.next().body(), "body");
            }
        }
    }

    private void receiveAtMostOnce() throws Exception {
        String address = broker.address("proton.receive-at-most-once");
        try (Peer peer = connect()) {
            peer.sendTexts(address, "a", "b");
            Inbox<Peer.Received> inbox = new Inbox<>();
            ProtonReceiver receiver = peer.receiver(address, inbox);
            peer.on(() -> receiver.setQoS(ProtonQoS.AT_MOST_ONCE).setAutoAccept(false));
            peer.open(receiver);
            Expect.equal(ProtonQoS.AT_MOST_ONCE, receiver.getRemoteQoS(), "what the broker says of the link");
            for (Peer.Received received : inbox.next(2)) {
                Expect.that(received.delivery.remotelySettled(), "settled by the broker");
            }
        }
        expectNothing(address);
    }

    /** A receiver with credit by hand and outcomes by hand. */
    private ProtonReceiver byHand(Peer peer, String address, Inbox<Peer.Received> inbox) throws Exception {
        ProtonReceiver receiver = peer.receiver(address, inbox);
        peer.on(() -> receiver.setPrefetch(0).setAutoAccept(false));
        return peer.open(receiver);
    }

    private void credit() throws Exception {
        try (Peer peer = connect()) {
            String address = broker.address("proton.credit");
            peer.sendTexts(address, numbers(0, 10));
            Inbox<Peer.Received> inbox = new Inbox<>();
            ProtonReceiver receiver = byHand(peer, address, inbox);
            inbox.staysEmpty("without credit");
            peer.on(() -> receiver.flow(3));
            Expect.equal(List.of(numbers(0, 3)), bodies(inbox.next(3)), "with credit for three");
            inbox.staysEmpty("with no credit left");
            peer.on(() -> receiver.flow(1));
            peer.on(() -> receiver.flow(4));
            Expect.equal(List.of(numbers(3, 8)), bodies(inbox.next(5)), "with credit for five more");
            inbox.staysEmpty("with no credit left");
        }
    }

    private static void drain(Peer peer, ProtonReceiver receiver) throws Exception {
        Promise<Void> drained = Promise.promise();
        peer.on(() -> receiver.drain(5000, done -> {
            if (done.failed()) {
                drained.fail(done.cause());
            } else {
                drained.complete();
            }
        }));
        AmqpClients.result(drained.future());
    }

    private void drainEmpty() throws Exception {
        try (Peer peer = connect()) {
            Inbox<Peer.Received> inbox = new Inbox<>();
            ProtonReceiver receiver = byHand(peer, broker.address("proton.drain.empty"), inbox);
            peer.on(() -> receiver.flow(100));
            drain(peer, receiver);
            Expect.equal(0, peer.on(receiver::getCredit), "credit after the drain");
            inbox.staysEmpty("an empty queue");
        }
    }

    private void drainSome() throws Exception {
        try (Peer peer = connect()) {
            String address = broker.address("proton.drain.some");
            peer.sendTexts(address, numbers(0, 5));
            Inbox<Peer.Received> inbox = new Inbox<>();
            ProtonReceiver receiver = byHand(peer, address, inbox);
            peer.on(() -> receiver.flow(100));
            drain(peer, receiver);
            Expect.equal(List.of(numbers(0, 5)), bodies(inbox.next(5)), "what was there");
            Expect.equal(0, peer.on(receiver::getCredit), "credit after the drain");
            peer.sendTexts(address, "later");
            inbox.staysEmpty("after the drain");
        }
    }

    private void afterDrain() throws Exception {
        try (Peer peer = connect()) {
            String address = broker.address("proton.drain.again");
            Inbox<Peer.Received> inbox = new Inbox<>();
            ProtonReceiver receiver = byHand(peer, address, inbox);
            for (int i = 0; i < 20; i++) {
                peer.on(() -> receiver.flow(10));
                drain(peer, receiver);
                peer.on(() -> receiver.flow(1));
                peer.sendTexts(address, "message " + i, "one too many " + i);
                Peer.Received received = inbox.next();
                Expect.equal("message " + i, received.body(), "body");
                peer.on(() -> ProtonHelper.accepted(received.delivery, true));
                peer.on(() -> receiver.flow(1));
                Peer.Received second = inbox.next();
                Expect.equal("one too many " + i, second.body(), "body");
                peer.on(() -> ProtonHelper.accepted(second.delivery, true));
            }
        }
    }

    private void unsettled(DeliveryState outcome) throws Exception {
        try (Peer peer = connect()) {
            String address = broker.address("proton.unsettled." + outcome.getType());
            peer.sendTexts(address, "x");
            Inbox<Peer.Received> inbox = new Inbox<>();
            ProtonReceiver receiver = byHand(peer, address, inbox);
            peer.on(() -> receiver.flow(1));
            ProtonDelivery delivery = inbox.next().delivery;
            peer.on(() -> delivery.disposition(outcome, false));
            Expect.within(Duration.ofSeconds(5), "the broker settles", () -> peer.on(delivery::remotelySettled));
            Expect.equal(outcome.getType(), peer.on(delivery::getRemoteState).getType(), "outcome that the broker names");
            peer.on(delivery::settle);
        }
    }

    private void rejected() throws Exception {
        try (Peer peer = connect()) {
            String address = broker.address("proton.rejected");
            peer.sendTexts(address, "bad");
            Inbox<Peer.Received> inbox = new Inbox<>();
            ProtonReceiver receiver = byHand(peer, address, inbox);
            peer.on(() -> receiver.flow(1));
            Rejected rejected = new Rejected();
            rejected.setError(new ErrorCondition(Symbol.valueOf("shop:bad-order"), "there is no such article"));
            ProtonDelivery delivery = inbox.next().delivery;
            peer.on(() -> delivery.disposition(rejected, true));
            Inbox<Peer.Received> deadLetters = new Inbox<>();
            peer.open(peer.receiver(address + ".dlq", deadLetters));
            Peer.Received dead = deadLetters.next();
            Expect.equal("bad", dead.body(), "body");
            Map<Symbol, Object> annotations = dead.message.getMessageAnnotations().getValue();
            Expect.equal("rejected", annotations.get(Symbol.valueOf("x-opt-death-reason")), "reason");
            String description = String.valueOf(annotations.get(Symbol.valueOf("x-opt-death-description")));
            Expect.that(description.contains("there is no such article"), "the receiver's words in: " + description);
        }
    }

    private void settledOnly() throws Exception {
        try (Peer peer = connect()) {
            String address = broker.address("proton.settled");
            peer.sendTexts(address, "x");
            Inbox<Peer.Received> inbox = new Inbox<>();
            ProtonReceiver receiver = byHand(peer, address, inbox);
            peer.on(() -> receiver.flow(1));
            ProtonDelivery delivery = inbox.next().delivery;
            // vertx-proton asks for released as the default outcome.
            peer.on(delivery::settle);
            peer.on(() -> receiver.flow(1));
            Peer.Received again = inbox.next();
            Expect.equal("x", again.body(), "body");
            Expect.equal(0L, again.message.getDeliveryCount(), "delivery-count");
        }
    }

    private void annotated() throws Exception {
        try (Peer peer = connect()) {
            String address = broker.address("proton.annotated");
            ProtonSender sender = peer.open(peer.sender(address));
            Message message = Peer.text("x");
            message.setMessageAnnotations(new MessageAnnotations(
                    new HashMap<>(Map.of(Symbol.valueOf("x-opt-kept"), "yes", Symbol.valueOf("x-opt-note"), "old"))));
            peer.send(sender, message);
            Inbox<Peer.Received> inbox = new Inbox<>();
            ProtonReceiver receiver = byHand(peer, address, inbox);
            peer.on(() -> receiver.flow(2));
            Modified modified = failed();
            modified.setMessageAnnotations(Map.of(Symbol.valueOf("x-opt-note"), "new"));
            ProtonDelivery delivery = inbox.next().delivery;
            peer.on(() -> delivery.disposition(modified, true));
            Peer.Received again = inbox.next();
            Map<Symbol, Object> annotations = again.message.getMessageAnnotations().getValue();
            Expect.equal("yes", annotations.get(Symbol.valueOf("x-opt-kept")), "an annotation of the sender");
            Expect.equal("new", annotations.get(Symbol.valueOf("x-opt-note")), "an annotation of the receiver");
            Expect.equal(1L, again.message.getDeliveryCount(), "delivery-count");
        }
    }

    private void outOfOrder() throws Exception {
        String address = broker.address("proton.out-of-order");
        try (Peer peer = connect()) {
            peer.sendTexts(address, numbers(0, 10));
            Inbox<Peer.Received> inbox = new Inbox<>();
            ProtonReceiver receiver = byHand(peer, address, inbox);
            peer.on(() -> receiver.flow(10));
            List<Peer.Received> all = inbox.next(10);
            for (int i : new int[] {9, 1, 5, 3, 7}) {
                peer.on(() -> ProtonHelper.accepted(all.get(i).delivery, true));
            }
            for (int i : new int[] {8, 0, 4, 2, 6}) {
                peer.on(() -> ProtonHelper.released(all.get(i).delivery, true));
            }
            peer.on(receiver::close);
            Inbox<Peer.Received> rest = new Inbox<>();
            peer.open(peer.receiver(address, rest));
            Expect.equal(List.of("0", "2", "4", "6", "8"), bodies(rest.next(5)), "what was released, in its order");
        }
        expectNothing(address);
    }

    private void tooManyFailures() throws Exception {
        try (Peer peer = connect()) {
            String address = broker.address("proton.failures");
            peer.sendTexts(address, "x");
            Inbox<Peer.Received> inbox = new Inbox<>();
            ProtonReceiver receiver = byHand(peer, address, inbox);
            peer.on(() -> receiver.flow(20));
            for (int i = 0; i < 10; i++) {
                Peer.Received received = inbox.next();
                Expect.equal((long) i, received.message.getDeliveryCount(), "delivery-count");
                peer.on(() -> received.delivery.disposition(failed(), true));
            }
            inbox.staysEmpty("a dead message");
            Inbox<Peer.Received> deadLetters = new Inbox<>();
            peer.open(peer.receiver(address + ".dlq", deadLetters));
            Expect.equal("x", deadLetters.next().body(), "the dead letter");
        }
    }
}
