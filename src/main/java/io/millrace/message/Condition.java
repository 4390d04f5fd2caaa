package io.millrace.message;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Why something was refused or ended: an AMQP error condition with a text that a user can act on.
 *
 * @param symbol the condition, for example {@link #RESOURCE_LIMIT_EXCEEDED} (AMQP 1.0, part 2, section 2.8.15)
 * @param description what happened, the limit and the fix, in one sentence
 * @param info details for programs; may be empty
 */
public record Condition(String symbol, String description, Map<String, Object> info) {
    public static final String INTERNAL_ERROR = "amqp:internal-error";
    public static final String NOT_FOUND = "amqp:not-found";
    public static final String UNAUTHORIZED_ACCESS = "amqp:unauthorized-access";
    public static final String DECODE_ERROR = "amqp:decode-error";
    public static final String RESOURCE_LIMIT_EXCEEDED = "amqp:resource-limit-exceeded";
    public static final String NOT_ALLOWED = "amqp:not-allowed";
    public static final String INVALID_FIELD = "amqp:invalid-field";
    public static final String NOT_IMPLEMENTED = "amqp:not-implemented";
    public static final String RESOURCE_LOCKED = "amqp:resource-locked";
    public static final String PRECONDITION_FAILED = "amqp:precondition-failed";
    public static final String RESOURCE_DELETED = "amqp:resource-deleted";
    public static final String ILLEGAL_STATE = "amqp:illegal-state";
    public static final String FRAME_SIZE_TOO_SMALL = "amqp:frame-size-too-small";
    public static final String CONNECTION_FORCED = "amqp:connection:forced";
    public static final String FRAMING_ERROR = "amqp:connection:framing-error";
    public static final String SESSION_WINDOW_VIOLATION = "amqp:session:window-violation";
    public static final String HANDLE_IN_USE = "amqp:session:handle-in-use";
    public static final String UNATTACHED_HANDLE = "amqp:session:unattached-handle";
    public static final String TRANSFER_LIMIT_EXCEEDED = "amqp:link:transfer-limit-exceeded";
    public static final String MESSAGE_SIZE_EXCEEDED = "amqp:link:message-size-exceeded";
    public static final String TRANSACTION_UNKNOWN_ID = "amqp:transaction:unknown-id";
    public static final String TRANSACTION_ROLLBACK = "amqp:transaction:rollback";
    public static final String TRANSACTION_TIMEOUT = "amqp:transaction:timeout";
    public static final String LINK_STOLEN = "amqp:link:stolen";

    public Condition {
        // A peer may send null in the info, which Map.copyOf does not take.
        info = Collections.unmodifiableMap(new LinkedHashMap<>(info));
    }

    public Condition(String symbol, String description) {
        this(symbol, description, Map.of());
    }

    @Override
    public String toString() {
        return symbol + ": " + description;
    }
}
