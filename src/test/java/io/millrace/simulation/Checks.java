package io.millrace.simulation;

import java.util.Locale;

/** How a simulation fails. */
final class Checks {
    private Checks() {}

    static void that(boolean holds, String otherwise, Object... values) {
        if (!holds) {
            throw new AssertionError(String.format(Locale.ROOT, otherwise, values));
        }
    }
}
