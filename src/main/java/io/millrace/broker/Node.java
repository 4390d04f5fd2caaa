package io.millrace.broker;

import io.millrace.queue.Source;
import io.millrace.queue.Target;
import java.util.Optional;

/** What an address leads to, as one loop sees it; used on that loop only. */
public interface Node {

    /** The address in its plain form. */
    String address();

    /** What it is. */
    NodeType type();

    /** Whether it lives only as long as the link that asked for it. */
    boolean temporary();

    /** The terms in force, when it is a subscription. */
    default Optional<Terms> subscription() {
        return Optional.empty();
    }

    /**
     * The node as a place to send to.
     *
     * @param container of the connection that sends
     */
    Target target(String container);

    /** As a place to send to for one who is in no container. */
    default Target target() {
        return target("");
    }

    /** The node as a place to receive from: a queue or a subscription. */
    Source source();
}
