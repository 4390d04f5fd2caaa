package io.millrace.queue;

import io.millrace.journal.MessageKey;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;

/**
 * Scheduled messages that have left the store, for as long as a read of it may still show them. Owned by the queue.
 */
final class Departed {
    private final Recorder recorder;
    private final Reads reads;
    private Set<MessageKey> keys = Collections.emptySet();

    Departed(Recorder recorder, Reads reads) {
        this.recorder = recorder;
        this.reads = reads;
    }

    /** Whether what was read is not there any more. */
    boolean contains(MessageKey key) {
        return !keys.isEmpty() && keys.contains(key);
    }

    /** The message leaves, by a fact that has been recorded. */
    void add(MessageKey key) {
        leaving(key);
        recorder.whenDurable(() -> left(key));
    }

    /** The message leaves, by a fact that somebody else records. */
    void leaving(MessageKey key) {
        keys = keys.isEmpty() ? new HashSet<>() : keys;
        keys.add(key);
    }

    /** That fact is durable. */
    void left(MessageKey key) {
        reads.after(() -> keys.remove(key));
    }
}
