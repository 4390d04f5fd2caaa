package io.millrace.broker;

/** How a link went, the mildest first. */
public enum Departure {
    /** Detached, to come back maybe. */
    DETACHED,
    /** With its session. */
    SESSION_ENDED,
    /** With its connection, orderly or not. */
    CONNECTION_CLOSED,
    /** Closed for good: its terminus is no longer wanted. */
    CLOSED;

    /** Whether it starts the countdown of a lifetime. */
    boolean ends(Lifetime lifetime) {
        return switch (lifetime.until()) {
            case LINK_DETACH -> true;
            case SESSION_END -> this != DETACHED;
            case CONNECTION_CLOSE -> this == CONNECTION_CLOSED || this == CLOSED;
            case NEVER -> this == CLOSED;
        };
    }
}
