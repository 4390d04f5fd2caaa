package io.millrace.queue;

import io.millrace.journal.Fact;
import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Messages that wait for their time: those sent to be delivered later, and those that rest after a failed attempt. They are in
 * the store only, in a lane of their own ({@link MessageKey#SCHEDULED}) in order of due time. Owned by the queue.
 *
 * <p>One alarm is set to the next due time. When it rings, messages are read in runs and each goes to its place among the
 * others in one fact; the next run is read when the disk has this one. A consumer of {@link ScheduledMessages} may hold some
 * of them; they are left out, and come when it lets go.
 */
final class Schedule {
    private static final int RUN_MESSAGES = 256;
    private static final long RUN_BYTES = 1 << 20;

    private final Queue queue;
    private final LoopResources loop;
    private final Window window;
    private final Reads reads;
    private final Departed departed;
    private final Alarm alarm;

    /** Made when the first message waits: in most queues none ever does. */
    private Optional<DueOrder> order = Optional.empty();

    /** What the store does not keep of messages that rest: the attempts of those that are not durable, and exclusions. */
    private Map<MessageKey, Attempts> resting = Collections.emptyMap();

    private Set<MessageKey> held = Collections.emptySet();
    private Runnable changed = () -> {};
    private long waiting;
    private long movedUpTo = -1;
    private boolean moving;
    private boolean again;

    /** The message itself is not kept, for it is not counted as being in memory. */
    private record Attempts(int deliveryCount, Set<Subscriber> excluded) {}

    Schedule(Queue queue, LoopResources loop, Window window, long backlog) {
        this.queue = queue;
        this.loop = loop;
        this.window = window;
        this.reads = window.reads();
        this.waiting = backlog;
        this.departed = new Departed(loop.recorder(), reads);
        this.alarm = new Alarm(loop.loop(), this::due);
    }

    /** Messages that wait. */
    long waiting() {
        return waiting;
    }

    /** Messages were in the store before the broker started. */
    void recovered() {
        if (waiting > 0) {
            due();
        }
    }

    /** Calls back when messages came that a {@link ScheduledMessages} has not seen. */
    void whenChanged(Runnable task) {
        changed = task;
    }

    // ---- in

    /** A place for a message due then; empty if it is given later, by {@link #findPlace}. */
    Optional<MessageKey> place(long dueMillis) {
        return order().place(dueMillis);
    }

    private DueOrder order() {
        if (order.isEmpty()) {
            order = Optional.of(new DueOrder(queue.number(), loop, departed, reads, waiting == 0));
        }
        return order.get();
    }

    /** Runs a task when {@link #place} has one for a message due then: now, if the store need not be asked. */
    void whenPlaceIsKnown(long dueMillis, Runnable task) {
        if (order().knows(dueMillis)) {
            task.run();
        } else {
            order().learn(dueMillis, task);
        }
    }

    /** Gives a place, now or later. */
    void findPlace(long dueMillis, Consumer<MessageKey> found) {
        Optional<MessageKey> place = order().place(dueMillis);
        if (place.isPresent()) {
            found.accept(place.get());
            return;
        }
        order().learn(dueMillis, () -> findPlace(dueMillis, found));
    }

    /** A message was recorded at a place given here. */
    void came(QueuedMessage message) {
        waiting++;
        alarm.at(DueOrder.dueMillis(message.key));
        queue.expiry().inStore(message.expiryMillis);
        changed.run();
    }

    /** A message that is out of the window and held by nobody rests until then, and goes back to its place. */
    void rest(QueuedMessage message, long dueMillis) {
        rest(message, dueMillis, message.sequence(), () -> {});
    }

    /** As {@link #rest}, to come to a new place; {@code gone} runs when no read shows it at the old one any more. */
    void postpone(QueuedMessage message, long dueMillis, Runnable gone) {
        rest(message, dueMillis, 0, gone);
    }

    private void rest(QueuedMessage message, long dueMillis, long originSequence, Runnable gone) {
        findPlace(dueMillis, key -> {
            if (queue.deleted()) {
                loop.memory().release(message.size());
                gone.run();
                return;
            }
            QueuedMessage waits = message.movedTo(key);
            waits.originSequence = originSequence;
            Optional<Fact.MessageRemoved> leaves =
                    message.stored ? Optional.of(message.removedFact()) : Optional.empty();
            queue.entrance().store(waits, leaves);
            recordAttempts(waits);
            window.ahead().gone(message);
            loop.recorder().whenDurable(() -> reads.after(gone));
            if (message.restricted() || (message.deliveryCount > 0 && !message.durable)) {
                resting = resting.isEmpty() ? new HashMap<>() : resting;
                resting.put(key, new Attempts(waits.deliveryCount, waits.excluded()));
            }
            came(waits);
        });
    }

    private void recordAttempts(QueuedMessage message) {
        if (message.durable && message.deliveryCount > 0) {
            loop.recorder().record(new Fact.DeliveryFailed(message.key, message.deliveryCount));
        }
    }

    // ---- out

    private void due() {
        if (moving) {
            again = true;
            return;
        }
        moving = true;
        again = false;
        long until = loop.loop().now();
        order().close(until);
        // A read may miss what is not written yet; whatever comes later is due later.
        loop.recorder().whenDurable(() -> read(until));
    }

    private void read(long untilMillis) {
        if (queue.deleted()) {
            return;
        }
        long read = reads.begin();
        MessageKey after = new MessageKey(queue.number(), MessageKey.SCHEDULED, movedUpTo);
        loop.read(after, RUN_MESSAGES, loop.memory().runBytes(RUN_BYTES), run -> {
            boolean more = !queue.deleted() && moveDue(run, untilMillis);
            reads.end(read);
            if (more) {
                loop.recorder().whenDurable(() -> read(untilMillis));
                return;
            }
            moving = false;
            if (again && !queue.deleted()) {
                due();
            }
        });
    }

    /** Whether there may be more. */
    private boolean moveDue(List<StoredMessage> run, long untilMillis) {
        for (StoredMessage stored : run) {
            long due = DueOrder.dueMillis(stored.key());
            if (due > untilMillis) {
                again |= due <= queue.now();
                alarm.at(due);
                queue.dispatch();
                return false;
            }
            movedUpTo = stored.key().sequence();
            if (!held.contains(stored.key()) && !departed.contains(stored.key())) {
                moveIn(stored);
            }
        }
        queue.dispatch();
        return !run.isEmpty();
    }

    private void moveIn(StoredMessage stored) {
        QueuedMessage waited = revive(stored);
        if (queue.expiry().isOver(waited)) {
            expires(waited);
            queue.expire(waited, Receipt.NONE);
            return;
        }
        loop.memory().take(waited.size());
        QueuedMessage arrived = waited.movedTo(queue.entrance().keyFor(waited.message, waited.originSequence));
        queue.entrance().store(arrived, Optional.of(waited.removedFact()));
        recordAttempts(arrived);
        departed.add(stored.key());
        left();
        if (waited.originSequence == 0) {
            queue.arrivals().inTime(arrived);
        } else {
            queue.giveBack(arrived);
        }
    }

    private QueuedMessage revive(StoredMessage stored) {
        QueuedMessage waited = QueuedMessage.revive(queue, stored);
        Attempts known = resting.remove(stored.key());
        if (known != null) {
            waited.deliveryCount = known.deliveryCount();
            waited.acquiredBefore = true;
            waited.exclude(known.excluded());
        }
        return waited;
    }

    private void left() {
        waiting--;
        if (waiting == 0) {
            order().cleared();
        }
    }

    /** Takes out a message that a read of the store has shown; null if it is held or gone already. */
    QueuedMessage claim(StoredMessage stored) {
        if (held.contains(stored.key()) || departed.contains(stored.key())) {
            return null;
        }
        QueuedMessage message = revive(stored);
        expires(message);
        return message;
    }

    private void expires(QueuedMessage message) {
        loop.memory().take(message.size());
        departed.leaving(message.key);
        left();
    }

    /** A message that was here has left the store for good. */
    void gone(QueuedMessage message) {
        loop.recorder().whenDurable(() -> departed.left(message.key));
    }

    // ---- for those who look

    /** Whether a message that a read of the store has shown is there and to be had. */
    boolean available(StoredMessage stored) {
        return !held.contains(stored.key()) && !departed.contains(stored.key());
    }

    boolean departed(MessageKey key) {
        return departed.contains(key);
    }

    void hold(StoredMessage stored) {
        held = held.isEmpty() ? new HashSet<>() : held;
        held.add(stored.key());
    }

    /** The holder lets go: it waits again, or comes now if it would have come meanwhile. */
    void release(StoredMessage stored) {
        held.remove(stored.key());
        if (stored.key().sequence() <= movedUpTo) {
            moveIn(stored);
            queue.dispatch();
        } else {
            queue.expiry().inStore(stored.details().expiryMillis());
        }
    }

    /** The holder does not want it to be delivered, ever. */
    void cancel(StoredMessage stored) {
        loop.recorder().record(QueuedMessage.revive(queue, stored).removedFact());
        cancelled(stored);
    }

    /** As {@link #cancel}, when that has been recorded. */
    void cancelled(StoredMessage stored) {
        held.remove(stored.key());
        QueuedMessage cancelled = revive(stored);
        departed.add(stored.key());
        left();
        queue.lost(1, cancelled.message.totalSize());
    }

    /** The queue is deleted. */
    void clear() {
        waiting = 0;
        held = Collections.emptySet();
        resting = Collections.emptyMap();
        alarm.off();
    }
}
