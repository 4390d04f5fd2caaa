package io.millrace.amqp;

import io.millrace.broker.Node;
import io.millrace.broker.NodeType;
import io.millrace.broker.Terms;
import io.millrace.message.Condition;
import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Consumer;
import io.millrace.queue.Delivery;
import io.millrace.queue.Receipt;
import io.millrace.queue.Selection;
import io.millrace.queue.Source;
import io.millrace.queue.Target;
import io.millrace.queue.Transaction;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A queue without rules, in memory: what links ask of it is written down, and a test can make it refuse, wait or fill up. */
final class FakeQueue implements Node, Target, Source {
    final String address;
    final Deque<Message> messages = new ArrayDeque<>();
    final List<Settled> settled = new ArrayList<>();
    final List<String> log = new ArrayList<>();
    final List<Runnable> held = new ArrayList<>();
    final List<Runnable> waitingForRoom = new ArrayList<>();
    final IdentityHashMap<Consumer, Subscriber> subscribers = new IdentityHashMap<>();
    Optional<Condition> refusal = Optional.empty();
    boolean holdReceipts;
    boolean temporary;
    NodeType type = NodeType.QUEUE;
    Optional<Terms> terms = Optional.empty();
    Selection selection = Selection.CONSUME;
    int room = Integer.MAX_VALUE;
    int deliveryCount;
    long expiryMillis;

    record Settled(Message message, Outcome outcome) {}

    static final class Subscriber {
        long limit;
        long handed;
        boolean drain;
        boolean browse;
        int browsed;
    }

    private record Handed(Message message, int deliveryCount, long expiryMillis) implements Delivery {
        @Override
        public boolean firstAcquirer() {
            return deliveryCount == 0;
        }
    }

    FakeQueue(String address) {
        this.address = address;
    }

    @Override
    public String address() {
        return address;
    }

    @Override
    public boolean temporary() {
        return temporary;
    }

    @Override
    public NodeType type() {
        return type;
    }

    @Override
    public Optional<Terms> subscription() {
        return terms;
    }

    @Override
    public Target target(String container) {
        return this;
    }

    @Override
    public Source source() {
        return this;
    }

    @Override
    public void offer(Message message, Transaction transaction, Receipt receipt) {
        Outcome outcome = refusal.<Outcome>map(Outcome.Rejected::new).orElse(Outcome.ACCEPTED);
        if (outcome == Outcome.ACCEPTED) {
            messages.add(message);
        }
        if (holdReceipts) {
            held.add(() -> receipt.settled(outcome));
        } else {
            receipt.settled(outcome);
        }
        dispatch();
    }

    @Override
    public int room() {
        return room;
    }

    @Override
    public void whenRoom(Runnable task) {
        waitingForRoom.add(task);
    }

    void makeRoom(int messages) {
        room = messages;
        List<Runnable> tasks = List.copyOf(waitingForRoom);
        waitingForRoom.clear();
        tasks.forEach(Runnable::run);
    }

    /** A message with this text is there. */
    void put(String body) {
        try {
            messages.add(Message.parse(Peer.message(body), 0));
        } catch (MalformedMessageException e) {
            throw new AssertionError(e);
        }
    }

    void releaseHeld() {
        List<Runnable> tasks = List.copyOf(held);
        held.clear();
        tasks.forEach(Runnable::run);
    }

    @Override
    public void attach(Consumer consumer, Selection selection) {
        this.selection = selection;
        Subscriber subscriber = new Subscriber();
        subscriber.browse = selection.browse();
        subscribers.put(consumer, subscriber);
        log.add(selection.browse() ? "attached to browse" : "attached");
        consumer.admitted();
    }

    @Override
    public void credit(Consumer consumer, long limit, boolean drain) {
        Subscriber subscriber = subscribers.get(consumer);
        subscriber.limit = limit;
        subscriber.drain = drain;
        dispatch();
    }

    @Override
    public void resume(Consumer consumer) {
        dispatch();
    }

    @Override
    public void settle(
            Consumer consumer, Delivery delivery, Outcome outcome, Transaction transaction, Receipt receipt) {
        settled.add(new Settled(delivery.message(), outcome));
        if (holdReceipts) {
            held.add(() -> receipt.settled(outcome));
        } else {
            receipt.settled(outcome);
        }
    }

    @Override
    public void detach(Consumer consumer, boolean lost) {
        subscribers.remove(consumer);
        log.add(lost ? "lost" : "detached");
    }

    void dispatch() {
        for (Map.Entry<Consumer, Subscriber> entry : List.copyOf(subscribers.entrySet())) {
            Consumer consumer = entry.getKey();
            Subscriber subscriber = entry.getValue();
            boolean ready = true;
            while (ready && subscriber.handed < subscriber.limit && available(subscriber)) {
                ready = consumer.ready();
                if (ready) {
                    subscriber.handed++;
                    consumer.deliver(new Handed(take(subscriber), deliveryCount, expiryMillis));
                }
            }
            if (ready && subscriber.drain) {
                subscriber.drain = false;
                subscriber.handed = Math.max(subscriber.handed, subscriber.limit);
                consumer.drained();
            }
        }
    }

    private boolean available(Subscriber subscriber) {
        return subscriber.browse ? subscriber.browsed < messages.size() : !messages.isEmpty();
    }

    private Message take(Subscriber subscriber) {
        return subscriber.browse
                ? messages.stream().skip(subscriber.browsed++).findFirst().orElseThrow()
                : messages.remove();
    }
}
