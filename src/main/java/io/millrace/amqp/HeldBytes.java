package io.millrace.amqp;

import io.millrace.queue.MemoryBudget;
import org.apache.qpid.proton.amqp.transport.Attach;

/**
 * What a connection has in memory, so that it is not too much: bytes of messages that it has brought and that are not answered,
 * or not written, yet, and links. While the bytes are too many nothing more is read from the socket, so TCP holds the peer back.
 * Owned by its connection.
 *
 * <p>They wait for the disk and for nothing that the peer could send, so they always go on. Link credit counts messages and
 * knows nothing of their size; this bounds what a sender of large ones takes, but for what had been read already. The more
 * other connections have brought, the less it is.
 */
final class HeldBytes {
    private static final int NAME_CHARACTERS = 60;

    private final long limitBytes;
    private final MemoryBudget memory;
    private final Output socket;
    private long bytes;

    /** Of messages that have not come to their end, which wait for the peer. */
    private long begun;

    private long links;

    /** Half of the bytes at which reading stopped; less than 0 while it goes on. */
    private long readBelow = -1;

    private boolean over;

    /** @param limitBytes from this many bytes on nothing is read, however much memory there is; half of it is read again */
    HeldBytes(long limitBytes, MemoryBudget memory, Output socket) {
        this.limitBytes = limitBytes;
        this.memory = memory;
        this.socket = socket;
    }

    void add(int more) {
        if (over) {
            return;
        }
        bytes += more;
        memory.input(more);
        if (!paused() && bytes >= memory.inputAllowance(limitBytes)) {
            readBelow = bytes / 2;
            socket.reading(false);
        }
    }

    void remove(int fewer) {
        if (over) {
            return;
        }
        bytes -= fewer;
        memory.input(-fewer);
        if (paused() && bytes <= readBelow) {
            readBelow = -1;
            socket.reading(true);
        }
    }

    /** A message that has begun has so many more bytes in memory; or, if less than 0, it is whole, or given up. */
    void begun(int more) {
        if (!over) {
            begun += more;
            memory.input(more);
        }
    }

    /** Whether the rest of a message that has begun cannot be taken. */
    boolean overflows() {
        return memory.overflows();
    }

    /** Another link takes so many bytes; or, if less than 0, one is gone. */
    void link(int more) {
        if (!over) {
            links += more;
            memory.links(more);
        }
    }

    /** Whether the peer may have another link. */
    boolean allowsLink() {
        return memory.allowsLink(links);
    }

    /** Why it may not have this one. */
    static String noMemoryFor(Attach attach) {
        String name = attach.getName();
        return "link \"" + name.substring(0, Math.min(name.length(), NAME_CHARACTERS))
                + "\" is one too many for the broker's memory: detach some, spread them over"
                + " several connections, or raise the memory";
    }

    /** Whether the peer cannot be heard, whatever it sends. */
    boolean paused() {
        return readBelow >= 0;
    }

    /** The connection is gone: what it has brought is no concern of others. */
    void close() {
        if (!over) {
            over = true;
            memory.input(-bytes - begun);
            memory.links(-links);
        }
    }
}
