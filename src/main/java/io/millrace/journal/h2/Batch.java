package io.millrace.journal.h2;

import io.millrace.journal.Fact;
import java.util.List;
import java.util.concurrent.Executor;

/** Facts that are to be kept together, and whom to tell when they are. */
record Batch(List<Fact> facts, Executor loop, Runnable durable) {
    private static final Executor NOBODY = task -> {};

    /** Facts for which nobody waits. */
    static Batch unawaited(List<Fact> facts) {
        return new Batch(facts, NOBODY, () -> {});
    }

    /** Whether somebody waits for it. */
    boolean awaited() {
        return loop != NOBODY;
    }
}
