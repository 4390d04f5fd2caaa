package io.millrace.queue;

import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The head of a queue in memory: the available messages, in order, up to {@link #loadedUpTo}. What arrived after that is
 * {@link #beyond} it, in the store only, and is read ahead of need.
 *
 * <p>Owned by the queue. Invariants: every message of the queue whose sequence is at most {@code loadedUpTo} is in memory
 * (available here, or acquired); while anything is beyond, arrivals go beyond too, so order holds. Messages wait in three
 * places: arrivals in the order they came, returned ones sorted, restricted ones (refused by some consumer for itself)
 * sorted.
 */
final class Window {
    private static final Logger log = LoggerFactory.getLogger(Window.class);

    private static final int LOW_MESSAGES = 512;
    private static final int RUN_MESSAGES = 1024;
    private static final long RUN_BYTES = 4 << 20;
    private static final long SCARCE_RUN_BYTES = 256 << 10;
    private static final int RESTRICTED_SHARES = 2;
    private static final int RESTRICTED_ALWAYS = 8;

    private final Queue queue;
    private final LoopResources loop;

    private final MessageRun arrivals = new MessageRun();
    private final TreeMap<Long, QueuedMessage> returned = new TreeMap<>();
    private final TreeMap<Long, QueuedMessage> restricted = new TreeMap<>();

    /**
     * Places beyond whose transactions are about to commit. Nothing that follows the first of them is loaded: the store may
     * have it already while the message of that place is still to come, or has come before its commit is known here.
     */
    private final TreeSet<Long> undecided = new TreeSet<>();

    private long availableBytes;
    private long restrictedBytes;
    private long loadedUpTo;
    private long beyond;
    private long beyondBytes;

    /** Messages beyond that the journal has not confirmed yet, so that a read may miss them. */
    private long beyondUnwritten;

    private boolean loading;

    Window(Queue queue, LoopResources loop, Backlog backlog) {
        this.queue = queue;
        this.loop = loop;
        this.beyond = backlog.messages();
        this.beyondBytes = backlog.bytes();
    }

    /** Whether a message of this size that arrives now stays in memory. */
    boolean keeps(int size) {
        if (beyond > 0) {
            return false;
        }
        boolean room = availableBytes + size <= loop.memory().shareBytes()
                && !loop.memory().scarceForBacklog();
        return room || available() == 0;
    }

    void arrived(QueuedMessage message) {
        arrivals.add(message);
        availableBytes += message.size();
        loadedUpTo = message.sequence();
    }

    /** A message of a transaction has its place, and is seen when that is decided: in memory, or beyond. */
    void placed(QueuedMessage message, boolean kept) {
        if (kept) {
            availableBytes += message.size();
            loadedUpTo = message.sequence();
        } else {
            arrivedBeyond(message);
            undecided.add(message.sequence());
        }
    }

    /** The transaction of a message that has its place is committed. */
    void committed(QueuedMessage message) {
        if (message.beyond) {
            undecided.remove(message.sequence());
        } else if (arrivals.isEmpty() || arrivals.get(arrivals.size() - 1).sequence() < message.sequence()) {
            arrivals.add(message);
        } else {
            returned.put(message.sequence(), message);
        }
    }

    /** The transaction of a message that has its place is rolled back: the place stays empty. */
    void withdrawn(QueuedMessage message) {
        if (message.beyond) {
            undecided.remove(message.sequence());
            beyond--;
            beyondBytes -= message.message.totalSize();
        } else {
            availableBytes -= message.size();
        }
    }

    /** Whether it is the place of a message whose transaction is about to commit. */
    boolean undecided(long sequence) {
        return undecided.contains(sequence);
    }

    /** A message went to the store without staying in memory. */
    void arrivedBeyond(QueuedMessage message) {
        message.beyond = true;
        beyond++;
        beyondBytes += message.message.totalSize();
        beyondUnwritten++;
    }

    void writtenBeyond() {
        beyondUnwritten--;
        refill();
    }

    /** Whether a read finds all that is beyond. */
    boolean allWritten() {
        return beyondUnwritten == 0;
    }

    /** Messages that are available in memory. */
    long available() {
        return (long) arrivals.size() + returned.size() + restricted.size();
    }

    /** Their sizes. */
    long availableBytes() {
        return availableBytes;
    }

    int restrictedCount() {
        return restricted.size();
    }

    /** The first message that any consumer may have, or null. */
    QueuedMessage first() {
        if (returned.isEmpty()) {
            return arrivals.isEmpty() ? null : arrivals.first();
        }
        QueuedMessage back = returned.firstEntry().getValue();
        return arrivals.isEmpty() || back.sequence() < arrivals.first().sequence() ? back : arrivals.first();
    }

    /** The first message that this consumer may have, or null. */
    QueuedMessage first(Subscriber subscriber) {
        QueuedMessage first = first();
        Map.Entry<Long, QueuedMessage> own = subscriber.reserved.firstEntry();
        return own != null && (first == null || own.getKey() < first.sequence()) ? own.getValue() : first;
    }

    /** The first available message, of any kind, or null. */
    QueuedMessage oldest() {
        QueuedMessage first = first();
        Map.Entry<Long, QueuedMessage> entry = restricted.firstEntry();
        return entry != null && (first == null || entry.getKey() < first.sequence()) ? entry.getValue() : first;
    }

    /** The available message in memory that follows this sequence, or null. */
    QueuedMessage after(long sequence) {
        int index = arrivals.indexAfter(sequence);
        QueuedMessage next = index < arrivals.size() ? arrivals.get(index) : null;
        next = earlier(next, returned.higherEntry(sequence));
        return earlier(next, restricted.higherEntry(sequence));
    }

    private static QueuedMessage earlier(QueuedMessage message, Map.Entry<Long, QueuedMessage> entry) {
        return entry != null && (message == null || entry.getKey() < message.sequence()) ? entry.getValue() : message;
    }

    /** Takes out a message that {@link #first} or {@link #oldest} gave. */
    void take(QueuedMessage message) {
        availableBytes -= message.size();
        if (message.restricted()) {
            restricted.remove(message.sequence());
            restrictedBytes -= message.size();
            queue.subscribers().forEach(other -> other.reserved.remove(message.sequence()));
        } else if (!arrivals.isEmpty() && arrivals.first() == message) {
            arrivals.poll();
        } else {
            returned.remove(message.sequence());
        }
        if (arrivals.size() < LOW_MESSAGES && beyond > 0) {
            refill();
        }
    }

    /** Puts a message back at its place. */
    void giveBack(QueuedMessage message) {
        availableBytes += message.size();
        message.excludeOnly(queue.subscribers());
        if (!message.restricted()) {
            returned.put(message.sequence(), message);
            return;
        }
        restricted.put(message.sequence(), message);
        restrictedBytes += message.size();
        for (Subscriber subscriber : queue.subscribers()) {
            reserve(message, subscriber);
        }
    }

    private static void reserve(QueuedMessage message, Subscriber subscriber) {
        if (!message.excludes(subscriber)) {
            subscriber.reserved.put(message.sequence(), message);
        }
    }

    void subscribed(Subscriber subscriber) {
        restricted.values().forEach(message -> reserve(message, subscriber));
        refill();
    }

    void unsubscribed(Subscriber subscriber) {
        restricted.values().removeIf(message -> {
            boolean free = message.readmit(subscriber);
            if (free) {
                queue.subscribers().forEach(other -> other.reserved.remove(message.sequence()));
                returned.put(message.sequence(), message);
                restrictedBytes -= message.size();
            }
            return free;
        });
    }

    /** Whether a message is refused by every consumer there is. */
    long parked() {
        return restricted.values().stream()
                .filter(message -> queue.subscribers().stream().allMatch(message::excludes))
                .count();
    }

    /** Reads ahead, if there is something to read and somebody to read it for. */
    void refill() {
        if (loading || beyond == 0 || arrivals.size() >= LOW_MESSAGES || !queue.wantsMessages()) {
            return;
        }
        long room = loop.memory().shareBytes() - availableBytes;
        boolean scarce = loop.memory().scarceForBacklog() || room <= 0;
        if (tooManyRestricted() || (scarce && available() > restricted.size())) {
            return;
        }
        load(RUN_MESSAGES, scarce ? Math.min(SCARCE_RUN_BYTES, loop.memory().shareBytes()) : Math.min(RUN_BYTES, room));
    }

    /** Brings the first message in although nobody wants it, so that its age is known. */
    void lookAhead() {
        if (!loading && beyond > 0 && available() == 0 && !loop.memory().scarceForBacklog()) {
            load(1, 1);
        }
    }

    private void load(int most, long mostBytes) {
        loading = true;
        boolean sure = beyondUnwritten == 0;
        long end = undecided.isEmpty() ? Long.MAX_VALUE : undecided.first();
        MessageKey from = new MessageKey(queue.number(), 0, loadedUpTo);
        loop.recorder().flush();
        loop.recorder()
                .journal()
                .reader()
                .read(from, most, mostBytes, loop.loop(), run -> loaded(until(end, run), sure));
    }

    /** A consumer that refuses whatever it gets must not bring the whole queue into memory. */
    private boolean tooManyRestricted() {
        return restricted.size() > RESTRICTED_ALWAYS
                && restrictedBytes > RESTRICTED_SHARES * loop.memory().shareBytes();
    }

    /** Whether what is in memory is all that there is to be had now. */
    boolean readsNoMore() {
        return beyond == 0 || tooManyRestricted();
    }

    private static List<StoredMessage> until(long end, List<StoredMessage> run) {
        int size = run.size();
        while (size > 0 && run.get(size - 1).key().sequence() >= end) {
            size--;
        }
        return run.subList(0, size);
    }

    private void loaded(List<StoredMessage> run, boolean sure) {
        loading = false;
        if (queue.deleted()) {
            return;
        }
        for (StoredMessage stored : run) {
            QueuedMessage message = revive(stored);
            arrived(message);
            beyondBytes -= message.message.totalSize();
            loop.memory().take(message.size());
        }
        beyond -= run.size();
        if (run.isEmpty() && sure) {
            log.error(
                    "queue '{}': {} messages are counted after sequence {} but the store has none; the count is mended",
                    queue.address(),
                    beyond,
                    loadedUpTo);
            queue.lost(beyond, beyondBytes);
            beyond = 0;
            beyondBytes = 0;
        }
        queue.refreshed();
        if (!run.isEmpty() || beyondUnwritten == 0) {
            refill();
        }
    }

    private QueuedMessage revive(StoredMessage stored) {
        QueuedMessage queued = new QueuedMessage(
                queue, stored.key(), QueuedMessage.messageOf(stored), stored.durable(), stored.arrivalMillis());
        queued.stored = true;
        queued.deliveryCount = stored.deliveryCount();
        queued.acquiredBefore = stored.deliveryCount() > 0;
        return queued;
    }

    /** Where the messages in memory end. */
    long loadedUpTo() {
        return loadedUpTo;
    }

    long beyond() {
        return beyond;
    }

    /** Forgets everything; the queue is deleted. */
    void clear() {
        while (!arrivals.isEmpty()) {
            loop.memory().release(arrivals.poll().size());
        }
        returned.values().forEach(message -> loop.memory().release(message.size()));
        restricted.values().forEach(message -> loop.memory().release(message.size()));
        returned.clear();
        restricted.clear();
        availableBytes = 0;
        restrictedBytes = 0;
        beyond = 0;
        beyondBytes = 0;
    }
}
