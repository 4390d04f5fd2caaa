package io.millrace.amqp;

import io.millrace.message.Message;
import io.millrace.queue.Delivery;

/**
 * A delivery on its way to a peer: what its transfer frames say, and how much of it has been written. Owned by its link.
 *
 * <p>A multi-frame delivery keeps its place here while the session window or the socket is full.
 */
final class OutgoingDelivery {
    private final OutgoingLink link;
    private final Delivery delivery;
    private final int id;
    private final int tag;
    private int sent;
    private boolean begun;

    /** The peer has given its outcome and waits for ours (receiver-settle-mode second). */
    private boolean answered;

    OutgoingDelivery(OutgoingLink link, Delivery delivery, int id, int tag) {
        this.link = link;
        this.delivery = delivery;
        this.id = id;
        this.tag = tag;
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

    /** Bytes of the unchanged part of the message that are written. */
    int sent() {
        return sent;
    }

    void sent(int bytes) {
        sent += bytes;
        begun = true;
    }

    /** Whether its last frame is written. */
    boolean complete() {
        return begun && message().afterHeader() + sent >= message().size();
    }

    boolean answered() {
        return answered;
    }

    void markAnswered() {
        answered = true;
    }
}
