package io.millrace.queue;

import io.millrace.config.QueueSettings.Consumers;
import io.millrace.message.Condition;
import java.util.Comparator;
import java.util.Optional;

/**
 * How the consumers of a queue share it: all of them, one at a time, or only one. Owned by the queue.
 *
 * <p>Where one is served at a time, it is the one with the highest priority, of several the one that came first. When
 * another takes over, it gets nothing before all that the former one holds is settled or back, so that order holds.
 */
final class Sharing {
    private final Queue queue;
    private final Consumers kind;

    /** The one that is served, and its predecessor as long as it is there and holds something. Both may be null. */
    private Subscriber active;

    private Subscriber former;

    Sharing(Queue queue, Consumers kind) {
        this.queue = queue;
        this.kind = kind;
    }

    /** Why no further consumer is let in; empty if one is. */
    Optional<Condition> refusal() {
        boolean taken =
                kind == Consumers.EXCLUSIVE && queue.subscribers().stream().anyMatch(each -> !each.browse);
        return taken
                ? Optional.of(new Condition(
                        Condition.RESOURCE_LOCKED,
                        "queue '" + queue.address() + "' takes one consumer at a time and has one: "
                                + "detach that one first, or configure the queue with consumers: shared"))
                : Optional.empty();
    }

    /** Whether a consumer is served now. */
    boolean serves(Subscriber subscriber) {
        return kind != Consumers.SINGLE_ACTIVE || (subscriber == active && former == null);
    }

    /** Consumers have come or gone, or something was settled. Returns the consumer that is served from now on, if it was not before. */
    Optional<Subscriber> changed() {
        if (kind != Consumers.SINGLE_ACTIVE) {
            return Optional.empty();
        }
        Subscriber first = queue.subscribers().stream()
                .filter(each -> !each.browse)
                .max(Comparator.comparingInt(each -> each.priority))
                .orElse(null);
        boolean before = first != null && serves(first);
        if (first != active && former == null) {
            former = active;
        }
        active = first;
        if (former != null && (former == active || former.held() == 0 || !queue.subscribed(former))) {
            former = null;
        }
        return first == null || before || !serves(first) ? Optional.empty() : Optional.of(first);
    }
}
