package io.millrace.journal;

/**
 * The place of a message in the store: queues by number, within a queue by lane, then by arrival.
 *
 * @param queue the number of the queue, given by {@link Fact.NodeDeclared}; positive
 * @param order the lane, lowest first: 9 less the priority of the message, or {@link #SCHEDULED}
 * @param sequence the place in order of arrival, given by the queue; never used twice in one queue. In the lane
 *     {@link #SCHEDULED} it is the due time in milliseconds since 1970, shifted left by {@link #DUE_SHIFT}, and a count
 */
public record MessageKey(long queue, int order, long sequence) implements Comparable<MessageKey> {
    /** Lanes that messages are delivered from: one for each priority of JMS. */
    public static final int LANES = 10;

    /** The lane of messages that wait for their time. */
    public static final int SCHEDULED = 64;

    /** Bits of a scheduled sequence below the due time. */
    public static final int DUE_SHIFT = 20;

    /** Whether the message waits for its time. */
    public boolean scheduled() {
        return order == SCHEDULED;
    }

    // What the compiler makes of these for a record is several times slower, and they are asked for each message.

    @Override
    public boolean equals(Object other) {
        return other instanceof MessageKey key && sequence == key.sequence && queue == key.queue && order == key.order;
    }

    @Override
    public int hashCode() {
        return Long.hashCode((queue * 31 + order) * 0x9E3779B97F4A7C15L + sequence);
    }

    @Override
    public int compareTo(MessageKey other) {
        int byQueue = Long.compare(queue, other.queue);
        if (byQueue != 0) {
            return byQueue;
        }
        int byOrder = Integer.compare(order, other.order);
        return byOrder != 0 ? byOrder : Long.compare(sequence, other.sequence);
    }
}
