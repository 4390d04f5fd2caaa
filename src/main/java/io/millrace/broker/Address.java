package io.millrace.broker;

import io.millrace.message.Condition;
import java.util.Optional;

/** The forms of an address: {@code name}, {@code /name} and {@code queue://name} are the same queue. */
final class Address {
    static final String TEMPORARY_PREFIX = "temp-queue/";

    private static final int MAX_LENGTH = 255;

    private Address() {}

    /** The plain form. */
    static String plain(String address) {
        String plain = address.startsWith("queue://") ? address.substring("queue://".length()) : address;
        return plain.startsWith("/") ? plain.substring(1) : plain;
    }

    /** Whether a queue of this plain address can be made; throws nothing, answers why not. */
    static Optional<Condition> objection(String plain) {
        if (plain.isEmpty()) {
            return Optional.of(new Condition(Condition.INVALID_FIELD, "the address is empty; name a queue"));
        }
        if (plain.startsWith("topic://")) {
            return Optional.of(new Condition(
                    Condition.NOT_IMPLEMENTED, "'" + plain + "' is a topic, and this broker has queues only"));
        }
        if (plain.length() > MAX_LENGTH || plain.chars().anyMatch(Character::isISOControl)) {
            return Optional.of(new Condition(
                    Condition.INVALID_FIELD,
                    "the address has " + plain.length() + " characters; a queue name has at most " + MAX_LENGTH
                            + ", none of them a control character"));
        }
        return Optional.empty();
    }
}
