package io.millrace.journal.h2;

import io.millrace.journal.MessageKey;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.h2.mvstore.Cursor;
import org.h2.mvstore.MVMap;
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
    private static final int VAIN_STEPS = 8;
    private static final int GOOD_FILL_PERCENT = 75;
    private static final int POOR_FILL_PERCENT = 50;
    private static final MessageKey START = new MessageKey(0, 0, 0);
    private static final BodyKey START_PART = new BodyKey(0, 0);

    private final MVStore store;
    private final SealedFileStore file;
    private final Tables tables;
    private final long compactAboveBytes;
    private long leastBytes = Long.MAX_VALUE;
    private int vain;
    private boolean settled = true;
    private MessageKey rewritten = START;
    private BodyKey rewrittenPart = START_PART;
    private boolean inBodies;

    Upkeep(StoreFile file, Tables tables, long compactAboveBytes) {
        this.compactAboveBytes = compactAboveBytes;
        this.store = file.store();
        this.file = file.file();
        this.tables = tables;
    }

    /** There were commits, so there may be something to gain again. */
    void wake() {
        settled = false;
        vain = 0;
        leastBytes = Long.MAX_VALUE;
    }

    /** Removes some entries of a deleted queue, or some parts of bodies; whether there were any. The caller commits. */
    boolean purge() {
        Optional<Long> queue = tables.deletedQueue();
        queue.ifPresent(number -> tables.purge(number, PURGE_ENTRIES));
        return queue.isPresent() || tables.shared.purge();
    }

    /** Frees what the last commit left behind, which H2 does only with the next one. The caller commits. */
    boolean settle() {
        boolean due = !settled;
        if (due) {
            store.executeFilestoreOperation(file::dropUnusedChunks);
            settled = true;
        }
        return due;
    }

    /**
     * Gives some space back, if there is enough to gain: pages that still hold something are taken out of commits that are
     * mostly dead; and when the file has large holes, messages are written again, which puts them into the holes. These
     * are commits like any other. H2's way to move chunks is not: it overwrites the newest one before the next is synced.
     *
     * @return whether it did something; the caller commits
     */
    boolean compact() {
        if (file.size() < compactAboveBytes || vain >= VAIN_STEPS) {
            return false;
        }
        boolean deadPages = file.getChunksFillRate() < GOOD_FILL_PERCENT;
        boolean holes = file.getFillRate() < POOR_FILL_PERCENT;
        // A commit that holds nothing but pages of empty maps is never taken up by H2, so what comes next must have its
        // turn.
        if (deadPages && (vain % 2 == 0 || !holes)) {
            store.compact(GOOD_FILL_PERCENT, REWRITE_BYTES);
        } else if (holes) {
            rewriteSome();
        } else {
            vain = VAIN_STEPS;
            return false;
        }
        long bytes = file.usedBytes() + file.size();
        vain = bytes < leastBytes ? 0 : vain + 1;
        leastBytes = Math.min(bytes, leastBytes);
        return true;
    }

    /** Each pass over all messages and bodies costs what they hold and, as the file is less than half full, gains more. */
    private void rewriteSome() {
        long left = REWRITE_BYTES;
        if (!inBodies) {
            Cursor<MessageKey, MessageRecord> run = tables.messages.cursor(rewritten);
            Map<MessageKey, MessageRecord> some = new LinkedHashMap<>();
            while (left > 0 && run.hasNext()) {
                rewritten = run.next();
                some.put(rewritten, run.getValue());
                left -= run.getValue().size();
            }
            some.forEach(tables::rewrite);
            inBodies = !run.hasNext();
        }
        if (inBodies) {
            rewriteBodies(left);
        }
    }

    private void rewriteBodies(long bytes) {
        MVMap<BodyKey, PartRecord> parts = tables.shared.parts();
        Cursor<BodyKey, PartRecord> run = parts.cursor(rewrittenPart);
        Map<BodyKey, PartRecord> some = new LinkedHashMap<>();
        for (long left = bytes; left > 0 && run.hasNext(); ) {
            rewrittenPart = run.next();
            some.put(rewrittenPart, run.getValue());
            left -= run.getValue().bytes().length;
        }
        some.forEach(parts::put);
        if (!run.hasNext()) {
            inBodies = false;
            rewritten = START;
            rewrittenPart = START_PART;
        }
    }
}
