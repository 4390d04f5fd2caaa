package io.millrace.queue;

import io.millrace.journal.StoredMessage;
import java.util.ArrayDeque;

/** Messages that were read of the store for one who looks, alone, and are still to be shown, in order. Owned by who looks. */
final class ReadRun {
    private final MemoryBudget memory;
    private final ArrayDeque<StoredMessage> messages = new ArrayDeque<>();

    ReadRun(MemoryBudget memory) {
        this.memory = memory;
    }

    void add(StoredMessage message) {
        messages.add(message);
        memory.take(message.bytes().length);
    }

    /** The first one, or null. */
    StoredMessage peek() {
        return messages.peek();
    }

    /** Takes out the first one. */
    StoredMessage remove() {
        StoredMessage first = messages.remove();
        memory.release(first.bytes().length);
        return first;
    }

    boolean isEmpty() {
        return messages.isEmpty();
    }

    void clear() {
        while (!messages.isEmpty()) {
            remove();
        }
    }
}
