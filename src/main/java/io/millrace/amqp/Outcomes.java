package io.millrace.amqp;

import io.millrace.message.Outcome;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Modified;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.messaging.Released;
import org.apache.qpid.proton.amqp.transaction.Declared;
import org.apache.qpid.proton.amqp.transport.DeliveryState;

/** Outcomes on the wire (AMQP 1.0, part 3, section 3.4). */
final class Outcomes {
    static final Symbol ACCEPTED = Accepted.DESCRIPTOR_SYMBOL;
    static final Symbol REJECTED = Rejected.DESCRIPTOR_SYMBOL;
    static final Symbol RELEASED = Released.DESCRIPTOR_SYMBOL;
    static final Symbol MODIFIED = Modified.DESCRIPTOR_SYMBOL;

    private Outcomes() {}

    static DeliveryState encode(Outcome outcome) {
        if (outcome instanceof Outcome.Accepted) {
            return Accepted.getInstance();
        }
        if (outcome instanceof Outcome.Released) {
            return Released.getInstance();
        }
        if (outcome instanceof Outcome.Rejected rejected) {
            Rejected state = new Rejected();
            rejected.error().ifPresent(error -> state.setError(Conditions.encode(error)));
            return state;
        }
        if (outcome instanceof Outcome.Declared declared) {
            Declared state = new Declared();
            state.setTxnId(Transactions.wireId(declared.id()));
            return state;
        }
        Outcome.Modified modified = (Outcome.Modified) outcome;
        Modified state = new Modified();
        state.setDeliveryFailed(modified.deliveryFailed());
        state.setUndeliverableHere(modified.undeliverableHere());
        if (!modified.annotations().isEmpty()) {
            Map<Symbol, Object> annotations = new LinkedHashMap<>();
            modified.annotations().forEach((key, value) -> annotations.put(Symbol.valueOf(key), value));
            state.setMessageAnnotations(annotations);
        }
        return state;
    }

    /** The outcome that a state is; empty when it is none, or one that we do not know. */
    static Optional<Outcome> decode(Object state) {
        if (state == Accepted.getInstance()) {
            return Optional.of(Outcome.ACCEPTED);
        }
        if (state == Released.getInstance()) {
            return Optional.of(Outcome.RELEASED);
        }
        if (state instanceof Rejected rejected) {
            boolean told = rejected.getError() != null && rejected.getError().getCondition() != null;
            return Optional.of(new Outcome.Rejected(
                    told ? Optional.of(Conditions.decode(rejected.getError())) : Optional.empty()));
        }
        if (state instanceof Modified modified) {
            return Optional.of(new Outcome.Modified(
                    Boolean.TRUE.equals(modified.getDeliveryFailed()),
                    Boolean.TRUE.equals(modified.getUndeliverableHere()),
                    annotations(modified)));
        }
        return Optional.empty();
    }

    private static Map<String, Object> annotations(Modified modified) {
        if (modified.getMessageAnnotations() == null) {
            return Map.of();
        }
        Map<String, Object> annotations = new LinkedHashMap<>();
        for (Map.Entry<?, ?> entry : ((Map<?, ?>) modified.getMessageAnnotations()).entrySet()) {
            annotations.put(String.valueOf(entry.getKey()), entry.getValue());
        }
        return annotations;
    }

    /** More bytes than a state takes when it is encoded as the value of a map with its key's header; null is one, too. */
    static int sizeBound(DeliveryState state) {
        if (state instanceof Rejected rejected && rejected.getError() != null) {
            return 64 + 3 * String.valueOf(rejected.getError()).length();
        }
        return 64
                + (state instanceof Modified modified && modified.getMessageAnnotations() != null
                        ? 8 * String.valueOf(modified.getMessageAnnotations()).length()
                        : 0);
    }
}
