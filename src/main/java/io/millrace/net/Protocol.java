package io.millrace.net;

import java.nio.ByteBuffer;

/** What speaks on a socket: bytes in. Its bytes out go to the {@link Peer} it was made with. On the socket's loop only. */
public interface Protocol {

    /** Bytes came; {@code bytes} is valid only during the call. */
    void received(ByteBuffer bytes);

    /** All that has come so far has been {@linkplain #received given}: the time to answer. */
    void readComplete();

    /** The socket drains again, after {@link Peer#writable} said no. */
    void drained();

    /** The broker stops: time to give the last answers, to tell the peer, then to {@link Peer#close}. */
    void stopping();

    /** The socket is gone. Called once, last. */
    void lost();
}
