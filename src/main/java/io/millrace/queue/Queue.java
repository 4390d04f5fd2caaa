package io.millrace.queue;

import io.millrace.config.QueueSettings;
import io.millrace.journal.Fact;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.util.Collection;
import java.util.Optional;

/**
 * A queue: messages in order of arrival, each for one of its consumers.
 *
 * <p>Owned by one loop; every entry asserts it. It only orders the calls between its parts: {@link Admission} says who may
 * enter, {@link Window} keeps the head in memory, {@link Dispatcher} hands out, {@link Browsing} shows, {@link Settlement}
 * decides what becomes of a delivery. Facts go to the {@link Recorder} of the loop.
 *
 * <p>Invariant: messages = available in memory + beyond the window + acquired + settled in open transactions + on their way
 * to the dead-letter queue.
 */
public final class Queue implements MoveTarget, Source {
    private final QueueIdentity identity;
    private final LoopResources loop;
    private final Recorder recorder;
    private final Admission admission;
    private final Window window;
    private final Groups groups;
    private final Search search;
    private final Subscribers subscribers;
    private final Settlement settlement;
    private final Transacted transacted;
    private final Expiry expiry;
    private final Schedule schedule;
    private final ScheduledMessages scheduled;
    private final Arrivals arrivals;
    private final Tally tally;
    private final Entrance entrance;
    private final Offers offers;
    private boolean deleted;

    /** Made by the broker on any thread before the owner first uses it. */
    public Queue(
            QueueIdentity identity,
            QueueSettings settings,
            LoopResources loop,
            DeadLetterRoute deadLetterRoute,
            Backlog backlog) {
        this.identity = identity;
        this.loop = loop;
        this.recorder = loop.recorder();
        this.admission = new Admission(identity.address(), settings);
        this.window = new Window(this, loop, backlog);
        this.groups = new Groups(this);
        this.search = new Search(this, window, groups, loop);
        this.subscribers = new Subscribers(this, settings, window, groups, search, loop);
        this.tally = new Tally(backlog);
        this.entrance = new Entrance(this, tally, admission, window, search, loop);
        DeadLetter deadLetter =
                new DeadLetter(this, deadLetterRoute, settings.expiry().to(), loop);
        this.settlement = new Settlement(this, window, recorder, deadLetter, settings);
        this.expiry = new Expiry(identity.number(), window, loop, message -> expire(message, Receipt.NONE));
        this.schedule = new Schedule(this, loop, window, backlog.scheduled());
        this.scheduled = new ScheduledMessages(this, schedule, loop, window.reads());
        this.expiry.watches(schedule);
        this.arrivals = new Arrivals(this, window, loop, schedule, settings, backlog);
        this.transacted = new Transacted(this, window, settlement, admission, arrivals, loop);
        this.offers = new Offers(this, admission, tally, transacted, window, loop);
        if (tally.messages > 0) {
            loop.loop().post(() -> recovered(backlog));
        }
    }

    private void recovered(Backlog backlog) {
        if (!deleted) {
            expiry.recovered();
            schedule.recovered();
            arrivals.recovered(backlog);
        }
    }

    // ---- Target

    @Override
    public void offer(Message offered, Transaction transaction, Receipt receipt) {
        loop.loop().assertCurrent();
        offers.offer(offered, transaction, receipt, false);
    }

    /** As {@link #offer}, with no {@link #objection} since others got it: it comes in even if they took the last memory. */
    public void offerToo(Message offered, Transaction transaction, Receipt receipt) {
        loop.loop().assertCurrent();
        offers.offer(offered, transaction, receipt, true);
    }

    @Override
    public void move(Message message, Optional<Fact.MessageRemoved> leaves, Receipt receipt) {
        loop.loop().assertCurrent();
        arrivals.move(message, keeps(message), leaves, receipt);
    }

    /** Why {@link #offer} would not take a message now; a queue that drops the oldest may still find that it has none to drop. */
    public Optional<Condition> objection(Message message) {
        loop.loop().assertCurrent();
        return offers.objectionToNew(message);
    }

    /** As {@link #objection(Message)}, of one that is in no line but has waited in one. */
    public Optional<Condition> objection(Held waiting) {
        return offers.objection(waiting);
    }

    /** A message that many queues are to have waits for room in this one. False if it had better be refused at once. */
    public boolean hold(Held held, Condition reason) {
        loop.loop().assertCurrent();
        return offers.hold().add(held, reason);
    }

    /** It waits in this queue no longer. */
    public void forget(Held held) {
        offers.hold().remove(held);
    }

    /** A message that many queues are to have is refused, because of this one. */
    public void refused(Condition reason) {
        offers.hold().refused(reason);
    }

    @Override
    public int room() {
        return window.pace().open(subscribers.acquire()) ? offers.room() : 0;
    }

    @Override
    public void whenRoom(Runnable task) {
        window.pace().whenOpen(task);
    }

    // ---- Source

    @Override
    public void attach(Consumer consumer, Selection selection) {
        loop.loop().assertCurrent();
        if (deleted) {
            consumer.closed(deletedCondition());
            return;
        }
        subscribers.attach(consumer, selection, entrance.lastSequence());
    }

    @Override
    public void credit(Consumer consumer, long limit, boolean drain) {
        loop.loop().assertCurrent();
        Subscriber subscriber = subscribers.of(consumer);
        if (subscriber != null) {
            subscribers.credit(subscriber, limit, drain);
        }
    }

    @Override
    public void resume(Consumer consumer) {
        loop.loop().assertCurrent();
        Subscriber subscriber = subscribers.of(consumer);
        if (subscriber != null) {
            subscribers.serve(subscriber);
        }
    }

    @Override
    public void settle(
            Consumer consumer, Delivery delivery, Outcome outcome, Transaction transaction, Receipt receipt) {
        loop.loop().assertCurrent();
        Subscriber subscriber = subscribers.of(consumer);
        if (delivery instanceof QueuedMessage message && subscriber != null && message.holder == subscriber) {
            letGo(message);
            if (transaction.exists()) {
                transacted.settle(message, subscriber, outcome, transaction.branch(loop.loop()));
                receipt.settled(outcome);
            } else {
                settlement.apply(message, subscriber, outcome, receipt);
            }
            subscribers.settled(subscriber);
        } else {
            receipt.settled(outcome);
        }
    }

    @Override
    public void detach(Consumer consumer, boolean lost) {
        loop.loop().assertCurrent();
        Subscriber subscriber = subscribers.of(consumer);
        if (subscriber != null) {
            subscribers.detach(subscriber, lost);
        }
    }

    // ---- what happens to a delivery

    /** Hands a message, already out of the window, to a consumer. Called by the dispatcher. */
    void acquire(QueuedMessage message, Subscriber subscriber) {
        if (expiry.isOver(message) || replaced(message)) {
            settlement.giveBack(message);
            return;
        }
        subscriber.hold(message);
        groups.acquired(message, subscriber);
        subscriber.delivered++;
        tally.unsettled++;
        if (message.acquiredBefore) {
            tally.redelivered++;
        }
        subscriber.consumer.deliver(message);
    }

    /** Its consumer is gone. */
    void giveBack(QueuedMessage message, boolean lost) {
        letGo(message);
        if (lost) {
            settlement.lost(message);
        } else {
            settlement.giveBack(message);
        }
    }

    /** The queue is gone. */
    void abandon(QueuedMessage message) {
        loop.memory().release(message.size());
        letGo(message);
    }

    private void letGo(QueuedMessage message) {
        message.acquiredBefore = true;
        groups.letGo(message);
        message.holder.letGo(message);
        tally.unsettled--;
    }

    /** A message that is out of the window and held by nobody is counted no more. */
    void forget(QueuedMessage message) {
        loop.memory().release(message.size());
        window.ahead().gone(message);
        if (message.key.scheduled()) {
            schedule.gone(message);
        } else {
            arrivals.gone(message);
        }
        if (!deleted) {
            tally.messages--;
            tally.bytes -= message.message.totalSize();
            roomMayHaveCome();
        }
    }

    private void roomMayHaveCome() {
        if (!offers.hold().idle()) {
            offers.hold().roomMayHaveCome();
        }
    }

    /** A message in the queue changed its size. */
    void resized(int before, int after) {
        loop.memory().release(before);
        loop.memory().take(after);
        tally.bytes += after - before;
    }

    // ---- for the parts

    long number() {
        return identity.number();
    }

    long now() {
        return loop.loop().now();
    }

    Expiry expiry() {
        return expiry;
    }

    Arrivals arrivals() {
        return arrivals;
    }

    Schedule schedule() {
        return schedule;
    }

    /** Whether another message has come in the place of this one. */
    boolean replaced(QueuedMessage message) {
        return arrivals.replaced(message);
    }

    /** The time of a message is over that is out of the window and held by nobody. */
    void expire(QueuedMessage message, Receipt receipt) {
        settlement.expire(message, receipt, Outcome.ACCEPTED);
    }

    /** A message that is out of the window and held by nobody is of no use any more. */
    void drop(QueuedMessage message) {
        settlement.gone(message);
    }

    /** A message comes back to the place that it had. */
    void giveBack(QueuedMessage message) {
        settlement.giveBack(message);
    }

    /** A message that is out of the window makes room for others. */
    void discard(QueuedMessage message) {
        settlement.drop(message);
    }

    Entrance entrance() {
        return entrance;
    }

    Offers offers() {
        return offers;
    }

    /** Whether the message is to outlive the broker, and this queue lets it. */
    boolean keeps(Message message) {
        return message.durable() && identity.persistent();
    }

    void dispatch() {
        subscribers.dispatch();
    }

    /** Its address. */
    public String address() {
        return identity.address();
    }

    boolean deleted() {
        return deleted;
    }

    Collection<Subscriber> subscribers() {
        return subscribers.all();
    }

    boolean subscribed(Subscriber subscriber) {
        return subscribers.has(subscriber);
    }

    /** Whether some consumers may have messages that others may not. */
    boolean servesEachOne() {
        return subscribers.search() || !window.restrictions().isEmpty();
    }

    /** Whether messages beyond the window are worth reading, in time or, as memory is short, only at once. */
    boolean wantsMessages(boolean atOnce) {
        return (atOnce ? subscribers.awaitMessages() : subscribers.acquire())
                || admission.over(tally.messages, tally.bytes);
    }

    /** The window got messages from the store, or a transaction has ended. */
    void refreshed() {
        roomMayHaveCome();
        if (admission.dropsOldest()) {
            entrance.makeRoom(0, 0);
        }
        subscribers.dispatch();
    }

    /** A message is in memory. */
    void sees(QueuedMessage message) {
        groups.sees(message);
    }

    /** A message came back to its place, or to one that is an old one. */
    void cameBack(QueuedMessage message) {
        search.cameBack(message);
        if (admission.dropsOldest()) {
            // A search may have brought it to a consumer before it could be dropped.
            entrance.makeRoom(0, 0);
        }
    }

    /** Messages that were counted are not there. */
    void lost(long count, long size) {
        tally.messages -= count;
        tally.bytes -= size;
        roomMayHaveCome();
    }

    // ---- for the broker

    /** The messages that wait for their time, to be listed and cancelled. */
    public Source scheduled() {
        return scheduled;
    }

    /** Deletes the queue: consumers are told, messages are gone. */
    public void delete() {
        loop.loop().assertCurrent();
        if (deleted) {
            return;
        }
        deleted = true;
        offers.hold().clear();
        subscribers.close(deletedCondition());
        window.clear();
        expiry.clear();
        schedule.clear();
        arrivals.clear();
        scheduled.close(deletedCondition());
        tally.messages = 0;
        tally.bytes = 0;
        if (tally.inStore || identity.persistent()) {
            recorder.record(new Fact.NodeDeleted(identity.number()));
        }
    }

    /** Whether senders are to know when it is deleted. */
    boolean missed() {
        return !identity.subscribed();
    }

    Condition deletedCondition() {
        return new Condition(Condition.RESOURCE_DELETED, "queue '" + identity.address() + "' was deleted");
    }

    /** How it stands. */
    public QueueStats stats() {
        loop.loop().assertCurrent();
        if (window.available() == 0) {
            window.lookAhead();
        }
        return new QueueStats(
                identity.address(),
                tally.messages,
                tally.bytes,
                offers.hold().size(),
                tally.unsettled + transacted.taken(),
                window.restrictions().parked(),
                schedule.waiting(),
                subscribers.count(),
                tally.enqueued,
                settlement.dequeued(),
                tally.redelivered,
                settlement.deadLettered(),
                settlement.discarded(),
                settlement.expired(),
                tally.refused,
                window.oldestArrivalMillis());
    }
}
