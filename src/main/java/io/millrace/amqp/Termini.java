package io.millrace.amqp;

import io.millrace.broker.Lifetime;
import io.millrace.broker.Node;
import io.millrace.broker.NodeType;
import io.millrace.broker.Terms;
import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import io.millrace.selector.SelectorException;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.messaging.DeleteOnClose;
import org.apache.qpid.proton.amqp.messaging.LifetimePolicy;
import org.apache.qpid.proton.amqp.messaging.Released;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.messaging.Terminus;
import org.apache.qpid.proton.amqp.messaging.TerminusDurability;
import org.apache.qpid.proton.amqp.messaging.TerminusExpiryPolicy;
import org.apache.qpid.proton.amqp.transport.Attach;

/**
 * What a peer asks of the ends of a link, and what of it is in force (AMQP 1.0, part 3, section 3.5). Answers say what we do,
 * never what was merely asked.
 */
final class Termini {
    private static final Symbol COPY = Symbol.valueOf("copy");
    private static final Symbol MOVE = Symbol.valueOf("move");
    private static final Symbol LIFETIME_POLICY = Symbol.valueOf("lifetime-policy");
    private static final Symbol SUPPORTED_DIST_MODES = Symbol.valueOf("supported-dist-modes");
    private static final Symbol SHARED = Symbol.valueOf("shared");
    private static final Symbol GLOBAL = Symbol.valueOf("global");
    private static final Symbol DELAYED_DELIVERY = Symbol.valueOf("DELAYED_DELIVERY");
    private static final Symbol TOPIC = Symbol.valueOf("topic");
    private static final Map<Symbol, NodeType> TYPES = Map.of(
            Symbol.valueOf("queue"),
            NodeType.QUEUE,
            Symbol.valueOf("temporary-queue"),
            NodeType.QUEUE,
            TOPIC,
            NodeType.TOPIC,
            Symbol.valueOf("temporary-topic"),
            NodeType.TOPIC);
    private static final Symbol[] ALL_OUTCOMES = {
        Outcomes.ACCEPTED, Outcomes.REJECTED, Outcomes.RELEASED, Outcomes.MODIFIED
    };
    private static final Symbol[] OUTCOMES_OF_QUEUES = {Outcomes.ACCEPTED, Outcomes.REJECTED};

    private Termini() {}

    static Condition stolen(String name) {
        return new Condition(Condition.LINK_STOLEN, "link \"" + name + "\" was attached again by the same container");
    }

    /** Why a peer cannot send to this; empty when it can. */
    static Optional<Condition> refusalOfTarget(Object asked) {
        if (!(asked instanceof Target target)) {
            return Optional.of(new Condition(
                    Condition.INVALID_FIELD, "the attach has no target; set one with an address, or without for any"));
        }
        return refusalOfDynamic(target);
    }

    /** Whether the node that is to be made can be made so (sections 3.5.3, 3.5.4 and 3.5.9). */
    private static Optional<Condition> refusalOfDynamic(Terminus terminus) {
        if (!terminus.getDynamic()) {
            boolean asksProperties = terminus.getDynamicNodeProperties() != null
                    && !terminus.getDynamicNodeProperties().isEmpty();
            return asksProperties ? invalid("dynamic-node-properties are for a dynamic node only") : Optional.empty();
        }
        if (!address(terminus).isEmpty()) {
            return invalid("a dynamic node gets its address from the broker; leave \"" + terminus.getAddress()
                    + "\" out, or dynamic");
        }
        if (terminus.getDynamicNodeProperties() == null) {
            return Optional.empty();
        }
        Map<?, ?> properties = terminus.getDynamicNodeProperties();
        Object lifetime = properties.get(LIFETIME_POLICY);
        if (lifetime != null && !(lifetime instanceof LifetimePolicy)) {
            return invalid("the lifetime-policy " + lifetime + " is not one of the specification");
        }
        Object modes = properties.get(SUPPORTED_DIST_MODES);
        List<?> wanted =
                modes instanceof Object[] several ? Arrays.asList(several) : modes == null ? List.of() : List.of(modes);
        return wanted.stream()
                .filter(mode -> !MOVE.equals(mode) && !COPY.equals(mode))
                .findFirst()
                .flatMap(mode -> invalid("the distribution mode " + mode + " is neither move nor copy"));
    }

    private static Optional<Condition> invalid(String description) {
        return Optional.of(new Condition(Condition.INVALID_FIELD, description));
    }

    /** Why a peer cannot receive from this; empty when it can. */
    static Optional<Condition> refusalOfSource(Object asked) {
        if (!(asked instanceof Source source)) {
            return invalid("the source is not one to receive messages from");
        }
        if (!source.getDynamic()
                && (source.getAddress() == null || source.getAddress().isEmpty())) {
            return invalid("the source has no address; name a queue or topic, or ask for a dynamic one");
        }
        return refusalOfDynamic(source);
    }

    private static List<Symbol> capabilities(Terminus terminus) {
        return terminus.getCapabilities() == null ? List.of() : Arrays.asList(terminus.getCapabilities());
    }

    static boolean dynamic(Object terminus) {
        return terminus instanceof Terminus asked && asked.getDynamic();
    }

    /** What the peer says that the node is; the first word counts. */
    static Optional<NodeType> type(Object terminus) {
        return terminus instanceof Terminus asked
                ? capabilities(asked).stream()
                        .flatMap(each -> Stream.ofNullable(TYPES.get(each)))
                        .findFirst()
                : Optional.empty();
    }

    /** The terms of a subscription, should the source be a topic. */
    static Terms terms(Source asked, SourceFilters filters) throws SelectorException {
        List<Symbol> capabilities = capabilities(asked);
        Lifetime lifetime = new Lifetime(until(asked), timeout(asked));
        return new Terms(
                asksDurable(asked),
                capabilities.contains(SHARED),
                capabilities.contains(GLOBAL),
                filters.selector(),
                filters.noLocal(),
                lifetime);
    }

    /** One that keeps its state over a restart keeps it for ever, until it is closed. */
    private static boolean asksDurable(Source asked) {
        return asked.getDurable() != null
                && asked.getDurable() != TerminusDurability.NONE
                && asked.getExpiryPolicy() == TerminusExpiryPolicy.NEVER;
    }

    private static Lifetime.Until until(Source asked) {
        if (asked.getExpiryPolicy() == null) {
            return Lifetime.Until.SESSION_END;
        }
        return switch (asked.getExpiryPolicy()) {
            case LINK_DETACH -> Lifetime.Until.LINK_DETACH;
            case SESSION_END -> Lifetime.Until.SESSION_END;
            case CONNECTION_CLOSE -> Lifetime.Until.CONNECTION_CLOSE;
            case NEVER -> Lifetime.Until.NEVER;
        };
    }

    private static Duration timeout(Source asked) {
        return asked.getTimeout() == null
                ? Duration.ZERO
                : Duration.ofSeconds(asked.getTimeout().longValue());
    }

    /** Whether a link without a source speaks of a name that belongs to all containers. */
    static boolean global(Symbol[] desired) {
        return desired != null && Arrays.asList(desired).contains(GLOBAL);
    }

    static String address(Object terminus) {
        return terminus instanceof Terminus asked && asked.getAddress() != null ? asked.getAddress() : "";
    }

    static boolean anonymous(Object target) {
        return !dynamic(target) && address(target).isEmpty();
    }

    static boolean browses(Object source) {
        return source instanceof Source asked && COPY.equals(asked.getDistributionMode());
    }

    /** The outcome of a delivery that is settled without one. */
    static Outcome defaultOutcome(Object source) {
        return source instanceof Source asked
                ? Outcomes.decode(asked.getDefaultOutcome()).orElse(Outcome.RELEASED)
                : Outcome.RELEASED;
    }

    /** The source in force on a link that a peer receives from. */
    static Source source(Source asked, Node node, SourceFilters filters) {
        Source source = new Source();
        copy(asked, source, Optional.of(node));
        source.setDistributionMode(browses(asked) ? COPY : MOVE);
        source.setDefaultOutcome(
                (org.apache.qpid.proton.amqp.messaging.Outcome) Outcomes.encode(defaultOutcome(asked)));
        source.setOutcomes(ALL_OUTCOMES);
        boolean noLocal = node.subscription().map(Terms::noLocal).orElse(false);
        Map<Symbol, Object> inForce = filters.inForce(node.type(), noLocal);
        if (!inForce.isEmpty()) {
            source.setFilter(inForce);
        }
        if (node.subscription().map(Terms::durable).orElse(false)) {
            source.setDurable(asked.getDurable());
        }
        return source;
    }

    /** The source of a durable subscription that a peer looks up. */
    static Source source(Node node) {
        Terms terms = node.subscription().orElseThrow();
        Source source = new Source();
        source.setAddress(node.address());
        source.setDurable(TerminusDurability.UNSETTLED_STATE);
        source.setExpiryPolicy(TerminusExpiryPolicy.NEVER);
        source.setDistributionMode(COPY);
        source.setDefaultOutcome(Released.getInstance());
        source.setOutcomes(ALL_OUTCOMES);
        List<Symbol> capabilities = new ArrayList<>(List.of(TOPIC));
        if (terms.shared()) {
            capabilities.add(SHARED);
        }
        if (terms.global()) {
            capabilities.add(GLOBAL);
        }
        source.setCapabilities(capabilities.toArray(new Symbol[0]));
        Map<Symbol, Object> filters = SourceFilters.of(terms.selector(), terms.noLocal());
        if (!filters.isEmpty()) {
            source.setFilter(filters);
        }
        return source;
    }

    /** The target in force on a link that a peer receives from: it is the peer's own. */
    static org.apache.qpid.proton.amqp.transport.Target targetOfOutgoing(
            org.apache.qpid.proton.amqp.transport.Target asked) {
        return asked == null ? new Target() : asked;
    }

    /** The target in force on a link that a peer sends to; without a node, each message says where it goes. */
    static Target target(Object asked, Optional<Node> node) {
        Target target = new Target();
        copy((Target) asked, target, node);
        return target;
    }

    /** Offers a sender what it desires of its link and we can: Qpid JMS asks there where its connection was not told. */
    static void offer(Attach answer, Attach asked) {
        if (asked.getDesiredCapabilities() != null
                && Arrays.asList(asked.getDesiredCapabilities()).contains(DELAYED_DELIVERY)) {
            answer.setOfferedCapabilities(DELAYED_DELIVERY);
        }
    }

    /** The source in force on a link that a peer sends to: it is the peer's own, with the outcomes that it will see. */
    static Source sourceOfIncoming(Object asked) {
        Source source = asked instanceof Source given ? (Source) given.copy() : new Source();
        if (source.getOutcomes() == null || source.getOutcomes().length == 0) {
            source.setOutcomes(OUTCOMES_OF_QUEUES);
        }
        return source;
    }

    private static void copy(Terminus asked, Terminus answer, Optional<Node> node) {
        answer.setAddress(asked.getAddress());
        answer.setDurable(TerminusDurability.NONE);
        answer.setExpiryPolicy(asked.getExpiryPolicy());
        answer.setTimeout(asked.getTimeout());
        if (asked.getDynamic() && node.isPresent()) {
            answer.setAddress(node.get().address());
            answer.setDynamic(true);
            answer.setDynamicNodeProperties(Map.of(LIFETIME_POLICY, DeleteOnClose.getInstance()));
        }
        Optional<Terms> terms = node.flatMap(Node::subscription);
        Symbol[] capabilities = capabilities(asked).stream()
                .filter(each -> TYPES.containsKey(each)
                        || (each.equals(SHARED) && terms.map(Terms::shared).orElse(false))
                        || (each.equals(GLOBAL) && terms.map(Terms::global).orElse(false)))
                .toArray(Symbol[]::new);
        if (capabilities.length > 0) {
            answer.setCapabilities(capabilities);
        }
    }

    /**
     * The outcome to tell a sender, in words that its source says it knows. A sender that knows no outcome which means
     * "refused" cannot be told: then it is empty.
     */
    static Optional<Outcome> understood(Outcome outcome, Object source) {
        if (!(outcome instanceof Outcome.Rejected)
                || !(source instanceof Source given)
                || given.getOutcomes() == null
                || given.getOutcomes().length == 0) {
            return Optional.of(outcome);
        }
        List<Symbol> known = Arrays.asList(given.getOutcomes());
        if (known.contains(Outcomes.REJECTED)) {
            return Optional.of(outcome);
        }
        if (known.contains(Outcomes.MODIFIED)) {
            return Optional.of(new Outcome.Modified(true, true, Map.of()));
        }
        return known.contains(Outcomes.RELEASED) ? Optional.of(Outcome.RELEASED) : Optional.empty();
    }

    /** The largest message that the peer takes; 0 and nothing mean any (section 2.7.3). */
    static long maxMessageSize(Attach asked) {
        if (asked.getMaxMessageSize() == null) {
            return Long.MAX_VALUE;
        }
        BigInteger size = asked.getMaxMessageSize().bigIntegerValue();
        return size.signum() == 0 || size.bitLength() > 63 ? Long.MAX_VALUE : size.longValue();
    }
}
