package io.millrace.config;

import java.util.Optional;

/**
 * How much clients may send in a second, over time. Immutable.
 *
 * @param messages so many messages; empty for no limit
 * @param bytes so many bytes of messages; empty for no limit
 */
public record Rate(Optional<Long> messages, Optional<Long> bytes) {
    /** As much as comes. */
    public static final Rate UNLIMITED = new Rate(Optional.empty(), Optional.empty());

    static final long MAX_MESSAGES = 1_000_000_000;
    static final long MAX_BYTES = 1L << 40;

    /** Whether there is a limit at all. */
    public boolean limited() {
        return messages.isPresent() || bytes.isPresent();
    }

    /** In words, for logs. */
    @Override
    public String toString() {
        String text = messages.map(count -> count + " messages/s").orElse("");
        String and = messages.isPresent() && bytes.isPresent() ? " and " : "";
        return limited()
                ? text
                        + and
                        + bytes.map(count -> Quantity.ofBytes(count) + "/s").orElse("")
                : "unlimited";
    }
}
