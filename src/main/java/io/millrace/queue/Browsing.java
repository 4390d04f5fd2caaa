package io.millrace.queue;

import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import io.millrace.message.Message;
import java.util.List;

/**
 * Shows browsers what is in the queue, lane by lane, each message once, without acquiring: what was there when they attached,
 * or, in a queue that keeps what is consumed, that and all that arrives. Owned by the queue.
 *
 * <p>What is in memory is taken from the window, what is beyond it is read from the store for this browser alone. A message
 * that is consumed before the browser gets to it may be seen or not; one that comes back to a place that the browser has
 * passed is not seen.
 */
final class Browsing {
    private static final int RUN_MESSAGES = 256;
    private static final long RUN_BYTES = 1 << 20;

    /** So many messages are looked at in one go; then others have their turn on the loop. */
    private static final int TURN_MESSAGES = 1024;

    private final Queue queue;
    private final Window window;
    private final LoopResources loop;

    Browsing(Queue queue, Window window, LoopResources loop) {
        this.queue = queue;
        this.window = window;
        this.loop = loop;
    }

    /** A message as a browser sees it. */
    private record Copy(Message message, int deliveryCount, boolean firstAcquirer) implements Delivery {
        static Copy of(QueuedMessage queued) {
            return new Copy(queued.message, queued.deliveryCount, !queued.acquiredBefore);
        }

        static Copy of(StoredMessage stored) {
            return new Copy(QueuedMessage.messageOf(stored), stored.deliveryCount(), stored.deliveryCount() == 0);
        }
    }

    /** Delivers what the browser can take, and answers its drain when it has come to the end. */
    void advance(Subscriber browser) {
        int looked = 0;
        while (browser.hasCredit() && browser.consumer.ready() && lookAtNext(browser)) {
            if (++looked == TURN_MESSAGES) {
                pause(browser);
                return;
            }
        }
        boolean ended = !browser.reading && lane(browser) == null;
        if (browser.draining && (ended || !browser.hasCredit())) {
            browser.draining = false;
            browser.voidCredit();
            browser.consumer.drained();
        }
    }

    private void pause(Subscriber browser) {
        if (!browser.paused) {
            browser.paused = true;
            loop.loop().post(() -> {
                browser.paused = false;
                if (queue.subscribed(browser)) {
                    advance(browser);
                }
            });
        }
    }

    /** The lane that it is in, having moved on from those that it has seen all of; null at the end of the last one. */
    private Lane lane(Subscriber browser) {
        // What came into memory meanwhile was shown from there; left here it would look like something to show.
        while (!browser.read.isEmpty() && browser.read.peek().key().sequence() <= browser.cursor) {
            browser.read.remove();
        }
        for (Lane lane : window.lanes()) {
            if (lane.order > browser.order) {
                browser.order = lane.order;
                browser.cursor = browser.start;
                browser.read.clear();
            }
            if (lane.order == browser.order && hasNext(browser, lane)) {
                return lane;
            }
        }
        return null;
    }

    private static boolean hasNext(Subscriber browser, Lane lane) {
        if (browser.cursor >= browser.last) {
            return false;
        }
        QueuedMessage next = lane.after(browser.cursor);
        return !browser.read.isEmpty()
                || (next != null && next.sequence() <= browser.last)
                || storeHasMore(browser, lane);
    }

    private static boolean storeHasMore(Subscriber browser, Lane lane) {
        return lane.beyond > 0
                && browser.cursor < Math.min(lane.last, browser.last)
                && lane.loadedUpTo() < browser.last;
    }

    private boolean lookAtNext(Subscriber browser) {
        Lane lane = lane(browser);
        if (lane == null) {
            return false;
        }
        QueuedMessage next = lane.after(browser.cursor);
        StoredMessage stored = browser.read.peek();
        if (stored != null && (next == null || stored.key().sequence() < next.sequence())) {
            browser.read.remove();
            long sequence = stored.key().sequence();
            if (!lane.knows(sequence)) {
                show(browser, sequence, stored.arrivalMillis(), Copy.of(stored));
                return true;
            }
            next = lane.find(sequence);
            if (next == null) {
                // Somebody holds it. It is not to be read again, for it may be all that is left.
                browser.cursor = sequence;
                return true;
            }
        }
        if (next != null && next.sequence() <= browser.last) {
            show(browser, next.sequence(), next.arrivalMillis, Copy.of(next));
            return true;
        }
        if (storeHasMore(browser, lane)) {
            read(browser, lane);
        }
        return false;
    }

    private static void show(Subscriber browser, long sequence, long arrivalMillis, Copy copy) {
        browser.cursor = sequence;
        if (arrivalMillis >= browser.startMillis && browser.wants(copy)) {
            browser.delivered++;
            browser.consumer.deliver(copy);
        }
    }

    private void read(Subscriber browser, Lane lane) {
        if (browser.reading) {
            return;
        }
        browser.reading = true;
        long upTo = lane.last;
        if (lane.beyondUnwritten == 0) {
            readRun(browser, lane, upTo);
        } else {
            loop.recorder().whenDurable(() -> readRun(browser, lane, upTo));
        }
    }

    private void readRun(Subscriber browser, Lane lane, long upTo) {
        long after = Math.max(browser.cursor, lane.loadedUpTo());
        MessageKey key = new MessageKey(queue.number(), lane.order, after);
        long mostBytes = window.runBytes(RUN_BYTES);
        loop.recorder().flush();
        loop.read(key, RUN_MESSAGES, mostBytes, run -> found(browser, lane, run, upTo));
    }

    private void found(Subscriber browser, Lane lane, List<StoredMessage> run, long upTo) {
        browser.reading = false;
        if (!queue.subscribed(browser)) {
            return;
        }
        if (lane.order == browser.order) {
            run.stream()
                    .filter(message -> message.key().sequence() <= browser.last
                            && !lane.undecided(message.key().sequence()))
                    .forEach(browser.read::add);
            QueuedMessage next = lane.after(browser.cursor);
            if (browser.read.isEmpty() && (next == null || next.sequence() > browser.last)) {
                // A run of places that are not decided may be followed by messages that are there.
                long seen = run.isEmpty() ? upTo : run.get(run.size() - 1).key().sequence();
                browser.cursor = Math.max(browser.cursor, Math.min(browser.last, seen));
            }
        }
        advance(browser);
    }
}
