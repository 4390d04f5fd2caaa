package io.millrace.broker;

import io.millrace.message.Condition;
import io.millrace.queue.Bodies;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * The addresses, as links on one loop see them; used on that loop only. {@link Directory} is the one implementation; tests
 * of {@code amqp} have another.
 */
public interface Nodes {

    /** The node at an address that is there already, in any of its forms, as a place to send to. */
    Optional<Node> find(String address);

    /**
     * Finds a node or makes it, if the rules allow; whoever wants to receive from a topic gets a subscription. The answer
     * never comes inside the call. A temporary node may be received from only by the connection that made it.
     */
    void open(Request request, Answer answer);

    /** Makes a temporary node with an address of its own, owned by the connection of {@code link}. */
    void openTemporary(NodeType type, Link link, Answer answer);

    /**
     * The link to a node is gone, or its session is, or its connection. What lived for the link only is deleted: a
     * temporary node it made, a subscription without other links. May be called again with a later departure.
     *
     * @param answer what was given when the node was opened
     */
    void release(Node node, Answer answer, Departure departure);

    /** Ends a subscription that was looked up; {@code done} gets why that is not possible, or nothing. */
    void unsubscribe(Node node, Consumer<Optional<Condition>> done);

    /** The bodies of messages that are too large for memory. */
    Bodies bodies();

    /** Which containers want to be the only one of their name. */
    Containers containers();

    /** Begins a transaction of a connection on this loop. */
    LocalTransaction begin();

    /** Called exactly once with one of the first two. */
    interface Answer {
        void opened(Node node);

        void refused(Condition reason);

        /** The node that was opened to send to is gone. Comes after {@link #opened}, at most once. */
        default void deleted(Condition reason) {}
    }
}
