package io.millrace.selector;

import java.util.List;

/**
 * Comparisons of values (JMS 3.1, section 3.8.1.2). Unknown when one of the two is; false when they are of different kinds,
 * or of a kind that has no order.
 */
sealed interface Comparison extends Expression {
    @Override
    default Kind kind() {
        return Kind.BOOLEAN;
    }

    /** The operators that stand between two values. */
    enum Operator {
        EQUAL,
        NOT_EQUAL,
        LESS,
        LESS_OR_EQUAL,
        GREATER,
        GREATER_OR_EQUAL;

        boolean ordering() {
            return this != EQUAL && this != NOT_EQUAL;
        }

        private boolean holds(int order) {
            return switch (this) {
                case EQUAL -> order == 0;
                case NOT_EQUAL -> order != 0;
                case LESS -> order < 0;
                case LESS_OR_EQUAL -> order <= 0;
                case GREATER -> order > 0;
                case GREATER_OR_EQUAL -> order >= 0;
            };
        }

        private boolean holds(double left, double right) {
            return switch (this) {
                case EQUAL -> left == right;
                case NOT_EQUAL -> left != right;
                case LESS -> left < right;
                case LESS_OR_EQUAL -> left <= right;
                case GREATER -> left > right;
                case GREATER_OR_EQUAL -> left >= right;
            };
        }

        /** Whether this holds between two values that are known. */
        boolean holds(Object left, Object right, Dialect dialect) {
            if (left instanceof Number a && right instanceof Number b) {
                boolean exact = Numbers.exact(a) && Numbers.exact(b);
                return exact
                        ? holds(Long.compare(a.longValue(), b.longValue()))
                        : holds(a.doubleValue(), b.doubleValue());
            }
            if (left instanceof String a && right instanceof String b) {
                return (!ordering() || dialect == Dialect.SQL) && holds(a.compareTo(b));
            }
            boolean equatable = !ordering() && left instanceof Boolean && right instanceof Boolean;
            return equatable && holds(left.equals(right) ? 0 : 1);
        }
    }

    /** Two values and what must hold between them. */
    record Binary(Operator operator, Expression left, Expression right, Dialect dialect) implements Comparison {
        @Override
        public Object value(Candidate candidate) {
            Object a = left.value(candidate);
            Object b = a == null ? null : right.value(candidate);
            return b == null ? null : operator.holds(a, b, dialect);
        }
    }

    /** A value that equals one of several literals. */
    record In(Expression operand, List<Expression> literals) implements Comparison {
        @Override
        public Object value(Candidate candidate) {
            Object value = operand.value(candidate);
            if (value == null) {
                return null;
            }
            for (Expression literal : literals) {
                if (Operator.EQUAL.holds(value, literal.value(candidate), Dialect.JMS)) {
                    return true;
                }
            }
            return false;
        }
    }
}
