package io.millrace.selector;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.UUID;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.messaging.ApplicationProperties;
import org.apache.qpid.proton.amqp.messaging.MessageAnnotations;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** SQL filter expressions, where they differ from JMS selectors. */
class SqlFilterTest {
    private static final Candidate FULL = Sample.with(message -> {
        message.setPriority((short) 5);
        message.setTtl(700);
        message.setMessageId(new UUID(0, 1));
        message.setUserId("Bob".getBytes(StandardCharsets.UTF_8));
        message.setSubject("Order 5");
        message.setGroupSequence(4);
        message.setGroupId("g");
        message.setMessageAnnotations(new MessageAnnotations(Map.of(Symbol.valueOf("retries"), 2)));
        message.setApplicationProperties(new ApplicationProperties(
                Map.of("colour", "blue", "order status", "new", "a.b", 1, "JMSType", "mine", "n", 6)));
    });

    private static boolean matches(String expression) throws SelectorException {
        return Selector.parseSql(expression).matches(FULL);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "header.priority = 5",
                "h.priority > 4",
                "h.ttl = 700",
                "NOT h.durable",
                "h.first_acquirer",
                "h.delivery_count = 0",
                "properties.subject LIKE 'Order%'",
                "p.user_id = 'Bob'",
                "p.group_sequence % 2 = 0",
                "p.message_id = '00000000-0000-0000-0000-000000000001'",
                "p.reply_to IS NULL",
                "application_properties.colour = 'blue'",
                "a.colour = 'blue'",
                "colour = 'blue'",
                "colour != 'red'",
                "colour = \"blue\"",
                "[order status] = 'new'",
                "[a.b] = 1",
                "message_annotations.retries = 2",
                "m.retries = 2",
                "JMSType = 'mine'",
                "JMSPriority IS NULL",
                "a.missing IS NULL",
                "colour > 'aqua' AND colour < 'cyan'",
                "n IN (5, 6) AND colour NOT IN ('red', 'green')",
                "colour BETWEEN 'a' AND 'c'"
            })
    void namesSayInWhichSectionToLook(String expression) throws SelectorException {
        assertTrue(matches(expression), expression);
        assertFalse(matches("NOT (" + expression + ")"), expression);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "p.colour = 'x'|at character 1 of the selector: p.colour is not a field that selectors can look at",
                "header.subject = 'x'|header.subject is not a field",
                "footer.x = 1|footer.x is not a field",
                "d.x = 1|d.x is not a field",
                "p.absolute_expiry_time > UTC()|at character 26 of the selector: the function UTC is not supported",
                "p.user_id = 0x426F62|at character 13 of the selector: binary literals",
                "[colour = 1|at character 1 of the selector: this name in brackets has no end; ] is missing"
            })
    void whatIsNotSupportedIsRefused(String expression, String problem) {
        String refusal = assertThrows(SelectorException.class, () -> Selector.parseSql(expression))
                .getMessage();
        assertTrue(refusal.contains(problem), refusal);
    }

    @Test
    void jmsSelectorsKnowNoneOfThis() {
        assertThrows(SelectorException.class, () -> Selector.parse("[colour] = 'blue'"));
        assertThrows(SelectorException.class, () -> Selector.parse("colour > 'aqua'"));
    }
}
