package io.millrace.queue;

import io.millrace.message.Outcome;

/** The answer to one message offered or one delivery settled. Called exactly once, unless the journal fails. */
@FunctionalInterface
public interface Receipt {

    /** Nobody waits. */
    Receipt NONE = outcome -> {};

    /** The outcome is final, and as durable as the message. Runs on the loop of whoever handed the receipt in. */
    void settled(Outcome outcome);

    /**
     * There is no room for the message now: it waits for a bounded time, and counts against the memory of its target.
     * Called at most once, before {@link #settled}, on the same loop.
     *
     * @param withdrawal to be run on this loop when the message is to wait no longer; if it still does then, it is forgotten
     *     and settled as {@code released}
     */
    default void held(Runnable withdrawal) {}
}
