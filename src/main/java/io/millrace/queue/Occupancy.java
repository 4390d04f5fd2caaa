package io.millrace.queue;

/**
 * What the messages of a window take in memory, with those that have their place and wait for a commit. Owned by the window.
 *
 * <p>It is counted once more in the {@link MemoryBudget}, over all windows of the loop, so that what each may have depends on
 * what is left.
 */
final class Occupancy {
    private final MemoryBudget memory;
    private long messages;
    private long bytes;

    /** What their bodies take in the store only. */
    private long streamed;

    Occupancy(MemoryBudget memory) {
        this.memory = memory;
    }

    void add(QueuedMessage message) {
        count(1, message.size());
        streamed += message.message.streamed();
    }

    void remove(QueuedMessage message) {
        count(-1, -message.size());
        streamed -= message.message.streamed();
    }

    private void count(long moreMessages, long moreBytes) {
        messages += moreMessages;
        bytes += moreBytes;
        memory.available(moreMessages, moreBytes);
    }

    /** Whatever is there is of no concern any more; nothing of it is to be removed later. */
    void clear() {
        count(-messages, -bytes);
        streamed = 0;
    }

    /** What they take in memory. */
    long bytes() {
        return bytes;
    }

    /** Their sizes, with bodies that are in the store only. */
    long totalBytes() {
        return bytes + streamed;
    }

    /** How much more there may be. */
    long roomBytes() {
        return memory.roomInWindow(messages, bytes);
    }
}
