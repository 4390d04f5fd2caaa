package io.millrace.broker;

import io.millrace.queue.Queue;
import java.util.Optional;

/** A queue or topic in the address book. Immutable. */
sealed interface Entry {
    String address();

    NodeType type();

    /** The index of the loop that owns it. */
    int loop();

    /** Of a temporary node: who made it. */
    Optional<Owner> owner();

    /** Where its messages go, when others send them there too. */
    Route route();

    /**
     * Who made a temporary node.
     *
     * @param connection the only one that may receive from it
     * @param maker the link that it lives as long as
     */
    record Owner(Object connection, Nodes.Answer maker) {}

    default boolean temporary() {
        return owner().isPresent();
    }

    /**
     * A queue.
     *
     * @param number its number in the store
     * @param address its address
     * @param loop the index of the loop that owns it
     * @param queue the queue itself, to be touched on that loop only
     * @param owner who made it, if it is temporary
     * @param forwarding the route of what is sent to it, when rules lead elsewhere from here
     */
    record OfQueue(
            long number, String address, int loop, Queue queue, Optional<Owner> owner, Optional<Route> forwarding)
            implements Entry {
        @Override
        public NodeType type() {
            return NodeType.QUEUE;
        }

        @Override
        public Route route() {
            return forwarding.orElse(publication -> {
                if (publication.visit(address)) {
                    publication.goesTo(queue, !temporary());
                }
            });
        }
    }

    /**
     * A topic. All of them live on the home loop.
     *
     * @param topic the topic itself, to be touched on that loop only
     * @param owner who made it, if it is temporary
     * @param route to its subscriptions, and to wherever rules lead
     */
    record OfTopic(Topic topic, Optional<Owner> owner, Route route) implements Entry {
        @Override
        public String address() {
            return topic.name();
        }

        @Override
        public NodeType type() {
            return NodeType.TOPIC;
        }

        @Override
        public int loop() {
            return 0;
        }
    }
}
