package io.millrace.queue;

import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import io.millrace.message.Message;

/**
 * Shows browsers what is in the queue: a snapshot taken when they attach, in order, each message once, without acquiring.
 * Owned by the queue.
 *
 * <p>What is in memory is taken from the window, what is beyond it is read from the store for this browser alone. A message
 * that is consumed before the browser gets to it may be seen or not; one that arrives after the browser is not seen.
 */
final class Browsing {
    private static final int RUN_MESSAGES = 256;
    private static final long RUN_BYTES = 1 << 20;

    private final Queue queue;
    private final Window window;
    private final LoopResources loop;

    Browsing(Queue queue, Window window, LoopResources loop) {
        this.queue = queue;
        this.window = window;
        this.loop = loop;
    }

    /** A message as a browser sees it. */
    private record Copy(Message message, int deliveryCount, boolean firstAcquirer) implements Delivery {}

    /** Delivers what the browser can take, and answers its drain when it has come to the end. */
    void advance(Subscriber browser) {
        while (browser.hasCredit() && browser.consumer.ready() && showNext(browser)) {
            // each turn shows one message
        }
        boolean ended = !browser.reading && !hasNext(browser);
        if (browser.draining && (ended || !browser.hasCredit())) {
            browser.draining = false;
            browser.voidCredit();
            browser.consumer.drained();
        }
    }

    private boolean hasNext(Subscriber browser) {
        if (browser.cursor >= browser.last) {
            return false;
        }
        QueuedMessage next = window.after(browser.cursor);
        return !browser.read.isEmpty() || (next != null && next.sequence() <= browser.last) || storeHasMore(browser);
    }

    private boolean storeHasMore(Subscriber browser) {
        return window.beyond() > 0 && window.loadedUpTo() < browser.last;
    }

    private boolean showNext(Subscriber browser) {
        while (!browser.read.isEmpty() && browser.read.peek().key().sequence() <= browser.cursor) {
            browser.read.poll();
        }
        QueuedMessage next = window.after(browser.cursor);
        StoredMessage stored = browser.read.peek();
        if (stored != null && (next == null || stored.key().sequence() <= next.sequence())) {
            browser.read.poll();
            show(browser, stored.key().sequence(), copy(stored));
            return true;
        }
        if (next != null && next.sequence() <= browser.last) {
            show(browser, next.sequence(), new Copy(next.message, next.deliveryCount, !next.acquiredBefore));
            return true;
        }
        if (browser.cursor < browser.last && storeHasMore(browser)) {
            read(browser);
        }
        return false;
    }

    private static void show(Subscriber browser, long sequence, Copy copy) {
        browser.cursor = sequence;
        browser.delivered++;
        browser.consumer.deliver(copy);
    }

    private void read(Subscriber browser) {
        if (browser.reading) {
            return;
        }
        browser.reading = true;
        if (window.allWritten()) {
            readRun(browser);
        } else {
            loop.recorder().whenDurable(() -> readRun(browser));
        }
    }

    private void readRun(Subscriber browser) {
        long after = Math.max(browser.cursor, window.loadedUpTo());
        loop.recorder().flush();
        loop.recorder()
                .journal()
                .reader()
                .read(new MessageKey(queue.number(), 0, after), RUN_MESSAGES, RUN_BYTES, loop.loop(), run -> {
                    browser.reading = false;
                    run.stream()
                            .filter(message -> message.key().sequence() <= browser.last
                                    && !window.undecided(message.key().sequence()))
                            .forEach(browser.read::add);
                    if (browser.read.isEmpty() && window.after(browser.cursor) == null) {
                        browser.cursor = browser.last;
                    }
                    if (queue.subscribed(browser)) {
                        advance(browser);
                    }
                });
    }

    private static Copy copy(StoredMessage stored) {
        return new Copy(QueuedMessage.messageOf(stored), stored.deliveryCount(), stored.deliveryCount() == 0);
    }
}
