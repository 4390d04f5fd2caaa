package io.millrace.bench;

import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** How long something goes on: for a time, or for so many messages. */
record Extent(Optional<Duration> time, long messages) {
    static final Extent NONE = new Extent(Optional.empty(), 0);

    /** From words like {@code 10s} and {@code 50000}. */
    static final class Converter implements ITypeConverter<Extent> {
        @Override
        public Extent convert(String value) {
            return value.matches("[0-9][0-9_]{0,17}")
                    ? new Extent(Optional.empty(), Long.parseLong(value.replace("_", "")))
                    : new Extent(Optional.of(duration(value)), 0);
        }
    }

    /** From words like {@code 500ms}, {@code 10s}, {@code 2m} and {@code 1h}. */
    static final class Time implements ITypeConverter<Duration> {
        @Override
        public Duration convert(String value) {
            return duration(value);
        }
    }

    /** From words like {@code 1024} and {@code 64KiB}. */
    static final class Bytes implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String value) {
            String number = value.replaceFirst("(?i)([km])i?b?$", "").replace("_", "");
            long unit = value.matches("(?i).*ki?b?") ? 1 << 10 : value.matches("(?i).*mi?b?") ? 1 << 20 : 1;
            try {
                return Math.toIntExact(Math.multiplyExact(Long.parseLong(number), unit));
            } catch (ArithmeticException | NumberFormatException e) {
                throw new TypeConversionException('"' + value + "\" is not a size; write 1024, 64KiB or 1MiB");
            }
        }
    }

    private static Duration duration(String value) {
        String unit = value.replaceFirst("^[0-9.]+", "").toLowerCase(Locale.ROOT);
        long millis =
                switch (unit) {
                    case "ms" -> 1;
                    case "s" -> 1000;
                    case "m", "min" -> 60_000;
                    case "h" -> 3_600_000;
                    default -> throw unreadable(value);
                };
        try {
            double number = Double.parseDouble(value.substring(0, value.length() - unit.length()));
            return Duration.ofMillis(Math.round(number * millis));
        } catch (NumberFormatException e) {
            throw unreadable(value);
        }
    }

    private static TypeConversionException unreadable(String value) {
        return new TypeConversionException('"' + value + "\" is not a duration; write 500ms, 10s, 2m or 1h");
    }
}
