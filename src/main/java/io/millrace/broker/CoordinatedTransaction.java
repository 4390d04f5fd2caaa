package io.millrace.broker;

import io.millrace.journal.Fact;
import io.millrace.loop.Loop;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Branch;
import io.millrace.queue.Consumer;
import io.millrace.queue.Delivery;
import io.millrace.queue.Receipt;
import io.millrace.queue.Source;
import io.millrace.queue.Target;
import io.millrace.queue.Transaction;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A transaction and its coordinator. Owned by the loop of the connection, its home; each of its branches is owned by the loop
 * where it works.
 *
 * <p>It is discharged when all in it has been answered. To commit, every branch tells its facts, asked through the relay that
 * carried the offers, so after them; on another loop what was recorded before goes to the journal first, for the facts build
 * on it. All facts then go to the journal as one batch, and when that is durable every branch is told, and after them the
 * controller. A branch that refuses rolls all of them back. With all queues at home this is one pass of plain calls.
 */
final class CoordinatedTransaction implements LocalTransaction {
    private final Directory home;
    private final List<Directory> directories;
    private final TransactionLimits limits;

    /** By the index of their loops; each place is touched on its own loop only. */
    private final LoopBranch[] branches;

    /** The ways to the other loops that have a part in it. */
    private final Set<Relay> reached = new LinkedHashSet<>();

    private final ArrayDeque<Runnable> waiting = new ArrayDeque<>();
    private int unanswered;
    private int operations;
    private long bytes;
    private Optional<Condition> ended = Optional.empty();
    private boolean discharged;
    private boolean over;

    private final List<Fact> facts = new ArrayList<>();
    private Optional<Condition> refusal = Optional.empty();
    private int awaited;

    CoordinatedTransaction(Directory home, List<Directory> directories, TransactionLimits limits) {
        this.home = home;
        this.directories = directories;
        this.limits = limits;
        this.branches = new LoopBranch[directories.size()];
    }

    /** A part of the transaction, if it is one, goes to another loop. Called on the loop where it was begun. */
    static void reaches(Transaction transaction, Relay there) {
        if (transaction instanceof CoordinatedTransaction coordinated) {
            coordinated.home.loop().assertCurrent();
            coordinated.reached.add(there);
        }
    }

    @Override
    public boolean exists() {
        return true;
    }

    @Override
    public Branch branch(Loop loop) {
        return branchOn(loop);
    }

    private LoopBranch branchOn(Loop loop) {
        int index = 0;
        while (directories.get(index).loop() != loop) {
            index++;
        }
        if (branches[index] == null) {
            branches[index] = new LoopBranch();
        }
        return branches[index];
    }

    // ---- work

    @Override
    public void offer(Target target, Message message, Receipt receipt) {
        home.loop().assertCurrent();
        count(message.size());
        if (ended.isPresent()) {
            receipt.settled(new Outcome.Rejected(ended.get()));
            return;
        }
        unanswered++;
        target.offer(message, this, outcome -> {
            if (outcome instanceof Outcome.Rejected rejected) {
                doom(rejected.error()
                        .orElseGet(() ->
                                new Condition(Condition.INTERNAL_ERROR, "a message was refused without a reason")));
            }
            receipt.settled(outcome);
            answered();
        });
    }

    @Override
    public void settle(Source source, Consumer consumer, Delivery delivery, Outcome outcome, Receipt receipt) {
        home.loop().assertCurrent();
        count(delivery.message().size());
        if (over) {
            // As the rollback would have done.
            source.settle(consumer, delivery, new Outcome.Modified(true, false, Map.of()), Receipt.NONE);
            receipt.settled(outcome);
            return;
        }
        unanswered++;
        source.settle(consumer, delivery, outcome, this, settled -> {
            receipt.settled(settled);
            answered();
        });
    }

    private void count(int size) {
        operations++;
        bytes += size;
        if (!over && (operations > limits.operations() || bytes > limits.bytes())) {
            abort(rolledBack(tooLarge()));
        }
    }

    private Condition tooLarge() {
        return operations > limits.operations()
                ? new Condition(
                        Condition.RESOURCE_LIMIT_EXCEEDED,
                        "it has more than " + limits.operations()
                                + " messages sent and received, the limit of a transaction; commit more often",
                        Map.of("reason", "transaction-messages", "limit", limits.operations()))
                : new Condition(
                        Condition.RESOURCE_LIMIT_EXCEEDED,
                        "its messages have more than " + limits.bytes()
                                + " bytes, a quarter of the broker's memory; commit more often or raise the memory",
                        Map.of("reason", "transaction-bytes", "limit", limits.bytes()));
    }

    /** The cause stays in the info, for programs. */
    private static Condition rolledBack(Condition cause) {
        Map<String, Object> info = new LinkedHashMap<>(cause.info());
        info.put(CAUSE, cause.symbol());
        return new Condition(
                Condition.TRANSACTION_ROLLBACK, "the transaction was rolled back: " + cause.description(), info);
    }

    private void answered() {
        unanswered--;
        while (unanswered == 0 && !waiting.isEmpty()) {
            waiting.poll().run();
        }
    }

    /** What is still under way must be in its branch before the branch ends. */
    private void whenAnswered(Runnable task) {
        if (unanswered == 0) {
            task.run();
        } else {
            waiting.add(task);
        }
    }

    // ---- end

    @Override
    public void doom(Condition reason) {
        if (ended.isEmpty()) {
            ended = Optional.of(rolledBack(reason));
        }
    }

    @Override
    public void abort(Condition reason) {
        if (!discharged) {
            ended = ended.or(() -> Optional.of(reason));
            whenAnswered(this::rollBack);
        }
    }

    @Override
    public void discharge(boolean fail, Receipt receipt) {
        home.loop().assertCurrent();
        discharged = true;
        whenAnswered(() -> {
            if (fail || ended.isPresent()) {
                rollBack();
                receipt.settled(fail ? Outcome.ACCEPTED : new Outcome.Rejected(ended.get()));
            } else {
                commit(receipt);
            }
        });
    }

    private void rollBack() {
        if (over) {
            return;
        }
        over = true;
        Optional<LoopBranch> own = own();
        own.ifPresent(LoopBranch::rolledBack);
        for (Relay there : reached) {
            there.send(() -> branchOn(there.to()).rolledBack());
        }
    }

    private Optional<LoopBranch> own() {
        return Optional.ofNullable(branches[home.index()]);
    }

    private void commit(Receipt receipt) {
        over = true;
        awaited = reached.size() + 1;
        for (Relay there : reached) {
            there.send(() -> {
                directoryOf(there.to()).resources().recorder().flush();
                List<Fact> more = new ArrayList<>();
                Optional<Condition> refused = branchOn(there.to()).prepare(more);
                home.loop().post(() -> prepared(more, refused, receipt));
            });
        }
        List<Fact> more = new ArrayList<>();
        prepared(more, own().flatMap(branch -> branch.prepare(more)), receipt);
    }

    private Directory directoryOf(Loop loop) {
        return directories.stream()
                .filter(each -> each.loop() == loop)
                .findFirst()
                .orElseThrow();
    }

    private void prepared(List<Fact> more, Optional<Condition> refused, Receipt receipt) {
        facts.addAll(more);
        refusal = refusal.or(() -> refused);
        awaited--;
        if (awaited > 0) {
            return;
        }
        if (refusal.isPresent()) {
            over = false;
            rollBack();
            receipt.settled(new Outcome.Rejected(rolledBack(refusal.get())));
        } else {
            home.resources().recorder().commit(facts, () -> committed(receipt));
        }
    }

    /**
     * A controller that has its answer finds the messages wherever it looks. At home that needs no order, for whatever it asks
     * next comes in a later turn; so the answer is written before the messages are, and the controller goes on meanwhile.
     */
    private void committed(Receipt receipt) {
        awaited = reached.size();
        if (awaited == 0) {
            receipt.settled(Outcome.ACCEPTED);
        }
        own().ifPresent(LoopBranch::committed);
        for (Relay there : reached) {
            there.send(() -> {
                branchOn(there.to()).committed();
                home.loop().post(() -> {
                    awaited--;
                    if (awaited == 0) {
                        receipt.settled(Outcome.ACCEPTED);
                    }
                });
            });
        }
    }
}
