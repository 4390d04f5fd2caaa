package io.millrace.amqp;

import java.nio.ByteBuffer;

/** Where a connection's bytes go: the socket, as the engine sees it. Called on the connection's loop. */
public interface Output {

    /**
     * Sends bytes, at most one call per flush unless a lot waits.
     *
     * @param bytes valid only during the call
     */
    void write(ByteBuffer bytes);

    /** Whether the socket drains. Having said no, its owner calls {@link AmqpConnection#writable} when it does again. */
    boolean writable();

    /** Whether anything is to be read from the socket; what is on its way through it may come all the same. */
    void reading(boolean wanted);

    /** Closes the socket once what was written has left. Called at most once; nothing is written afterwards. */
    void close();
}
