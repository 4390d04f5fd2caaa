package io.millrace.queue;

import io.millrace.loop.Loop;

/**
 * Work in any number of queues that becomes real in one durable step, or not at all (AMQP 1.0, part 4). Handed to
 * {@link Target} and {@link Source} with what belongs to it; begun, committed and rolled back by its coordinator.
 */
public interface Transaction {

    /** No transaction: what is done is done for itself. */
    Transaction NONE = new Transaction() {
        @Override
        public boolean exists() {
            return false;
        }

        @Override
        public Branch branch(Loop loop) {
            throw new IllegalStateException("there is no transaction");
        }
    };

    /** Whether it is one; false only for {@link #NONE}. */
    boolean exists();

    /** The part of it that happens on a loop. Called on that loop only, by the queues there. */
    Branch branch(Loop loop);
}
