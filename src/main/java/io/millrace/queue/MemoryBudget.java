package io.millrace.queue;

import io.millrace.loop.Loop;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * How much heap the messages on one loop take, and how much they may. Owned by its loop.
 *
 * <p>Half of it is for what waits in queues, and whoever comes there gets at most as much as is left for others: one queue by
 * itself a quarter of all, the next one an eighth. Consumers may hold what they like up to three quarters; of the last one
 * those that hold little get more than those that hold much, so that there is something for whoever comes last. The same rule
 * holds for what connections have brought that is not answered. So nobody is asked to give back what it has, and no list of
 * queues is walked for a message.
 *
 * <p>Whoever is told no keeps messages in the store, or waits until it is {@linkplain #whenPlentiful plentiful} again. Only a
 * peer that is in the middle of a message can be refused: it may never come to the end of it.
 */
public final class MemoryBudget {
    /**
     * What the objects around a message take: 221 to 234 bytes in its queue (measured, {@code OverheadTest}), and the delivery
     * on the link of its consumer 70 to 100 more, by its fields.
     */
    static final int OVERHEAD_BYTES = 300;

    private static final int LEAST_IN_ONE_PIECE = 32 << 10;
    private static final int MOST_IN_ONE_PIECE = 1 << 20;
    private static final int MESSAGES_IN_ONE_PIECE = 128;
    private static final int LEAST_IN_NEED_BYTES = 1 << 20;
    private static final int SHARES_IN_NEED = 64;
    private static final int MESSAGES_IN_NEED = 16;
    private static final int LEAST_INPUT_BYTES = 64 << 10;
    private static final int LEAST_LINK_BYTES = 64 << 10;
    private static final int RUNS = 32;

    private final Loop loop;
    private final long limitBytes;

    /** From this on those who hold something had better wait. */
    private final long scarceBytes;

    private final Set<Runnable> waiting = new LinkedHashSet<>();
    private long usedBytes;

    /** Part of what is used: messages that are available in memory. */
    private long backlogBytes;

    /** Part of what is used: messages that wait for a commit. */
    private long transactionBytes;

    /** Part of what is used: messages that wait for room in a queue, unanswered. */
    private long heldBytes;

    /** Not part of it: what connections have brought and keep until it is answered; most of it is used by a queue, too. */
    private long inputBytes;

    private long linkBytes;

    private long wakeBelowBytes;

    /** A budget of so many bytes for the messages on {@code loop}. */
    public MemoryBudget(Loop loop, long limitBytes) {
        this.loop = loop;
        this.limitBytes = limitBytes;
        this.scarceBytes = limitBytes - limitBytes / 4;
    }

    void take(int messageBytes) {
        usedBytes += messageBytes + OVERHEAD_BYTES;
    }

    void release(int messageBytes) {
        releaseBytes(messageBytes + OVERHEAD_BYTES);
    }

    /** Takes so many bytes that are no message: a run that is read, the part of a body. */
    void takeBytes(long bytes) {
        usedBytes += bytes;
    }

    void releaseBytes(long bytes) {
        usedBytes -= bytes;
        if (!waiting.isEmpty() && usedBytes < wakeBelowBytes) {
            List<Runnable> tasks = new ArrayList<>(waiting);
            waiting.clear();
            tasks.forEach(loop::post);
        }
    }

    /** Bytes of heap that messages take now, by this reckoning. */
    public long usedBytes() {
        return usedBytes;
    }

    /** Whether those who hold something had better wait. */
    boolean scarce() {
        return usedBytes >= scarceBytes;
    }

    private long ceilingBytes() {
        return limitBytes + Math.max(limitBytes / 2, LEAST_IN_NEED_BYTES);
    }

    /**
     * Runs a task, once however often it was given, when there is more memory than now: by so little that nobody waits who
     * might go on, by so much that those who wait do not look at it again with each message.
     */
    void whenPlentiful(Runnable task) {
        long below = usedBytes - limitBytes / 64;
        wakeBelowBytes = waiting.isEmpty() ? below : Math.max(wakeBelowBytes, below);
        waiting.add(task);
    }

    // ---- what waits in queues

    /** So many messages became available in memory; or, if less than 0, are not any more. */
    void available(long messages, long bytes) {
        backlogBytes += bytes + messages * OVERHEAD_BYTES;
    }

    /** What is available in memory, over all queues. */
    long backlogBytes() {
        return backlogBytes;
    }

    /** How much more a queue may have available in memory that has so much; less than 0 if it has too much already. */
    long roomInWindow(long messages, long bytes) {
        long left = limitBytes / 2 - backlogBytes - bytes - messages * OVERHEAD_BYTES;
        return Math.min(left / 2, scarceBytes - usedBytes);
    }

    /** How much is to be read of the store at a time: the more, the more memory there is. */
    long runBytes(long most) {
        return Math.max(1, Math.min(most, (ceilingBytes() - usedBytes) / RUNS));
    }

    /** What a single queue may hold of messages that its consumers refuse for themselves. */
    long shareBytes() {
        return limitBytes / 8;
    }

    // ---- what consumers hold

    /** Whether a consumer that holds so much, not settled, may have more. What is in memory is for those who hold nothing. */
    boolean allowsToHold(long bytes) {
        return bytes == 0
                || !scarce()
                || bytes < (limitBytes - usedBytes) / 8
                || bytes < (ceilingBytes() - usedBytes) / SHARES_IN_NEED;
    }

    /**
     * Whether a message of so many bytes may be in memory because a consumer waits for it. When many consumers hold what they
     * got and do not settle it, large messages wait first, and small ones hardly ever.
     */
    boolean takesInNeed(long messageBytes) {
        return usedBytes < limitBytes || messageBytes < (ceilingBytes() - usedBytes) / MESSAGES_IN_NEED;
    }

    // ---- what waits for transactions

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

    // ---- what waits for room in a queue

    /**
     * Whether one more message may wait for room in a queue, unanswered: they take a quarter of the memory at most. An eighth
     * is a reserve for them, beyond the limit, for greedy consumers elsewhere are no reason to refuse them. One may wait on
     * each loop however little there is.
     */
    public boolean takesToHold(int messageBytes) {
        long most = usedBytes >= limitBytes ? limitBytes / 8 : limitBytes / 4;
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

    // ---- what connections bring

    /** The largest message that is received in one piece; the body of a larger one goes through the store, part by part. */
    public int mostInOnePiece() {
        return (int) Math.max(LEAST_IN_ONE_PIECE, Math.min(MOST_IN_ONE_PIECE, limitBytes / MESSAGES_IN_ONE_PIECE));
    }

    /** A connection has brought so many bytes; or, if less than 0, has been answered. */
    public void input(long bytes) {
        inputBytes += bytes;
    }

    /** Bytes that connections have brought and that are not answered. */
    public long inputBytes() {
        return inputBytes;
    }

    /** How much a connection may have brought that is not answered, before it is read no more. */
    public long inputAllowance(long most) {
        return Math.max(LEAST_INPUT_BYTES, Math.min(most, limitBytes / 4 - inputBytes));
    }

    /** So many more bytes, or less, are taken by links. */
    public void links(long bytes) {
        linkBytes += bytes;
    }

    /** Whether a connection whose links take so much may have another. What they may take together is half as much as messages. */
    public boolean allowsLink(long ofConnection) {
        return ofConnection < Math.max(LEAST_LINK_BYTES, (limitBytes / 2 - linkBytes) / 8);
    }

    /** Whether not even the rest of a message that has begun can be taken. */
    public boolean overflows() {
        return usedBytes >= ceilingBytes() || inputBytes >= limitBytes;
    }
}
