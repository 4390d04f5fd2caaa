package io.millrace.journal.h2;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.Fact;
import io.millrace.journal.Fact.IdentitySeen;
import io.millrace.journal.InMemoryJournal;
import io.millrace.journal.Journal;
import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.journal.JournalException;
import io.millrace.journal.MessageKey;
import io.millrace.journal.MessageReader.ExpiredRun;
import io.millrace.journal.MessageReader.ExpiryMark;
import io.millrace.journal.StoredMessage;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The store on a disk that loses its power. After it, the store must hold a prefix of the batches, all answered ones in it. */
class PowerLossTest {
    private static final int SEEDS = Integer.getInteger("millrace.power.seeds", 600);
    private static final long FIRST_SEED = Long.getLong("millrace.power.seed", 1);
    private static final int CRASHES = 3;

    @Test
    void whatWasAnsweredIsThereAndNothingIsHalfThereAfterAnyLossOfPower() {
        for (long seed = FIRST_SEED; seed < FIRST_SEED + SEEDS; seed++) {
            try {
                new Story(seed).tell();
            } catch (Exception | AssertionError e) {
                throw new AssertionError("run with -Dmillrace.power.seed=" + seed + " -Dmillrace.power.seeds=1", e);
            }
        }
    }

    /** A journal and what it said. */
    private record Opened(H2Journal journal, AtomicInteger answered, AtomicBoolean failed, Semaphore said) {}

    /** Batches and losses of power on one disk, as a seed has it. */
    private static final class Story {
        private final Random random;
        private final PowerDisk disk = new PowerDisk();
        private final H2Journal.Options options;
        private final RandomFacts facts;
        private InMemoryJournal model = new InMemoryJournal();

        Story(long seed) {
            random = new Random(seed);
            facts = new RandomFacts(random);
            H2Journal.Options usual = H2Journal.Options.in(disk.directory())
                    .on(PowerDisk.SCHEME, Duration.ZERO)
                    .withReserve(0)
                    .withCache(1 << 20);
            boolean eager = random.nextBoolean();
            // A small log begins anew again and again, also within the life of one broker.
            H2Journal.Options logging = usual.withLog(random.nextBoolean() ? 16 << 10 : 256 << 10);
            options = eager ? logging.withCompaction(0, Duration.ZERO) : logging;
            disk.setShortWrites(random.nextInt(4) == 0);
        }

        void tell() throws Exception {
            for (int crash = 0; crash < CRASHES; crash++) {
                arm();
                Optional<Opened> opened = open();
                int answered = opened.isPresent() ? work(opened.get()) : 0;
                if (random.nextInt(3) == 0 && !disk.hasLostWrites()) {
                    disk.kill();
                } else {
                    disk.crash(random);
                }
                if (random.nextInt(3) == 0) {
                    crashWhileOpening();
                }
                check(answered);
            }
            disk.discard();
        }

        private void arm() {
            if (random.nextInt(5) == 0) {
                disk.failForceAfter(1 + random.nextInt(20));
            } else {
                disk.failAfter(1 + random.nextInt(random.nextInt(8) == 0 ? 300 : 50));
            }
        }

        /** Nothing only when the disk fails at that moment: a loss of power is never a reason to refuse to start. */
        private Optional<Opened> open() {
            AtomicBoolean failed = new AtomicBoolean();
            Semaphore said = new Semaphore(0);
            long forces = disk.failures();
            try {
                H2Journal journal = H2Journal.open(options, failure -> {
                    failed.set(true);
                    said.release();
                });
                return Optional.of(new Opened(journal, new AtomicInteger(), failed, said));
            } catch (JournalException e) {
                if (disk.failures() == forces) {
                    throw new AssertionError("refused to start", e);
                }
                return Optional.empty();
            }
        }

        private void crashWhileOpening() {
            disk.failAfter(1 + random.nextInt(6));
            open().ifPresent(opened -> opened.journal.close(Duration.ofSeconds(10)));
            disk.crash(random);
        }

        /** Appends until the power is off, or for a while; how many batches were answered. */
        private int work(Opened opened) throws InterruptedException {
            facts.takeBodiesFrom(opened.journal::newBody);
            int appended = 0;
            for (int burst = 0; burst < 40 && !opened.failed.get(); burst++) {
                for (int batches = 1 + random.nextInt(6); batches > 0; batches--) {
                    List<Fact> batch = facts.batch();
                    model.append(batch, Runnable::run, () -> {});
                    opened.journal.append(batch, Runnable::run, () -> {
                        opened.answered.incrementAndGet();
                        opened.said.release();
                    });
                    appended++;
                }
                while (opened.answered.get() < appended && !opened.failed.get()) {
                    assertTrue(opened.said.tryAcquire(10, TimeUnit.SECONDS), "neither answered nor failed");
                }
            }
            opened.journal.close(Duration.ofSeconds(random.nextInt(3) == 0 ? 10 : 0));
            return opened.answered.get();
        }

        private void check(int answered) throws Exception {
            Opened opened = open().orElseThrow();
            List<RecoveredNode> queues = opened.journal.recover();
            List<StoredMessage> messages = read(opened.journal, queues);
            model.flush(answered);
            List<String> found = told(opened.journal, messages);
            List<String> answeredState = told(model, model.messages());
            while (!found.equals(told(model, model.messages())) && model.waiting() > 0) {
                model.flush(1);
            }
            if (!found.equals(told(model, model.messages()))) {
                List<String> missing = new ArrayList<>(answeredState);
                missing.removeAll(found);
                List<String> extra = new ArrayList<>(found);
                extra.removeAll(answeredState);
                throw new AssertionError("against what was answered, missing: " + missing + ", extra: " + extra);
            }
            for (RecoveredNode queue : model.recover()) {
                long next = queues.stream()
                        .filter(q -> q.declared().number() == queue.declared().number())
                        .findFirst()
                        .orElseThrow()
                        .nextSequence();
                assertTrue(next >= queue.nextSequence(), () -> next + " was used in " + queue);
            }
            model = model.successor();
            facts.recovered(queues, model.messages());
            if (random.nextBoolean()) {
                // The next life begins with what this one has not closed, or not even synced.
                disk.kill();
                opened.journal.close(Duration.ofSeconds(10));
            } else {
                opened.journal.close(Duration.ofSeconds(10));
                Integrity.check(options);
            }
        }

        private static List<StoredMessage> read(H2Journal journal, List<RecoveredNode> queues) throws Exception {
            List<StoredMessage> messages = new ArrayList<>();
            for (RecoveredNode queue : queues) {
                for (int lane : RandomFacts.LANES) {
                    MessageKey first = new MessageKey(queue.declared().number(), lane, -1);
                    CompletableFuture<List<StoredMessage>> run = new CompletableFuture<>();
                    journal.reader().read(first, Integer.MAX_VALUE, Long.MAX_VALUE, Runnable::run, run::complete);
                    messages.addAll(run.get(10, TimeUnit.SECONDS));
                }
            }
            return messages;
        }

        private static List<String> told(Journal journal, List<StoredMessage> messages) throws Exception {
            List<String> lines = new ArrayList<>();
            for (RecoveredNode q : journal.recover()) {
                lines.add(q.declared() + " " + q.lanes() + " " + q.bytes());
                for (IdentitySeen seen : q.identities()) {
                    lines.add(seen.number() + " of " + seen.queue() + " " + seen.seenMillis() + " "
                            + Arrays.hashCode(seen.identity()));
                }
                lines.add(expiring(journal, q.declared().number()));
            }
            for (StoredMessage m : messages) {
                if (m.durable()) {
                    lines.add(m.key() + " " + m.arrivalMillis() + " " + m.format() + " " + m.deliveryCount() + " "
                            + m.bytes().length + " " + Arrays.hashCode(m.bytes()) + " " + m.details());
                }
                if (m.durable() && m.details().streamed() > 0) {
                    lines.add(parts(journal, m.details().body()));
                }
            }
            return lines;
        }

        private static String expiring(Journal journal, long queue) throws Exception {
            CompletableFuture<ExpiredRun> run = new CompletableFuture<>();
            journal.reader()
                    .readExpired(
                            ExpiryMark.start(queue), Long.MAX_VALUE, Integer.MAX_VALUE, Runnable::run, run::complete);
            ExpiredRun found = run.get(10, TimeUnit.SECONDS);
            List<MessageKey> durable = found.messages().stream()
                    .filter(StoredMessage::durable)
                    .map(StoredMessage::key)
                    .toList();
            return durable + " expire";
        }

        private static String parts(Journal journal, long body) throws Exception {
            StringBuilder parts = new StringBuilder("parts of " + body + ":");
            for (int part = 0; ; part++) {
                CompletableFuture<Optional<byte[]>> read = new CompletableFuture<>();
                journal.reader().readPart(body, part, Runnable::run, read::complete);
                Optional<byte[]> found = read.get(10, TimeUnit.SECONDS);
                if (found.isEmpty()) {
                    return parts.toString();
                }
                parts.append(' ').append(Arrays.hashCode(found.get()));
            }
        }
    }
}
