package io.millrace.journal.h2;

import io.millrace.journal.Fact;
import io.millrace.journal.Fact.MessageRemoved;
import io.millrace.journal.Fact.MessageStored;
import io.millrace.journal.Fact.NodeDeclared;
import io.millrace.journal.MessageKey;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.h2.store.fs.FileUtils;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the store costs for a message of 1 KiB that comes as one of 1000 leaves, by the size of the group that is committed: on
 * the disk, with a sync, and in a file system in memory, which has nothing to sync.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class StoreBenchmark {
    private static final int SIZE = 1024;
    private static final int DEPTH = 1024;
    private static final int SMALL = 64;
    private static final int LARGE = 512;

    /** Whether it is on the disk. */
    @Param({"true", "false"})
    public boolean sync;

    private final byte[] bytes = new byte[SIZE];
    private Path directory;
    private H2Journal journal;
    private FileChannel raw;
    private long next;

    /** Opens a store with some messages. */
    @Setup(Level.Trial)
    public void open() throws IOException {
        directory = Files.createTempDirectory(Path.of(System.getProperty("java.io.tmpdir")), "millrace-bench");
        H2Journal.Options options = H2Journal.Options.in(directory).on(sync ? "" : "memFS:", Duration.ZERO);
        if (!sync) {
            FileUtils.createDirectories("memFS:" + directory);
        }
        raw = FileChannel.open(directory.resolve("raw"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        journal = H2Journal.open(options, failure -> {
            throw failure;
        });
        await(List.of(new NodeDeclared(1, "bench", Fact.NodeKind.QUEUE, Map.of())));
        List<Fact> backlog = new ArrayList<>();
        for (; next < DEPTH; next++) {
            backlog.add(stored(next));
        }
        await(backlog);
    }

    /** Closes and deletes it. */
    @TearDown(Level.Trial)
    public void close() throws IOException {
        journal.close(Duration.ofSeconds(10));
        raw.close();
        try (var files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }

    /** A commit for each 64 messages. */
    @Benchmark
    @OperationsPerInvocation(SMALL)
    public void group64() {
        storeAndRemove(SMALL);
    }

    /** A commit for each 512 messages. */
    @Benchmark
    @OperationsPerInvocation(LARGE)
    public void group512() {
        storeAndRemove(LARGE);
    }

    /** A sender that waits for each answer: a commit for every message. */
    @Benchmark
    public void oneAtATime() {
        storeAndRemove(1);
    }

    /** What the disk gives, to compare with one at a time: a block appended and synced. */
    @Benchmark
    public void rawAppendAndSync() throws IOException {
        raw.write(ByteBuffer.allocate(4096), raw.size());
        raw.force(false);
    }

    private void storeAndRemove(int group) {
        List<Fact> batch = new ArrayList<>(2 * group);
        for (int i = 0; i < group; i++) {
            batch.add(stored(next));
            batch.add(new MessageRemoved(new MessageKey(1, 0, next - DEPTH), true, SIZE));
            next++;
        }
        await(batch);
    }

    private MessageStored stored(long sequence) {
        return new MessageStored(new MessageKey(1, 0, sequence), true, sequence, 0, bytes, Fact.Details.NONE);
    }

    private void await(List<Fact> batch) {
        CountDownLatch durable = new CountDownLatch(1);
        journal.append(batch, Runnable::run, durable::countDown);
        try {
            durable.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
