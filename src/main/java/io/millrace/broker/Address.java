package io.millrace.broker;

import io.millrace.message.Condition;
import java.util.Optional;

/**
 * An address as it was written: {@code name}, {@code /name} and {@code queue://name} are the same queue, {@code topic://name}
 * is a topic of that name. Queues and topics share one namespace.
 *
 * @param plain the name alone
 * @param type what the prefix says that it is
 */
record Address(String plain, Optional<NodeType> type) {
    static final String TEMPORARY_QUEUE = "temp-queue/";
    static final String TEMPORARY_TOPIC = "temp-topic/";

    /**
     * What the names of services begin with, such as $management and $cbs: a client that asks for one that is not there must be
     * told, or it waits for an answer that never comes.
     */
    static final String RESERVED = "$";

    private static final String QUEUE = "queue://";
    private static final String TOPIC = "topic://";
    private static final int MAX_LENGTH = 255;

    static Address parse(String address) {
        if (address.startsWith(QUEUE)) {
            return new Address(withoutSlash(address.substring(QUEUE.length())), Optional.of(NodeType.QUEUE));
        }
        if (address.startsWith(TOPIC)) {
            return new Address(withoutSlash(address.substring(TOPIC.length())), Optional.of(NodeType.TOPIC));
        }
        return new Address(withoutSlash(address), Optional.empty());
    }

    private static String withoutSlash(String address) {
        return address.startsWith("/") ? address.substring(1) : address;
    }

    /** The plain form of an address, for look-ups that make no object. */
    static String plain(String address) {
        return address.startsWith(QUEUE) || address.startsWith(TOPIC) ? parse(address).plain : withoutSlash(address);
    }

    static boolean temporary(String plain) {
        return plain.startsWith(TEMPORARY_QUEUE) || plain.startsWith(TEMPORARY_TOPIC);
    }

    /** Whether a node of this plain address can be made; throws nothing, answers why not. */
    static Optional<Condition> objection(String plain) {
        if (plain.isEmpty()) {
            return Optional.of(new Condition(Condition.INVALID_FIELD, "the address is empty; name a queue or a topic"));
        }
        if (plain.length() > MAX_LENGTH || plain.chars().anyMatch(Character::isISOControl)) {
            return Optional.of(new Condition(
                    Condition.INVALID_FIELD,
                    "the address has " + plain.length() + " characters; the name of a queue or topic has at most "
                            + MAX_LENGTH + ", none of them a control character"));
        }
        return Optional.empty();
    }

    /** The refusal of one who takes a node for what it is not; empty when it is right. */
    static Optional<Condition> mismatch(String plain, NodeType is, Optional<NodeType> wanted) {
        return wanted.filter(type -> type != is)
                .map(type -> new Condition(
                        Condition.NOT_ALLOWED,
                        "'" + plain + "' is a " + is + ", not a " + type + "; ask for the " + is
                                + " or use another name"));
    }
}
