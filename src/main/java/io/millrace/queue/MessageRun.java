package io.millrace.queue;

/**
 * Messages in order of arrival: added at the end, taken from the start or from anywhere, found by sequence in O(log n).
 * Owned by a lane.
 *
 * <p>What is taken from the middle leaves a gap; gaps are closed when they are more than the messages, so a removal costs
 * O(log n), amortised. There is never a gap at the start.
 */
final class MessageRun {
    private static final int FEW = 64;
    private static final int SMALLEST = 16;
    private static final QueuedMessage[] NO_MESSAGES = new QueuedMessage[0];
    private static final long[] NO_SEQUENCES = new long[0];

    /** A power of two; nothing until there is a message, as most queues of many have none in memory. */
    private QueuedMessage[] ring = NO_MESSAGES;

    /** The sequences beside their messages, so that a gap need not keep its message in memory. */
    private long[] sequences = NO_SEQUENCES;

    private int first;
    private int length;
    private int gaps;

    /** Messages in it, without the gaps. */
    int size() {
        return length - gaps;
    }

    boolean isEmpty() {
        return length == 0;
    }

    private int slot(int index) {
        return (first + index) & (ring.length - 1);
    }

    /** The sequence at the end; 0 if there is none. */
    long lastSequence() {
        return length == 0 ? 0 : sequences[slot(length - 1)];
    }

    QueuedMessage first() {
        return ring[first];
    }

    void add(QueuedMessage message) {
        if (length == ring.length) {
            resize(gaps > length / 2 ? ring.length : Math.max(SMALLEST, ring.length * 2));
        }
        int slot = slot(length);
        ring[slot] = message;
        sequences[slot] = message.sequence();
        length++;
    }

    QueuedMessage poll() {
        QueuedMessage message = ring[first];
        ring[first] = null;
        first = (first + 1) & (ring.length - 1);
        length--;
        if (gaps > 0) {
            skipGaps();
        }
        if (ring.length > 1024 && length < ring.length / 8) {
            resize(ring.length / 4);
        }
        return message;
    }

    private void skipGaps() {
        while (length > 0 && ring[first] == null) {
            first = (first + 1) & (ring.length - 1);
            length--;
            gaps--;
        }
    }

    /** Takes out the message with this sequence, if it is here. */
    void remove(long sequence) {
        int index = indexAfter(sequence - 1);
        if (index == length || sequences[slot(index)] != sequence || ring[slot(index)] == null) {
            return;
        }
        if (index == 0) {
            poll();
            return;
        }
        ring[slot(index)] = null;
        gaps++;
        if (gaps > FEW && gaps > length / 2) {
            resize(ring.length);
        }
    }

    /** The message with this sequence, or null. */
    QueuedMessage find(long sequence) {
        int index = indexAfter(sequence - 1);
        return index < length && sequences[slot(index)] == sequence ? ring[slot(index)] : null;
    }

    /** The first message whose sequence is greater than {@code sequence}, or null. */
    QueuedMessage after(long sequence) {
        for (int index = indexAfter(sequence); index < length; index++) {
            QueuedMessage message = ring[slot(index)];
            if (message != null) {
                return message;
            }
        }
        return null;
    }

    private void resize(int capacity) {
        QueuedMessage[] messages = new QueuedMessage[capacity];
        long[] places = new long[capacity];
        int filled = 0;
        for (int i = 0; i < length; i++) {
            QueuedMessage message = ring[slot(i)];
            if (message != null) {
                messages[filled] = message;
                places[filled] = message.sequence();
                filled++;
            }
        }
        ring = messages;
        sequences = places;
        first = 0;
        length = filled;
        gaps = 0;
    }

    /** The index of the first slot whose sequence is greater than {@code sequence}; the length if there is none. */
    private int indexAfter(long sequence) {
        int low = 0;
        int high = length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (sequences[slot(middle)] <= sequence) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
