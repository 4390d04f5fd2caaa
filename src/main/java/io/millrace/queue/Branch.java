package io.millrace.queue;

import io.millrace.journal.Fact;
import io.millrace.message.Condition;
import java.util.List;
import java.util.Optional;

/** The part of a transaction that happens on one loop, and is owned by it. */
public interface Branch {

    /** Adds work, which is asked and told later, in the order in which it was added. */
    void enlist(Work work);

    /** Something that a queue will do when the transaction commits. Called on the loop of the queue. */
    interface Work {

        /**
         * The transaction is about to commit: adds the facts that this work consists of, or tells why it cannot be done, and
         * then the whole transaction is rolled back. Called at most once, before one of the two below.
         */
        Optional<Condition> prepare(List<Fact> facts);

        /** The facts are durable. */
        void committed();

        /** It will not happen. */
        void rolledBack();
    }
}
