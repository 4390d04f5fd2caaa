package io.millrace.queue;

import io.millrace.journal.MessageKey;
import io.millrace.journal.MessageReader.ExpiredRun;
import io.millrace.journal.MessageReader.ExpiryMark;
import io.millrace.journal.StoredMessage;
import java.util.function.Consumer;

/**
 * Takes messages out of the queue whose time is over, wherever they are, without looking at the others. Owned by the queue.
 *
 * <p>Those that are available in memory are in a heap by deadline; those that only the store has are read from it in the order
 * of their deadlines. Messages that consumers hold do not expire; whoever gives one back asks {@link #isOver} first. At most
 * {@link #STEP_MESSAGES} go in one turn, and the next ones when the disk has those.
 */
final class Expiry {
    static final int STEP_MESSAGES = 256;

    private final long queue;
    private final Window window;
    private final LoopResources loop;
    private final Consumer<QueuedMessage> expire;
    private final DeadlineHeap inMemory = new DeadlineHeap();
    private final Alarm alarm;

    /** No message that only the store has expires before. */
    private long storeMillis = Long.MAX_VALUE;

    private boolean stepping;
    private boolean reading;
    private Schedule schedule;

    /** @param expire what becomes of a message that is out of the window and held by nobody */
    Expiry(long queue, Window window, LoopResources loop, Consumer<QueuedMessage> expire) {
        this.queue = queue;
        this.window = window;
        this.loop = loop;
        this.expire = expire;
        this.alarm = new Alarm(loop.loop(), this::ring);
    }

    /** Messages wait for their time here, and some of them expire before. */
    void watches(Schedule scheduled) {
        schedule = scheduled;
    }

    /** Messages were in the store before the broker started. */
    void recovered() {
        storeMillis = 0;
        ring();
    }

    /** A message with a deadline became available in memory. */
    void watch(QueuedMessage message) {
        inMemory.add(message);
        alarm.at(message.expiryMillis);
    }

    /** A message with a deadline is not available in memory any more. */
    void unwatch(QueuedMessage message) {
        inMemory.remove(message);
    }

    /** From now on only the store has a message with this deadline; 0 for one without. */
    void inStore(long expiryMillis) {
        if (expiryMillis != 0 && expiryMillis < storeMillis) {
            storeMillis = expiryMillis;
            alarm.at(expiryMillis);
        }
    }

    /** Whether a message has expired. */
    boolean isOver(QueuedMessage message) {
        return message.expiryMillis != 0 && message.expiryMillis <= loop.loop().now();
    }

    private void ring() {
        if (!stepping) {
            step();
        }
    }

    private void step() {
        stepping = false;
        long now = loop.loop().now();
        for (int i = 0; i < STEP_MESSAGES && inMemory.firstMillis() <= now; i++) {
            QueuedMessage message = inMemory.first();
            window.remove(message);
            expire.accept(message);
        }
        if (inMemory.firstMillis() <= now) {
            stepping = true;
            loop.recorder().whenDurable(this::step);
        } else {
            alarm.at(inMemory.firstMillis());
        }
        if (storeMillis > now) {
            alarm.at(storeMillis);
        } else if (!reading) {
            reading = true;
            storeMillis = Long.MAX_VALUE;
            // A read may miss what is not written yet; what comes later has its deadline noted.
            loop.recorder().whenDurable(() -> read(ExpiryMark.start(queue), now));
        }
    }

    private void read(ExpiryMark after, long untilMillis) {
        long read = window.reads().begin();
        loop.recorder().journal().reader().readExpired(after, untilMillis, STEP_MESSAGES, loop.loop(), run -> {
            ExpiryMark last = after;
            for (StoredMessage stored : run.messages()) {
                last = new ExpiryMark(stored.details().expiryMillis(), stored.key());
                expire(stored);
            }
            window.reads().end(read);
            goOn(run, last, untilMillis);
        });
    }

    private void goOn(ExpiredRun run, ExpiryMark last, long untilMillis) {
        boolean more = !run.messages().isEmpty() && run.nextMillis() != 0 && run.nextMillis() <= untilMillis;
        if (more) {
            loop.recorder().whenDurable(() -> read(last, untilMillis));
            return;
        }
        reading = false;
        if (window.beyond() > 0 || schedule.waiting() > 0) {
            inStore(run.nextMillis());
        }
        if (storeMillis <= loop.loop().now()) {
            ring();
        } else {
            alarm.at(storeMillis);
        }
    }

    private void expire(StoredMessage stored) {
        MessageKey key = stored.key();
        QueuedMessage message =
                key.scheduled() ? schedule.claim(stored) : window.ahead().claim(stored);
        if (message != null) {
            expire.accept(message);
        }
    }

    /** The queue is deleted. */
    void clear() {
        inMemory.clear();
        storeMillis = Long.MAX_VALUE;
        alarm.off();
    }
}
