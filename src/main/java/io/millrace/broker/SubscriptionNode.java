package io.millrace.broker;

import io.millrace.queue.Source;
import io.millrace.queue.Target;
import java.util.Optional;

/** A subscription as one loop sees it. */
record SubscriptionNode(Subscription itself, Source source) implements Node {
    @Override
    public String address() {
        return itself.pattern().toString();
    }

    @Override
    public NodeType type() {
        return NodeType.TOPIC;
    }

    @Override
    public boolean temporary() {
        return false;
    }

    @Override
    public Optional<Terms> subscription() {
        return Optional.of(itself.terms());
    }

    @Override
    public Target target(String container) {
        throw new IllegalStateException("'" + itself.title() + "' is a subscription: send to its topic");
    }
}
