package io.millrace.queue;

import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import io.millrace.loop.Loop;
import java.util.List;
import java.util.function.Consumer;

/** What all queues on one loop share. */
public record LoopResources(Loop loop, Recorder recorder, MemoryBudget memory) {

    /**
     * Reads messages of the store that follow a place, and counts the memory for them until they are here; what is kept of them
     * counts by itself from then on.
     *
     * @param mostBytes so many at most, but one message at least
     */
    void read(MessageKey after, int mostMessages, long mostBytes, Consumer<List<StoredMessage>> found) {
        memory.takeBytes(mostBytes);
        recorder.journal().reader().read(after, mostMessages, mostBytes, loop, run -> {
            memory.releaseBytes(mostBytes);
            found.accept(run);
        });
    }
}
