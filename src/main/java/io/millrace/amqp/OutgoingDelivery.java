package io.millrace.amqp;

import io.millrace.message.Message;
import io.millrace.queue.BodyReader;
import io.millrace.queue.Delivery;
import java.util.Optional;

/**
 * A delivery on its way to a peer: what its transfer frames say, and how much of it has been written. Owned by its link.
 *
 * <p>A multi-frame delivery keeps its place here while the session window or the socket is full, or while more of its body
 * is read from the store.
 */
final class OutgoingDelivery {
    private static final byte[] NOTHING = {};

    private final OutgoingLink link;
    private final Delivery delivery;
    private final int id;
    private final int tag;
    private final Optional<BodyReader> body;

    /** What goes next: all of the message that is in memory, later a part of its body; and how much of that has gone. */
    private byte[] chunk;

    private int gone;

    /** What is still to be written, after the header, in memory or not. */
    private long left;

    private boolean begun;
    private boolean inBody;
    private boolean aborted;

    /** The peer has given its outcome and waits for ours (receiver-settle-mode second). */
    private boolean answered;

    /** Its outcome is that of a transaction. */
    private boolean inTransaction;

    OutgoingDelivery(OutgoingLink link, Delivery delivery, int id, int tag) {
        this.link = link;
        this.delivery = delivery;
        this.id = id;
        this.tag = tag;
        Message message = delivery.message();
        chunk = message.bytes();
        gone = message.afterHeader();
        left = message.totalSize() - gone;
        body = message.streamed() > 0
                ? Optional.of(link.session().connection().nodes().bodies().read(message, this::arrived))
                : Optional.empty();
    }

    private void arrived() {
        if (!complete()) {
            if (body.get().gone()) {
                abort();
            }
            link.session().continuePartial(this);
        }
    }

    OutgoingLink link() {
        return link;
    }

    Delivery delivery() {
        return delivery;
    }

    Message message() {
        return delivery.message();
    }

    int deliveryCount() {
        return delivery.deliveryCount();
    }

    boolean firstAcquirer() {
        return delivery.firstAcquirer();
    }

    /** What is left of the message's time to live, at least 1; -1 if it has none, or one that does not run. */
    long remainingTtlMillis() {
        if (delivery.message().ttlMillis() < 0 || delivery.expiryMillis() == 0) {
            return -1;
        }
        long now = link.session().connection().loop().now();
        return Math.max(1, delivery.expiryMillis() - now);
    }

    int handle() {
        return link.localHandle();
    }

    boolean settled() {
        return link.presettled();
    }

    /** The delivery-id in its session. */
    int id() {
        return id;
    }

    /** The delivery-tag, sent as four bytes. */
    int tag() {
        return tag;
    }

    /** Whether none of its frames has been written. */
    boolean unbegun() {
        return !begun;
    }

    /** Whether the next frame can be written; if not, more of the body has to be read first. */
    boolean ready() {
        if (gone == chunk.length && left > 0 && body.isPresent() && body.get().ready()) {
            chunk = body.get().part();
            gone = 0;
            inBody = true;
        }
        return gone < chunk.length || !begun || aborted;
    }

    /** What goes next, from {@link #chunkStart} to its end. */
    byte[] chunk() {
        return chunk;
    }

    int chunkStart() {
        return gone;
    }

    /** How much of the message is to be written after its header, in this frame and later ones. */
    long left() {
        return left;
    }

    void sent(int bytes) {
        begun = true;
        gone += bytes;
        left -= bytes;
        if (inBody && gone == chunk.length) {
            chunk = NOTHING;
            gone = 0;
            body.get().next();
        }
    }

    /** The rest will not come: the next frame says so, and is the last. */
    void abort() {
        aborted = true;
        chunk = NOTHING;
        gone = 0;
        left = 0;
        begun = false;
        inBody = false;
        close();
    }

    boolean aborted() {
        return aborted;
    }

    /** Whether its last frame is written. */
    boolean complete() {
        return begun && left == 0;
    }

    /** No more of the body is wanted. */
    void close() {
        body.ifPresent(BodyReader::close);
    }

    /** Whether it goes on from an earlier link. */
    boolean resumed() {
        return delivery instanceof HeldDelivery;
    }

    boolean inTransaction() {
        return inTransaction;
    }

    void markInTransaction() {
        inTransaction = true;
    }

    boolean answered() {
        return answered;
    }

    void markAnswered() {
        answered = true;
    }
}
