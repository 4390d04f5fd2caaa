package io.millrace.selector;

import java.util.Arrays;

/**
 * A text that fits a pattern (JMS 3.1, section 3.8.1.2). Matched by hand, because a pattern from a stranger can keep a
 * regular expression busy for ever; this takes at most the length of the text times that of the pattern.
 */
record Like(Expression operand, int[] pattern) implements Expression {
    private static final int ANY_TEXT = -1;
    private static final int ANY_CHARACTER = -2;
    private static final int NO_ESCAPE = -3;

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
        return value == null ? null : (Object) (value instanceof String text && fits(text));
    }

    /** Gives each {@link #ANY_TEXT} as little as will do, and one character more whenever what follows does not fit. */
    private boolean fits(String text) {
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
}
