package io.millrace.queue;

import io.millrace.config.QueueSettings;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * The two sides of a queue by themselves, with durable messages and a journal that answers at once. Each run is long enough
 * that making a queue for it does not count; what {@link #dispatch} allocates has the arrival of its messages in it.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(1)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
public class QueueStagesBenchmark {
    private static final int RUN = 8192;
    private static final int READ = 64;

    /** A queue without messages. */
    @State(Scope.Thread)
    public static class Empty {
        final Message message = Messages.message("m", true, 1024);
        final QueueBenchmark.Taker taker = new QueueBenchmark.Taker();
        QueueBenchmark.Line loop;
        Queue queue;
        long answers;

        /** Makes it anew. */
        @Setup(Level.Invocation)
        public void open() {
            loop = new QueueBenchmark.Line();
            Recorder recorder = new Recorder(loop, new QueueBenchmark.Answering(), 1 << 24);
            LoopResources resources = new LoopResources(loop, recorder, new MemoryBudget(loop, 1 << 28));
            queue = new Queue(
                    new QueueIdentity(1, "orders", true),
                    QueueSettings.DEFAULT,
                    resources,
                    DeadLetterRoute.NONE,
                    Backlog.NONE);
            taker.taken.clear();
        }

        long offer() {
            for (int i = 1; i <= RUN; i++) {
                queue.offer(message, outcome -> answers++);
                if (i % READ == 0) {
                    loop.run();
                }
            }
            return answers;
        }
    }

    /** A queue with messages and a consumer without credit. */
    @State(Scope.Thread)
    public static class Filled extends Empty {
        @Override
        @Setup(Level.Invocation)
        public void open() {
            super.open();
            offer();
            queue.attach(taker, Selection.CONSUME);
        }
    }

    /** Messages come, 64 in a turn of the loop, are admitted, get their places, and are answered. */
    @Benchmark
    @OperationsPerInvocation(RUN)
    public long admit(Empty scene) {
        return scene.offer();
    }

    /** A consumer gives credit for 64 messages, gets them, accepts them, and so on. */
    @Benchmark
    @OperationsPerInvocation(RUN)
    public long dispatch(Filled scene) {
        for (int limit = READ; limit <= RUN; limit += READ) {
            scene.queue.credit(scene.taker, limit, false);
            scene.loop.run();
            for (Delivery delivery : scene.taker.taken) {
                scene.queue.settle(scene.taker, delivery, Outcome.ACCEPTED, Receipt.NONE);
            }
            scene.taker.taken.clear();
            scene.loop.run();
        }
        if (scene.queue.stats().messages() != 0) {
            throw new IllegalStateException("not all came out");
        }
        return scene.answers;
    }
}
