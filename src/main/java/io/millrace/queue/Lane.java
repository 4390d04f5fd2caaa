package io.millrace.queue;

import io.millrace.journal.StoredMessage;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;

/**
 * The messages of a queue that have one priority, as far as they are in memory, and how many are beyond that. Owned by a
 * window.
 *
 * <p>Invariants: every message of the lane whose sequence is at most {@link #loadedUpTo} is in memory (available here, or
 * acquired). Of those after it some may be in memory {@code ahead} of the rest, and {@link #beyond} counts the others; while
 * it does, arrivals go beyond too, so order holds. When nothing is beyond, nothing is ahead. Available messages wait in
 * four places: arrivals in the order they came, returned ones sorted, restricted ones (refused by some consumer for itself)
 * sorted, and ahead, where those stay that were taken out until no read of the store can show them any more.
 */
final class Lane {
    /** Where an available message is; {@link #NOWHERE} for one that is not available. */
    static final byte NOWHERE = 0;

    static final byte ARRIVED = 1;
    static final byte RETURNED = 2;
    static final byte RESTRICTED = 3;
    static final byte AHEAD = 4;

    /** Stand for what nothing was put into yet, as in most lanes of a broker with many queues; never written to. */
    private static final TreeMap<Long, QueuedMessage> NONE = new TreeMap<>();

    private static final TreeSet<Long> NONE_UNDECIDED = new TreeSet<>();

    final int order;

    /** What it was given last: the highest sequence, wherever that message is. */
    long last;

    long beyond;

    /** Messages beyond that the journal has not confirmed yet, so that a read may miss them. */
    long beyondUnwritten;

    /** Counts what changes what is beyond in another way than by loading it. */
    long changes;

    boolean loading;

    /** What comes next is on its way to the disk or is not decided: there is nothing to read before that changes. */
    boolean nothingToRead;

    private final MessageRun arrivals = new MessageRun();
    private TreeMap<Long, QueuedMessage> returned = NONE;
    private TreeMap<Long, QueuedMessage> restricted = NONE;
    private TreeMap<Long, QueuedMessage> ahead = NONE;

    /**
     * Places beyond whose transactions are about to commit. Nothing that follows the first of them is loaded: the store may
     * have it already while the message of that place is still to come, or has come before its commit is known here.
     */
    private TreeSet<Long> undecided = NONE_UNDECIDED;

    private long loadedUpTo;

    Lane(int order, long backlog, long last) {
        this.order = order;
        this.beyond = backlog;
        this.last = last;
    }

    /** Where the messages in memory end; those ahead left aside. */
    long loadedUpTo() {
        return loadedUpTo;
    }

    /** Messages that came in order and are still here. */
    int arrivals() {
        return arrivals.size();
    }

    int restricted() {
        return restricted.size();
    }

    /** Whether every consumer may have something of it. */
    boolean hasFree() {
        return !arrivals.isEmpty() || !returned.isEmpty();
    }

    void arrived(QueuedMessage message) {
        arrivals.add(message);
        message.place = ARRIVED;
        loadedUpTo = Math.max(loadedUpTo, message.sequence());
        last = Math.max(last, loadedUpTo);
    }

    /** Whether a message of this sequence comes after all that arrived. */
    boolean isLater(long sequence) {
        return sequence > arrivals.lastSequence();
    }

    /** The message of a place beyond comes or does not come. */
    void awaitDecision(long sequence) {
        undecided = undecided.isEmpty() ? new TreeSet<>() : undecided;
        undecided.add(sequence);
    }

    void decided(long sequence) {
        undecided.remove(sequence);
        nothingToRead = false;
    }

    /** The first place beyond that is not decided. */
    long firstUndecided() {
        return undecided.isEmpty() ? Long.MAX_VALUE : undecided.first();
    }

    boolean undecided(long sequence) {
        return !undecided.isEmpty() && undecided.contains(sequence);
    }

    /** The part of a run that ends before the first place that is not decided. */
    List<StoredMessage> decided(List<StoredMessage> run) {
        if (undecided.isEmpty()) {
            return run;
        }
        int size = run.size();
        while (size > 0 && run.get(size - 1).key().sequence() >= undecided.first()) {
            size--;
        }
        return run.subList(0, size);
    }

    /** Puts a message at its place, which is within what is loaded. */
    void put(QueuedMessage message) {
        if (message.restricted()) {
            restricted = restricted.isEmpty() ? new TreeMap<>() : restricted;
            restricted.put(message.sequence(), message);
            message.place = RESTRICTED;
        } else {
            returned = returned.isEmpty() ? new TreeMap<>() : returned;
            returned.put(message.sequence(), message);
            message.place = RETURNED;
        }
    }

    /** Puts a message at its place, which is not loaded yet. */
    void putAhead(QueuedMessage message) {
        message.ahead = true;
        message.place = AHEAD;
        ahead = ahead.isEmpty() ? new TreeMap<>() : ahead;
        ahead.put(message.sequence(), message);
    }

    /** Takes out a message that is available. */
    void remove(QueuedMessage message) {
        switch (message.place) {
            case ARRIVED -> {
                if (arrivals.first() == message) {
                    arrivals.poll();
                } else {
                    arrivals.remove(message.sequence());
                }
            }
            case RETURNED -> returned.remove(message.sequence());
            case RESTRICTED -> restricted.remove(message.sequence());
            case AHEAD -> {
                // It stays there, so that it is not loaded.
            }
            default -> throw new IllegalStateException("message " + message.key + " is not available");
        }
        message.place = NOWHERE;
    }

    /** No read shows a message that was taken out ahead any more, or it is to be as if it had never been here. */
    void forgetAhead(QueuedMessage message) {
        if (message.ahead) {
            message.ahead = false;
            message.place = NOWHERE;
            ahead.remove(message.sequence());
        }
    }

    /** Whether what is in memory says all about this sequence, whatever the store shows. */
    boolean knows(long sequence) {
        return sequence <= loadedUpTo || beyond == 0 || ahead.containsKey(sequence) || undecided(sequence);
    }

    /** The available message with this sequence, or null. */
    QueuedMessage find(long sequence) {
        QueuedMessage message = arrivals.find(sequence);
        message = message == null ? returned.get(sequence) : message;
        message = message == null ? restricted.get(sequence) : message;
        message = message == null ? ahead.get(sequence) : message;
        return message == null || message.place == NOWHERE ? null : message;
    }

    /** Everything up to this sequence is in memory now; those for which {@code placed} is called got another place. */
    void loadedUpTo(long sequence, Consumer<QueuedMessage> placed) {
        loadedUpTo = Math.max(loadedUpTo, sequence);
        while (!ahead.isEmpty() && ahead.firstKey() <= sequence) {
            QueuedMessage message = ahead.pollFirstEntry().getValue();
            message.ahead = false;
            if (message.place == AHEAD) {
                put(message);
                placed.accept(message);
            }
        }
    }

    /** The first message that any consumer may have, or null. */
    QueuedMessage first() {
        QueuedMessage head = arrivals.isEmpty() ? null : arrivals.first();
        if (returned.isEmpty()) {
            return head;
        }
        return earlier(head, returned.firstEntry());
    }

    /** The first message within what is loaded, restricted or not, or null. */
    QueuedMessage oldest() {
        return earlier(first(), restricted.firstEntry());
    }

    /** The available message that follows this sequence within what is loaded, or null. */
    QueuedMessage after(long sequence) {
        QueuedMessage next = arrivals.after(sequence);
        if (!returned.isEmpty()) {
            next = earlier(next, returned.higherEntry(sequence));
        }
        return restricted.isEmpty() ? next : earlier(next, restricted.higherEntry(sequence));
    }

    private static QueuedMessage earlier(QueuedMessage message, Map.Entry<Long, QueuedMessage> entry) {
        return entry != null && (message == null || entry.getKey() < message.sequence()) ? entry.getValue() : message;
    }

    /** The available messages between two sequences, the second one included, that are ahead of what is loaded. */
    List<QueuedMessage> ahead(long after, long upTo) {
        return ahead.subMap(after, false, upTo, true).values().stream()
                .filter(message -> message.place == AHEAD)
                .toList();
    }

    Collection<QueuedMessage> restrictedMessages() {
        return restricted.values();
    }

    /** Forgets everything, after calling {@code each} for each available message. */
    void clear(Consumer<QueuedMessage> each) {
        for (QueuedMessage message = arrivals.after(0); message != null; message = arrivals.after(0)) {
            arrivals.poll();
            message.place = NOWHERE;
            each.accept(message);
        }
        for (TreeMap<Long, QueuedMessage> map : List.of(returned, restricted, ahead)) {
            for (QueuedMessage message : map.values()) {
                if (message.place != NOWHERE) {
                    message.place = NOWHERE;
                    each.accept(message);
                }
            }
        }
        returned = NONE;
        restricted = NONE;
        ahead = NONE;
        beyond = 0;
        beyondUnwritten = 0;
    }
}
