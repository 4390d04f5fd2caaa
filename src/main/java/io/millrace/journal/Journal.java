package io.millrace.journal;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;

/**
 * Keeps facts. All calls but {@link #recover} and {@link #close} return at once and may be made from any loop.
 *
 * <p>Batches become durable in the order in which they were appended, each whole or not at all. A journal that fails
 * calls nobody back any more: what was not yet answered has an unknown outcome. It tells the listener given when it was
 * opened, and the broker stops (DESIGN: fail-stop, a sync is never retried).
 */
public interface Journal {

    /** What there is: all nodes, in the order of their numbers. Blocking; called once, before the first append. */
    List<RecoveredNode> recover();

    /**
     * Appends a batch of facts: all of them or none will be there after a crash. {@code durable} runs on {@code loop}
     * once they are on disk (or, if all of them are of messages that are not durable, once they are in the store).
     */
    void append(List<Fact> batch, Executor loop, Runnable durable);

    /**
     * Appends a batch for which nobody waits. It may be kept for some milliseconds to be written together with one that
     * somebody waits for; their order stays.
     */
    default void append(List<Fact> batch) {
        append(batch, Runnable::run, () -> {});
    }

    /** The way to read messages and bodies. */
    MessageReader reader();

    /** A number for a body, never given before; on any thread. */
    long newBody();

    /** Whether messages may still be stored, read on any thread without waiting. Removals are always taken. */
    Room room();

    /** Runs {@code task} once, on {@code loop}, when {@link #room} is available (again); in a second or so at the latest. */
    void whenRoom(Executor loop, Runnable task);

    /** Figures for operators; on any thread. */
    JournalStats stats();

    /**
     * Takes no more appends, makes those taken durable and answers them, then closes the store. Blocking.
     *
     * @param limit how long; when it is over the store is closed as it is, which a crash would do as well
     */
    void close(Duration limit);

    /**
     * How a node stood when the store was last written.
     *
     * @param bytes sizes of its messages, those that wait for their time included
     * @param lanes how many messages each lane has; those without any are left out
     * @param nextSequence no sequence from this one on has been used
     * @param identities of messages it took in, oldest first
     */
    record RecoveredNode(
            Fact.NodeDeclared declared,
            long bytes,
            List<Lane> lanes,
            long nextSequence,
            List<Fact.IdentitySeen> identities) {

        /** All its messages, those that wait for their time included. */
        public long messages() {
            return lanes.stream().mapToLong(Lane::messages).sum();
        }
    }

    /** How many messages a lane ({@link MessageKey#order}) has. */
    record Lane(int order, long messages) {}

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
