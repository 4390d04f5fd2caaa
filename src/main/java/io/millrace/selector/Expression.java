package io.millrace.selector;

/** A part of a selector that has a value for each message. Implementations are immutable and hold no state of a message. */
interface Expression {
    /**
     * The value for a message: a String, Boolean, Integer, Long or Double; something else for what a selector can only
     * compare with null; null for unknown.
     */
    Object value(Candidate candidate);

    /** What the value is, as far as it can be told without a message. */
    Kind kind();

    /** Kinds of values: only like kinds can be compared (JMS 3.1, section 3.8.1.3). */
    enum Kind {
        STRING,
        NUMBER,
        BOOLEAN,
        UNDETERMINED;

        boolean maybe(Kind kind) {
            return this == kind || this == UNDETERMINED;
        }
    }

    /** A literal. */
    record Constant(Object constant, Kind kind) implements Expression {
        static final Constant TRUE = new Constant(true, Kind.BOOLEAN);
        static final Constant FALSE = new Constant(false, Kind.BOOLEAN);

        @Override
        public Object value(Candidate candidate) {
            return constant;
        }
    }
}
