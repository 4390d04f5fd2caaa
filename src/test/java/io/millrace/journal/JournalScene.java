package io.millrace.journal;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.Fact.Details;
import io.millrace.journal.Fact.MessageRemoved;
import io.millrace.journal.Fact.MessageStored;
import io.millrace.journal.Fact.NodeDeclared;
import io.millrace.journal.Fact.NodeKind;
import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.journal.MessageReader.ExpiredRun;
import io.millrace.journal.MessageReader.ExpiryMark;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;

/** A journal with two queues, and short ways to use it. */
public abstract class JournalScene {
    protected static final long ORDERS = 1;
    protected static final long DEAD = 2;

    /** Tasks for the thread of the test. */
    protected final Line line = new Line();

    protected Journal journal;

    /** A journal on what the one before has left, or on nothing. */
    protected abstract Journal open();

    /** Lets what was appended become durable, for journals that must be told to. */
    protected abstract void settle();

    /** Takes the power away from {@link #journal}. */
    protected abstract void crash();

    /** An executor whose tasks run when the test waits for something. */
    public static final class Line implements Executor {
        private final BlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();

        @Override
        public void execute(Runnable task) {
            tasks.add(task);
        }

        /** Runs tasks until the condition holds. */
        public void until(BooleanSupplier condition) {
            while (!condition.getAsBoolean()) {
                try {
                    Runnable task = tasks.poll(10, TimeUnit.SECONDS);
                    assertTrue(task != null, "nothing came within 10 seconds");
                    task.run();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
        }

        int tasks() {
            return tasks.size();
        }
    }

    @BeforeEach
    void openWithTwoQueues() {
        journal = open();
        append(
                new NodeDeclared(ORDERS, "orders", NodeKind.QUEUE, Map.of()),
                new NodeDeclared(DEAD, "orders.dlq", NodeKind.DEAD_LETTER_QUEUE, Map.of()));
    }

    protected final void append(Fact... facts) {
        boolean[] durable = new boolean[1];
        journal.append(List.of(facts), line, () -> durable[0] = true);
        settle();
        line.until(() -> durable[0]);
    }

    protected final void reopen() {
        journal.close(Duration.ofSeconds(10));
        journal = open();
    }

    protected final void crashAndReopen() {
        crash();
        journal = open();
    }

    /** Of the first lane. */
    protected final List<StoredMessage> read(long queue, long after, int maxMessages, long maxBytes) {
        return read(new MessageKey(queue, 0, after), maxMessages, maxBytes);
    }

    protected final List<StoredMessage> read(MessageKey after, int maxMessages, long maxBytes) {
        List<List<StoredMessage>> found = new ArrayList<>();
        journal.reader().read(after, maxMessages, maxBytes, line, found::add);
        line.until(() -> !found.isEmpty());
        return found.get(0);
    }

    protected final List<Long> sequences(long queue) {
        return sequences(queue, 0);
    }

    protected final List<Long> sequences(long queue, int lane) {
        return read(new MessageKey(queue, lane, -1), 1000, Long.MAX_VALUE).stream()
                .map(message -> message.key().sequence())
                .toList();
    }

    protected static MessageStored stored(long queue, long sequence, int size) {
        return stored(new MessageKey(queue, 0, sequence), true, size);
    }

    protected static MessageStored stored(MessageKey key, boolean durable, int size) {
        byte[] bytes = new byte[size];
        new Random(key.sequence()).nextBytes(bytes);
        return new MessageStored(key, durable, 1_700_000_000_000L + key.sequence(), 3, bytes, Details.NONE);
    }

    protected static MessageStored with(MessageStored s, Details details) {
        return new MessageStored(s.key(), s.durable(), s.arrivalMillis(), s.format(), s.bytes(), details);
    }

    protected final ExpiredRun expired(ExpiryMark after, long untilMillis, int maxMessages) {
        List<ExpiredRun> found = new ArrayList<>();
        journal.reader().readExpired(after, untilMillis, maxMessages, line, found::add);
        line.until(() -> !found.isEmpty());
        return found.get(0);
    }

    protected final Optional<byte[]> part(long body, int part) {
        List<Optional<byte[]>> found = new ArrayList<>();
        journal.reader().readPart(body, part, line, found::add);
        line.until(() -> !found.isEmpty());
        return found.get(0);
    }

    protected static MessageRemoved removed(MessageStored message) {
        return new MessageRemoved(message.key(), message.durable(), message.bytes().length);
    }

    protected final RecoveredNode recovered(long queue) {
        return journal.recover().stream()
                .filter(q -> q.declared().number() == queue)
                .findFirst()
                .orElseThrow();
    }
}
