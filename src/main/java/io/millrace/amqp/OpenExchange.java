package io.millrace.amqp;

import io.millrace.broker.Containers;
import io.millrace.message.Condition;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.transport.Open;

/**
 * What the two open frames say (AMQP 1.0, part 2, section 2.7.1), and whether a container may be here a second time (sole
 * connection for container, version 1.0). Owned by its connection.
 *
 * <p>A container is looked for only if it desires to be alone, so others may share a name: that is the weak way of detection.
 */
final class OpenExchange {
    private static final Symbol SOLE_CONNECTION = Symbol.valueOf("sole-connection-for-container");
    private static final Symbol ENFORCEMENT = Symbol.valueOf("sole-connection-enforcement-policy");
    private static final Symbol DETECTION = Symbol.valueOf("sole-connection-detection-policy");
    private static final Symbol ESTABLISHMENT_FAILED = Symbol.valueOf("amqp:connection-establishment-failed");
    private static final List<Symbol> OFFERED = List.of(
            Symbol.valueOf("ANONYMOUS-RELAY"),
            Symbol.valueOf("DELAYED_DELIVERY"),
            Symbol.valueOf("SHARED-SUBS"),
            SOLE_CONNECTION);
    private static final int CLOSE_EXISTING = 1;
    private static final int WEAK = 1;

    /** We would have to write all the time. */
    private static final long MIN_REMOTE_IDLE_MILLIS = 100;

    private final String version;
    private final Containers containers;
    private boolean claimed;
    private String container = "";

    /** @param version of the broker, told to the peer */
    OpenExchange(String version, Containers containers) {
        this.version = version;
        this.containers = containers;
    }

    /** What every open frame of ours offers. */
    static Symbol[] offered() {
        return OFFERED.toArray(new Symbol[0]);
    }

    /** The properties of an open frame that lets the peer in. */
    Map<Symbol, Object> properties() {
        Map<Symbol, Object> properties = new LinkedHashMap<>();
        properties.put(Symbol.valueOf("product"), "Millrace");
        properties.put(Symbol.valueOf("version"), version);
        if (claimed) {
            properties.put(DETECTION, UnsignedInteger.valueOf(WEAK));
        }
        return properties;
    }

    /** The properties of an open frame that says that a close follows. */
    Map<Symbol, Object> propertiesOfRefusal() {
        Map<Symbol, Object> properties = properties();
        properties.put(ESTABLISHMENT_FAILED, true);
        return properties;
    }

    static boolean desiresSoleConnection(Open open) {
        return open.getDesiredCapabilities() != null
                && Arrays.asList(open.getDesiredCapabilities()).contains(SOLE_CONNECTION);
    }

    /** What the peer says of its idle-time-out, in milliseconds; 0 for none. */
    static long idleMillis(Open open) {
        return open.getIdleTimeOut() == null ? 0 : open.getIdleTimeOut().longValue();
    }

    /** Why a peer that opens like this is not let in; empty if it may be. */
    static Optional<Condition> objection(Open open) {
        long idle = idleMillis(open);
        return idle > 0 && idle < MIN_REMOTE_IDLE_MILLIS
                ? Optional.of(new Condition(
                        Condition.NOT_ALLOWED,
                        "an idle-time-out of " + idle + " ms is too short; use at least " + MIN_REMOTE_IDLE_MILLIS
                                + " ms or none"))
                : Optional.empty();
    }

    /**
     * Asks whether the container is the only one of its name.
     *
     * @param answer why it may not be here; empty if it may
     * @param evicted told why, should another connection take its place later on
     */
    void claim(Open open, Object connection, Consumer<Optional<Condition>> answer, Consumer<Condition> evicted) {
        claimed = true;
        container = open.getContainerId();
        Object policy =
                open.getProperties() == null ? null : open.getProperties().get(ENFORCEMENT);
        boolean takeOver = policy instanceof Number number && number.intValue() == CLOSE_EXISTING;
        containers.claim(container, connection, takeOver, new Containers.Answer() {
            @Override
            public void claimed(boolean granted) {
                answer.accept(granted ? Optional.empty() : Optional.of(refusal()));
            }

            @Override
            public void takenOver() {
                evicted.accept(eviction());
            }
        });
    }

    /** The connection is over. */
    void release(Object connection) {
        if (claimed) {
            containers.release(container, connection);
        }
    }

    private Condition refusal() {
        return new Condition(
                Condition.INVALID_FIELD,
                "container \"" + container + "\" has a connection already and is to have only one: close that one, or"
                        + " choose another client id",
                Map.of("invalid-field", Symbol.valueOf("container-id")));
    }

    private Condition eviction() {
        return new Condition(
                Condition.RESOURCE_LOCKED,
                "another connection of container \"" + container + "\" has taken its place",
                Map.of("sole-connection-enforcement", true));
    }
}
