package io.millrace.queue;

import io.millrace.journal.StoredMessage;
import java.util.List;

/**
 * Brings messages into memory ahead of what a window has loaded, and lets them go to the store again. Owned by the queue.
 *
 * <p>What the store shows lags behind what is recorded. So a message that was taken out ahead is remembered by its lane until
 * its removal is durable and every read has ended that may still show it; and one that goes back to the store is kept in
 * memory until every read shows it.
 */
final class Ahead {
    private final Queue queue;
    private final Window window;
    private final LoopResources loop;

    Ahead(Queue queue, Window window, LoopResources loop) {
        this.queue = queue;
        this.window = window;
        this.loop = loop;
    }

    /**
     * Takes out a message that a {@linkplain Window#reads read} of the store has shown, for it to be acquired, moved or
     * removed.
     *
     * @return null if it is acquired or gone already
     */
    QueuedMessage claim(StoredMessage stored) {
        Lane lane = window.lane(stored.key().order());
        if (lane.knows(stored.key().sequence())) {
            QueuedMessage message = lane.find(stored.key().sequence());
            if (message != null) {
                window.remove(message);
            }
            return message;
        }
        QueuedMessage message = QueuedMessage.revive(queue, stored);
        bring(message);
        window.remove(message);
        window.completeIfAllThere(lane);
        return message;
    }

    /** Makes a message available that is beyond what is loaded, which a read of the store has shown. */
    void bring(QueuedMessage message) {
        Lane lane = window.lane(message.key.order());
        loop.memory().take(message.size());
        lane.putAhead(message);
        window.came(message);
        window.notBeyond(lane, message);
        lane.changes++;
    }

    /** A message arrives after others that are beyond, and stays in memory, for somebody wants it. */
    void arrived(QueuedMessage message) {
        Lane lane = window.lane(message.key.order());
        lane.last = message.sequence();
        lane.putAhead(message);
        window.came(message);
        lane.changes++;
    }

    /** Messages that are ahead of what is loaded, and wanted by nobody, go out of memory as soon as every read shows them. */
    void leaveToStore(List<QueuedMessage> messages) {
        List<QueuedMessage> leaving = messages.stream().filter(this::mayLeave).toList();
        if (!leaving.isEmpty()) {
            loop.recorder().whenDurable(() -> window.reads().after(() -> leaving.forEach(this::leave)));
        }
    }

    private boolean mayLeave(QueuedMessage message) {
        // What the store does not know of it (a change of one that is not durable, a release) is kept while there is
        // memory.
        boolean asStored = !message.acquiredBefore
                || (message.durable
                        && (message.deliveryCount > 0 || loop.memory().scarce()));
        return message.place == Lane.AHEAD && message.stored && message.candidates.isEmpty() && asStored;
    }

    private void leave(QueuedMessage message) {
        if (mayLeave(message) && !queue.deleted()) {
            Lane lane = window.lane(message.key.order());
            lane.forgetAhead(message);
            window.left(message);
            loop.memory().release(message.size());
            window.isBeyond(lane, message);
            lane.nothingToRead = false;
            window.refill(lane);
        }
    }

    /** A message that was taken out is gone for good, as far as is recorded. */
    void gone(QueuedMessage message) {
        if (message.ahead) {
            Lane lane = window.lane(message.key.order());
            loop.recorder().whenDurable(() -> window.reads().after(() -> lane.forgetAhead(message)));
        }
    }
}
