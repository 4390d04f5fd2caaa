package io.millrace.benchmark;

import io.millrace.benchmark.Figures.Stage;
import java.util.Locale;
import java.util.Map;

/** What became slower, or allocates more, since a baseline. */
final class Comparison {
    /** What allocation may differ by; it is nearly exact, whatever the machine. */
    private static final double BYTES_TOLERANCE = 1.05;

    /** Of a message; below this a ratio says nothing. */
    private static final double BYTES_SLACK = 1;

    private static final double NANOS_TOLERANCE = 1.25;

    private final Figures before;
    private final Figures now;
    private final double machine;

    Comparison(Figures before, Figures now) {
        this.before = before;
        this.now = now;
        this.machine = now.calibrationNanos() / before.calibrationNanos();
    }

    /** Whether each stage of the baseline was measured and is as good. */
    boolean passes() {
        return before.stages().keySet().stream().allMatch(name -> verdict(name).equals("ok"));
    }

    /** "ok", or what is worse. */
    String verdict(String name) {
        Stage old = before.stages().get(name);
        Stage stage = now.stages().get(name);
        if (old == null) {
            return "new";
        }
        if (stage == null) {
            return "not measured";
        }
        boolean allocates = stage.bytes() > old.bytes() * BYTES_TOLERANCE + BYTES_SLACK;
        // How long a sync takes is up to the disk.
        boolean slower = !name.endsWith(Stages.SYNC) && stage.nanos() > old.nanos() * machine * NANOS_TOLERANCE;
        if (allocates) {
            return slower ? "ALLOCATES MORE, SLOWER" : "ALLOCATES MORE";
        }
        return slower ? "SLOWER" : "ok";
    }

    /** The table. */
    String report() {
        StringBuilder out = new StringBuilder();
        out.append(String.format(
                Locale.ROOT,
                "ns and bytes per message; this machine takes %.2f of the time of the baseline's, by which that is scaled%n",
                machine));
        out.append(String.format(
                Locale.ROOT,
                "%-32s %10s %10s %7s %11s %11s  %s%n",
                "stage",
                "baseline",
                "now",
                "ratio",
                "B baseline",
                "B now",
                "verdict"));
        for (Map.Entry<String, Stage> each : now.stages().entrySet()) {
            Stage old = before.stages().getOrDefault(each.getKey(), new Stage(Double.NaN, Double.NaN));
            double nanos = each.getValue().nanos();
            double scaled = old.nanos() * machine;
            out.append(String.format(
                    Locale.ROOT,
                    "%-32s %10.1f %10.1f %7.2f %11.1f %11.1f  %s%n",
                    each.getKey(),
                    scaled,
                    nanos,
                    nanos / scaled,
                    old.bytes(),
                    each.getValue().bytes(),
                    verdict(each.getKey())));
        }
        before.stages().keySet().stream()
                .filter(name -> !now.stages().containsKey(name))
                .forEach(name -> out.append(name).append(" was not measured\n"));
        return out.toString();
    }
}
