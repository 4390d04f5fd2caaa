package io.millrace.simulation;

import io.millrace.broker.Link;
import io.millrace.broker.Node;
import io.millrace.broker.Nodes;
import io.millrace.broker.Request;
import io.millrace.broker.Terms;
import io.millrace.message.Condition;
import io.millrace.queue.QueueStats;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** What must hold when a simulation is over: first at rest, then when its clients have left, then when all is consumed. */
final class FinalAudit {
    private static final int RESUMES = 200;
    private static final long STEP_MILLIS = 500;

    private final Simulation life;
    private final Plan plan;
    private final Ledger ledger;
    private final Clients clients;
    private final Scene scene;

    FinalAudit(Simulation life, Scene scene, Clients clients) {
        this.life = life;
        this.scene = scene;
        this.plan = scene.plan();
        this.ledger = scene.ledger();
        this.clients = clients;
    }

    void run() {
        // A consumer may stop being ready in the middle of what resuming it brings.
        for (int i = 0; i < RESUMES; i++) {
            List.copyOf(clients.consumers()).forEach(SimConsumer::resume);
            life.comeToRest();
        }
        clients.consumers().forEach(SimConsumer::checkDrained);
        ledger.checkAnswered();
        noConsumerWithCreditWaitsForWhatIsThere();
        volatileSubscriptionsHaveWhatTheyShould();
        clients.consumers().forEach(each -> each.leave(false));
        life.comeToRest();
        clients.settled(life.journal().nodes());
        ledger.checkAnswered();
        life.stats().values().forEach(this::theFiguresOfAQueueAddUp);
        for (long passed = 0; plan.timed() && passed < 2 * plan.longMillis(); passed += STEP_MILLIS) {
            life.loops().advance(STEP_MILLIS);
            life.comeToRest();
        }
        emptyAll();
        nothingAcceptedIsLost();
        nothingIsHeldForNothing();
    }

    private void noConsumerWithCreditWaitsForWhatIsThere() {
        Map<String, QueueStats> stats = life.stats();
        for (SimConsumer each : clients.consumers()) {
            QueueStats queue = stats.get(each.place().title());
            if (!plan.excludes() && !plan.runsShort() && each.waits() && queue != null) {
                long available = queue.messages() - queue.unsettled() - queue.scheduled();
                Checks.that(
                        available == 0 || plan.grouped() || !each.takesAnything(),
                        "%s messages wait in %s, and a consumer with credit gets none",
                        available,
                        each.place());
                noConsumerWithCreditWaitsForWhatItSelects(each);
            }
        }
    }

    /** Who is alone can have every group. */
    private void noConsumerWithCreditWaitsForWhatItSelects(SimConsumer consumer) {
        boolean alone = clients.consumers().stream()
                .noneMatch(other -> other != consumer
                        && other.place().title().equals(consumer.place().title()));
        for (Copy copy : alone ? ledger.all() : List.<Copy>of()) {
            boolean there = copy.place == consumer.place()
                    && copy.mustBeThere()
                    && copy.holder == null
                    && !copy.died
                    && !copy.mayRepeat()
                    && !copy.mayHaveExpired(life.loops().latestMillis())
                    && !copy.mayRest
                    && copy.notBefore == 0;
            Checks.that(!there || !consumer.wants(copy), "%s waits, and a consumer that wants it gets none", copy);
        }
    }

    /** They end with their links, so that those must take all now; what one takes may be the memory that another waits for. */
    private void volatileSubscriptionsHaveWhatTheyShould() {
        List<SimConsumer> all = clients.consumers().stream()
                .filter(each -> each.place().kind == Place.Kind.SUBSCRIPTION && !each.place().persistent)
                .toList();
        long before;
        do {
            before = taken(all);
            for (SimConsumer each : all) {
                each.resume();
                each.takeAll();
                life.comeToRest();
            }
        } while (taken(all) > before);
        for (Copy copy : ledger.all()) {
            boolean must = copy.place.kind == Place.Kind.SUBSCRIPTION
                    && !copy.place.persistent
                    && copy.mustBeThere()
                    && !copy.buried
                    && copy.holder == null
                    && !copy.mayHaveExpired(life.loops().latestMillis())
                    && !copy.mayRest
                    && copy.notBefore <= life.loops().earliestMillis()
                    && !plan.excludes();
            Checks.that(!must, "%s is lost", copy);
        }
    }

    private static long taken(List<SimConsumer> consumers) {
        return consumers.stream().mapToLong(each -> each.got().size()).sum();
    }

    private void theFiguresOfAQueueAddUp(QueueStats queue) {
        String title = queue.address();
        Checks.that(queue.unsettled() == 0, "%s are unsettled in %s without a consumer", queue.unsettled(), title);
        Checks.that(queue.parked() == 0 || queue.consumers() == 0, "%s are parked in %s", queue.parked(), title);
        long in = life.recovered(life.journal().number(title)) + queue.enqueued();
        long out = queue.dequeued() + queue.discarded() + queue.deadLettered() + queue.expired() + queue.messages();
        Checks.that(in == out, "%s went into %s, %s went out or are there: %s", in, title, out, queue);
        long scheduled = life.journal().scheduled().getOrDefault(title, 0L);
        Checks.that(queue.scheduled() == scheduled, "%s says that %s wait, %s do", title, queue.scheduled(), scheduled);
        Place place = plan.queue(title);
        if (place != null && place.settings.maxMessages().isPresent()) {
            // More than the limit may have come back, for what made room may not have been on disk at the crash. What
            // waits for
            // its time cannot be dropped when others come, and is counted when it has its place in the store.
            long limit = Math.max(
                    place.settings.maxMessages().get(),
                    life.recovered(life.journal().number(title)));
            boolean inexact = place.dropsOldest() && (plan.timed() || plan.transacted());
            Checks.that(
                    inexact || queue.messages() <= limit,
                    "%s messages in %s, over %s: %s",
                    queue.messages(),
                    title,
                    limit,
                    queue);
        }
    }

    // ---- everything out

    private void emptyAll() {
        for (SimSubscription subscription : clients.subscriptions()) {
            if (subscription.isThere()) {
                subscription.stay();
                empty(
                        subscription.place(),
                        life.stats().get(subscription.place().title()),
                        subscription);
            }
        }
        for (QueueStats queue : life.stats().values()) {
            if (!queue.address().contains("::")) {
                Place place = plan.place(queue.address());
                empty(place, queue, null);
            }
        }
        for (QueueStats queue : life.stats().values()) {
            Checks.that(queue.messages() == 0, "%s says it has %s messages", queue.address(), queue.messages());
            Checks.that(queue.bytes() == 0, "%s says it has %s bytes", queue.address(), queue.bytes());
        }
    }

    private void empty(Place place, QueueStats before, SimSubscription subscription) {
        SimConsumer browser = drain(place, subscription, true);
        SimConsumer consumer = drain(place, subscription, false);
        List<Copy> seen = browser.got();
        List<Copy> got = consumer.got();
        // One that came back over its limit drops its oldest when they are read for a consumer.
        int dropped = place.dropsOldest() ? Math.max(0, seen.size() - got.size()) : 0;
        boolean same = plan.dropsByPriority(place)
                || (plan.timed() && place.dropsOldest())
                || seen.subList(dropped, seen.size()).equals(got);
        Checks.that(same, "a browser of %s saw %s, a consumer got %s", place, seen, got);
        if (!place.dropsOldest()) {
            Checks.that(before.messages() == got.size(), "%s says it has %s, had %s", place, before.messages(), got);
            Checks.that(
                    before.bytes() == consumer.bytes(),
                    "%s says it has %s bytes, had %s",
                    place,
                    before.bytes(),
                    consumer.bytes());
        }
    }

    /** All that a consumer or browser gets. */
    private SimConsumer drain(Place place, SimSubscription subscription, boolean browse) {
        List<SimConsumer> opened = new ArrayList<>();
        if (subscription == null) {
            Node node = open(place.title());
            opened.add(new SimConsumer(place, node.source(), browse, Optional.empty(), scene));
        } else {
            subscription.open(
                    life.broker().nodes(0),
                    ledger,
                    opened::add,
                    (at, source) -> new SimConsumer(at, source, browse, Optional.empty(), scene));
            life.comeToRest();
        }
        SimConsumer consumer = opened.get(0);
        int before;
        do {
            before = consumer.got().size();
            consumer.takeAll();
            life.comeToRest();
            consumer.checkDrained();
        } while (consumer.got().size() > before);
        consumer.leave(false);
        life.comeToRest();
        return consumer;
    }

    private Node open(String address) {
        List<Node> opened = new ArrayList<>();
        life.broker()
                .nodes(scene.random().nextInt(plan.loops()))
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
        life.comeToRest();
        return opened.get(0);
    }

    private void nothingAcceptedIsLost() {
        long now = life.loops().latestMillis();
        for (Copy copy : ledger.all()) {
            boolean expiredForGood =
                    copy.mayHaveExpired(now) && copy.place.expiredTo().isEmpty();
            boolean gone = copy.place.kind == Place.Kind.SUBSCRIPTION && !copy.place.persistent;
            Checks.that(
                    copy.fate != Copy.Fate.PRESENT
                            || !copy.mustBeThere()
                            || gone
                            || expiredForGood
                            || (copy.mayRepeat() && ledger.duplicates.cameAsAnother(copy, now)),
                    "%s is lost",
                    copy);
        }
    }

    private void nothingIsHeldForNothing() {
        CompletableFuture<Long> memory = life.broker().memoryBytes();
        life.comeToRest();
        Checks.that(memory.join() == 0, "%s bytes of memory are held for nothing", memory.join());
        int stored = life.journal().journal.messages().size();
        Checks.that(stored == 0, "%s messages are left in the store", stored);
        int bodies = life.journal().journal.bodies();
        Checks.that(bodies == 0, "%s bodies are left in the store", bodies);
    }
}
