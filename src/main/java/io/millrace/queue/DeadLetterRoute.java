package io.millrace.queue;

import java.util.function.Consumer;

/** The way from a queue to its dead-letter queue, which is made when it is first needed. Given by the broker. */
public interface DeadLetterRoute {

    /** A queue without a dead-letter queue: no limit on deliveries, and what is rejected is discarded. */
    DeadLetterRoute NONE = new DeadLetterRoute() {
        @Override
        public boolean exists() {
            return false;
        }

        @Override
        public void open(Consumer<MoveTarget> opened) {
            throw new IllegalStateException("there is no dead-letter queue");
        }
    };

    /** Whether there is one. */
    boolean exists();

    /** The way to where expired messages go, if the settings of the queue name a place of their own for them. */
    default DeadLetterRoute forExpired() {
        return NONE;
    }

    /** Gives the dead-letter queue, on the loop of the asking queue, at once or later. */
    void open(Consumer<MoveTarget> opened);
}
