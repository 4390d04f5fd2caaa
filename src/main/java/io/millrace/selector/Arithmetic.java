package io.millrace.selector;

/**
 * Arithmetic with the numeric promotion of Java: two ints give an int, which overflows as in Java, an int and a long give a
 * long, and anything with an approximate number is approximate. Unknown when an operand is unknown or no number.
 */
sealed interface Arithmetic extends Expression {
    @Override
    default Kind kind() {
        return Kind.NUMBER;
    }

    /** The operators that stand between two numbers. */
    enum Operator {
        PLUS,
        MINUS,
        TIMES,
        DIVIDE,
        MODULO;

        private int apply(int a, int b) {
            return switch (this) {
                case PLUS -> a + b;
                case MINUS -> a - b;
                case TIMES -> a * b;
                case DIVIDE -> a / b;
                case MODULO -> a % b;
            };
        }

        private long apply(long a, long b) {
            return switch (this) {
                case PLUS -> a + b;
                case MINUS -> a - b;
                case TIMES -> a * b;
                case DIVIDE -> a / b;
                case MODULO -> a % b;
            };
        }

        private double apply(double a, double b) {
            return switch (this) {
                case PLUS -> a + b;
                case MINUS -> a - b;
                case TIMES -> a * b;
                case DIVIDE -> a / b;
                case MODULO -> a % b;
            };
        }
    }

    /** Two numbers and what to do with them. */
    record Binary(Operator operator, Expression left, Expression right) implements Arithmetic {
        @Override
        public Object value(Candidate candidate) {
            if (!(left.value(candidate) instanceof Number a) || !(right.value(candidate) instanceof Number b)) {
                return null;
            }
            if (!Numbers.exact(a) || !Numbers.exact(b)) {
                return operator.apply(a.doubleValue(), b.doubleValue());
            }
            boolean divides = operator == Operator.DIVIDE || operator == Operator.MODULO;
            if (divides && b.longValue() == 0) {
                return null;
            }
            return a instanceof Integer && b instanceof Integer
                    ? (Object) operator.apply(a.intValue(), b.intValue())
                    : (Object) operator.apply(a.longValue(), b.longValue());
        }
    }

    /** A number with a sign before it. */
    record Signed(boolean negative, Expression operand) implements Arithmetic {
        @Override
        public Object value(Candidate candidate) {
            Object value = operand.value(candidate);
            if (!negative) {
                return value instanceof Number ? value : null;
            }
            if (value instanceof Integer number) {
                return -number;
            }
            if (value instanceof Long number) {
                return -number;
            }
            return value instanceof Double number ? (Object) (-number) : null;
        }
    }
}
