package io.millrace.selector;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads one selector by recursive descent; each method is a rule of the grammar, from the loosest operator to the tightest:
 * OR, AND, NOT, comparisons, plus and minus, times and divide, signs. Used once.
 *
 * <p>Length, nesting and the height of the resulting tree are bounded, because selectors come from strangers.
 */
final class Parser {
    private static final int MAX_LENGTH = 65_536;
    private static final int MAX_NESTING = 100;
    private static final int MAX_HEIGHT = 500;

    private final Lexer lexer;
    private final String text;
    private final Dialect dialect;
    private Token token;
    private int nesting;

    /** Of the expression read last. */
    private int height;

    Parser(String text, Dialect dialect) throws SelectorException {
        if (text.length() > MAX_LENGTH) {
            throw new SelectorException("the selector has " + text.length() + " characters; at most " + MAX_LENGTH
                    + " are allowed. Put what it lists into a property of the messages");
        }
        this.text = text;
        this.lexer = new Lexer(text, dialect);
        this.dialect = dialect;
        this.token = lexer.next();
    }

    Expression parse() throws SelectorException {
        Expression condition = condition();
        if (token.kind() != Token.Kind.END) {
            throw expected("an operator or the end");
        }
        return condition;
    }

    private Expression condition() throws SelectorException {
        int start = token.position();
        return checked(or(), Expression.Kind.BOOLEAN, start);
    }

    private Expression or() throws SelectorException {
        int start = token.position();
        Expression first = and();
        if (!token.is(Token.Kind.KEYWORD, "OR")) {
            return first;
        }
        List<Expression> terms = new ArrayList<>();
        terms.add(checked(first, Expression.Kind.BOOLEAN, start));
        int highest = height;
        while (accept(Token.Kind.KEYWORD, "OR")) {
            start = token.position();
            terms.add(checked(and(), Expression.Kind.BOOLEAN, start));
            highest = Math.max(highest, height);
        }
        grow(highest);
        return new Logic.Or(List.copyOf(terms));
    }

    private Expression and() throws SelectorException {
        int start = token.position();
        Expression first = not();
        if (!token.is(Token.Kind.KEYWORD, "AND")) {
            return first;
        }
        List<Expression> terms = new ArrayList<>();
        terms.add(checked(first, Expression.Kind.BOOLEAN, start));
        int highest = height;
        while (accept(Token.Kind.KEYWORD, "AND")) {
            start = token.position();
            terms.add(checked(not(), Expression.Kind.BOOLEAN, start));
            highest = Math.max(highest, height);
        }
        grow(highest);
        return new Logic.And(List.copyOf(terms));
    }

    private Expression not() throws SelectorException {
        if (!accept(Token.Kind.KEYWORD, "NOT")) {
            return comparison();
        }
        nest();
        int start = token.position();
        Expression term = checked(not(), Expression.Kind.BOOLEAN, start);
        nesting--;
        grow(height);
        return new Logic.Not(term);
    }

    private Expression comparison() throws SelectorException {
        int start = token.position();
        Expression left = sum();
        if (token.kind() == Token.Kind.OPERATOR) {
            return operatorOf(token.text()) == null ? left : comparison(left, start);
        }
        if (accept(Token.Kind.KEYWORD, "IS")) {
            boolean negated = accept(Token.Kind.KEYWORD, "NOT");
            require(Token.Kind.KEYWORD, "NULL");
            return negated(negated, new Logic.IsNull(left));
        }
        boolean negated = accept(Token.Kind.KEYWORD, "NOT");
        if (accept(Token.Kind.KEYWORD, "LIKE")) {
            return negated(negated, like(checked(left, Expression.Kind.STRING, start)));
        }
        if (accept(Token.Kind.KEYWORD, "IN")) {
            return negated(negated, in(left));
        }
        if (accept(Token.Kind.KEYWORD, "BETWEEN")) {
            return between(ordered(left, start), negated);
        }
        if (negated) {
            throw expected("LIKE, IN or BETWEEN after NOT");
        }
        return left;
    }

    private Expression negated(boolean negated, Expression condition) throws SelectorException {
        grow(height);
        return negated ? new Logic.Not(condition) : condition;
    }

    private static Comparison.Operator operatorOf(String symbol) {
        return switch (symbol) {
            case "=" -> Comparison.Operator.EQUAL;
            case "<>" -> Comparison.Operator.NOT_EQUAL;
            case "<" -> Comparison.Operator.LESS;
            case "<=" -> Comparison.Operator.LESS_OR_EQUAL;
            case ">" -> Comparison.Operator.GREATER;
            case ">=" -> Comparison.Operator.GREATER_OR_EQUAL;
            default -> null;
        };
    }

    private Expression comparison(Expression left, int start) throws SelectorException {
        Comparison.Operator operator = operatorOf(token.text());
        if (operator.ordering()) {
            ordered(left, start);
        }
        advance();
        int leftHeight = height;
        int rightStart = token.position();
        Expression right = sum();
        if (operator.ordering()) {
            ordered(right, rightStart);
        }
        grow(Math.max(leftHeight, height));
        return new Comparison.Binary(operator, left, right, dialect);
    }

    /** Two comparisons, as JMS defines it, so that a value that is no number is neither between the bounds nor outside. */
    private Expression between(Expression operand, boolean negated) throws SelectorException {
        int highest = height;
        int start = token.position();
        Expression low = ordered(sum(), start);
        highest = Math.max(highest, height);
        require(Token.Kind.KEYWORD, "AND");
        start = token.position();
        Expression high = ordered(sum(), start);
        grow(Math.max(highest, height) + 1);
        return negated
                ? new Logic.Or(List.of(
                        new Comparison.Binary(Comparison.Operator.LESS, operand, low, dialect),
                        new Comparison.Binary(Comparison.Operator.GREATER, operand, high, dialect)))
                : new Logic.And(List.of(
                        new Comparison.Binary(Comparison.Operator.GREATER_OR_EQUAL, operand, low, dialect),
                        new Comparison.Binary(Comparison.Operator.LESS_OR_EQUAL, operand, high, dialect)));
    }

    private Expression like(Expression operand) throws SelectorException {
        int start = token.position();
        String pattern = string();
        String escape = "";
        if (accept(Token.Kind.KEYWORD, "ESCAPE")) {
            start = token.position();
            escape = string();
            if (escape.isEmpty()) {
                throw new SelectorException(start, "the escape must be one character");
            }
        }
        try {
            return Like.of(operand, pattern, escape);
        } catch (IllegalArgumentException e) {
            throw new SelectorException(start, e.getMessage());
        }
    }

    private String string() throws SelectorException {
        if (token.kind() != Token.Kind.STRING) {
            throw expected("a string in single quotes");
        }
        String string = token.text();
        advance();
        return string;
    }

    private Expression in(Expression operand) throws SelectorException {
        int operandHeight = height;
        require(Token.Kind.OPERATOR, "(");
        List<Expression> literals = new ArrayList<>();
        do {
            int start = token.position();
            Expression literal = sign();
            if (!(literal instanceof Expression.Constant)) {
                throw new SelectorException(start, "the values of IN must be literals");
            }
            literals.add(literal);
        } while (accept(Token.Kind.OPERATOR, ","));
        require(Token.Kind.OPERATOR, ")");
        height = operandHeight;
        return new Comparison.In(operand, List.copyOf(literals));
    }

    private Expression sum() throws SelectorException {
        int start = token.position();
        Expression left = product();
        while (token.is(Token.Kind.OPERATOR, "+") || token.is(Token.Kind.OPERATOR, "-")) {
            boolean plus = token.text().equals("+");
            left = arithmetic(plus ? Arithmetic.Operator.PLUS : Arithmetic.Operator.MINUS, left, start);
        }
        return left;
    }

    private Expression product() throws SelectorException {
        int start = token.position();
        Expression left = sign();
        while (token.kind() == Token.Kind.OPERATOR && "*/%".contains(token.text())) {
            Arithmetic.Operator operator =
                    switch (token.text()) {
                        case "*" -> Arithmetic.Operator.TIMES;
                        case "/" -> Arithmetic.Operator.DIVIDE;
                        default -> Arithmetic.Operator.MODULO;
                    };
            left = arithmetic(operator, left, start);
        }
        return left;
    }

    private Expression arithmetic(Arithmetic.Operator operator, Expression left, int start) throws SelectorException {
        checked(left, Expression.Kind.NUMBER, start);
        advance();
        int leftHeight = height;
        int rightStart = token.position();
        boolean isSum = operator == Arithmetic.Operator.PLUS || operator == Arithmetic.Operator.MINUS;
        Expression right = isSum ? product() : sign();
        checked(right, Expression.Kind.NUMBER, rightStart);
        grow(Math.max(leftHeight, height));
        return new Arithmetic.Binary(operator, left, right);
    }

    private Expression sign() throws SelectorException {
        boolean negative = token.is(Token.Kind.OPERATOR, "-");
        if (!negative && !token.is(Token.Kind.OPERATOR, "+")) {
            return primary();
        }
        advance();
        int start = token.position();
        if (token.kind() == Token.Kind.NUMBER) {
            return number(negative);
        }
        nest();
        Expression operand = checked(sign(), Expression.Kind.NUMBER, start);
        nesting--;
        grow(height);
        return new Arithmetic.Signed(negative, operand);
    }

    /** A literal together with its sign, without which the smallest numbers are out of range. */
    private Expression number(boolean negative) throws SelectorException {
        Token number = token;
        advance();
        height = 1;
        try {
            return new Expression.Constant(number.number(negative), Expression.Kind.NUMBER);
        } catch (NumberFormatException e) {
            throw new SelectorException(number.position(), number.shown() + " is not a number that fits into 64 bits");
        }
    }

    private Expression primary() throws SelectorException {
        Token found = token;
        height = 1;
        switch (found.kind()) {
            case STRING -> {
                advance();
                return new Expression.Constant(found.text(), Expression.Kind.STRING);
            }
            case NUMBER -> {
                return number(false);
            }
            case NAME, QUOTED_NAME -> {
                advance();
                return name(found);
            }
            default -> {
                return keywordOrBracket();
            }
        }
    }

    private Expression name(Token name) throws SelectorException {
        if (token.is(Token.Kind.OPERATOR, "(") && name.kind() == Token.Kind.NAME) {
            throw new SelectorException(name.position(), "the function " + name.shown() + " is not supported");
        }
        return dialect.resolve(name.text(), name.kind() == Token.Kind.QUOTED_NAME)
                .orElseThrow(() -> new SelectorException(
                        name.position(), name.shown() + " is not a field that selectors can look at"));
    }

    private Expression keywordOrBracket() throws SelectorException {
        if (accept(Token.Kind.KEYWORD, "TRUE")) {
            return Expression.Constant.TRUE;
        }
        if (accept(Token.Kind.KEYWORD, "FALSE")) {
            return Expression.Constant.FALSE;
        }
        if (token.is(Token.Kind.KEYWORD, "NULL")) {
            throw new SelectorException(token.position(), "nothing can be compared with NULL; use IS NULL");
        }
        if (!accept(Token.Kind.OPERATOR, "(")) {
            throw expected("a name, a literal or (");
        }
        nest();
        Expression inner = or();
        nesting--;
        require(Token.Kind.OPERATOR, ")");
        return inner;
    }

    /** What has an order: numbers, and in SQL strings, too. */
    private Expression ordered(Expression operand, int start) throws SelectorException {
        return dialect == Dialect.SQL && operand.kind() == Expression.Kind.STRING
                ? operand
                : checked(operand, Expression.Kind.NUMBER, start);
    }

    private Expression checked(Expression expression, Expression.Kind kind, int start) throws SelectorException {
        if (expression.kind().maybe(kind)) {
            return expression;
        }
        String what =
                switch (kind) {
                    case BOOLEAN -> "a condition";
                    case NUMBER -> "a number";
                    default -> "a string";
                };
        int end = Math.min(token.position(), text.length());
        String found = text.substring(start, Math.min(end, start + 40)).strip();
        throw new SelectorException(start, "found " + found + ", expected " + what);
    }

    private void nest() throws SelectorException {
        if (++nesting > MAX_NESTING) {
            throw new SelectorException(
                    token.position(), "nested deeper than " + MAX_NESTING + "; write it with fewer brackets");
        }
    }

    private void grow(int highestPart) throws SelectorException {
        height = highestPart + 1;
        if (height > MAX_HEIGHT) {
            throw new SelectorException(
                    token.position(), "more than " + MAX_HEIGHT + " operators on top of each other; make it simpler");
        }
    }

    private void advance() throws SelectorException {
        token = lexer.next();
    }

    private boolean accept(Token.Kind kind, String wanted) throws SelectorException {
        boolean found = token.is(kind, wanted);
        if (found) {
            advance();
        }
        return found;
    }

    private void require(Token.Kind kind, String wanted) throws SelectorException {
        if (!accept(kind, wanted)) {
            throw expected(wanted);
        }
    }

    private SelectorException expected(String what) {
        return new SelectorException(token.position(), "found " + token.shown() + ", expected " + what);
    }
}
