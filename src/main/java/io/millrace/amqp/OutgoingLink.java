package io.millrace.amqp;

import io.millrace.broker.Node;
import io.millrace.broker.NodeType;
import io.millrace.broker.Request;
import io.millrace.broker.Terms;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Consumer;
import io.millrace.queue.Delivery;
import io.millrace.queue.Receipt;
import io.millrace.queue.Selection;
import io.millrace.queue.Source;
import io.millrace.selector.Selector;
import io.millrace.selector.SelectorException;
import java.util.Map;
import java.util.Optional;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.transaction.TransactionalState;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.ReceiverSettleMode;
import org.apache.qpid.proton.amqp.transport.SenderSettleMode;
import org.apache.qpid.proton.amqp.transport.Transfer;

/**
 * A link over which a peer receives messages from a queue: the queue's consumer (AMQP 1.0, part 2, section 2.6). Owned by
 * its session.
 *
 * <p>It is ready only while the socket drains and the session's window is open, so nothing queues up on this side. A peer
 * that gives an outcome without settling (receiver-settle-mode second) is answered with the same outcome, settled, once that
 * is durable. One that settles without an outcome gets the source's default outcome, and without such a thing
 * {@code released}: the message was not said to be processed, so it must not be lost (part 3, sections 3.4 and 3.5.3).
 */
final class OutgoingLink extends AmqpLink implements Consumer {
    private static final Symbol TXN_ID = Symbol.valueOf("txn-id");
    private static final Outcome NOT_SENT = new Outcome.Modified(true, false, Map.of());
    private static final Outcome TOO_LARGE_HERE = new Outcome.Modified(false, true, Map.of());

    private static final Symbol PRIORITY = Symbol.valueOf("priority");
    private static final Symbol PRIORITY_ELSEWHERE = Symbol.valueOf("rabbitmq:priority");

    private final boolean presettled;
    private final long maxMessageSize;
    private final Outcome defaultOutcome;

    /** It has no source: the peer asks for the subscription that the link's name stands for. */
    private final boolean lookUp;

    private SourceFilters filters = SourceFilters.NONE;
    private Optional<Selector> chosen = Optional.empty();
    private boolean browse;
    private Optional<Node> opened = Optional.empty();
    private Optional<Source> source = Optional.empty();
    private boolean stalled;

    /** A delivery that had to stop in the middle: no other one may begin on this link before it is complete. */
    private Optional<OutgoingDelivery> partial = Optional.empty();

    private boolean waitsForPartial;

    /** Deliveries and drained credit, counted from 0: the delivery-count, without its limit to 32 bits. */
    private long sent;

    /** The delivery-count at which the peer's credit is used up. */
    private long limit;

    private boolean drain;
    private int unsettled;
    private final Optional<SendingEndpoint> endpoint;

    OutgoingLink(AmqpSession session, Attach asked, int localHandle) {
        super(session, asked, localHandle);
        presettled = asked.getSndSettleMode() == SenderSettleMode.SETTLED;
        maxMessageSize = Termini.maxMessageSize(asked);
        lookUp = asked.getSource() == null;
        defaultOutcome = Termini.defaultOutcome(asked.getSource());
        endpoint = Retention.of(asked).map(kept -> new SendingEndpoint(this, session, asked, kept));
    }

    @Override
    Optional<SendingEndpoint> endpoint() {
        return endpoint;
    }

    boolean presettled() {
        return presettled;
    }

    @Override
    void open() {
        if (lookUp) {
            openNode(Request.toLookUp(link(), Termini.global(asked().getDesiredCapabilities())));
            return;
        }
        OutgoingLink old = session().connection().outgoingLinks().put(name(), this);
        if (old != null) {
            old.end(Termini.stolen(name()));
        }
        Optional<Condition> refusal = Termini.refusalOfSource(asked().getSource());
        if (refusal.isPresent()) {
            refuse(refusal.get());
            return;
        }
        try {
            open((org.apache.qpid.proton.amqp.messaging.Source) asked().getSource());
        } catch (SelectorException e) {
            refuse(SourceFilters.wrong(e));
        }
    }

    private void open(org.apache.qpid.proton.amqp.messaging.Source asked) throws SelectorException {
        filters = SourceFilters.of(asked);
        Terms terms = Termini.terms(asked, filters);
        chosen = terms.selector();
        Optional<Condition> refusal = terms.durable() ? filters.refusalOfDurable() : Optional.empty();
        if (refusal.isPresent()) {
            refuse(refusal.get());
            return;
        }
        Optional<NodeType> type = Termini.type(asked);
        if (!asked.getDynamic()) {
            openNode(Request.toReceive(asked.getAddress(), type, link(), terms));
        } else if (type.equals(Optional.of(NodeType.TOPIC))) {
            openTemporary(NodeType.TOPIC, topic -> openNode(Request.toReceive(topic.address(), type, link(), terms)));
        } else {
            openTemporary(NodeType.QUEUE, this::opened);
        }
    }

    @Override
    void accept(Attach answer, Node node) {
        answer.setSource(
                lookUp
                        ? Termini.source(node)
                        : Termini.source(
                                (org.apache.qpid.proton.amqp.messaging.Source) asked().getSource(), node, filters));
        answer.setTarget(Termini.targetOfOutgoing(asked().getTarget()));
        boolean second = asked().getRcvSettleMode() == ReceiverSettleMode.SECOND;
        answer.setRcvSettleMode(second ? ReceiverSettleMode.SECOND : ReceiverSettleMode.FIRST);
    }

    @Override
    void opened(Node node) {
        opened = Optional.of(node);
        if (lookUp) {
            attach(node);
            return;
        }
        Source from = node.source();
        source = Optional.of(from);
        from.attach(this, selection(node));
    }

    /** A subscription has chosen its messages already, and a copy of them is what it is for. */
    private Selection selection(Node node) {
        boolean subscribed = node.subscription().isPresent();
        browse = !subscribed && Termini.browses(asked().getSource());
        Selection selection = (browse ? Selection.BROWSE : Selection.CONSUME).withPriority(priority());
        if (subscribed) {
            return selection;
        }
        Selection matching = chosen.isPresent() ? selection.matching(chosen.get()::matches) : selection;
        return filters.start().map(matching::from).orElse(matching);
    }

    /** Of this consumer among others; there is no such thing in the specification, so there are two names for it. */
    private int priority() {
        Map<?, ?> properties = asked().getProperties();
        if (properties == null) {
            return 0;
        }
        Object given = properties.containsKey(PRIORITY) ? properties.get(PRIORITY) : properties.get(PRIORITY_ELSEWHERE);
        return given instanceof Number number ? number.intValue() : 0;
    }

    @Override
    void detaching(boolean closed, java.util.function.Consumer<Optional<Condition>> answer) {
        if (lookUp && closed && opened.isPresent()) {
            session().connection().nodes().unsubscribe(opened.get(), answer);
        } else {
            answer.accept(Optional.empty());
        }
    }

    @Override
    public void admitted() {
        if (opening() && opened.isPresent() && source.isPresent()) {
            attach(opened.get());
            endpoint.ifPresent(SendingEndpoint::send);
            if (active() && (limit > 0 || drain)) {
                credit();
            }
        }
    }

    @Override
    void flowed(Flow flow) {
        if (flow.getProperties() != null && flow.getProperties().containsKey(TXN_ID)) {
            end(new Condition(
                    Condition.NOT_IMPLEMENTED,
                    "link \"" + name() + "\" asks for messages within a transaction; receive them outside of it, and"
                            + " settle them in it"));
            return;
        }
        if (flow.getLinkCredit() != null) {
            int count = flow.getDeliveryCount() == null
                    ? 0
                    : flow.getDeliveryCount().intValue();
            long ahead = count - (int) sent + flow.getLinkCredit().longValue();
            limit = Math.max(0, sent + ahead);
            drain = flow.getDrain();
        }
        boolean answersDrain = drain;
        if (source.isPresent() && active()) {
            endpoint.ifPresent(SendingEndpoint::send);
            credit();
        } else if (lookUp) {
            drained();
        }
        if (flow.getEcho() && !answersDrain && active()) {
            sendFlow();
        }
    }

    private void credit() {
        source.get().credit(this, endpoint.isPresent() ? endpoint.get().creditOfSource(limit) : limit, drain);
    }

    boolean hasCredit() {
        return sent < limit;
    }

    /** Deliveries and drained credit: tags count the same. */
    long sent() {
        return sent;
    }

    private void sendFlow() {
        Flow flow = session().newFlow();
        flow.setHandle(UnsignedInteger.valueOf(localHandle()));
        flow.setDeliveryCount(UnsignedInteger.valueOf((int) sent));
        flow.setLinkCredit(UnsignedInteger.valueOf(Math.max(0, limit - sent)));
        flow.setDrain(drain);
        session().frames().frame(session().channel(), flow);
    }

    @Override
    void transferred(Transfer transfer, Binary payload) {
        throw ProtocolViolation.ofSession(
                Condition.NOT_ALLOWED, "a transfer on link \"" + name() + "\", whose receiver is the peer itself");
    }

    @Override
    public boolean ready() {
        if (partial.isPresent()) {
            waitsForPartial = true;
            return false;
        }
        boolean ready = session().takesDelivery() && session().connection().takesOutput();
        if (!ready && !stalled) {
            stalled = true;
            session().connection().output().stalled(this);
        }
        return ready;
    }

    /** The socket drains, or the window is open: the source may go on. */
    void resume() {
        stalled = false;
        if (active() && source.isPresent() && ready()) {
            endpoint.ifPresent(SendingEndpoint::send);
            source.get().resume(this);
        }
    }

    @Override
    public void deliver(Delivery delivery) {
        if (!active()) {
            return;
        }
        Message message = delivery.message();
        if (maxMessageSize != Long.MAX_VALUE
                && message.encodedSize(delivery.deliveryCount(), -1) + message.streamed() > maxMessageSize) {
            pass(delivery);
            return;
        }
        int tag = endpoint.isPresent() ? endpoint.get().tag(delivery, (int) sent) : (int) sent;
        OutgoingDelivery outgoing =
                new OutgoingDelivery(this, delivery, session().nextDeliveryId(), tag);
        sent++;
        if (!presettled) {
            unsettled++;
        }
        session().connection().sentMessage();
        session().send(outgoing);
    }

    /** The peer must not get a message of this size: it uses the credit up, and others may have the message. */
    private void pass(Delivery delivery) {
        sent++;
        sendFlow();
        settle(delivery, TOO_LARGE_HERE, Receipt.NONE);
    }

    /** A delivery had to stop in the middle. */
    void stopped(OutgoingDelivery delivery) {
        partial = Optional.of(delivery);
    }

    /** The last frame of a delivery is in the output. */
    void written(OutgoingDelivery delivery) {
        partial = Optional.empty();
        if (delivery.aborted()) {
            aborted(delivery);
        } else if (presettled && !browse) {
            source.ifPresent(from -> from.settle(this, delivery.delivery(), Outcome.ACCEPTED, Receipt.NONE));
        }
        if (waitsForPartial) {
            waitsForPartial = false;
            resume();
        }
    }

    /** Either the peer has settled it before its end, or its body is gone; a message that still is in its queue should have one. */
    private void aborted(OutgoingDelivery delivery) {
        if (!presettled && !delivery.answered() && session().settled(delivery)) {
            unsettled--;
        }
        if (!delivery.answered()) {
            settle(delivery.delivery(), NOT_SENT, Receipt.NONE);
        }
    }

    @Override
    public void drained() {
        if (active() && drain) {
            endpoint.ifPresent(SendingEndpoint::voided);
            sent = Math.max(sent, limit);
            sendFlow();
            drain = false;
        }
    }

    @Override
    public void closed(Condition reason) {
        source = Optional.empty();
        endpoint.ifPresent(SendingEndpoint::sourceClosed);
        end(reason);
    }

    /** The peer says what became of a delivery. What it has settled before the end it does not want to the end. */
    void disposed(OutgoingDelivery delivery, DeliveryState state, boolean settledByPeer) {
        if (state instanceof TransactionalState transactional) {
            disposedInTransaction(delivery, transactional, settledByPeer);
        } else {
            disposedForGood(delivery, state, settledByPeer);
        }
        if (delivery.answered() && partial.filter(one -> one == delivery).isPresent()) {
            delivery.abort();
            session().continuePartial(delivery);
        }
    }

    private void disposedForGood(OutgoingDelivery delivery, DeliveryState state, boolean settledByPeer) {
        Optional<Outcome> outcome = Outcomes.decode(state);
        if (settledByPeer) {
            unsettled--;
            if (!delivery.answered()) {
                delivery.markAnswered();
                settle(delivery.delivery(), outcome.orElse(defaultOutcome), Receipt.NONE);
            }
        } else if (outcome.isPresent() && !delivery.answered()) {
            delivery.markAnswered();
            if (browse) {
                echo(delivery, state);
            } else {
                settle(delivery.delivery(), outcome.get(), certain(durable -> echo(delivery, state)));
            }
        }
    }

    /** What the peer says is to be so if its transaction commits (part 4, section 4.4.2). */
    private void disposedInTransaction(OutgoingDelivery delivery, TransactionalState state, boolean settledByPeer) {
        if (settledByPeer) {
            unsettled--;
        }
        Transactions transactions = session().connection().transactions();
        Optional<OpenTransaction> in = transactions.use(state.getTxnId());
        if (in.isEmpty()) {
            detach(transactions.missing(state.getTxnId()));
            return;
        }
        Optional<Outcome> told = Outcomes.decode(state.getOutcome());
        if (delivery.answered() || (told.isEmpty() && !settledByPeer)) {
            return;
        }
        delivery.markAnswered();
        delivery.markInTransaction();
        Receipt receipt = settledByPeer ? Receipt.NONE : outcome -> echo(delivery, state);
        Outcome outcome = told.orElse(defaultOutcome);
        if (delivery.delivery() instanceof HeldDelivery held) {
            endpoint.get().settle(held, in.get().work(), outcome, receipt).ifPresent(this::detach);
        } else if (!browse && source.isPresent()) {
            in.get().work().settle(source.get(), this, delivery.delivery(), outcome, receipt);
        } else {
            receipt.settled(Outcome.ACCEPTED);
        }
    }

    private void settle(Delivery delivery, Outcome outcome, Receipt receipt) {
        if (delivery instanceof HeldDelivery held) {
            endpoint.get().settled(held, outcome, receipt);
        } else if (!browse && source.isPresent()) {
            source.get().settle(this, delivery, outcome, receipt);
        }
    }

    private Receipt certain(Receipt receipt) {
        return endpoint.isPresent() ? endpoint.get().certain(receipt) : receipt;
    }

    private void echo(OutgoingDelivery delivery, DeliveryState state) {
        if (active() && session().settled(delivery)) {
            unsettled--;
            session().frames().disposition(session().channel(), true, delivery.id(), true, state);
        }
    }

    @Override
    void closed(boolean lost) {
        session().connection().outgoingLinks().remove(name(), this);
        Optional<Source> from = source;
        source = Optional.empty();
        if (stays() && from.isPresent()) {
            endpoint.get().keep(from.get(), session().unsettledOf(this));
        }
        session().forgetDeliveries(this, unsettled);
        partial.ifPresent(OutgoingDelivery::close);
        partial = Optional.empty();
        if (!stays()) {
            from.ifPresent(s -> s.detach(this, lost));
        }
    }
}
