package io.millrace.queue;

import io.millrace.journal.Fact;
import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The messages of a queue that wait for their time, as a place to receive from: to browse is to list them, in order of due
 * time, and to consume is to cancel them. Owned by the queue.
 *
 * <p>Every consumer is shown each message at most once. A message that it accepts is cancelled; any other outcome, and its end,
 * lets the message wait on. A held message is not delivered in the queue, even when it is due.
 */
final class ScheduledMessages implements Source {
    private static final int RUN_MESSAGES = 256;
    private static final long RUN_BYTES = 1 << 20;

    private final Queue queue;
    private final Schedule schedule;
    private final LoopResources loop;
    private final Reads reads;
    private final Map<Consumer, Viewer> viewers = new LinkedHashMap<>();

    ScheduledMessages(Queue queue, Schedule schedule, LoopResources loop, Reads reads) {
        this.queue = queue;
        this.schedule = schedule;
        this.loop = loop;
        this.reads = reads;
        schedule.whenChanged(this::changed);
    }

    /** A scheduled message in the hands of a consumer, or shown to a browser. */
    private record Waiting(StoredMessage stored, Message message) implements Delivery {
        @Override
        public int deliveryCount() {
            return stored.deliveryCount();
        }

        @Override
        public boolean firstAcquirer() {
            return stored.deliveryCount() == 0;
        }

        @Override
        public long expiryMillis() {
            return stored.details().expiryMillis();
        }
    }

    private static final class Viewer {
        final Consumer consumer;
        final Selection selection;
        final ReadRun read;
        final Set<Delivery> held = new LinkedHashSet<>();
        long cursor = -1;
        long delivered;
        long limit;
        boolean draining;
        boolean reading;

        /** What follows the cursor is in {@link #read}, or there is nothing. */
        boolean atEnd;

        /** Messages came while it read. */
        boolean stale;

        Viewer(Consumer consumer, Selection selection, MemoryBudget memory) {
            this.consumer = consumer;
            this.selection = selection;
            this.read = new ReadRun(memory);
        }

        boolean wants() {
            return delivered < limit && consumer.ready();
        }
    }

    @Override
    public void attach(Consumer consumer, Selection selection) {
        loop.loop().assertCurrent();
        if (queue.deleted()) {
            consumer.closed(queue.deletedCondition());
            return;
        }
        viewers.put(consumer, new Viewer(consumer, selection, loop.memory()));
        consumer.admitted();
    }

    @Override
    public void credit(Consumer consumer, long limit, boolean drain) {
        loop.loop().assertCurrent();
        Viewer viewer = viewers.get(consumer);
        if (viewer != null) {
            viewer.limit = limit;
            viewer.draining = drain;
            advance(viewer);
        }
    }

    @Override
    public void resume(Consumer consumer) {
        loop.loop().assertCurrent();
        Viewer viewer = viewers.get(consumer);
        if (viewer != null) {
            advance(viewer);
        }
    }

    @Override
    public void settle(
            Consumer consumer, Delivery delivery, Outcome outcome, Transaction transaction, Receipt receipt) {
        loop.loop().assertCurrent();
        Viewer viewer = viewers.get(consumer);
        if (viewer == null || !(delivery instanceof Waiting waiting) || !viewer.held.remove(delivery)) {
            receipt.settled(outcome);
            return;
        }
        if (outcome instanceof Outcome.Accepted && transaction.exists()) {
            transaction.branch(loop.loop()).enlist(new Cancellation(waiting.stored()));
            receipt.settled(outcome);
        } else if (outcome instanceof Outcome.Accepted) {
            schedule.cancel(waiting.stored());
            loop.recorder().whenDurable(() -> receipt.settled(outcome));
        } else {
            schedule.release(waiting.stored());
            receipt.settled(outcome);
        }
    }

    @Override
    public void detach(Consumer consumer, boolean lost) {
        loop.loop().assertCurrent();
        Viewer viewer = viewers.remove(consumer);
        if (viewer != null) {
            viewer.read.clear();
            for (Delivery delivery : viewer.held) {
                schedule.release(((Waiting) delivery).stored());
            }
        }
    }

    /** A message is cancelled if a transaction commits, and is held until then. */
    private final class Cancellation implements Branch.Work {
        private final StoredMessage stored;

        Cancellation(StoredMessage stored) {
            this.stored = stored;
        }

        @Override
        public Optional<Condition> prepare(List<Fact> facts) {
            if (!queue.deleted()) {
                facts.add(QueuedMessage.revive(queue, stored).removedFact());
            }
            return Optional.empty();
        }

        @Override
        public void committed() {
            if (!queue.deleted()) {
                schedule.cancelled(stored);
            }
        }

        @Override
        public void rolledBack() {
            if (!queue.deleted()) {
                schedule.release(stored);
            }
        }
    }

    /** The queue is deleted. */
    void close(Condition reason) {
        List<Viewer> told = List.copyOf(viewers.values());
        viewers.clear();
        for (Viewer viewer : told) {
            viewer.read.clear();
            viewer.consumer.closed(reason);
        }
    }

    private void changed() {
        for (Viewer viewer : List.copyOf(viewers.values())) {
            viewer.stale = true;
            viewer.atEnd = false;
            advance(viewer);
        }
    }

    private void advance(Viewer viewer) {
        while (viewer.wants() && !viewer.read.isEmpty()) {
            show(viewer, viewer.read.remove());
        }
        if (viewer.delivered < viewer.limit && viewer.read.isEmpty() && !viewer.atEnd) {
            read(viewer);
            return;
        }
        if (viewer.draining && (viewer.delivered >= viewer.limit || (viewer.atEnd && viewer.read.isEmpty()))) {
            viewer.draining = false;
            viewer.delivered = Math.max(viewer.delivered, viewer.limit);
            viewer.consumer.drained();
        }
    }

    private void show(Viewer viewer, StoredMessage stored) {
        boolean browse = viewer.selection.browse();
        viewer.cursor = stored.key().sequence();
        if (browse ? schedule.departed(stored.key()) : !schedule.available(stored)) {
            return;
        }
        Waiting delivery = new Waiting(stored, QueuedMessage.messageOf(stored));
        if (!viewer.selection.filter().map(filter -> filter.test(delivery)).orElse(true)) {
            return;
        }
        if (!browse) {
            schedule.hold(stored);
            viewer.held.add(delivery);
        }
        viewer.delivered++;
        viewer.consumer.deliver(delivery);
    }

    private void read(Viewer viewer) {
        if (viewer.reading) {
            return;
        }
        viewer.reading = true;
        viewer.stale = false;
        loop.recorder().whenDurable(() -> readRun(viewer));
    }

    private void readRun(Viewer viewer) {
        long read = reads.begin();
        MessageKey after = new MessageKey(queue.number(), MessageKey.SCHEDULED, viewer.cursor);
        loop.read(after, RUN_MESSAGES, loop.memory().runBytes(RUN_BYTES), run -> {
            viewer.reading = false;
            if (viewers.get(viewer.consumer) == viewer) {
                run.forEach(viewer.read::add);
                viewer.atEnd = run.isEmpty() && !viewer.stale;
                advance(viewer);
            }
            reads.end(read);
        });
    }
}
