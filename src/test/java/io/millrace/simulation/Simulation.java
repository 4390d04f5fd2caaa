package io.millrace.simulation;

import io.millrace.broker.Broker;
import io.millrace.journal.InMemoryJournal;
import io.millrace.journal.Journal.Room;
import io.millrace.queue.QueueStats;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;

/**
 * One life of a broker, as a seed wants it: clients that come and go, slow consumers, transactions, a journal that answers when
 * it likes, time that passes, crashes, a disk that fails or is full. Everything runs on one thread, in an order that the seed
 * decides; the {@link Ledger} says what must hold meanwhile, the {@link FinalAudit} what must hold at the end.
 */
final class Simulation {
    private static final int STEPS = 1000;
    private static final long SPREAD = 0x9E3779B97F4A7C15L;

    /** Far more than anything takes that ends. */
    private static final int MOST_ROUNDS = 20_000;

    private final Random random;
    private final Plan plan;
    private final Ledger ledger;
    private final Clients clients;
    private final Map<Long, Long> recovered = new HashMap<>();
    private JournalTap journal = new JournalTap(new InMemoryJournal());
    private Loops loops;
    private Broker broker;
    private boolean failing;

    Simulation(long seed) {
        // The first numbers of a Random are much the same for seeds that are close: thousands of lives would have as
        // many loops.
        random = new Random(seed * SPREAD);
        plan = new Plan(random);
        loops = new Loops(plan.loops(), 0);
        ledger = new Ledger(plan, journal, loops);
        start();
        clients = new Clients(new Scene(plan, ledger, random), broker, loops);
    }

    void run() {
        for (int i = 0; i < STEPS; i++) {
            step();
        }
        if (failing) {
            crash();
        }
        journal.journal.setRoom(Room.YES);
        comeToRest();
        clients.endTransactions();
        comeToRest();
        loops.advance(plan.holdMillis());
        comeToRest();
        clients.settled(journal.nodes());
        new FinalAudit(this, new Scene(plan, ledger, random), clients).run();
    }

    private void start() {
        recovered.clear();
        journal.counts().forEach(recovered::put);
        broker = new Broker(plan.config(), journal, loops.all());
        CompletableFuture<Integer> started = broker.start();
        comeToRest();
        Checks.that(started.isDone(), "the broker does not start");
    }

    private void step() {
        int die = random.nextInt(100);
        if (die < 45) {
            loops.runOne(random);
        } else if (die < 50) {
            journal.journal.flush(1 + random.nextInt(4));
        } else if (die < 54) {
            journal.letAnswer();
        } else if (die < 58) {
            journal.letRead(random);
        } else if (die < 70) {
            clients.produce();
        } else if (die < 88) {
            clients.consume();
        } else if (die < 95) {
            clients.transact();
        } else if (die < 97 && plan.timed()) {
            loops.advance(1 + random.nextInt(200));
        } else {
            trouble();
        }
    }

    private void trouble() {
        int die = random.nextInt(60);
        if (die < 10) {
            boolean full = random.nextInt(3) == 0;
            if (full) {
                plan.storeIsFull();
            }
            journal.journal.setRoom(full ? new Room(false, "the disk is full") : Room.YES);
        } else if (die == 10 && plan.crashes()) {
            journal.journal.failNext();
            failing = true;
        } else if ((die < 13 || failing) && plan.crashes()) {
            crash();
        } else if (die < 16) {
            comeToRest();
            if (!failing) {
                clients.settled(journal.nodes());
            }
        }
    }

    private void crash() {
        if (random.nextBoolean()) {
            journal.journal.flush(random.nextInt(6));
        }
        failing = false;
        journal = journal.successor();
        loops = new Loops(plan.loops(), loops.latestMillis());
        ledger.crashed(journal, loops);
        clients.subscriptions().forEach(each -> each.crashed(journal.nodes(), ledger));
        start();
        clients.crashed(broker, loops);
    }

    /** Lets everything happen that is under way, at this time of day. */
    void comeToRest() {
        boolean busy = true;
        for (int rounds = 0; busy; rounds++) {
            Checks.that(rounds < MOST_ROUNDS, "the broker does not come to rest");
            busy = journal.letRead(random);
            busy |= journal.letAnswer();
            busy |= loops.runEach();
            if (!busy) {
                busy = journal.journal.waiting() > 0 && !failing;
                journal.journal.flush();
                busy |= journal.letAnswer();
                busy |= loops.runEach();
            }
        }
    }

    // ---- for the audit

    Broker broker() {
        return broker;
    }

    JournalTap journal() {
        return journal;
    }

    Loops loops() {
        return loops;
    }

    /** How many messages a queue had when the broker started. */
    long recovered(long queue) {
        return recovered.getOrDefault(queue, 0L);
    }

    /** How all queues stand, by their titles, when everything has come to rest. */
    Map<String, QueueStats> stats() {
        CompletableFuture<List<QueueStats>> asked = broker.stats();
        comeToRest();
        Map<String, QueueStats> stats = new TreeMap<>();
        asked.join().forEach(queue -> stats.put(queue.address(), queue));
        return stats;
    }
}
