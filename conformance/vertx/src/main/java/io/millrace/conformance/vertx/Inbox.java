package io.millrace.conformance.vertx;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** What a receiver got and the test has not looked at yet. Filled on an event loop, read by the test. */
final class Inbox<T> {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final Duration SILENCE = Duration.ofMillis(300);

    private final BlockingQueue<T> messages = new LinkedBlockingQueue<>();

    void add(T message) {
        messages.add(message);
    }

    /** The next one, which must come in time. */
    T next() throws InterruptedException {
        T message = messages.poll(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        if (message == null) {
            throw new AssertionError("no message came within " + LIMIT.toSeconds() + " s");
        }
        return message;
    }

    List<T> next(int count) throws InterruptedException {
        List<T> some = new ArrayList<>();
        while (some.size() < count) {
            some.add(next());
        }
        return some;
    }

    /** That nothing more comes for a while. */
    void staysEmpty(String why) throws InterruptedException {
        T message = messages.poll(SILENCE.toMillis(), TimeUnit.MILLISECONDS);
        if (message != null) {
            throw new AssertionError(why + ": came all the same: " + message);
        }
    }
}
