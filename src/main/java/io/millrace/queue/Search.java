package io.millrace.queue;

import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import java.util.List;
import java.util.Map;

/**
 * Finds messages for consumers that may not have just any: those with a filter, and all when there are groups. Owned by the
 * queue.
 *
 * <p>Each has a place in each lane ({@link Subscriber#passed}): up to there it has looked at every message, once. It walks on
 * through memory, and then through the store by reads of its own, a run at a time; what it wants is brought into memory, and
 * the rest of the run is dropped. So it reaches every message however deep the backlog is, without holding up others. A
 * message that it has found and not taken is reserved: to be had without a look, by others too. A message that comes back
 * behind its place is looked at when it comes.
 */
final class Search {
    private static final int RUN_MESSAGES = 512;
    private static final long RUN_BYTES = 1 << 20;

    /** So many messages are looked at in one go; then others have their turn on the loop. */
    private static final int TURN_MESSAGES = 1024;

    private static final int NONE = -1;

    private final Queue queue;
    private final Window window;
    private final Groups groups;
    private final LoopResources loop;

    Search(Queue queue, Window window, Groups groups, LoopResources loop) {
        this.queue = queue;
        this.window = window;
        this.groups = groups;
        this.loop = loop;
    }

    /**
     * The first message that this consumer may have and wants. Null when there is none in memory; then it is
     * {@link Subscriber#searching} if there may be one, and hears of it.
     */
    QueuedMessage first(Subscriber subscriber) {
        subscriber.searching = false;
        QueuedMessage own = firstReserved(subscriber);
        Lane unfinished = null;
        for (Lane lane : window.lanes()) {
            if (own != null && own.key.order() <= lane.order && own.sequence() <= subscriber.passed[own.key.order()]) {
                return own;
            }
            QueuedMessage found = walk(subscriber, lane);
            if (found != null) {
                return found;
            }
            if (subscriber.searching) {
                return null;
            }
            if (subscriber.passed[lane.order] < lane.last && awaits(subscriber, lane)) {
                if (subscriber.swept != lane.order) {
                    return search(subscriber, lane);
                }
                // More came while the end of this lane was read; the lower lanes must not wait for ever.
                subscriber.swept = NONE;
                unfinished = lane;
            }
        }
        return unfinished == null ? null : search(subscriber, unfinished);
    }

    private QueuedMessage firstReserved(Subscriber subscriber) {
        for (Map.Entry<MessageKey, QueuedMessage> own = subscriber.reserved.firstEntry();
                own != null;
                own = subscriber.reserved.firstEntry()) {
            QueuedMessage message = own.getValue();
            if (groups.allow(subscriber, message)) {
                return message;
            }
            subscriber.unreserve(message);
            window.ahead().leaveToStore(List.of(message));
        }
        return null;
    }

    /** The next message in memory that it wants. */
    private QueuedMessage walk(Subscriber subscriber, Lane lane) {
        int order = lane.order;
        if (subscriber.passed[order] >= lane.last) {
            return null;
        }
        int looked = 0;
        QueuedMessage next = lane.after(subscriber.passed[order]);
        while (next != null) {
            subscriber.passed[order] = next.sequence();
            if (takes(subscriber, next)) {
                return next;
            }
            if (++looked == TURN_MESSAGES) {
                pause(subscriber);
                return null;
            }
            next = lane.after(subscriber.passed[order]);
        }
        long end = lane.beyond == 0 ? lane.last : lane.loadedUpTo();
        subscriber.passed[order] = Math.max(subscriber.passed[order], end);
        return null;
    }

    private boolean takes(Subscriber subscriber, QueuedMessage message) {
        boolean takes = isFor(subscriber, message);
        if (takes) {
            subscriber.reserve(message);
        }
        return takes;
    }

    private boolean isFor(Subscriber subscriber, QueuedMessage message) {
        return !message.excludes(subscriber) && groups.allow(subscriber, message) && subscriber.wants(message);
    }

    /** Whether there is something for it to look at in the store, now. */
    private static boolean awaits(Subscriber subscriber, Lane lane) {
        return lane.beyond > 0 && lane.firstUndecided() > subscriber.passed[lane.order] + 1;
    }

    private void pause(Subscriber subscriber) {
        subscriber.searching = true;
        if (!subscriber.paused) {
            subscriber.paused = true;
            loop.loop().post(() -> {
                subscriber.paused = false;
                queue.refreshed();
            });
        }
    }

    /** Looks on in the store, unless the window is about to bring in what comes next. */
    private QueuedMessage search(Subscriber subscriber, Lane lane) {
        subscriber.searching = true;
        if (!subscriber.reading && !window.awaited(lane)) {
            subscriber.reading = true;
            long upTo = Math.min(lane.last, lane.firstUndecided() - 1);
            if (lane.beyondUnwritten == 0) {
                read(subscriber, lane, upTo);
            } else {
                loop.recorder().whenDurable(() -> read(subscriber, lane, upTo));
            }
        }
        return null;
    }

    private void read(Subscriber subscriber, Lane lane, long upTo) {
        long after = Math.max(subscriber.passed[lane.order], lane.loadedUpTo());
        long from = subscriber.passed[lane.order];
        long mostBytes = window.runBytes(RUN_BYTES);
        MessageKey key = new MessageKey(queue.number(), lane.order, after);
        long read = window.reads().begin();
        loop.recorder().flush();
        loop.read(key, RUN_MESSAGES, mostBytes, run -> {
            subscriber.reading = false;
            if (queue.subscribed(subscriber)) {
                // A place that was set back meanwhile is not moved on over what was not looked at.
                if (subscriber.passed[lane.order] == from) {
                    look(subscriber, lane, run, upTo, ends(run, mostBytes));
                }
                queue.refreshed();
            }
            window.reads().end(read);
        });
    }

    private static boolean ends(List<StoredMessage> run, long mostBytes) {
        return run.size() < RUN_MESSAGES
                && run.stream().mapToLong(stored -> stored.bytes().length).sum() < mostBytes;
    }

    /** @param all whether the run has all that there is up to {@code upTo}; there may be more after it otherwise */
    private void look(Subscriber subscriber, Lane lane, List<StoredMessage> run, long upTo, boolean all) {
        List<StoredMessage> decided = lane.decided(run);
        long from = subscriber.passed[lane.order];
        long reach =
                decided.isEmpty() ? from : decided.get(decided.size() - 1).key().sequence();
        boolean wholeRun = decided.size() == run.size();
        if (all || !wholeRun) {
            // A run that is cut has all that comes before the place where it is cut.
            reach = Math.max(reach, Math.min(upTo, lane.firstUndecided() - 1));
        }
        if (wholeRun) {
            subscriber.swept = all ? lane.order : NONE;
        }
        long loaded = Math.min(reach, lane.loadedUpTo());
        for (QueuedMessage next = lane.after(from);
                next != null && next.sequence() <= loaded;
                next = lane.after(next.sequence())) {
            takes(subscriber, next);
        }
        lane.ahead(from, reach).forEach(message -> takes(subscriber, message));
        for (StoredMessage stored : decided) {
            if (!lane.knows(stored.key().sequence())) {
                QueuedMessage message = QueuedMessage.revive(queue, stored);
                if (isFor(subscriber, message)) {
                    window.ahead().bring(message);
                    subscriber.reserve(message);
                }
            }
        }
        subscriber.passed[lane.order] = Math.max(from, reach);
        window.completeIfAllThere(lane);
    }

    /** A message came back, or has come to an old place: those that have passed it look at it now. */
    void cameBack(QueuedMessage message) {
        if (!queue.servesEachOne()) {
            return;
        }
        for (Subscriber subscriber : queue.subscribers()) {
            if (subscriber.searches()
                    && subscriber.passed[message.key.order()] >= message.sequence()
                    && !message.excludes(subscriber)
                    && subscriber.wants(message)) {
                subscriber.reserve(message);
            }
        }
    }

    /**
     * A message arrives that memory does not keep: those that have looked at everything before it look at it now.
     *
     * @return whether one of them wants it at once, so that it was given a place in memory
     */
    boolean keeps(QueuedMessage message) {
        if (!queue.servesEachOne()) {
            return false;
        }
        int order = message.key.order();
        Lane lane = window.lane(order);
        boolean wanted = false;
        for (Subscriber subscriber : queue.subscribers()) {
            if (lane.beyond > 0 && subscriber.searches() && subscriber.passed[order] >= lane.last) {
                if (!isFor(subscriber, message)) {
                    subscriber.passed[order] = message.sequence();
                } else if (subscriber.hasCredit()
                        && subscriber.reserved.isEmpty()
                        && !loop.memory().scarce()) {
                    subscriber.passed[order] = message.sequence();
                    subscriber.reserve(message);
                    wanted = true;
                }
            }
        }
        if (wanted) {
            window.ahead().arrived(message);
        }
        return wanted;
    }
}
