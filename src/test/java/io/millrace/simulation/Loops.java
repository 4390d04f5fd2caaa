package io.millrace.simulation;

import io.millrace.loop.Loop;
import io.millrace.loop.ManualLoop;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/** The loops of a broker, and the time of day, which goes on when the broker dies. */
final class Loops {
    private final List<ManualLoop> loops;

    Loops(int count, long nowMillis) {
        loops = Stream.generate(ManualLoop::new).limit(count).toList();
        loops.forEach(loop -> loop.advance(Math.max(0, nowMillis - loop.now())));
    }

    List<Loop> all() {
        return List.copyOf(loops);
    }

    /** Runs one task of one loop. */
    void runOne(Random random) {
        loops.get(random.nextInt(loops.size())).runOne();
    }

    /** Runs one task of each loop; false if there was none. */
    boolean runEach() {
        boolean busy = false;
        for (ManualLoop loop : loops) {
            busy |= loop.runOne();
        }
        return busy;
    }

    /** Moves all clocks, one after the other. */
    void advance(long millis) {
        loops.forEach(loop -> loop.advance(millis));
    }

    /** The time by the clock that is ahead. */
    long latestMillis() {
        return loops.stream().mapToLong(ManualLoop::now).max().orElseThrow();
    }

    /** The time by the clock that is behind. */
    long earliestMillis() {
        return loops.stream().mapToLong(ManualLoop::now).min().orElseThrow();
    }
}
