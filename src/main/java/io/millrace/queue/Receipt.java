package io.millrace.queue;

import io.millrace.message.Outcome;

/** The answer to one message offered or one delivery settled. Called exactly once, unless the journal fails. */
@FunctionalInterface
public interface Receipt {

    /** Nobody waits. */
    Receipt NONE = outcome -> {};

    /** The outcome is final, and as durable as the message. Runs on the loop of whoever handed the receipt in. */
    void settled(Outcome outcome);
}
