package io.millrace.queue;

import java.util.Arrays;

/**
 * Messages by deadline, the next to expire first; each knows its place here, so that it is taken out without a search. Owned
 * by the queue.
 */
final class DeadlineHeap {
    private static final QueuedMessage[] NONE = new QueuedMessage[0];

    private QueuedMessage[] heap = NONE;
    private int size;

    int size() {
        return size;
    }

    /** The deadline of the first; {@link Long#MAX_VALUE} if there is none. */
    long firstMillis() {
        return size == 0 ? Long.MAX_VALUE : heap[0].expiryMillis;
    }

    /** The message that expires first; only if there is one. */
    QueuedMessage first() {
        return heap[0];
    }

    void add(QueuedMessage message) {
        if (message.deadlineIndex >= 0) {
            return;
        }
        if (size == heap.length) {
            heap = Arrays.copyOf(heap, Math.max(16, size * 2));
        }
        size++;
        up(message, size - 1);
    }

    void remove(QueuedMessage message) {
        int index = message.deadlineIndex;
        if (index < 0) {
            return;
        }
        message.deadlineIndex = -1;
        size--;
        QueuedMessage last = heap[size];
        heap[size] = null;
        if (last != message) {
            down(last, index);
            if (last.deadlineIndex == index) {
                up(last, index);
            }
        }
        if (heap.length > 1024 && size < heap.length / 8) {
            heap = Arrays.copyOf(heap, heap.length / 4);
        }
    }

    void clear() {
        heap = NONE;
        size = 0;
    }

    private void up(QueuedMessage message, int start) {
        int at = start;
        while (at > 0) {
            int parent = (at - 1) >>> 1;
            if (!isBefore(message, heap[parent])) {
                break;
            }
            put(heap[parent], at);
            at = parent;
        }
        put(message, at);
    }

    private void down(QueuedMessage message, int start) {
        int at = start;
        while (2 * at + 1 < size) {
            int child = 2 * at + 1;
            if (child + 1 < size && isBefore(heap[child + 1], heap[child])) {
                child++;
            }
            if (!isBefore(heap[child], message)) {
                break;
            }
            put(heap[child], at);
            at = child;
        }
        put(message, at);
    }

    private static boolean isBefore(QueuedMessage message, QueuedMessage other) {
        return message.expiryMillis < other.expiryMillis
                || (message.expiryMillis == other.expiryMillis && message.sequence() < other.sequence());
    }

    private void put(QueuedMessage message, int at) {
        heap[at] = message;
        message.deadlineIndex = at;
    }
}
