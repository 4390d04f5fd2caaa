package io.millrace.amqp;

import io.millrace.broker.Node;
import io.millrace.broker.NodeType;
import io.millrace.broker.Request;
import io.millrace.message.Condition;
import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.BodyWriter;
import io.millrace.queue.Receipt;
import io.millrace.queue.Target;
import io.millrace.queue.Transaction;
import java.util.Optional;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.transaction.Coordinator;
import org.apache.qpid.proton.amqp.transaction.TransactionalState;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.ReceiverSettleMode;
import org.apache.qpid.proton.amqp.transport.Transfer;

/**
 * A link over which a peer sends messages into a queue, or, without an address, wherever each message wants to go (AMQP 1.0,
 * part 2, section 2.6; anonymous terminus, version 1.0). Owned by its session.
 *
 * <p>Credit is the smallest of the link's window, less what is not answered yet, the target's room, and what the {@linkplain
 * SendingRate rate} allows. It is looked at once per flush and granted in lumps; no room means no credit until the target calls.
 * What the peer sends without credit, or beyond the largest message, ends the link before it is kept.
 */
final class IncomingLink extends AmqpLink {
    private final int window;
    private final Optional<TransactionCoordinator> coordinator;

    /** Less than this is not worth a frame, unless the peer has nothing left. */
    private final int lump;

    private final long maxMessageSize;
    private Target target;
    private int deliveryCount;
    private int credit;
    private int unanswered;
    private final Runnable grantCredit = this::grantCredit;
    private final CreditLimit limit;
    private boolean creditDue;
    private boolean waitsForRoom;
    private final HeldDeliveries held = new HeldDeliveries();

    private boolean inDelivery;
    private int deliveryId;
    private Binary tag;
    private int format;
    private boolean settled;

    /** The id of the transaction that the delivery is part of, if it is. */
    private Optional<Binary> transaction = Optional.empty();

    private final IncomingContent content;
    private final Optional<ReceivingEndpoint> endpoint;

    IncomingLink(AmqpSession session, Attach asked, int localHandle) {
        super(session, asked, localHandle);
        content = new IncomingContent(session);
        coordinator = asked.getTarget() instanceof Coordinator
                ? Optional.of(new TransactionCoordinator(session.connection().transactions()))
                : Optional.empty();
        endpoint = coordinator.isPresent() ? Optional.empty() : ReceivingEndpoint.of(this, session, asked);
        int most = session.connection().settings().limits().linkCredit();
        window = coordinator.isPresent() ? Math.max(TransactionCoordinator.LEAST_CREDIT, most) : most;
        lump = Math.max(1, (int) (window * 2L / 5));
        limit = session.connection().rate().limit(coordinator.isEmpty(), grantCredit);
        maxMessageSize = session.connection().settings().limits().maxMessageBytes();
        deliveryCount = asked.getInitialDeliveryCount() == null
                ? 0
                : asked.getInitialDeliveryCount().intValue();
    }

    @Override
    Optional<ReceivingEndpoint> endpoint() {
        return endpoint;
    }

    /** Whether the peer settles after us. */
    private boolean second() {
        return endpoint.isPresent() && endpoint.get().second();
    }

    @Override
    void open() {
        IncomingLink old = session().connection().incomingLinks().put(name(), this);
        if (old != null) {
            old.end(Termini.stolen(name()));
        }
        if (coordinator.isPresent()) {
            attachToNone(coordinator.get());
            return;
        }
        Optional<Condition> refusal = Termini.refusalOfTarget(asked().getTarget());
        if (refusal.isPresent()) {
            refuse(refusal.get());
        } else if (Termini.anonymous(asked().getTarget())) {
            attachToNone(new RelayTarget(session().connection()));
        } else {
            openNode();
        }
    }

    private void openNode() {
        Object target = asked().getTarget();
        if (Termini.dynamic(target)) {
            openTemporary(Termini.type(target).orElse(NodeType.QUEUE), this::opened);
        } else {
            openNode(Request.toSend(Termini.address(target), Termini.type(target), link()));
        }
    }

    /** Attaches to what is no node. */
    private void attachToNone(Target to) {
        Attach answer = newAnswer();
        answerWith(answer, Optional.empty());
        endpoint.ifPresent(end -> end.tell(answer));
        attach(answer);
        start(to);
    }

    @Override
    void accept(Attach answer, Node node) {
        answerWith(answer, Optional.of(node));
    }

    private void answerWith(Attach answer, Optional<Node> node) {
        answer.setSource(Termini.sourceOfIncoming(asked().getSource()));
        answer.setTarget(
                coordinator.isPresent()
                        ? TransactionCoordinator.terminus()
                        : Termini.target(asked().getTarget(), node));
        answer.setRcvSettleMode(second() ? ReceiverSettleMode.SECOND : ReceiverSettleMode.FIRST);
        answer.setMaxMessageSize(UnsignedLong.valueOf(maxMessageSize));
        if (coordinator.isEmpty()) {
            Termini.offer(answer, asked());
        }
    }

    @Override
    void opened(Node node) {
        attach(node);
        if (active()) {
            start(node.target(session().connection().container()));
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
        // Who sends to many addresses goes on with the others, within the window.
        if (!active() || !(held.isEmpty() || Termini.anonymous(asked().getTarget()))) {
            return;
        }
        int room = target.room();
        int wanted = Math.min(window + (endpoint.isPresent() ? endpoint.get().bare() : 0) - unanswered, room);
        if (wanted - credit >= lump || (credit == 0 && wanted > 0)) {
            int more = limit.grant(wanted - credit, credit == 0);
            if (more > 0) {
                credit += more;
                sendFlow();
            }
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
                limit.unused(skipped);
                creditDue();
            }
        }
        if (flow.getEcho()) {
            sendFlow();
        }
    }

    @Override
    void transferred(Transfer transfer, Binary payload) {
        if (!inDelivery && active() && ReceivingEndpoint.isBare(transfer, payload)) {
            ReceivingEndpoint.resumed(this, endpoint, transfer);
            creditDue();
            return;
        }
        if (!inDelivery) {
            int id = session().newIncomingDelivery(transfer);
            if (credit <= 0) {
                end(TransferRules.withoutCredit(id, name()));
            }
            if (active()) {
                begin(transfer, id);
            }
        } else if (active()) {
            TransferRules.checkContinuation(transfer, deliveryId, tag, format, name());
        }
        boolean more = transfer.getMore() && !transfer.getAborted();
        inDelivery = more;
        if (active()) {
            take(transfer, payload, more);
        }
    }

    private void begin(Transfer transfer, int id) {
        if (transfer.getMessageFormat() == null && transfer.getMore()) {
            throw TransferRules.invalid(
                    transfer, deliveryId, name(), "has no message-format in the first of its transfers");
        }
        if (transfer.getRcvSettleMode() == ReceiverSettleMode.SECOND && !second()) {
            end(TransferRules.notSecond(transfer, name()));
            return;
        }
        deliveryId = id;
        tag = transfer.getDeliveryTag();
        // Where nothing is resumed nothing goes by the tag, and there are clients that give one twice.
        Optional<Integer> owner = endpoint.flatMap(end -> end.idOf(tag));
        if (owner.isPresent()) {
            throw TransferRules.usedTag(transfer, deliveryId, name(), owner.get());
        }
        endpoint.flatMap(end -> end.objection(transfer)).ifPresent(this::detach);
        format = transfer.getMessageFormat() == null
                ? 0
                : transfer.getMessageFormat().intValue();
        settled = false;
        transaction = Optional.empty();
    }

    private void take(Transfer transfer, Binary payload, boolean more) {
        settled |= Boolean.TRUE.equals(transfer.getSettled());
        if (transfer.getState() instanceof TransactionalState state) {
            transaction = Optional.of(state.getTxnId());
        }
        if (transfer.getAborted()) {
            content.drop();
            used();
            return;
        }
        if (payload != null && !append(payload, more)) {
            return;
        }
        if (!more) {
            used();
            // It must be settled as the attach said (section 2.7.5).
            TransferRules.disagreement(asked(), settled, deliveryId).ifPresent(this::detach);
            if (active()) {
                complete();
            }
        }
    }

    private void used() {
        deliveryCount++;
        credit--;
        limit.used();
        creditDue();
    }

    /** Keeps a part of the message; detaches the link, and returns false, when the message gets too large. */
    private boolean append(Binary payload, boolean more) {
        if (content.size() + payload.getLength() > maxMessageSize) {
            detach(TransferRules.tooLarge(maxMessageSize, Termini.address(asked().getTarget())));
            return false;
        }
        limit.arrived(payload.getLength());
        content.append(payload, format, more);
        return true;
    }

    private void complete() {
        if (endpoint.isPresent() && endpoint.get().repeats(deliveryId, tag, settled)) {
            content.drop();
            return;
        }
        session().connection().receivedMessage();
        unanswered++;
        session().held(content.kept());
        Transactions transactions = session().connection().transactions();
        Optional<OpenTransaction> in = transaction.isPresent() ? transactions.use(transaction.get()) : Optional.empty();
        Answer answer = new Answer(deliveryId, tag, settled, content, in);
        if (!settled) {
            endpoint.ifPresent(end -> end.arrived(deliveryId, tag, in.isPresent()));
        }
        if (transaction.isPresent() && in.isEmpty()) {
            content.clear();
            answer.settled(new Outcome.Rejected(transactions.missing(transaction.get())));
            return;
        }
        Optional<Condition> refusal = content.refusal();
        try {
            Message message = content.message(format);
            content.clear();
            if (in.isPresent()) {
                in.get().work().offer(target, message, answer);
            } else {
                target.offer(message, answer);
            }
        } catch (MalformedMessageException e) {
            content.clear();
            Condition reason = refusal.orElseGet(() -> new Condition(Condition.DECODE_ERROR, e.getMessage()));
            in.ifPresent(one -> one.work().doom(reason));
            answer.settled(new Outcome.Rejected(reason));
        }
    }

    /** Waits for the outcome of one message. */
    private final class Answer implements Receipt {
        private final int id;
        private final Binary tag;
        private final boolean settled;
        private int bytes;
        private boolean waits;
        private final Optional<BodyWriter> body;
        private final Optional<OpenTransaction> transaction;

        Answer(int id, Binary tag, boolean settled, IncomingContent content, Optional<OpenTransaction> transaction) {
            this.id = id;
            this.tag = tag;
            this.settled = settled;
            this.bytes = content.kept();
            this.body = content.body();
            this.transaction = transaction;
        }

        /** What waits for room must not keep the connection from being read: an acknowledgement may make room. */
        @Override
        public void held(Runnable withdrawal) {
            session().answered(bytes);
            bytes = 0;
            waits = true;
            // Who has settled a delivery will not send it again.
            held.add(this, settled ? () -> {} : withdrawal);
        }

        @Override
        public void settled(Outcome outcome) {
            session().answered(bytes);
            if (waits) {
                held.remove(this);
            }
            boolean taken = transaction.isPresent() && outcome == Outcome.ACCEPTED;
            body.ifPresent(writer -> writer.release(taken ? transaction.get().work() : Transaction.NONE));
            answered(this, outcome);
        }
    }

    private void answered(Answer answer, Outcome outcome) {
        Optional<Outcome> understood = Termini.understood(outcome, asked().getSource());
        boolean open = endpoint.isPresent()
                && !answer.settled
                && endpoint.get().answered(answer.tag, understood.orElse(outcome), active());
        unanswered -= open ? 0 : 1;
        if (!active()) {
            return;
        }
        creditDue();
        if (answer.settled) {
            if (outcome instanceof Outcome.Rejected rejected && answer.transaction.isEmpty()) {
                // The sender will not hear of it in any other way; of a transaction it will when it commits.
                detach(TransferRules.reason(rejected, name()));
            }
            return;
        }
        if (coordinator.isPresent()) {
            // What went wrong with a transaction is told in full, or ends the link (part 4, section 4.3).
            understood = understood.filter(outcome::equals);
        }
        if (understood.isEmpty()) {
            detach(TransferRules.reason((Outcome.Rejected) outcome, name()));
        } else if (open || !second()) {
            Outcome told = understood.get();
            DeliveryState state =
                    answer.transaction.isPresent() ? answer.transaction.get().state(told) : Outcomes.encode(told);
            session().frames().disposition(session().channel(), false, answer.id, !open, state);
        }
    }

    /** A delivery uses credit, until the peer has settled it. */
    void taken() {
        unanswered++;
    }

    /** The peer has settled a delivery after us. */
    void freed() {
        unanswered--;
        creditDue();
    }

    @Override
    void closed(boolean lost) {
        session().connection().incomingLinks().remove(name(), this);
        limit.closed(credit);
        content.drop();
        if (lost || stays()) {
            // The peer will send them again, here or to another broker, or ask what became of them.
            session().connection().loop().post(held::withdraw);
        }
        endpoint.ifPresent(ReceivingEndpoint::detached);
        coordinator.ifPresent(TransactionCoordinator::closed);
    }
}
