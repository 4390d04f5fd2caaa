package io.millrace.soak;

import java.util.Optional;
import java.util.concurrent.TimeUnit;

/** A client on a thread of its own that says what it waits for. */
final class Worker {
    /** Longer than this nobody may wait. */
    static final long BOUND_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final String name;
    private final Thread thread;
    private volatile String doing = "starting";
    private volatile long since = System.nanoTime();
    private volatile Optional<Throwable> failure = Optional.empty();

    Worker(String name, Job job) {
        this.name = name;
        thread = new Thread(
                () -> {
                    try {
                        job.run(this);
                    } catch (Exception | AssertionError e) {
                        failure = Optional.of(e);
                    }
                },
                name);
        thread.setDaemon(true);
    }

    /** What a worker does. */
    @FunctionalInterface
    interface Job {
        void run(Worker self) throws Exception;
    }

    void start() {
        since = System.nanoTime();
        thread.start();
    }

    /** Something has happened, and now it waits for this. */
    void waitsFor(String what) {
        doing = what;
        since = System.nanoTime();
    }

    long waitedNanos() {
        return System.nanoTime() - since;
    }

    /** Does nothing on purpose. */
    void rest(long millis) throws InterruptedException {
        waitsFor("its own rest");
        TimeUnit.MILLISECONDS.sleep(millis);
    }

    boolean isAlive() {
        return thread.isAlive();
    }

    /** What is wrong with it, if anything is. */
    Optional<String> complaint() {
        if (failure.isPresent()) {
            StringBuilder said =
                    new StringBuilder(name + " failed while it waited for " + doing + ": " + failure.get());
            for (StackTraceElement each : failure.get().getStackTrace()) {
                if (each.getClassName().startsWith("io.millrace")) {
                    said.append(" at ").append(each);
                }
            }
            return Optional.of(said.toString());
        }
        if (isAlive() && waitedNanos() > BOUND_NANOS) {
            long seconds = TimeUnit.NANOSECONDS.toSeconds(waitedNanos());
            return Optional.of(name + " has waited " + seconds + " s for " + doing);
        }
        return Optional.empty();
    }
}
