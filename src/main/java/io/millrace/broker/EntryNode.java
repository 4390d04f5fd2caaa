package io.millrace.broker;

import io.millrace.queue.MoveTarget;
import io.millrace.queue.Source;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A queue or topic as one loop sees it.
 *
 * @param targets the place to send to, for each sender
 * @param queue of a queue: the place to receive from
 * @param scheduled of a queue: what waits for its time
 */
record EntryNode(Entry entry, Targets targets, Optional<Source> queue, Optional<Supplier<Source>> scheduled)
        implements Node {

    /** Makes the place to send to. */
    @FunctionalInterface
    interface Targets {
        MoveTarget from(String container);
    }

    @Override
    public String address() {
        return entry.address();
    }

    @Override
    public NodeType type() {
        return entry.type();
    }

    @Override
    public boolean temporary() {
        return entry.temporary();
    }

    @Override
    public MoveTarget target(String container) {
        return targets.from(container);
    }

    @Override
    public Source source() {
        return queue.orElseThrow(
                () -> new IllegalStateException("'" + address() + "' is a topic: subscribe to receive from it"));
    }
}
