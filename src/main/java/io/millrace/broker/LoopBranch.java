package io.millrace.broker;

import io.millrace.journal.Fact;
import io.millrace.message.Condition;
import io.millrace.queue.Branch;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What a transaction does in the queues of one loop, which owns it. */
final class LoopBranch implements Branch {
    private final List<Work> works = new ArrayList<>(2);

    @Override
    public void enlist(Work work) {
        works.add(work);
    }

    /** Adds the facts of all work, or tells which part of it cannot be done. */
    Optional<Condition> prepare(List<Fact> facts) {
        Optional<Condition> refusal = Optional.empty();
        for (int i = 0; i < works.size() && refusal.isEmpty(); i++) {
            refusal = works.get(i).prepare(facts);
        }
        return refusal;
    }

    void committed() {
        works.forEach(Work::committed);
    }

    void rolledBack() {
        works.forEach(Work::rolledBack);
    }
}
