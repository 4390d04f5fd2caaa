package io.millrace.benchmark;

import io.millrace.amqp.MessagePathBenchmark;
import io.millrace.benchmark.Figures.Stage;
import io.millrace.journal.h2.StoreBenchmark;
import io.millrace.queue.QueueStagesBenchmark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * Measures each stage of the way of a message and compares with the stored baseline (README, "Benchmarks"). The report is on
 * the console and in {@code target/benchmarks.txt}, the results of JMH in {@code target/benchmarks.json}.
 */
public final class Stages {
    /** How the names of those end that wait for the disk. */
    static final String SYNC = "sync";

    private static final Path BASELINE = Path.of("src/test/resources/io/millrace/benchmark/baseline.json");
    private static final Path TARGET = Path.of("target");
    private static final String CALIBRATION = "calibration";
    private static final Map<String, String> NAMES = names();

    private Stages() {}

    private static Map<String, String> names() {
        String path = MessagePathBenchmark.class.getName();
        String queue = QueueStagesBenchmark.class.getName();
        String store = StoreBenchmark.class.getName();
        Map<String, String> names = new LinkedHashMap<>();
        names.put(CalibrationBenchmark.class.getName() + ".work", CALIBRATION);
        names.put(path + ".decode", "decode");
        names.put(queue + ".admit", "admit");
        names.put(store + ".group64", "store in groups of 64");
        names.put(store + ".group512", "store in groups of 512");
        names.put(queue + ".dispatch", "dispatch");
        names.put(path + ".encode", "encode");
        names.put(path + ".dispositions", "encode dispositions");
        return names;
    }

    /** Runs them; exit code 1 for a regression if {@code millrace.benchmark.strict} is set. */
    public static void main(String[] args) throws RunnerException, IOException {
        Figures now = measure();
        if (Boolean.getBoolean("millrace.benchmark.write")) {
            Files.writeString(BASELINE, now.json());
        }
        Comparison comparison = new Comparison(Figures.parse(Files.readString(BASELINE)), now);
        String report = comparison.report();
        Files.writeString(TARGET.resolve("benchmarks.txt"), report);
        System.out.print(report);
        if (Boolean.getBoolean("millrace.benchmark.strict") && !comparison.passes()) {
            System.exit(1);
        }
    }

    private static Figures measure() throws RunnerException {
        boolean thorough = Boolean.getBoolean("millrace.benchmark.long");
        OptionsBuilder options = new OptionsBuilder();
        NAMES.keySet().forEach(name -> options.include("^" + name.replace(".", "\\.") + "$"));
        options.param("size", "1024")
                .addProfiler(GCProfiler.class)
                .forks(thorough ? 3 : 1)
                .warmupIterations(3)
                .warmupTime(TimeValue.milliseconds(thorough ? 2000 : 700))
                .measurementIterations(5)
                .measurementTime(TimeValue.milliseconds(thorough ? 2000 : 500))
                .jvmArgs("-Xmx1g", "-XX:+UseSerialGC", "-Djava.io.tmpdir=" + TARGET.toAbsolutePath())
                .shouldFailOnError(true)
                .resultFormat(ResultFormatType.JSON)
                .result(TARGET.resolve("benchmarks.json").toString());
        Map<String, Stage> measured = new LinkedHashMap<>();
        for (RunResult each : new Runner(options.build()).run()) {
            measured.put(name(each), stage(each));
        }
        Map<String, Stage> stages = new LinkedHashMap<>();
        for (String name : NAMES.values()) {
            measured.forEach((key, stage) -> {
                if (key.equals(name) || key.startsWith(name + ", ")) {
                    stages.put(key, stage);
                }
            });
        }
        return new Figures(stages.remove(CALIBRATION).nanos(), stages);
    }

    private static String name(RunResult result) {
        String name = NAMES.get(result.getParams().getBenchmark());
        String sync = result.getParams().getParam("sync");
        return sync == null ? name : name + (sync.equals("true") ? ", " + SYNC : ", memory");
    }

    /** The median of all iterations: one that something disturbs does not count. */
    private static Stage stage(RunResult result) {
        double bytes = result.getSecondaryResults().get("gc.alloc.rate.norm").getScore();
        return new Stage(result.getPrimaryResult().getStatistics().getPercentile(50), bytes);
    }
}
