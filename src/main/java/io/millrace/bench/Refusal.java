package io.millrace.bench;

import org.apache.qpid.proton.amqp.transport.ErrorCondition;

/** The broker does not let the run go on: whom it refused or ended, and why. */
final class Refusal extends Exception {
    Refusal(String message) {
        super(message);
    }

    /** @param condition may be empty, as Proton has it where the peer gave none */
    static Refusal of(String what, ErrorCondition condition) {
        return new Refusal(what + ": " + words(condition));
    }

    /** The condition with its description. */
    static String words(ErrorCondition condition) {
        if (condition == null || condition.getCondition() == null) {
            return "no reason was given";
        }
        String description = condition.getDescription();
        return condition.getCondition() + (description == null ? "" : " (" + description + ")");
    }
}
