package io.millrace.queue;

import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.util.Optional;

/**
 * What becomes of a message that is offered to a queue: it enters, waits for room, waits for its transaction, or is refused.
 * Owned by the queue.
 */
final class Offers {
    private final Queue queue;
    private final Admission admission;
    private final Tally tally;
    private final Transacted transacted;
    private final Window window;
    private final LoopResources loop;
    private final Hold hold;

    Offers(Queue queue, Admission admission, Tally tally, Transacted transacted, Window window, LoopResources loop) {
        this.queue = queue;
        this.admission = admission;
        this.tally = tally;
        this.transacted = transacted;
        this.window = window;
        this.loop = loop;
        this.hold = new Hold(queue, loop, admission, tally);
    }

    Hold hold() {
        return hold;
    }

    /** @param agreed there was no {@link #objection} */
    void offer(Message offered, Transaction transaction, Receipt receipt, boolean agreed) {
        Arrivals arrivals = queue.arrivals();
        Message message = arrivals.dated(offered);
        Optional<byte[]> digest = arrivals.identity(message);
        if (arrivals.repeats(digest, receipt)) {
            return;
        }
        Optional<Condition> objection = agreed && !queue.deleted() ? Optional.empty() : objection(message);
        Optional<Condition> refusal = objection.or(() -> overLimit(message, transaction));
        if (refusal.isPresent()) {
            refuse(message, transaction, receipt, refusal.get());
            return;
        }
        if (!hold.idle()) {
            hold.entered();
        }
        boolean durable = queue.keeps(message);
        if (transaction.exists()) {
            arrivals.whenPlaceIsKnown(message, () -> {
                transacted.send(message, durable, digest, transaction.branch(loop.loop()));
                receipt.settled(Outcome.ACCEPTED);
            });
            return;
        }
        arrivals.take(message, durable, digest, receipt);
    }

    private Optional<Condition> overLimit(Message message, Transaction transaction) {
        if (transaction.exists()) {
            return transacted.refusal(message);
        }
        boolean over = admission.over(tally.messages + 1, tally.bytes + message.totalSize());
        return over && !queue.entrance().makeRoomFor(message)
                ? Optional.of(admission.full(tally.messages, message.totalSize()))
                : Optional.empty();
    }

    /** As {@link #objection(Message)}, but a message that is here already needs no room. */
    Optional<Condition> objectionToNew(Message message) {
        Optional<Condition> objection = objection(message);
        Arrivals arrivals = queue.arrivals();
        boolean known = objection.isPresent() && !queue.deleted() && arrivals.known(arrivals.identity(message));
        return known ? Optional.empty() : objection;
    }

    /** Why a message cannot come in now. */
    private Optional<Condition> objection(Message message) {
        if (queue.deleted()) {
            return Optional.of(queue.deletedCondition());
        }
        Optional<Condition> others = hold.idle() ? Optional.empty() : hold.precedence();
        return others.isPresent() ? others : lack(message);
    }

    /** As {@link #objection(Message)}, of one that has waited for room. */
    Optional<Condition> objection(Held waiting) {
        if (queue.deleted()) {
            return Optional.of(queue.deletedCondition());
        }
        return hold.precedence(waiting).or(() -> lack(waiting.message()));
    }

    /** Why there is no place for a message, whoever else may wait. */
    Optional<Condition> lack(Message message) {
        boolean needsStore = queue.keeps(message)
                || message.streamed() > 0
                || queue.arrivals().waits(message)
                || !window.keeps(queue.entrance().order(message), message.size());
        return admission
                .refusal(
                        message,
                        needsStore,
                        tally.messages + transacted.sentMessages(),
                        tally.bytes + transacted.sentBytes(),
                        loop.recorder().journal().room())
                .or(() -> queue.arrivals().refusal(message));
    }

    /** How many more messages may come, as far as the limits go. */
    int room() {
        return hold.room(admission.left(tally.messages + transacted.sentMessages()));
    }

    /** No message of a transaction waits: what it has settled makes room only when it ends, and it could not end meanwhile. */
    private void refuse(Message message, Transaction transaction, Receipt receipt, Condition reason) {
        if (!transaction.exists() && loop.memory().takesToHold(message.size())) {
            Waiting waiting = new Waiting(message, receipt, reason);
            if (hold.add(waiting, reason)) {
                receipt.held(waiting::withdraw);
                return;
            }
            waiting.end(new Outcome.Rejected(reason));
        } else {
            hold.refused(reason);
            receipt.settled(new Outcome.Rejected(reason));
        }
    }

    /** A message that was offered to this queue alone. */
    private final class Waiting extends Held {
        private final Receipt receipt;

        Waiting(Message message, Receipt receipt, Condition reason) {
            super(loop, message, reason);
            this.receipt = receipt;
        }

        @Override
        protected void tryAgain() {
            over();
            offer(message(), Transaction.NONE, receipt, true);
        }

        @Override
        protected void refused(Condition why) {
            end(new Outcome.Rejected(why));
        }

        private void withdraw() {
            if (hold.remove(this)) {
                end(Outcome.RELEASED);
            }
        }

        private void end(Outcome outcome) {
            over();
            receipt.settled(outcome);
        }
    }
}
