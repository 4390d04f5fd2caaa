package io.millrace.queue;

import io.millrace.config.QueueSettings;
import io.millrace.journal.Fact;
import io.millrace.journal.MessageKey;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What becomes of a message that the queue takes in: it goes to its place, waits for its time, has expired already, or has been
 * here before. Owned by the queue.
 *
 * <p>Where duplicates are told, a durable message is seen by consumers when it is on disk, and a duplicate is accepted when the
 * message that it repeats is.
 */
final class Arrivals {
    private final Queue queue;
    private final Window window;
    private final LoopResources loop;
    private final Schedule schedule;
    private final Lifetime lifetime;
    private final Optional<Identities> identities;
    private final Optional<LastValues> lastValues;

    Arrivals(
            Queue queue,
            Window window,
            LoopResources loop,
            Schedule schedule,
            QueueSettings settings,
            Backlog backlog) {
        this.queue = queue;
        this.window = window;
        this.loop = loop;
        this.schedule = schedule;
        this.lifetime = new Lifetime(settings.expiry());
        this.identities = settings.duplicates()
                .map(rules -> new Identities(queue.number(), rules, loop.recorder(), backlog.identities()));
        this.lastValues =
                settings.lastValueKey().map(key -> new LastValues(key, queue.number(), window, loop, queue::drop));
    }

    // ---- last values

    /** Messages were in the store before the broker started. */
    void recovered(Backlog backlog) {
        lastValues.ifPresent(values -> values.recovered(backlog.lanes()));
    }

    /** Whether another message has come in the place of this one. */
    boolean replaced(QueuedMessage message) {
        return lastValues.isPresent() && lastValues.get().replaced(message);
    }

    /** A message left the queue. */
    void gone(QueuedMessage message) {
        lastValues.ifPresent(values -> values.gone(message));
    }

    private void replaceBy(QueuedMessage message) {
        lastValues.ifPresent(values -> values.arrived(message));
    }

    /** The queue is deleted. */
    void clear() {
        lastValues.ifPresent(LastValues::clear);
    }

    // ---- the time of delivery

    /**
     * The message, with its delivery time told by the annotation that everybody knows, if it is told by a delay only, and without
     * an expiry time that does not hold here.
     */
    Message dated(Message offered) {
        // The clock is not asked for each message in vain.
        Message message =
                lifetime.prolongs() ? lifetime.prolonged(offered, loop.loop().now()) : offered;
        if (!message.mayHaveDeliveryTime()) {
            return message;
        }
        long now = loop.loop().now();
        long due = message.deliveryTimeMillis(now);
        boolean told = due <= now || !message.annotation(Rest.DELIVERY_TIME).equals("");
        return told ? message : message.withAnnotations(Map.of(Rest.DELIVERY_TIME, due));
    }

    /** Whether it is to be delivered later than now. */
    boolean waits(Message message) {
        return message.mayHaveDeliveryTime()
                && message.deliveryTimeMillis(0) > loop.loop().now();
    }

    /** Why a message cannot be kept until its time comes; empty if it can. */
    Optional<Condition> refusal(Message message) {
        if (!waits(message) || message.deliveryTimeMillis(0) < DueOrder.LATEST_MILLIS) {
            return Optional.empty();
        }
        return Optional.of(new Condition(
                Condition.INVALID_FIELD,
                "queue '" + queue.address() + "' refuses the message: its delivery time, "
                        + message.deliveryTimeMillis(0) + " ms since 1970, is later than the limit of "
                        + DueOrder.LATEST_MILLIS + "; send an earlier " + Rest.DELIVERY_TIME,
                Map.of("queue", queue.address(), "reason", "delivery-time", "limit", DueOrder.LATEST_MILLIS)));
    }

    // ---- duplicates

    /** What the queue tells the message by; empty if it does not tell duplicates, or not this one's. */
    Optional<byte[]> identity(Message message) {
        return identities.isEmpty() ? Optional.empty() : identities.get().digest(message);
    }

    /** Whether a message repeats another. Then its sender is answered, now or when the other one is there to stay. */
    boolean repeats(Optional<byte[]> identity, Receipt receipt) {
        if (identity.isEmpty()) {
            return false;
        }
        Optional<Identities.Identity> original =
                identities.get().original(identity.get(), loop.loop().now());
        original.ifPresent(message -> message.answer(receipt));
        return original.isPresent();
    }

    // ---- in a transaction

    /**
     * Runs a task when a place for a message can be given at once: now, unless it is to be delivered later and the store must
     * be asked which places are taken. A commit cannot wait for that.
     */
    void whenPlaceIsKnown(Message message, Runnable task) {
        if (waits(message)) {
            schedule.whenPlaceIsKnown(message.deliveryTimeMillis(0), task);
        } else {
            task.run();
        }
    }

    /** Why a transaction with this message cannot be committed now; empty if it can. */
    Optional<Condition> undecided(Optional<byte[]> identity) {
        if (identity.isEmpty() || !identities.get().undecided(identity.get())) {
            return Optional.empty();
        }
        return Optional.of(new Condition(
                Condition.RESOURCE_LOCKED,
                "queue '" + queue.address() + "': a message that this one repeats is on its way to the disk and may not"
                        + " get there; send again"));
    }

    /** Whether a message repeats one that is here, or that the same transaction has brought. */
    boolean known(Optional<byte[]> identity) {
        return identity.isPresent()
                && identities.get().original(identity.get(), loop.loop().now()).isPresent();
    }

    /** From now on a message is known, with a fact for the transaction if it is durable. */
    Optional<Identities.Identity> remember(Optional<byte[]> identity, boolean durable, List<Fact> facts) {
        Optional<Identities.Identity> remembered = identity.map(this::remember);
        if (durable) {
            remembered.map(known -> identities.get().fact(known)).ifPresent(facts::add);
        }
        return remembered;
    }

    /** It has not come after all. */
    void takeBack(Identities.Identity identity) {
        identities
                .get()
                .takeBack(
                        identity,
                        new Outcome.Rejected(new Condition(
                                Condition.RESOURCE_LOCKED,
                                "queue '" + queue.address() + "' did not take the message: it repeats one that was in a"
                                        + " transaction, and that was rolled back; send again",
                                Map.of("queue", queue.address(), "reason", "rolled-back"))));
    }

    /** Gives a message its place, where it is not seen yet, and adds what the store is to know of it. */
    QueuedMessage place(Message message, boolean durable, List<Fact> facts) {
        long now = loop.loop().now();
        boolean waits = waits(message);
        Optional<MessageKey> later = waits ? schedule.place(message.deliveryTimeMillis(0)) : Optional.empty();
        QueuedMessage queued = later.map(key -> new QueuedMessage(queue, key, message, durable, now))
                .orElseGet(() -> queue.entrance().newMessage(message, durable, now));
        queued.expiryMillis = lifetime.deadline(message, now);
        boolean kept = !waits && window.keeps(queued.key.order(), queued.size());
        if (queued.needsStore(kept)) {
            queue.entrance().willBeStored(queued);
            facts.add(queued.storedFact());
        }
        if (later.isEmpty()) {
            window.placed(queued, kept);
        }
        return queued;
    }

    /** A message that was given its place is here to stay. */
    void committed(QueuedMessage queued) {
        if (queued.beyond && waits(queued.message)) {
            // What was known of the places when it was sent has been forgotten: so many other times have come since.
            // Until it is where it is to wait, the window goes on as if it were not decided whether it comes.
            loop.memory().take(queued.size());
            schedule.postpone(queued, queued.message.deliveryTimeMillis(0), () -> {
                if (!queue.deleted()) {
                    window.withdrawn(queued);
                }
                queue.entrance().written(queued);
            });
            return;
        }
        if (queued.key.scheduled()) {
            schedule.came(queued);
        } else {
            replaceBy(queued);
            window.committed(queued);
        }
        if (queued.stored) {
            queue.entrance().written(queued);
        }
    }

    // ---- in

    /** Takes in a message, which is {@link #dated}, is not refused and does not repeat another. */
    void take(Message message, boolean durable, Optional<byte[]> identity, Receipt receipt) {
        long now = loop.loop().now();
        long expiryMillis = lifetime.deadline(message, now);
        boolean over = expiryMillis != 0 && expiryMillis <= now;
        if (over && identity.isEmpty()) {
            QueuedMessage queued = queue.entrance().newMessage(message, durable, now);
            queued.expiryMillis = expiryMillis;
            queue.entrance().entered(queued.message);
            loop.memory().take(queued.size());
            queue.expire(queued, receipt);
        } else if (waits(message) && !over) {
            waitUntil(message.deliveryTimeMillis(0), message, durable, identity, receipt);
        } else {
            QueuedMessage queued = queue.entrance().newMessage(message, durable, now);
            queued.expiryMillis = expiryMillis;
            if (!over) {
                replaceBy(queued);
            }
            if (identity.isPresent()) {
                // One that has expired is stored before it leaves: what tells it is to be in one batch with it.
                enterOnce(queued, identity.get(), receipt);
            } else {
                queue.entrance().enter(queued, Optional.empty(), receipt);
            }
        }
    }

    /** Takes in a message that comes from another queue: only the rules of this one say how long it lives. */
    void move(Message message, boolean durable, Optional<Fact.MessageRemoved> leaves, Receipt receipt) {
        long now = loop.loop().now();
        QueuedMessage queued = queue.entrance().newMessage(message, durable, now);
        queued.expiryMillis = lifetime.deadline(now);
        replaceBy(queued);
        queue.entrance().enter(queued, leaves, receipt);
    }

    /** Takes in a message that has waited for its time and is recorded at its place. */
    void inTime(QueuedMessage queued) {
        replaceBy(queued);
        if (window.keeps(queued.key.order(), queued.size())) {
            window.arrived(queued);
        } else {
            window.arrivedBeyond(queued);
        }
    }

    private void enterOnce(QueuedMessage queued, byte[] identity, Receipt receipt) {
        Identities.Identity remembered = remember(identity);
        Receipt first = record(remembered, queued, receipt);
        if (!queued.durable) {
            queue.entrance().enter(queued, Optional.empty(), first);
            return;
        }
        queue.entrance().entered(queued.message);
        loop.memory().take(queued.size());
        boolean kept = window.keeps(queued.key.order(), queued.size());
        queue.entrance().store(queued, Optional.empty());
        window.placed(queued, kept);
        queued.answerTo(outcome -> {
            if (!queue.deleted()) {
                window.committed(queued);
            } else if (kept) {
                loop.memory().release(queued.size());
            }
            first.settled(outcome);
            queue.refreshed();
        });
    }

    private Identities.Identity remember(byte[] digest) {
        return identities.get().remember(digest, loop.loop().now());
    }

    /** What tells a durable message is recorded in the batch of the message. */
    private Receipt record(Identities.Identity identity, QueuedMessage queued, Receipt receipt) {
        if (queued.durable) {
            loop.recorder().record(identities.get().fact(identity));
        }
        return outcome -> {
            identity.settled(outcome);
            receipt.settled(outcome);
        };
    }

    private void waitUntil(
            long dueMillis, Message message, boolean durable, Optional<byte[]> identity, Receipt receipt) {
        long now = loop.loop().now();
        long expiryMillis = lifetime.deadline(message, now);
        loop.memory().take(message.size());
        // While its place is looked for, others may come.
        queue.entrance().entered(message);
        Optional<Identities.Identity> remembered = identity.map(this::remember);
        schedule.findPlace(dueMillis, key -> {
            if (queue.deleted()) {
                loop.memory().release(message.size());
                // A subscription that ended is no concern of whoever sends to the topic.
                Outcome end = queue.missed() ? new Outcome.Rejected(queue.deletedCondition()) : Outcome.ACCEPTED;
                remembered.ifPresent(known -> known.settled(end));
                receipt.settled(end);
                return;
            }
            QueuedMessage waits = new QueuedMessage(queue, key, message, durable, now);
            waits.expiryMillis = expiryMillis;
            Receipt first =
                    remembered.map(known -> record(known, waits, receipt)).orElse(receipt);
            queue.entrance().store(waits, Optional.empty());
            schedule.came(waits);
            if (durable || message.streamed() > 0) {
                waits.answerTo(first);
            } else {
                first.settled(Outcome.ACCEPTED);
            }
        });
    }
}
