package io.millrace.queue;

import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads messages of a queue from the store into its window ahead of need, lane by lane, a run at a time each. Owned by the
 * queue.
 */
final class ReadAhead {
    private static final Logger log = LoggerFactory.getLogger(ReadAhead.class);

    private static final int LOW_MESSAGES = 512;
    private static final int RUN_MESSAGES = 1024;
    private static final long RUN_BYTES = 4 << 20;
    private static final int SHARE_IN_NEED = 8;
    private static final int WORTHWHILE = 8;
    private static final long NEVER = -1;

    private final Queue queue;
    private final Window window;
    private final LoopResources loop;
    private final Runnable refill = this::refill;

    ReadAhead(Queue queue, Window window, LoopResources loop) {
        this.queue = queue;
        this.window = window;
        this.loop = loop;
    }

    /** Reads what is to be read, if there is somebody to read it for. */
    void refill() {
        for (Lane lane : window.lanes()) {
            refill(lane);
        }
    }

    void refill(Lane lane) {
        boolean enough = lane.beyond == 0 || lane.arrivals() >= LOW_MESSAGES;
        if (enough || lane.loading || lane.nothingToRead || !queue.wantsMessages(false)) {
            return;
        }
        if (window.restrictions().tooMany()) {
            return;
        }
        long room = window.roomBytes();
        if (room > worthwhile(lane)) {
            // There is something around each message, too.
            load(lane, RUN_MESSAGES, window.runBytes(Math.min(room - room / 4, RUN_BYTES)));
        } else if (!lane.hasFree() && queue.wantsMessages(true)) {
            readInNeed(lane);
        }
    }

    /** Room for less than this is not worth a read: for a message at least, and as long as there are others for many. */
    private long worthwhile(Lane lane) {
        long one = window.usualBytesBeyond() + MemoryBudget.OVERHEAD_BYTES;
        return lane.hasFree() ? Math.max(one, window.availableBytes() / WORTHWHILE) : one;
    }

    /** There is no memory for what may be wanted, but somebody waits: a little is read, if there is any memory at all. */
    private void readInNeed(Lane lane) {
        if (loop.memory().takesInNeed(window.usualBytesBeyond())) {
            load(lane, RUN_MESSAGES, window.runBytes(RUN_BYTES) / SHARE_IN_NEED + 1);
        } else {
            loop.memory().whenPlentiful(refill);
        }
    }

    /** Brings the first message of each lane in although nobody wants it, if there is none. */
    void lookAhead() {
        if (window.available() > 0 || window.roomBytes() <= 0) {
            return;
        }
        for (Lane lane : window.lanes()) {
            if (!lane.loading && lane.beyond > 0) {
                load(lane, 1, 1);
            }
        }
    }

    private void load(Lane lane, int most, long mostBytes) {
        lane.loading = true;
        long sureIf = lane.beyondUnwritten == 0 ? lane.changes : NEVER;
        long read = window.reads().begin();
        MessageKey from = new MessageKey(queue.number(), lane.order, lane.loadedUpTo());
        loop.recorder().flush();
        loop.read(from, most, mostBytes, run -> {
            lane.loading = false;
            if (!queue.deleted()) {
                loaded(lane, run, sureIf);
            }
            window.reads().end(read);
        });
    }

    private void loaded(Lane lane, List<StoredMessage> run, long sureIf) {
        List<StoredMessage> decided = lane.decided(run);
        decided.forEach(stored -> window.load(lane, stored));
        lane.nothingToRead = decided.isEmpty() && (lane.beyondUnwritten > 0 || lane.firstUndecided() != Long.MAX_VALUE);
        if (run.isEmpty() && sureIf == lane.changes && lane.beyond > 0) {
            log.error(
                    "queue '{}': {} messages are counted after sequence {} of lane {} but the store has none;"
                            + " the count is mended",
                    queue.address(),
                    lane.beyond,
                    lane.loadedUpTo(),
                    lane.order);
            window.mend(lane);
        }
        window.completeIfAllThere(lane);
        queue.refreshed();
        refill(lane);
    }
}
