package io.millrace.queue;

import io.millrace.journal.Fact;
import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * A message in a queue, while it is in memory: available, or acquired by a consumer (AMQP 1.0, part 3, section 3.4).
 *
 * <p>Owned by the queue. As a {@link Delivery} it is read by the consumer that holds it; nothing a consumer reads changes while
 * it does. As {@link Recorder.Waiting} it answers the producer when it is on disk.
 */
final class QueuedMessage implements Delivery, Recorder.Waiting {
    final Queue queue;
    final MessageKey key;
    final long arrivalMillis;

    /** It must survive the broker: the message is durable and so is its queue. */
    final boolean durable;

    /** The store knows it, or will when what is recorded gets there. */
    boolean stored;

    /** It is in the store only; what waits for the disk is let go of when it is there. */
    boolean beyond;

    /** Its size when it was recorded. */
    int recordedBytes;

    /** When it expires, in milliseconds since 1970; 0 for never. And its place among those in memory that expire, or -1. */
    long expiryMillis;

    int deadlineIndex = -1;

    /** Of a message that rests after a failed attempt: the place to which it goes back; 0 for none. */
    long originSequence;

    Message message;
    int deliveryCount;
    boolean acquiredBefore;

    /** Who holds it, while it is acquired; its neighbours among the deliveries of that consumer. */
    Subscriber holder;

    QueuedMessage previousHeld;
    QueuedMessage nextHeld;

    /** Where it is available, a constant of {@link Lane}; and whether its lane keeps it ahead of what is loaded. */
    byte place = Lane.NOWHERE;

    boolean ahead;

    /** A hash of its group, as {@link Groups} has it; negative if that has not looked yet. */
    int group = -1;

    /** The consumers that know of it, and look for it no more. */
    List<Subscriber> candidates = List.of();

    private Receipt receipt = Receipt.NONE;
    private Set<Subscriber> excluded = Set.of();

    QueuedMessage(Queue queue, MessageKey key, Message message, boolean durable, long arrivalMillis) {
        this.queue = queue;
        this.key = key;
        this.message = message;
        this.durable = durable;
        this.arrivalMillis = arrivalMillis;
    }

    /** As the store gave it back. */
    static QueuedMessage revive(Queue queue, StoredMessage stored) {
        QueuedMessage queued =
                new QueuedMessage(queue, stored.key(), messageOf(stored), stored.durable(), stored.arrivalMillis());
        queued.stored = true;
        queued.deliveryCount = stored.deliveryCount();
        queued.expiryMillis = stored.details().expiryMillis();
        queued.originSequence = stored.details().originSequence();
        queued.acquiredBefore = stored.deliveryCount() > 0 || queued.originSequence != 0;
        return queued;
    }

    /** Whether it is in the window. */
    boolean available() {
        return place != Lane.NOWHERE;
    }

    long sequence() {
        return key.sequence();
    }

    int size() {
        return message.size();
    }

    /** Whether it goes to the store, be it only because its body is there. */
    boolean needsStore(boolean kept) {
        return durable || !kept || message.streamed() > 0;
    }

    /** What the store gave back. */
    static Message messageOf(StoredMessage stored) {
        try {
            long streamed = stored.details().streamed();
            return streamed > 0
                    ? Message.streamed(
                            stored.bytes(), stored.format(), stored.details().body(), streamed)
                    : Message.parse(stored.bytes(), stored.format());
        } catch (MalformedMessageException e) {
            throw new IllegalStateException("message " + stored.key() + " was taken in but is malformed", e);
        }
    }

    /** The producer who is told when it is durable. */
    void answerTo(Receipt producer) {
        receipt = producer;
    }

    @Override
    public void durable() {
        Receipt producer = receipt;
        receipt = Receipt.NONE;
        queue.entrance().written(this);
        producer.settled(Outcome.ACCEPTED);
    }

    Fact.MessageStored storedFact() {
        return new Fact.MessageStored(key, durable, arrivalMillis, message.format(), message.bytes(), details());
    }

    private Fact.Details details() {
        return Fact.Details.NONE
                .withBody(message.body())
                .withStreamed(message.streamed())
                .withExpiry(expiryMillis)
                .withOrigin(originSequence);
    }

    Fact.MessageRemoved removedFact() {
        return new Fact.MessageRemoved(key, durable, message.size());
    }

    /** No consumer has it in mind any more. */
    void unreserve() {
        if (!candidates.isEmpty()) {
            candidates.forEach(candidate -> candidate.reserved.remove(key));
            candidates = List.of();
        }
    }

    /** The same message at another place. */
    QueuedMessage movedTo(MessageKey place) {
        QueuedMessage moved = new QueuedMessage(queue, place, message, durable, arrivalMillis);
        moved.expiryMillis = expiryMillis;
        moved.deliveryCount = deliveryCount;
        moved.acquiredBefore = acquiredBefore;
        moved.excluded = excluded;
        return moved;
    }

    /** It is not to be delivered to the consumers either that another is not to be delivered to. */
    void exclude(Set<Subscriber> consumers) {
        excluded = consumers;
    }

    /** To whom it is not to be delivered again. */
    Set<Subscriber> excluded() {
        return excluded;
    }

    /** It is not to be delivered to this consumer again. */
    void exclude(Subscriber consumer) {
        if (excluded.isEmpty()) {
            excluded = new HashSet<>();
        }
        excluded.add(consumer);
    }

    boolean excludes(Subscriber consumer) {
        return excluded.contains(consumer);
    }

    /** The consumer is gone. Returns whether no exclusion is left. */
    boolean readmit(Subscriber consumer) {
        return excluded.isEmpty() || (excluded.remove(consumer) && excluded.isEmpty());
    }

    /** Forgets exclusions of consumers that are gone. */
    void excludeOnly(Collection<Subscriber> present) {
        if (!excluded.isEmpty()) {
            excluded.retainAll(present);
        }
    }

    boolean restricted() {
        return !excluded.isEmpty();
    }

    @Override
    public Message message() {
        return message;
    }

    @Override
    public int deliveryCount() {
        return deliveryCount;
    }

    @Override
    public boolean firstAcquirer() {
        return !acquiredBefore;
    }

    @Override
    public long expiryMillis() {
        return expiryMillis;
    }
}
