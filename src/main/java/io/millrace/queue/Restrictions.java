package io.millrace.queue;

import java.util.Arrays;
import java.util.List;

/**
 * The available messages that some consumer refused for itself (modified, undeliverable-here; AMQP 1.0, part 3, section
 * 3.4.5), and who may have them instead. Owned by the queue.
 */
final class Restrictions {
    private static final int SHARES = 2;
    private static final int ALWAYS = 8;

    private final Queue queue;
    private final Window window;
    private final MemoryBudget memory;
    private int count;
    private long bytes;

    Restrictions(Queue queue, Window window, MemoryBudget memory) {
        this.queue = queue;
        this.window = window;
        this.memory = memory;
    }

    boolean isEmpty() {
        return count == 0;
    }

    /** A message has got a place; if it is restricted, those are told that may have it. */
    void entered(QueuedMessage message) {
        if (message.place == Lane.RESTRICTED) {
            count++;
            bytes += message.size();
            queue.subscribers().forEach(subscriber -> reserve(message, subscriber));
        }
    }

    void left(QueuedMessage message) {
        count--;
        bytes -= message.size();
    }

    private static void reserve(QueuedMessage message, Subscriber subscriber) {
        // One that searches comes to it by itself.
        if (!subscriber.searches() && !message.excludes(subscriber)) {
            subscriber.reserve(message);
        }
    }

    void subscribed(Subscriber subscriber) {
        for (Lane lane : window.lanes()) {
            lane.restrictedMessages().forEach(message -> reserve(message, subscriber));
            window.refill(lane);
        }
    }

    void unsubscribed(Subscriber subscriber) {
        List<QueuedMessage> wanted = List.copyOf(subscriber.reserved.values());
        wanted.forEach(subscriber::unreserve);
        window.ahead().leaveToStore(wanted);
        for (Lane lane : window.lanes()) {
            for (QueuedMessage message : List.copyOf(lane.restrictedMessages())) {
                if (message.readmit(subscriber)) {
                    lane.remove(message);
                    left(message);
                    lane.put(message);
                }
            }
        }
    }

    /** How many messages are refused by every consumer there is. */
    long parked() {
        return Arrays.stream(window.lanes())
                .flatMap(lane -> lane.restrictedMessages().stream())
                .filter(message -> queue.subscribers().stream().allMatch(message::excludes))
                .count();
    }

    /** A consumer that refuses whatever it gets must not bring the whole queue into memory. */
    boolean tooMany() {
        return count > ALWAYS && bytes > SHARES * memory.shareBytes();
    }

    void clear() {
        count = 0;
        bytes = 0;
    }
}
