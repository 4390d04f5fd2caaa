package io.millrace.broker;

import java.util.Optional;

/**
 * What a link asks for.
 *
 * @param address in any of its forms
 * @param type what the peer says that it is, if it does
 * @param use what for
 * @param link who asks
 * @param terms of a subscription, should the address be a topic to receive from
 */
public record Request(String address, Optional<NodeType> type, Use use, Link link, Terms terms) {

    /** What a link wants of a node. */
    public enum Use {
        SEND,
        RECEIVE,
        /** To see or end the durable subscription that the link's name stands for; there is no address. */
        LOOK_UP
    }

    /** To send. */
    public static Request toSend(String address, Optional<NodeType> type, Link link) {
        return new Request(address, type, Use.SEND, link, Terms.PLAIN);
    }

    /** To receive. */
    public static Request toReceive(String address, Optional<NodeType> type, Link link, Terms terms) {
        return new Request(address, type, Use.RECEIVE, link, terms);
    }

    /**
     * To look a durable subscription up.
     *
     * @param global whether it is of no container
     */
    public static Request toLookUp(Link link, boolean global) {
        Terms terms = new Terms(true, false, global, Optional.empty(), false, Lifetime.OF_LINK);
        return new Request("", Optional.empty(), Use.LOOK_UP, link, terms);
    }

    /** What it must be, by capability or prefix. */
    Optional<NodeType> wanted() {
        return type.or(() -> Address.parse(address).type());
    }
}
