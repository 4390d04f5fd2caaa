package io.millrace.queue;

/**
 * What the store holds of a queue when the broker starts.
 *
 * @param messages how many
 * @param bytes their sizes
 * @param nextSequence the sequence of the next message to arrive; at least 1
 */
public record Backlog(long messages, long bytes, long nextSequence) {
    public static final Backlog NONE = new Backlog(0, 0, 1);
}
