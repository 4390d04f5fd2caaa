package io.millrace.journal.h2;

import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.journal.JournalException;
import java.util.List;
import java.util.Optional;
import org.h2.mvstore.MVStoreException;

/**
 * A store that is open, and has in its maps all that was answered before.
 *
 * @param file of the maps
 * @param tables the maps
 * @param log of small commits, which the file may not have yet
 * @param nodes what there was when it was opened
 */
record OpenStore(StoreFile file, Tables tables, WriteAheadLog log, List<RecoveredNode> nodes) {

    /** @throws JournalException when it cannot be opened: the message says why and what to do */
    static OpenStore open(H2Journal.Options options, Space space) {
        StoreFile file = StoreFile.open(options, space::giveReserve);
        Optional<WriteAheadLog> log = Optional.empty();
        boolean done = false;
        try {
            Tables tables = new Tables(file.store());
            tables.clearTemporary();
            log = Optional.of(WriteAheadLog.open(options, file.file(), space::giveReserve, fact -> {
                tables.noteSequences(fact);
                tables.apply(fact);
            }));
            OpenStore open = new OpenStore(file, tables, log.get(), List.copyOf(tables.nodes()));
            done = true;
            return open;
        } catch (MVStoreException e) {
            throw StoreFile.explained(options, e);
        } finally {
            if (!done) {
                log.ifPresent(WriteAheadLog::close);
                file.store().closeImmediately();
            }
        }
    }

    /** As it is, as a crash would. */
    void abandon() {
        try {
            file.store().closeImmediately();
        } finally {
            log.close();
        }
    }

    /** Whole, so that the next start needs no log. */
    void close() {
        file.store().close();
        log.close();
    }
}
