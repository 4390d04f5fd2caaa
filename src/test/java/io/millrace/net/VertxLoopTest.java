package io.millrace.net;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.loop.Loop;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class VertxLoopTest {
    private static Vertx vertx;
    private static List<VertxLoop> loops;

    @BeforeAll
    static void start() {
        vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(2));
        loops = VertxLoop.on(vertx, 2);
    }

    @AfterAll
    static void stop() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(10, TimeUnit.SECONDS);
    }

    @Test
    void tasksRunInTheOrderInWhichTheyWerePosted() throws Exception {
        VertxLoop loop = loops.get(0);
        List<Integer> ran = new ArrayList<>();
        CompletableFuture<List<Integer>> all = new CompletableFuture<>();
        for (int i = 0; i < 10_000; i++) {
            int number = i;
            loop.post(() -> ran.add(number));
        }
        loop.post(() -> all.complete(ran));
        assertEquals(IntStream.range(0, 10_000).boxed().toList(), get(all));
    }

    @Test
    void aTaskPostedOnTheLoopWaitsForTheOneThatPostsIt() throws Exception {
        VertxLoop loop = loops.get(0);
        CompletableFuture<List<String>> all = new CompletableFuture<>();
        loop.post(() -> {
            List<String> ran = new ArrayList<>();
            loop.post(() -> {
                ran.add("second");
                all.complete(ran);
            });
            ran.add("first");
        });
        assertEquals(List.of("first", "second"), get(all));
    }

    @Test
    void eachLoopIsAThreadOfItsOwnAndKnowsIt() throws Exception {
        CompletableFuture<Thread> first = new CompletableFuture<>();
        CompletableFuture<Thread> second = new CompletableFuture<>();
        CompletableFuture<List<Boolean>> current = new CompletableFuture<>();
        loops.get(0).post(() -> {
            current.complete(List.of(loops.get(0).isCurrent(), loops.get(1).isCurrent()));
            first.complete(Thread.currentThread());
        });
        loops.get(1).post(() -> second.complete(Thread.currentThread()));
        assertNotSame(get(first), get(second));
        assertEquals(List.of(true, false), get(current));
        assertFalse(loops.get(0).isCurrent());
    }

    @Test
    void timersRunOnTheLoopWhenTheyAreDueAndNotBefore() throws Exception {
        VertxLoop loop = loops.get(0);
        CompletableFuture<Long> late = new CompletableFuture<>();
        CompletableFuture<List<String>> order = new CompletableFuture<>();
        loop.post(() -> {
            long begun = System.nanoTime();
            List<String> ran = new ArrayList<>();
            loop.after(60, () -> {
                ran.add(loop.isCurrent() ? "long" : "elsewhere");
                late.complete(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begun));
                order.complete(ran);
            });
            loop.after(0, () -> ran.add("short"));
        });
        assertEquals(List.of("short", "long"), get(order));
        assertTrue(get(late) >= 59, () -> "ran after " + late.join() + " ms");
    }

    @Test
    void aCancelledTimerDoesNotRun() throws Exception {
        VertxLoop loop = loops.get(0);
        CompletableFuture<List<String>> order = new CompletableFuture<>();
        loop.post(() -> {
            List<String> ran = new ArrayList<>();
            Loop.Timer timer = loop.after(5, () -> ran.add("cancelled"));
            loop.after(40, () -> order.complete(ran));
            timer.cancel();
        });
        assertEquals(List.of(), get(order));
    }

    @Test
    void aTaskThatFailsIsCountedAndTheLoopGoesOn() throws Exception {
        VertxLoop loop = loops.get(1);
        CompletableFuture<Long> failures = new CompletableFuture<>();
        long before = loop.failures();
        loop.post(() -> {
            throw new AssertionError("thrown by a test");
        });
        loop.after(1, () -> {
            throw new IllegalStateException("thrown by a test");
        });
        loop.after(20, () -> failures.complete(loop.failures()));
        assertEquals(before + 2, get(failures));
    }
}
