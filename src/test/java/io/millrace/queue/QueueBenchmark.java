package io.millrace.queue;

import io.millrace.config.QueueSettings;
import io.millrace.journal.Fact;
import io.millrace.journal.Journal;
import io.millrace.journal.MessageReader;
import io.millrace.loop.Loop;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * What the queue itself costs per message, from offer over delivery to acceptance, with a journal that answers at once: the
 * socket, the codec and the disk are not in it.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class QueueBenchmark {
    private static final int RUN = 64;

    @Param({"false", "true"})
    public boolean durable;

    private final Line loop = new Line();
    private final Taker taker = new Taker();
    private final Receipt receipt = outcome -> this.answers++;
    private Message message;
    private Queue queue;
    private long answers;

    /** For the command line. */
    public static void main(String[] args) throws RunnerException {
        new Runner(new OptionsBuilder()
                        .include(QueueBenchmark.class.getSimpleName())
                        .addProfiler("gc")
                        .build())
                .run();
    }

    @Setup
    public void open() {
        message = Messages.message("m", durable, 1024);
        Recorder recorder = new Recorder(loop, new Answering(), 1 << 24);
        LoopResources resources = new LoopResources(loop, recorder, new MemoryBudget(loop, 1 << 26));
        queue = new Queue(
                new QueueIdentity(1, "orders", true),
                QueueSettings.DEFAULT,
                resources,
                DeadLetterRoute.NONE,
                Backlog.NONE);
        queue.attach(taker, Selection.CONSUME);
        queue.credit(taker, Long.MAX_VALUE, false);
    }

    /** Runs of 64 messages, as one socket read may bring them: all offered, all delivered, then all accepted. */
    @Benchmark
    @OperationsPerInvocation(RUN)
    public long offerDeliverAccept() {
        for (int i = 0; i < RUN; i++) {
            queue.offer(message, receipt);
        }
        loop.run();
        for (Delivery delivery : taker.taken) {
            queue.settle(taker, delivery, Outcome.ACCEPTED, Receipt.NONE);
        }
        taker.taken.clear();
        loop.run();
        return answers;
    }

    static final class Taker implements Consumer {
        final List<Delivery> taken = new ArrayList<>();

        @Override
        public boolean ready() {
            return true;
        }

        @Override
        public void deliver(Delivery delivery) {
            taken.add(delivery);
        }

        @Override
        public void drained() {}

        @Override
        public void closed(Condition reason) {}
    }

    static final class Line implements Loop {
        private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();

        void run() {
            for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
                task.run();
            }
        }

        @Override
        public void post(Runnable task) {
            tasks.add(task);
        }

        @Override
        public Timer after(long delayMillis, Runnable task) {
            throw new UnsupportedOperationException("no timers here");
        }

        @Override
        public long now() {
            return 0;
        }

        @Override
        public boolean isCurrent() {
            return true;
        }
    }

    static final class Answering implements Journal {
        @Override
        public List<RecoveredNode> recover() {
            return List.of();
        }

        @Override
        public void append(List<Fact> batch, Executor loop, Runnable durable) {
            loop.execute(durable);
        }

        @Override
        public long newBody() {
            return 1;
        }

        @Override
        public MessageReader reader() {
            throw new UnsupportedOperationException("nothing is beyond memory here");
        }

        @Override
        public Room room() {
            return Room.YES;
        }

        @Override
        public void whenRoom(Executor loop, Runnable task) {
            loop.execute(task);
        }

        @Override
        public JournalStats stats() {
            return new JournalStats("none", 0, 0, 0, 0, 0, 0, 0);
        }

        @Override
        public void close(Duration limit) {}
    }
}
