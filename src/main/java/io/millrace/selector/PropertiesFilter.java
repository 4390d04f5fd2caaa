package io.millrace.selector;

import io.millrace.message.Message;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A filter that names fields and the values they must have, all of them (AMQP Filter Expressions 1.0, sections 4.2.4 and
 * 4.2.5). A string that starts with {@code &p:} or {@code &s:} asks for a prefix or suffix; one that starts with
 * {@code &&} for itself without the first character.
 */
public final class PropertiesFilter implements Selector {
    private static final int MAX_FIELDS = 32;

    private final Section section;
    private final List<Wanted> wanted;

    private PropertiesFilter(Section section, List<Wanted> wanted) {
        this.section = section;
        this.wanted = wanted;
    }

    /**
     * The properties filter, whose descriptor is {@code amqp:properties-filter}, 0x173.
     *
     * @param fields names of fields of the properties section, and values as the codec decodes them
     * @throws SelectorException if a name is not that of a field, or a value cannot be compared
     */
    public static PropertiesFilter ofProperties(Map<?, ?> fields) throws SelectorException {
        return of(Section.PROPERTIES, fields);
    }

    /**
     * The application properties filter, whose descriptor is {@code amqp:application-properties-filter}, 0x174.
     *
     * @param fields names of application properties, and values as the codec decodes them
     * @throws SelectorException if a value cannot be compared
     */
    public static PropertiesFilter ofApplicationProperties(Map<?, ?> fields) throws SelectorException {
        return of(Section.APPLICATION_PROPERTIES, fields);
    }

    private static PropertiesFilter of(Section section, Map<?, ?> fields) throws SelectorException {
        if (fields.isEmpty() || fields.size() > MAX_FIELDS) {
            throw new SelectorException("the " + section.filterName + " names " + fields.size()
                    + " fields; it must name 1 to " + MAX_FIELDS);
        }
        // Sorted, so that two filters that want the same have the same text.
        Map<String, Wanted> wanted = new TreeMap<>();
        for (Map.Entry<?, ?> field : fields.entrySet()) {
            String name = String.valueOf(field.getKey());
            if (section == Section.PROPERTIES && !Message.propertyNames().contains(name)) {
                throw new SelectorException("the " + section.filterName + " names the field " + name
                        + "; the fields are " + String.join(", ", Message.propertyNames()));
            }
            wanted.put(name, Wanted.of(name, field.getValue()));
        }
        return new PropertiesFilter(section, List.copyOf(wanted.values()));
    }

    @Override
    public boolean matches(Candidate candidate) {
        for (Wanted field : wanted) {
            if (!section.matches(field, candidate.message())) {
                return false;
            }
        }
        return true;
    }

    @Override
    public String text() {
        return section.filterName + wanted;
    }

    /** Where to look. */
    private enum Section {
        PROPERTIES("properties-filter") {
            @Override
            boolean matches(Wanted field, Message message) {
                Object value = message.property(field.name());
                return field.rule() == Rule.ANYTHING || (!value.equals("") && field.matches(value));
            }
        },
        APPLICATION_PROPERTIES("application-properties-filter") {
            @Override
            boolean matches(Wanted field, Message message) {
                return message.hasApplicationProperty(field.name())
                        && field.matches(message.applicationProperty(field.name()));
            }
        };

        private final String filterName;

        Section(String filterName) {
            this.filterName = filterName;
        }

        abstract boolean matches(Wanted field, Message message);
    }

    /** How a value is compared. */
    private enum Rule {
        ANYTHING,
        PREFIX,
        SUFFIX,
        TEXT,
        VALUE
    }

    /** One field and what it must be. */
    private record Wanted(String name, Rule rule, Object reference) {
        static Wanted of(String name, Object reference) throws SelectorException {
            if (reference == null) {
                return new Wanted(name, Rule.ANYTHING, "");
            }
            if (reference instanceof CharSequence) {
                return ofText(name, reference.toString());
            }
            if (reference instanceof Map
                    || reference instanceof List
                    || reference.getClass().isArray()) {
                throw new SelectorException(
                        "the value for " + name + " is a list or map; fields are compared with simple values only");
            }
            return new Wanted(name, Rule.VALUE, reference);
        }

        private static Wanted ofText(String name, String text) throws SelectorException {
            if (!text.startsWith("&")) {
                return new Wanted(name, Rule.TEXT, text);
            }
            if (text.startsWith("&&")) {
                return new Wanted(name, Rule.TEXT, text.substring(1));
            }
            if (text.startsWith("&p:")) {
                return new Wanted(name, Rule.PREFIX, text.substring(3));
            }
            if (text.startsWith("&s:")) {
                return new Wanted(name, Rule.SUFFIX, text.substring(3));
            }
            throw new SelectorException("the value " + text + " for " + name
                    + " starts with & but neither with &p: nor &s:; write && for one &");
        }

        boolean matches(Object value) {
            return switch (rule) {
                case ANYTHING -> true;
                case PREFIX ->
                    value instanceof CharSequence text && text.toString().startsWith((String) reference);
                case SUFFIX ->
                    value instanceof CharSequence text && text.toString().endsWith((String) reference);
                case TEXT ->
                    value instanceof CharSequence text && text.toString().equals(reference);
                case VALUE -> equal(value);
            };
        }

        private boolean equal(Object value) {
            boolean numbers = value instanceof Number && reference instanceof Number;
            return numbers
                    ? Comparison.Operator.EQUAL.holds(Numbers.valueOf(value), Numbers.valueOf(reference), Dialect.SQL)
                    : reference.equals(value);
        }

        @Override
        public String toString() {
            return name + " " + rule + " " + reference;
        }
    }
}
