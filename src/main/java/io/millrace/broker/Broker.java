package io.millrace.broker;

import io.millrace.config.Config;
import io.millrace.journal.Journal;
import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.loop.Loop;
import io.millrace.queue.LoopResources;
import io.millrace.queue.MemoryBudget;
import io.millrace.queue.QueueStats;
import io.millrace.queue.Recorder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * The broker without its sockets: loops, queues and the journal put together. Immutable once made; {@link #start} is called
 * once, {@link #nodes} and {@link #stats} on any thread after that.
 */
public final class Broker {
    private static final long MIN_PENDING_BYTES = 1 << 20;
    private static final long MAX_PENDING_BYTES = 64 << 20;

    private final Journal journal;
    private final List<Directory> directories = new ArrayList<>();
    private final AddressBook book;

    /** What is wrong with a selector of the config; empty when it is right. */
    public static Optional<String> selectorFault(String selector) {
        return Selectors.fault(selector);
    }

    /** A broker over loops and a journal that are there already. */
    public Broker(Config config, Journal journal, List<Loop> loops) {
        this.journal = journal;
        this.book = new AddressBook(config, directories);
        ContainerBook containers = new ContainerBook(loops.get(0));
        long memoryBytes = config.memoryBytes() / loops.size();
        for (int i = 0; i < loops.size(); i++) {
            Loop loop = loops.get(i);
            Recorder recorder = new Recorder(loop, journal, pendingBytes(memoryBytes));
            LoopResources resources = new LoopResources(loop, recorder, new MemoryBudget(loop, memoryBytes));
            directories.add(new Directory(i, resources, book, containers));
        }
        directories.forEach(directory -> directory.homeIs(directories.get(0)));
    }

    /** What may wait for the disk: enough for any disk to be busy, and far less than the free space that operators keep. */
    private static long pendingBytes(long memoryBytes) {
        return Math.max(MIN_PENDING_BYTES, Math.min(MAX_PENDING_BYTES, memoryBytes / 4));
    }

    /**
     * Brings the queues back. Blocks while the journal recovers.
     *
     * @return completed with the number of queues and topics when links may be let in
     */
    public CompletableFuture<Integer> start() {
        List<RecoveredNode> recovered = journal.recover();
        CompletableFuture<Integer> started = new CompletableFuture<>();
        directories.get(0).loop().post(() -> book.start(recovered, () -> started.complete(book.size())));
        return started;
    }

    /** The addresses as seen from the loop with this index, in the order given to the constructor. */
    public Nodes nodes(int loop) {
        return directories.get(loop);
    }

    /** How all queues stand; completed on one of the loops. */
    public CompletableFuture<List<QueueStats>> stats() {
        List<CompletableFuture<List<QueueStats>>> parts = new ArrayList<>();
        for (Directory directory : directories) {
            CompletableFuture<List<QueueStats>> part = new CompletableFuture<>();
            directory.stats(part::complete);
            parts.add(part);
        }
        return CompletableFuture.allOf(parts.toArray(new CompletableFuture<?>[0]))
                .thenApply(ignored -> {
                    List<QueueStats> all = new ArrayList<>();
                    parts.forEach(part -> all.addAll(part.join()));
                    return all;
                });
    }

    /** How much heap messages take, by the broker's own reckoning; completed on one of the loops. */
    public CompletableFuture<Long> memoryBytes() {
        CompletableFuture<Long> sum = CompletableFuture.completedFuture(0L);
        for (Directory directory : directories) {
            CompletableFuture<Long> part = new CompletableFuture<>();
            directory.memoryBytes(part::complete);
            sum = sum.thenCombine(part, Long::sum);
        }
        return sum;
    }
}
