package io.millrace.broker;

import io.millrace.journal.Fact;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.MoveTarget;
import io.millrace.queue.Queue;
import io.millrace.queue.Receipt;
import io.millrace.queue.Recorder;
import io.millrace.queue.Transaction;
import java.util.List;
import java.util.Optional;

/**
 * A place to send to whose messages go to any number of queues: a topic, or an address with forwarding rules. Owned by the
 * home loop, as those queues are: what they record for one message is in one batch of the journal, all or nothing.
 *
 * <p>A queue that is full and rejects makes the whole message be rejected, before anyone has it. One that drops the oldest,
 * but has nothing to drop, goes without the message; the others get it.
 */
final class RoutedTarget implements MoveTarget {
    private final Route route;
    private final String container;
    private final Recorder recorder;

    /**
     * For one sender.
     *
     * @param container of the sender's connection
     */
    RoutedTarget(Route route, String container, Recorder recorder) {
        this.route = route;
        this.container = container;
        this.recorder = recorder;
    }

    @Override
    public void offer(Message message, Transaction transaction, Receipt receipt) {
        Publication publication = new Publication(message, container);
        route.collect(publication);
        List<Queue> queues = publication.queues();
        if (queues.isEmpty()) {
            goneNowhere(message);
            receipt.settled(Outcome.ACCEPTED);
            return;
        }
        if (queues.size() == 1) {
            queues.get(0).offer(message, transaction, receipt);
            return;
        }
        for (Queue queue : queues) {
            Optional<Condition> objection = queue.objection(message);
            if (objection.isPresent()) {
                receipt.settled(new Outcome.Rejected(objection.get()));
                return;
            }
        }
        Message shared = shared(publication);
        Receipt each = new Together(queues.size(), transaction.exists(), receipt);
        for (Queue queue : queues) {
            queue.offerToo(shared, transaction, each);
        }
    }

    @Override
    public void move(Message message, Optional<Fact.MessageRemoved> leaves, Receipt receipt) {
        Publication publication = new Publication(message, container);
        route.collect(publication);
        List<Queue> queues = publication.queues();
        if (queues.isEmpty()) {
            leaves.ifPresentOrElse(recorder::record, () -> goneNowhere(message));
            recorder.whenDurable(() -> receipt.settled(Outcome.ACCEPTED));
            return;
        }
        Message shared = shared(publication);
        Receipt each = new Together(queues.size(), false, receipt);
        Optional<Fact.MessageRemoved> left = leaves;
        for (Queue queue : queues) {
            queue.move(shared, left, each);
            left = Optional.empty();
        }
    }

    /** The store has the body of a large message already, and nobody will ask for it. */
    private void goneNowhere(Message message) {
        if (message.streamed() > 0) {
            recorder.record(new Fact.BodyDropped(message.body()));
        }
    }

    /** What more than one queue keeps on disk is there once. */
    private Message shared(Publication publication) {
        Message message = publication.message();
        return message.durable() && publication.keepers() > 1
                ? message.inBody(recorder.journal().newBody())
                : message;
    }

    @Override
    public int room() {
        return recorder.hasRoom() ? Integer.MAX_VALUE : 0;
    }

    @Override
    public void whenRoom(Runnable task) {
        recorder.whenRoom(task);
    }

    /** Answers for all queues when the last of them has answered. */
    private static final class Together implements Receipt {
        private final boolean allOrNone;
        private final Receipt sender;
        private Outcome answer = Outcome.ACCEPTED;
        private int waiting;

        /** @param allOrNone in a transaction, where one queue that refuses keeps the others from having the message, too */
        Together(int queues, boolean allOrNone, Receipt sender) {
            this.waiting = queues;
            this.allOrNone = allOrNone;
            this.sender = sender;
        }

        @Override
        public void settled(Outcome outcome) {
            if (allOrNone && outcome instanceof Outcome.Rejected) {
                answer = outcome;
            }
            if (--waiting == 0) {
                sender.settled(answer);
            }
        }
    }
}
