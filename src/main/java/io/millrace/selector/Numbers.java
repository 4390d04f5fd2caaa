package io.millrace.selector;

import java.util.Date;
import java.util.UUID;

/** What values of AMQP types are to a selector (the mapping that registered the selector filter at amqp.org). */
final class Numbers {
    private Numbers() {}

    /** Whether this is an integer, as opposed to an approximate number. */
    static boolean exact(Number number) {
        return number instanceof Integer || number instanceof Long;
    }

    /** A decoded value as an {@link Expression#value}; an empty string, which stands for an absent one, is unknown. */
    static Object valueOf(Object decoded) {
        if (decoded instanceof String text) {
            return text.isEmpty() ? null : text;
        }
        return decoded instanceof Number number ? valueOf(number) : valueOfOther(decoded);
    }

    private static Object valueOfOther(Object decoded) {
        if (decoded instanceof CharSequence || decoded instanceof Character || decoded instanceof UUID) {
            return decoded.toString();
        }
        return decoded instanceof Date date ? (Object) date.getTime() : decoded;
    }

    private static Object valueOf(Number number) {
        if (number instanceof Integer || number instanceof Long || number instanceof Double) {
            return number;
        }
        if (number instanceof Byte || number instanceof Short) {
            return number.intValue();
        }
        return number instanceof Float ? (Object) number.doubleValue() : foreign(number);
    }

    /** The unsigned types: promoted to what holds all of their values, like any Java number. */
    private static Object foreign(Number number) {
        String digits = number.toString();
        try {
            return digits.equals(Long.toString(number.longValue()))
                    ? (Object) number.longValue()
                    : (Object) Double.parseDouble(digits);
        } catch (NumberFormatException e) {
            // A decimal, of which the codec knows no more than the bits.
            return number;
        }
    }
}
