package io.millrace.main;

import io.millrace.journal.Journal;
import io.millrace.loop.Loop;
import java.time.Duration;
import java.util.List;

/**
 * Lets the peer of a connection have its answers before it is told that the broker stops. One that is told so first sends again
 * what is on disk already, and takes for rolled back what was committed.
 *
 * <p>Immutable; on any loop.
 */
final class LastAnswers {
    /** If the disk takes longer, the peer is told all the same, and does not know what became of its messages. */
    static final Duration LIMIT = Duration.ofSeconds(2);

    /**
     * A link asks a queue of another loop, a transaction the branches of all loops, and each gathers calls for a turn: three times
     * there and back is enough for both.
     */
    private static final int ROUNDS = 3;

    private final Journal journal;
    private final List<? extends Loop> loops;

    LastAnswers(Journal journal, List<? extends Loop> loops) {
        this.journal = journal;
        this.loops = List.copyOf(loops);
    }

    /** Runs {@code task} on {@code loop}, once: when all that was taken there until now is answered, or when it is too late. */
    void then(Loop loop, Runnable task) {
        Once once = new Once(task);
        once.timer = loop.after(LIMIT.toMillis(), once);
        tour(
                loop,
                ROUNDS * loops.size(),
                () -> journal.append(List.of(), loop, () -> tour(loop, ROUNDS * loops.size(), once)));
    }

    /** Goes to the end of the line of each loop, and home at last. */
    private void tour(Loop home, int hops, Runnable arrived) {
        if (hops == 0) {
            home.post(arrived);
        } else {
            loops.get(hops % loops.size()).post(() -> tour(home, hops - 1, arrived));
        }
    }

    /** Owned by the loop it runs on. */
    private static final class Once implements Runnable {
        private final Runnable task;
        private Loop.Timer timer = () -> {};
        private boolean ran;

        Once(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            if (!ran) {
                ran = true;
                timer.cancel();
                task.run();
            }
        }
    }
}
