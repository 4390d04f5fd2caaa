package io.millrace.selector;

import java.util.List;

/** The logical operators on true, false and unknown, which is null (JMS 3.1, section 3.8.1.2). */
sealed interface Logic extends Expression {
    @Override
    default Kind kind() {
        return Kind.BOOLEAN;
    }

    /** The boolean that an expression gives, or null, also for what is not a boolean. */
    private static Boolean truth(Expression expression, Candidate candidate) {
        return expression.value(candidate) instanceof Boolean truth ? truth : null;
    }

    /** False when one term is false, or else unknown when one is. */
    record And(List<Expression> terms) implements Logic {
        @Override
        public Object value(Candidate candidate) {
            return chain(terms, false, candidate);
        }
    }

    /** True when one term is true, or else unknown when one is. */
    record Or(List<Expression> terms) implements Logic {
        @Override
        public Object value(Candidate candidate) {
            return chain(terms, true, candidate);
        }
    }

    private static Object chain(List<Expression> terms, boolean decisive, Candidate candidate) {
        Boolean result = !decisive;
        for (Expression term : terms) {
            Boolean truth = truth(term, candidate);
            if (truth == null) {
                result = null;
            } else if (truth == decisive) {
                return decisive;
            }
        }
        return result;
    }

    /** The opposite. */
    record Not(Expression term) implements Logic {
        @Override
        public Object value(Candidate candidate) {
            Boolean truth = truth(term, candidate);
            return truth == null ? null : !truth;
        }
    }

    /** Whether a value is unknown; never unknown itself. */
    record IsNull(Expression operand) implements Logic {
        @Override
        public Object value(Candidate candidate) {
            return operand.value(candidate) == null;
        }
    }
}
