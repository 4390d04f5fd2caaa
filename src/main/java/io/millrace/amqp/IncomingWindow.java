package io.millrace.amqp;

/**
 * How many transfer frames the peer may send on a session (AMQP 1.0, part 2, section 2.5.6). Owned by its session.
 *
 * <p>It is wide, and renewed when half of it is used, whatever waits for its answer: no peer ever comes to its end. Qpid JMS 2.10
 * flushes before it writes the last part of a burst, so one that a window cuts off in the middle of a message may keep that part
 * until its next heartbeat. What bounds memory is {@link HeldBytes}, and link credit.
 */
final class IncomingWindow {
    static final int FRAMES = 8192;

    private int granted;

    /** Takes the whole window into force; the peer must be told. */
    int grant() {
        granted = FRAMES;
        return FRAMES;
    }

    /** A transfer came. False if the peer had no window left for it. */
    boolean received() {
        return --granted >= 0;
    }

    /** Whether it is to be renewed. */
    boolean due() {
        return granted <= FRAMES / 2;
    }
}
