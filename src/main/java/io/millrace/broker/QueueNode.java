package io.millrace.broker;

import io.millrace.queue.Source;
import io.millrace.queue.Target;

/** A queue as one loop sees it. */
record QueueNode(QueueEntry entry, Target target, Source source) implements Node {
    @Override
    public String address() {
        return entry.address();
    }

    @Override
    public boolean temporary() {
        return entry.temporary();
    }
}
