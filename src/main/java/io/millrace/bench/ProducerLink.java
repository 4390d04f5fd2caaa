package io.millrace.bench;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.transaction.TransactionalState;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.SenderSettleMode;
import org.apache.qpid.proton.engine.Delivery;
import org.apache.qpid.proton.engine.Sender;
import org.apache.qpid.proton.engine.Session;

/**
 * Sends messages: as many as its window and the credit of the broker allow, and with a rate those that are due. Owned by its
 * event loop.
 */
final class ProducerLink implements LinkEvents, CoordinatorLink.Listener {
    private final BenchLoop loop;
    private final Settings settings;
    private final ClientConnection connection;
    private final int number;
    private final Sender sender;
    private final Body body;
    private final Optional<CoordinatorLink> coordinator;
    private final Deque<Slot> free = new ArrayDeque<>();
    private final SequenceSet accepted = new SequenceSet();
    private final long warmupMessages;
    private final long limit;
    private Transaction current = NO_TRANSACTION;
    private int unanswered;
    private int slots;
    private int undischarged;
    private long sequence;
    private boolean opened;
    private boolean awake;

    private static final Transaction NO_TRANSACTION =
            new Transaction(new org.apache.qpid.proton.amqp.Binary(new byte[0]));

    /** One place in the window: its delivery tag, which is used again and again, and the message that is there now. */
    private static final class Slot {
        final byte[] tag;
        long sequence;
        long stampNanos;
        boolean measured;
        Transaction transaction = NO_TRANSACTION;

        Slot(int number) {
            tag = new byte[] {(byte) (number >> 16), (byte) (number >> 8), (byte) number};
        }
    }

    ProducerLink(BenchLoop loop, ClientConnection connection, int number) {
        this.loop = loop;
        this.settings = loop.settings();
        this.connection = connection;
        this.number = number;
        warmupMessages = Settings.share(settings.warmup().messages(), number, settings.producers());
        limit = settings.duration().isPresent()
                ? Long.MAX_VALUE
                : warmupMessages + Settings.share(settings.messages, number, settings.producers());
        String address = settings.addressOf(number);
        Optional<String> to = settings.anonymous ? Optional.of(address) : Optional.empty();
        body = new Body(settings.size, settings.durable(), to, loop.run());
        Session session = connection.session();
        sender = connection.sender(session, "producer-" + number, this);
        Target target = new Target();
        if (!settings.anonymous) {
            target.setAddress(address);
            settings.capability().ifPresent(name -> target.setCapabilities(Symbol.valueOf(name)));
        }
        sender.setTarget(target);
        sender.setSource(new Source());
        sender.setSenderSettleMode(settings.presettled ? SenderSettleMode.SETTLED : SenderSettleMode.UNSETTLED);
        sender.open();
        coordinator = settings.transactionSize > 0
                ? Optional.of(new CoordinatorLink(connection, session, this, this, settings.transactions))
                : Optional.empty();
    }

    @Override
    public void opened() {
        opened = true;
        wake();
    }

    @Override
    public void credited() {
        wake();
    }

    private void wake() {
        if (!awake) {
            awake = true;
            connection.wake(this);
        }
    }

    /** Whether it and its coordinator are attached. */
    boolean isOpened() {
        return opened && coordinator.map(CoordinatorLink::isOpened).orElse(true);
    }

    @Override
    public void turn() {
        awake = false;
        pump();
    }

    /** Sends what may be sent and is due; its connection is to be flushed after that. */
    void pump() {
        if (!isOpened() || !loop.sending()) {
            dischargeLast();
            return;
        }
        long now = System.nanoTime();
        boolean room = connection.drains();
        while (room && sequence < limit && sender.getCredit() > 0 && mayHaveMore() && hasTransaction()) {
            long stamp = loop.paced() ? due() : now;
            if (stamp > now) {
                return;
            }
            room = send(stamp, now);
        }
        if (sequence >= limit) {
            dischargeLast();
        }
    }

    private boolean mayHaveMore() {
        return settings.presettled || unanswered < settings.window;
    }

    private boolean hasTransaction() {
        if (coordinator.isPresent() && current == NO_TRANSACTION) {
            current = coordinator.get().next().orElse(NO_TRANSACTION);
            return current != NO_TRANSACTION;
        }
        return true;
    }

    /** When the next message should be sent. */
    long due() {
        return loop.pace().due(number, sequence);
    }

    private boolean send(long stamp, long now) {
        boolean measured = loop.measuring() && sequence >= warmupMessages;
        Slot slot = free.isEmpty() ? new Slot(slots++) : free.pop();
        Delivery delivery = sender.delivery(slot.tag);
        delivery.setContext(slot);
        sender.send(body.stamped(stamp, number, measured, sequence));
        slot.sequence = sequence;
        slot.stampNanos = stamp;
        slot.measured = measured;
        if (current != NO_TRANSACTION) {
            join(slot, delivery, stamp);
        }
        sender.advance();
        Tally tally = loop.tally();
        tally.sent++;
        if (measured) {
            tally.firstSentNanos = Math.min(tally.firstSentNanos, stamp);
            if (loop.paced()) {
                Tally.record(tally.latencies.late, now - stamp);
            }
        }
        sequence++;
        if (settings.presettled) {
            delivery.settle();
            free.push(slot);
            answered(slot.measured, now);
            accepted(slot.sequence, slot.measured);
        } else {
            unanswered++;
        }
        return connection.gave(body.encodedBytes());
    }

    private void join(Slot slot, Delivery delivery, long stamp) {
        Transaction transaction = current;
        slot.transaction = transaction;
        delivery.disposition(transaction.sends);
        if (transaction.size == 0) {
            transaction.firstNanos = stamp;
            transaction.measured = slot.measured;
            undischarged++;
        }
        transaction.size++;
        if (transaction.size == settings.transactionSize) {
            discharge();
        }
    }

    /** The last transaction may be shorter. */
    private void dischargeLast() {
        if (current != NO_TRANSACTION && current.size > 0) {
            discharge();
        }
    }

    private void discharge() {
        Transaction full = current;
        current = NO_TRANSACTION;
        coordinator.orElseThrow().discharge(full);
    }

    @Override
    public void delivery(Delivery delivery, long readNanos) {
        DeliveryState state = delivery.getRemoteState();
        if (state == null && !delivery.remotelySettled()) {
            return;
        }
        Slot slot = (Slot) delivery.getContext();
        delivery.settle();
        unanswered--;
        free.push(slot);
        answered(slot.measured, readNanos);
        if (slot.measured) {
            Tally.record(loop.tally().latencies.acknowledged, readNanos - slot.stampNanos);
        }
        if (slot.transaction != NO_TRANSACTION) {
            Transaction transaction = slot.transaction;
            slot.transaction = NO_TRANSACTION;
            DeliveryState outcome = state instanceof TransactionalState in ? (DeliveryState) in.getOutcome() : state;
            // Without an outcome the discharge tells.
            if (outcome == null || outcome instanceof Accepted) {
                transaction.sequences.add(slot.sequence);
            } else {
                loop.tally().refused(CoordinatorLink.outcome(outcome, "message"), 1);
            }
        } else if (state instanceof Accepted) {
            accepted(slot.sequence, slot.measured);
        } else {
            loop.tally().refused(CoordinatorLink.outcome(state, "message"), 1);
        }
        wake();
    }

    private void answered(boolean measured, long now) {
        Tally tally = loop.tally();
        tally.answered++;
        if (measured) {
            tally.measuredAnswered++;
            tally.lastAnsweredNanos = now;
        }
    }

    private void accepted(long which, boolean measured) {
        loop.tally().accepted++;
        if (measured) {
            loop.tally().measuredAccepted++;
        }
        if (settings.tracked()) {
            accepted.add(which);
        }
    }

    @Override
    public void discharged(Transaction transaction, Optional<String> refusal, long readNanos) {
        undischarged--;
        Tally tally = loop.tally();
        if (refusal.isPresent()) {
            tally.refused(refusal.get(), transaction.sequences.size());
            return;
        }
        tally.transactions++;
        for (long each : transaction.sequences) {
            accepted(each, transaction.measured);
        }
        if (transaction.measured) {
            Tally.record(tally.latencies.transaction, readNanos - transaction.firstNanos);
            tally.lastAnsweredNanos = readNanos;
        }
    }

    /** Whether all is sent and answered. */
    boolean done() {
        boolean over = sequence >= limit || !loop.sending();
        return over && unanswered == 0 && undischarged == 0;
    }

    /** What keeps it from going on. */
    String waitsFor() {
        List<String> reasons = new ArrayList<>();
        if (!isOpened()) {
            return "the broker to attach it";
        }
        if (unanswered > 0 && (unanswered >= settings.window || sequence >= limit || !loop.sending())) {
            reasons.add("outcomes of " + unanswered + " messages");
        }
        if (undischarged > 0 && (sequence >= limit || !loop.sending())) {
            reasons.add("the commit of " + undischarged + " transactions");
        }
        if (sequence < limit && loop.sending()) {
            if (sender.getCredit() <= 0) {
                reasons.add("credit");
            } else if (!connection.drains()) {
                reasons.add("the broker to read from the socket");
            } else if (coordinator.isPresent() && current == NO_TRANSACTION) {
                reasons.add("a transaction");
            }
        }
        return reasons.isEmpty() ? "nothing" : String.join(" and ", reasons);
    }

    int number() {
        return number;
    }

    ClientConnection connection() {
        return connection;
    }

    SequenceSet acceptedSequences() {
        return accepted;
    }

    @Override
    public String name() {
        return "producer " + number + " to "
                + (settings.anonymous ? "the anonymous terminus" : "'" + settings.addressOf(number) + "'");
    }
}
