package io.millrace.journal.h2;

import io.millrace.journal.Journal.RecoveredNode;
import java.util.List;

/**
 * A store that is open, and has in its maps all that was answered before.
 *
 * @param file of the maps
 * @param tables the maps
 * @param log of small commits, which the file may not have yet
 * @param nodes what there was when it was opened
 */
record OpenStore(StoreFile file, Tables tables, WriteAheadLog log, List<RecoveredNode> nodes) {

    static OpenStore open(H2Journal.Options options, Space space) {
        StoreFile file = StoreFile.open(options, space::giveReserve);
        boolean done = false;
        try {
            Tables tables = new Tables(file.store());
            tables.clearTemporary();
            WriteAheadLog log = WriteAheadLog.open(options, file.file(), space::giveReserve, fact -> {
                tables.noteSequences(fact);
                tables.apply(fact);
            });
            OpenStore open = new OpenStore(file, tables, log, List.copyOf(tables.nodes()));
            done = true;
            return open;
        } finally {
            if (!done) {
                file.store().closeImmediately();
            }
        }
    }

    /** As it is, as a crash would. */
    void abandon() {
        file.store().closeImmediately();
        log.close();
    }

    /** Whole, so that the next start needs no log. */
    void close() {
        file.store().close();
        log.close();
    }
}
