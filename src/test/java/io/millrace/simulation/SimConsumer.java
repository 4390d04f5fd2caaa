package io.millrace.simulation;

import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import io.millrace.queue.Consumer;
import io.millrace.queue.Delivery;
import io.millrace.queue.Messages;
import io.millrace.queue.Receipt;
import io.millrace.queue.Selection;
import io.millrace.queue.Source;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** A consumer or browser that behaves at random, and checks what it is handed. */
final class SimConsumer implements Consumer {
    private final String address;
    private final Source source;
    private final boolean browse;
    private final Plan plan;
    private final Ledger ledger;
    private final Random random;
    private int every = 1;
    private final Map<Ledger.Entry, Delivery> held = new LinkedHashMap<>();
    private final Map<Integer, Integer> lastFirst = new HashMap<>();
    private final List<String> names = new ArrayList<>();
    private long count;
    private long limit;
    private boolean ready = true;
    private boolean drain;
    private boolean gone;
    private boolean acceptsAll;

    SimConsumer(String address, Source source, boolean browse, Plan plan, Ledger ledger, Random random) {
        this.address = address;
        this.source = source;
        this.browse = browse;
        this.plan = plan;
        this.ledger = ledger;
        this.random = random;
        source.attach(this, browse ? Selection.BROWSE : Selection.CONSUME.withPriority(random.nextInt(2)));
    }

    /** A consumer of every so manieth message of each producer. */
    SimConsumer(String address, Source source, Plan plan, Ledger ledger, Random random) {
        this.address = address;
        this.source = source;
        this.browse = false;
        this.plan = plan;
        this.ledger = ledger;
        this.random = random;
        this.every = 2 + random.nextInt(4);
        source.attach(this, Selection.CONSUME.matching(this::wants));
    }

    boolean selects() {
        return every > 1;
    }

    private boolean wants(Delivery delivery) {
        return ledger.entry(delivery).index % every == 0;
    }

    String address() {
        return address;
    }

    boolean gone() {
        return gone;
    }

    List<String> names() {
        return names;
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
        String name = Messages.name(delivery.message());
        names.add(name);
        Ledger.Entry entry = browse ? ledger.entry(delivery) : ledger.delivered(this, delivery);
        Checks.that(wants(delivery), "%s was not selected", name);
        boolean first = browse || (delivery.firstAcquirer() && !entry.seen && address.equals(entry.queue));
        entry.seen |= !browse;
        if (first && address.equals(entry.queue)) {
            Integer before = lastFirst.put(entry.producer, entry.index);
            Checks.that(before == null || before < entry.index, "%s comes out of order", name);
        }
        if (browse) {
            return;
        }
        held.put(entry, delivery);
        if (acceptsAll || random.nextInt(8) == 0) {
            settle(entry, acceptsAll ? Outcome.ACCEPTED : outcome());
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
            List<Ledger.Entry> all = new ArrayList<>(held.keySet());
            settle(all.get(random.nextBoolean() ? 0 : random.nextInt(all.size())), outcome());
        }
    }

    private void settle(Ledger.Entry entry, Outcome outcome) {
        Delivery delivery = held.remove(entry);
        Receipt receipt = ledger.settling(entry, address, outcome, random.nextInt(4) > 0);
        source.settle(this, delivery, outcome, receipt);
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
        held.keySet().forEach(entry -> ledger.leaving(entry, address, lost));
        held.clear();
        source.detach(this, lost);
    }

    // ---- at the end

    void checkDrained() {
        Checks.that(!drain, "a drain at %s was not answered (browser %s)", address, browse);
    }

    /** Whether it could take a message if there were one. */
    boolean waits() {
        return !browse && !selects() && ready && count < limit;
    }

    /** From now on it takes all it can get. */
    void takeAll() {
        acceptsAll = true;
        credit(1 + random.nextInt(40), true);
    }
}
