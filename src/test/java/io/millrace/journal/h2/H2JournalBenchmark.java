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
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** Rates of the store with messages of 1 KiB. Run with {@code org.openjdk.jmh.Main H2JournalBenchmark}. */
@State(Scope.Thread)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(1)
@Warmup(iterations = 2, time = 2)
@Measurement(iterations = 3, time = 3)
public class H2JournalBenchmark {
    private static final int SIZE = 1024;
    private static final int GROUP = 64;
    private static final int DEPTH = 1_000;

    private final byte[] bytes = new byte[SIZE];
    private Path directory;
    private H2Journal journal;
    private FileChannel raw;
    private long next;

    @Setup(Level.Trial)
    public void open() throws IOException {
        directory = Files.createTempDirectory(Path.of(System.getProperty("java.io.tmpdir")), "millrace-bench");
        journal = H2Journal.open(H2Journal.Options.in(directory), failure -> {
            throw failure;
        });
        await(List.of(new NodeDeclared(1, "bench", Fact.NodeKind.QUEUE, Map.of())));
        raw = FileChannel.open(directory.resolve("raw"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        for (; next < DEPTH; next++) {
            await(List.of(stored(next)));
        }
    }

    @TearDown(Level.Trial)
    public void close() throws IOException {
        journal.close(Duration.ofSeconds(10));
        raw.close();
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }

    /** A message is stored and one of {@link #DEPTH} earlier removed; a commit and a sync for each 64 of them. */
    @Benchmark
    @OperationsPerInvocation(GROUP)
    public void storeAndRemoveInGroupsOf64() {
        List<Fact> batch = new ArrayList<>(2 * GROUP);
        for (int i = 0; i < GROUP; i++) {
            batch.add(stored(next));
            batch.add(removed(next - DEPTH));
            next++;
        }
        await(batch);
    }

    /** A producer that waits for each answer: a commit and a sync for every message. */
    @Benchmark
    public void storeAndRemoveOneAtATime() {
        await(List.of(stored(next), removed(next - DEPTH)));
        next++;
    }

    /** What the disk gives: a block appended and synced. */
    @Benchmark
    public void rawAppendAndSync() throws IOException {
        raw.write(ByteBuffer.allocate(4096), raw.size());
        raw.force(false);
    }

    private MessageStored stored(long sequence) {
        return new MessageStored(new MessageKey(1, 0, sequence), true, sequence, 0, bytes, Fact.Details.NONE);
    }

    private static MessageRemoved removed(long sequence) {
        return new MessageRemoved(new MessageKey(1, 0, sequence), true, SIZE);
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
