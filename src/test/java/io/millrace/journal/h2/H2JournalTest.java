package io.millrace.journal.h2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.Fact;
import io.millrace.journal.Fact.MessageRemoved;
import io.millrace.journal.Fact.MessageStored;
import io.millrace.journal.Fact.NodeDeclared;
import io.millrace.journal.Fact.NodeDeleted;
import io.millrace.journal.Journal.Room;
import io.millrace.journal.JournalException;
import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.type.LongDataType;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class H2JournalTest {
    private static final int SIZE = 1000;

    private final BlockingQueue<Object> said = new LinkedBlockingQueue<>();

    private H2Journal open(H2Journal.Options options) {
        return H2Journal.open(options, said::add);
    }

    /** What came: an answer, or a failure. */
    private Object said() {
        try {
            Object next = said.poll(20, TimeUnit.SECONDS);
            assertTrue(next != null, "nothing came");
            return next;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private Object append(H2Journal journal, List<Fact> facts) {
        journal.append(facts, Runnable::run, () -> said.add("durable"));
        return said();
    }

    private static MessageStored stored(long sequence) {
        byte[] bytes = new byte[SIZE];
        new Random(sequence).nextBytes(bytes);
        return new MessageStored(new MessageKey(1, 0, sequence), true, sequence, 0, bytes, Fact.Details.NONE);
    }

    private static MessageRemoved removed(long sequence) {
        return new MessageRemoved(new MessageKey(1, 0, sequence), true, SIZE);
    }

    private void fill(H2Journal journal, int from, int to) {
        for (int first = from; first < to; first += 100) {
            List<Fact> batch = new ArrayList<>();
            for (int n = first; n < Math.min(to, first + 100); n++) {
                batch.add(stored(n));
            }
            assertEquals("durable", append(journal, batch));
        }
    }

    private static void awaitThat(BooleanSupplier condition) {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, "it did not come about in 20 seconds");
            LockSupport.parkNanos(10_000_000);
        }
    }

    @Nested
    class Opening {
        @TempDir
        Path directory;

        private String refusal() {
            return refusal(directory);
        }

        private String refusal(Path where) {
            return assertThrows(JournalException.class, () -> open(H2Journal.Options.in(where)))
                    .getMessage();
        }

        @Test
        void aStoreInUseIsRefused() {
            H2Journal journal = open(H2Journal.Options.in(directory));
            assertTrue(refusal().contains("is in use by another process"));
            journal.close(Duration.ofSeconds(10));
        }

        /** The one that comes second must neither take the first one's half-made file for damage, nor replace it. */
        @Test
        void ofTwoThatMakeTheStoreAtOnceOneHasItAndTheOtherIsToldSo() throws Exception {
            ExecutorService two = Executors.newFixedThreadPool(2);
            try {
                for (int round = 0; round < 20; round++) {
                    H2Journal.Options options = H2Journal.Options.in(directory.resolve("store-" + round));
                    CyclicBarrier together = new CyclicBarrier(2);
                    Callable<Object> opening = () -> {
                        together.await();
                        try {
                            return open(options);
                        } catch (JournalException e) {
                            return e.getMessage();
                        }
                    };
                    List<Object> ends = new ArrayList<>();
                    for (Future<Object> end : two.invokeAll(List.of(opening, opening))) {
                        ends.add(end.get());
                    }
                    List<H2Journal> open = ends.stream()
                            .filter(H2Journal.class::isInstance)
                            .map(H2Journal.class::cast)
                            .toList();
                    open.forEach(journal -> journal.close(Duration.ofSeconds(10)));
                    assertEquals(1, open.size(), ends.toString());
                    assertTrue(ends.toString().contains("is in use by another process"), ends.toString());
                    assertFalse(Files.exists(options.directory().resolve("millrace.mv.new")));
                }
            } finally {
                two.shutdownNow();
            }
        }

        @Test
        void whatIsThereInsteadOfAFileIsNamed() throws IOException {
            Files.createDirectory(directory.resolve("millrace.mv"));
            assertTrue(refusal().contains("millrace.mv is not a file"));
        }

        @Test
        void aStoreOfANewerFormatIsRefused() {
            open(H2Journal.Options.in(directory)).close(Duration.ofSeconds(10));
            H2Journal.Options options = H2Journal.Options.in(directory);
            StoreFile file = StoreFile.open(options, () -> false);
            file.store().setStoreVersion(4);
            file.store().commit();
            file.store().close();
            assertTrue(refusal().contains("written by a newer Millrace (format 4, this one knows 3)"));
        }

        @Test
        void aFileThatIsNoStoreIsRefused() throws IOException {
            Files.write(directory.resolve("millrace.mv"), new byte[20_000]);
            assertTrue(refusal().contains("is not a store of Millrace"));
        }

        @Test
        void aStoreThatH2WroteAloneIsRefused() {
            MVStore.open(directory.resolve("millrace.mv").toString()).close();
            assertTrue(refusal().contains("is not a store of Millrace"));
        }

        @Test
        void aDirectoryThatIsAFileIsRefused() throws IOException {
            Path file = Files.createFile(directory.resolve("file"));
            assertEquals(
                    "the store directory " + file
                            + " is a file, not a directory: name another directory in store.directory",
                    refusal(file));
            Path within = file.resolve("a").resolve("store");
            assertEquals(
                    "the store directory " + within + " cannot be made, for " + file
                            + " is a file, not a directory: name another directory in store.directory",
                    refusal(within));
        }

        @Test
        void aDirectoryThatCannotBeMadeIsRefusedInWords() {
            Path tooLong = directory.resolve("x".repeat(300));
            assertEquals(
                    "the store directory " + tooLong
                            + " cannot be made (File name too long): name another directory in store.directory",
                    refusal(tooLong));
        }

        @Test
        void aStoreThatWasMadeHalfIsMadeAgain() throws IOException {
            Files.write(directory.resolve("millrace.mv.new"), new byte[5_000]);
            H2Journal journal = open(H2Journal.Options.in(directory));
            assertEquals(List.of(), journal.recover());
            journal.close(Duration.ofSeconds(10));
        }
    }

    /** A disk without its own cache may take milliseconds for each read. */
    @Nested
    class Reopening {
        private final PowerDisk disk = new PowerDisk();
        private final H2Journal.Options options = H2Journal.Options.in(disk.directory())
                .on(PowerDisk.SCHEME, Duration.ZERO)
                .withReserve(0)
                .withCompaction(Long.MAX_VALUE, Duration.ofDays(1));

        @Test
        void readsTheNewestCommitAndNotTheOthers() {
            H2Journal journal = open(options);
            append(journal, List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of())));
            fill(journal, 0, 10_000);
            disk.crash(new Random(1));
            journal.close(Duration.ofSeconds(10));
            said.clear();

            long before = disk.reads();
            H2Journal again = open(options);
            long reads = disk.reads() - before;
            assertEquals(10_000, again.recover().get(0).messages());
            assertTrue(reads < 50, reads + " reads for 100 commits");
            again.close(Duration.ofSeconds(10));
        }
    }

    @Nested
    class Damage {
        private final PowerDisk disk = new PowerDisk();
        private final H2Journal.Options options = H2Journal.Options.in(disk.directory())
                .on(PowerDisk.SCHEME, Duration.ZERO)
                .withReserve(0);

        /** Whatever byte is wrong: the store is refused, or the journal ends when it reads it, or nothing is lost. */
        @Test
        void damageIsNeverPassedOverInSilence() {
            H2Journal journal = open(options);
            append(journal, List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of())));
            fill(journal, 0, 100);
            journal.close(Duration.ofSeconds(10));
            Random random = new Random(5);
            int seen = 0;
            for (int i = 0; i < 200; i++) {
                long at = random.nextLong(disk.size(disk.directory() + "/millrace.mv"));
                disk.damage("millrace.mv", at);
                seen += isSeen() ? 1 : 0;
                disk.damage("millrace.mv", at);
            }
            assertTrue(seen > 100, seen + " of 200 were seen");
        }

        @Test
        void oneOfTheTwoHeadersIsEnough() {
            H2Journal journal = open(options);
            append(journal, List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of())));
            fill(journal, 0, 100);
            journal.close(Duration.ofSeconds(10));
            for (int header : new int[] {0, 4096}) {
                for (int at = 4; at < 60; at += 5) {
                    disk.damage("millrace.mv", header + at);
                    // The next clean end writes both anew.
                    assertFalse(isSeen(), "with byte " + at + " of the header at " + header);
                }
            }
        }

        private boolean isSeen() {
            said.clear();
            H2Journal journal;
            try {
                journal = open(options);
            } catch (JournalException e) {
                return true;
            }
            journal.reader().read(new MessageKey(1, 0, -1), 1000, 1 << 30, Runnable::run, said::add);
            Object found = said();
            journal.close(Duration.ofSeconds(10));
            if (found instanceof List<?> messages) {
                assertEquals(100, messages.size());
                for (Object message : messages) {
                    StoredMessage m = (StoredMessage) message;
                    byte[] right = stored(m.key().sequence()).bytes();
                    assertArrayEquals(right, m.bytes());
                }
                return false;
            }
            return found instanceof JournalException;
        }
    }

    @Nested
    class Failing {
        private final PowerDisk disk = new PowerDisk();
        private final H2Journal.Options options =
                H2Journal.Options.in(disk.directory()).on(PowerDisk.SCHEME, Duration.ZERO);

        @Test
        void aSyncThatFailsEndsTheJournalAndAnswersNobody() {
            H2Journal journal = open(options.withReserve(0));
            append(journal, List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of())));
            disk.failForceAfter(1);
            assertTrue(append(journal, List.of(stored(1))) instanceof JournalException);
            journal.append(List.of(stored(2)), Runnable::run, () -> said.add("durable"));
            journal.close(Duration.ofSeconds(10));
            assertTrue(said.isEmpty());
        }

        @Test
        void aFullDiskCanBeDrainedWithTheReserve() {
            H2Journal journal = open(options.withReserve(2 << 20).withLog(512 << 10));
            append(journal, List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of())));
            awaitThat(() -> disk.exists(disk.directory() + "/millrace.reserve"));
            fill(journal, 0, 1000);
            disk.setCapacity(disk.size() + 8192);
            int next = 1000;
            for (; journal.room().available(); next += 10) {
                List<Fact> batch = new ArrayList<>();
                for (int n = next; n < next + 10; n++) {
                    batch.add(stored(n));
                }
                assertEquals("durable", append(journal, batch));
            }
            assertTrue(journal.room().reason().contains("is full"));
            for (int n = 0; n < next; n += 10) {
                List<Fact> batch = new ArrayList<>();
                for (int k = n; k < n + 10; k++) {
                    batch.add(removed(k));
                }
                assertEquals("durable", append(journal, batch));
            }
            disk.setCapacity(Long.MAX_VALUE);
            awaitThat(() -> journal.room().available());
            journal.close(Duration.ofSeconds(10));
        }
    }

    @Nested
    class SpaceOnDisk {
        @TempDir
        Path directory;

        @Test
        void aStoreOverItsLimitHasNoRoomUntilItIsWellBelow() {
            H2Journal journal = open(H2Journal.Options.in(directory).withLimits(Optional.of(2_000_000L), 0));
            append(journal, List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of())));
            fill(journal, 0, 2500);
            awaitThat(() -> !journal.room().available());
            assertTrue(journal.room().reason().contains("its limit is 1.9 MiB"));
            for (int n = 0; n < 2500; n++) {
                journal.append(List.of(removed(n)), Runnable::run, () -> {});
            }
            assertEquals("durable", append(journal, List.of()));
            awaitThat(() -> journal.room().available());
            journal.close(Duration.ofSeconds(10));
        }

        @Test
        void whoWaitsForRoomIsToldOnItsLoopWhenThereIsSomeAndNotBefore() throws InterruptedException {
            H2Journal journal = open(H2Journal.Options.in(directory).withLimits(Optional.of(2_000_000L), 0));
            append(journal, List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of())));
            BlockingQueue<Runnable> loop = new LinkedBlockingQueue<>();
            journal.whenRoom(loop::add, () -> said.add("room at once"));
            loop.remove().run();
            assertEquals("room at once", said());
            fill(journal, 0, 2500);
            awaitThat(() -> !journal.room().available());
            journal.whenRoom(loop::add, () -> said.add("room"));
            assertEquals("durable", append(journal, List.of(removed(0))));
            assertTrue(loop.isEmpty());
            for (int n = 1; n < 2500; n++) {
                journal.append(List.of(removed(n)), Runnable::run, () -> {});
            }
            Runnable task = loop.poll(20, TimeUnit.SECONDS);
            assertTrue(journal.room().available());
            assertTrue(said.isEmpty(), "it is for the loop to run");
            task.run();
            assertEquals("room", said());
            assertTrue(loop.isEmpty(), "it is told once");
            journal.close(Duration.ofSeconds(10));
        }

        @Test
        void aDiskWithTooLittleFreeHasNoRoom() {
            H2Journal journal = open(H2Journal.Options.in(directory).withLimits(Optional.empty(), Long.MAX_VALUE / 20));
            awaitThat(() -> !journal.room().available());
            assertTrue(journal.room().reason().contains("store.min-free"));
            journal.close(Duration.ofSeconds(10));
        }

        @Test
        void roomDoesNotChangeItsMindAllTheTime() {
            H2Journal.Options options = H2Journal.Options.in(directory).withLimits(Optional.of(1_000L), 0);
            Space space = new Space(options.withReserve(0));
            assertTrue(space.check(999).available());
            assertFalse(space.check(1_000).available());
            assertFalse(space.check(960).available());
            assertEquals(Room.YES, space.check(940));
        }

        @Test
        void theFileShrinksWhenABacklogIsDrained() {
            H2Journal journal = open(H2Journal.Options.in(directory));
            append(
                    journal,
                    List.of(
                            new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of()),
                            new NodeDeclared(2, "rest", Fact.NodeKind.QUEUE, Map.of())));
            fill(journal, 0, 40_000);
            long full = journal.stats().bytes();
            assertTrue(full > 38_000_000, full + " bytes");
            for (int n = 0; n < 40_000; n++) {
                if (n % 100 > 0) {
                    journal.append(List.of(removed(n)), Runnable::run, () -> {});
                }
            }
            assertEquals("durable", append(journal, List.of()));
            awaitThat(() -> journal.stats().bytes() < full / 2);
            journal.close(Duration.ofSeconds(10));
        }

        @Test
        void aDeletedQueueGivesItsSpaceBackAlsoAfterARestart() {
            H2Journal.Options options = H2Journal.Options.in(directory);
            H2Journal journal = open(options);
            append(journal, List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of())));
            fill(journal, 0, 30_000);
            append(journal, List.of(new NodeDeleted(1)));
            journal.close(Duration.ofSeconds(10));
            H2Journal again = open(options);
            assertEquals(List.of(), again.recover());
            awaitThat(() -> again.stats().bytes() < 16_000_000);
            again.close(Duration.ofSeconds(10));
        }
    }

    @Nested
    class ATemporaryQueue {
        @TempDir
        Path directory;

        @Test
        void hasNoCountersInTheStore() {
            H2Journal.Options options = H2Journal.Options.in(directory);
            H2Journal journal = open(options);
            append(journal, List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of())));
            fill(journal, 0, 10);
            for (long queue = 7; queue < 10; queue++) {
                append(
                        journal,
                        List.of(new MessageStored(
                                new MessageKey(queue, 0, 0), false, 0, 0, new byte[SIZE], Fact.Details.NONE)));
                append(journal, List.of(new NodeDeleted(queue)));
            }
            journal.close(Duration.ofSeconds(10));
            StoreFile file = StoreFile.open(options, () -> false);
            assertEquals(
                    List.of(1L), file.store().openMap("counters", counters()).keyList());
            assertEquals(0, new Tables(file.store()).spilled.size());
            file.store().close();
        }

        private MVMap.Builder<Long, Counters> counters() {
            return new MVMap.Builder<Long, Counters>()
                    .keyType(LongDataType.INSTANCE)
                    .valueType(Counters.Type.INSTANCE);
        }
    }

    @Nested
    class Answering {
        @TempDir
        Path directory;

        @Test
        void goesOnAfterAnAnswerThatFails() {
            H2Journal journal = open(H2Journal.Options.in(directory).on("", Duration.ofMillis(100)));
            Executor loop = task -> {
                try {
                    task.run();
                } catch (IllegalStateException e) {
                    said.add(e.getMessage());
                }
            };
            // While the first syncs the other two gather, and are answered together.
            journal.append(List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of())), loop, () -> {});
            journal.append(List.of(stored(1)), loop, () -> {
                throw new IllegalStateException("says a test");
            });
            journal.append(List.of(stored(2)), loop, () -> said.add("durable"));

            assertEquals("durable", said());
            assertEquals("says a test", said());
            journal.close(Duration.ofSeconds(20));
        }
    }

    @Nested
    class Speed {
        @TempDir
        Path directory;

        @Test
        void whatWaitsDuringASlowSyncIsOneCommit() {
            H2Journal journal = open(H2Journal.Options.in(directory).on("", Duration.ofMillis(100)));
            append(journal, List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of())));
            long before = journal.stats().commits();
            for (int n = 0; n < 1000; n++) {
                journal.append(List.of(stored(n)), Runnable::run, () -> said.add("durable"));
            }
            for (int n = 0; n < 1000; n++) {
                assertEquals("durable", said());
            }
            assertTrue(journal.stats().commits() - before <= 3, () -> journal.stats()
                    .toString());
            assertTrue(journal.stats().lastSyncNanos() >= 100_000_000);
            journal.close(Duration.ofSeconds(10));
        }

        @Test
        void whatNobodyWaitsForCostsNoCommitOfItsOwnWhileMessagesComeOneByOne() {
            H2Journal journal = open(H2Journal.Options.in(directory));
            append(journal, List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of())));
            long before = journal.stats().commits();
            for (int n = 1; n <= 100; n++) {
                append(journal, List.of(stored(n)));
                journal.append(List.of(removed(n)));
                LockSupport.parkNanos(100_000);
            }
            // One that lingers longer than it may, because this thread was held up, has a commit of its own.
            assertTrue(journal.stats().commits() - before < 150, () -> journal.stats()
                    .toString());
            journal.close(Duration.ofSeconds(10));
        }

        @Test
        void whatNobodyWaitsForIsWrittenSoonThoughNothingFollows() {
            H2Journal journal = open(H2Journal.Options.in(directory));
            append(journal, List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of()), stored(1)));
            for (int n = 2; n <= 3; n++) {
                long before = journal.stats().commits();
                journal.append(List.of(removed(n - 1)));
                awaitThat(() -> journal.stats().commits() > before);
                append(journal, List.of(stored(n)));
            }
            journal.close(Duration.ofSeconds(10));
        }

        @Test
        void whatNobodyWaitsForIsWrittenWhenTheStoreCloses() {
            H2Journal journal = open(H2Journal.Options.in(directory));
            append(journal, List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of()), stored(1)));
            journal.append(List.of(removed(1)));
            journal.close(Duration.ofSeconds(10));

            H2Journal again = open(H2Journal.Options.in(directory));
            assertEquals(0, again.recover().get(0).messages());
            again.close(Duration.ofSeconds(10));
        }

        @Test
        void messagesThatLeaveAtOnceAreNeverWritten() {
            H2Journal journal = open(H2Journal.Options.in(directory));
            append(journal, List.of(new NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of()), stored(0)));
            long commits = journal.stats().commits();
            for (int n = 1; n < 50; n++) {
                assertEquals("durable", append(journal, List.of(stored(n), removed(n))));
            }
            assertEquals(commits, journal.stats().commits());
            assertEquals(98, journal.stats().cancelled());
            journal.close(Duration.ofSeconds(10));
        }
    }
}
