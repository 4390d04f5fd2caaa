package io.millrace.queue;

import io.millrace.journal.Fact;
import io.millrace.loop.Loop;
import io.millrace.message.Condition;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A transaction on one loop, each step of which a test takes by itself. */
final class TransactionByHand implements Transaction, Branch {
    final List<Fact> facts = new ArrayList<>();
    private final Recorder recorder;
    private final List<Work> works = new ArrayList<>();

    TransactionByHand(Recorder recorder) {
        this.recorder = recorder;
    }

    @Override
    public boolean exists() {
        return true;
    }

    @Override
    public Branch branch(Loop loop) {
        return this;
    }

    @Override
    public void enlist(Work work) {
        works.add(work);
    }

    /** Asks for the facts; tells why they cannot be had. */
    Optional<Condition> prepare() {
        Optional<Condition> refusal = Optional.empty();
        for (Work work : works) {
            refusal = refusal.or(() -> work.prepare(facts));
        }
        return refusal;
    }

    /** Hands the facts to the recorder, and tells the queue when they are durable. */
    void record() {
        recorder.commit(facts, () -> works.forEach(Work::committed));
    }

    void commit() {
        prepare().ifPresent(refusal -> {
            throw new AssertionError(refusal);
        });
        record();
    }

    void rollBack() {
        works.forEach(Work::rolledBack);
    }
}
