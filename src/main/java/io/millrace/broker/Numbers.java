package io.millrace.broker;

/** Gives queues, topics and subscriptions their numbers in the store, none twice. Owned by the home loop. */
final class Numbers {
    /** Numbers of what never gets to the store start here, so that they never meet those of what does. */
    private static final long FIRST_TEMPORARY = 1L << 40;

    private long next = 1;
    private long nextTemporary = FIRST_TEMPORARY;

    /** This one is in use already. */
    void used(long number) {
        next = Math.max(next, number + 1);
    }

    /** For what is declared to the journal. */
    long next() {
        return next++;
    }

    /** What {@link #next} will give. */
    long peek() {
        return next;
    }

    /** For what is not. */
    long nextTemporary() {
        return nextTemporary++;
    }
}
