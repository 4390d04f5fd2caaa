package io.millrace.queue;

/** What a queue counts. Owned by the queue. */
final class Tally {
    /** Where its sequences go on. */
    final long firstSequence;

    long messages;
    long bytes;

    /** Deliveries that are with consumers. */
    long unsettled;

    long enqueued;
    long redelivered;
    long refused;

    /** Something of it has been in the store. */
    boolean inStore;

    Tally(Backlog backlog) {
        this.firstSequence = backlog.nextSequence();
        this.messages = backlog.messages();
        this.bytes = backlog.bytes();
    }
}
