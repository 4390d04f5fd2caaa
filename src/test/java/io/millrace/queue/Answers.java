package io.millrace.queue;

import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import java.util.ArrayList;
import java.util.List;

/**
 * A receipt for tests: keeps the outcomes it is told, all of them, so that a second one is seen, and the ways to take back
 * what is held.
 */
public final class Answers implements Receipt {
    public final List<Outcome> outcomes = new ArrayList<>();
    public final List<Runnable> withdrawals = new ArrayList<>();

    @Override
    public void held(Runnable withdrawal) {
        withdrawals.add(withdrawal);
    }

    @Override
    public void settled(Outcome outcome) {
        outcomes.add(outcome);
    }

    /** Why the last one was refused. */
    public Condition refusal() {
        return ((Outcome.Rejected) outcomes.get(outcomes.size() - 1)).error().orElseThrow();
    }
}
