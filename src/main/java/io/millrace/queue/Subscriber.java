package io.millrace.queue;

import io.millrace.journal.StoredMessage;
import java.util.ArrayDeque;
import java.util.TreeMap;

/**
 * A consumer as its queue knows it: credit, what it holds, and how far it has browsed. Owned by the queue.
 *
 * <p>Credit is a total ({@link Source#credit}), so a credit that crosses deliveries under way between two loops means the same
 * whenever it arrives.
 */
final class Subscriber {
    final Consumer consumer;
    final boolean browse;

    /** Deliveries handed in so far, with the credit that drains have voided, and how many there may be. */
    long delivered;

    long limit;
    boolean draining;

    /** It is in the dispatcher's line. */
    boolean inLine;

    /** Messages that other consumers may not have but this one may. */
    final TreeMap<Long, QueuedMessage> reserved = new TreeMap<>();

    /** For a browser: the last sequence seen, the last to be seen, and what was read of the store. */
    long cursor;

    long last;
    boolean reading;
    final ArrayDeque<StoredMessage> read = new ArrayDeque<>();

    private QueuedMessage firstHeld;
    private QueuedMessage lastHeld;
    private int held;
    private long heldBytes;

    Subscriber(Consumer consumer, boolean browse) {
        this.consumer = consumer;
        this.browse = browse;
    }

    boolean hasCredit() {
        return delivered < limit;
    }

    /** The credit that is left counts as used, as the peer will count it (AMQP 1.0, part 2, section 2.6.7). */
    void voidCredit() {
        delivered = Math.max(delivered, limit);
    }

    int held() {
        return held;
    }

    long heldBytes() {
        return heldBytes;
    }

    void hold(QueuedMessage message) {
        message.holder = this;
        message.previousHeld = lastHeld;
        if (lastHeld == null) {
            firstHeld = message;
        } else {
            lastHeld.nextHeld = message;
        }
        lastHeld = message;
        held++;
        heldBytes += message.size();
    }

    void letGo(QueuedMessage message) {
        if (message.previousHeld == null) {
            firstHeld = message.nextHeld;
        } else {
            message.previousHeld.nextHeld = message.nextHeld;
        }
        if (message.nextHeld == null) {
            lastHeld = message.previousHeld;
        } else {
            message.nextHeld.previousHeld = message.previousHeld;
        }
        message.previousHeld = null;
        message.nextHeld = null;
        message.holder = null;
        held--;
        heldBytes -= message.size();
    }

    /** The oldest delivery that is not settled; only if {@link #held} is not 0. */
    QueuedMessage firstHeld() {
        return firstHeld;
    }
}
