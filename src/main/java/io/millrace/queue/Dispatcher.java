package io.millrace.queue;

import java.util.ArrayDeque;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * Hands messages to consumers: oldest message first, consumers with credit in turn, one message each. Owned by the queue.
 *
 * <p>A consumer is in the line while it has credit and can take deliveries; one that cannot leaves the line and comes back
 * with its next credit, {@code resume} or settlement, so none is looked at in vain.
 */
final class Dispatcher {
    private static final int ALWAYS_HELD_BYTES = 256 << 10;

    private final Queue queue;
    private final Window window;
    private final MemoryBudget memory;
    private final ArrayDeque<Subscriber> line = new ArrayDeque<>();
    private final ArrayDeque<Subscriber> draining = new ArrayDeque<>();
    private final Set<Subscriber> shortOfMemory = new LinkedHashSet<>();
    private final Runnable memoryBack = this::memoryBack;
    private boolean busy;

    Dispatcher(Queue queue, Window window, MemoryBudget memory) {
        this.queue = queue;
        this.window = window;
        this.memory = memory;
    }

    /** Something changed for this consumer: it may be able to take messages. */
    void lineUp(Subscriber subscriber) {
        if (!subscriber.inLine && canTake(subscriber)) {
            subscriber.inLine = true;
            line.add(subscriber);
        }
    }

    /** The consumer wants to be told when there is nothing more for it. */
    void drain(Subscriber subscriber) {
        if (!subscriber.draining) {
            subscriber.draining = true;
            draining.add(subscriber);
        }
    }

    void remove(Subscriber subscriber) {
        shortOfMemory.remove(subscriber);
        if (subscriber.inLine) {
            line.remove(subscriber);
        }
        if (subscriber.draining) {
            draining.remove(subscriber);
        }
    }

    private boolean canTake(Subscriber subscriber) {
        return subscriber.hasCredit() && subscriber.consumer.ready() && hasMemoryFor(subscriber);
    }

    /** A consumer that holds little always gets more; one that holds much, only while there is memory. */
    private boolean hasMemoryFor(Subscriber subscriber) {
        if (subscriber.heldBytes() < ALWAYS_HELD_BYTES || !memory.scarce()) {
            return true;
        }
        if (shortOfMemory.add(subscriber)) {
            memory.whenPlentiful(memoryBack);
        }
        return false;
    }

    private void memoryBack() {
        Set<Subscriber> served = new LinkedHashSet<>(shortOfMemory);
        shortOfMemory.clear();
        served.stream().filter(queue::subscribed).forEach(this::lineUp);
        dispatch();
    }

    /** Delivers what can be delivered. A call from within, by a consumer that settles at once, is taken up by the outer one. */
    void dispatch() {
        if (busy) {
            return;
        }
        busy = true;
        try {
            deliver();
            if (!draining.isEmpty()) {
                answerDrains();
            }
        } finally {
            busy = false;
        }
    }

    private void deliver() {
        int idle = 0;
        while (idle < line.size()) {
            Subscriber subscriber = line.poll();
            if (!canTake(subscriber)) {
                subscriber.inLine = false;
                continue;
            }
            line.add(subscriber);
            QueuedMessage message = window.first(subscriber);
            if (message != null) {
                idle = 0;
                window.take(message);
                queue.acquire(message, subscriber);
            } else if (window.restrictedCount() == 0) {
                return;
            } else {
                idle++;
            }
        }
    }

    private void answerDrains() {
        for (int i = draining.size(); i > 0; i--) {
            Subscriber subscriber = draining.poll();
            boolean nothing = window.first(subscriber) == null && window.beyond() == 0;
            if (nothing || shortOfMemory.contains(subscriber) || !subscriber.hasCredit()) {
                subscriber.draining = false;
                subscriber.limit = subscriber.delivered;
                subscriber.consumer.drained();
            } else {
                draining.add(subscriber);
            }
        }
    }
}
