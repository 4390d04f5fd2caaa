package io.millrace.queue;

import io.millrace.journal.Fact;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a queue does in transactions (AMQP 1.0, part 4, section 4.4). Owned by the queue.
 *
 * <p>A message offered in a transaction counts against the limits of the queue from then on, gets its place when the
 * transaction is about to commit, and is seen when that is durable. A delivery settled in one belongs to the transaction and
 * no more to its consumer: commit gives it its outcome, rollback makes it a failed attempt. What a transaction gives back is
 * all at its place before any of it is handed out again.
 *
 * <p>Accepted messages leave in the batch of the commit. What becomes of the others is recorded right after it: what was
 * rejected moves to the dead-letter queue, maybe on another loop, in a durable step of its own. Should the broker die between
 * the two, such a message is still in this queue, and will be delivered once more.
 */
final class Transacted {
    private static final String ROLLED_BACK = "the transaction in which the consumer settled it was rolled back";

    private final Queue queue;
    private final Window window;
    private final Settlement settlement;
    private final Admission admission;
    private final Arrivals arrivals;
    private final LoopResources loop;
    private final MemoryBudget memory;
    private final Map<Branch, Share> shares = new HashMap<>();
    private long sentMessages;
    private long sentBytes;
    private long taken;

    Transacted(
            Queue queue,
            Window window,
            Settlement settlement,
            Admission admission,
            Arrivals arrivals,
            LoopResources loop) {
        this.queue = queue;
        this.window = window;
        this.settlement = settlement;
        this.admission = admission;
        this.arrivals = arrivals;
        this.loop = loop;
        this.memory = loop.memory();
    }

    /** Messages that wait for a commit, and their sizes. */
    long sentMessages() {
        return sentMessages;
    }

    long sentBytes() {
        return sentBytes;
    }

    /** Deliveries that wait for a commit. */
    long taken() {
        return taken;
    }

    /** Why open transactions on this loop hold no more messages; empty when they do. */
    Optional<Condition> refusal(Message message) {
        return memory.takesFromTransactions(message.size())
                ? Optional.empty()
                : Optional.of(new Condition(
                        Condition.RESOURCE_LIMIT_EXCEEDED,
                        "queue '" + queue.address() + "' refuses the message: open transactions hold their limit of "
                                + memory.transactionLimitBytes()
                                + " bytes; commit after fewer messages or raise the broker's memory",
                        Map.of(
                                "queue",
                                queue.address(),
                                "reason",
                                "transaction-bytes",
                                "limit",
                                memory.transactionLimitBytes())));
    }

    /** Takes a message that may enter if the transaction commits. */
    void send(Message message, boolean durable, Optional<byte[]> identity, Branch branch) {
        memory.takeForTransaction(message.size());
        sentMessages++;
        sentBytes += message.totalSize();
        share(branch).sent.add(new Sent(message, durable, identity));
    }

    /** Takes a delivery that is out of the window and held by nobody. */
    void settle(QueuedMessage message, Subscriber subscriber, Outcome outcome, Branch branch) {
        taken++;
        share(branch).settled.add(new Settled(message, subscriber, outcome));
    }

    private Share share(Branch branch) {
        Share share = shares.get(branch);
        if (share == null) {
            share = new Share(branch);
            shares.put(branch, share);
            branch.enlist(share);
        }
        return share;
    }

    private Optional<Condition> refusalToCommit(Sent sent) {
        if (queue.deleted()) {
            return queue.missed() ? Optional.of(queue.deletedCondition()) : Optional.empty();
        }
        return arrivals.undecided(sent.identity)
                .or(() -> admission.refusal(
                        sent.message,
                        sent.durable || sent.message.streamed() > 0,
                        0,
                        0,
                        loop.recorder().journal().room()));
    }

    /** A message that has its place is here to stay. */
    private void enter(QueuedMessage queued) {
        if (queue.deleted()) {
            withdraw(queued);
            return;
        }
        queue.entrance().entered(queued.message);
        arrivals.committed(queued);
    }

    /** A message that has its place will not come. */
    private void withdraw(QueuedMessage queued) {
        if (!queue.deleted() && !queued.key.scheduled()) {
            window.withdrawn(queued);
        }
        if (!queued.beyond && !queued.key.scheduled()) {
            memory.release(queued.size());
        }
        if (queued.stored) {
            queue.entrance().written(queued);
        }
    }

    private record Sent(Message message, boolean durable, Optional<byte[]> identity) {}

    private record Settled(QueuedMessage message, Subscriber subscriber, Outcome outcome) {}

    /** What one transaction does in this queue. */
    private final class Share implements Branch.Work {
        private final Branch branch;
        private final List<Sent> sent = new ArrayList<>();
        private final List<Settled> settled = new ArrayList<>();
        private final List<QueuedMessage> placed = new ArrayList<>();
        private final List<Identities.Identity> identities = new ArrayList<>();
        private int prepared;

        Share(Branch branch) {
            this.branch = branch;
        }

        @Override
        public Optional<Condition> prepare(List<Fact> facts) {
            Optional<Condition> refusal = Optional.empty();
            for (int i = 0; i < sent.size() && refusal.isEmpty(); i++) {
                refusal = refusalToCommit(sent.get(i));
            }
            if (refusal.isEmpty() && !queue.deleted()) {
                settled.forEach(each -> settlement.prepare(each.message, each.outcome, facts));
                sent.forEach(each -> place(each, facts));
            }
            return refusal;
        }

        /** Gives a message its place, where it is not seen yet, and adds what the store is to know of it. */
        private void place(Sent each, List<Fact> facts) {
            prepared++;
            if (arrivals.known(each.identity)) {
                memory.release(each.message.size());
                return;
            }
            arrivals.remember(each.identity, each.durable, facts).ifPresent(identities::add);
            placed.add(arrivals.place(each.message, each.durable, facts));
        }

        @Override
        public void committed() {
            end();
            placed.forEach(Transacted.this::enter);
            releaseUnplaced();
            identities.forEach(identity -> identity.settled(Outcome.ACCEPTED));
            for (Settled each : settled) {
                if (queue.deleted()) {
                    queue.forget(each.message);
                } else {
                    settlement.committed(each.message, each.subscriber, each.outcome);
                }
            }
            if (!queue.deleted()) {
                queue.refreshed();
            }
        }

        @Override
        public void rolledBack() {
            end();
            placed.forEach(Transacted.this::withdraw);
            releaseUnplaced();
            identities.forEach(arrivals::takeBack);
            for (Settled each : settled) {
                if (queue.deleted()) {
                    queue.forget(each.message);
                } else {
                    settlement.failed(each.message, ROLLED_BACK);
                }
            }
            if (!queue.deleted()) {
                queue.refreshed();
            }
        }

        /** Messages that were rolled back before they had a place, or whose queue nobody misses. */
        private void releaseUnplaced() {
            sent.stream().skip(prepared).forEach(each -> memory.release(each.message.size()));
        }

        private void end() {
            shares.remove(branch);
            taken -= settled.size();
            sentMessages -= sent.size();
            for (Sent each : sent) {
                sentBytes -= each.message.totalSize();
                memory.leavesTransaction(each.message.size());
            }
        }
    }
}
