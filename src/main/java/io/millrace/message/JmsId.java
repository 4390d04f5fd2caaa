package io.millrace.message;

import java.util.HexFormat;
import org.apache.qpid.proton.amqp.Binary;

/**
 * The texts by which JMS applications know a message-id and a correlation-id, which on the wire are of four types. They are
 * those that Qpid JMS shows and takes: a text without {@code ID:} stays recognisable, another type is named by a prefix, and
 * a text that only looks like such a prefix is escaped.
 */
public final class JmsId {
    private static final String ID = "ID:";
    private static final HexFormat HEX = HexFormat.of().withUpperCase();

    private JmsId() {}

    /** The JMSMessageID of a message-id as {@link Message#messageId} gives it; empty when that is empty. */
    public static String ofMessageId(Object id) {
        boolean marked = id instanceof String text && !text.isEmpty() && !text.startsWith(ID);
        return marked ? "ID:AMQP_NO_PREFIX:" + id : ofCorrelationId(id);
    }

    /** The JMSCorrelationID of a correlation-id as {@link Message#correlationId} gives it; empty when that is empty. */
    public static String ofCorrelationId(Object id) {
        if (id instanceof String text) {
            return looksEncoded(text) ? "ID:AMQP_STRING:" + text : text;
        }
        if (id instanceof Binary binary) {
            return "ID:AMQP_BINARY:"
                    + HEX.formatHex(
                            binary.getArray(), binary.getArrayOffset(), binary.getArrayOffset() + binary.getLength());
        }
        return (id instanceof Number ? "ID:AMQP_ULONG:" : "ID:AMQP_UUID:") + id;
    }

    private static boolean looksEncoded(String text) {
        return text.startsWith("ID:AMQP_")
                && (text.startsWith("BINARY:", 8)
                        || text.startsWith("UUID:", 8)
                        || text.startsWith("ULONG:", 8)
                        || text.startsWith("STRING:", 8)
                        || text.startsWith("NO_PREFIX:", 8));
    }
}
