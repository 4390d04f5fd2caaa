package io.millrace.broker;

import io.millrace.message.Condition;
import io.millrace.queue.Bodies;
import java.util.Optional;

/**
 * The addresses, as links on one loop see them; used on that loop only. {@link Directory} is the one implementation; tests
 * of {@code amqp} have another.
 */
public interface Nodes {

    /** The node at an address that is there already: {@code name}, {@code /name} or {@code queue://name}. */
    Optional<Node> find(String address);

    /**
     * Finds a node or makes it, if the rules allow. The answer never comes inside the call.
     *
     * @param use what for; a temporary queue may be received from only by the connection that made it
     * @param connection identity of the asking connection
     */
    void open(String address, Use use, Object connection, Answer answer);

    /** Makes a temporary queue with an address of its own, owned by {@code connection}. */
    void openTemporary(Object connection, Answer answer);

    /** Deletes a temporary queue and its messages; its consumers are told, and what is sent to it from then on is rejected. */
    void deleteTemporary(Node node);

    /** The bodies of messages that are too large for memory. */
    Bodies bodies();

    /** Which containers want to be the only one of their name. */
    Containers containers();

    /** Begins a transaction of a connection on this loop. */
    LocalTransaction begin();

    /** What a link wants of a node. */
    enum Use {
        SEND,
        RECEIVE
    }

    /** Called exactly once, with one of the two. */
    interface Answer {
        void opened(Node node);

        void refused(Condition reason);
    }
}
