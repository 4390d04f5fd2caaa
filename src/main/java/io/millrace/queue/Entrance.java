package io.millrace.queue;

import io.millrace.journal.Fact;
import io.millrace.journal.MessageKey;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.util.Optional;

/**
 * How a message comes into a queue that takes it: others make room, it gets its place, in memory or beyond, and the store is
 * told. Owned by the queue.
 */
final class Entrance {
    private final Queue queue;
    private final Tally tally;
    private final Admission admission;
    private final Window window;
    private final Search search;
    private final LoopResources loop;
    private final Recorder recorder;
    private final boolean replay;
    private long nextSequence;

    Entrance(Queue queue, Tally tally, Admission admission, Window window, Search search, LoopResources loop) {
        this.queue = queue;
        this.tally = tally;
        this.admission = admission;
        this.window = window;
        this.search = search;
        this.loop = loop;
        this.recorder = loop.recorder();
        this.replay = admission.keepsAll();
        this.nextSequence = tally.firstSequence;
    }

    /** The sequence of the latest message. */
    long lastSequence() {
        return nextSequence - 1;
    }

    /** Drops the oldest available messages for a new one; none if that would not be enough. */
    boolean makeRoomFor(Message message) {
        boolean enough = window.beyond() > 0
                || !admission.over(
                        tally.messages - window.available() + 1,
                        tally.bytes - window.availableTotal() + message.totalSize());
        if (enough) {
            makeRoom(1, message.totalSize());
        }
        return enough;
    }

    /** Drops the oldest messages in memory until so many more fit. What is beyond follows when it is loaded. */
    void makeRoom(int moreMessages, long moreBytes) {
        while (admission.over(tally.messages + moreMessages, tally.bytes + moreBytes)) {
            QueuedMessage oldest = window.dispensable();
            if (oldest == null) {
                // Those that go first are in the store, maybe in a lane that nobody has asked for yet.
                window.refill();
                return;
            }
            window.remove(oldest);
            queue.discard(oldest);
        }
    }

    /** The lane of a message: the priorities above 9 are one (JMS has none of them). */
    int order(Message message) {
        // What is kept is shown in the order of arrival, after what the queue had when it did not keep anything.
        return replay
                ? MessageKey.LANES - 1
                : MessageKey.LANES - 1 - Math.min(message.priority(), MessageKey.LANES - 1);
    }

    /** A message that has got its place comes in. */
    void enter(QueuedMessage queued, Optional<Fact.MessageRemoved> leaves, Receipt receipt) {
        entered(queued.message);
        loop.memory().take(queued.size());
        boolean kept = window.keeps(queued.key.order(), queued.size());
        if (queued.needsStore(kept)) {
            store(queued, leaves);
        } else {
            leaves.ifPresent(recorder::record);
        }
        // It has its place before anyone is told, for whoever is told may offer the next one.
        if (kept) {
            window.arrived(queued);
        } else if (!search.keeps(queued)) {
            window.arrivedBeyond(queued);
        }
        if (queued.durable || queued.message.streamed() > 0) {
            // A streamed body may not be let go of before the store knows who has it.
            queued.answerTo(receipt);
        } else {
            receipt.settled(Outcome.ACCEPTED);
        }
        queue.dispatch();
        if (admission.over(tally.messages, tally.bytes)) {
            window.refill();
        }
    }

    /** Gives a message its place. */
    QueuedMessage newMessage(Message message, boolean durable, long nowMillis) {
        return new QueuedMessage(queue, keyFor(message, 0), message, durable, nowMillis);
    }

    /** A new place for a message, or the one that it had; 0 if it had none. */
    MessageKey keyFor(Message message, long sequence) {
        return new MessageKey(queue.number(), order(message), sequence == 0 ? nextSequence++ : sequence);
    }

    /** A message is in the queue. */
    void entered(Message message) {
        tally.messages++;
        tally.bytes += message.totalSize();
        tally.enqueued++;
    }

    void store(QueuedMessage queued, Optional<Fact.MessageRemoved> leaves) {
        willBeStored(queued);
        Fact stored =
                leaves.isPresent() ? new Fact.MessageMoved(leaves.get(), queued.storedFact()) : queued.storedFact();
        recorder.record(stored, queued);
    }

    /** The fact of a message is about to be recorded. */
    void willBeStored(QueuedMessage queued) {
        queued.stored = true;
        tally.inStore = true;
        queued.recordedBytes = queued.size();
        recorder.pending(queued.size());
    }

    /** The store has the message. */
    void written(QueuedMessage message) {
        if (message.beyond || message.key.scheduled()) {
            loop.memory().release(message.recordedBytes);
        }
        if (message.beyond) {
            window.writtenBeyond(message);
        }
        recorder.written(message.recordedBytes);
    }
}
