package io.millrace.simulation;

/**
 * What a message says of itself.
 *
 * @param durable whether it is to outlive the broker
 * @param priority from 0 to 9
 * @param group its group-id; empty for none
 * @param colour what selectors ask for
 * @param dueMillis when it is to be delivered, in milliseconds since 1970; 0 for at once
 * @param expiryMillis when it expires, in milliseconds since 1970; 0 for never
 * @param identity its message-id; empty for none
 */
record Traits(
        boolean durable,
        int priority,
        String group,
        String colour,
        long dueMillis,
        long expiryMillis,
        String identity) {

    /** The same, to outlive the broker or not. */
    Traits durable(boolean other) {
        return new Traits(other, priority, group, colour, dueMillis, expiryMillis, identity);
    }
}
