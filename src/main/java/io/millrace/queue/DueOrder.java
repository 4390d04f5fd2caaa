package io.millrace.queue;

import io.millrace.journal.MessageKey;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Gives places to messages that wait for their time: by due time, then by arrival, none of them taken. Owned by the queue.
 *
 * <p>Each due time has a count, and a place that was taken before the broker started must not be given again. The counts of
 * the times used last are in memory, which are all of them until they are too many; for another one the store is asked, by
 * halving, unless it is later than all others. When nothing waits all is known again.
 */
final class DueOrder {
    /** The latest due time that has a place, in milliseconds since 1970: in the year 2248. */
    static final long LATEST_MILLIS = (1L << (63 - MessageKey.DUE_SHIFT)) - 1;

    private static final int UNKNOWN = -1;
    private static final int REMEMBERED = 8192;
    private static final int PLACES = 1 << MessageKey.DUE_SHIFT;

    private final long queue;
    private final LoopResources loop;
    private final Departed departed;
    private final Reads reads;
    private final LinkedHashMap<Long, Integer> next = new LinkedHashMap<>();
    private final Map<Long, List<Runnable>> learning = new HashMap<>();

    /** No message waits for a later time than this, or for one that is not among those in memory. */
    private long latestMillis;

    private boolean allKnown;

    /** Up to here all has been moved into the queue; a place before would never be looked at. */
    private long closedMillis;

    DueOrder(long queue, LoopResources loop, Departed departed, Reads reads, boolean empty) {
        this.queue = queue;
        this.loop = loop;
        this.departed = departed;
        this.reads = reads;
        this.latestMillis = empty ? 0 : Long.MAX_VALUE;
        this.allKnown = empty;
    }

    /** When the message at this place is due. */
    static long dueMillis(MessageKey key) {
        return key.sequence() >> MessageKey.DUE_SHIFT;
    }

    /** No place is given any more for times up to this. */
    void close(long upToMillis) {
        closedMillis = Math.max(closedMillis, upToMillis);
    }

    /** Nothing waits. */
    void cleared() {
        latestMillis = 0;
        allKnown = true;
        next.clear();
    }

    /** A place for a message due then, or slightly later if there is no place left; empty if the store must be asked. */
    Optional<MessageKey> place(long dueMillis) {
        long due = Math.max(dueMillis, closedMillis + 1);
        while (true) {
            int known = next.getOrDefault(due, allKnown || due > latestMillis ? 0 : UNKNOWN);
            if (known == UNKNOWN) {
                return Optional.empty();
            }
            int count = free(due, known);
            remember(due, Math.min(PLACES, count + 1));
            if (count < PLACES) {
                latestMillis = Math.max(latestMillis, due);
                return Optional.of(key(due, count));
            }
            due++;
        }
    }

    private int free(long due, int from) {
        int count = from;
        while (count < PLACES && departed.contains(key(due, count))) {
            count++;
        }
        return count;
    }

    private void remember(long due, int count) {
        next.put(due, count);
        if (next.size() > REMEMBERED) {
            next.remove(next.keySet().iterator().next());
            allKnown = false;
        }
    }

    /** Whether {@link #place} has one. */
    boolean knows(long dueMillis) {
        long due = withRoom(dueMillis);
        return allKnown || due > latestMillis || next.containsKey(due);
    }

    /** Asks the store; afterwards {@link #place} knows, when it is called inside {@code learnt}. */
    void learn(long dueMillis, Runnable learnt) {
        long due = withRoom(dueMillis);
        List<Runnable> waiting = learning.get(due);
        if (waiting != null) {
            waiting.add(learnt);
            return;
        }
        learning.put(due, new ArrayList<>(List.of(learnt)));
        // A place that was given and forgotten again may not be written yet.
        loop.recorder().whenDurable(() -> look(due, 0, 0, PLACES));
    }

    private long withRoom(long dueMillis) {
        long due = Math.max(dueMillis, closedMillis + 1);
        while (next.getOrDefault(due, 0) == PLACES) {
            due++;
        }
        return due;
    }

    /** The first free place is at {@code low} or after it and before or at {@code high}. */
    private void look(long due, int at, int low, int high) {
        long read = reads.begin();
        MessageKey before =
                new MessageKey(queue, MessageKey.SCHEDULED, key(due, at).sequence() - 1);
        loop.recorder().journal().reader().read(before, 1, 1, loop.loop(), run -> {
            reads.end(read);
            boolean taken = !run.isEmpty() && dueMillis(run.get(0).key()) == due;
            int lower = taken ? (int) (run.get(0).key().sequence() & (PLACES - 1)) + 1 : low;
            int higher = taken ? high : at;
            if (lower < higher) {
                look(due, (lower + higher) >>> 1, lower, higher);
            } else {
                remember(due, lower);
                learning.remove(due).forEach(Runnable::run);
            }
        });
    }

    private MessageKey key(long due, int count) {
        return new MessageKey(queue, MessageKey.SCHEDULED, (due << MessageKey.DUE_SHIFT) | count);
    }
}
