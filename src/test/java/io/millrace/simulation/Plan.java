package io.millrace.simulation;

import io.millrace.config.Config;
import io.millrace.config.Config.QueueDefinition;
import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.DeadLetter;
import io.millrace.config.QueueSettings.WhenFull;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** What a seed decides once and for all: loops, queues, memory, the kinds of trouble. */
final class Plan {
    private final int loops;
    private final Config config;
    private final boolean large;
    private final int bodyBytes;
    private final boolean excludes;
    private final boolean crashes;
    private boolean storeWasFull;

    Plan(Random random) {
        loops = 1 + random.nextInt(2);
        large = random.nextInt(10) == 0;
        bodyBytes = large ? 100_000 : 20 + random.nextInt(600);
        excludes = random.nextInt(3) == 0;
        crashes = random.nextInt(3) > 0;
        long memory = large ? 1_000_000 : loops * (2_000L + random.nextInt(60_000));
        List<QueueDefinition> queues = new ArrayList<>();
        for (int i = 0; i < 1 + random.nextInt(3); i++) {
            queues.add(new QueueDefinition("q" + i, settings(random)));
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
                queues,
                List.of(),
                List.of(),
                base.autoCreate());
    }

    private static QueueSettings settings(Random random) {
        DeadLetter[] kinds = {new DeadLetter.Own(), new DeadLetter.To("graveyard"), new DeadLetter.Off()};
        Optional<Long> limit = random.nextInt(3) == 0 ? Optional.of(1L + random.nextInt(40)) : Optional.empty();
        return QueueSettings.DEFAULT
                .withMaxDeliveries(1 + random.nextInt(4))
                .withDeadLetter(kinds[random.nextInt(3)])
                .withLimits(limit, Optional.empty(), random.nextBoolean() ? WhenFull.REJECT : WhenFull.DROP_OLDEST);
    }

    int loops() {
        return loops;
    }

    Config config() {
        return config;
    }

    int bodyBytes(Random random) {
        return random.nextInt(bodyBytes);
    }

    boolean excludes() {
        return excludes;
    }

    /** Consumers may have to wait for memory that others hold. */
    boolean runsShort() {
        return large;
    }

    boolean crashes() {
        return crashes;
    }

    List<String> queues() {
        return config.queues().stream().map(QueueDefinition::name).toList();
    }

    QueueSettings settings(String address) {
        return config.settingsFor(address);
    }

    boolean hasDeadLetters(String address) {
        return queues().contains(address) && !(settings(address).deadLetter() instanceof DeadLetter.Off);
    }

    String deadLetterQueue(String address) {
        return settings(address).deadLetter() instanceof DeadLetter.To to
                ? to.queue()
                : DeadLetter.Own.nameFor(address);
    }

    boolean dropsOldest(String address) {
        QueueSettings settings = settings(address);
        return settings.maxMessages().isPresent() && settings.whenFull() == WhenFull.DROP_OLDEST;
    }

    boolean storeWasFull() {
        return storeWasFull;
    }

    void storeIsFull() {
        storeWasFull = true;
    }
}
