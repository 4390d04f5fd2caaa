package io.millrace.queue;

import io.millrace.journal.MessageKey;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which consumer has which message groups: the one that takes the first message of a group gets all of it, in order, as long
 * as it is there (JMS 3.1, section 3.5.10, JMSXGroupID). Owned by the queue.
 *
 * <p>Groups are told apart by a hash of their id, so that however many there are, little is remembered; two groups with the
 * same hash go to the same consumer. When a consumer comes, every group is free to move as soon as none of its deliveries is
 * unsettled, and until then rests; when one goes, its groups are free. A message whose group-sequence is negative closes its
 * group in the same way. Nothing is done here before the first message with a group-id is seen.
 */
final class Groups {
    private static final int HASHES = 1 << 14;

    private final Queue queue;
    private final Map<Integer, Binding> bindings = new HashMap<>();
    private boolean seen;

    /** A group has a consumer. */
    private static final class Binding {
        final Subscriber owner;
        int unsettled;

        /** It is to be free when nothing of it is unsettled; nobody gets any of it before. */
        boolean ending;

        Binding(Subscriber owner) {
            this.owner = owner;
        }
    }

    Groups(Queue queue) {
        this.queue = queue;
    }

    /** Whether there are or were any. */
    boolean exist() {
        return seen;
    }

    /** A message is in memory, maybe the first one of a group. */
    void sees(QueuedMessage message) {
        if (!seen && !message.message.groupId().isEmpty()) {
            seen = true;
            queue.subscribers().forEach(subscriber -> {
                if (!subscriber.browse) {
                    subscriber.search();
                }
            });
        }
    }

    /** A hash of the group of a message, 1 or more; 0 if it has none. */
    private static int hash(QueuedMessage message) {
        if (message.group < 0) {
            String id = message.message.groupId();
            int hash = id.hashCode() * 0x9e3779b9;
            message.group = id.isEmpty() ? 0 : 1 + (hash >>> 16) % HASHES;
        }
        return message.group;
    }

    /** Whether a consumer may have a message now. If not, it passes it over, and is sent back when that changes. */
    boolean allow(Subscriber subscriber, QueuedMessage message) {
        if (!seen || hash(message) == 0) {
            return true;
        }
        Binding binding = bindings.get(message.group);
        if (binding == null || (binding.owner == subscriber && !binding.ending)) {
            return true;
        }
        long[] passedOver = binding.owner.passedOver();
        int order = message.key.order();
        passedOver[order] = Math.min(passedOver[order], message.sequence());
        return false;
    }

    /** A consumer has got a message. */
    void acquired(QueuedMessage message, Subscriber subscriber) {
        if (seen && hash(message) != 0) {
            Binding binding = bindings.computeIfAbsent(message.group, hash -> new Binding(subscriber));
            binding.unsettled++;
            binding.ending |= message.message.groupSequence() < 0;
        }
    }

    /** A consumer has settled a message, or is gone. */
    void letGo(QueuedMessage message) {
        if (seen && hash(message) != 0) {
            Binding binding = bindings.get(message.group);
            if (binding != null && binding.owner == message.holder) {
                binding.unsettled--;
                if (binding.ending && binding.unsettled == 0) {
                    bindings.remove(message.group);
                    sendBack(binding.owner);
                }
            }
        }
    }

    /** A consumer has come, and is to have its share. */
    void subscribed() {
        List<Subscriber> owners = new ArrayList<>();
        bindings.values().removeIf(binding -> {
            binding.ending = true;
            owners.add(binding.owner);
            return binding.unsettled == 0;
        });
        owners.stream().distinct().forEach(this::sendBack);
    }

    /** A consumer is gone, and holds nothing any more. */
    void unsubscribed(Subscriber subscriber) {
        if (seen) {
            bindings.values().removeIf(binding -> binding.owner == subscriber);
            sendBack(subscriber);
        }
    }

    /** All look again at what was passed over for this consumer. */
    private void sendBack(Subscriber owner) {
        long[] passedOver = owner.passedOver();
        for (Subscriber subscriber : queue.subscribers()) {
            for (int order = 0; subscriber.searches() && order < MessageKey.LANES; order++) {
                if (passedOver[order] <= subscriber.passed[order]) {
                    subscriber.passed[order] = passedOver[order] - 1;
                }
            }
        }
        Arrays.fill(passedOver, Long.MAX_VALUE);
    }
}
