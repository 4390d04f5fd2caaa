package io.millrace.broker;

import java.util.Optional;
import java.util.function.Consumer;

/**
 * Which links can be resumed after their connection is gone (AMQP 1.0, part 2, section 2.6.13), as links on one loop see
 * them; used on that loop only.
 */
public interface LinkEndpoints {

    /**
     * Asks for the name of a link. Whoever has it lets go of it, with what is to go on. The answer never comes inside the
     * call.
     */
    void claim(Name name, Endpoint endpoint, Answer answer);

    /** A link that cannot be resumed takes the name: whoever has it is dropped. */
    void drop(Name name);

    /** The endpoint is no more. If it has the name, another may have it. */
    void release(Name name, Endpoint endpoint);

    /**
     * What a link is known by (section 2.6.1), and who may resume it.
     *
     * @param user who logged in; what one has left is not for others
     * @param container the peer's container-id
     * @param link its name
     * @param peerSends its direction
     */
    record Name(String user, String container, String link, boolean peerSends) {}

    /** What one endpoint leaves to its successor, perhaps on another loop: immutable. */
    interface Remains {}

    /** One end of a link, which may outlive it. Called on the loop of whoever claimed for it. */
    interface Endpoint {
        /** Another has the name now: hands over, at once or later, what is to go on; nothing if nothing is. */
        void surrender(Consumer<Optional<Remains>> heir);

        /** Another has the name now, and wants nothing of it. */
        void drop();
    }

    /** What a claim leads to: exactly one of the two, on the loop of the caller. */
    interface Answer {
        /** The name is the caller's. */
        void claimed(Optional<Remains> remains);

        /** There are too many: the link cannot be resumed. */
        void refused();
    }
}
