package io.millrace.queue;

import io.millrace.journal.Fact;
import io.millrace.message.Message;
import java.util.Optional;

/** Where messages can be sent: a queue, seen from an incoming link on the same loop (or through a proxy to another). */
public interface Target {

    /**
     * Takes a message. The receipt tells {@code accepted} when it is there to stay (for a durable message: on disk), or
     * {@code rejected} with queue, reason and limit.
     */
    void offer(Message message, Receipt receipt);

    /**
     * Takes a message that leaves another queue in the same durable step. It is never refused for a limit, for then
     * it would have no place at all.
     *
     * @param leaves what the store is to forget in that step; empty if it does not know the message
     */
    void move(Message message, Optional<Fact.MessageRemoved> leaves, Receipt receipt);

    /** How many more messages a link should let its peer send, beyond those offered; 0 asks it to wait. */
    int room();

    /** Runs {@code task} once, on the caller's loop, when there is room again after {@link #room} said 0. */
    void whenRoom(Runnable task);
}
