package io.millrace.queue;

import io.millrace.message.Outcome;

/** Where messages can be received from: a queue, seen from an outgoing link on the same loop (or through a proxy). */
public interface Source {

    /**
     * Lets a consumer in, without credit. {@link Consumer#admitted} is its first call, unless it is refused with
     * {@link Consumer#closed}; either may come inside this call.
     */
    void attach(Consumer consumer, Selection selection);

    /**
     * Sets how many deliveries a consumer may have been handed in all, since it attached. Credit that was voided by
     * {@link Consumer#drained} counts as if it had been used, as it does in the delivery-count of the link.
     *
     * @param limit a total, not an increment: the peer's delivery-count plus link-credit, counted from 0. A lower one
     *     than before takes credit back
     * @param drain deliver what there is, then call {@link Consumer#drained} at once; false calls off a drain that is
     *     not answered yet
     */
    void credit(Consumer consumer, long limit, boolean drain);

    /** The consumer is {@link Consumer#ready} again. */
    void resume(Consumer consumer);

    /**
     * The consumer is done with a delivery. The receipt gets the same outcome back when its effect is durable.
     *
     * @param transaction what it is part of, {@link Transaction#NONE} mostly. In a transaction the receipt is answered at
     *     once; should it be rolled back, the delivery counts as a failed attempt and the message goes back to its place
     */
    void settle(Consumer consumer, Delivery delivery, Outcome outcome, Transaction transaction, Receipt receipt);

    /** As {@link #settle(Consumer, Delivery, Outcome, Transaction, Receipt)}, in no transaction. */
    default void settle(Consumer consumer, Delivery delivery, Outcome outcome, Receipt receipt) {
        settle(consumer, delivery, outcome, Transaction.NONE, receipt);
    }

    /**
     * The consumer is gone. Deliveries that it has not settled go back to their places.
     *
     * @param lost its connection broke: each of them counts as a failed attempt. Otherwise none does
     */
    void detach(Consumer consumer, boolean lost);
}
