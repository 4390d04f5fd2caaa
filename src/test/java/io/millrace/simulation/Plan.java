package io.millrace.simulation;

import io.millrace.config.Config;
import io.millrace.config.Config.QueueDefinition;
import io.millrace.config.Config.TopicDefinition;
import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.DeadLetter;
import io.millrace.config.QueueSettings.Duplicates;
import io.millrace.config.QueueSettings.ExpiredTo;
import io.millrace.config.QueueSettings.Expiry;
import io.millrace.config.QueueSettings.Redelivery;
import io.millrace.config.QueueSettings.WhenFull;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** What a seed decides once and for all: loops, queues, topics, memory, the features in use, the kinds of trouble. */
final class Plan {
    static final List<String> COLOURS = List.of("red", "green", "blue");
    private static final List<String> TOPICS = List.of("t.a", "t.b");
    private static final long LONG_MILLIS = 3_000;
    private static final int LONG_HOLD_MILLIS = 1_000;

    private final int loops;
    private final Config config;
    private final boolean large;
    private final int bodyBytes;
    private final boolean excludes;
    private final boolean crashes;
    private final boolean prioritised;
    private final boolean grouped;
    private final boolean selective;
    private final boolean timed;
    private final boolean repeats;
    private final boolean transacted;
    private final boolean publishes;
    private final Map<String, Place> queues = new LinkedHashMap<>();
    private boolean storeWasFull;

    Plan(Random random) {
        loops = 1 + random.nextInt(2);
        large = random.nextInt(10) == 0;
        bodyBytes = large ? 100_000 : 20 + random.nextInt(600);
        excludes = random.nextInt(3) == 0;
        crashes = random.nextInt(3) > 0;
        prioritised = random.nextInt(3) == 0;
        grouped = random.nextInt(3) == 0;
        selective = random.nextInt(3) == 0;
        timed = random.nextInt(3) == 0;
        repeats = random.nextInt(3) == 0;
        transacted = random.nextInt(2) == 0;
        publishes = random.nextInt(2) == 0;
        long memory = large ? 1_000_000 : loops * (2_000L + random.nextInt(60_000));
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            queues.put("q" + i, Place.queue("q" + i, settings(random)));
        }
        List<TopicDefinition> topics = new ArrayList<>();
        if (publishes) {
            TOPICS.forEach(topic -> topics.add(new TopicDefinition(topic, subscriptionSettings(random))));
        }
        Config base = Config.defaults();
        config = new Config(
                base.listeners(),
                base.http(),
                base.store(),
                memory,
                loops,
                base.connection(),
                base.users(),
                base.queueDefaults(),
                queues.values().stream()
                        .map(place -> new QueueDefinition(place.address, place.settings))
                        .toList(),
                topics,
                List.of(),
                base.autoCreate());
    }

    private QueueSettings settings(Random random) {
        QueueSettings settings = subscriptionSettings(random);
        if (repeats && random.nextInt(3) > 0) {
            settings = settings.withDuplicates(new Duplicates(Optional.empty(), Duration.ofDays(1), 100_000));
        }
        return settings;
    }

    private QueueSettings subscriptionSettings(Random random) {
        DeadLetter[] kinds = {new DeadLetter.Own(), new DeadLetter.To("graveyard"), new DeadLetter.Off()};
        Optional<Long> limit = random.nextInt(3) == 0 ? Optional.of(1L + random.nextInt(40)) : Optional.empty();
        QueueSettings settings = QueueSettings.DEFAULT
                .withMaxDeliveries(1 + random.nextInt(4))
                .withDeadLetter(kinds[random.nextInt(3)])
                .withLimits(limit, Optional.empty(), random.nextBoolean() ? WhenFull.REJECT : WhenFull.DROP_OLDEST)
                .withHold(Duration.ofMillis(random.nextBoolean() ? 0 : random.nextInt(LONG_HOLD_MILLIS)));
        if (!timed) {
            return settings;
        }
        ExpiredTo[] ends = {new ExpiredTo.DeadLetterQueue(), new ExpiredTo.To("lapsed"), new ExpiredTo.Nowhere()};
        Expiry expiry = new Expiry(Optional.empty(), Optional.empty(), Optional.empty(), ends[random.nextInt(3)]);
        Duration rest = Duration.ofMillis(random.nextBoolean() ? 0 : 1 + random.nextInt(500));
        return settings.withExpiry(expiry).withRedelivery(new Redelivery(rest, 1, Duration.ofHours(1), 0));
    }

    // ---- what there is

    int loops() {
        return loops;
    }

    Config config() {
        return config;
    }

    List<String> queues() {
        return List.copyOf(queues.keySet());
    }

    Place queue(String address) {
        return queues.get(address);
    }

    List<String> topics() {
        return publishes ? TOPICS : List.of();
    }

    /** A place to receive from that is no subscription. */
    Place place(String address) {
        Place queue = queues.get(address);
        return queue == null ? Place.grave(address, config.settingsFor(address)) : queue;
    }

    Place subscription(String address, Optional<String> colour, boolean durable) {
        return Place.subscription(address, config.subscriptionSettingsFor(address), colour, durable);
    }

    // ---- what clients do

    /** What a message says of itself that is sent now. */
    Traits traits(Random random, long nowMillis, String identity) {
        boolean late = timed && random.nextInt(5) == 0;
        boolean mortal = timed && random.nextInt(4) == 0;
        return new Traits(
                random.nextInt(3) > 0,
                prioritised ? 3 + random.nextInt(3) : 4,
                grouped && random.nextInt(3) > 0 ? "g" + random.nextInt(5) : "",
                COLOURS.get(random.nextInt(COLOURS.size())),
                late ? nowMillis + random.nextInt((int) LONG_MILLIS) : 0,
                mortal ? nowMillis + random.nextInt((int) LONG_MILLIS) : 0,
                identity);
    }

    /** How much one transaction may hold; the broker rolls back one that holds more. */
    long transactionBytes() {
        return config.memoryBytes() / 4;
    }

    int bodyBytes(Random random) {
        return random.nextInt(bodyBytes);
    }

    boolean excludes() {
        return excludes;
    }

    boolean grouped() {
        return grouped;
    }

    boolean selective() {
        return selective;
    }

    boolean timed() {
        return timed;
    }

    boolean repeats() {
        return repeats;
    }

    boolean transacted() {
        return transacted;
    }

    /** By then everything that was held is answered, on one loop and then on the next. */
    long holdMillis() {
        return LONG_HOLD_MILLIS * 10L;
    }

    /** By then all is due and has expired that could. */
    long longMillis() {
        return LONG_MILLIS;
    }

    /** Whether one in many ends, told by a count. */
    boolean ends(int count) {
        return count % 5 == 0;
    }

    /** Whether a place drops not simply its oldest messages, but those of the lowest priority first. */
    boolean dropsByPriority(Place place) {
        return prioritised && place.dropsOldest();
    }

    // ---- trouble

    /** Consumers may have to wait for memory that others hold. */
    boolean runsShort() {
        return large;
    }

    boolean crashes() {
        return crashes;
    }

    boolean storeWasFull() {
        return storeWasFull;
    }

    void storeIsFull() {
        storeWasFull = true;
    }
}
