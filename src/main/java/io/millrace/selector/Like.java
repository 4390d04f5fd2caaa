package io.millrace.selector;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * A text that fits a pattern (JMS 3.1, section 3.8.1.2). Matched by hand, because a pattern from a stranger can keep a
 * regular expression busy for ever. What is short takes at most the length of the text times that of the pattern, without
 * an object more; where that would be long enough to stop an event loop, the text is searched for 64 characters of the
 * pattern at a time.
 */
record Like(Expression operand, int[] pattern) implements Expression {
    private static final int ANY_TEXT = -1;
    private static final int ANY_CHARACTER = -2;
    private static final int NO_ESCAPE = -3;

    /** So many comparisons take about a millisecond. */
    private static final long MANY_COMPARISONS = 100_000;

    /**
     * @param escape one character, or empty
     * @throws IllegalArgumentException if the escape is longer, or stands before nothing
     */
    static Like of(Expression operand, String pattern, String escape) {
        int escapeCharacter = escape.isEmpty() ? NO_ESCAPE : escape.codePointAt(0);
        if (!escape.isEmpty() && Character.charCount(escapeCharacter) != escape.length()) {
            throw new IllegalArgumentException("the escape character '" + escape + "' is more than one character");
        }
        int[] characters = pattern.codePoints().toArray();
        int[] compiled = new int[characters.length];
        int size = 0;
        for (int i = 0; i < characters.length; i++) {
            int character = characters[i];
            if (character != escapeCharacter) {
                compiled[size++] = character == '%' ? ANY_TEXT : character == '_' ? ANY_CHARACTER : character;
            } else if (++i < characters.length) {
                compiled[size++] = characters[i];
            } else {
                throw new IllegalArgumentException("the pattern ends with its escape character '" + escape + "'");
            }
        }
        return new Like(operand, Arrays.copyOf(compiled, size));
    }

    @Override
    public Kind kind() {
        return Kind.BOOLEAN;
    }

    @Override
    public Object value(Candidate candidate) {
        Object value = operand.value(candidate);
        return value == null ? null : (Object) (value instanceof String text && fitsAny(text));
    }

    private boolean fitsAny(String text) {
        return (long) text.length() * pattern.length <= MANY_COMPARISONS ? fits(text) : fitsLong(text);
    }

    /** Gives each {@link #ANY_TEXT} as little as will do, and one character more whenever what follows does not fit. */
    boolean fits(String text) {
        int at = 0;
        int next = 0;
        int lastAny = -1;
        int resume = 0;
        while (at < text.length()) {
            int character = text.codePointAt(at);
            if (next < pattern.length && pattern[next] == ANY_TEXT) {
                lastAny = next++;
                resume = at;
            } else if (next < pattern.length && (pattern[next] == ANY_CHARACTER || pattern[next] == character)) {
                next++;
                at += Character.charCount(character);
            } else if (lastAny >= 0) {
                next = lastAny + 1;
                resume += Character.charCount(text.codePointAt(resume));
                at = resume;
            } else {
                return false;
            }
        }
        while (next < pattern.length && pattern[next] == ANY_TEXT) {
            next++;
        }
        return next == pattern.length;
    }

    /** Finds what stands between two {@link #ANY_TEXT} one after the other, each where it fits first. */
    boolean fitsLong(String text) {
        int[] characters = text.codePoints().toArray();
        int first = indexOfAny(0);
        if (first == pattern.length) {
            return characters.length == first && fitsAt(characters, 0, 0, first);
        }
        int last = pattern.length;
        while (pattern[last - 1] != ANY_TEXT) {
            last--;
        }
        int end = characters.length - (pattern.length - last);
        if (first > end || !fitsAt(characters, 0, 0, first) || !fitsAt(characters, end, last, pattern.length)) {
            return false;
        }
        int at = first;
        for (int from = first + 1; from < last; ) {
            int to = indexOfAny(from);
            at = from == to ? at : endOf(from, to, characters, at, end);
            if (at < 0) {
                return false;
            }
            from = to + 1;
        }
        return true;
    }

    private int indexOfAny(int from) {
        int at = from;
        while (at < pattern.length && pattern[at] != ANY_TEXT) {
            at++;
        }
        return at;
    }

    private boolean fitsAt(int[] text, int at, int from, int to) {
        for (int i = 0; i < to - from; i++) {
            if (pattern[from + i] != ANY_CHARACTER && pattern[from + i] != text[at + i]) {
                return false;
            }
        }
        return true;
    }

    /**
     * Where the first place ends in which a part of the pattern fits, or -1. Bit n of the state says that the n + 1
     * characters of the pattern's part fit those of the text that were read last (the algorithm Shift-And).
     */
    private int endOf(int from, int to, int[] text, int at, int end) {
        int words = (to - from + 63) / 64;
        long[] anywhere = new long[words];
        Map<Integer, long[]> places = new HashMap<>();
        for (int i = from; i < to; i++) {
            if (pattern[i] == ANY_CHARACTER) {
                anywhere[(i - from) / 64] |= 1L << (i - from);
            } else {
                places.computeIfAbsent(pattern[i], character -> new long[words])[(i - from) / 64] |= 1L << (i - from);
            }
        }
        long[] state = new long[words];
        for (int next = at; next < end; next++) {
            long[] here = places.getOrDefault(text[next], anywhere);
            long carry = 1;
            for (int word = 0; word < words; word++) {
                long shifted = state[word] << 1 | carry;
                carry = state[word] >>> 63;
                state[word] = shifted & (here[word] | anywhere[word]);
            }
            if ((state[words - 1] >>> (to - from - 1) & 1) != 0) {
                return next + 1;
            }
        }
        return -1;
    }
}
