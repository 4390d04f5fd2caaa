package io.millrace.net;

/**
 * How much the sockets of one loop may have waiting for peers that do not read. Owned by the loop.
 *
 * <p>A socket that fills may have an eighth of what is left, so that any number of peers that read nothing leaves something to
 * those that do; a little each socket always has.
 */
final class OutputMemory {
    private static final int SHARES = 8;
    private static final int LEAST_BYTES = 32 << 10;

    /** More than this is of no use to a peer that reads. */
    private static final int MOST_BYTES = 512 << 10;

    private long freeBytes;

    OutputMemory(long bytes) {
        this.freeBytes = bytes;
    }

    /** An eighth of the heap, for all loops. */
    static OutputMemory ofOne(int loops) {
        return new OutputMemory(Runtime.getRuntime().maxMemory() / 8 / loops);
    }

    /** From how many waiting bytes on a socket is full. */
    int full() {
        return (int) Math.max(LEAST_BYTES, Math.min(MOST_BYTES, freeBytes / SHARES));
    }

    /** So many more bytes wait in sockets that are full; or, if less than 0, wait no more. */
    void waits(long bytes) {
        freeBytes -= bytes;
    }
}
