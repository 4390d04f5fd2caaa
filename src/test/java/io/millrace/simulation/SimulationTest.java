package io.millrace.simulation;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/**
 * Lives of a broker by seed. {@code -Dmillrace.sim.seeds=N} runs so many, {@code -Dmillrace.sim.seed=N} that one again.
 */
class SimulationTest {
    private static final int SEEDS = 600;

    @Test
    void nothingAcceptedIsLostNothingSettledReturnsAndOrderAndCreditHold() {
        Long one = Long.getLong("millrace.sim.seed");
        LongStream seeds = one == null
                ? LongStream.rangeClosed(1, Integer.getInteger("millrace.sim.seeds", SEEDS))
                : LongStream.of(one);
        seeds.forEach(SimulationTest::live);
    }

    private static void live(long seed) {
        try {
            new Simulation(seed).run();
        } catch (AssertionError | RuntimeException e) {
            throw new AssertionError(
                    "seed " + seed + ": " + e.getMessage() + " (again with -Dmillrace.sim.seed=" + seed + ")", e);
        }
    }
}
