package io.millrace.amqp;

import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Receipt;
import io.millrace.queue.Target;
import io.millrace.queue.Transaction;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.apache.qpid.proton.amqp.DescribedType;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.messaging.AmqpValue;
import org.apache.qpid.proton.amqp.transaction.Coordinator;
import org.apache.qpid.proton.codec.DecodeException;
import org.apache.qpid.proton.codec.DecoderImpl;
import org.apache.qpid.proton.codec.EncoderImpl;
import org.apache.qpid.proton.codec.messaging.FastPathAmqpValueType;

/**
 * The coordinator as the target of one link: takes the messages that declare and discharge transactions (AMQP 1.0, part 4,
 * section 4.1). Owned by the link.
 *
 * <p>Peers send the next declare before a discharge is answered, and other discharges, too. All are acted upon at once and each
 * is answered when its own is done: a declare does not wait for the disk, or a peer with two transactions in turn would fill
 * none of them while the other is being committed. AMQP asks for no order of outcomes, and Qpid JMS waits for both of its own.
 */
final class TransactionCoordinator implements Target {
    /** A peer may send a discharge and a declare at once. */
    static final int LEAST_CREDIT = 2;

    /** Far more than any declare or discharge needs, and less than it takes to nest values dangerously deep. */
    private static final int MAX_SIZE = 4096;

    /** Knows the primitive types and amqp-value: what else there is comes as it is described. */
    private static final ThreadLocal<DecoderImpl> DECODER = ThreadLocal.withInitial(() -> {
        DecoderImpl decoder = new DecoderImpl();
        FastPathAmqpValueType.register(decoder, new EncoderImpl(decoder));
        return decoder;
    });

    private static final Set<Object> DECLARE = Set.of(UnsignedLong.valueOf(0x31), Symbol.valueOf("amqp:declare:list"));
    private static final Set<Object> DISCHARGE =
            Set.of(UnsignedLong.valueOf(0x32), Symbol.valueOf("amqp:discharge:list"));

    private final Transactions transactions;

    TransactionCoordinator(Transactions transactions) {
        this.transactions = transactions;
    }

    /** The coordinator in the words of the attach that answers. */
    static Coordinator terminus() {
        Coordinator coordinator = new Coordinator();
        coordinator.setCapabilities(
                Symbol.valueOf("amqp:local-transactions"),
                Symbol.valueOf("amqp:multi-txns-per-ssn"),
                Symbol.valueOf("amqp:multi-ssns-per-txn"));
        return coordinator;
    }

    @Override
    public void offer(Message message, Transaction transaction, Receipt receipt) {
        Receipt answer = outcome -> receipt.settled(transactions.told(outcome));
        if (transaction.exists()) {
            refuse(answer, Condition.NOT_ALLOWED, "a message to the coordinator cannot be part of a transaction");
            return;
        }
        try {
            handle(body(message), answer);
        } catch (DecodeException e) {
            refuse(
                    answer,
                    Condition.DECODE_ERROR,
                    "the message to the coordinator cannot be decoded: " + e.getMessage());
        }
    }

    private void handle(Object request, Receipt answer) {
        if (request instanceof DescribedType described && DECLARE.contains(described.getDescriptor())) {
            if (field(described, 0).isEmpty()) {
                answer.settled(transactions.declare(this));
            } else {
                refuse(
                        answer,
                        Condition.NOT_IMPLEMENTED,
                        "distributed transactions are not supported; declare one without a global-id");
            }
        } else if (request instanceof DescribedType described && DISCHARGE.contains(described.getDescriptor())) {
            Object id = field(described, 0).orElseThrow(() -> new DecodeException("a discharge has no txn-id"));
            boolean fail = Boolean.TRUE.equals(field(described, 1).orElse(false));
            transactions.discharge(id, fail, answer);
        } else {
            refuse(
                    answer,
                    Condition.NOT_IMPLEMENTED,
                    "the coordinator takes declare and discharge as the amqp-value of a message, and nothing else");
        }
    }

    private static void refuse(Receipt answer, String condition, String description) {
        answer.settled(new Outcome.Rejected(new Condition(condition, description)));
    }

    private static Optional<Object> field(DescribedType described, int index) {
        if (!(described.getDescribed() instanceof List<?> fields)) {
            throw new DecodeException("the fields of " + described.getDescriptor() + " are not a list");
        }
        return index < fields.size() ? Optional.ofNullable(fields.get(index)) : Optional.empty();
    }

    private static Object body(Message message) {
        if (message.size() > MAX_SIZE) {
            throw new DecodeException("it has " + message.size() + " bytes; the limit is " + MAX_SIZE);
        }
        DecoderImpl decoder = DECODER.get();
        ByteBuffer in = ByteBuffer.wrap(message.bytes());
        decoder.setByteBuffer(in);
        try {
            Object body = "no body";
            while (in.hasRemaining()) {
                if (decoder.readObject() instanceof AmqpValue value) {
                    body = value.getValue();
                }
            }
            return body;
        } catch (RuntimeException e) {
            // Whatever the codec stumbles over, the peer has sent it.
            throw new DecodeException(e.getMessage(), e);
        } finally {
            decoder.setByteBuffer(null);
        }
    }

    /** The link is gone. */
    void closed() {
        transactions.rollBack(this);
    }

    @Override
    public int room() {
        return Integer.MAX_VALUE;
    }

    @Override
    public void whenRoom(Runnable task) {
        throw new IllegalStateException("there is room");
    }
}
