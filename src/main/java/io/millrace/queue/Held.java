package io.millrace.queue;

import io.millrace.message.Condition;
import io.millrace.message.Message;

/**
 * A message that found no room and waits for it, unanswered. Owned by the loop where it was offered.
 *
 * <p>It counts against what may be held in memory from the start until it is {@linkplain #over over}. Who came first is told
 * by a number, for the time of day may be put back.
 */
public abstract class Held implements Comparable<Held> {
    private final LoopResources loop;
    private final Message message;
    private final long arrival;
    private final long sinceMillis;

    /** How many had left the line for the queue when it joined. */
    long admittedBefore;

    private Condition reason;

    /**
     * A message that there should be memory for ({@link MemoryBudget#takesToHold}).
     *
     * @param reason why it has to wait
     */
    protected Held(LoopResources loop, Message message, Condition reason) {
        this.loop = loop;
        this.message = message;
        this.reason = reason;
        this.arrival = loop.recorder().nextArrival();
        this.sinceMillis = loop.loop().now();
        loop.memory().hold(message.size());
    }

    /** What waits. */
    public final Message message() {
        return message;
    }

    /** Why it waits, as far as is known. */
    public final Condition reason() {
        return reason;
    }

    final void waitsFor(Condition newReason) {
        reason = newReason;
    }

    final boolean before(Held other) {
        return arrival < other.arrival;
    }

    final long sinceMillis() {
        return sinceMillis;
    }

    @Override
    public final int compareTo(Held other) {
        return Long.compare(arrival, other.arrival);
    }

    /** It is in no line any more, and there is room for it, or its queue was deleted. */
    protected abstract void tryAgain();

    /** It is in no line any more, and its time is over. */
    protected abstract void refused(Condition why);

    /** It waits no longer, and will not again. */
    protected final void over() {
        loop.memory().holdNoMore(message.size());
    }
}
