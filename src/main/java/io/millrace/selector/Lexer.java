package io.millrace.selector;

import java.util.Locale;
import java.util.Set;

/** Takes a selector apart into words (JMS 3.1, section 3.8.1.1). Used once, by the parser that made it. */
final class Lexer {
    private static final Set<String> KEYWORDS =
            Set.of("AND", "OR", "NOT", "BETWEEN", "LIKE", "ESCAPE", "IN", "IS", "NULL", "TRUE", "FALSE");

    private final String text;
    private final Dialect dialect;
    private int at;

    Lexer(String text, Dialect dialect) {
        this.text = text;
        this.dialect = dialect;
    }

    Token next() throws SelectorException {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
        if (at == text.length()) {
            return new Token(Token.Kind.END, at, "");
        }
        char first = text.charAt(at);
        if (first == '\'' || (first == '"' && dialect == Dialect.SQL)) {
            return quoted(Token.Kind.STRING, "string", first);
        }
        if (first == '"') {
            return quoted(Token.Kind.QUOTED_NAME, "quoted name", first);
        }
        if (first == '[' && dialect == Dialect.SQL) {
            return quoted(Token.Kind.QUOTED_NAME, "name in brackets", ']');
        }
        if (isDigit(at) || (first == '.' && isDigit(at + 1))) {
            return number();
        }
        return Character.isJavaIdentifierStart(text.codePointAt(at)) ? word() : operator();
    }

    private Token quoted(Token.Kind kind, String name, char quote) throws SelectorException {
        int start = at++;
        StringBuilder content = new StringBuilder();
        while (true) {
            int end = text.indexOf(quote, at);
            if (end < 0) {
                throw new SelectorException(start, "this " + name + " has no end; " + quote + " is missing");
            }
            content.append(text, at, end);
            at = end + 1;
            if (at == text.length() || text.charAt(at) != quote) {
                return new Token(kind, start, content.toString());
            }
            content.append(quote);
            at++;
        }
    }

    /** A name or a keyword. Dots are allowed, although Java has none in an identifier, because AMQP names have some. */
    private Token word() {
        int start = at;
        while (at < text.length() && isNamePart(text.codePointAt(at))) {
            at += Character.charCount(text.codePointAt(at));
        }
        String word = text.substring(start, at);
        String keyword = word.toUpperCase(Locale.ROOT);
        return KEYWORDS.contains(keyword)
                ? new Token(Token.Kind.KEYWORD, start, keyword)
                : new Token(Token.Kind.NAME, start, word);
    }

    private static boolean isNamePart(int character) {
        return character == '.' || Character.isJavaIdentifierPart(character);
    }

    private Token operator() throws SelectorException {
        int start = at++;
        char first = text.charAt(start);
        char second = at < text.length() ? text.charAt(at) : ' ';
        switch (first) {
            case '<', '>', '!' -> {
                if (second == '=' || (first == '<' && second == '>')) {
                    at++;
                }
            }
            case '=', '+', '-', '*', '/', '%', '(', ')', ',' -> {}
            default -> throw unexpected(start);
        }
        String operator = text.substring(start, at);
        if (operator.equals("!")) {
            throw unexpected(start);
        }
        return new Token(Token.Kind.OPERATOR, start, operator.equals("!=") ? "<>" : operator);
    }

    private SelectorException unexpected(int position) {
        return new SelectorException(
                position,
                "found " + Character.toString(text.codePointAt(position))
                        + ", expected a name, a literal or an operator");
    }

    private Token number() throws SelectorException {
        int start = at;
        boolean hex = text.startsWith("0x", at) || text.startsWith("0X", at);
        if (hex && dialect == Dialect.SQL) {
            throw new SelectorException(start, "binary literals, such as 0x..., are not supported");
        }
        boolean exact = hex || !skipApproximate();
        if (hex) {
            at += 2;
            while (at < text.length() && Character.digit(text.charAt(at), 16) >= 0) {
                at++;
            }
        }
        if (at < text.length() && (exact ? "lL" : "dDfF").indexOf(text.charAt(at)) >= 0) {
            at++;
        }
        if (at < text.length() && isNamePart(text.codePointAt(at))) {
            throw new SelectorException(
                    start, "found " + text.substring(start, at + 1) + ", which is neither a number nor a name");
        }
        return new Token(Token.Kind.NUMBER, start, text.substring(start, at));
    }

    /** Steps over a decimal number. Returns whether it has a fraction, an exponent, or a suffix that makes it approximate. */
    private boolean skipApproximate() {
        skipDigits();
        boolean approximate = at < text.length() && text.charAt(at) == '.';
        if (approximate) {
            at++;
            skipDigits();
        }
        if (at < text.length() && "eE".indexOf(text.charAt(at)) >= 0) {
            int sign = at + 1 < text.length() && "+-".indexOf(text.charAt(at + 1)) >= 0 ? 2 : 1;
            if (isDigit(at + sign)) {
                approximate = true;
                at += sign;
                skipDigits();
            }
        }
        return approximate || (at < text.length() && "dDfF".indexOf(text.charAt(at)) >= 0);
    }

    private void skipDigits() {
        while (isDigit(at)) {
            at++;
        }
    }

    private boolean isDigit(int position) {
        return position < text.length() && text.charAt(position) >= '0' && text.charAt(position) <= '9';
    }
}
