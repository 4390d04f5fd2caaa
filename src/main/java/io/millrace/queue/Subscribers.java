package io.millrace.queue;

import io.millrace.config.QueueSettings;
import io.millrace.message.Condition;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The consumers of a queue: they come, are granted credit, and go. Owned by the queue.
 *
 * <p>There are three kinds: those that acquire what the {@link Dispatcher} hands them, browsers, and, in a queue that keeps
 * what is consumed, those that are shown everything and go on with what arrives; the {@link Browsing} serves the last two.
 */
final class Subscribers {
    private final Queue queue;
    private final boolean replay;
    private final Window window;
    private final Groups groups;
    private final Dispatcher dispatcher;
    private final Browsing browsing;
    private final Sharing sharing;
    private final MemoryBudget memory;

    private final Map<Consumer, Subscriber> all = new LinkedHashMap<>();
    private int browsers;
    private int acquiring;
    private int filtering;

    Subscribers(Queue queue, QueueSettings settings, Window window, Groups groups, Search search, LoopResources loop) {
        this.queue = queue;
        this.replay = settings.replay();
        this.window = window;
        this.groups = groups;
        this.sharing = new Sharing(queue, settings.consumers());
        this.memory = loop.memory();
        this.dispatcher = new Dispatcher(queue, window, search, sharing, memory);
        this.browsing = new Browsing(queue, window, loop);
    }

    Collection<Subscriber> all() {
        return all.values();
    }

    boolean has(Subscriber subscriber) {
        return all.get(subscriber.consumer) == subscriber;
    }

    /** Null if it is not there. */
    Subscriber of(Consumer consumer) {
        return all.get(consumer);
    }

    /** Those that are no browsers. */
    int count() {
        return all.size() - browsers;
    }

    /** Whether one is there that acquires messages. */
    boolean acquire() {
        return acquiring > 0;
    }

    /** Whether one is there that could have a message at once. */
    boolean awaitMessages() {
        return dispatcher.awaitsMessages();
    }

    /** Whether one is there that searches. */
    boolean search() {
        return filtering > 0 || (acquiring > 0 && groups.exist());
    }

    void attach(Consumer consumer, Selection selection, long lastSequence) {
        Optional<Condition> refusal = selection.browse() ? Optional.empty() : sharing.refusal();
        if (refusal.isPresent()) {
            consumer.closed(refusal.get());
            return;
        }
        Subscriber subscriber = new Subscriber(consumer, selection, selection.browse() || replay, memory);
        all.put(consumer, subscriber);
        if (subscriber.browse) {
            browsers += selection.browse() ? 1 : 0;
            subscriber.last = selection.browse() ? lastSequence : Subscriber.NO_END;
            begin(subscriber, selection.start(), lastSequence);
            consumer.admitted();
            return;
        }
        acquiring++;
        filtering += subscriber.hasFilter() ? 1 : 0;
        if (subscriber.hasFilter() || groups.exist()) {
            subscriber.search();
        }
        groups.subscribed();
        sharing.changed();
        window.restrictions().subscribed(subscriber);
        // Its credit may have come with its attach, and is used within this call.
        consumer.admitted();
    }

    private void begin(Subscriber subscriber, Selection.Start start, long lastSequence) {
        if (replay) {
            subscriber.start = switch (start.kind()) {
                case FIRST, TIME -> 0;
                case LAST -> Math.max(0, lastSequence - 1);
                case NEXT -> lastSequence;
            };
            subscriber.startMillis = start.kind() == Selection.Start.Kind.TIME ? start.millis() : 0;
        }
    }

    void credit(Subscriber subscriber, long limit, boolean drain) {
        subscriber.limit = limit;
        if (subscriber.browse) {
            subscriber.draining = drain;
        } else if (drain) {
            dispatcher.drain(subscriber);
        } else {
            dispatcher.callOffDrain(subscriber);
        }
        serve(subscriber);
    }

    void serve(Subscriber subscriber) {
        if (subscriber.browse) {
            browsing.advance(subscriber);
        } else {
            dispatcher.lineUp(subscriber);
            dispatcher.dispatch();
        }
    }

    /** There may be something to deliver. */
    void dispatch() {
        dispatcher.dispatch();
        if (replay && !all.isEmpty()) {
            List.copyOf(all.values()).stream().filter(this::has).forEach(browsing::advance);
        }
    }

    /** A consumer has settled something. */
    void settled(Subscriber subscriber) {
        sharing.changed().ifPresent(dispatcher::lineUp);
        dispatcher.lineUp(subscriber);
        dispatcher.dispatch();
    }

    void detach(Subscriber subscriber, boolean lost) {
        all.remove(subscriber.consumer);
        if (subscriber.browse) {
            browsers -= subscriber.last == Subscriber.NO_END ? 0 : 1;
            subscriber.read.clear();
            return;
        }
        acquiring--;
        filtering -= subscriber.hasFilter() ? 1 : 0;
        dispatcher.remove(subscriber);
        window.restrictions().unsubscribed(subscriber);
        while (subscriber.held() > 0) {
            queue.giveBack(subscriber.firstHeld(), lost);
        }
        groups.unsubscribed(subscriber);
        sharing.changed().ifPresent(dispatcher::lineUp);
        dispatcher.dispatch();
    }

    /** The queue is gone, and what they hold with it. */
    void close(Condition reason) {
        List<Subscriber> told = new ArrayList<>(all.values());
        all.clear();
        browsers = 0;
        acquiring = 0;
        filtering = 0;
        for (Subscriber subscriber : told) {
            dispatcher.remove(subscriber);
            subscriber.read.clear();
            while (subscriber.held() > 0) {
                queue.abandon(subscriber.firstHeld());
            }
            subscriber.consumer.closed(reason);
        }
    }
}
