package io.millrace.broker;

import java.util.Locale;

/** What an address is; one address is never both. */
public enum NodeType {
    /** Each message goes to one consumer. */
    QUEUE,
    /** Each message goes to every subscription. */
    TOPIC;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
