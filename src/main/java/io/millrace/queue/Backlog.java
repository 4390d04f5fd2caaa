package io.millrace.queue;

import io.millrace.journal.Fact;
import io.millrace.journal.Journal.Lane;
import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.journal.MessageKey;
import java.util.List;

/**
 * What the store holds of a queue when the broker starts.
 *
 * @param bytes sizes of its messages
 * @param lanes how many messages each lane has; those without any are left out
 * @param nextSequence the sequence of the next message to arrive; at least 1
 * @param identities of messages it took in, oldest first
 */
public record Backlog(long bytes, List<Lane> lanes, long nextSequence, List<Fact.IdentitySeen> identities) {
    public static final Backlog NONE = new Backlog(0, List.of(), 1, List.of());

    /** What was found of it. */
    public static Backlog of(RecoveredNode node) {
        return new Backlog(node.bytes(), node.lanes(), Math.max(1, node.nextSequence()), node.identities());
    }

    /** Those that wait for their time. */
    long scheduled() {
        return lanes.stream()
                .filter(lane -> lane.order() == MessageKey.SCHEDULED)
                .mapToLong(Lane::messages)
                .sum();
    }

    /** All messages. */
    public long messages() {
        return lanes.stream().mapToLong(Lane::messages).sum();
    }
}
