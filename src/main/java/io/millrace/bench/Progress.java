package io.millrace.bench;

import java.io.Console;
import java.io.PrintStream;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/** A line a second that says how it goes; on a terminal always the same line. Owned by the thread of the run. */
final class Progress {
    private final PrintStream out;
    private final boolean redraw;
    private final boolean quiet;
    private boolean drawn;

    Progress(PrintStream out, boolean terminal, boolean quiet) {
        this.out = out;
        this.redraw = terminal;
        this.quiet = quiet;
    }

    /** Whether this process talks to a person. Before Java 22 there is a console only then; since then one has to ask. */
    @SuppressWarnings("SystemConsoleNull")
    static boolean onTerminal() {
        Console console = System.console();
        try {
            return console != null
                    && (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException e) {
            return true;
        }
    }

    void show(Sample sample) {
        if (quiet) {
            return;
        }
        String line = line(sample);
        if (redraw) {
            out.print("\r\u001b[K" + line);
            out.flush();
            drawn = true;
        } else {
            out.println(line);
        }
    }

    static String line(Sample sample) {
        return String.format(
                        Locale.ROOT,
                        "%6.1f s  sent %,9.0f/s  received %,9.0f/s%s%s%s",
                        sample.atSeconds(),
                        sample.answered() / sample.seconds(),
                        sample.received() / sample.seconds(),
                        latency("acknowledged", sample.latencies().acknowledged),
                        latency("end to end", sample.latencies().endToEnd),
                        sample.warmup() ? "  (warm-up)" : "")
                .stripTrailing();
    }

    private static String latency(String name, Histogram histogram) {
        return histogram.getTotalCount() == 0
                ? ""
                : "  " + name + " p50 " + millis(histogram.getValueAtPercentile(50)) + " p99 "
                        + millis(histogram.getValueAtPercentile(99));
    }

    /** A time with three digits that mean something. */
    static String millis(long nanos) {
        double millis = nanos / 1e6;
        String pattern = millis < 1 ? "%.3f ms" : millis < 10 ? "%.2f ms" : millis < 100 ? "%.1f ms" : "%.0f ms";
        return String.format(Locale.ROOT, pattern, millis);
    }

    /** Nothing more comes. */
    void end() {
        if (drawn) {
            out.println();
            drawn = false;
        }
    }
}
