package io.millrace.amqp;

/**
 * Bytes of messages that a connection has brought and that are not answered, or not written, yet. While they are too many
 * nothing more is read from the socket, so TCP holds the peer back. Owned by its connection.
 *
 * <p>They wait for the disk and for nothing that the peer could send, so they always go on. Link credit counts messages and
 * knows nothing of their size; this bounds what a sender of large ones takes, but for what had been read already.
 */
final class HeldBytes {
    private final long limitBytes;
    private final Output socket;
    private long bytes;
    private boolean paused;

    /** @param limitBytes from this many bytes on nothing is read; half of it is read again */
    HeldBytes(long limitBytes, Output socket) {
        this.limitBytes = limitBytes;
        this.socket = socket;
    }

    void add(int more) {
        bytes += more;
        if (!paused && bytes >= limitBytes) {
            paused = true;
            socket.reading(false);
        }
    }

    void remove(int fewer) {
        bytes -= fewer;
        if (paused && bytes <= limitBytes / 2) {
            paused = false;
            socket.reading(true);
        }
    }

    /** Whether the peer cannot be heard, whatever it sends. */
    boolean paused() {
        return paused;
    }
}
