package io.millrace.journal;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Keeps facts. All calls but {@link #recover} and {@link #close} return at once and may be made from any loop.
 *
 * <p>Batches become durable in the order in which they were appended, each whole or not at all. A journal that fails
 * calls nobody back any more: what was not yet answered has an unknown outcome. It tells the listener given when it was
 * opened, and the broker stops (DESIGN: fail-stop, a sync is never retried).
 */
public interface Journal {

    /** What there is: all queues, in the order of their numbers. Blocking; called once, before the first append. */
    List<RecoveredQueue> recover();

    /**
     * Appends a batch of facts: all of them or none will be there after a crash. {@code durable} runs on {@code loop}
     * once they are on disk (or, if all of them are of messages that are not durable, once they are in the store).
     */
    void append(List<Fact> batch, Executor loop, Runnable durable);

    /** As {@link #append(List, Executor, Runnable)} with a single fact. */
    default void append(Fact fact, Executor loop, Runnable durable) {
        append(List.of(fact), loop, durable);
    }

    /**
     * Reads the run of messages of one queue that follow {@code after}, in their order, until {@code maxMessages} or (with
     * at least one message) {@code maxBytes} is reached, and gives them to {@code result} on {@code loop}. It sees all
     * batches whose callback has been posted before the call, and may see more; an empty list means that there are none.
     */
    void read(MessageKey after, int maxMessages, long maxBytes, Executor loop, Consumer<List<StoredMessage>> result);

    /** Whether messages may still be stored, read on any thread without waiting. Removals are always taken. */
    Room room();

    /** Figures for operators; on any thread. */
    JournalStats stats();

    /**
     * Takes no more appends, makes those taken durable and answers them, then closes the store. Blocking.
     *
     * @param limit how long; when it is over the store is closed as it is, which a crash would do as well
     */
    void close(Duration limit);

    /** Where the messages beyond memory are, and how a queue stood when the store was last written. */
    record RecoveredQueue(
            long number, String address, boolean deadLetter, long messages, long bytes, long nextSequence) {}

    /**
     * @param available false when stored messages must be refused for now
     * @param reason for users: what is full, its limit and the fix; empty when there is room
     */
    record Room(boolean available, String reason) {
        public static final Room YES = new Room(true, "");
    }

    /**
     * @param directory where the store is, for people
     * @param bytes size of the store on disk
     * @param commits batches written and synced since the start
     * @param facts facts written in them
     * @param cancelled facts never written because a later one of the same batch undid them
     * @param syncNanos time spent in syncs since the start
     * @param lastSyncNanos the latest sync
     * @param pending facts that wait for the next commit
     */
    record JournalStats(
            String directory,
            long bytes,
            long commits,
            long facts,
            long cancelled,
            long syncNanos,
            long lastSyncNanos,
            long pending) {}
}
