package io.millrace.amqp;

import io.millrace.broker.Node;
import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.qpid.proton.amqp.DescribedType;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.messaging.DeleteOnClose;
import org.apache.qpid.proton.amqp.messaging.LifetimePolicy;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.messaging.Terminus;
import org.apache.qpid.proton.amqp.messaging.TerminusDurability;

/**
 * What a peer asks of the ends of a link, and what of it is in force (AMQP 1.0, part 3, section 3.5). Answers say what we do,
 * never what was merely asked.
 */
final class Termini {
    private static final Symbol COPY = Symbol.valueOf("copy");
    private static final Symbol MOVE = Symbol.valueOf("move");
    private static final Symbol LIFETIME_POLICY = Symbol.valueOf("lifetime-policy");
    private static final Symbol SUPPORTED_DIST_MODES = Symbol.valueOf("supported-dist-modes");
    private static final Set<Symbol> KNOWN = Set.of(Symbol.valueOf("queue"), Symbol.valueOf("temporary-queue"));
    private static final Set<Symbol> NOT_YET = Set.of(
            Symbol.valueOf("topic"),
            Symbol.valueOf("temporary-topic"),
            Symbol.valueOf("shared"),
            Symbol.valueOf("global"));
    private static final Set<Object> SELECTOR =
            Set.of(UnsignedLong.valueOf(0x468C00000004L), Symbol.valueOf("apache.org:selector-filter:string"));
    private static final Set<Object> NO_LOCAL =
            Set.of(UnsignedLong.valueOf(0x468C00000003L), Symbol.valueOf("apache.org:no-local-filter:list"));
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
        return refusalOfDynamic(target).or(() -> refusalOfCapabilities(target));
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
    static Optional<Condition> refusalOfSource(Object asked, String link) {
        if (!(asked instanceof Source source)) {
            return Optional.of(new Condition(Condition.NOT_FOUND, "there is no subscription \"" + link + "\""));
        }
        if (!source.getDynamic()
                && (source.getAddress() == null || source.getAddress().isEmpty())) {
            return Optional.of(new Condition(
                    Condition.INVALID_FIELD, "the source has no address; name a queue, or ask for a dynamic one"));
        }
        return refusalOfDynamic(source).or(() -> refusalOfCapabilities(source)).or(() -> refusalOfFilters(source));
    }

    private static Optional<Condition> refusalOfCapabilities(Terminus terminus) {
        return capabilities(terminus).stream()
                .filter(NOT_YET::contains)
                .findFirst()
                .flatMap(capability -> notImplemented("the capability \"" + capability + "\" of "
                        + (terminus.getAddress() == null ? "the node" : "\"" + terminus.getAddress() + "\"")
                        + " is not supported: this broker has queues only"));
    }

    private static Optional<Condition> refusalOfFilters(Source source) {
        if (source.getFilter() == null) {
            return Optional.empty();
        }
        for (Object filter : ((Map<?, ?>) source.getFilter()).values()) {
            if (filter instanceof DescribedType described) {
                if (SELECTOR.contains(described.getDescriptor())) {
                    return notImplemented("selectors are not supported on \"" + source.getAddress()
                            + "\"; receive without one and choose in the client");
                }
                if (NO_LOCAL.contains(described.getDescriptor())) {
                    return notImplemented("no-local is not supported on \"" + source.getAddress() + "\"");
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<Condition> notImplemented(String description) {
        return Optional.of(new Condition(Condition.NOT_IMPLEMENTED, description));
    }

    private static List<Symbol> capabilities(Terminus terminus) {
        return terminus.getCapabilities() == null ? List.of() : Arrays.asList(terminus.getCapabilities());
    }

    static boolean dynamic(Object terminus) {
        return terminus instanceof Terminus asked && asked.getDynamic();
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
    static Source source(Object asked, Node node) {
        Source wanted = (Source) asked;
        Source source = new Source();
        copy(wanted, source, Optional.of(node));
        source.setDistributionMode(browses(wanted) ? COPY : MOVE);
        source.setDefaultOutcome(
                (org.apache.qpid.proton.amqp.messaging.Outcome) Outcomes.encode(defaultOutcome(wanted)));
        source.setOutcomes(ALL_OUTCOMES);
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
        Symbol[] capabilities =
                capabilities(asked).stream().filter(KNOWN::contains).toArray(Symbol[]::new);
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
}
