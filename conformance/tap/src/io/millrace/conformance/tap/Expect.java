package io.millrace.conformance.tap;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;

/** What a test expects. */
public final class Expect {
    private static final Duration PAUSE = Duration.ofMillis(10);

    private Expect() {}

    /** That something holds; if not, the test fails with what was expected. */
    public static void that(boolean holds, String what) {
        if (!holds) {
            throw new AssertionError("expected: " + what);
        }
    }

    public static void equal(Object expected, Object actual, String what) {
        if (!Objects.equals(expected, actual)) {
            throw new AssertionError(what + ": expected " + expected + ", was " + actual);
        }
    }

    /** That something throws. Returns what it threw, for a closer look. */
    public static <E extends Throwable> E failure(Class<E> type, String what, Tap.Body body) {
        try {
            body.run();
        } catch (Throwable e) {
            if (type.isInstance(e)) {
                return type.cast(e);
            }
            if (e instanceof Tap.Skipped) {
                throw (Tap.Skipped) e;
            }
            throw new AssertionError(what + ": expected " + type.getSimpleName() + ", was " + e, e);
        }
        throw new AssertionError(what + ": expected " + type.getSimpleName() + ", but nothing was thrown");
    }

    /** That something comes to hold within a time. */
    public static void within(Duration time, String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + time.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("expected within " + time.toSeconds() + " s: " + what);
            }
            Thread.sleep(PAUSE.toMillis());
        }
    }
}
