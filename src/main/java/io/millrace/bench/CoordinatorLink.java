package io.millrace.bench;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.AmqpValue;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.transaction.Coordinator;
import org.apache.qpid.proton.amqp.transaction.Declare;
import org.apache.qpid.proton.amqp.transaction.Declared;
import org.apache.qpid.proton.amqp.transaction.Discharge;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.SenderSettleMode;
import org.apache.qpid.proton.codec.ReadableBuffer;
import org.apache.qpid.proton.engine.Delivery;
import org.apache.qpid.proton.engine.Sender;
import org.apache.qpid.proton.engine.Session;
import org.apache.qpid.proton.message.Message;

/**
 * Declares transactions ahead of need and discharges them (AMQP 1.0, part 4). A transfer needs the id of its transaction, so a
 * declaration must be answered first; the next one is declared together with the discharge, as Qpid JMS does in {@code
 * commit}, and one is filled while others are discharged. Owned by the link whose transactions they are.
 */
final class CoordinatorLink implements LinkEvents {
    private static final byte[] DECLARE = encoded(new Declare());
    private static final int LARGEST_COMMAND = 256;

    private final ClientConnection connection;
    private final Sender sender;
    private final LinkEvents owner;
    private final Listener listener;
    private final int mostOpen;
    private final Deque<Transaction> declared = new ArrayDeque<>();
    private final Deque<Command> waiting = new ArrayDeque<>();
    private int undischarged;
    private int discharging;
    private int tag;
    private boolean opened;

    /** Hears how transactions end. */
    interface Listener {
        /** @param refusal why it was rolled back, if it was */
        void discharged(Transaction transaction, Optional<String> refusal, long readNanos);
    }

    private record Command(byte[] encoded, Optional<Transaction> discharges) {}

    /** @param mostOpen transactions that have something in them and are not ended, at most; as many are declared ahead */
    CoordinatorLink(ClientConnection connection, Session session, LinkEvents owner, Listener listener, int mostOpen) {
        this.connection = connection;
        this.owner = owner;
        this.listener = listener;
        this.mostOpen = mostOpen;
        sender = connection.sender(session, "coordinator-" + owner.name(), this);
        sender.setSource(new Source());
        sender.setTarget(new Coordinator());
        sender.setSenderSettleMode(SenderSettleMode.UNSETTLED);
        sender.open();
    }

    /** A transaction to fill next; none while its declaration, or the discharge of too many, is not answered. */
    Optional<Transaction> next() {
        return discharging < mostOpen ? Optional.ofNullable(declared.poll()) : Optional.empty();
    }

    private void declareAhead() {
        while (undischarged < mostOpen && opened) {
            undischarged++;
            waiting.add(new Command(DECLARE, Optional.empty()));
            send();
        }
    }

    /** Commits. */
    void discharge(Transaction transaction) {
        Discharge discharge = new Discharge();
        discharge.setTxnId(transaction.id);
        discharge.setFail(false);
        waiting.add(new Command(encoded(discharge), Optional.of(transaction)));
        undischarged--;
        discharging++;
        send();
        declareAhead();
    }

    private void send() {
        while (opened && sender.getCredit() > 0 && !waiting.isEmpty()) {
            Command command = waiting.poll();
            tag++;
            Delivery delivery =
                    sender.delivery(new byte[] {(byte) (tag >> 24), (byte) (tag >> 16), (byte) (tag >> 8), (byte) tag});
            delivery.setContext(command);
            sender.sendNoCopy(ReadableBuffer.ByteBufferReader.wrap(command.encoded));
            sender.advance();
        }
    }

    private static byte[] encoded(Object command) {
        Message message = Message.Factory.create();
        message.setBody(new AmqpValue(command));
        byte[] bytes = new byte[LARGEST_COMMAND];
        int length = message.encode(bytes, 0, bytes.length);
        return java.util.Arrays.copyOf(bytes, length);
    }

    @Override
    public void opened() {
        opened = true;
        declareAhead();
        connection.wake(this);
    }

    @Override
    public void credited() {
        connection.wake(this);
    }

    @Override
    public void turn() {
        send();
    }

    @Override
    public void delivery(Delivery delivery, long readNanos) {
        if (!delivery.isUpdated() || delivery.getRemoteState() == null) {
            return;
        }
        Command command = (Command) delivery.getContext();
        DeliveryState state = delivery.getRemoteState();
        delivery.settle();
        if (command.discharges.isPresent()) {
            discharging--;
            Optional<String> refusal =
                    state instanceof Accepted ? Optional.empty() : Optional.of(outcome(state, "transaction"));
            listener.discharged(command.discharges.get(), refusal, readNanos);
        } else if (state instanceof Declared answer) {
            declared.add(new Transaction(copy(answer::getTxnId)));
        } else {
            undischarged--;
            connection.refused(owner.name() + ": no transaction was declared: " + outcome(state, "declare"));
        }
        connection.wake(owner);
    }

    private static Binary copy(Supplier<Binary> id) {
        return Binary.copy(id.get());
    }

    /** An outcome in a word, with the condition if it has one. */
    static String outcome(DeliveryState state, String of) {
        if (state instanceof Rejected rejected) {
            return of + " rejected: " + Refusal.words(rejected.getError());
        }
        return of + " "
                + (state == null
                        ? "settled without an outcome"
                        : state.getType().name().toLowerCase(java.util.Locale.ROOT));
    }

    boolean isOpened() {
        return opened;
    }

    @Override
    public String name() {
        return "the coordinator of " + owner.name();
    }
}
