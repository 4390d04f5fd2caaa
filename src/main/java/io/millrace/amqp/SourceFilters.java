package io.millrace.amqp;

import io.millrace.broker.NodeType;
import io.millrace.message.Condition;
import io.millrace.queue.Selection;
import io.millrace.selector.PropertiesFilter;
import io.millrace.selector.Selector;
import io.millrace.selector.SelectorException;
import java.util.ArrayList;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.qpid.proton.amqp.DescribedType;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.messaging.Source;

/**
 * The filters that a peer puts on a source, and which of them are in force (AMQP 1.0, part 3, section 3.5.8; the descriptors
 * are those of the Apache filter types and of AMQP Filter Expressions 1.0). A filter is known by its descriptor, whatever its key. One that we do not know is not
 * in force, and the answer does not have it. A bare string is taken for a selector if its key says so, because there are clients
 * that describe nothing.
 */
final class SourceFilters {
    private static final Set<Object> SELECTOR =
            Set.of(UnsignedLong.valueOf(0x468C00000004L), Symbol.valueOf("apache.org:selector-filter:string"));
    private static final Set<Object> NO_LOCAL =
            Set.of(UnsignedLong.valueOf(0x468C00000003L), Symbol.valueOf("apache.org:no-local-filter:list"));
    private static final Set<Object> PROPERTIES =
            Set.of(UnsignedLong.valueOf(0x173), Symbol.valueOf("amqp:properties-filter"));
    private static final Set<Object> APPLICATION_PROPERTIES =
            Set.of(UnsignedLong.valueOf(0x174), Symbol.valueOf("amqp:application-properties-filter"));
    private static final Set<Object> SQL = Set.of(UnsignedLong.valueOf(0x120), Symbol.valueOf("amqp:sql-filter"));
    private static final Symbol OFFSET = Symbol.valueOf("rabbitmq:stream-offset-spec");

    private final Map<Symbol, Object> known = new LinkedHashMap<>();
    private final List<String> selectors = new ArrayList<>();
    private final List<Selector> expressions = new ArrayList<>();
    private final Map<Symbol, Object> ofTopics = new LinkedHashMap<>();
    private final Map<Symbol, Object> ofQueues = new LinkedHashMap<>();
    private Optional<Selection.Start> start = Optional.empty();

    static final SourceFilters NONE = new SourceFilters();

    private SourceFilters() {}

    /**
     * Reads them.
     *
     * @throws SelectorException if a selector cannot be parsed
     */
    static SourceFilters of(Source source) throws SelectorException {
        SourceFilters filters = new SourceFilters();
        if (source.getFilter() != null) {
            for (Object each : source.getFilter().entrySet()) {
                Map.Entry<?, ?> filter = (Map.Entry<?, ?>) each;
                filters.read(Symbol.valueOf(String.valueOf(filter.getKey())), filter.getValue());
            }
        }
        return filters;
    }

    private void read(Symbol key, Object filter) throws SelectorException {
        if (filter instanceof DescribedType described) {
            Object descriptor = described.getDescriptor();
            Object value = described.getDescribed();
            if (SELECTOR.contains(descriptor) && value instanceof String text) {
                select(key, filter, text);
            } else if (SQL.contains(descriptor) && value instanceof String text) {
                express(key, filter, Selector.parseSql(text));
            } else if (PROPERTIES.contains(descriptor) && value instanceof Map<?, ?> fields) {
                express(key, filter, PropertiesFilter.ofProperties(fields));
            } else if (APPLICATION_PROPERTIES.contains(descriptor) && value instanceof Map<?, ?> fields) {
                express(key, filter, PropertiesFilter.ofApplicationProperties(fields));
            } else if (NO_LOCAL.contains(descriptor)) {
                ofTopics.put(key, filter);
            } else if (OFFSET.equals(descriptor)) {
                beginAt(key, filter, value);
            }
        } else if (filter instanceof String text && key.toString().contains("selector")) {
            select(key, filter, text);
        }
    }

    private void select(Symbol key, Object filter, String text) throws SelectorException {
        if (!text.isBlank()) {
            Selector.parse(text);
            selectors.add(text);
        }
        known.put(key, filter);
    }

    private void express(Symbol key, Object filter, Selector expression) {
        expressions.add(expression);
        known.put(key, filter);
    }

    private void beginAt(Symbol key, Object filter, Object where) {
        if (where instanceof Date time) {
            start = Optional.of(new Selection.Start(Selection.Start.Kind.TIME, time.getTime()));
        } else {
            start = switch (String.valueOf(where).toLowerCase(Locale.ROOT)) {
                case "first" -> Optional.of(Selection.Start.first());
                case "last" -> Optional.of(new Selection.Start(Selection.Start.Kind.LAST, 0));
                case "next" -> Optional.of(new Selection.Start(Selection.Start.Kind.NEXT, 0));
                default -> start;
            };
        }
        if (start.isPresent()) {
            ofQueues.put(key, filter);
        }
    }

    static Condition wrong(SelectorException e) {
        return new Condition(Condition.INVALID_FIELD, "the filter is wrong: " + e.getMessage());
    }

    /** All selectors as one (section 3.5.8: a message must pass every filter). */
    Optional<Selector> selector() throws SelectorException {
        List<Selector> all = new ArrayList<>(expressions);
        if (!selectors.isEmpty()) {
            // One text, because that is what the store keeps of a durable subscription.
            String text = selectors.size() == 1 ? selectors.get(0) : "(" + String.join(") AND (", selectors) + ")";
            all.add(Selector.parse(text));
        }
        return all.isEmpty() ? Optional.empty() : Optional.of(Selector.all(all));
    }

    /** Why they cannot be the filters of a durable subscription. */
    Optional<Condition> refusalOfDurable() {
        return expressions.isEmpty()
                ? Optional.empty()
                : Optional.of(new Condition(
                        Condition.NOT_IMPLEMENTED,
                        "a durable subscription cannot have a properties or SQL filter; use a JMS selector"
                                + " (apache.org:selector-filter:string)"));
    }

    boolean noLocal() {
        return !ofTopics.isEmpty();
    }

    /** Where to begin in a queue that keeps what was consumed. */
    Optional<Selection.Start> start() {
        return start;
    }

    /** What an answer has of them. */
    Map<Symbol, Object> inForce(NodeType type, boolean noLocal) {
        Map<Symbol, Object> inForce = new LinkedHashMap<>(known);
        if (type == NodeType.QUEUE) {
            inForce.putAll(ofQueues);
        } else if (noLocal) {
            inForce.putAll(ofTopics);
        }
        return inForce;
    }

    /** The filters of a subscription that its own link did not ask for again. */
    static Map<Symbol, Object> of(Optional<Selector> selector, boolean noLocal) {
        Map<Symbol, Object> filters = new LinkedHashMap<>();
        selector.ifPresent(each -> filters.put(
                Symbol.valueOf("jms-selector"), described(UnsignedLong.valueOf(0x468C00000004L), each.text())));
        if (noLocal) {
            filters.put(Symbol.valueOf("no-local"), described(UnsignedLong.valueOf(0x468C00000003L), List.of()));
        }
        return filters;
    }

    private static DescribedType described(Object descriptor, Object value) {
        return new DescribedType() {
            @Override
            public Object getDescriptor() {
                return descriptor;
            }

            @Override
            public Object getDescribed() {
                return value;
            }
        };
    }
}
