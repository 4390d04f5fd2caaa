package io.millrace.main;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;

/** When this process began. */
final class ProcessAge {
    private static final Path SELF = Path.of("/proc/self/stat");
    private static final Path UPTIME = Path.of("/proc/uptime");

    /** The start is the 22nd field; two come before the name, which may hold blanks and ends with the last parenthesis. */
    private static final int START_AFTER_NAME = 19;

    /** Linux tells programs the time in hundredths of a second, whatever it uses itself. */
    private static final double TICKS_PER_SECOND = 100;

    private ProcessAge() {}

    /** A process older than this did something else first, as Maven does before {@code exec:java}. */
    private static final long FOREIGN_MILLIS = 5_000;

    /** When this start began, in milliseconds since 1970: with the process, unless that did something else before. */
    static long startMillis() {
        long now = System.currentTimeMillis();
        long process = processStartMillis();
        return now - process > FOREIGN_MILLIS ? now : process;
    }

    /**
     * Milliseconds since 1970. On Linux from the clock that runs since boot: what the JDK says there is counted from the boot
     * in whole seconds, and can be most of a second wrong.
     */
    private static long processStartMillis() {
        long now = System.currentTimeMillis();
        try {
            String stat = Files.readString(SELF);
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            double uptime = Double.parseDouble(Files.readString(UPTIME).split(" ", -1)[0]);
            double started = Long.parseLong(fields[START_AFTER_NAME]) / TICKS_PER_SECOND;
            return now - Math.max(0, Math.round((uptime - started) * 1000));
        } catch (IOException | NumberFormatException | IndexOutOfBoundsException e) {
            // Not Linux, or a /proc of another kind.
            return ProcessHandle.current()
                    .info()
                    .startInstant()
                    .orElseGet(Instant::now)
                    .toEpochMilli();
        }
    }
}
