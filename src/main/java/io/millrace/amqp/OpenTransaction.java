package io.millrace.amqp;

import io.millrace.broker.LocalTransaction;
import io.millrace.message.Outcome;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.transaction.TransactionalState;
import org.apache.qpid.proton.amqp.transport.DeliveryState;

/** A transaction that a peer has declared and not discharged. Owned by its connection. */
final class OpenTransaction {
    private final Binary id;
    private final LocalTransaction work;
    private final TransactionCoordinator controller;

    /** One for all messages, so that the answers to neighbours become one frame. */
    private final TransactionalState accepted;

    private boolean used;
    private long usedMillis;

    OpenTransaction(Binary id, LocalTransaction work, TransactionCoordinator controller) {
        this.id = id;
        this.work = work;
        this.controller = controller;
        accepted = state(Accepted.getInstance());
    }

    Binary id() {
        return id;
    }

    LocalTransaction work() {
        return work;
    }

    /** Through which link it was declared. */
    TransactionCoordinator controller() {
        return controller;
    }

    /** Something happens in it. */
    void use(long nowMillis) {
        used = true;
        usedMillis = nowMillis;
    }

    /** Whether something has happened in it: one that holds nothing hinders nobody. */
    boolean used() {
        return used;
    }

    long usedMillis() {
        return usedMillis;
    }

    /** What became of a delivery in it. */
    DeliveryState state(Outcome outcome) {
        return outcome instanceof Outcome.Accepted
                ? accepted
                : state((org.apache.qpid.proton.amqp.messaging.Outcome) Outcomes.encode(outcome));
    }

    private TransactionalState state(org.apache.qpid.proton.amqp.messaging.Outcome outcome) {
        TransactionalState state = new TransactionalState();
        state.setTxnId(id);
        state.setOutcome(outcome);
        return state;
    }
}
