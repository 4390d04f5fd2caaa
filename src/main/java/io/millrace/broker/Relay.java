package io.millrace.broker;

import io.millrace.loop.Loop;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Carries calls from one loop to another, all calls of a turn in one task, in order. Owned by the loop it starts from.
 */
final class Relay {
    private final Loop from;
    private final Loop to;
    private List<Runnable> calls = new ArrayList<>();

    Relay(Loop from, Loop to) {
        this.from = from;
        this.to = to;
    }

    /** The loop where the calls arrive. */
    Loop to() {
        return to;
    }

    void send(Runnable call) {
        if (calls.isEmpty()) {
            from.post(this::flush);
        }
        calls.add(call);
    }

    private void flush() {
        List<Runnable> batch = calls;
        calls = new ArrayList<>(batch.size());
        to.post(() -> run(batch));
    }

    /** A call that fails belongs to one queue or link; the others of its batch are not lost with it, nor put out of order. */
    private static void run(List<Runnable> batch) {
        Optional<RuntimeException> failure = Optional.empty();
        for (Runnable call : batch) {
            try {
                call.run();
            } catch (RuntimeException e) {
                failure.ifPresent(e::addSuppressed);
                failure = Optional.of(e);
            }
        }
        if (failure.isPresent()) {
            throw failure.get();
        }
    }
}
