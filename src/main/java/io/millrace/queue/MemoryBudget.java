package io.millrace.queue;

import io.millrace.loop.Loop;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * How much heap the messages on one loop take, and how much they may. Owned by its loop.
 *
 * <p>It never refuses: whoever sees it {@link #scarce} keeps messages in the store instead, or waits until it is
 * {@linkplain #whenPlentiful plentiful} again. What must be in memory (a message under way to the disk) is bounded by credit.
 */
public final class MemoryBudget {
    /** What the objects around a message take: its queue entry, key, facts and delivery; reckoned from their fields, not measured. */
    static final int OVERHEAD_BYTES = 240;

    private final Loop loop;
    private final long limitBytes;
    private final Set<Runnable> waiting = new LinkedHashSet<>();
    private long usedBytes;
    private long transactionBytes;
    private long heldBytes;

    /** A budget of so many bytes for the messages on {@code loop}. */
    public MemoryBudget(Loop loop, long limitBytes) {
        this.loop = loop;
        this.limitBytes = limitBytes;
    }

    void take(int messageBytes) {
        usedBytes += messageBytes + OVERHEAD_BYTES;
    }

    void release(int messageBytes) {
        usedBytes -= messageBytes + OVERHEAD_BYTES;
        if (!waiting.isEmpty() && usedBytes < limitBytes - limitBytes / 8) {
            List<Runnable> tasks = new ArrayList<>(waiting);
            waiting.clear();
            tasks.forEach(loop::post);
        }
    }

    /** Takes a message that waits for its transaction to commit; {@link #release} gives it back like any other. */
    void takeForTransaction(int messageBytes) {
        take(messageBytes);
        transactionBytes += messageBytes + OVERHEAD_BYTES;
    }

    /** Its transaction has ended, whichever way. */
    void leavesTransaction(int messageBytes) {
        transactionBytes -= messageBytes + OVERHEAD_BYTES;
    }

    /** Whether one more message may wait for a transaction: unlike the backlog of a queue, none of them can go to the store. */
    boolean takesFromTransactions(int messageBytes) {
        return transactionBytes + messageBytes + OVERHEAD_BYTES <= transactionLimitBytes();
    }

    /** What messages may take that wait for transactions to commit. */
    long transactionLimitBytes() {
        return limitBytes / 2;
    }

    /**
     * Whether one more message may wait for room in a queue, unanswered: they take a quarter of the memory at most. An eighth
     * is a reserve for them, beyond the limit, for greedy consumers elsewhere are no reason to refuse them. One may wait on
     * each loop however little there is.
     */
    public boolean takesToHold(int messageBytes) {
        long most = scarce() ? limitBytes / 8 : limitBytes / 4;
        return heldBytes == 0 || heldBytes + messageBytes + OVERHEAD_BYTES <= most;
    }

    void hold(int messageBytes) {
        take(messageBytes);
        heldBytes += messageBytes + OVERHEAD_BYTES;
    }

    void holdNoMore(int messageBytes) {
        release(messageBytes);
        heldBytes -= messageBytes + OVERHEAD_BYTES;
    }

    boolean scarce() {
        return usedBytes >= limitBytes;
    }

    /** Whether what nobody has asked for had better stay in the store: the last quarter is for what consumers hold. */
    boolean scarceForBacklog() {
        return usedBytes >= limitBytes - limitBytes / 4;
    }

    /** Runs a task, once however often it was given, when there is memory again. */
    void whenPlentiful(Runnable task) {
        waiting.add(task);
    }

    /** Bytes of heap that messages take now, by this reckoning. */
    public long usedBytes() {
        return usedBytes;
    }

    /** What a single queue may hold of it, so that one deep queue leaves memory to the others. */
    long shareBytes() {
        return limitBytes / 8;
    }
}
