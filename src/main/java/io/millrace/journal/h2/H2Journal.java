package io.millrace.journal.h2;

import io.millrace.journal.Fact;
import io.millrace.journal.Journal;
import io.millrace.journal.JournalException;
import io.millrace.journal.MessageReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The journal on H2: what loops call. The work is done by {@link JournalThread} and {@link ReaderThread}.
 *
 * <p>Any thread may call it. See the package description for how it works and why.
 */
public final class H2Journal implements Journal {
    private final List<RecoveredNode> nodes;
    private final Handover handover;
    private final JournalThread writer;
    private final ReaderThread reader;
    private final AtomicLong nextBody;

    /**
     * Where and how.
     *
     * @param directory of the store; made when it is not there
     * @param fileName of the store in it
     * @param cacheBytes memory for pages of the store, at least 1 MiB
     * @param maxBytes no message is stored when the store holds more than this; empty for no limit
     * @param minFreeBytes no message is stored when the file system has less than this free
     * @param logBytes size of the log of small commits; with less than a sector there is none
     * @param reserveBytes of disk set aside so that a full disk can be drained
     * @param compactAboveBytes a file smaller than this is never made smaller
     * @param rest how long nobody asks for anything before space is given back
     * @param scheme prefix of H2's file system, for tests; empty for the real one
     * @param syncDelay how much longer each sync takes, for tests
     */
    public record Options(
            Path directory,
            String fileName,
            long cacheBytes,
            Optional<Long> maxBytes,
            long minFreeBytes,
            int logBytes,
            long reserveBytes,
            long compactAboveBytes,
            Duration rest,
            String scheme,
            Duration syncDelay) {

        /** The usual ones. */
        public static Options in(Path directory) {
            return new Options(
                    directory,
                    "millrace.mv",
                    Math.min(8L << 20, Math.max(1 << 20, Runtime.getRuntime().maxMemory() / 16)),
                    Optional.empty(),
                    64L << 20,
                    4 << 20,
                    16L << 20,
                    16L << 20,
                    Duration.ofMillis(100),
                    "",
                    Duration.ZERO);
        }

        /** With limits. */
        public Options withLimits(Optional<Long> newMaxBytes, long newMinFreeBytes) {
            return new Options(
                    directory,
                    fileName,
                    cacheBytes,
                    newMaxBytes,
                    newMinFreeBytes,
                    logBytes,
                    reserveBytes,
                    compactAboveBytes,
                    rest,
                    scheme,
                    syncDelay);
        }

        /** With another cache. */
        public Options withCache(long newCacheBytes) {
            return new Options(
                    directory,
                    fileName,
                    newCacheBytes,
                    maxBytes,
                    minFreeBytes,
                    logBytes,
                    reserveBytes,
                    compactAboveBytes,
                    rest,
                    scheme,
                    syncDelay);
        }

        /** With another log. */
        public Options withLog(int newLogBytes) {
            return new Options(
                    directory,
                    fileName,
                    cacheBytes,
                    maxBytes,
                    minFreeBytes,
                    newLogBytes,
                    reserveBytes,
                    compactAboveBytes,
                    rest,
                    scheme,
                    syncDelay);
        }

        /** With another reserve. */
        public Options withReserve(long newReserveBytes) {
            return new Options(
                    directory,
                    fileName,
                    cacheBytes,
                    maxBytes,
                    minFreeBytes,
                    logBytes,
                    newReserveBytes,
                    compactAboveBytes,
                    rest,
                    scheme,
                    syncDelay);
        }

        /** More or less eager to give space back. */
        public Options withCompaction(long newCompactAboveBytes, Duration newRest) {
            return new Options(
                    directory,
                    fileName,
                    cacheBytes,
                    maxBytes,
                    minFreeBytes,
                    logBytes,
                    reserveBytes,
                    newCompactAboveBytes,
                    newRest,
                    scheme,
                    syncDelay);
        }

        /** On another of H2's file systems, with syncs that take longer. */
        public Options on(String newScheme, Duration newSyncDelay) {
            return new Options(
                    directory,
                    fileName,
                    cacheBytes,
                    maxBytes,
                    minFreeBytes,
                    logBytes,
                    reserveBytes,
                    compactAboveBytes,
                    rest,
                    newScheme,
                    newSyncDelay);
        }

        String path(String name) {
            return scheme + directory.resolve(name);
        }
    }

    private H2Journal(Options options, Consumer<JournalException> onFailure) {
        Space space = new Space(options);
        OpenStore open = OpenStore.open(options, space);
        nodes = open.nodes();
        nextBody = new AtomicLong(open.tables().shared.reserved());
        handover = new Handover();
        Failure failure = new Failure(handover, onFailure);
        reader = new ReaderThread(open, failure);
        writer = new JournalThread(options, open, handover, failure, space);
        reader.start();
        writer.start();
    }

    /**
     * Opens the store, or makes it.
     *
     * @param onFailure told once, on a thread of the journal, when the store fails later on
     * @throws JournalException when the store cannot be opened: the message says why and what to do
     */
    public static H2Journal open(Options options, Consumer<JournalException> onFailure) {
        return new H2Journal(options, onFailure);
    }

    @Override
    public List<RecoveredNode> recover() {
        return nodes;
    }

    @Override
    public void append(List<Fact> batch, Executor loop, Runnable durable) {
        handover.put(new Batch(batch, loop, durable));
    }

    @Override
    public void append(List<Fact> batch) {
        handover.put(Batch.unawaited(batch));
    }

    @Override
    public MessageReader reader() {
        return reader;
    }

    @Override
    public long newBody() {
        return nextBody.getAndIncrement();
    }

    @Override
    public Room room() {
        return writer.room();
    }

    @Override
    public void whenRoom(Executor loop, Runnable task) {
        writer.whenRoom(() -> loop.execute(task));
    }

    @Override
    public JournalStats stats() {
        return writer.stats();
    }

    @Override
    public void close(Duration limit) {
        writer.close(limit);
        reader.close();
    }
}
