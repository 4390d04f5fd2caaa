package io.millrace.queue;

import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.BiConsumer;

/** A consumer for tests: keeps what it gets, and is ready unless told otherwise. */
public final class Recipient implements Consumer {
    public final List<Delivery> deliveries = new ArrayList<>();
    public final List<Condition> closed = new ArrayList<>();

    /** What a test wants done inside a call of {@link #deliver} or {@link #drained}. */
    public BiConsumer<Recipient, Delivery> onDelivery = (self, delivery) -> {};

    public Runnable onDrained = () -> {};

    /** What a test wants done inside a call of {@link #admitted}, as a link does whose credit came with its attach. */
    public Runnable onAdmitted = () -> {};

    public boolean ready = true;
    public int drains;

    private final Source source;

    /** The delivery-count of the link: deliveries, and credit that a drain has voided. */
    private long count;

    private long limit;

    public Recipient(Source source) {
        this.source = source;
    }

    public Recipient attached() {
        source.attach(this, Selection.CONSUME);
        return this;
    }

    public Recipient browsing() {
        source.attach(this, Selection.BROWSE);
        return this;
    }

    /** Grants so many deliveries beyond those received. */
    public Recipient credit(int more) {
        limit = count + more;
        source.credit(this, limit, false);
        return this;
    }

    /** As {@link #credit}, to be answered at once. */
    public Recipient drain(int more) {
        limit = count + more;
        source.credit(this, limit, true);
        return this;
    }

    public void settle(String name, Outcome outcome, Receipt receipt) {
        source.settle(this, delivery(name), outcome, receipt);
    }

    public void settle(String name, Outcome outcome) {
        settle(name, outcome, Receipt.NONE);
    }

    public void accept(String name) {
        settle(name, Outcome.ACCEPTED);
    }

    public void acceptAll() {
        List.copyOf(deliveries).forEach(each -> source.settle(this, each, Outcome.ACCEPTED, Receipt.NONE));
    }

    public void resume() {
        ready = true;
        source.resume(this);
    }

    public void detach(boolean lost) {
        source.detach(this, lost);
    }

    /** The latest delivery of the message with this name. */
    public Delivery delivery(String name) {
        for (int i = deliveries.size() - 1; i >= 0; i--) {
            if (Messages.name(deliveries.get(i).message()).equals(name)) {
                return deliveries.get(i);
            }
        }
        throw new NoSuchElementException(name + " is not among " + names());
    }

    /** All that it got, in order. */
    public List<String> names() {
        return deliveries.stream().map(each -> Messages.name(each.message())).toList();
    }

    @Override
    public void admitted() {
        onAdmitted.run();
    }

    @Override
    public boolean ready() {
        return ready;
    }

    @Override
    public void deliver(Delivery delivery) {
        deliveries.add(delivery);
        count++;
        onDelivery.accept(this, delivery);
    }

    @Override
    public void drained() {
        drains++;
        count = Math.max(count, limit);
        onDrained.run();
    }

    @Override
    public void closed(Condition reason) {
        closed.add(reason);
    }
}
