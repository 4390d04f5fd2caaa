package io.millrace.config;

import java.time.Duration;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Sizes and durations as people write them. */
final class Quantity {
    private static final Pattern BYTES = Pattern.compile("([0-9]{1,18})\\s*(B|KiB|MiB|GiB|TiB)?");
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,9})\\s*(ms|s|m|h)");

    private Quantity() {}

    /** Bytes, from {@code 4096}, {@code 64KiB}, {@code 16MiB}, {@code 2GiB} or {@code 1TiB}. */
    static Optional<Long> bytes(String text) {
        Matcher match = BYTES.matcher(text);
        if (!match.matches()) {
            return Optional.empty();
        }
        int shift =
                switch (match.group(2) == null ? "B" : match.group(2)) {
                    case "KiB" -> 10;
                    case "MiB" -> 20;
                    case "GiB" -> 30;
                    case "TiB" -> 40;
                    default -> 0;
                };
        long number = Long.parseLong(match.group(1));
        return number > Long.MAX_VALUE >> shift ? Optional.empty() : Optional.of(number << shift);
    }

    /** A size in the largest unit that divides it. */
    static String ofBytes(long bytes) {
        String[] units = {"", "KiB", "MiB", "GiB", "TiB"};
        long number = bytes;
        int unit = 0;
        while (unit < units.length - 1 && number != 0 && number % 1024 == 0) {
            number /= 1024;
            unit++;
        }
        return number + units[unit];
    }

    /** A duration, from {@code 500ms}, {@code 60s}, {@code 2m}, {@code 1h} or {@code 0}. */
    static Optional<Duration> duration(String text) {
        if (text.equals("0")) {
            return Optional.of(Duration.ZERO);
        }
        Matcher match = DURATION.matcher(text);
        if (!match.matches()) {
            return Optional.empty();
        }
        long number = Long.parseLong(match.group(1));
        return Optional.of(
                switch (match.group(2)) {
                    case "ms" -> Duration.ofMillis(number);
                    case "s" -> Duration.ofSeconds(number);
                    case "m" -> Duration.ofMinutes(number);
                    default -> Duration.ofHours(number);
                });
    }
}
