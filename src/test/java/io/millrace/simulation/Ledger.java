package io.millrace.simulation;

import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import io.millrace.queue.Delivery;
import io.millrace.queue.Messages;
import io.millrace.queue.Receipt;
import io.millrace.simulation.Copy.Fate;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What a simulation knows of each message, from what clients did and were told: the model that the broker is checked
 * against. Every method is called before the broker is, or as it answers.
 */
final class Ledger {
    final GroupRules groups = new GroupRules();
    final OrderRules order;
    final TimeRules time;
    final DuplicateRules duplicates = new DuplicateRules();
    final TransactionRules transactions;

    private final Plan plan;
    private final Map<String, Parcel> parcels = new LinkedHashMap<>();
    private int awaited;
    private int generation;
    private JournalTap journal;
    private Loops loops;

    Ledger(Plan plan, JournalTap journal, Loops loops) {
        this.plan = plan;
        this.journal = journal;
        this.loops = loops;
        order = new OrderRules(plan);
        time = new TimeRules(plan);
        transactions = new TransactionRules(plan, this);
    }

    /** How the store shows where a copy is. */
    static String key(Copy copy) {
        return copy.place.title() + "/" + copy.parcel.name;
    }

    boolean isOnDisk(Copy copy) {
        return journal.isOnDisk(key(copy));
    }

    // ---- producers

    /** A message is about to be sent. */
    Parcel offered(int stream, String address, Traits traits, Map<Place, Boolean> places) {
        Parcel parcel = new Parcel(parcels.size(), stream, address, generation, traits);
        parcels.put(parcel.name, parcel);
        places.forEach((place, certain) -> {
            Copy copy = new Copy(parcel, place);
            copy.fate = certain ? Fate.OFFERED : Fate.DOUBT;
            parcel.copies.put(place, copy);
            duplicates.offered(copy);
        });
        return parcel;
    }

    /** Who waits for the answer to an offer in no transaction. */
    Receipt answer(Parcel parcel) {
        Receipt answer = receipt(parcel.name, outcome -> {
            parcel.waits = false;
            if (outcome instanceof Outcome.Rejected rejected) {
                for (Copy copy : parcel.copies.values()) {
                    Checks.that(
                            copy.fate == Fate.OFFERED || copy.fate == Fate.DOUBT, "%s is refused, and was there", copy);
                    copy.fate = Fate.GONE;
                }
                isRefusedForAReason(parcel, rejected.error().orElseThrow());
                return;
            }
            Checks.that(outcome instanceof Outcome.Accepted, "%s was answered %s", parcel.name, outcome);
            parcel.answered = true;
            for (Copy copy : parcel.copies.values()) {
                if (copy.fate == Fate.OFFERED) {
                    isOnDiskWhenItIsAccepted(copy);
                    copy.fate = Fate.PRESENT;
                }
            }
        });
        return new Receipt() {
            @Override
            public void settled(Outcome outcome) {
                answer.settled(outcome);
            }

            @Override
            public void held(Runnable withdraw) {
                parcel.waits = true;
            }
        };
    }

    /** Who waits for the answer to an offer in a transaction. */
    Receipt answer(Parcel parcel, SimTransaction transaction) {
        return receipt(parcel.name, outcome -> {
            if (outcome instanceof Outcome.Rejected rejected) {
                isRefusedForAReason(parcel, rejected.error().orElseThrow());
                transaction.doomed = true;
            } else {
                Checks.that(outcome instanceof Outcome.Accepted, "%s was answered %s", parcel.name, outcome);
            }
        });
    }

    private void isOnDiskWhenItIsAccepted(Copy copy) {
        boolean mustBe = copy.durable() && !copy.place.dropsOldest() && !copy.mayHaveExpired(loops.latestMillis());
        Checks.that(
                !mustBe || duplicates.withTheIdentityOf(copy).stream().anyMatch(this::isOnDisk),
                "%s was accepted, and is not on disk",
                copy);
    }

    private void isRefusedForAReason(Parcel parcel, Condition condition) {
        Object reason = condition.info().get("reason");
        Object queue = condition.info().get("queue");
        boolean limited = goesWhereALimitIs(parcel) || waitsForALimit(parcel.stream, parcel.address);
        boolean undone = condition.symbol().equals(Condition.TRANSACTION_ROLLBACK);
        boolean repeats = parcel.copies.values().stream().anyMatch(Copy::mayRepeat);
        if (repeats && plan.transacted() && "rolled-back".equals(reason)) {
            // What it repeats was rolled back.
            return;
        }
        Checks.that(
                reason != null && queue != null && isReasonToRefuse(reason) && (limited || undone || !isLimit(reason)),
                "%s was refused: %s",
                parcel.name,
                condition);
    }

    private static boolean goesWhereALimitIs(Parcel parcel) {
        return parcel.copies.keySet().stream().anyMatch(Place::hasLimit);
    }

    /** What cannot wait behind an earlier message on its link is refused for that one's reason, wherever itself would go. */
    private boolean waitsForALimit(int stream, String address) {
        return parcels.values().stream()
                .anyMatch(each ->
                        each.waits && each.stream == stream && each.address.equals(address) && goesWhereALimitIs(each));
    }

    private static boolean isLimit(Object reason) {
        return reason.equals("max-messages");
    }

    boolean isReasonToRefuse(Object reason) {
        return reason.equals("store-full")
                ? plan.storeWasFull()
                : isLimit(reason) || (reason.equals("transaction-bytes") && plan.transacted());
    }

    Receipt receipt(String what, Receipt then) {
        int born = generation;
        boolean[] called = {false};
        awaited++;
        return outcome -> {
            Checks.that(born == generation, "%s is answered by a dead broker", what);
            Checks.that(!called[0], "%s is answered twice", what);
            called[0] = true;
            awaited--;
            then.settled(outcome);
        };
    }

    /** Something other than an outcome is to come; to be run when it does. */
    Runnable expect(String what) {
        Receipt receipt = receipt(what, outcome -> {});
        return () -> receipt.settled(Outcome.ACCEPTED);
    }

    // ---- consumers

    /** What was handed to a consumer, or shown to a browser, at some place. */
    Copy copy(Delivery delivery, Place at) {
        Parcel parcel = parcels.get(Messages.name(delivery.message()));
        Checks.that(parcel != null, "a message comes that nobody sent");
        Object origin = delivery.message().annotation("x-opt-death-address");
        return parcel.copies.values().stream()
                .filter(each -> at.isGrave() ? each.place.isCalledOrWas(origin) : each.place == at)
                .findFirst()
                .orElseThrow(() -> new AssertionError(parcel.name + " of " + origin + " comes from " + at
                        + ", was sent to " + parcel.copies.keySet()));
    }

    Copy delivered(SimConsumer consumer, Delivery delivery) {
        Place at = consumer.place();
        Copy copy = copy(delivery, at);
        if (copy.transaction.isPresent()) {
            transactions.seen(copy);
        }
        isThereToBeDelivered(copy, at);
        comesFromWhereItBelongs(copy, at, delivery);
        failedAttemptsAreCounted(copy, at, delivery.deliveryCount());
        time.delivered(copy, at, delivery.message(), loops);
        duplicates.noMessageComesThatRepeatsAnother(copy);
        order.whatIsGivenBackComesBeforeLaterMessages(copy, consumer, loops.latestMillis());
        groups.delivered(copy, consumer, delivery.firstAcquirer() && !copy.seen);
        if (at.isGrave()) {
            copy.buried = true;
            copy.died = true;
        }
        copy.failures = delivery.deliveryCount();
        copy.doubtfulFailures = 0;
        copy.fate = Fate.PRESENT;
        copy.holder = consumer;
        return copy;
    }

    private static void isThereToBeDelivered(Copy copy, Place at) {
        Checks.that(copy.holder == null, "%s is delivered to two consumers", copy);
        Checks.that(copy.fate != Fate.SETTLED && copy.fate != Fate.GONE, "%s comes from %s all the same", copy, at);
        Checks.that(copy.fate != Fate.TENTATIVE, "%s is seen before its transaction", copy);
        Checks.that(!copy.buried || at.isGrave(), "%s is dead, and comes from %s", copy, at);
    }

    private void comesFromWhereItBelongs(Copy copy, Place at, Delivery delivery) {
        boolean expired = "expired".equals(delivery.message().annotation("x-opt-death-reason"));
        boolean dead = copy.died
                && copy.place.deadLetterQueue().filter(at.title()::equals).isPresent();
        Checks.that(at == copy.place || expired || dead, "%s comes from %s", copy, at);
    }

    private void failedAttemptsAreCounted(Copy copy, Place at, int count) {
        boolean limited = at == copy.place && at.deadLetterQueue().isPresent();
        Checks.that(
                !limited || count < at.settings.maxDeliveries(), "%s comes after %s failed deliveries", copy, count);
        Checks.that(
                generation > 0
                        || copy.died
                        || at != copy.place
                        || (count >= copy.failures && count <= copy.failures + copy.doubtfulFailures),
                "%s comes with %s failed deliveries, not %s",
                copy,
                count,
                copy.failures);
    }

    /** The consumer is about to settle; in no transaction. */
    Receipt settling(Copy copy, Place at, Outcome outcome, boolean waits) {
        letGo(copy, at);
        settled(copy, at, outcome);
        boolean forGood = copy.fate == Fate.SETTLED;
        return waits ? receipt(copy.parcel.name, told -> told(copy, outcome, told, forGood)) : Receipt.NONE;
    }

    /** The consumer is about to settle in a transaction. */
    Receipt settling(Copy copy, Place at, Outcome outcome, SimTransaction transaction) {
        letGo(copy, at);
        transactions.taken(transaction, copy, at, outcome);
        return receipt(
                copy.parcel.name,
                told -> Checks.that(told.equals(outcome), "%s was settled %s, and answered %s", copy, outcome, told));
    }

    private void letGo(Copy copy, Place at) {
        copy.holder = null;
        groups.letGo(copy, at);
    }

    /** What an outcome does to a message. */
    void settled(Copy copy, Place at, Outcome outcome) {
        if (outcome instanceof Outcome.Accepted) {
            copy.fate = Fate.SETTLED;
        } else if (outcome instanceof Outcome.Rejected) {
            died(copy, at);
        } else if (outcome instanceof Outcome.Modified modified && modified.deliveryFailed()) {
            failed(copy, at);
        } else {
            givenBack(copy, at);
        }
    }

    private static void told(Copy copy, Outcome asked, Outcome told, boolean forGood) {
        Checks.that(told.equals(asked), "%s was settled %s, and answered %s", copy, asked, told);
        if (forGood) {
            copy.fate = Fate.GONE;
        }
    }

    void failed(Copy copy, Place at) {
        copy.failures++;
        if (at.deadLetterQueue().isPresent() && copy.failures >= at.settings.maxDeliveries()) {
            died(copy, at);
        } else if (at.restMillis() > 0) {
            time.rests(copy, loops);
        } else {
            givenBack(copy, at);
        }
    }

    private void givenBack(Copy copy, Place at) {
        if (at == copy.place) {
            order.givenBack(copy);
        }
    }

    private static void died(Copy copy, Place at) {
        copy.died = true;
        if (at.deadLetterQueue().isPresent()) {
            copy.buried = true;
        } else {
            copy.fate = Fate.SETTLED;
        }
    }

    /** The consumer is about to leave. */
    void leaving(Copy copy, Place at, boolean lost) {
        letGo(copy, at);
        if (lost) {
            failed(copy, at);
        } else {
            givenBack(copy, at);
        }
    }

    // ---- subscriptions

    /** Whether a durable subscription that nobody uses is to end. */
    boolean endsSubscription() {
        return plan.ends(parcels.size());
    }

    /** A subscription is about to come. It may get what waits for room, unless that is on its way to the disk by now. */
    void subscribing(Place place) {
        for (Parcel parcel : parcels.values()) {
            if (parcel.waits && place.takes(parcel.address, parcel.traits)) {
                parcel.copies.computeIfAbsent(place, any -> new Copy(parcel, place)).fate = Fate.DOUBT;
            }
        }
    }

    /** A subscription is about to end: what it has may be there or not. */
    void ending(Place place) {
        copiesOf(place).forEach(copy -> {
            // One that died may be on its way to its grave still, which a crash ends together with the subscription.
            if (copy.fate != Fate.GONE) {
                copy.fate = Fate.DOUBT;
            }
        });
    }

    /** It has ended; what is dead or was about to expire may be in a grave. What still waits may come to the next one. */
    void ended(Place place) {
        copiesOf(place).forEach(copy -> {
            if (!copy.parcel.waits && !copy.died && !copy.expires() && copy.transaction.isEmpty()) {
                copy.fate = Fate.GONE;
            }
        });
    }

    private List<Copy> copiesOf(Place place) {
        return parcels.values().stream()
                .map(parcel -> Optional.ofNullable(parcel.copies.get(place)))
                .flatMap(Optional::stream)
                .toList();
    }

    List<Copy> all() {
        List<Copy> all = new ArrayList<>();
        parcels.values().forEach(parcel -> all.addAll(parcel.copies.values()));
        return all;
    }

    // ---- a crash

    void crashed(JournalTap successor, Loops newLoops) {
        Set<String> stored = successor.contents();
        transactions.crashed(stored);
        journal = successor;
        loops = newLoops;
        generation++;
        awaited = 0;
        order.crashed();
        groups.crashed();
        for (Copy copy : all()) {
            copy.parcel.waits = false;
            copy.holder = null;
            copy.notBefore = copy.seen ? 0 : copy.notBefore;
            copy.excluded.clear();
            boolean sure = copy.fate == Fate.PRESENT && copy.parcel.answered && !copy.place.dropsOldest();
            if (!copy.durable()) {
                // What is dead is kept, also when it was in a place that does not outlive the broker.
                boolean mayBeDead = copy.parcel.durable() && copy.mayHaveExpired(loops.latestMillis());
                copy.fate = mayBeDead && copy.fate != Fate.GONE ? Fate.DOUBT : Fate.GONE;
            } else if (copy.fate != Fate.GONE && (!sure || !copy.place.persistent)) {
                copy.fate = Fate.DOUBT;
            }
            copy.buried = false;
            theStoreHasWhatItShould(copy, stored);
        }
    }

    private static void theStoreHasWhatItShould(Copy copy, Set<String> stored) {
        boolean told = copy.mayRepeat() || copy.expires() || copy.place.dropsOldest();
        Checks.that(
                told || copy.fate != Fate.PRESENT || stored.contains(key(copy)),
                "%s was accepted, and is not in the store after a crash",
                copy);
        Checks.that(
                copy.fate != Fate.GONE || !copy.durable() || !stored.contains(key(copy)),
                "%s is in the store after a crash",
                copy);
    }

    // ---- the end

    /** Everything has come to rest. */
    void checkAnswered() {
        Checks.that(awaited == 0, "%s answers never came", awaited);
    }
}
