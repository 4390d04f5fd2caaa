package io.millrace.queue;

import io.millrace.journal.Journal;
import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * What a queue has in memory: the head of each of its lanes, read ahead of need from the store, which has the rest.
 *
 * <p>Owned by the queue. Lanes are made when they are first needed; a queue whose messages have one priority has one, and
 * pays for one. It keeps within a share of the memory of its loop, except for a small run of each lane, so that no lane
 * waits for another's messages to be consumed.
 */
final class Window {
    private final Queue queue;
    private final LoopResources loop;
    private final Reads reads = new Reads();
    private final ReadAhead readAhead;
    private final Restrictions restrictions;
    private final Ahead ahead;
    private final Pace pace;

    /** Those that were made, the highest priority first. */
    private Lane[] lanes = {};

    private final Lane[] byOrder = new Lane[MessageKey.LANES];

    private final Occupancy occupancy;
    private long available;
    private long beyond;
    private long beyondBytes;

    Window(Queue queue, LoopResources loop, Backlog backlog) {
        this.queue = queue;
        this.loop = loop;
        this.readAhead = new ReadAhead(queue, this, loop);
        this.restrictions = new Restrictions(queue, this, loop.memory());
        this.ahead = new Ahead(queue, this, loop);
        this.pace = new Pace(this, loop);
        this.occupancy = new Occupancy(loop.memory());
        for (Journal.Lane lane : backlog.lanes()) {
            if (lane.order() < MessageKey.LANES) {
                add(new Lane(lane.order(), lane.messages(), backlog.nextSequence() - 1));
                beyond += lane.messages();
            }
        }
        this.beyondBytes = backlog.bytes();
    }

    private Lane add(Lane lane) {
        byOrder[lane.order] = lane;
        Lane[] more = Arrays.copyOf(lanes, lanes.length + 1);
        more[lanes.length] = lane;
        Arrays.sort(more, Comparator.comparingInt(each -> each.order));
        lanes = more;
        return lane;
    }

    /** The lane of this order, made if need be. */
    Lane lane(int order) {
        Lane lane = byOrder[order];
        return lane == null ? add(new Lane(order, 0, 0)) : lane;
    }

    /** Those that there are, the highest priority first. Not to be changed. */
    Lane[] lanes() {
        return lanes;
    }

    /** Messages that are in memory ahead of what is loaded. */
    Ahead ahead() {
        return ahead;
    }

    /** Messages that some consumers refused for themselves. */
    Restrictions restrictions() {
        return restrictions;
    }

    Pace pace() {
        return pace;
    }

    void refill(Lane lane) {
        readAhead.refill(lane);
    }

    /** The reads of the store for this queue; every one whose messages may be {@linkplain Ahead#claim claimed} must be there. */
    Reads reads() {
        return reads;
    }

    /** Whether a message of this size that arrives now in this lane stays in memory. */
    boolean keeps(int order, int size) {
        Lane lane = byOrder[order];
        if (lane != null && lane.beyond > 0) {
            return false;
        }
        return size + MemoryBudget.OVERHEAD_BYTES <= roomBytes()
                || (available == 0 && loop.memory().takesInNeed(size) && queue.wantsMessages(true));
    }

    /** How much more may be available in memory. */
    long roomBytes() {
        return occupancy.roomBytes();
    }

    void arrived(QueuedMessage message) {
        lane(message.key.order()).arrived(message);
        came(message);
    }

    /** A message went to the store without staying in memory. */
    void arrivedBeyond(QueuedMessage message) {
        Lane lane = lane(message.key.order());
        if (lane.beyond == 0) {
            lane.loadedUpTo(message.sequence() - 1, restrictions::entered);
        }
        message.beyond = true;
        lane.last = message.sequence();
        lane.beyondUnwritten++;
        isBeyond(lane, message);
    }

    /** A message of a transaction has its place, and is seen when that is decided: in memory, or beyond. */
    void placed(QueuedMessage message, boolean kept) {
        Lane lane = lane(message.key.order());
        if (kept) {
            lane.loadedUpTo(message.sequence(), restrictions::entered);
            lane.last = message.sequence();
            occupancy.add(message);
        } else {
            arrivedBeyond(message);
            lane.awaitDecision(message.sequence());
        }
    }

    /** The transaction of a message that has its place is committed. */
    void committed(QueuedMessage message) {
        Lane lane = lane(message.key.order());
        if (message.beyond) {
            decided(lane, message);
            return;
        }
        if (lane.isLater(message.sequence())) {
            lane.arrived(message);
        } else {
            lane.put(message);
        }
        available++;
        // Before it may be dropped to make room.
        if (message.expiryMillis != 0) {
            queue.expiry().watch(message);
        }
        queue.sees(message);
        queue.cameBack(message);
    }

    /** The transaction of a message that has its place is rolled back: the place stays empty. */
    void withdrawn(QueuedMessage message) {
        Lane lane = lane(message.key.order());
        if (message.beyond) {
            notBeyond(lane, message);
            lane.changes++;
            decided(lane, message);
            completeIfAllThere(lane);
        } else {
            occupancy.remove(message);
        }
    }

    /** A read that began before may not show what is in the store now. */
    private void decided(Lane lane, QueuedMessage message) {
        if (reads.none()) {
            decided(lane, message.sequence());
            return;
        }
        reads.after(() -> {
            decided(lane, message.sequence());
            // Whoever waited for this was told too early.
            queue.dispatch();
        });
    }

    private void decided(Lane lane, long sequence) {
        lane.decided(sequence);
        readAhead.refill(lane);
    }

    void isBeyond(Lane lane, QueuedMessage message) {
        queue.expiry().inStore(message.expiryMillis);
        lane.beyond++;
        lane.changes++;
        beyond++;
        beyondBytes += message.message.totalSize();
    }

    void writtenBeyond(QueuedMessage message) {
        Lane lane = lane(message.key.order());
        lane.beyondUnwritten--;
        lane.nothingToRead = false;
        readAhead.refill(lane);
    }

    /** Messages that are available in memory. */
    long available() {
        return available;
    }

    /** What they take in memory. */
    long availableBytes() {
        return occupancy.bytes();
    }

    /** Their sizes, with bodies that are in the store only. */
    long availableTotal() {
        return occupancy.totalBytes();
    }

    /** The first message that any consumer may have, or null. */
    QueuedMessage first() {
        for (Lane lane : lanes) {
            QueuedMessage first = lane.first();
            if (first != null || awaited(lane)) {
                return first;
            }
        }
        return null;
    }

    /** Whether a lane whose messages come next has none in memory, but soon will. */
    boolean awaited(Lane lane) {
        if (lane.beyond == 0) {
            return false;
        }
        readAhead.refill(lane);
        return lane.loading;
    }

    /** The first message that this consumer may have, or null; what is restricted to others does not come before its turn. */
    QueuedMessage first(Subscriber subscriber) {
        Map.Entry<MessageKey, QueuedMessage> reserved = subscriber.reserved.firstEntry();
        if (reserved == null) {
            return first();
        }
        QueuedMessage own = reserved.getValue();
        for (Lane lane : lanes) {
            QueuedMessage first = lane.first();
            if (lane.order == own.key.order()) {
                return first == null || own.sequence() < first.sequence() ? own : first;
            }
            if (first != null || awaited(lane)) {
                return first;
            }
        }
        return own;
    }

    /**
     * The message to drop first when there are too many: the oldest of the lowest priority. Null if there is none in memory,
     * and if those that come first are in the store, from which they are read then.
     */
    QueuedMessage dispensable() {
        for (int i = lanes.length - 1; i >= 0; i--) {
            QueuedMessage oldest = lanes[i].oldest();
            if (oldest != null || lanes[i].beyond > 0) {
                return oldest;
            }
        }
        return null;
    }

    /** When the oldest of the messages came that are at the head of their lanes, in milliseconds since 1970; 0 if none is. */
    long oldestArrivalMillis() {
        long millis = 0;
        for (Lane lane : lanes) {
            QueuedMessage oldest = lane.oldest();
            if (oldest != null && (millis == 0 || oldest.arrivalMillis < millis)) {
                millis = oldest.arrivalMillis;
            }
        }
        return millis;
    }

    /** The available message with this key, or null. */
    QueuedMessage find(MessageKey key) {
        Lane lane = byOrder[key.order()];
        return lane == null ? null : lane.find(key.sequence());
    }

    /** Whether what is in memory says all about this key: it is available here, acquired or gone, whatever the store shows. */
    boolean knows(MessageKey key) {
        Lane lane = byOrder[key.order()];
        return lane == null || lane.knows(key.sequence());
    }

    /** Takes out an available message, from wherever it is. */
    void remove(QueuedMessage message) {
        Lane lane = byOrder[message.key.order()];
        if (message.place == Lane.RESTRICTED) {
            restrictions.left(message);
        }
        lane.remove(message);
        left(message);
        message.unreserve();
        if (lane.beyond > 0) {
            readAhead.refill(lane);
        }
    }

    void left(QueuedMessage message) {
        if (message.expiryMillis != 0) {
            queue.expiry().unwatch(message);
        }
        available--;
        occupancy.remove(message);
        pace.left(message.size());
    }

    void came(QueuedMessage message) {
        if (message.expiryMillis != 0) {
            queue.expiry().watch(message);
        }
        available++;
        occupancy.add(message);
        queue.sees(message);
    }

    void notBeyond(Lane lane, QueuedMessage message) {
        lane.beyond--;
        beyond--;
        beyondBytes -= message.message.totalSize();
    }

    /** With the last message beyond brought in, a lane is whole in memory again. */
    void completeIfAllThere(Lane lane) {
        if (lane.beyond == 0) {
            lane.loadedUpTo(lane.last, restrictions::entered);
        }
    }

    /**
     * Puts a message back at its place: one that was taken out, or one with an old key that comes from elsewhere, whose bytes
     * have been taken from the memory budget. If its place is not loaded yet, and the store has it, it stays in memory no
     * longer than it must.
     */
    void giveBack(QueuedMessage message) {
        Lane lane = lane(message.key.order());
        message.excludeOnly(queue.subscribers());
        came(message);
        lane.last = Math.max(lane.last, message.sequence());
        if (message.sequence() > lane.loadedUpTo() && lane.beyond > 0) {
            lane.putAhead(message);
            lane.changes++;
        } else {
            lane.put(message);
            restrictions.entered(message);
        }
        queue.cameBack(message);
        if (message.ahead) {
            ahead.leaveToStore(List.of(message));
        }
    }

    /** A run of the store brings a message in, in its turn, unless it is there already. */
    void load(Lane lane, StoredMessage stored) {
        long sequence = stored.key().sequence();
        if (sequence <= lane.loadedUpTo()) {
            return;
        }
        boolean known = lane.knows(sequence);
        lane.loadedUpTo(sequence, restrictions::entered);
        if (!known) {
            QueuedMessage message = QueuedMessage.revive(queue, stored);
            loop.memory().take(message.size());
            lane.arrived(message);
            came(message);
            notBeyond(lane, message);
        }
    }

    /** The store does not have what is counted beyond. */
    void mend(Lane lane) {
        long bytes = beyondBytes / beyond * lane.beyond;
        queue.lost(lane.beyond, bytes);
        beyond -= lane.beyond;
        beyondBytes -= bytes;
        lane.beyond = 0;
    }

    /** Reads ahead, if there is something to read and somebody to read it for. */
    void refill() {
        readAhead.refill();
    }

    /** Brings the first message in although nobody wants it, so that its age is known. */
    void lookAhead() {
        readAhead.lookAhead();
    }

    /** Whether what is in memory is all that there is to be had now. */
    boolean readsNoMore() {
        return beyond == 0 || restrictions.tooMany();
    }

    /** The usual size of those beyond in memory, if one of them is brought in. */
    long usualBytesBeyond() {
        return beyond == 0 ? 0 : Math.min(beyondBytes / beyond, loop.memory().mostInOnePiece());
    }

    /** How much is to be read of the store at a time: no more than there is, and the more, the more memory there is. */
    long runBytes(long most) {
        return Math.max(1, loop.memory().runBytes(Math.min(most, bytesBeyond())));
    }

    private long bytesBeyond() {
        return beyondBytes + beyond * MemoryBudget.OVERHEAD_BYTES;
    }

    /** All that waits for consumers, in memory and beyond. */
    long aheadBytes() {
        return availableBytes() + available() * MemoryBudget.OVERHEAD_BYTES + bytesBeyond();
    }

    long beyond() {
        return beyond;
    }

    /** Forgets everything; the queue is deleted. */
    void clear() {
        for (Lane lane : lanes) {
            lane.clear(message -> loop.memory().release(message.size()));
        }
        available = 0;
        occupancy.clear();
        restrictions.clear();
        beyond = 0;
        beyondBytes = 0;
        pace.end();
    }
}
