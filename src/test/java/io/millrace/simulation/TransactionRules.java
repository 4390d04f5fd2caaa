package io.millrace.simulation;

import io.millrace.broker.LocalTransaction;
import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import io.millrace.simulation.Copy.Fate;
import io.millrace.simulation.SimTransaction.State;
import io.millrace.simulation.SimTransaction.Taken;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** A transaction is seen whole or not at all, and nothing of it before it is durable. */
final class TransactionRules {
    private final Plan plan;
    private final Ledger ledger;
    private final List<SimTransaction> open = new ArrayList<>();

    TransactionRules(Plan plan, Ledger ledger) {
        this.plan = plan;
        this.ledger = ledger;
    }

    SimTransaction begun(LocalTransaction broker) {
        SimTransaction transaction = new SimTransaction(broker);
        open.add(transaction);
        return transaction;
    }

    void sent(SimTransaction transaction, Parcel parcel) {
        for (Copy copy : parcel.copies.values()) {
            copy.transaction = Optional.of(transaction);
            copy.fate = copy.fate == Fate.OFFERED ? Fate.TENTATIVE : copy.fate;
            transaction.sent.add(copy);
        }
    }

    void taken(SimTransaction transaction, Copy copy, Place at, Outcome outcome) {
        copy.transaction = Optional.of(transaction);
        transaction.taken.add(new Taken(copy, at, outcome, ledger.isOnDisk(copy)));
    }

    /** The client is about to ask for it. */
    void committing(SimTransaction transaction) {
        transaction.state = State.COMMITTING;
    }

    /** The client is about to roll it back, or its connection is about to break. */
    void rollingBack(SimTransaction transaction) {
        rolledBack(transaction);
    }

    void answered(SimTransaction transaction, boolean commit, Outcome outcome) {
        if (!commit) {
            Checks.that(outcome instanceof Outcome.Accepted, "a rollback is answered %s", outcome);
            return;
        }
        if (outcome instanceof Outcome.Rejected rejected) {
            Checks.that(
                    transaction.state != State.COMMITTED,
                    "a transaction that was seen is refused: %s",
                    rejected.error());
            refusedForAReason(rejected.error().orElseThrow());
            if (transaction.state == State.COMMITTING) {
                rolledBack(transaction);
            }
            return;
        }
        Checks.that(outcome instanceof Outcome.Accepted, "a commit is answered %s", outcome);
        Checks.that(!transaction.doomed, "a transaction is committed although part of it was refused");
        Checks.that(transaction.state != State.ROLLED_BACK, "a transaction that was undone is said to be committed");
        if (transaction.state == State.COMMITTING) {
            committed(transaction);
        }
    }

    private void refusedForAReason(Condition condition) {
        Object reason = condition.info().get("reason");
        boolean repeats = plan.repeats()
                && Condition.RESOURCE_LOCKED.equals(condition.info().get(LocalTransaction.CAUSE));
        Checks.that(
                condition.symbol().equals(Condition.TRANSACTION_ROLLBACK)
                        && (repeats || (reason != null && ledger.isReasonToRefuse(reason))),
                "a commit is refused: %s",
                condition);
    }

    /** A message comes that was sent or settled in a transaction that is not over as far as its client knows. */
    void seen(Copy copy) {
        SimTransaction transaction = copy.transaction.orElseThrow();
        Checks.that(
                transaction.state == State.COMMITTING,
                "%s of a transaction that is %s is seen",
                copy,
                transaction.state);
        Optional<Taken> taken =
                transaction.taken.stream().filter(each -> each.copy() == copy).findFirst();
        if (taken.isEmpty()) {
            committed(transaction);
        } else if (taken.get().outcome() instanceof Outcome.Accepted) {
            rolledBack(transaction);
        } else {
            // Both ends of the transaction may bring it back.
            transaction.taken.remove(taken.get());
            copy.transaction = Optional.empty();
            copy.doubtfulFailures++;
            copy.died |= taken.get().at().deadLetterQueue().isPresent();
        }
    }

    private void committed(SimTransaction transaction) {
        transaction.state = State.COMMITTED;
        open.remove(transaction);
        nothingIsSeenBeforeItIsDurable(transaction);
        for (Copy copy : transaction.sent) {
            copy.transaction = Optional.empty();
            if (copy.fate == Fate.TENTATIVE) {
                copy.parcel.answered = true;
                copy.fate = Fate.PRESENT;
            }
        }
        for (Taken taken : transaction.taken) {
            taken.copy().transaction = Optional.empty();
            ledger.settled(taken.copy(), taken.at(), taken.outcome());
            if (taken.copy().fate == Fate.SETTLED) {
                taken.copy().fate = Fate.GONE;
            }
        }
    }

    private void nothingIsSeenBeforeItIsDurable(SimTransaction transaction) {
        for (Copy copy : transaction.sent) {
            Checks.that(
                    !isEvidence(copy) || ledger.isOnDisk(copy),
                    "%s was committed, and is not on disk when its transaction is seen",
                    copy);
        }
    }

    private void rolledBack(SimTransaction transaction) {
        transaction.state = State.ROLLED_BACK;
        open.remove(transaction);
        for (Copy copy : transaction.sent) {
            copy.transaction = Optional.empty();
            copy.fate = Fate.GONE;
        }
        for (Taken taken : transaction.taken) {
            taken.copy().transaction = Optional.empty();
            ledger.failed(taken.copy(), taken.at());
            if (plan.repeats() || plan.timed()) {
                // It ends when all that was sent in it is answered; what repeats another message is when that is on
                // disk, and a delayed one when the store has told what places there are.
                ledger.order.givenBackInTime(taken.copy());
            }
        }
    }

    // ---- a crash

    /** What is in the store says which transactions took place; each did with all that it is, or did not. */
    void crashed(Set<String> stored) {
        for (SimTransaction transaction : List.copyOf(open)) {
            Optional<Boolean> tookPlace = tookPlaceWholeOrNotAtAll(transaction, stored);
            Checks.that(
                    transaction.state == State.COMMITTING || !tookPlace.orElse(false),
                    "a transaction took place that nobody committed");
            for (Copy copy : transaction.sent) {
                copy.transaction = Optional.empty();
                copy.parcel.answered = tookPlace.orElse(false);
                if (copy.fate == Fate.TENTATIVE) {
                    copy.fate = tookPlace.isEmpty() ? Fate.DOUBT : tookPlace.get() ? Fate.PRESENT : Fate.GONE;
                }
            }
            for (Taken taken : transaction.taken) {
                Copy copy = taken.copy();
                copy.transaction = Optional.empty();
                boolean accepted = taken.outcome() instanceof Outcome.Accepted;
                if (tookPlace.isEmpty() && transaction.state == State.COMMITTING) {
                    copy.fate = Fate.DOUBT;
                } else if (tookPlace.orElse(false) && !accepted) {
                    copy.died |=
                            taken.outcome() instanceof Outcome.Modified || taken.outcome() instanceof Outcome.Rejected;
                    copy.fate = taken.outcome() instanceof Outcome.Rejected ? Fate.DOUBT : copy.fate;
                } else if (tookPlace.orElse(false)) {
                    copy.fate = Fate.GONE;
                }
            }
        }
        open.clear();
    }

    /** Empty if nothing in the store tells. */
    private Optional<Boolean> tookPlaceWholeOrNotAtAll(SimTransaction transaction, Set<String> stored) {
        List<Copy> done = new ArrayList<>();
        List<Copy> undone = new ArrayList<>();
        for (Copy copy : transaction.sent) {
            if (isEvidence(copy)) {
                (stored.contains(Ledger.key(copy)) ? done : undone).add(copy);
            }
        }
        for (Taken taken : transaction.taken) {
            if (taken.outcome() instanceof Outcome.Accepted && taken.onDisk() && isEvidenceOnceStored(taken.copy())) {
                (stored.contains(Ledger.key(taken.copy())) ? undone : done).add(taken.copy());
            }
        }
        Checks.that(done.isEmpty() || undone.isEmpty(), "of a transaction %s took place, and %s did not", done, undone);
        return done.isEmpty() && undone.isEmpty() && transaction.state == State.COMMITTING
                ? Optional.empty()
                : Optional.of(!done.isEmpty());
    }

    private static boolean isEvidence(Copy copy) {
        return copy.fate == Fate.TENTATIVE && !copy.mayRepeat() && isEvidenceOnceStored(copy);
    }

    private static boolean isEvidenceOnceStored(Copy copy) {
        return copy.durable()
                && copy.fate != Fate.DOUBT
                && !copy.place.dropsOldest()
                && copy.parcel.traits.expiryMillis() == 0;
    }
}
