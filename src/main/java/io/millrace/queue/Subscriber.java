package io.millrace.queue;

import io.millrace.journal.MessageKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Predicate;

/**
 * A consumer as its queue knows it: credit, what it holds, and how far it has browsed. Owned by the queue.
 *
 * <p>Credit is a total ({@link Source#credit}), so a credit that crosses deliveries under way between two loops means the same
 * whenever it arrives.
 */
final class Subscriber {
    /** The last sequence to be seen of a consumer for which there is none. */
    static final long NO_END = Long.MAX_VALUE;

    final Consumer consumer;
    final boolean browse;
    final int priority;

    private final Optional<Predicate<Delivery>> filter;

    /** Deliveries handed in so far, with the credit that drains have voided, and how many there may be. */
    long delivered;

    long limit;
    boolean draining;

    /** It is in the dispatcher's line. */
    boolean inLine;

    /** Available messages that it may have, and does not look for: others may not have them, or it has passed them. */
    final TreeMap<MessageKey, QueuedMessage> reserved = new TreeMap<>();

    /** For a browser: the sequence after which each lane begins, and the time; the lane it is in, and the last sequence seen. */
    long start;

    long startMillis;
    int order = -1;
    long cursor;

    /** For a browser: the last sequence to be seen, and what was read of the store. */
    long last;

    final ReadRun read;

    /** A run is being read of the store for this consumer alone; and: it goes on with its search in a task of its own. */
    boolean reading;

    boolean paused;

    /** For one that searches: how far it has looked, in each lane; null for one that takes whatever comes first. */
    long[] passed;

    /** What {@link Search#first} has to say of a search without a result: it is not over. */
    boolean searching;

    /** The lane whose end it has just read, and which may have more by now. */
    int swept = -1;

    /** The first messages in each lane that others passed over because their group is with this consumer. */
    private long[] passedOver;

    private QueuedMessage firstHeld;
    private QueuedMessage lastHeld;
    private int held;
    private long heldBytes;

    Subscriber(Consumer consumer, Selection selection, boolean browse, MemoryBudget memory) {
        this.consumer = consumer;
        this.read = new ReadRun(memory);
        this.browse = browse;
        this.filter = selection.filter();
        this.priority = selection.priority();
    }

    /** Whether its filter lets this pass. */
    boolean wants(Delivery delivery) {
        return filter.isEmpty() || filter.get().test(delivery);
    }

    boolean searches() {
        return passed != null;
    }

    /** It is to look at each message from now on. */
    void search() {
        if (passed == null) {
            passed = new long[MessageKey.LANES];
        }
    }

    boolean hasFilter() {
        return filter.isPresent();
    }

    long[] passedOver() {
        if (passedOver == null) {
            passedOver = new long[MessageKey.LANES];
            Arrays.fill(passedOver, Long.MAX_VALUE);
        }
        return passedOver;
    }

    boolean hasCredit() {
        return delivered < limit;
    }

    /** The credit that is left counts as used, as the peer will count it (AMQP 1.0, part 2, section 2.6.7). */
    void voidCredit() {
        delivered = Math.max(delivered, limit);
    }

    void reserve(QueuedMessage message) {
        if (reserved.put(message.key, message) == null) {
            if (message.candidates.isEmpty()) {
                message.candidates = new ArrayList<>(2);
            }
            message.candidates.add(this);
        }
    }

    void unreserve(QueuedMessage message) {
        reserved.remove(message.key);
        message.candidates.remove(this);
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
