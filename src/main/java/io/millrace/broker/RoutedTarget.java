package io.millrace.broker;

import io.millrace.journal.Fact;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Held;
import io.millrace.queue.LoopResources;
import io.millrace.queue.MoveTarget;
import io.millrace.queue.Queue;
import io.millrace.queue.Receipt;
import io.millrace.queue.Recorder;
import io.millrace.queue.Transaction;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;

/**
 * A place to send to whose messages go to any number of queues: a topic, or an address with forwarding rules. Owned by the
 * home loop, as those queues are: what they record for one message is in one batch of the journal, all or nothing.
 *
 * <p>A queue that is full and rejects makes the whole message wait in its line, and what the same sender sends after it wait
 * behind it, whichever queues that is for; who has waited for too long is rejected, before anyone has it. A queue that drops
 * the oldest, but has nothing to drop, goes without the message; the others get it.
 *
 * <p>A sender keeps to the pace of the brisk consumers of all its queues: it has no room while one to which a message of its
 * went has run ahead of them. Full queues do not count: what they have no room for waits by itself.
 */
final class RoutedTarget implements MoveTarget {
    private final Route route;
    private final String container;
    private final LoopResources loop;
    private final Recorder recorder;

    /** In the order in which they came. Only the first is in the line of a queue. */
    private final ArrayDeque<Waiting> waiting = new ArrayDeque<>(1);

    /** The last queue that had run ahead of its consumers after a message for it. */
    private Optional<Queue> ahead = Optional.empty();

    /**
     * For one sender.
     *
     * @param container of the sender's connection
     */
    RoutedTarget(Route route, String container, LoopResources loop) {
        this.route = route;
        this.container = container;
        this.loop = loop;
        this.recorder = loop.recorder();
    }

    @Override
    public void offer(Message message, Transaction transaction, Receipt receipt) {
        if (waiting.isEmpty()) {
            Publication publication = collected(message);
            Optional<Obstacle> obstacle = obstacle(publication);
            if (obstacle.isEmpty()) {
                publish(publication, transaction, receipt);
            } else if (waits(message, transaction)) {
                begin(new Waiting(message, receipt, obstacle.get().reason), obstacle.get());
            } else {
                obstacle.get().queue.refused(obstacle.get().reason);
                receipt.settled(new Outcome.Rejected(obstacle.get().reason));
            }
        } else if (waits(message, transaction)) {
            Waiting behind = new Waiting(message, receipt, waiting.getFirst().reason());
            waiting.add(behind);
            receipt.held(behind::withdraw);
        } else {
            receipt.settled(new Outcome.Rejected(waiting.getFirst().reason()));
        }
    }

    private Publication collected(Message message) {
        Publication publication = new Publication(message, container);
        route.collect(publication);
        return publication;
    }

    /** The first queue that does not take the message now. */
    private static Optional<Obstacle> obstacle(Publication publication) {
        for (Queue queue : publication.queues()) {
            Optional<Condition> objection = queue.objection(publication.message());
            if (objection.isPresent()) {
                return Optional.of(new Obstacle(queue, objection.get()));
            }
        }
        return Optional.empty();
    }

    /** As {@link #obstacle(Publication)}, for one that has its place in the lines of the queues. */
    private static Optional<Obstacle> obstacle(Publication publication, Waiting waiting) {
        for (Queue queue : publication.queues()) {
            Optional<Condition> objection = queue.objection(waiting);
            if (objection.isPresent()) {
                return Optional.of(new Obstacle(queue, objection.get()));
            }
        }
        return Optional.empty();
    }

    /** All queues take the message. */
    private void publish(Publication publication, Transaction transaction, Receipt receipt) {
        List<Queue> queues = publication.queues();
        if (queues.isEmpty()) {
            goneNowhere(publication.message());
            receipt.settled(Outcome.ACCEPTED);
        } else if (queues.size() == 1) {
            queues.get(0).offerToo(publication.message(), transaction, receipt);
            keepPaceWith(queues.get(0));
        } else {
            Message shared = shared(publication);
            Receipt each = new Together(queues.size(), transaction.exists(), receipt);
            for (Queue queue : queues) {
                queue.offerToo(shared, transaction, each);
                keepPaceWith(queue);
            }
        }
    }

    private void keepPaceWith(Queue queue) {
        if (queue.room() == 0 && (ahead.isEmpty() || ahead.get() != queue)) {
            ahead = Optional.of(queue);
        }
    }

    // ---- those that wait

    private boolean waits(Message message, Transaction transaction) {
        return !transaction.exists() && loop.memory().takesToHold(message.size());
    }

    private void begin(Waiting first, Obstacle obstacle) {
        if (obstacle.queue.hold(first, obstacle.reason)) {
            first.at = Optional.of(obstacle.queue);
            waiting.add(first);
            first.receipt.held(first::withdraw);
        } else {
            first.end(new Outcome.Rejected(obstacle.reason));
        }
    }

    /** The first of those that wait has gone: the next ones follow, as far as there is room. */
    private void goOn() {
        while (!waiting.isEmpty() && waiting.getFirst().at.isEmpty()) {
            Waiting first = waiting.getFirst();
            Publication publication = collected(first.message());
            Optional<Obstacle> obstacle = obstacle(publication, first);
            if (obstacle.isEmpty()) {
                waiting.removeFirst();
                first.leave();
                publish(publication, Transaction.NONE, first.receipt);
            } else if (obstacle.get().queue.hold(first, obstacle.get().reason)) {
                first.at = Optional.of(obstacle.get().queue);
            } else {
                waiting.removeFirst();
                first.end(new Outcome.Rejected(obstacle.get().reason));
            }
        }
    }

    private record Obstacle(Queue queue, Condition reason) {}

    /** A message that waits until all its queues have room, and all earlier ones of its sender have gone. */
    private final class Waiting extends Held {
        private final Receipt receipt;

        /** In whose line it is; empty for all but the first. */
        private Optional<Queue> at = Optional.empty();

        private boolean ended;

        Waiting(Message message, Receipt receipt, Condition reason) {
            super(loop, message, reason);
            this.receipt = receipt;
        }

        @Override
        protected void tryAgain() {
            at = Optional.empty();
            goOn();
        }

        @Override
        protected void refused(Condition why) {
            at = Optional.empty();
            waiting.remove(this);
            end(new Outcome.Rejected(why));
            // Not now: others may be withdrawn or refused in the same turn.
            loop.loop().post(RoutedTarget.this::goOn);
        }

        private void withdraw() {
            if (ended) {
                return;
            }
            at.ifPresent(queue -> queue.forget(this));
            waiting.remove(this);
            end(Outcome.RELEASED);
            if (at.isPresent()) {
                loop.loop().post(RoutedTarget.this::goOn);
            }
        }

        private void end(Outcome outcome) {
            leave();
            receipt.settled(outcome);
        }

        private void leave() {
            ended = true;
            over();
        }
    }

    @Override
    public void move(Message message, Optional<Fact.MessageRemoved> leaves, Receipt receipt) {
        Publication publication = collected(message);
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

    /** Where the next message goes is not known; but brisk consumers of the last ones are to follow. */
    @Override
    public int room() {
        if (ahead.isPresent() && ahead.get().room() > 0) {
            ahead = Optional.empty();
        }
        return ahead.isEmpty() && recorder.hasRoom() ? Integer.MAX_VALUE : 0;
    }

    @Override
    public void whenRoom(Runnable task) {
        ahead.ifPresentOrElse(queue -> queue.whenRoom(task), () -> recorder.whenRoom(task));
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
