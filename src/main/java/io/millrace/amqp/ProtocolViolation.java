package io.millrace.amqp;

import io.millrace.message.Condition;

/**
 * The peer broke the protocol: thrown where a frame is handled, caught where frames are dispatched. Carries no stack trace,
 * for it tells of the peer and not of us.
 */
final class ProtocolViolation extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** What ends because of it. */
    enum Scope {
        CONNECTION,
        SESSION
    }

    private final Scope scope;
    private final transient Condition condition;

    private ProtocolViolation(Scope scope, Condition condition) {
        super(condition.description(), null, false, false);
        this.scope = scope;
        this.condition = condition;
    }

    static ProtocolViolation ofConnection(String symbol, String description) {
        return new ProtocolViolation(Scope.CONNECTION, new Condition(symbol, description));
    }

    static ProtocolViolation ofSession(String symbol, String description) {
        return new ProtocolViolation(Scope.SESSION, new Condition(symbol, description));
    }

    Scope scope() {
        return scope;
    }

    Condition condition() {
        return condition;
    }
}
