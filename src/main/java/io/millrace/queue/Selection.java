package io.millrace.queue;

import java.util.Optional;
import java.util.function.Predicate;

/**
 * What a consumer wants of a queue.
 *
 * @param browse it sees copies of what is in the queue now, in order, once, and acquires nothing
 * @param filter which messages it wants; empty for all
 * @param priority consumers with a higher one are served before others, as long as they have credit; 0 by default
 * @param start of a queue that keeps what was consumed: where to begin
 */
public record Selection(boolean browse, Optional<Predicate<Delivery>> filter, int priority, Start start) {
    /** Everything, to be consumed. */
    public static final Selection CONSUME = new Selection(false, Optional.empty(), 0, Start.first());

    /** Everything, to be looked at. */
    public static final Selection BROWSE = new Selection(true, Optional.empty(), 0, Start.first());

    /** With a filter. */
    public Selection matching(Predicate<Delivery> wanted) {
        return new Selection(browse, Optional.of(wanted), priority, start);
    }

    /** With another priority. */
    public Selection withPriority(int other) {
        return new Selection(browse, filter, other, start);
    }

    /** With another place to begin. */
    public Selection from(Start other) {
        return new Selection(browse, filter, priority, other);
    }

    /**
     * Where a consumer begins in a queue that keeps what was consumed.
     *
     * @param kind how the place is told
     * @param millis for {@link Kind#TIME}: the first message that arrived then or later, in milliseconds since 1970
     */
    public record Start(Kind kind, long millis) {
        /** How the place is told. */
        public enum Kind {
            FIRST,
            LAST,
            NEXT,
            TIME
        }

        /** With the oldest message. */
        public static Start first() {
            return new Start(Kind.FIRST, 0);
        }
    }
}
