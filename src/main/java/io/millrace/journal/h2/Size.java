package io.millrace.journal.h2;

import java.util.Locale;

/** Sizes for people. Stateless. */
final class Size {
    private static final String[] UNITS = {"bytes", "KiB", "MiB", "GiB", "TiB"};

    private Size() {}

    /**
     * In the largest unit of which there is one, with a tenth unless it is a whole number. What is more is left out, so that
     * what is below a limit does not look as if it were there.
     */
    static String of(long bytes) {
        int unit = 0;
        while (unit < UNITS.length - 1 && bytes >> (10 * (unit + 1)) > 0) {
            unit++;
        }
        long whole = bytes >> (10 * unit);
        long rest = bytes - (whole << (10 * unit));
        // Of the rest, ten bits are enough for a tenth, and more might overflow.
        long tenth = unit == 0 ? 0 : ((rest >> (10 * (unit - 1))) * 10) >> 10;
        return (tenth == 0 ? Long.toString(whole) : String.format(Locale.ROOT, "%d.%d", whole, tenth)) + " "
                + UNITS[unit];
    }
}
