package io.millrace.simulation;

import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import io.millrace.queue.Consumer;
import io.millrace.queue.Delivery;
import io.millrace.queue.Receipt;
import io.millrace.queue.Selection;
import io.millrace.queue.Source;
import io.millrace.selector.Selector;
import io.millrace.selector.SelectorException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** A consumer or browser that behaves at random, and checks what it is handed. */
final class SimConsumer implements Consumer {
    private final Place place;
    private final Source source;
    private final boolean browse;
    private final Optional<String> colour;
    private final Plan plan;
    private final Ledger ledger;
    private final Random random;
    private final Map<Copy, Delivery> held = new LinkedHashMap<>();
    private final Map<String, Integer> lastFirst = new HashMap<>();
    private final List<Copy> got = new ArrayList<>();
    private Runnable whenGone = () -> {};
    private long bytes;
    private long count;
    private long limit;
    private boolean ready = true;
    private boolean drain;
    private boolean gone;
    private boolean acceptsAll;

    SimConsumer(Place place, Source source, boolean browse, Optional<String> colour, Scene scene) {
        this.place = place;
        this.source = source;
        this.browse = browse;
        this.colour = colour;
        this.plan = scene.plan();
        this.ledger = scene.ledger();
        this.random = scene.random();
        source.attach(this, selection());
    }

    private Selection selection() {
        Selection all = browse ? Selection.BROWSE : Selection.CONSUME.withPriority(random.nextInt(2));
        return colour.map(SimConsumer::selector)
                .map(selector -> all.matching(selector::matches))
                .orElse(all);
    }

    static Selector selector(String colour) {
        try {
            return Selector.parse("colour = '" + colour + "'");
        } catch (SelectorException e) {
            throw new AssertionError(e);
        }
    }

    Place place() {
        return place;
    }

    boolean gone() {
        return gone;
    }

    /** What it was handed, in that order. */
    List<Copy> got() {
        return got;
    }

    /** The sizes of that. */
    long bytes() {
        return bytes;
    }

    /** Runs a task when it has left. */
    void whenGone(Runnable task) {
        whenGone = task;
    }

    boolean wants(Copy copy) {
        return colour.map(copy.parcel.traits.colour()::equals).orElse(true);
    }

    // ---- what the broker calls

    @Override
    public boolean ready() {
        return ready;
    }

    @Override
    public void deliver(Delivery delivery) {
        Checks.that(!gone, "a delivery for a consumer that is gone");
        Checks.that(count < limit, "delivery %s for a credit of %s", count, limit);
        count++;
        bytes += delivery.message().totalSize();
        Copy copy = browse ? ledger.copy(delivery, place) : ledger.delivered(this, delivery);
        Checks.that(wants(copy), "%s comes to one who wants %s", copy, colour);
        got.add(copy);
        if (place == copy.place && (browse || (delivery.firstAcquirer() && !copy.seen))) {
            OrderRules.theFirstDeliveriesToAConsumerKeepTheirOrder(lastFirst, copy);
        }
        if (browse) {
            return;
        }
        Checks.that(!copy.excluded.contains(this), "%s comes to one who cannot take it", copy);
        copy.seen = true;
        held.put(copy, delivery);
        if (acceptsAll || random.nextInt(8) == 0) {
            settle(copy, acceptsAll ? Outcome.ACCEPTED : outcome());
        }
        if (!acceptsAll && random.nextInt(12) == 0) {
            ready = false;
        }
    }

    @Override
    public void drained() {
        Checks.that(drain, "an answer to a drain that was not asked for");
        drain = false;
        count = Math.max(count, limit);
    }

    @Override
    public void closed(Condition reason) {
        throw new AssertionError("closed: " + reason);
    }

    // ---- what it does

    void act() {
        switch (random.nextInt(10)) {
            case 0, 1 -> credit(random.nextInt(12), random.nextInt(3) == 0);
            case 2 -> credit(random.nextInt(3), false);
            case 3, 4, 5, 6 -> settleSome();
            case 7 -> ready = random.nextInt(3) > 0 && ready;
            case 8 -> resume();
            default -> {
                if (random.nextInt(4) == 0) {
                    leave(random.nextBoolean());
                }
            }
        }
    }

    private void credit(int more, boolean drains) {
        limit = count + more;
        drain = drains;
        source.credit(this, limit, drains);
    }

    void resume() {
        ready = true;
        source.resume(this);
    }

    private void settleSome() {
        for (int i = random.nextInt(4); i >= 0 && !held.isEmpty() && !gone; i--) {
            settle(oneHeld(), outcome());
        }
    }

    private Copy oneHeld() {
        List<Copy> all = new ArrayList<>(held.keySet());
        return all.get(random.nextBoolean() ? 0 : random.nextInt(all.size()));
    }

    private void settle(Copy copy, Outcome outcome) {
        Delivery delivery = held.remove(copy);
        exclude(copy, outcome);
        Receipt receipt = ledger.settling(copy, place, outcome, random.nextInt(4) > 0);
        source.settle(this, delivery, outcome, receipt);
    }

    private void exclude(Copy copy, Outcome outcome) {
        if (excludes(outcome)) {
            copy.excluded.add(this);
        }
    }

    private static boolean excludes(Outcome outcome) {
        return outcome instanceof Outcome.Modified modified && modified.undeliverableHere();
    }

    /** Settles one of those that it holds in a transaction of its connection, if it has any that the transaction has room for. */
    void settleIn(SimTransaction transaction, long mostBytes) {
        if (held.isEmpty()) {
            return;
        }
        Copy copy = oneHeld();
        Delivery delivery = held.get(copy);
        if (transaction.bytes + delivery.message().size() > mostBytes) {
            return;
        }
        transaction.bytes += delivery.message().size();
        held.remove(copy);
        Outcome outcome = random.nextInt(3) > 0 ? Outcome.ACCEPTED : outcome();
        copy.mayBeExcluded |= excludes(outcome);
        Receipt receipt = ledger.settling(copy, place, outcome, transaction);
        transaction.broker.settle(source, this, delivery, outcome, receipt);
    }

    private Outcome outcome() {
        int die = random.nextInt(20);
        if (die < 9) {
            return Outcome.ACCEPTED;
        } else if (die < 13) {
            return Outcome.RELEASED;
        } else if (die < 15) {
            return new Outcome.Modified(true, false, Map.of());
        } else if (die < 17) {
            return new Outcome.Modified(
                    random.nextBoolean(), false, Map.of("x-opt-note", "n".repeat(random.nextInt(30))));
        } else if (die == 17 && plan.excludes()) {
            return new Outcome.Modified(random.nextBoolean(), true, Map.of());
        }
        return new Outcome.Rejected(Optional.empty());
    }

    void leave(boolean lost) {
        gone = true;
        held.keySet().forEach(copy -> ledger.leaving(copy, place, lost));
        held.clear();
        source.detach(this, lost);
        whenGone.run();
    }

    // ---- at the end

    void checkDrained() {
        Checks.that(!drain, "a drain at %s was not answered (browser %s)", place, browse);
    }

    /** Whether it could take any message if there were one. */
    boolean waits() {
        return !browse && ready && count < limit;
    }

    boolean takesAnything() {
        return colour.isEmpty();
    }

    /** From now on it takes all it can get. */
    void takeAll() {
        acceptsAll = true;
        List.copyOf(held.keySet()).forEach(copy -> settle(copy, Outcome.ACCEPTED));
        credit(1 + random.nextInt(40), true);
    }
}
