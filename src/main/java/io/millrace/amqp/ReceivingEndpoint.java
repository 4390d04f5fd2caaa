package io.millrace.amqp;

import io.millrace.broker.LinkEndpoints;
import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.messaging.Released;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.ReceiverSettleMode;
import org.apache.qpid.proton.amqp.transport.Transfer;

/**
 * Our end of a link that a peer sends over and settles after us (receiver-settle-mode second), or can resume (AMQP 1.0, part 2,
 * sections 2.6.12 and 2.6.13). Owned by the loop of the link's connection.
 *
 * <p>It remembers what was said of each delivery until the peer has settled it. A delivery that comes again is not a new
 * message: it is told the same.
 */
final class ReceivingEndpoint extends LinkEndpoint {
    private final IncomingLink link;
    private final boolean second;
    private final Map<Binary, Received> received = new LinkedHashMap<>();

    /** Transfers without a message, which some senders count and others do not. */
    private int bare;

    /** What goes on with the next link. */
    private record Remains(Map<Binary, Outcome> outcomes) implements LinkEndpoints.Remains {}

    /** A delivery that the peer has not settled. */
    static final class Received {
        private final ReceivingEndpoint endpoint;
        private final Binary tag;
        private final boolean transactional;
        private Optional<Outcome> outcome;
        private int id;

        /** It came on an earlier link, and not on this one yet. */
        private boolean inherited;

        private boolean settled;

        private Received(
                ReceivingEndpoint endpoint, Binary tag, boolean transactional, int id, Optional<Outcome> outcome) {
            this.endpoint = endpoint;
            this.tag = tag;
            this.transactional = transactional;
            this.id = id;
            this.outcome = outcome;
            this.inherited = outcome.isPresent();
        }

        /** The peer settles it. */
        void settle() {
            endpoint.settledByPeer(this);
        }
    }

    private ReceivingEndpoint(
            IncomingLink link, AmqpSession session, Attach asked, Optional<Retention> retention, boolean second) {
        super(link, session, asked, retention);
        this.link = link;
        this.second = second;
    }

    /** The endpoint of a link to a node; empty when we settle all that comes, and nothing goes on. */
    static Optional<ReceivingEndpoint> of(IncomingLink link, AmqpSession session, Attach asked) {
        boolean second = asked.getRcvSettleMode() == ReceiverSettleMode.SECOND;
        Optional<Retention> retention = Retention.of(asked);
        return second || retention.isPresent()
                ? Optional.of(new ReceivingEndpoint(link, session, asked, retention, second))
                : Optional.empty();
    }

    /** Whether the peer settles after us. */
    boolean second() {
        return second;
    }

    /** So many more than the window may be granted: the peer may think that it has used them. */
    int bare() {
        return bare;
    }

    /** The id of the delivery that has this tag now. */
    Optional<Integer> idOf(Binary tag) {
        return Optional.ofNullable(received.get(tag))
                .filter(known -> !known.inherited)
                .map(known -> known.id);
    }

    // ---- a delivery, from its arrival to its end

    /** A message has come, and is on its way to its target. */
    void arrived(int id, Binary tag, boolean transactional) {
        Received arrived = new Received(this, tag, transactional, id, Optional.empty());
        received.put(tag, arrived);
        if (second) {
            link.session().received(id, arrived);
        }
        pending();
    }

    /**
     * Its outcome is certain.
     *
     * @param told whether the peer hears of it now
     * @return whether the peer has yet to settle it, and it uses credit until then
     */
    boolean answered(Binary tag, Outcome outcome, boolean told) {
        Received delivery = received.get(tag);
        boolean open = delivery != null && !delivery.settled && !(told && !second);
        if (open) {
            delivery.outcome = Optional.of(outcome);
        } else {
            received.remove(tag);
        }
        certain();
        return open && second;
    }

    private void settledByPeer(Received delivery) {
        delivery.settled = true;
        if (delivery.outcome.isPresent() && received.remove(delivery.tag, delivery) && !delivery.inherited) {
            link.session().forgetReceived(delivery.id);
            link.freed();
        }
    }

    /** The link is gone; what the peer says of its deliveries from now on, it says with an attach. */
    void detached() {
        received.values().forEach(each -> link.session().forgetReceived(each.id));
    }

    // ---- deliveries that come again

    /** Whether a transfer is about a delivery that is known or should be, and brings no message. */
    static boolean isBare(Transfer transfer, Binary payload) {
        return transfer.getResume()
                && !transfer.getMore()
                && !transfer.getAborted()
                && (payload == null || payload.getLength() == 0);
    }

    /** Takes such a transfer, on any link. It counts nothing. */
    static void resumed(IncomingLink link, Optional<ReceivingEndpoint> endpoint, Transfer transfer) {
        int id = link.session().newIncomingDelivery(transfer);
        Optional<Received> known = endpoint.flatMap(end -> end.resumed(transfer));
        if (Boolean.TRUE.equals(transfer.getSettled())) {
            known.ifPresent(Received::settle);
        } else if (known.isPresent()) {
            endpoint.get().tellAgain(known.get(), id);
        } else {
            tell(link, id, true, Released.getInstance());
        }
    }

    private Optional<Received> resumed(Transfer transfer) {
        bare++;
        return Optional.ofNullable(received.get(transfer.getDeliveryTag())).filter(known -> known.outcome.isPresent());
    }

    /** Why a delivery may not begin: we did not list all that it could be (section 2.7.3). */
    Optional<Condition> objection(Transfer transfer) {
        return unsettled().oursIncomplete() && !transfer.getResume()
                ? Optional.of(new Condition(
                        Condition.ILLEGAL_STATE,
                        "a new delivery came, but the unsettled map of this attach is incomplete; resume what it lists"
                                + " and attach again"))
                : Optional.empty();
    }

    /** Whether a delivery, which is here as a whole, is one of an earlier link; then it is answered as it was. */
    boolean repeats(int id, Binary tag, boolean settled) {
        Received known = received.get(tag);
        if (known == null || !known.inherited) {
            return false;
        }
        if (settled) {
            known.settle();
        } else {
            tellAgain(known, id);
        }
        return true;
    }

    private void tellAgain(Received known, int id) {
        if (known.inherited) {
            known.inherited = false;
            link.taken();
        }
        known.id = id;
        if (second) {
            link.session().received(id, known);
        } else {
            known.settle();
        }
        tell(link, id, !second, Outcomes.encode(known.outcome.orElseThrow()));
    }

    private static void tell(IncomingLink link, int id, boolean settled, DeliveryState state) {
        link.session().frames().disposition(link.session().channel(), false, id, settled, state);
    }

    // ---- from link to link

    @Override
    void inherit(LinkEndpoints.Remains remains) {
        if (!unsettled().resumes()) {
            return;
        }
        ((Remains) remains).outcomes().forEach((tag, outcome) -> {
            boolean listed = unsettled().peers().containsKey(tag);
            if (listed || unsettled().incomplete()) {
                received.put(tag, new Received(this, tag, false, 0, Optional.of(outcome)));
                unsettled().list(tag, Outcomes.encode(outcome));
            }
        });
    }

    @Override
    LinkEndpoints.Remains remains() {
        Map<Binary, Outcome> outcomes = new LinkedHashMap<>();
        for (Received each : received.values()) {
            if (!each.transactional) {
                each.outcome.ifPresent(outcome -> outcomes.put(each.tag, outcome));
            }
        }
        return new Remains(outcomes);
    }

    @Override
    void end(boolean lost) {
        received.clear();
    }
}
