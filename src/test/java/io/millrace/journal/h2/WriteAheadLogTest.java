package io.millrace.journal.h2;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.Fact;
import io.millrace.journal.Fact.Details;
import io.millrace.journal.Fact.MessageRemoved;
import io.millrace.journal.Fact.MessageStored;
import io.millrace.journal.Fact.NodeDeclared;
import io.millrace.journal.Fact.NodeKind;
import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.journal.JournalException;
import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Small commits and their log. A broker that is killed is here one whose files are copied while it runs. */
class WriteAheadLogTest {
    private static final int LARGE = WriteAheadLog.MOST_BYTES;

    @TempDir
    private Path home;

    private H2Journal journal;

    @BeforeEach
    void open() {
        journal = open(neverResting("store"));
        append(new NodeDeclared(1, "orders", NodeKind.QUEUE, Map.of()));
        // The first message of a queue sets sequences aside, which takes a commit.
        append(stored(0, 10));
    }

    @AfterEach
    void close() {
        journal.close(Duration.ofSeconds(10));
    }

    private H2Journal.Options neverResting(String name) {
        return H2Journal.Options.in(home.resolve(name))
                .withReserve(0)
                .withCompaction(Long.MAX_VALUE, Duration.ofDays(1));
    }

    private static H2Journal open(H2Journal.Options options) {
        return H2Journal.open(options, failure -> {
            throw failure;
        });
    }

    private static MessageStored stored(long sequence, int bytes) {
        return new MessageStored(
                new MessageKey(1, 0, sequence), true, sequence, 0, content(sequence, bytes), Details.NONE);
    }

    private static byte[] content(long sequence, int bytes) {
        byte[] content = new byte[bytes];
        new Random(sequence).nextBytes(content);
        return content;
    }

    private void append(Fact... facts) {
        CompletableFuture<String> durable = new CompletableFuture<>();
        journal.append(List.of(facts), Runnable::run, () -> durable.complete("durable"));
        assertEquals("durable", durable.orTimeout(20, TimeUnit.SECONDS).join());
    }

    private byte[] file(String store, String name) {
        try {
            return Files.readAllBytes(home.resolve(store).resolve(name));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The files as they are now, in a directory of this name. */
    private void copy(String name, String... files) throws IOException {
        Path to = Files.createDirectories(home.resolve(name));
        for (String file : files) {
            Files.write(to.resolve(file), file("store", file));
        }
    }

    private void kill(String name) throws IOException {
        copy(name, "millrace.mv", "millrace.wal");
    }

    /** How many messages a store of this name has when it is opened, each of them as it was. */
    private long found(String name) {
        H2Journal again = open(neverResting(name));
        try {
            RecoveredNode orders = again.recover().get(0);
            CompletableFuture<List<StoredMessage>> read = new CompletableFuture<>();
            again.reader().read(new MessageKey(1, 0, 0), 10_000, 1 << 30, Runnable::run, read::complete);
            for (StoredMessage message : read.orTimeout(20, TimeUnit.SECONDS).join()) {
                assertArrayEquals(content(message.key().sequence(), message.bytes().length), message.bytes());
            }
            return orders.messages();
        } finally {
            again.close(Duration.ofSeconds(10));
        }
    }

    private String refusal(String name) {
        return assertThrows(JournalException.class, () -> found(name)).getMessage();
    }

    private static void awaitThat(BooleanSupplier condition) {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < deadline, "it did not come about in 20 seconds");
            LockSupport.parkNanos(5_000_000);
        }
    }

    @Nested
    class ASmallCommit {
        @Test
        void isInTheLogAloneAndARestartHasIt() throws IOException {
            byte[] before = file("store", "millrace.mv");
            append(stored(1, 1000), stored(2, 1000));
            append(stored(3, 1000));
            append(new MessageRemoved(new MessageKey(1, 0, 2), true, 1000));
            assertArrayEquals(before, file("store", "millrace.mv"));
            kill("killed");
            assertEquals(3, found("killed"));
            assertEquals(3, found("killed"), "and once more");
        }

        @Test
        void isInTheStoreAfterALargeOne() throws IOException {
            append(stored(1, 1000));
            append(stored(2, LARGE));
            kill("killed");
            byte[] log = file("killed", "millrace.wal");
            Arrays.fill(log, WriteAheadLog.SECTOR, log.length, (byte) 0);
            Files.write(home.resolve("killed/millrace.wal"), log);
            assertEquals(3, found("killed"));
        }

        @Test
        void isInTheStoreWhenNothingCameForAWhile() throws IOException {
            journal.close(Duration.ofSeconds(10));
            journal = open(neverResting("store").withCompaction(Long.MAX_VALUE, Duration.ofMillis(10)));
            awaitThat(() -> journal.stats().pending() == 0);
            byte[] before = file("store", "millrace.mv");
            append(stored(1, 1000));
            awaitThat(() -> !Arrays.equals(before, file("store", "millrace.mv")));
        }

        @Test
        void thatUndoesItsDurablePartLeavesNoGap() throws IOException {
            MessageStored passing =
                    new MessageStored(new MessageKey(1, 0, 3), false, 3, 0, content(3, 1000), Details.NONE);
            append(stored(1, 1000));
            append(stored(2, 1000), new MessageRemoved(new MessageKey(1, 0, 2), true, 1000), passing);
            append(stored(4, 1000));
            kill("killed");
            assertEquals(3, found("killed"));
        }

        @Test
        void isOneWriteAndOneSync() {
            PowerDisk disk = new PowerDisk();
            journal.close(Duration.ofSeconds(10));
            journal = open(H2Journal.Options.in(disk.directory())
                    .on(PowerDisk.SCHEME, Duration.ZERO)
                    .withReserve(0)
                    .withCompaction(Long.MAX_VALUE, Duration.ofDays(1)));
            append(new NodeDeclared(1, "orders", NodeKind.QUEUE, Map.of()));
            append(stored(0, 10));
            long before = disk.steps();
            append(stored(1, 1000), stored(2, 1000));
            assertEquals(2, disk.steps() - before);
        }
    }

    @Nested
    class ALogThatIsFull {
        @Test
        void beginsAnewWhenTheStoreHasAllOfIt() throws IOException {
            int size = 4 << 20;
            int bytes = WriteAheadLog.MOST_BYTES / 2;
            int messages = 3 * size / bytes;
            for (int n = 1; n <= messages; n++) {
                append(stored(n, bytes));
            }
            byte[] log = file("store", "millrace.wal");
            assertEquals(size, log.length);
            long first = ByteBuffer.wrap(log).getLong(WriteAheadLog.SECTOR + 8);
            assertTrue(first > 1, "record " + first + " is the first in the file");
            kill("killed");
            assertEquals(messages + 1, found("killed"));
        }
    }

    @Nested
    class AStoreThatWasNotClosed {
        @Test
        void isRefusedWithoutItsLog() throws IOException {
            append(stored(1, 1000));
            copy("killed", "millrace.mv");
            assertEquals(
                    "the store in " + home.resolve("killed")
                            + " needs its log millrace.wal, which is missing: restore both files from one backup, or"
                            + " move both away to start with an empty store",
                    refusal("killed"));
            assertFalse(Files.exists(home.resolve("killed/millrace.wal")), "a log that would pass for the right one");
        }

        @Test
        void isRefusedWithTheLogOfAnother() throws IOException {
            H2Journal other = open(neverResting("other"));
            append(stored(1, 1000));
            copy("killed", "millrace.mv");
            Files.write(home.resolve("killed/millrace.wal"), file("other", "millrace.wal"));
            other.close(Duration.ofSeconds(10));
            assertTrue(
                    refusal("killed").contains("its log millrace.wal, which is not whole, or not that of this store"));
        }

        @Test
        void isRefusedWithALogThatWasWrittenAfterCommitsItLacks() throws IOException {
            copy("killed", "millrace.mv");
            append(stored(1, LARGE));
            append(stored(2, 1000));
            copy("killed", "millrace.wal");
            assertTrue(refusal("killed").contains("was written after commits that the store lacks"));
        }

        @Test
        void isRefusedWithALogThatWasCutOff() throws IOException {
            append(stored(1, 1000));
            kill("killed");
            byte[] log = Arrays.copyOf(file("killed", "millrace.wal"), WriteAheadLog.SECTOR);
            Files.write(home.resolve("killed/millrace.wal"), log);
            assertTrue(refusal("killed").contains("its log millrace.wal, which is not whole"));
        }

        @Test
        void isRefusedWithoutItsLogAlsoIfItWasOpenedOnlyForWhatTheLogHas() throws IOException {
            journal.close(Duration.ofSeconds(10));
            journal = open(neverResting("store"));
            MessageKey due = new MessageKey(1, MessageKey.SCHEDULED, 1L << MessageKey.DUE_SHIFT);
            append(new MessageStored(due, true, 1, 0, content(1, 1000), Details.NONE));
            append(new MessageRemoved(new MessageKey(1, 0, 0), true, 10));
            copy("killed", "millrace.mv");
            assertTrue(refusal("killed").contains("its log millrace.wal, which is missing"));
        }

        @Test
        void isRefusedWithALogThatBeginsLater() throws IOException {
            copy("killed", "millrace.mv");
            append(stored(1, 1000));
            append(stored(2, LARGE));
            append(stored(3, 1000));
            copy("killed", "millrace.wal");
            assertTrue(refusal("killed").contains("its log millrace.wal, which begins later than the store ends"));
        }

        @Test
        void isRefusedWhenItsLogHasDamageBeforeTheLastRecord() throws IOException {
            for (int n = 1; n <= 20; n++) {
                append(stored(n, 5000));
            }
            kill("killed");
            byte[] log = file("killed", "millrace.wal");
            byte[] store = file("killed", "millrace.mv");
            int record = 2 * WriteAheadLog.SECTOR;
            Random random = new Random(3);
            int refused = 0;
            for (int i = 0; i < 100; i++) {
                int at = WriteAheadLog.SECTOR + random.nextInt(20 * record);
                byte[] damaged = log.clone();
                damaged[at] ^= 0x10;
                Files.write(home.resolve("killed/millrace.wal"), damaged);
                Files.write(home.resolve("killed/millrace.mv"), store);
                boolean last = at >= WriteAheadLog.SECTOR + 19 * record;
                try {
                    long found = found("killed");
                    assertTrue(found == 21 || (last && found == 20), found + " with byte " + at + " changed");
                } catch (JournalException e) {
                    assertTrue(e.getMessage().contains("has damage in the middle"), e::getMessage);
                    refused++;
                }
            }
            assertTrue(refused > 40, refused + " of 100");
        }
    }

    @Nested
    class AStoreThatWasClosed {
        @Test
        void movesTheLogOfAnotherOutOfItsWay() throws IOException {
            append(stored(1, 1000));
            copy("other", "millrace.wal");
            byte[] log = file("other", "millrace.wal");
            open(neverResting("other")).close(Duration.ofSeconds(10));
            assertArrayEquals(log, file("other", "millrace.wal.old"));
            assertFalse(Arrays.equals(log, file("other", "millrace.wal")));
        }

        @Test
        void needsNoLogAndGetsANewOne() throws IOException {
            append(stored(1, 1000));
            journal.close(Duration.ofSeconds(10));
            copy("moved", "millrace.mv");
            assertEquals(2, found("moved"));
            assertEquals(4 << 20, file("moved", "millrace.wal").length);
            assertNotEquals(0, file("moved", "millrace.wal")[0]);
        }
    }
}
