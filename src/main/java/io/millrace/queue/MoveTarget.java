package io.millrace.queue;

import io.millrace.journal.Fact;
import io.millrace.message.Message;
import java.util.Optional;

/** Where a queue can send its messages to: another queue, on the same loop or through a proxy. */
public interface MoveTarget extends Target {

    /**
     * Takes a message that leaves another queue in the same durable step. It is never refused for a limit, for then
     * it would have no place at all.
     *
     * @param leaves what the store is to forget in that step; empty if it does not know the message
     */
    void move(Message message, Optional<Fact.MessageRemoved> leaves, Receipt receipt);
}
