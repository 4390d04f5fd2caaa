package io.millrace.net;

import io.millrace.loop.Loop;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.internal.ContextInternal;
import io.vertx.core.internal.VertxInternal;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A Vert.x event loop as a {@link Loop}. Any thread may post; nothing else here has state but the count of failures.
 *
 * <p>Tasks go straight to Netty's event loop: first in, first out, and never inside the call. A task that fails is
 * logged with its stack, and the loop goes on: what broke is one queue or connection, and the others must live.
 */
public final class VertxLoop implements Loop {
    private static final Logger LOG = LoggerFactory.getLogger(VertxLoop.class);

    private final String name;
    private final ContextInternal context;
    private final EventLoop eventLoop;
    private final OutputMemory output;
    private volatile long failures;

    private VertxLoop(String name, ContextInternal context, OutputMemory output) {
        this.name = name;
        this.output = output;
        this.context = context;
        this.eventLoop = context.nettyEventLoop();
    }

    /**
     * One loop for each event loop.
     *
     * @param count not more than the event loop pool size of {@code vertx}
     */
    public static List<VertxLoop> on(Vertx vertx, int count) {
        List<VertxLoop> loops = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            // Vert.x hands out its event loops in turn.
            loops.add(new VertxLoop(
                    "loop-" + i, ((VertxInternal) vertx).createEventLoopContext(), OutputMemory.ofOne(count)));
        }
        return loops;
    }

    /** The context of Vert.x that runs on this loop. */
    public Context context() {
        return context;
    }

    /** What waits in the sockets of this loop. */
    OutputMemory output() {
        return output;
    }

    /** For logs and metrics. */
    public String name() {
        return name;
    }

    /** How many tasks have failed with an exception that nobody caught. On any thread. */
    public long failures() {
        return failures;
    }

    @Override
    public void post(Runnable task) {
        eventLoop.execute(() -> run(task));
    }

    @Override
    public Timer after(long delayMillis, Runnable task) {
        ScheduledFuture<?> future =
                eventLoop.schedule(() -> run(task), Math.max(1, delayMillis), TimeUnit.MILLISECONDS);
        return () -> future.cancel(false);
    }

    @Override
    public long now() {
        return System.currentTimeMillis();
    }

    @Override
    public boolean isCurrent() {
        return eventLoop.inEventLoop();
    }

    private void run(Runnable task) {
        try {
            task.run();
        } catch (Throwable e) {
            failed(task.getClass().getName(), e);
        }
    }

    /** Logs what nobody caught. On the loop only, so that counting needs no lock. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // one writer: the loop
    void failed(String what, Throwable e) {
        failures++;
        LOG.error(
                "{}: {} failed and was given up; the broker goes on, but whatever it served may hang. Please report this.",
                name,
                what,
                e);
    }
}
