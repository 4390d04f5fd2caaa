package io.millrace.bench;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Optional;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.messaging.TerminusDurability;
import org.apache.qpid.proton.amqp.messaging.TerminusExpiryPolicy;
import org.apache.qpid.proton.amqp.transport.ReceiverSettleMode;
import org.apache.qpid.proton.amqp.transport.SenderSettleMode;
import org.apache.qpid.proton.engine.Delivery;
import org.apache.qpid.proton.engine.Receiver;
import org.apache.qpid.proton.engine.Session;

/** Receives messages, accepts them, and keeps its credit topped up in lumps. Owned by its event loop. */
final class ConsumerLink implements LinkEvents, CoordinatorLink.Listener {
    private static final int CREDIT_LUMPS = 4;

    private final BenchLoop loop;
    private final Settings settings;
    private final ClientConnection connection;
    private final int number;
    private final Receiver receiver;
    private final Body.Reader reader;
    private final Arrivals arrivals;
    private final Optional<CoordinatorLink> coordinator;
    private final Deque<Delivery> unaccepted = new ArrayDeque<>();
    private Optional<Transaction> current = Optional.empty();
    private long[] latest = new long[0];
    private long ungranted;
    private int used;
    private int undischarged;
    private boolean opened;
    private boolean ending;
    private boolean awake;

    ConsumerLink(BenchLoop loop, ClientConnection connection, int number) {
        this.loop = loop;
        this.settings = loop.settings();
        this.connection = connection;
        this.number = number;
        boolean counted = settings.drain && settings.messages > 0;
        ungranted = counted ? Settings.share(settings.messages, number, settings.consumers()) : Long.MAX_VALUE;
        reader = new Body.Reader(settings.size, loop.run());
        // Consumers of a queue share its messages; those of a topic have a subscription each.
        arrivals = loop.arrivals(settings.topic ? number : number % settings.addresses);
        Session session = connection.session();
        receiver = connection.receiver(session, "consumer-" + number, this);
        receiver.setSource(source());
        receiver.setTarget(new Target());
        receiver.setSenderSettleMode(settings.presettled ? SenderSettleMode.SETTLED : SenderSettleMode.UNSETTLED);
        receiver.setReceiverSettleMode(ReceiverSettleMode.FIRST);
        receiver.open();
        coordinator = settings.consumeTransactionSize > 0
                ? Optional.of(new CoordinatorLink(connection, session, this, this, settings.transactions))
                : Optional.empty();
    }

    private Source source() {
        Source source = new Source();
        source.setAddress(settings.addressOf(number));
        settings.capability().ifPresent(name -> source.setCapabilities(Symbol.valueOf(name)));
        if (settings.durableSubscriptions) {
            source.setDurable(TerminusDurability.UNSETTLED_STATE);
            source.setExpiryPolicy(TerminusExpiryPolicy.NEVER);
        }
        return source;
    }

    @Override
    public void opened() {
        opened = true;
        if (settings.producers() > 0) {
            grant(settings.credit);
        }
    }

    /** Asks for messages; who drains a queue does so only now, when it is measured. */
    void begin() {
        if (settings.producers() == 0) {
            grant(settings.credit);
            connection.flush();
        }
    }

    private void grant(int credit) {
        int granted = (int) Math.min(credit, ungranted);
        ungranted -= granted;
        receiver.flow(granted);
    }

    @Override
    public void credited() {
        // We are the one that grants credit.
    }

    @Override
    public void delivery(Delivery delivery, long readNanos) {
        if (!delivery.isReadable() || delivery.isPartial()) {
            return;
        }
        boolean ours = reader.read(receiver.recv());
        receiver.advance();
        if (ours) {
            came(readNanos);
        } else {
            loop.tally().foreign++;
        }
        received(readNanos, !ours || reader.measured());
        if (coordinator.isPresent()) {
            unaccepted.add(delivery);
            acceptInTransactions();
        } else {
            if (!delivery.remotelySettled()) {
                delivery.disposition(Accepted.getInstance());
            }
            delivery.settle();
        }
        used++;
        if (used * CREDIT_LUMPS >= settings.credit) {
            grant(used);
            used = 0;
        }
    }

    private void came(long readNanos) {
        int producer = reader.producer();
        long sequence = reader.sequence();
        Tally tally = loop.tally();
        if (reader.measured()) {
            Tally.record(tally.latencies.endToEnd, readNanos - reader.stampNanos());
        }
        if (!arrivals.add(producer, sequence)) {
            tally.duplicates++;
            return;
        }
        if (producer >= latest.length) {
            int known = latest.length;
            latest = Arrays.copyOf(latest, Math.max(producer + 1, settings.producers()));
            Arrays.fill(latest, known, latest.length, -1);
        }
        if (sequence < latest[producer]) {
            tally.outOfOrder++;
        } else {
            latest[producer] = sequence;
        }
    }

    private void received(long readNanos, boolean measured) {
        Tally tally = loop.tally();
        tally.received++;
        if (measured && loop.measuring()) {
            tally.measuredReceived++;
            if (tally.firstReceivedNanos == Long.MAX_VALUE) {
                tally.firstReceivedNanos = readNanos;
            }
            tally.lastReceivedNanos = readNanos;
        }
    }

    private void acceptInTransactions() {
        while (!unaccepted.isEmpty() && hasTransaction()) {
            Transaction transaction = current.orElseThrow();
            if (transaction.size == 0) {
                transaction.firstNanos = System.nanoTime();
                transaction.measured = loop.measuring();
                undischarged++;
            }
            transaction.size++;
            Delivery delivery = unaccepted.poll();
            delivery.disposition(transaction.accepts);
            delivery.settle();
            if (transaction.size == settings.consumeTransactionSize) {
                discharge();
            }
        }
        if (ending && unaccepted.isEmpty() && current.isPresent() && current.get().size > 0) {
            discharge();
        }
    }

    private boolean hasTransaction() {
        if (current.isEmpty()) {
            current = coordinator.orElseThrow().next();
        }
        return current.isPresent();
    }

    private void discharge() {
        Transaction full = current.orElseThrow();
        current = Optional.empty();
        coordinator.orElseThrow().discharge(full);
    }

    @Override
    public void turn() {
        awake = false;
        if (coordinator.isPresent()) {
            acceptInTransactions();
        }
    }

    @Override
    public void discharged(Transaction transaction, Optional<String> refusal, long readNanos) {
        undischarged--;
        Tally tally = loop.tally();
        if (refusal.isPresent()) {
            tally.refused(refusal.get(), transaction.size);
            return;
        }
        tally.consumeTransactions++;
        if (transaction.measured) {
            Tally.record(tally.latencies.consumeTransaction, readNanos - transaction.firstNanos);
        }
        if (!awake) {
            awake = true;
            connection.wake(this);
        }
    }

    /** Commits what it has accepted so far; {@link #done} tells when that is answered. */
    void end() {
        ending = true;
        if (coordinator.isPresent()) {
            acceptInTransactions();
        }
    }

    /** Whether nothing of it waits for an answer. */
    boolean done() {
        return unaccepted.isEmpty() && undischarged == 0;
    }

    boolean isOpened() {
        return opened && coordinator.map(CoordinatorLink::isOpened).orElse(true);
    }

    /** Ends a subscription with its link. */
    void close() {
        receiver.close();
    }

    String waitsFor() {
        if (!isOpened()) {
            return "the broker to attach it";
        }
        return undischarged > 0 && ending ? "the commit of its transactions" : "messages";
    }

    int number() {
        return number;
    }

    @Override
    public String name() {
        return "consumer " + number + " of '" + settings.addressOf(number) + "'";
    }
}
