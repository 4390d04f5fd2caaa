package io.millrace.simulation;

import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import io.millrace.queue.Delivery;
import io.millrace.queue.Messages;
import io.millrace.queue.Receipt;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a simulation knows of each message, from what clients did and were told: the model that the broker is checked
 * against. Every method is called before the broker is, or as it answers.
 */
final class Ledger {
    private final Plan plan;
    private final Map<String, Entry> entries = new LinkedHashMap<>();
    private int awaited;
    private int generation;
    private JournalTap journal;

    Ledger(Plan plan, JournalTap journal) {
        this.plan = plan;
        this.journal = journal;
    }

    /** Where a message is in its life, as far as clients can tell. */
    enum Fate {
        OFFERED,
        PRESENT,
        /** A consumer is through with it, and may have been told so or not. */
        SETTLED,
        /** The broker died while this was open: it may be there or not. */
        DOUBT,
        GONE
    }

    /** A message. */
    static final class Entry {
        final String name;
        final String queue;
        final int producer;
        final int index;
        final boolean durable;
        Fate fate = Fate.OFFERED;
        boolean answered;
        SimConsumer holder;
        boolean buried;
        boolean returned;

        /** A consumer had it; the broker may not know any more when it was released and only the store has it. */
        boolean seen;

        boolean excluded;
        boolean died;
        int failures;

        Entry(String name, String queue, int producer, int index, boolean durable) {
            this.name = name;
            this.queue = queue;
            this.producer = producer;
            this.index = index;
            this.durable = durable;
        }
    }

    // ---- producers

    Entry offered(String queue, int producer, boolean durable) {
        String name = "m" + entries.size();
        Entry entry = new Entry(name, queue, producer, entries.size(), durable);
        entries.put(name, entry);
        return entry;
    }

    /** Who waits for the answer to an offer. */
    Receipt answer(Entry entry) {
        return receipt(entry, outcome -> {
            if (outcome instanceof Outcome.Rejected rejected) {
                Checks.that(entry.fate == Fate.OFFERED, "%s is refused, but was %s", entry.name, entry.fate);
                checkRefusal(entry, rejected.error().orElseThrow());
                entry.fate = Fate.GONE;
                return;
            }
            Checks.that(outcome instanceof Outcome.Accepted, "%s was answered %s", entry.name, outcome);
            Checks.that(
                    !entry.durable || journal.isOnDisk(entry.name),
                    "durable %s was accepted, and is not on disk",
                    entry.name);
            entry.answered = true;
            if (entry.fate == Fate.OFFERED) {
                entry.fate = Fate.PRESENT;
            }
        });
    }

    private void checkRefusal(Entry entry, Condition condition) {
        Checks.that(condition.info().get("queue").equals(entry.queue), "%s was refused: %s", entry.name, condition);
        Object reason = condition.info().get("reason");
        boolean allowed = reason.equals("store-full")
                ? plan.storeWasFull()
                : reason.equals("max-messages")
                        && plan.settings(entry.queue).maxMessages().isPresent();
        Checks.that(allowed, "%s was refused: %s", entry.name, condition);
    }

    private Receipt receipt(Entry entry, Receipt then) {
        int born = generation;
        boolean[] called = {false};
        awaited++;
        return outcome -> {
            Checks.that(born == generation, "%s is answered by a dead broker", entry.name);
            Checks.that(!called[0], "%s is answered twice", entry.name);
            called[0] = true;
            awaited--;
            then.settled(outcome);
        };
    }

    // ---- consumers

    Entry delivered(SimConsumer consumer, Delivery delivery) {
        Entry entry = entry(delivery);
        String at = consumer.address();
        Checks.that(entry.holder == null, "%s is delivered to two consumers", entry.name);
        Checks.that(
                entry.fate != Fate.SETTLED && entry.fate != Fate.GONE,
                "%s is %s, and comes from %s all the same",
                entry.name,
                entry.fate,
                at);
        Checks.that(
                at.equals(entry.queue) || (at.equals(plan.deadLetterQueue(entry.queue)) && entry.died),
                "%s of %s comes from %s",
                entry.name,
                entry.queue,
                at);
        Checks.that(!entry.buried || !at.equals(entry.queue), "%s is dead, and comes from %s", entry.name, at);
        boolean limited = at.equals(entry.queue) && plan.hasDeadLetters(at);
        Checks.that(
                !limited || delivery.deliveryCount() < plan.settings(at).maxDeliveries(),
                "%s comes after %s failed deliveries",
                entry.name,
                delivery.deliveryCount());
        Checks.that(
                generation > 0 || entry.died || delivery.deliveryCount() == entry.failures,
                "%s comes with %s failed deliveries, not %s",
                entry.name,
                delivery.deliveryCount(),
                entry.failures);
        if (!consumer.selects()) {
            checkTurn(entry, at);
        }
        entry.failures = delivery.deliveryCount();
        entry.fate = Fate.PRESENT;
        entry.holder = consumer;
        entry.returned = false;
        return entry;
    }

    /** Messages that were returned come before later ones. Exact where calls take effect at once and nothing is dropped. */
    private void checkTurn(Entry entry, String at) {
        if (plan.loops() > 1 || plan.dropsOldest(at) || !at.equals(entry.queue)) {
            return;
        }
        for (Entry other : entries.values()) {
            boolean before = other.returned
                    && !other.excluded
                    && other.queue.equals(entry.queue)
                    && other.producer == entry.producer
                    && other.index < entry.index;
            Checks.that(!before, "%s comes before %s, which was returned", entry.name, other.name);
        }
    }

    Entry entry(Delivery delivery) {
        Entry entry = entries.get(Messages.name(delivery.message()));
        Checks.that(entry != null, "a message comes that nobody sent");
        return entry;
    }

    /** The consumer is about to settle. */
    Receipt settling(Entry entry, String at, Outcome outcome, boolean waits) {
        entry.holder = null;
        if (outcome instanceof Outcome.Accepted) {
            entry.fate = Fate.SETTLED;
        } else if (outcome instanceof Outcome.Rejected) {
            died(entry, at);
        } else if (outcome instanceof Outcome.Modified modified && modified.deliveryFailed()) {
            entry.excluded |= modified.undeliverableHere();
            failed(entry, at);
        } else {
            entry.excluded |= outcome instanceof Outcome.Modified modified && modified.undeliverableHere();
            entry.returned = at.equals(entry.queue);
        }
        boolean forGood = entry.fate == Fate.SETTLED;
        return waits ? receipt(entry, told -> told(entry, outcome, told, forGood)) : Receipt.NONE;
    }

    private static void told(Entry entry, Outcome asked, Outcome told, boolean forGood) {
        Checks.that(told.equals(asked), "%s was settled %s, and answered %s", entry.name, asked, told);
        if (forGood) {
            entry.fate = Fate.GONE;
        }
    }

    private void failed(Entry entry, String at) {
        entry.failures++;
        if (plan.hasDeadLetters(at) && entry.failures >= plan.settings(at).maxDeliveries()) {
            died(entry, at);
        } else {
            entry.returned = at.equals(entry.queue);
        }
    }

    private void died(Entry entry, String at) {
        entry.died = true;
        if (plan.hasDeadLetters(at)) {
            entry.buried = true;
        } else {
            entry.fate = Fate.SETTLED;
        }
    }

    /** The consumer is about to leave. */
    void leaving(Entry entry, String at, boolean lost) {
        entry.holder = null;
        if (lost) {
            failed(entry, at);
        } else {
            entry.returned = at.equals(entry.queue);
        }
    }

    // ---- ends

    void crashed(JournalTap successor) {
        journal = successor;
        generation++;
        awaited = 0;
        for (Entry entry : entries.values()) {
            entry.holder = null;
            entry.buried = false;
            entry.returned = false;
            entry.excluded = false;
            boolean sure = entry.fate == Fate.PRESENT && entry.answered && !plan.dropsOldest(entry.queue);
            if (!entry.durable) {
                entry.fate = Fate.GONE;
            } else if (entry.fate != Fate.GONE && !sure) {
                entry.fate = Fate.DOUBT;
            }
        }
    }

    /** Everything has come to rest. */
    void checkAnswered() {
        Checks.that(awaited == 0, "%s answers never came", awaited);
    }

    /** All queues have been emptied; these came out of them. */
    void checkComplete(List<String> delivered) {
        Map<String, Integer> times = new HashMap<>();
        delivered.forEach(name -> times.merge(name, 1, Integer::sum));
        times.forEach((name, count) -> Checks.that(count == 1, "%s comes %s times", name, count));
        for (Entry entry : entries.values()) {
            boolean must = entry.fate == Fate.PRESENT && (!plan.dropsOldest(entry.queue) || entry.buried);
            Checks.that(
                    !must || times.containsKey(entry.name),
                    "%s of %s is lost (durable %s)",
                    entry.name,
                    entry.queue,
                    entry.durable);
        }
    }

    /** What one consumer got of a queue from its start to its end is in order. */
    void checkOrder(List<String> names) {
        Map<Integer, Integer> last = new TreeMap<>();
        List<String> seen = new ArrayList<>();
        for (String name : names) {
            Entry entry = entries.get(name);
            Integer before = last.put(entry.producer, entry.index);
            seen.add(name);
            Checks.that(before == null || before < entry.index, "out of order: %s", seen);
        }
    }
}
