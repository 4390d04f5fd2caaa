package io.millrace.journal.h2;

import io.millrace.journal.JournalException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The end of a journal that cannot go on: nobody is called back any more, and the broker is told, once. Any thread. */
final class Failure {
    private static final Logger LOG = LoggerFactory.getLogger(Failure.class);

    private final Handover handover;
    private final Consumer<JournalException> onFailure;
    private final AtomicBoolean happened = new AtomicBoolean();

    Failure(Handover handover, Consumer<JournalException> onFailure) {
        this.handover = handover;
        this.onFailure = onFailure;
    }

    boolean happened() {
        return happened.get();
    }

    void report(JournalException failure) {
        if (happened.compareAndSet(false, true)) {
            LOG.error("{}", failure.getMessage(), failure);
            handover.close();
            onFailure.accept(failure);
        }
    }
}
