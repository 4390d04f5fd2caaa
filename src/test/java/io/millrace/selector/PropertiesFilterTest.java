package io.millrace.selector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Message;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedByte;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PropertiesFilterTest {
    private static final Candidate EMPTY = Sample.with(message -> {});

    @Nested
    class OfProperties {
        private final Candidate full = Sample.with(message -> {
            message.setMessageId(new UUID(0, 1));
            message.setUserId(new byte[] {1, 2});
            message.setAddress("orders");
            message.setSubject("Order 5");
            message.setReplyTo("answers");
            message.setCorrelationId(UnsignedLong.valueOf(7));
            message.setContentType("text/plain");
            message.setContentEncoding("gzip");
            message.setExpiryTime(2000);
            message.setCreationTime(1000);
            message.setGroupId("group");
            message.setGroupSequence(3);
            message.setReplyToGroupId("other");
        });

        private Map<Symbol, Object> everyField() {
            Map<Symbol, Object> fields = new LinkedHashMap<>();
            fields.put(Symbol.valueOf("message-id"), new UUID(0, 1));
            fields.put(Symbol.valueOf("user-id"), new Binary(new byte[] {1, 2}));
            fields.put(Symbol.valueOf("to"), "orders");
            fields.put(Symbol.valueOf("subject"), "Order 5");
            fields.put(Symbol.valueOf("reply-to"), "answers");
            fields.put(Symbol.valueOf("correlation-id"), UnsignedLong.valueOf(7));
            fields.put(Symbol.valueOf("content-type"), Symbol.valueOf("text/plain"));
            fields.put(Symbol.valueOf("content-encoding"), Symbol.valueOf("gzip"));
            fields.put(Symbol.valueOf("absolute-expiry-time"), new Date(2000));
            fields.put(Symbol.valueOf("creation-time"), new Date(1000));
            fields.put(Symbol.valueOf("group-id"), "group");
            fields.put(Symbol.valueOf("group-sequence"), UnsignedInteger.valueOf(3));
            fields.put(Symbol.valueOf("reply-to-group-id"), "other");
            return fields;
        }

        @Test
        void matchesWhenEveryFieldHasItsValue() throws SelectorException {
            assertEquals(Message.propertyNames().size(), everyField().size());
            assertTrue(PropertiesFilter.ofProperties(everyField()).matches(full));
        }

        @Test
        void doesNotMatchWhenOneFieldHasAnotherValueOrNone() throws SelectorException {
            for (Symbol name : everyField().keySet()) {
                Map<Symbol, Object> fields = everyField();
                fields.put(name, "something else");
                assertFalse(PropertiesFilter.ofProperties(fields).matches(full), name.toString());
                Map<Symbol, Object> one = Map.of(name, everyField().get(name));
                assertTrue(PropertiesFilter.ofProperties(one).matches(full), name.toString());
                assertFalse(PropertiesFilter.ofProperties(one).matches(EMPTY), name.toString());
            }
        }

        @Test
        void nullIsMatchedByAnything() throws SelectorException {
            Selector filter = PropertiesFilter.ofProperties(Collections.singletonMap("subject", null));
            assertTrue(filter.matches(full));
            assertTrue(filter.matches(EMPTY));
        }

        @Test
        void refusesWhatIsNoField() {
            SelectorException refusal =
                    assertThrows(SelectorException.class, () -> PropertiesFilter.ofProperties(Map.of("colour", "red")));
            assertTrue(refusal.getMessage().contains("names the field colour; the fields are message-id, user-id"));
        }
    }

    @Nested
    class OfApplicationProperties {
        private boolean matches(Object property, Object reference) throws SelectorException {
            Map<String, Object> fields = new HashMap<>();
            fields.put("p", reference);
            return PropertiesFilter.ofApplicationProperties(fields).matches(Sample.properties(Map.of("p", property)));
        }

        @ParameterizedTest
        @CsvSource({
            "red, red, true", "red, Red, false", "red, &p:re, true", "red, &p:ed, false", "red, &s:ed, true",
            "red, &s:re, false", "red, &p:, true", "&red, &&red, true", "&p:red, &&p:red, true", "red, &&red, false",
            "red, &p:redder, false", "'', '', true", "$p:x, $p:x, true"
        })
        void comparesTextsAndTheirEnds(String text, String reference, boolean matches) throws SelectorException {
            assertEquals(matches, matches(text, reference));
            assertEquals(matches, matches(Symbol.valueOf(text), reference));
        }

        @Test
        void comparesNumbersOfAllTypes() throws SelectorException {
            for (Object five :
                    List.of(5, 5L, (byte) 5, 5.0, 5f, UnsignedByte.valueOf((byte) 5), UnsignedLong.valueOf(5))) {
                assertTrue(matches(5, five), five.getClass().getName());
                assertTrue(matches(five, 5.0), five.getClass().getName());
                assertFalse(matches(five, 6));
                assertFalse(matches(five, "5"));
                assertFalse(matches("5", five));
            }
        }

        @Test
        void comparesOtherSimpleValues() throws SelectorException {
            assertTrue(matches(true, true));
            assertFalse(matches(true, false));
            assertTrue(matches(new Date(5), new Date(5)));
            assertTrue(matches(new UUID(1, 2), new UUID(1, 2)));
            assertFalse(matches(new UUID(1, 2), new UUID(1, 3)));
            assertTrue(matches(new Binary(new byte[] {1}), new Binary(new byte[] {1})));
            assertFalse(matches(new Binary(new byte[] {1}), "\u0001"));
        }

        @Test
        void nullAsksOnlyThatItIsThere() throws SelectorException {
            assertTrue(matches("red", null));
            assertFalse(PropertiesFilter.ofApplicationProperties(Collections.singletonMap("q", null))
                    .matches(Sample.properties(Map.of("p", "red"))));
        }

        @Test
        void wantsAllOfThem() throws SelectorException {
            Selector filter = PropertiesFilter.ofApplicationProperties(Map.of("a", 1, "b", 2));
            assertTrue(filter.matches(Sample.properties(Map.of("a", 1, "b", 2, "c", 3))));
            assertFalse(filter.matches(Sample.properties(Map.of("a", 1, "b", 3))));
            assertFalse(filter.matches(Sample.properties(Map.of("a", 1))));
            assertFalse(filter.matches(EMPTY));
        }

        @Test
        void hasOneTextHoweverItsFieldsWereOrdered() throws SelectorException {
            Map<String, Object> one = new LinkedHashMap<>();
            one.put("a", 1);
            one.put("b", "&p:x");
            Map<String, Object> other = new LinkedHashMap<>();
            other.put("b", "&p:x");
            other.put("a", 1);
            String text = PropertiesFilter.ofApplicationProperties(one).text();
            assertEquals(text, PropertiesFilter.ofApplicationProperties(other).text());
            assertEquals("application-properties-filter[a VALUE 1, b PREFIX x]", text);
        }
    }

    @Nested
    class Refusals {
        private String refusal(Map<String, ?> fields) {
            return assertThrows(SelectorException.class, () -> PropertiesFilter.ofApplicationProperties(fields))
                    .getMessage();
        }

        @Test
        void nameWhatIsWrong() {
            assertTrue(refusal(Map.of("p", "&x")).contains("write && for one &"));
            assertTrue(refusal(Map.of("p", List.of(1))).contains("is a list or map"));
            assertTrue(refusal(Map.of("p", Map.of())).contains("is a list or map"));
            assertTrue(refusal(Map.of("p", new int[0])).contains("is a list or map"));
            assertTrue(refusal(Map.of()).contains("names 0 fields; it must name 1 to 32"));
            Map<String, Integer> many = new HashMap<>();
            for (int i = 0; i < 33; i++) {
                many.put("p" + i, i);
            }
            assertTrue(refusal(many).contains("names 33 fields"));
        }
    }
}
