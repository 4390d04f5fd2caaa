package io.millrace.message;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/** What became of one delivery (AMQP 1.0, part 3, section 3.4). */
public sealed interface Outcome {

    /** Processed: by a consumer, or made durable by a queue. */
    record Accepted() implements Outcome {}

    /** Not processed and never acquired: back to its place, not counted. */
    record Released() implements Outcome {}

    /**
     * The message is invalid or refused.
     *
     * @param error why, when the peer said so
     */
    record Rejected(Optional<Condition> error) implements Outcome {
        public Rejected(Condition error) {
            this(Optional.of(error));
        }
    }

    /**
     * Not processed; to be delivered again, with changes.
     *
     * @param deliveryFailed the attempt counts in the header's delivery-count
     * @param undeliverableHere not to be delivered to the same consumer again
     * @param annotations to be merged into the message annotations; keys are the names of symbols, values may be
     *     null; may be empty
     */
    record Modified(boolean deliveryFailed, boolean undeliverableHere, Map<String, Object> annotations)
            implements Outcome {
        public Modified {
            annotations = Collections.unmodifiableMap(new LinkedHashMap<>(annotations));
        }
    }

    /**
     * The coordinator has begun a transaction (part 4, section 4.5.5).
     *
     * @param id by which it is known to its connection
     */
    record Declared(long id) implements Outcome {}

    Accepted ACCEPTED = new Accepted();
    Released RELEASED = new Released();
}
