package io.millrace.bench;

import org.apache.qpid.proton.engine.Delivery;

/** What a link of ours hears from its connection; all on its event loop. */
interface LinkEvents {
    /** The peer has attached, and means it. */
    void opened();

    /** There may be credit. */
    void credited();

    /**
     * A delivery came, or an outcome for one.
     *
     * @param readNanos when the bytes were read
     */
    void delivery(Delivery delivery, long readNanos);

    /** The turn in which the link {@linkplain ClientConnection#wake asked} for it ends, or the socket takes more. */
    void turn();

    /** For messages: what the link is and where it leads. */
    String name();
}
