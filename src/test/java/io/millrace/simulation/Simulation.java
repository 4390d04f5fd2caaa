package io.millrace.simulation;

import io.millrace.broker.Broker;
import io.millrace.broker.Link;
import io.millrace.broker.Node;
import io.millrace.broker.Nodes;
import io.millrace.broker.Request;
import io.millrace.broker.Terms;
import io.millrace.journal.InMemoryJournal;
import io.millrace.journal.Journal.Room;
import io.millrace.loop.ManualLoop;
import io.millrace.message.Condition;
import io.millrace.queue.Messages;
import io.millrace.queue.QueueStats;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/**
 * One life of a broker, as a seed wants it: clients that come and go, slow consumers, a journal that answers when it
 * likes, crashes, a disk that fails or is full. Everything runs on one thread, in an order that the seed decides; the
 * {@link Ledger} says what must hold.
 */
final class Simulation {
    private static final int STEPS = 1000;
    private static final int MAX_CLIENTS = 8;

    private final Random random;
    private final Plan plan;
    private final Ledger ledger;
    private final List<SimConsumer> consumers = new ArrayList<>();
    private final Map<String, Long> recovered = new HashMap<>();
    private JournalTap journal = new JournalTap(new InMemoryJournal());
    private List<ManualLoop> loops = List.of();
    private Broker broker;
    private boolean failing;

    Simulation(long seed) {
        random = new Random(seed);
        plan = new Plan(random);
        ledger = new Ledger(plan, journal);
        start();
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
        checkAtRest();
        leaveAll();
        emptyAll();
    }

    private void start() {
        loops = Stream.generate(ManualLoop::new).limit(plan.loops()).toList();
        recovered.clear();
        journal.recover().forEach(queue -> recovered.put(queue.declared().address(), queue.messages()));
        broker = new Broker(plan.config(), journal, List.copyOf(loops));
        CompletableFuture<Integer> started = broker.start();
        comeToRest();
        Checks.that(started.isDone(), "the broker does not start");
    }

    private void step() {
        int die = random.nextInt(100);
        if (die < 45) {
            loops.get(random.nextInt(loops.size())).runOne();
        } else if (die < 50) {
            journal.journal.flush(1 + random.nextInt(4));
        } else if (die < 54) {
            journal.letAnswer();
        } else if (die < 58) {
            journal.letRead(random);
        } else if (die < 72) {
            produce();
        } else if (die < 95) {
            consume();
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
        }
    }

    private void produce() {
        String queue = plan.queues().get(random.nextInt(plan.queues().size()));
        int producer = random.nextInt(loops.size());
        Node node = broker.nodes(producer).find(queue).orElseThrow();
        for (int i = random.nextInt(6); i >= 0; i--) {
            Ledger.Entry entry = ledger.offered(queue, producer, random.nextInt(3) > 0);
            node.target()
                    .offer(Messages.message(entry.name, entry.durable, plan.bodyBytes(random)), ledger.answer(entry));
        }
    }

    private void consume() {
        consumers.removeIf(SimConsumer::gone);
        if (consumers.size() < MAX_CLIENTS && random.nextInt(8) == 0) {
            List<String> addresses = new ArrayList<>(plan.queues());
            plan.queues().forEach(queue -> addresses.add(plan.deadLetterQueue(queue)));
            String address = addresses.get(random.nextInt(addresses.size()));
            broker.nodes(random.nextInt(loops.size()))
                    .find(address)
                    .ifPresent(node -> consumers.add(randomConsumer(address, node)));
        } else if (!consumers.isEmpty()) {
            consumers.get(random.nextInt(consumers.size())).act();
        }
    }

    private SimConsumer randomConsumer(String address, Node node) {
        return random.nextInt(4) == 0
                ? new SimConsumer(address, node.source(), plan, ledger, random)
                : consumer(address, node, random.nextInt(5) == 0);
    }

    private SimConsumer consumer(String address, Node node, boolean browse) {
        return new SimConsumer(address, node.source(), browse, plan, ledger, random);
    }

    private void crash() {
        if (random.nextBoolean()) {
            journal.journal.flush(random.nextInt(6));
        }
        failing = false;
        consumers.clear();
        journal = new JournalTap(journal.journal.successor());
        ledger.crashed(journal);
        start();
    }

    /** Lets everything happen that is under way. */
    private void comeToRest() {
        boolean busy = true;
        while (busy) {
            busy = journal.letRead(random);
            busy |= journal.letAnswer();
            for (ManualLoop loop : loops) {
                busy |= loop.runOne();
            }
            if (!busy) {
                busy = journal.journal.waiting() > 0 && !failing;
                journal.journal.flush();
                busy |= journal.letAnswer();
                for (ManualLoop loop : loops) {
                    busy |= loop.runOne();
                }
            }
        }
    }

    // ---- the end

    private void checkAtRest() {
        // A consumer may stop being ready in the middle of what resuming it brings.
        for (int i = 0; i < 200; i++) {
            List.copyOf(consumers).stream().filter(each -> !each.gone()).forEach(SimConsumer::resume);
            comeToRest();
        }
        consumers.removeIf(SimConsumer::gone);
        consumers.forEach(SimConsumer::checkDrained);
        ledger.checkAnswered();
        Map<String, QueueStats> stats = stats();
        for (SimConsumer each : consumers) {
            QueueStats queue = stats.get(each.address());
            long available = queue.messages() - queue.unsettled();
            Checks.that(
                    plan.excludes() || plan.runsShort() || !each.waits() || available == 0,
                    "%s messages wait in %s, and a consumer with credit gets none",
                    available,
                    each.address());
        }
    }

    private void leaveAll() {
        consumers.forEach(each -> each.leave(false));
        consumers.clear();
        comeToRest();
        ledger.checkAnswered();
        stats().values().forEach(this::checkFigures);
    }

    private void checkFigures(QueueStats queue) {
        String address = queue.address();
        Checks.that(queue.unsettled() == 0, "%s are unsettled in %s without a consumer", queue.unsettled(), address);
        Checks.that(queue.parked() == 0 || queue.consumers() == 0, "%s are parked in %s", queue.parked(), address);
        long in = recovered.getOrDefault(address, 0L) + queue.enqueued();
        long out = queue.dequeued() + queue.discarded() + queue.deadLettered() + queue.messages();
        Checks.that(in == out, "%s went into %s, %s went out or are there", in, address, out);
        // More than the limit may have come back, for what made room may not have been on disk at the crash.
        Optional<Long> limit =
                plan.settings(address).maxMessages().map(most -> Math.max(most, recovered.getOrDefault(address, 0L)));
        Checks.that(
                limit.isEmpty() || !plan.queues().contains(address) || queue.messages() <= limit.get(),
                "%s messages in %s, whose limit is %s",
                queue.messages(),
                address,
                limit);
    }

    private void emptyAll() {
        List<String> delivered = new ArrayList<>();
        for (String address : stats().keySet()) {
            Node node = open(address);
            List<String> seen = all(address, node, true);
            List<String> got = all(address, node, false);
            // One that came back over its limit drops its oldest when they are read for a consumer.
            int dropped = plan.dropsOldest(address) ? Math.max(0, seen.size() - got.size()) : 0;
            Checks.that(
                    seen.subList(dropped, seen.size()).equals(got),
                    "a browser of %s saw %s, a consumer got %s",
                    address,
                    seen,
                    got);
            if (plan.queues().contains(address)) {
                ledger.checkOrder(got);
            }
            delivered.addAll(got);
        }
        ledger.checkComplete(delivered);
        for (QueueStats queue : stats().values()) {
            Checks.that(queue.messages() == 0, "%s says it has %s messages", queue.address(), queue.messages());
            Checks.that(queue.bytes() == 0, "%s says it has %s bytes", queue.address(), queue.bytes());
        }
        CompletableFuture<Long> memory = broker.memoryBytes();
        comeToRest();
        Checks.that(memory.join() == 0, "%s bytes of memory are held for nothing", memory.join());
        int stored = journal.journal.messages().size();
        Checks.that(stored == 0, "%s messages are left in the store", stored);
    }

    /** All that a consumer or browser gets. */
    private List<String> all(String address, Node node, boolean browse) {
        SimConsumer consumer = consumer(address, node, browse);
        int before;
        do {
            before = consumer.names().size();
            consumer.takeAll();
            comeToRest();
            consumer.checkDrained();
        } while (consumer.names().size() > before);
        consumer.leave(false);
        comeToRest();
        return consumer.names();
    }

    private Node open(String address) {
        List<Node> opened = new ArrayList<>();
        broker.nodes(random.nextInt(loops.size()))
                .open(
                        Request.toReceive(address, Optional.empty(), new Link(this, "", "sim"), Terms.PLAIN),
                        new Nodes.Answer() {
                            @Override
                            public void opened(Node node) {
                                opened.add(node);
                            }

                            @Override
                            public void refused(Condition reason) {
                                throw new AssertionError(address + ": " + reason);
                            }
                        });
        comeToRest();
        return opened.get(0);
    }

    private Map<String, QueueStats> stats() {
        CompletableFuture<List<QueueStats>> asked = broker.stats();
        comeToRest();
        Map<String, QueueStats> stats = new java.util.TreeMap<>();
        asked.join().forEach(queue -> stats.put(queue.address(), queue));
        return stats;
    }
}
