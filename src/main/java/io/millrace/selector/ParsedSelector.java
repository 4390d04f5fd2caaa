package io.millrace.selector;

/** A selector written in SQL. */
record ParsedSelector(String text, Expression condition) implements Selector {
    static Selector parse(String text, Dialect dialect) throws SelectorException {
        Expression condition = text.isBlank() ? Expression.Constant.TRUE : new Parser(text, dialect).parse();
        return new ParsedSelector(text, condition);
    }

    @Override
    public boolean matches(Candidate candidate) {
        return Boolean.TRUE.equals(condition.value(candidate));
    }
}
