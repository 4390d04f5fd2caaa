package io.millrace.amqp;

/**
 * How many transfer frames the peer may send on a session: as many as fit into the bytes of messages that we are ready to
 * hold for it (AMQP 1.0, part 2, section 2.5.6). Owned by its session.
 *
 * <p>Link credit counts messages and knows nothing of their size; this window is what bounds the memory that a sender of large
 * messages takes. It starts as if every frame were as large as a frame may be, and follows the sizes that really come. A message
 * takes part of it until it is answered. What was granted is never taken back, so up to half as much again may come.
 */
final class IncomingWindow {
    private static final int MAX_FRAMES = 4096;
    private static final int WEIGHT_OF_THE_PAST = 8;

    private final long limitBytes;

    /** Of recent frames, times {@link #WEIGHT_OF_THE_PAST}, so that small differences are not rounded away. */
    private long weightedFrameBytes;

    private long heldBytes;
    private int granted;
    private int lastGrant;

    /**
     * A window for a session.
     *
     * @param limitBytes how many bytes of messages may wait for their answers
     * @param maxFrameSize the largest frame that the peer may send
     */
    IncomingWindow(long limitBytes, int maxFrameSize) {
        this.limitBytes = limitBytes;
        this.weightedFrameBytes = (long) maxFrameSize * WEIGHT_OF_THE_PAST;
    }

    /** Takes the largest window that is possible now into force; the peer must be told. */
    int grant() {
        granted = Math.max(granted, possible());
        lastGrant = granted;
        return granted;
    }

    /** A transfer came. False if the peer had no window left for it. */
    boolean received(int bytes) {
        weightedFrameBytes += bytes - weightedFrameBytes / WEIGHT_OF_THE_PAST;
        return --granted >= 0;
    }

    /** A message is complete, and held until it is answered. */
    void held(int bytes) {
        heldBytes += bytes;
    }

    void answered(int bytes) {
        heldBytes -= bytes;
    }

    /**
     * Whether a larger window is worth a frame: the peer has used half of what it was told, or nothing that it sent is left to
     * answer. The latter matters because Qpid JMS 2.10 may keep the last 128 KiB of a burst unflushed until it has more to send;
     * waiting for them would be waiting for ever.
     */
    boolean due() {
        int possible = possible();
        long worthwhile = Math.max(1, Math.min(lastGrant, limitBytes / frameBytes()) / 4);
        return possible - granted >= worthwhile
                && granted * 2 <= possible
                && (granted * 2 <= lastGrant || heldBytes == 0);
    }

    private long frameBytes() {
        return Math.max(1, weightedFrameBytes / WEIGHT_OF_THE_PAST);
    }

    private int possible() {
        long frames = (limitBytes - heldBytes) / frameBytes();
        int least = heldBytes == 0 ? 1 : 0;
        return (int) Math.max(least, Math.min(frames, MAX_FRAMES));
    }
}
