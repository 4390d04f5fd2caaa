package io.millrace.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What Linux says of a process: its processor time, memory, and bytes written. */
record BrokerProcess(long cpuMicros, long residentBytes, long writtenBytes) {
    private static final Path PROC = Path.of("/proc");
    private static final Pattern RESIDENT = Pattern.compile("(?m)^VmRSS:\\s+(\\d+)");
    private static final Pattern WRITTEN = Pattern.compile("(?m)^write_bytes:\\s+(\\d+)");

    /** User time is the 14th field, system time the next; two come before the name, which ends with the last parenthesis. */
    private static final int USER_AFTER_NAME = 11;

    /** Linux tells programs the time in hundredths of a second, whatever it uses itself. */
    private static final long MICROS_PER_TICK = 10_000;

    /** How it is now; empty when there is no such process, or no Linux. */
    static Optional<BrokerProcess> of(long pid) {
        Path directory = PROC.resolve(Long.toString(pid));
        try {
            String stat = Files.readString(directory.resolve("stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            long ticks = Long.parseLong(fields[USER_AFTER_NAME]) + Long.parseLong(fields[USER_AFTER_NAME + 1]);
            return Optional.of(new BrokerProcess(
                    ticks * MICROS_PER_TICK,
                    number(RESIDENT, Files.readString(directory.resolve("status"))) << 10,
                    written(directory)));
        } catch (IOException | NumberFormatException | IndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }

    /** Processor time of this process. */
    static long ownCpuMicros() {
        return ProcessHandle.current()
                .info()
                .totalCpuDuration()
                .map(time -> time.toNanos() / 1000)
                .orElse(0L);
    }

    private static long written(Path directory) {
        try {
            return number(WRITTEN, Files.readString(directory.resolve("io")));
        } catch (IOException e) {
            // Of a process of another user; the rest is told all the same.
            return 0;
        }
    }

    private static long number(Pattern pattern, String text) {
        Matcher matcher = pattern.matcher(text);
        return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
    }
}
