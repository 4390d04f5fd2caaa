package io.millrace.amqp;

import io.millrace.broker.LocalTransaction;
import io.millrace.broker.Nodes;
import io.millrace.loop.Loop;
import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import io.millrace.queue.Receipt;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.transport.Open;

/**
 * The open transactions of a connection by their ids, which are valid in all its sessions (AMQP 1.0, part 4). Owned by the
 * connection.
 *
 * <p>One in which nothing more happens is rolled back when its time is up, for it keeps messages from others. One that holds
 * nothing may stay: Qpid JMS declares the next transaction as soon as it has ended one, long before it is needed.
 */
final class Transactions {
    private static final int MAX_OPEN = 1000;

    /** Ids kept of those whose time was up, so that a late peer is told what happened. */
    private static final int REMEMBERED = 1000;

    private static final Symbol PRODUCT = Symbol.valueOf("product");
    private static final String QPID_JMS = "QpidJMS";

    private final Loop loop;
    private final Nodes nodes;
    private final Duration timeout;
    private final Map<Binary, OpenTransaction> open = new HashMap<>();
    private final Set<Binary> timedOut = new LinkedHashSet<>();
    private Optional<Loop.Timer> timer = Optional.empty();
    private long lastId;
    private boolean tellsCause;

    /** @param timeout how long nothing may happen in a transaction that holds something; zero for ever */
    Transactions(Loop loop, Nodes nodes, Duration timeout) {
        this.loop = loop;
        this.nodes = nodes;
        this.timeout = timeout;
    }

    /**
     * The peer has opened the connection. Qpid JMS takes {@code amqp:transaction:rollback} in the answer to a commit for "in
     * doubt", and every other condition for "rolled back" (seen with 2.10): it gets the cause instead.
     */
    void opened(Open open) {
        tellsCause = open.getProperties() != null
                && QPID_JMS.equals(open.getProperties().get(PRODUCT));
    }

    /** What the peer is told of a declare or discharge. */
    Outcome told(Outcome outcome) {
        if (!tellsCause || !(outcome instanceof Outcome.Rejected rejected)) {
            return outcome;
        }
        return new Outcome.Rejected(rejected.error()
                .filter(error -> error.symbol().equals(Condition.TRANSACTION_ROLLBACK))
                .map(error -> new Condition(
                        String.valueOf(error.info().getOrDefault(LocalTransaction.CAUSE, Condition.INTERNAL_ERROR)),
                        error.description(),
                        error.info()))
                .or(rejected::error));
    }

    /** The id of a transaction as it is on the wire. */
    static Binary wireId(long id) {
        return new Binary(ByteBuffer.allocate(Long.BYTES).putLong(id).array());
    }

    /** Begins one; tells its id, or why there cannot be another. */
    Outcome declare(TransactionCoordinator controller) {
        if (open.size() >= MAX_OPEN) {
            return new Outcome.Rejected(new Condition(
                    Condition.RESOURCE_LIMIT_EXCEEDED,
                    "the connection has " + MAX_OPEN + " open transactions, its limit; discharge some",
                    Map.of("reason", "transactions", "limit", MAX_OPEN)));
        }
        long id = ++lastId;
        Binary wireId = wireId(id);
        open.put(wireId, new OpenTransaction(wireId, nodes.begin(), controller));
        return new Outcome.Declared(id);
    }

    /** The open transaction with this id, for something to happen in it. */
    Optional<OpenTransaction> use(Binary id) {
        OpenTransaction transaction = open.get(id);
        if (transaction == null) {
            return Optional.empty();
        }
        transaction.use(loop.now());
        if (timer.isEmpty() && !timeout.isZero()) {
            timer = Optional.of(loop.after(timeout.toMillis(), this::endIdle));
        }
        return Optional.of(transaction);
    }

    /** Why there is no open transaction with this id. */
    Condition missing(Object id) {
        return id instanceof Binary && timedOut.contains(id)
                ? new Condition(
                        Condition.TRANSACTION_TIMEOUT,
                        "the transaction was rolled back, because nothing happened in it for " + timeout.toSeconds()
                                + " seconds, the limit; commit earlier, or raise transaction-timeout")
                : new Condition(
                        Condition.TRANSACTION_UNKNOWN_ID,
                        "there is no open transaction " + id + " on this connection; declare one");
    }

    /** Ends one. */
    void discharge(Object id, boolean fail, Receipt receipt) {
        OpenTransaction transaction = id instanceof Binary ? open.remove(id) : null;
        if (transaction == null) {
            boolean rolledBack = fail && id instanceof Binary && timedOut.contains(id);
            receipt.settled(rolledBack ? Outcome.ACCEPTED : new Outcome.Rejected(missing(id)));
        } else {
            transaction.work().discharge(fail, receipt);
            stopTimer();
        }
    }

    /** A link to the coordinator is gone: what was declared through it is rolled back. */
    void rollBack(TransactionCoordinator controller) {
        for (OpenTransaction transaction : List.copyOf(open.values())) {
            if (transaction.controller() == controller) {
                discharge(transaction.id(), true, Receipt.NONE);
            }
        }
    }

    private void endIdle() {
        timer = Optional.empty();
        long now = loop.now();
        long wait = Long.MAX_VALUE;
        for (Iterator<OpenTransaction> each = open.values().iterator(); each.hasNext(); ) {
            OpenTransaction transaction = each.next();
            long left = transaction.usedMillis() + timeout.toMillis() - now;
            if (transaction.used() && left <= 0) {
                each.remove();
                forget(transaction.id());
                transaction.work().discharge(true, Receipt.NONE);
            } else if (transaction.used()) {
                wait = Math.min(wait, left);
            }
        }
        if (wait < Long.MAX_VALUE) {
            timer = Optional.of(loop.after(wait, this::endIdle));
        }
    }

    private void forget(Binary id) {
        timedOut.add(id);
        if (timedOut.size() > REMEMBERED) {
            timedOut.remove(timedOut.iterator().next());
        }
    }

    private void stopTimer() {
        if (open.isEmpty()) {
            timer.ifPresent(Loop.Timer::cancel);
            timer = Optional.empty();
        }
    }
}
