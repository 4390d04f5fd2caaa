package io.millrace.queue;

import io.millrace.message.Message;

/** Where messages can be sent: a queue or a topic, seen from an incoming link on the same loop (or through a proxy to another). */
public interface Target {

    /**
     * Takes a message. The receipt tells {@code accepted} when it is there to stay (for a durable message: on disk), or
     * {@code rejected} with queue, reason and limit. If there is no room it may tell first that the message is
     * {@linkplain Receipt#held held}.
     *
     * @param transaction what it is part of, {@link Transaction#NONE} mostly. In a transaction {@code accepted} comes at once
     *     and means no more than that the message will be there if the transaction commits
     */
    void offer(Message message, Transaction transaction, Receipt receipt);

    /** As {@link #offer(Message, Transaction, Receipt)}, in no transaction. */
    default void offer(Message message, Receipt receipt) {
        offer(message, Transaction.NONE, receipt);
    }

    /** How many more messages a link should let its peer send, beyond those offered; 0 asks it to wait. */
    int room();

    /** Runs {@code task} once, on the caller's loop, when there is room again after {@link #room} said 0. */
    void whenRoom(Runnable task);
}
