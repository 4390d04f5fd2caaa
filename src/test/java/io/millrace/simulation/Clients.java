package io.millrace.simulation;

import io.millrace.broker.Broker;
import io.millrace.broker.Node;
import io.millrace.message.Message;
import io.millrace.queue.Target;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** All that send and receive in a simulation, on all loops. */
final class Clients {
    private static final int MAX_CONSUMERS = 8;
    private static final int SESSIONS = 2;

    private final Scene scene;
    private final List<SimConsumer> consumers = new ArrayList<>();
    private final Map<SimConsumer, Integer> loopOf = new HashMap<>();
    private final Map<SimConsumer, SimSubscription> subscriptionOf = new HashMap<>();
    private final List<SimSession> sessions = new ArrayList<>();
    private final List<SimSubscription> subscriptions = new ArrayList<>();
    private final Map<String, List<Traits>> identified = new HashMap<>();

    /** What a sender has sent to a topic waits there in order, so each has a link of its own for each address. */
    private final Map<String, Target> targets = new HashMap<>();

    private Broker broker;
    private Loops loops;

    Clients(Scene scene, Broker broker, Loops loops) {
        this.scene = scene;
        this.broker = broker;
        this.loops = loops;
        Plan plan = scene.plan();
        for (int i = 0; plan.transacted() && i < SESSIONS; i++) {
            sessions.add(new SimSession(scene, i, scene.random().nextInt(plan.loops()), this));
        }
        if (!plan.topics().isEmpty()) {
            subscribe();
        }
    }

    private void subscribe() {
        Plan plan = scene.plan();
        Optional<String> all = Optional.empty();
        Optional<String> red = Optional.of(Plan.COLOURS.get(0));
        subscriptions.add(SimSubscription.volatileOne(plan.subscription("t.a", all, false), this));
        subscriptions.add(SimSubscription.volatileOne(plan.subscription("t.*", red, false), this));
        subscriptions.add(SimSubscription.named(plan.subscription("t.b", all, false), "vs", true, this));
        subscriptions.add(SimSubscription.named(plan.subscription("t.a", all, true), "d", false, this));
        subscriptions.add(SimSubscription.named(plan.subscription("t.a", red, true), "dr", false, this));
        subscriptions.add(SimSubscription.named(plan.subscription("t.*", all, true), "dw", false, this));
        subscriptions.add(SimSubscription.named(plan.subscription("t.b", all, true), "ds", true, this));
    }

    List<SimSubscription> subscriptions() {
        return subscriptions;
    }

    /** Those that are there. */
    List<SimConsumer> consumers() {
        consumers.removeIf(SimConsumer::gone);
        return consumers;
    }

    // ---- producers

    void produce() {
        int loop = scene.random().nextInt(scene.plan().loops());
        send(loop, loop, Optional.empty());
    }

    /** Sends a few messages to one place. */
    void send(int loop, int stream, Optional<SimTransaction> transaction) {
        List<String> addresses = new ArrayList<>(scene.plan().queues());
        addresses.addAll(scene.plan().topics());
        String address = addresses.get(scene.random().nextInt(addresses.size()));
        Target target = targets.computeIfAbsent(stream + "/" + address, any -> broker.nodes(loop)
                .find(address)
                .orElseThrow(() -> new AssertionError(address + " is gone"))
                .target("sim"));
        for (int i = scene.random().nextInt(6); i >= 0; i--) {
            send(address, target, stream, transaction);
        }
    }

    private void send(String address, Target target, int stream, Optional<SimTransaction> transaction) {
        Ledger ledger = scene.ledger();
        Traits traits = traits(address);
        Parcel parcel = ledger.offered(stream, address, traits, places(address, traits));
        Message message = parcel.message(scene.plan().bodyBytes(scene.random()));
        if (transaction.isEmpty()) {
            target.offer(message, ledger.answer(parcel));
            return;
        }
        SimTransaction within = transaction.get();
        if (within.bytes + message.size() > scene.plan().transactionBytes()) {
            parcel.copies.clear();
            return;
        }
        within.bytes += message.size();
        ledger.transactions.sent(within, parcel);
        within.broker.offer(target, message, ledger.answer(parcel, within));
    }

    /** Some messages are those that were sent before, as far as their message-ids tell. */
    private Traits traits(String address) {
        Plan plan = scene.plan();
        List<Traits> before = identified.computeIfAbsent(address, any -> new ArrayList<>());
        if (plan.repeats() && !before.isEmpty() && scene.random().nextInt(4) == 0) {
            Traits again =
                    before.get(Math.max(0, before.size() - 1 - scene.random().nextInt(12)));
            return plan.traits(scene.random(), loops.latestMillis(), again.identity())
                    .durable(again.durable());
        }
        boolean identifies = plan.repeats() && scene.random().nextInt(4) > 0;
        Traits traits = plan.traits(scene.random(), loops.latestMillis(), identifies ? address + before.size() : "");
        if (identifies) {
            before.add(traits);
        }
        return traits;
    }

    /** Where a message is to be, and whether that is certain. */
    private Map<Place, Boolean> places(String address, Traits traits) {
        Map<Place, Boolean> places = new LinkedHashMap<>();
        Place queue = scene.plan().queue(address);
        if (queue != null) {
            places.put(queue, true);
        }
        for (SimSubscription subscription : subscriptions) {
            Optional<Boolean> takes =
                    subscription.takes(address, traits, scene.plan().loops() == 1);
            if (takes.orElse(true)) {
                places.put(subscription.place(), takes.isPresent());
            }
        }
        return places;
    }

    // ---- consumers

    void consume() {
        List<SimConsumer> there = consumers();
        if (there.size() < MAX_CONSUMERS && scene.random().nextInt(8) == 0) {
            if (!subscriptions.isEmpty() && scene.random().nextBoolean()) {
                open(subscriptions.get(scene.random().nextInt(subscriptions.size())));
            } else {
                open(anyQueue());
            }
        } else if (!there.isEmpty()) {
            SimConsumer consumer = there.get(scene.random().nextInt(there.size()));
            boolean stays = subscriptionOf.containsKey(consumer)
                    && !subscriptionOf.get(consumer).mayBeClosed();
            if (!stays) {
                consumer.act();
            }
        }
    }

    private String anyQueue() {
        List<String> addresses = new ArrayList<>();
        for (String queue : scene.plan().queues()) {
            addresses.add(queue);
            Place place = scene.plan().queue(queue);
            place.deadLetterQueue().ifPresent(addresses::add);
            place.expiredTo().ifPresent(addresses::add);
        }
        subscriptions.forEach(each -> each.place().deadLetterQueue().ifPresent(addresses::add));
        return addresses.get(scene.random().nextInt(addresses.size()));
    }

    private void open(String address) {
        int loop = scene.random().nextInt(scene.plan().loops());
        Optional<Node> node = broker.nodes(loop).find(address);
        if (node.isPresent()) {
            boolean browse = scene.random().nextInt(5) == 0;
            add(new SimConsumer(scene.plan().place(address), node.get().source(), browse, colour(), scene), loop);
        }
    }

    private Optional<String> colour() {
        boolean any = !scene.plan().selective() || scene.random().nextBoolean();
        return any
                ? Optional.empty()
                : Optional.of(Plan.COLOURS.get(scene.random().nextInt(Plan.COLOURS.size())));
    }

    private void open(SimSubscription subscription) {
        if (subscription.mayBeOpened()) {
            int loop = scene.random().nextInt(scene.plan().loops());
            subscription.open(
                    broker.nodes(loop),
                    scene.ledger(),
                    consumer -> {
                        subscriptionOf.put(consumer, subscription);
                        add(consumer, loop);
                    },
                    (place, source) -> new SimConsumer(place, source, false, Optional.empty(), scene));
        }
    }

    private void add(SimConsumer consumer, int loop) {
        consumers.add(consumer);
        loopOf.put(consumer, loop);
    }

    // ---- transactions

    void transact() {
        if (!sessions.isEmpty()) {
            SimSession session = sessions.get(scene.random().nextInt(sessions.size()));
            session.act(broker.nodes(session.loop()), () -> consumers().stream()
                    .filter(each -> loopOf.get(each) == session.loop())
                    .toList());
        }
    }

    /** Ends the transactions that are open. */
    void endTransactions() {
        sessions.forEach(SimSession::close);
    }

    // ---- ends

    void crashed(Broker successor, Loops newLoops) {
        broker = successor;
        loops = newLoops;
        targets.clear();
        consumers.clear();
        loopOf.clear();
        subscriptionOf.clear();
        sessions.forEach(SimSession::crashed);
    }

    /** Everything has come to rest; these nodes are in the store. */
    void settled(Set<String> nodes) {
        subscriptions.forEach(each -> each.settled(nodes, scene.ledger()));
    }
}
