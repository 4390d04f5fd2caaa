package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.millrace.config.QueueSettings;
import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A queue under random use of all its features at once, held against what must be so whatever happens: nothing is lost,
 * nothing comes twice, each consumer gets what it selects in order, groups stay with one consumer, credit is not exceeded.
 */
class QueueModelTest {

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
    void holdsUnderAllFeaturesTogether(long first) {
        for (long seed = first * 1000; seed < first * 1000 + 25; seed++) {
            try {
                new Run(seed).run();
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            }
        }
    }

    /** What the test knows of a message. */
    private static final class Known {
        final String name;
        final int index;
        final int priority;
        final String group;
        boolean onDisk;
        boolean delivered;
        boolean gone;
        Taker holder;

        Known(String name, int index, int priority, String group) {
            this.name = name;
            this.index = index;
            this.priority = priority;
            this.group = group;
        }
    }

    private static final class Run {
        private static final Outcome FAILED = new Outcome.Modified(true, false, Map.of());

        private final Random random;
        private final Map<String, Known> known = new TreeMap<>();
        private final List<Taker> takers = new ArrayList<>();
        private final QueueSettings settings;
        private final long memory;
        private final boolean groups;
        private final boolean priorities;
        private QueueScene scene;
        private int count;

        Run(long seed) {
            random = new Random(seed);
            settings = random.nextInt(4) == 0
                    ? QueueScene.withoutDeadLetters().withConsumers(QueueSettings.Consumers.SINGLE_ACTIVE)
                    : QueueScene.withoutDeadLetters();
            memory = 8_000L + random.nextInt(100_000);
            groups = random.nextBoolean();
            priorities = random.nextBoolean();
            scene = new QueueScene(settings, memory);
        }

        void run() {
            for (int i = 0; i < 400; i++) {
                step();
            }
            scene.settle();
            List.copyOf(takers).forEach(taker -> taker.leave(false));
            scene.settle();
            empty();
        }

        private void step() {
            int die = random.nextInt(100);
            if (die < 25) {
                for (int i = random.nextInt(12); i >= 0; i--) {
                    offer();
                }
            } else if (die < 40) {
                scene.loop.runOne();
            } else if (die < 50) {
                scene.journal.flush(1 + random.nextInt(3));
            } else if (die < 55) {
                scene.settle();
            } else if (die < 62 && takers.size() < 6) {
                takers.add(new Taker(this));
            } else if (die == 99 && random.nextInt(3) == 0) {
                crash();
            } else if (!takers.isEmpty()) {
                takers.get(random.nextInt(takers.size())).act();
            }
        }

        private void offer() {
            int index = count++;
            int priority = priorities ? random.nextInt(10) : 4;
            String group = groups && random.nextInt(3) > 0 ? "g" + random.nextInt(4) : "";
            boolean durable = random.nextInt(3) > 0;
            String name = String.format(Locale.ROOT, "%05d-%d-%s", index, priority, "x".repeat(random.nextInt(60)));
            Known message = new Known(name, index, priority, group);
            known.put(name, message);
            int sequence = random.nextInt(20) == 0 ? -1 : 1;
            scene.queue.offer(Messages.of(name, durable, priority, group, sequence), outcome -> {
                assertEquals(Outcome.ACCEPTED, outcome);
                message.onDisk = durable;
            });
        }

        private void crash() {
            scene.journal.flush(random.nextInt(3));
            takers.clear();
            Set<String> stored = new HashSet<>();
            scene = scene.restarted(settings, memory);
            scene.journal.messages().forEach(message -> stored.add(Messages.name(message.bytes())));
            for (Known message : known.values()) {
                message.holder = null;
                boolean there = stored.contains(message.name);
                check(there || !message.onDisk || message.gone, message.name + " was on disk and is lost");
                message.gone = !there;
            }
        }

        /** Everything that is left comes, once, in order. */
        private void empty() {
            Set<String> left = new HashSet<>();
            known.values().stream().filter(message -> !message.gone).forEach(message -> left.add(message.name));
            assertEquals(left.size(), scene.queue.stats().messages());
            List<String> seen = new ArrayList<>();
            Recipient browser = scene.browser().drain(100_000);
            scene.settle();
            browser.deliveries.forEach(each -> seen.add(Messages.name(each.message())));
            assertEquals(1, browser.drains);
            Recipient last = scene.consumer();
            int before;
            do {
                before = last.deliveries.size();
                last.drain(1 + random.nextInt(50));
                scene.settle();
                last.acceptAll();
                scene.settle();
            } while (last.deliveries.size() > before);
            assertEquals(left, new HashSet<>(last.names()));
            assertEquals(left.size(), last.deliveries.size(), "nothing comes twice");
            assertEquals(sorted(seen), seen);
            assertEquals(left, new HashSet<>(seen));
            // A group that is closed in the middle is passed over until that is settled.
            if (!groups) {
                assertEquals(seen, last.names());
            }
            assertEquals(0, scene.queue.stats().messages());
            assertEquals(0, scene.queue.stats().bytes());
            assertEquals(0, scene.storedMessages());
            last.detach(false);
            assertEquals(0, scene.heldBytes());
        }

        private List<String> sorted(List<String> names) {
            return names.stream()
                    .sorted(Comparator.comparingInt((String name) -> -known.get(name).priority)
                            .thenComparingInt(name -> known.get(name).index))
                    .toList();
        }

        private static void check(boolean holds, String otherwise) {
            if (!holds) {
                throw new AssertionError(otherwise);
            }
        }
    }

    /** A consumer that behaves at random. */
    private static final class Taker implements Consumer {
        private final Run run;
        private final QueueScene scene;
        private final Random random;
        private final Optional<Predicate<Delivery>> filter;
        private final Map<String, Delivery> held = new LinkedHashMap<>();

        /** The last message delivered for the first time, of each priority of each group. */
        private final Map<Object, Integer> last = new HashMap<>();

        private long delivered;
        private long limit;
        private boolean ready = true;
        private boolean gone;

        Taker(Run run) {
            this.run = run;
            this.scene = run.scene;
            this.random = run.random;
            int modulus = 1 + random.nextInt(5);
            filter =
                    random.nextBoolean() ? Optional.empty() : Optional.of(delivery -> indexOf(delivery) % modulus == 0);
            Selection selection = Selection.CONSUME.withPriority(random.nextInt(2));
            scene.queue.attach(this, filter.map(selection::matching).orElse(selection));
        }

        private static int indexOf(Delivery delivery) {
            return Integer.parseInt(Messages.name(delivery.message()).substring(0, 5));
        }

        void act() {
            int die = random.nextInt(10);
            if (die < 3) {
                limit = delivered + random.nextInt(15);
                scene.queue.credit(this, limit, random.nextInt(4) == 0);
            } else if (die < 8) {
                for (int i = random.nextInt(5); i >= 0 && !held.isEmpty() && !gone; i--) {
                    settle(List.copyOf(held.keySet()).get(random.nextBoolean() ? 0 : random.nextInt(held.size())));
                }
            } else if (die == 8) {
                ready = true;
                scene.queue.resume(this);
            } else if (random.nextInt(3) == 0) {
                leave(random.nextBoolean());
            } else {
                ready = false;
            }
        }

        private void settle(String name) {
            Delivery delivery = held.remove(name);
            Known message = run.known.get(name);
            message.holder = null;
            int die = random.nextInt(10);
            boolean accepts = die < 6;
            message.gone = accepts;
            Outcome outcome = accepts
                    ? Outcome.ACCEPTED
                    : die == 6 ? Run.FAILED : die == 7 ? new Outcome.Modified(false, true, Map.of()) : Outcome.RELEASED;
            scene.queue.settle(this, delivery, outcome, Receipt.NONE);
        }

        void leave(boolean lost) {
            gone = true;
            run.takers.remove(this);
            held.keySet().forEach(name -> run.known.get(name).holder = null);
            held.clear();
            scene.queue.detach(this, lost);
        }

        @Override
        public boolean ready() {
            return ready;
        }

        @Override
        public void deliver(Delivery delivery) {
            Known message = run.known.get(Messages.name(delivery.message()));
            Run.check(!gone, "a delivery to a consumer that is gone");
            Run.check(delivered++ < limit, "more than the credit");
            Run.check(message.holder == null, message.name + " is with two consumers");
            Run.check(!message.gone, message.name + " comes after it was accepted");
            Run.check(filter.isEmpty() || filter.get().test(delivery), message.name + " was not selected");
            if (!message.delivered) {
                message.delivered = true;
                Integer before = last.put(message.group + message.priority, message.index);
                Run.check(before == null || before < message.index, message.name + " comes out of order");
            }
            if (!message.group.isEmpty()) {
                for (Known other : run.known.values()) {
                    Run.check(
                            other.holder == null || other.holder == this || !other.group.equals(message.group),
                            "group " + message.group + " is with two consumers");
                }
            }
            message.holder = this;
            held.put(message.name, delivery);
        }

        @Override
        public void drained() {
            delivered = Math.max(delivered, limit);
        }

        @Override
        public void closed(Condition reason) {
            throw new AssertionError("closed: " + reason);
        }
    }
}
