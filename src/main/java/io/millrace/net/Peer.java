package io.millrace.net;

import java.nio.ByteBuffer;

/** The other end of a socket. On the socket's loop only. */
public interface Peer {

    /** For logs: address and port. */
    String name();

    /** Sends bytes, which are copied. */
    void write(ByteBuffer bytes);

    /** Whether the socket drains; if not, {@link Protocol#drained} follows. */
    boolean writable();

    /** Whether anything is to be read from the socket; what is on its way through it may come all the same. */
    void reading(boolean wanted);

    /** Closes the socket once what was written has left, or has not left within some seconds. */
    void close();
}
