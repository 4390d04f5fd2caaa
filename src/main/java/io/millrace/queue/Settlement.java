package io.millrace.queue;

import io.millrace.config.QueueSettings;
import io.millrace.journal.Fact;
import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import java.util.List;
import java.util.Map;

/**
 * What becomes of a delivery when its consumer is done with it (AMQP 1.0, part 3, section 3.4): gone, back at its place, or
 * dead. Owned by the queue. Every message given to it is out of the window and held by nobody.
 */
final class Settlement {
    private final Queue queue;
    private final Window window;
    private final Recorder recorder;
    private final DeadLetter deadLetter;
    private final int maxDeliveries;
    private final Rest rest;

    private long dequeued;
    private long deadLettered;
    private long discarded;
    private long expired;

    Settlement(Queue queue, Window window, Recorder recorder, DeadLetter deadLetter, QueueSettings settings) {
        this.queue = queue;
        this.window = window;
        this.recorder = recorder;
        this.deadLetter = deadLetter;
        this.maxDeliveries = settings.maxDeliveries();
        this.rest = new Rest(settings.redelivery(), queue.number());
    }

    /** The consumer settled the delivery; the receipt is answered when the effect is as durable as the message. */
    void apply(QueuedMessage message, Subscriber subscriber, Outcome outcome, Receipt receipt) {
        if (outcome instanceof Outcome.Accepted) {
            dequeued++;
            gone(message);
            answer(message, receipt, outcome);
        } else if (outcome instanceof Outcome.Released) {
            giveBack(message);
            receipt.settled(outcome);
        } else if (outcome instanceof Outcome.Rejected rejected) {
            String description =
                    rejected.error().map(Condition::toString).orElse("the consumer rejected it and did not say why");
            dead(message, "rejected", description, receipt, outcome);
        } else if (outcome instanceof Outcome.Modified modified) {
            modify(message, subscriber, modified, receipt);
        }
    }

    /** What a delivery settled in a transaction adds to the facts of its commit. */
    void prepare(QueuedMessage message, Outcome outcome, List<Fact> facts) {
        if (message.stored && leaves(outcome)) {
            facts.add(message.removedFact());
        }
    }

    /** Whether a message with this outcome is gone, and nothing is left of it. */
    private boolean leaves(Outcome outcome) {
        return outcome instanceof Outcome.Accepted || (outcome instanceof Outcome.Rejected && !deadLetter.exists());
    }

    /** The transaction in which a delivery was settled has been committed, with the facts of {@link #prepare}. */
    void committed(QueuedMessage message, Subscriber subscriber, Outcome outcome) {
        if (!leaves(outcome)) {
            apply(message, subscriber, outcome, Receipt.NONE);
            return;
        }
        if (outcome instanceof Outcome.Accepted) {
            dequeued++;
        } else {
            discarded++;
        }
        queue.forget(message);
    }

    /** An attempt to deliver failed, and nobody waits to hear of it. */
    void failed(QueuedMessage message, String why) {
        failed(message, why, 0, Receipt.NONE, Outcome.RELEASED);
    }

    /** The connection of the consumer broke. */
    void lost(QueuedMessage message) {
        failed(message, "the connection of the consumer was lost");
    }

    /** The message makes room for another. */
    void drop(QueuedMessage message) {
        discarded++;
        gone(message);
    }

    private void modify(QueuedMessage message, Subscriber subscriber, Outcome.Modified modified, Receipt receipt) {
        Map<String, Object> annotations = Rest.annotations(modified);
        if (!annotations.isEmpty()) {
            annotate(message, annotations);
        }
        if (modified.undeliverableHere()) {
            message.exclude(subscriber);
        }
        if (modified.deliveryFailed()) {
            failed(message, "the consumer reported a failed delivery", Rest.wantedMillis(modified), receipt, modified);
        } else {
            giveBack(message, Rest.wantedMillis(modified));
            answer(message, receipt, modified);
        }
    }

    private void annotate(QueuedMessage message, Map<String, Object> annotations) {
        int before = message.size();
        message.message = message.message.withAnnotations(annotations);
        queue.resized(before, message.size());
        if (message.durable) {
            recorder.record(new Fact.MessageAnnotated(message.key, before, message.message.bytes()));
        }
    }

    /** An attempt to deliver failed: once more, or it is dead. */
    private void failed(QueuedMessage message, String why, long wantedMillis, Receipt receipt, Outcome outcome) {
        message.deliveryCount++;
        if (queue.expiry().isOver(message)) {
            expire(message, receipt, outcome);
            return;
        }
        if (deadLetter.exists() && message.deliveryCount >= maxDeliveries) {
            String description = message.deliveryCount + " attempts to deliver it failed, the limit of queue '"
                    + queue.address() + "' is " + maxDeliveries + "; the last: " + why;
            dead(message, "max-deliveries", description, receipt, outcome);
            return;
        }
        if (message.durable) {
            recorder.record(new Fact.DeliveryFailed(message.key, message.deliveryCount));
        }
        long restMillis = wantedMillis > 0 ? 0 : rest.millis(message.deliveryCount);
        giveBack(message, restMillis > 0 ? queue.now() + restMillis : wantedMillis);
        answer(message, receipt, outcome);
    }

    /** Puts a message back at its place, if it has one still. */
    void giveBack(QueuedMessage message) {
        giveBack(message, 0);
    }

    private void giveBack(QueuedMessage message, long restUntilMillis) {
        if (queue.expiry().isOver(message)) {
            expire(message, Receipt.NONE, Outcome.RELEASED);
        } else if (queue.replaced(message)) {
            gone(message);
        } else if (restUntilMillis > queue.now()
                && (message.stored || recorder.journal().room().available())) {
            queue.schedule().rest(message, restUntilMillis);
        } else {
            window.giveBack(message);
        }
    }

    /** The time of the message is over; the receipt is answered when its end is as durable as the message. */
    void expire(QueuedMessage message, Receipt receipt, Outcome outcome) {
        expired++;
        if (deadLetter.takesExpired()) {
            deadLetter.buryExpired(message, () -> {
                queue.forget(message);
                receipt.settled(outcome);
            });
        } else {
            gone(message);
            answer(message, receipt, outcome);
        }
    }

    private void dead(QueuedMessage message, String reason, String description, Receipt receipt, Outcome outcome) {
        if (!deadLetter.exists()) {
            drop(message);
            answer(message, receipt, outcome);
            return;
        }
        deadLetter.bury(message, reason, description, () -> {
            deadLettered++;
            queue.forget(message);
            receipt.settled(outcome);
        });
    }

    /** The message is of no use any more. */
    void gone(QueuedMessage message) {
        if (message.stored) {
            recorder.record(message.removedFact());
        }
        queue.forget(message);
    }

    private void answer(QueuedMessage message, Receipt receipt, Outcome outcome) {
        if (receipt == Receipt.NONE) {
            return;
        }
        if (message.durable) {
            recorder.whenDurable(() -> receipt.settled(outcome));
        } else {
            receipt.settled(outcome);
        }
    }

    long dequeued() {
        return dequeued;
    }

    long deadLettered() {
        return deadLettered;
    }

    long discarded() {
        return discarded;
    }

    long expired() {
        return expired;
    }
}
