package io.millrace.queue;

/**
 * Messages in order of arrival: added at the end, taken from the start, found by sequence in O(log n). Owned by a window.
 */
final class MessageRun {
    private QueuedMessage[] ring = new QueuedMessage[16];
    private int first;
    private int size;

    int size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    QueuedMessage get(int index) {
        return ring[(first + index) & (ring.length - 1)];
    }

    QueuedMessage first() {
        return ring[first];
    }

    void add(QueuedMessage message) {
        if (size == ring.length) {
            resize(ring.length * 2);
        }
        ring[(first + size) & (ring.length - 1)] = message;
        size++;
    }

    QueuedMessage poll() {
        QueuedMessage message = ring[first];
        ring[first] = null;
        first = (first + 1) & (ring.length - 1);
        size--;
        if (ring.length > 1024 && size < ring.length / 8) {
            resize(ring.length / 4);
        }
        return message;
    }

    private void resize(int capacity) {
        QueuedMessage[] larger = new QueuedMessage[capacity];
        for (int i = 0; i < size; i++) {
            larger[i] = get(i);
        }
        ring = larger;
        first = 0;
    }

    /** The index of the first message whose sequence is greater than {@code sequence}; the size if there is none. */
    int indexAfter(long sequence) {
        int low = 0;
        int high = size;
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (get(middle).sequence() <= sequence) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }
}
