package io.millrace.journal;

/**
 * The place of a message in the store: queues by number, within a queue by priority order, then by arrival.
 *
 * @param queue the number of the queue, given by {@link Fact.NodeDeclared}; positive
 * @param order the priority order, lowest first; 0 for all messages until queues have priorities
 * @param sequence the place in order of arrival, given by the queue; never used twice in one queue
 */
public record MessageKey(long queue, int order, long sequence) implements Comparable<MessageKey> {
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
