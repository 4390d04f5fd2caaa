package io.millrace.amqp;

import io.millrace.message.Condition;
import java.util.LinkedHashMap;
import java.util.Map;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;

/** Conditions on the wire (AMQP 1.0, part 2, section 2.8.14). */
final class Conditions {
    private Conditions() {}

    static ErrorCondition encode(Condition condition) {
        ErrorCondition error = new ErrorCondition(Symbol.valueOf(condition.symbol()), condition.description());
        if (!condition.info().isEmpty()) {
            Map<Symbol, Object> info = new LinkedHashMap<>();
            condition.info().forEach((key, value) -> info.put(Symbol.valueOf(key), value));
            error.setInfo(info);
        }
        return error;
    }

    static Condition decode(ErrorCondition error) {
        Map<String, Object> info = new LinkedHashMap<>();
        if (error.getInfo() != null) {
            for (Map.Entry<?, ?> entry : ((Map<?, ?>) error.getInfo()).entrySet()) {
                if (entry.getKey() != null && entry.getValue() != null) {
                    info.put(entry.getKey().toString(), entry.getValue());
                }
            }
        }
        String description = error.getDescription() == null ? "" : error.getDescription();
        return new Condition(String.valueOf(error.getCondition()), description, info);
    }
}
