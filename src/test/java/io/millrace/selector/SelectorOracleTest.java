package io.millrace.selector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.apache.qpid.jms.selector.SelectorParser;
import org.apache.qpid.jms.selector.filter.Filterable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Selectors made at random mean to us what they mean to Qpid JMS, which checks them before it sends them. Left out is where
 * Qpid JMS does not do what JMS says: comparisons with null and of different kinds, comparisons of -0.0, NOT without
 * brackets, and quotients of integers.
 */
class SelectorOracleTest {
    private static final long SEED = Long.getLong("millrace.seed", 20261120L);
    private static final String[] TEXTS = {"", "red", "blue", "r.d", "50%", "a_b", "it's", "RED"};
    private static final String[] PATTERNS = {"%", "r_d", "%e%", "_%_", "50!%", "a!_b", "!!%", "", "r.d", "%d", "b%e"};
    private static final String[] NUMBERS = {
        "0", "1", "7", "42L", "0x1F", "017", "1.5", ".5", "7.", "2E2", "5000000000", "3.25"
    };
    private static final String[] COMPARISONS = {"=", "<>", "<", "<=", ">", ">="};

    @Test
    void meansTheSameToQpidJms() throws Exception {
        run(5_000);
    }

    @Test
    @Tag("fuzz")
    void meansTheSameToQpidJmsManyTimes() throws Exception {
        run(Integer.getInteger("millrace.rounds", 2_000_000));
    }

    private static void run(int rounds) throws Exception {
        int matched = 0;
        for (int round = 0; round < rounds; round++) {
            Random random = new Random(SEED + round);
            String selector = condition(random, 4);
            Map<String, Object> properties = properties(random);
            boolean theirs = SelectorParser.parse(selector).matches(filterable(properties));
            boolean ours = Selector.parse(selector).matches(Sample.properties(properties));
            assertEquals(theirs, ours, "seed " + (SEED + round) + ": " + selector + " on " + properties);
            matched += ours ? 1 : 0;
        }
        assertTrue(matched > rounds / 5 && matched < rounds * 4 / 5, matched + " of " + rounds + " matched");
    }

    private static Map<String, Object> properties(Random random) {
        Map<String, Object> properties = new HashMap<>();
        properties.put("i", random.nextInt(50) - 10);
        properties.put("l", random.nextInt(4) == 0 ? random.nextLong() : random.nextInt(50));
        properties.put("d", (random.nextInt(200) - 50) / 4.0);
        properties.put("s", pick(random, TEXTS));
        properties.put("r", pick(random, TEXTS));
        properties.put("t", random.nextBoolean());
        return properties;
    }

    private static String condition(Random random, int depth) {
        if (depth == 0) {
            return atom(random);
        }
        return switch (random.nextInt(6)) {
            case 0 -> "(" + condition(random, depth - 1) + ") AND " + atom(random);
            case 1 -> condition(random, depth - 1) + " OR " + atom(random);
            case 2 -> "NOT (" + condition(random, depth - 1) + ")";
            case 3 -> "(" + condition(random, depth - 1) + ") and (" + condition(random, depth - 1) + ")";
            case 4 -> atom(random) + " OR " + atom(random) + " AND " + atom(random);
            default -> atom(random);
        };
    }

    private static String atom(Random random) {
        String not = random.nextBoolean() ? "" : "NOT ";
        return switch (random.nextInt(8)) {
            case 0 -> text(random) + (random.nextBoolean() ? " = " : " <> ") + text(random);
            case 1 -> pick(random, "s", "r") + " " + not + "LIKE " + quoted(pick(random, PATTERNS)) + " ESCAPE '!'";
            case 2 ->
                pick(random, "s", "r") + " " + not + "IN (" + quoted(pick(random, TEXTS)) + ","
                        + quoted(pick(random, TEXTS)) + ")";
            case 3 -> comparand(random) + " " + not + "BETWEEN " + comparand(random) + " AND " + comparand(random);
            case 4 -> pick(random, "s", "i", "gone") + " IS " + not + "NULL";
            case 5 -> pick(random, "t", "t = TRUE", "FALSE <> t", "TRUE", "false");
            default -> comparand(random) + " " + pick(random, COMPARISONS) + " " + comparand(random);
        };
    }

    private static String text(Random random) {
        return random.nextBoolean() ? pick(random, "s", "r") : quoted(pick(random, TEXTS));
    }

    /** A number that is not -0.0, because that plus 0 is 0.0. */
    private static String comparand(Random random) {
        return number(random, 2) + " + 0";
    }

    private static String number(Random random, int depth) {
        if (depth == 0 || random.nextInt(3) == 0) {
            return random.nextBoolean() ? pick(random, "i", "l", "d") : pick(random, NUMBERS);
        }
        String left = number(random, depth - 1);
        return switch (random.nextInt(6)) {
            case 0 -> left + " + " + number(random, depth - 1);
            case 1 -> left + " - " + number(random, 0);
            case 2 -> "(" + left + ") * " + number(random, 0);
            case 3 -> "(" + left + ") / 2.5";
            case 4 -> "-(" + left + ")";
            default -> "+" + number(random, 0);
        };
    }

    private static String quoted(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    private static String pick(Random random, String... from) {
        return from[random.nextInt(from.length)];
    }

    private static Filterable filterable(Map<String, Object> properties) {
        return new Filterable() {
            @Override
            public <T> T getBodyAs(Class<T> type) {
                return null;
            }

            @Override
            public Object getProperty(String name) {
                return properties.get(name);
            }

            @Override
            public Object getLocalConnectionId() {
                return null;
            }
        };
    }
}
