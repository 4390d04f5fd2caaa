package io.millrace.broker;

import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Consumer;
import io.millrace.queue.Delivery;
import io.millrace.queue.Receipt;
import io.millrace.queue.Source;
import io.millrace.queue.Target;
import io.millrace.queue.Transaction;

/**
 * A transaction in the hands of the connection that controls it (AMQP 1.0, part 4); used on the loop where it was begun.
 *
 * <p>Once something in it has been refused it can only be rolled back; discharging it then says why.
 */
public interface LocalTransaction extends Transaction {
    /** In the info of a {@link Condition#TRANSACTION_ROLLBACK}: the symbol of the condition that led to it. */
    String CAUSE = "cause";

    /** Offers a message in it. The receipt is told {@code accepted}, or why the message, and with it the transaction, is refused. */
    void offer(Target target, Message message, Receipt receipt);

    /** Settles a delivery in it. The receipt gets the outcome back at once, which says nothing of its effect. */
    void settle(Source source, Consumer consumer, Delivery delivery, Outcome outcome, Receipt receipt);

    /** Part of it could not even be offered: it cannot be committed any more. */
    void doom(Condition reason);

    /**
     * Rolls it back now, before it is discharged.
     *
     * @param reason what a later commit is told
     */
    void abort(Condition reason);

    /**
     * Ends it; nothing may be done in it after that. The receipt is told {@code accepted} when all of it is durable and can
     * be seen (or, to {@code fail}, when all of it is undone), or {@code rejected} when it is rolled back instead.
     *
     * @param fail to roll back
     */
    void discharge(boolean fail, Receipt receipt);
}
