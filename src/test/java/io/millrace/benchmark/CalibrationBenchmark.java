package io.millrace.benchmark;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** A fixed piece of plain Java: arithmetic, copies, objects and a map. It says how fast a machine is; never change it. */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class CalibrationBenchmark {
    private final byte[] bytes = new byte[4096];

    /** The work. */
    @Benchmark
    public long work() {
        Map<Integer, byte[]> map = new HashMap<>();
        long sum = 0;
        for (int i = 0; i < 64; i++) {
            bytes[i * 61] += (byte) i;
            map.put(i * 31, bytes.clone());
        }
        for (byte[] each : map.values()) {
            for (byte b : each) {
                sum = sum * 31 + b;
            }
        }
        return sum;
    }
}
