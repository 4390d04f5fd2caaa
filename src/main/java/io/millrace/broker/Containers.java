package io.millrace.broker;

/**
 * Which containers have asked to be the only connection of their name (sole connection for container, version 1.0), as
 * connections on one loop see it; used on that loop only.
 */
public interface Containers {

    /**
     * Asks for a name. The answer never comes inside the call; whatever it is, the caller calls {@link #release} once
     * when its connection is over.
     *
     * @param container the container-id
     * @param connection identity of the asking connection
     * @param takeOver whether a connection that has the name gives way
     * @param answer called exactly once, on the loop of the caller
     */
    void claim(String container, Object connection, boolean takeOver, Answer answer);

    /** The connection is over. If it has the name, another may have it. */
    void release(String container, Object connection);

    /** The ends of links that can be resumed, which are known by container and name. */
    LinkEndpoints endpoints();

    /** What a claim leads to. */
    interface Answer {
        /** The name is the caller's, or (false) that of another connection. */
        void claimed(boolean granted);

        /** Another connection has taken over; may come any time after {@code claimed(true)}, once. */
        void takenOver();
    }
}
