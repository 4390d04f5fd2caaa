package io.millrace.selector;

/**
 * A word of a selector.
 *
 * @param position of its first character, from 0
 * @param text what it says: of a keyword, in capitals; of a literal or a quoted name, without its quotes
 */
record Token(Kind kind, int position, String text) {
    /** Kinds of words. */
    enum Kind {
        NAME,
        QUOTED_NAME,
        KEYWORD,
        OPERATOR,
        STRING,
        NUMBER,
        END
    }

    boolean is(Kind wanted, String wantedText) {
        return kind == wanted && text.equals(wantedText);
    }

    /** The word as an error text shows it. */
    String shown() {
        String shown = text.length() > 40 ? text.substring(0, 40) + "..." : text;
        return switch (kind) {
            case END -> "the end";
            case STRING -> "the string '" + shown + "'";
            case QUOTED_NAME -> '"' + shown + '"';
            default -> shown;
        };
    }

    /**
     * The value of a numeric literal.
     *
     * @throws NumberFormatException if it is out of range
     */
    Number number(boolean negative) {
        boolean hex = text.startsWith("0x") || text.startsWith("0X");
        boolean isLong = text.endsWith("l") || text.endsWith("L");
        if (!hex && !isLong && !text.chars().allMatch(Character::isDigit)) {
            boolean single = text.endsWith("f") || text.endsWith("F");
            double value = single ? Float.parseFloat(text) : Double.parseDouble(text);
            return negative ? -value : value;
        }
        boolean octal = !hex && text.length() > 1 && text.charAt(0) == '0' && Character.isDigit(text.charAt(1));
        String digits = text.substring(hex ? 2 : 0, text.length() - (isLong ? 1 : 0));
        long value = Long.parseLong((negative ? "-" : "") + digits, hex ? 16 : octal ? 8 : 10);
        return isLong || value != (int) value ? (Number) value : (Number) (int) value;
    }
}
