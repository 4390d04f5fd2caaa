package io.millrace.journal.h2;

import java.util.Optional;
import org.h2.mvstore.MVStore;

/**
 * What the journal thread does when nobody waits: removes what is left of deleted queues, and gives space back.
 *
 * <p>Always a small step, so that a batch that comes meanwhile waits for milliseconds. H2's own housekeeping is not used:
 * it runs on a thread of its own and commits when it likes.
 */
final class Upkeep {
    static final int PURGE_ENTRIES = 1_000;
    private static final int REWRITE_BYTES = 1 << 20;
    private static final long MOVE_BYTES = 4 << 20;
    private static final long SMALL_STORE_BYTES = 16 << 20;
    private static final int GOOD_FILL_PERCENT = 75;

    private final MVStore store;
    private final SealedFileStore file;
    private final Tables tables;
    private long leastBytes = Long.MAX_VALUE;
    private int vain;

    Upkeep(StoreFile file, Tables tables) {
        this.store = file.store();
        this.file = file.file();
        this.tables = tables;
    }

    /** There were commits, so there may be something to gain again. */
    void wake() {
        vain = 0;
        leastBytes = Long.MAX_VALUE;
    }

    /** Removes some entries of a deleted queue; whether there were any. The caller commits. */
    boolean purge() {
        Optional<Long> queue = tables.deletedQueue();
        queue.ifPresent(number -> tables.purge(number, PURGE_ENTRIES));
        return queue.isPresent();
    }

    /**
     * Gives some space back, if there is enough to gain: first pages that still hold something are taken out of commits
     * that are mostly dead, then commits at the end of the file move into the holes.
     *
     * @return whether it did something; the caller commits
     */
    boolean compact() {
        if (file.size() < SMALL_STORE_BYTES || vain >= 3) {
            return false;
        }
        if (file.getChunksFillRate() < GOOD_FILL_PERCENT) {
            store.compact(GOOD_FILL_PERCENT, REWRITE_BYTES);
        } else if (file.getFillRate() < GOOD_FILL_PERCENT) {
            file.compactMoveChunks(GOOD_FILL_PERCENT, MOVE_BYTES, store);
        } else {
            vain = 3;
            return false;
        }
        long bytes = file.usedBytes() + file.size();
        vain = bytes < leastBytes ? 0 : vain + 1;
        leastBytes = Math.min(bytes, leastBytes);
        return true;
    }
}
