package io.millrace.broker;

import io.millrace.queue.MoveTarget;
import io.millrace.queue.Source;

/** A queue as one loop sees it. */
record QueueNode(QueueEntry entry, MoveTarget target, Source source) implements Node {
    @Override
    public String address() {
        return entry.address();
    }

    @Override
    public boolean temporary() {
        return entry.temporary();
    }
}
