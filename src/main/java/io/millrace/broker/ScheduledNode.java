package io.millrace.broker;

import io.millrace.queue.Source;
import io.millrace.queue.Target;

/** The messages of a queue that wait for their time, as a place to receive from: {@code <queue>/$scheduled}. */
record ScheduledNode(String address, Source source) implements Node {
    static final String SUFFIX = "/$scheduled";

    static String queueOf(String address) {
        return address.substring(0, address.length() - SUFFIX.length());
    }

    @Override
    public NodeType type() {
        return NodeType.QUEUE;
    }

    @Override
    public boolean temporary() {
        return false;
    }

    @Override
    public Target target(String container) {
        throw new IllegalStateException("'" + address + "' is to receive from only");
    }
}
