package io.millrace.amqp;

import io.millrace.broker.LinkEndpoints;
import io.millrace.broker.LocalTransaction;
import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import io.millrace.queue.Delivery;
import io.millrace.queue.Receipt;
import io.millrace.queue.Source;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.transaction.TransactionalState;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.Transfer;

/**
 * Our end of a link that a peer receives from and can resume (AMQP 1.0, part 2, section 2.6.13). Owned by the loop of the link's
 * connection.
 *
 * <p>Deliveries that are open when the link is suspended stay acquired: the link stays at its source, without credit, until
 * all of them are settled. Tags count up over all links that resume one another, so one that was given and is not held
 * any more is settled, and nothing needs to be remembered of it but that.
 */
final class SendingEndpoint extends LinkEndpoint {
    private static final Outcome FAILED = new Outcome.Modified(true, false, Map.of());

    private final OutgoingLink link;
    private Optional<Source> source = Optional.empty();

    /** Deliveries of earlier links and, when the link is gone, its own, by their tags. */
    private final Map<Integer, HeldDelivery> held = new LinkedHashMap<>();

    /** Tags whose fate was that of a transaction which has ended without us: whoever asks does not hear that it is settled. */
    private final Set<Integer> uncertain = new HashSet<>();

    private final ArrayDeque<Due> due = new ArrayDeque<>();
    private int firstTag;

    /** Deliveries that go on, each of which takes a credit; the source does not know of them. */
    private int resumed;

    /** Deliveries of our own link that others settle through us. */
    private int lent;

    /** A transfer to be sent before any new delivery: that one is settled, or the whole of one. */
    private record Due(int tag, DeliveryState state, Optional<HeldDelivery> whole) {}

    /** What goes on with the next link. */
    private record Remains(int nextTag, Map<Integer, HeldDelivery> held, Set<Integer> uncertain)
            implements LinkEndpoints.Remains {}

    SendingEndpoint(OutgoingLink link, AmqpSession session, Attach asked, Retention retention) {
        super(link, session, asked, Optional.of(retention));
        this.link = link;
    }

    /** The tag of a delivery, which keeps the one it has. */
    int tag(Delivery delivery, int count) {
        return delivery instanceof HeldDelivery old ? old.tag() : firstTag + count;
    }

    /** How much of the peer's credit is for the source's own deliveries. */
    long creditOfSource(long limit) {
        return unsettled().incomplete() ? 0 : Math.max(0, limit - resumed);
    }

    /** The credit for what is still due is used up by a drain. */
    void voided() {
        resumed += (int) due.stream().filter(each -> each.whole().isPresent()).count();
    }

    // ---- taking over

    @Override
    void inherit(LinkEndpoints.Remains remains) {
        Remains left = (Remains) remains;
        firstTag = left.nextTag();
        uncertain.addAll(left.uncertain());
        held.putAll(left.held());
        if (!unsettled().resumes()) {
            end(true);
            return;
        }
        unsettled().peers().forEach((tag, state) -> {
            if (tag instanceof Binary binary && binary.getLength() == Integer.BYTES) {
                resolve(binary, state);
            }
        });
        Set<Integer> listed = new HashSet<>();
        due.forEach(each -> listed.add(each.tag()));
        for (HeldDelivery delivery : held.values().toArray(new HeldDelivery[0])) {
            if (unsettled().incomplete() && !listed.contains(delivery.tag())) {
                unsettled().list(wire(delivery.tag()), null);
            } else if (!listed.contains(delivery.tag())) {
                // The peer never got it.
                settle(delivery.tag(), Outcome.RELEASED, Receipt.NONE);
            }
        }
    }

    /** The peer knows a delivery. */
    private void resolve(Binary wireTag, Object told) {
        int tag = ByteBuffer.wrap(wireTag.getArray(), wireTag.getArrayOffset(), Integer.BYTES)
                .getInt();
        Optional<Outcome> outcome = Outcomes.decode(told);
        DeliveryState state = outcome.isPresent() ? (DeliveryState) told : null;
        HeldDelivery delivery = held.get(tag);
        if (delivery == null) {
            boolean given = Integer.compareUnsigned(tag, firstTag) < 0 && !uncertain.contains(tag);
            if (given && state != null) {
                unsettled().list(wireTag, state);
                due.addFirst(new Due(tag, state, Optional.empty()));
            }
        } else if (state != null) {
            unsettled().list(wireTag, state);
            settle(tag, outcome.get(), certain(durable -> {
                due.addFirst(new Due(tag, state, Optional.empty()));
                send();
            }));
        } else if (told instanceof TransactionalState) {
            settle(tag, FAILED, Receipt.NONE);
        } else {
            unsettled().list(wireTag, null);
            due.add(new Due(tag, null, Optional.of(delivery)));
            resumed++;
        }
    }

    private static Binary wire(int tag) {
        return new Binary(ByteBuffer.allocate(Integer.BYTES).putInt(tag).array());
    }

    private void settle(int tag, Outcome outcome, Receipt receipt) {
        HeldDelivery delivery = held.remove(tag);
        if (delivery == null) {
            receipt.settled(outcome);
        } else {
            delivery.settle(loop(), outcome, receipt);
        }
    }

    /** Nothing is handed over before this receipt is answered. */
    Receipt certain(Receipt receipt) {
        pending();
        return outcome -> {
            receipt.settled(outcome);
            certain();
        };
    }

    /** Sends what is due, as far as the window, and for whole deliveries the credit, reach. */
    void send() {
        while (!due.isEmpty() && link.active() && link.ready()) {
            Due next = due.peek();
            if (next.whole().isPresent() && !link.hasCredit()) {
                return;
            }
            due.remove();
            if (next.whole().isEmpty()) {
                sendSettled(next);
            } else if (held.containsKey(next.tag())) {
                link.deliver(next.whole().get());
            }
        }
    }

    private void sendSettled(Due next) {
        Transfer transfer = new Transfer();
        transfer.setHandle(UnsignedInteger.valueOf(link.localHandle()));
        transfer.setDeliveryId(UnsignedInteger.valueOf(link.session().nextDeliveryId()));
        transfer.setDeliveryTag(wire(next.tag()));
        transfer.setMessageFormat(UnsignedInteger.ZERO);
        transfer.setSettled(true);
        transfer.setState(next.state());
        transfer.setResume(true);
        link.session().sendBare(transfer);
    }

    // ---- letting go

    /** A delivery that has gone on is done with. */
    void settled(HeldDelivery delivery, Outcome outcome, Receipt receipt) {
        held.remove(delivery.tag());
        delivery.settle(loop(), outcome, receipt);
    }

    /** It becomes part of a transaction of our connection; or, for it came to another loop, the reason why it cannot. */
    Optional<Condition> settle(HeldDelivery delivery, LocalTransaction work, Outcome outcome, Receipt receipt) {
        if (!delivery.isOf(loop())) {
            return Optional.of(new Condition(
                    Condition.NOT_IMPLEMENTED,
                    "a delivery that was resumed cannot be settled in a transaction; settle it by itself"));
        }
        held.remove(delivery.tag());
        SendingEndpoint origin = delivery.origin();
        if (origin.source.isPresent()) {
            work.settle(origin.source.get(), origin.link, delivery.original(), outcome, receipt);
        } else {
            receipt.settled(outcome);
        }
        origin.returned();
        return Optional.empty();
    }

    /** The link is gone, and its source knows nothing of that: keeps what the peer has not settled. */
    void keep(Source from, Iterable<OutgoingDelivery> deliveries) {
        source = Optional.of(from);
        for (OutgoingDelivery delivery : deliveries) {
            if (delivery.inTransaction()) {
                uncertain.add(delivery.tag());
            } else if (!delivery.answered() && !(delivery.delivery() instanceof HeldDelivery)) {
                held.put(delivery.tag(), new HeldDelivery(this, delivery));
                lent++;
            }
        }
        if (lent == 0) {
            leaveSource();
        } else {
            from.credit(link, 0, false);
        }
    }

    /** The source is gone. */
    void sourceClosed() {
        source = Optional.empty();
    }

    private void leaveSource() {
        source.ifPresent(from -> from.detach(link, false));
        source = Optional.empty();
    }

    /** Settles a delivery of our own link for whoever has it now. */
    void settle(HeldDelivery delivery, Outcome outcome, Receipt receipt) {
        loop().assertCurrent();
        source.ifPresentOrElse(
                from -> from.settle(link, delivery.original(), outcome, receipt), () -> receipt.settled(outcome));
        returned();
    }

    private void returned() {
        lent--;
        if (lent == 0) {
            leaveSource();
        }
    }

    @Override
    LinkEndpoints.Remains remains() {
        Remains remains = new Remains(firstTag + (int) link.sent(), new LinkedHashMap<>(held), Set.copyOf(uncertain));
        held.clear();
        return remains;
    }

    @Override
    void end(boolean lost) {
        for (Integer tag : held.keySet().toArray(new Integer[0])) {
            settle(tag, lost ? FAILED : Outcome.RELEASED, Receipt.NONE);
        }
    }
}
