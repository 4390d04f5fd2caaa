package io.millrace.queue;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Hands messages to consumers: oldest message first, consumers with credit in turn, one message each. Owned by the queue.
 *
 * <p>A consumer is in the line while it has credit and can take deliveries; one that cannot leaves the line and comes back
 * with its next credit, {@code resume} or settlement, so none is looked at in vain.
 */
final class Dispatcher {
    private final Queue queue;
    private final Window window;
    private final MemoryBudget memory;
    private final Search search;
    private final Sharing sharing;
    private final List<Rank> ranks = new ArrayList<>(1);
    private final ArrayDeque<Subscriber> draining = new ArrayDeque<>(0);
    private final Set<Subscriber> shortOfMemory = new LinkedHashSet<>();
    private final Runnable memoryBack = this::memoryBack;
    private boolean busy;
    private boolean again;

    /** The line of the consumers of one priority. */
    private record Rank(int priority, ArrayDeque<Subscriber> line) {}

    Dispatcher(Queue queue, Window window, Search search, Sharing sharing, MemoryBudget memory) {
        this.queue = queue;
        this.window = window;
        this.search = search;
        this.sharing = sharing;
        this.memory = memory;
    }

    /** Something changed for this consumer: it may be able to take messages. */
    void lineUp(Subscriber subscriber) {
        if (!subscriber.inLine && canTake(subscriber)) {
            subscriber.inLine = true;
            rank(subscriber.priority).add(subscriber);
        }
    }

    private ArrayDeque<Subscriber> rank(int priority) {
        int place = 0;
        while (place < ranks.size() && ranks.get(place).priority > priority) {
            place++;
        }
        if (place == ranks.size() || ranks.get(place).priority < priority) {
            ranks.add(place, new Rank(priority, new ArrayDeque<>()));
        }
        return ranks.get(place).line;
    }

    /** The consumer wants to be told when there is nothing more for it. */
    void drain(Subscriber subscriber) {
        if (!subscriber.draining) {
            subscriber.draining = true;
            draining.add(subscriber);
        }
    }

    /** The consumer has credit again, and does not want to be told any more. */
    void callOffDrain(Subscriber subscriber) {
        if (subscriber.draining) {
            subscriber.draining = false;
            draining.remove(subscriber);
        }
    }

    void remove(Subscriber subscriber) {
        shortOfMemory.remove(subscriber);
        if (subscriber.inLine) {
            rank(subscriber.priority).remove(subscriber);
        }
        if (ranks.size() > 1) {
            ranks.removeIf(rank -> rank.line.isEmpty());
        }
        callOffDrain(subscriber);
    }

    /** Whether somebody could have a message at once. */
    boolean awaitsMessages() {
        for (Rank rank : ranks) {
            Subscriber head = rank.line.peek();
            if (head != null && canTake(head)) {
                return true;
            }
        }
        return false;
    }

    private boolean canTake(Subscriber subscriber) {
        return subscriber.hasCredit()
                && sharing.serves(subscriber)
                && subscriber.consumer.ready()
                && hasMemoryFor(subscriber);
    }

    /** A consumer that holds little always gets more; one that holds much, only while there is memory. */
    private boolean hasMemoryFor(Subscriber subscriber) {
        if (memory.allowsToHold(subscriber.heldBytes())) {
            if (!shortOfMemory.isEmpty()) {
                shortOfMemory.remove(subscriber);
            }
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
            again = true;
            return;
        }
        busy = true;
        try {
            do {
                again = false;
                deliver();
                if (!draining.isEmpty()) {
                    answerDrains();
                }
            } while (again);
        } finally {
            busy = false;
        }
    }

    private void deliver() {
        int rank = 0;
        while (rank < ranks.size()) {
            // Whatever a delivery brought about, those of the highest priority come first again.
            rank = deliverOne(ranks.get(rank).line) ? 0 : rank + 1;
        }
    }

    /**
     * Hands a message to the first in line that can have one; false if there is none. Only who gets one goes to the end of the
     * line: one that waits for the few messages it wants has the longer turn then.
     */
    private boolean deliverOne(ArrayDeque<Subscriber> line) {
        Subscriber head = line.peek();
        while (head != null && !canTake(head)) {
            head.inLine = false;
            line.poll();
            head = line.peek();
        }
        QueuedMessage message = head == null ? null : first(head);
        if (message != null) {
            line.add(line.poll());
            handOver(message, head);
            return true;
        }
        return head != null && queue.servesEachOne() && deliverToOneBehind(line);
    }

    private boolean deliverToOneBehind(ArrayDeque<Subscriber> line) {
        Iterator<Subscriber> waiting = line.iterator();
        waiting.next();
        while (waiting.hasNext()) {
            Subscriber subscriber = waiting.next();
            boolean takes = canTake(subscriber);
            QueuedMessage message = takes ? first(subscriber) : null;
            if (!takes || message != null) {
                waiting.remove();
                subscriber.inLine = takes;
            }
            if (message != null) {
                line.add(subscriber);
                handOver(message, subscriber);
                return true;
            }
        }
        return false;
    }

    private void handOver(QueuedMessage message, Subscriber subscriber) {
        window.remove(message);
        queue.acquire(message, subscriber);
    }

    private QueuedMessage first(Subscriber subscriber) {
        return subscriber.searches() ? search.first(subscriber) : window.first(subscriber);
    }

    private boolean hasNothingFor(Subscriber subscriber) {
        return !sharing.serves(subscriber)
                || (first(subscriber) == null
                        && (subscriber.searches() ? !subscriber.searching : window.readsNoMore()));
    }

    private void answerDrains() {
        for (Subscriber subscriber : draining.toArray(new Subscriber[0])) {
            if (!subscriber.draining) {
                continue;
            }
            if (hasNothingFor(subscriber) || shortOfMemory.contains(subscriber) || !subscriber.hasCredit()) {
                callOffDrain(subscriber);
                subscriber.voidCredit();
                subscriber.consumer.drained();
            }
        }
    }
}
