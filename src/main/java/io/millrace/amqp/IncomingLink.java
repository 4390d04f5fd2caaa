package io.millrace.amqp;

import io.millrace.broker.Node;
import io.millrace.broker.Nodes;
import io.millrace.message.Condition;
import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Receipt;
import io.millrace.queue.Target;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.transaction.TransactionalState;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.ReceiverSettleMode;
import org.apache.qpid.proton.amqp.transport.SenderSettleMode;
import org.apache.qpid.proton.amqp.transport.Transfer;

/**
 * A link over which a peer sends messages into a queue, or, without an address, wherever each message wants to go (AMQP 1.0,
 * part 2, section 2.6; anonymous terminus, version 1.0). Owned by its session.
 *
 * <p>Credit is the smaller of the link's window, less what is not answered yet, and the target's room. It is looked at once
 * per flush and granted in lumps; no room means no credit until the target calls. What the peer sends without credit, or
 * beyond the largest message, ends the link before it is kept.
 */
final class IncomingLink extends AmqpLink {
    private final int window;

    /** Less than this is not worth a frame, unless the peer has nothing left. */
    private final int lump;

    private final long maxMessageSize;
    private Target target;
    private int deliveryCount;
    private int credit;
    private int unanswered;
    private final Runnable grantCredit = this::grantCredit;
    private boolean creditDue;
    private boolean waitsForRoom;

    /** Deliveries that are not answered yet, by the hashes of their tags. */
    private final IntMap<Answer> byTag = new IntMap<>();

    private boolean inDelivery;
    private int deliveryId;
    private Binary tag;
    private int format;
    private boolean settled;
    private boolean transactional;
    private byte[] content;
    private int size;

    IncomingLink(AmqpSession session, Attach asked, int localHandle) {
        super(session, asked, localHandle);
        window = session.connection().settings().limits().linkCredit();
        lump = Math.max(1, (int) (window * 2L / 5));
        maxMessageSize = session.connection().settings().limits().maxMessageBytes();
        deliveryCount = asked.getInitialDeliveryCount() == null
                ? 0
                : asked.getInitialDeliveryCount().intValue();
    }

    @Override
    void open() {
        IncomingLink old = session().connection().incomingLinks().put(name(), this);
        if (old != null) {
            old.end(Termini.stolen(name()));
        }
        Optional<Condition> refusal = Termini.refusalOfTarget(asked().getTarget());
        if (refusal.isPresent()) {
            refuse(refusal.get());
        } else if (Termini.anonymous(asked().getTarget())) {
            Attach answer = newAnswer();
            answerWith(answer, Optional.empty());
            attach(answer);
            start(new RelayTarget(session().connection()));
        } else {
            openNode(Termini.address(asked().getTarget()), Termini.dynamic(asked().getTarget()), Nodes.Use.SEND);
        }
    }

    @Override
    void accept(Attach answer, Node node) {
        answerWith(answer, Optional.of(node));
    }

    private void answerWith(Attach answer, Optional<Node> node) {
        answer.setSource(Termini.sourceOfIncoming(asked().getSource()));
        answer.setTarget(Termini.target(asked().getTarget(), node));
        answer.setRcvSettleMode(ReceiverSettleMode.FIRST);
        answer.setMaxMessageSize(UnsignedLong.valueOf(maxMessageSize));
    }

    @Override
    void opened(Node node) {
        attach(node);
        if (active()) {
            start(node.target());
        }
    }

    private void start(Target to) {
        target = to;
        creditDue();
    }

    private void creditDue() {
        if (!creditDue) {
            creditDue = true;
            session().connection().output().atFlush(grantCredit);
        }
    }

    /** Tops the peer's credit up, if that is worth a frame. Called at a flush. */
    private void grantCredit() {
        creditDue = false;
        if (!active()) {
            return;
        }
        int room = target.room();
        int wanted = Math.min(window - unanswered, room);
        if (wanted - credit >= lump || (credit == 0 && wanted > 0)) {
            credit = wanted;
            sendFlow();
        }
        if (room == 0 && !waitsForRoom) {
            waitsForRoom = true;
            target.whenRoom(() -> {
                waitsForRoom = false;
                creditDue();
            });
        }
    }

    private void sendFlow() {
        Flow flow = session().newFlow();
        flow.setHandle(UnsignedInteger.valueOf(localHandle()));
        flow.setDeliveryCount(UnsignedInteger.valueOf(deliveryCount));
        flow.setLinkCredit(UnsignedInteger.valueOf(credit));
        session().frames().frame(session().channel(), flow);
    }

    @Override
    void flowed(Flow flow) {
        if (!active()) {
            return;
        }
        if (flow.getDeliveryCount() != null) {
            // A sender may use credit up without a delivery.
            int skipped = flow.getDeliveryCount().intValue() - deliveryCount;
            if (skipped > 0 && skipped <= credit) {
                deliveryCount += skipped;
                credit -= skipped;
                creditDue();
            }
        }
        if (flow.getEcho()) {
            sendFlow();
        }
    }

    @Override
    void transferred(Transfer transfer, Binary payload) {
        if (!inDelivery) {
            int id = session().newIncomingDelivery(transfer);
            if (credit <= 0) {
                end(new Condition(
                        Condition.TRANSFER_LIMIT_EXCEEDED,
                        "delivery " + Integer.toUnsignedString(id) + " on link \"" + name()
                                + "\" came without credit"));
            }
            if (active()) {
                begin(transfer, id);
            }
        } else if (active()) {
            checkContinuation(transfer);
        }
        boolean more = transfer.getMore() && !transfer.getAborted();
        inDelivery = more;
        if (active()) {
            take(transfer, payload, more);
        }
    }

    private void begin(Transfer transfer, int id) {
        if (transfer.getMessageFormat() == null && transfer.getMore()) {
            throw invalid(transfer, "has no message-format in the first of its transfers");
        }
        if (transfer.getRcvSettleMode() == ReceiverSettleMode.SECOND) {
            end(new Condition(
                    Condition.INVALID_FIELD,
                    "delivery " + transfer.getDeliveryId() + " wants rcv-settle-mode second; link \"" + name()
                            + "\" has first"));
            return;
        }
        deliveryId = id;
        tag = transfer.getDeliveryTag();
        Answer other = byTag.get(tag.hashCode());
        if (other != null && other.tag.equals(tag)) {
            throw invalid(
                    transfer,
                    "has the delivery-tag of delivery " + Integer.toUnsignedString(other.id) + ", which is unsettled");
        }
        format = transfer.getMessageFormat() == null
                ? 0
                : transfer.getMessageFormat().intValue();
        settled = false;
        transactional = false;
        content = null;
        size = 0;
    }

    /** All transfers of a delivery are of one delivery-id, delivery-tag and message-format (section 2.7.5). */
    private void checkContinuation(Transfer transfer) {
        if (transfer.getDeliveryId() != null && transfer.getDeliveryId().intValue() != deliveryId) {
            throw invalid(transfer, "began before delivery " + Integer.toUnsignedString(deliveryId) + " is complete");
        }
        if (transfer.getDeliveryTag() != null && !transfer.getDeliveryTag().equals(tag)) {
            throw invalid(transfer, "changes its delivery-tag from one transfer to the next");
        }
        if (transfer.getMessageFormat() != null && transfer.getMessageFormat().intValue() != format) {
            throw invalid(transfer, "changes its message-format from one transfer to the next");
        }
    }

    private ProtocolViolation invalid(Transfer transfer, String what) {
        Object id = transfer.getDeliveryId() == null ? Integer.toUnsignedString(deliveryId) : transfer.getDeliveryId();
        return ProtocolViolation.ofSession(
                Condition.INVALID_FIELD, "delivery " + id + " on link \"" + name() + "\" " + what);
    }

    private void take(Transfer transfer, Binary payload, boolean more) {
        settled |= Boolean.TRUE.equals(transfer.getSettled());
        transactional |= transfer.getState() instanceof TransactionalState;
        if (transfer.getAborted()) {
            content = null;
            used();
            return;
        }
        if (payload != null && !append(payload, more)) {
            return;
        }
        if (!more) {
            used();
            if (agreesWithSettleMode()) {
                complete();
            }
        }
    }

    /** Whether the delivery is settled as the attach said (section 2.7.5); the link ends otherwise. */
    private boolean agreesWithSettleMode() {
        SenderSettleMode agreed = asked().getSndSettleMode();
        boolean agrees = agreed == SenderSettleMode.MIXED || settled == (agreed == SenderSettleMode.SETTLED);
        if (!agrees) {
            content = null;
            detach(new Condition(
                    Condition.INVALID_FIELD,
                    "delivery " + Integer.toUnsignedString(deliveryId) + " came "
                            + (settled ? "settled" : "unsettled") + ", but the snd-settle-mode of link \"" + name()
                            + "\" is " + agreed.name().toLowerCase(Locale.ROOT)));
        }
        return agrees;
    }

    private void used() {
        deliveryCount++;
        credit--;
        creditDue();
    }

    /** Keeps a part of the message; detaches the link, and returns false, when the message gets too large. */
    private boolean append(Binary payload, boolean more) {
        int length = payload.getLength();
        if ((long) size + length > maxMessageSize) {
            content = null;
            detach(new Condition(
                    Condition.MESSAGE_SIZE_EXCEEDED,
                    "the message is larger than " + maxMessageSize + " bytes, the largest that link \"" + name()
                            + "\" takes",
                    Map.of("limit", maxMessageSize)));
            return false;
        }
        byte[] bytes = payload.getArray();
        if (content == null && !more && length == bytes.length) {
            content = bytes;
        } else {
            if (content == null) {
                content = new byte[more ? Math.max(1024, length * 2) : length];
            } else if (content.length - size < length) {
                content = Arrays.copyOf(content, Math.max(size + length, more ? content.length * 2 : 0));
            }
            System.arraycopy(bytes, payload.getArrayOffset(), content, size, length);
        }
        size += length;
        return true;
    }

    private void complete() {
        byte[] bytes = content == null ? new byte[0] : content;
        if (bytes.length != size) {
            bytes = Arrays.copyOf(bytes, size);
        }
        content = null;
        session().connection().receivedMessage();
        unanswered++;
        session().held(size);
        Answer answer = new Answer(deliveryId, tag, settled, size);
        if (!settled) {
            byTag.put(tag.hashCode(), answer);
        }
        if (transactional) {
            answer.settled(new Outcome.Rejected(
                    new Condition(Condition.NOT_IMPLEMENTED, "transactions are not supported by this broker")));
            return;
        }
        try {
            target.offer(Message.parse(bytes, format), answer);
        } catch (MalformedMessageException e) {
            answer.settled(new Outcome.Rejected(new Condition(Condition.DECODE_ERROR, e.getMessage())));
        }
    }

    /** Waits for the outcome of one message. */
    private final class Answer implements Receipt {
        private final int id;
        private final Binary tag;
        private final boolean settled;
        private final int bytes;

        Answer(int id, Binary tag, boolean settled, int bytes) {
            this.id = id;
            this.tag = tag;
            this.settled = settled;
            this.bytes = bytes;
        }

        @Override
        public void settled(Outcome outcome) {
            session().answered(bytes);
            if (!settled) {
                byTag.remove(tag.hashCode());
            }
            answered(id, settled, outcome);
        }
    }

    private void answered(int id, boolean wasSettled, Outcome outcome) {
        unanswered--;
        if (!active()) {
            return;
        }
        creditDue();
        if (wasSettled) {
            if (outcome instanceof Outcome.Rejected rejected) {
                // The sender will not hear of it in any other way.
                detach(rejected.error().orElseGet(() -> refusedWithoutReason()));
            }
            return;
        }
        Optional<Outcome> understood = Termini.understood(outcome, asked().getSource());
        if (understood.isPresent()) {
            session().frames().disposition(session().channel(), false, id, true, Outcomes.encode(understood.get()));
        } else {
            detach(((Outcome.Rejected) outcome).error().orElseGet(() -> refusedWithoutReason()));
        }
    }

    private Condition refusedWithoutReason() {
        return new Condition(Condition.INTERNAL_ERROR, "a message on link \"" + name() + "\" was refused");
    }

    @Override
    void closed(boolean lost) {
        session().connection().incomingLinks().remove(name(), this);
        content = null;
    }
}
