package io.millrace.selector;

import java.util.List;

/** Says which messages a consumer wants. Immutable, so it may be shared by all loops. */
public interface Selector {
    /** Whether the message is wanted. Never fails, whatever is in the message. */
    boolean matches(Candidate candidate);

    /** The selector as it was given, for people and for comparing two of them. */
    String text();

    /**
     * Reads a JMS selector; a blank one wants every message. Besides what JMS defines, these names may be used:
     * {@code amqp.correlation_id} and the like for fields of the header and the properties, and {@code "m.x-opt-name"}
     * for a message annotation. A quoted name is that of an application property or, when a message has no such property,
     * of a message annotation.
     *
     * @throws SelectorException if it is not one, or too long or too deep
     */
    static Selector parse(String expression) throws SelectorException {
        return ParsedSelector.parse(expression, Dialect.JMS);
    }

    /**
     * Reads an AMQP SQL filter expression (AMQP Filter Expressions 1.0, section 5), whose names may say in which section
     * to look: {@code header.priority}, {@code p.subject}, {@code application_properties.colour},
     * {@code m.retries}. Double quotes enclose strings, and square brackets names. Functions, binary literals and fields
     * within fields are not supported.
     *
     * @throws SelectorException if it is not one, or too long or too deep
     */
    static Selector parseSql(String expression) throws SelectorException {
        return ParsedSelector.parse(expression, Dialect.SQL);
    }

    /** Wants what all of these want (AMQP 1.0, part 3, section 3.5.8); every message when there are none. */
    static Selector all(List<Selector> selectors) {
        return selectors.size() == 1 ? selectors.get(0) : new Conjunction(selectors);
    }
}
