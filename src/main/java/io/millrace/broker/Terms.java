package io.millrace.broker;

import io.millrace.selector.Selector;
import java.util.Optional;

/**
 * The terms on which somebody subscribes to a topic.
 *
 * @param durable it keeps messages while nobody is there, also over a restart
 * @param shared several links may receive from it, each a part of the messages
 * @param global its name is that of no container, but of all of them
 * @param selector which messages it takes
 * @param noLocal it takes no messages that its own container sent
 * @param lifetime how long it stays without a link; never over a restart unless it is durable
 */
public record Terms(
        boolean durable,
        boolean shared,
        boolean global,
        Optional<Selector> selector,
        boolean noLocal,
        Lifetime lifetime) {
    /** Everything, as long as the link is there. */
    public static final Terms PLAIN = new Terms(false, false, false, Optional.empty(), false, Lifetime.OF_LINK);

    String selectorText() {
        return selector.map(Selector::text).orElse("");
    }
}
