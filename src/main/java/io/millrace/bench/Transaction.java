package io.millrace.bench;

import java.util.ArrayList;
import java.util.List;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.transaction.TransactionalState;

/** A transaction that was declared, and what is in it. Owned by its link. */
final class Transaction {
    final Binary id;
    /** The state of transfers in it. */
    final TransactionalState sends = new TransactionalState();
    /** The state of deliveries that are accepted in it. */
    final TransactionalState accepts = new TransactionalState();

    int size;
    boolean measured;
    long firstNanos;

    /** Those of its messages that were not refused. */
    final List<Long> sequences = new ArrayList<>();

    Transaction(Binary id) {
        this.id = id;
        sends.setTxnId(id);
        accepts.setTxnId(id);
        accepts.setOutcome(Accepted.getInstance());
    }
}
