package io.millrace.queue;

import io.millrace.message.Message;
import java.util.function.IntConsumer;

/** The way to the bodies of messages that are too large for memory, for the links on one loop. Owned by that loop. */
public final class Bodies {
    private final LoopResources loop;

    /** For the loop with these resources. */
    public Bodies(LoopResources loop) {
        this.loop = loop;
    }

    /** The memory of the messages on the loop. */
    public MemoryBudget memory() {
        return loop.memory();
    }

    /**
     * Begins a body that is being received.
     *
     * @param held told how many bytes have been handed to the store
     * @param written told, later, how many of them need not be waited for any more: they are written, and the store keeps up
     */
    public BodyWriter write(IntConsumer held, IntConsumer written) {
        loop.loop().assertCurrent();
        return new BodyWriter(loop, held, written);
    }

    /**
     * Begins to read the body of a {@linkplain Message#streamed streamed} message.
     *
     * @param arrived called whenever there may be more to send
     */
    public BodyReader read(Message message, Runnable arrived) {
        loop.loop().assertCurrent();
        return new BodyReader(loop, message.body(), message.streamed(), arrived);
    }
}
