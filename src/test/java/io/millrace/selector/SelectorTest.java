package io.millrace.selector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Message;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
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
import org.junit.jupiter.params.provider.ValueSource;

class SelectorTest {
    /** Of each kind of value one: s = 'red', i = 5, l = 5000000000, d = 2.5, f = 1.5, t = true, e = '', none is absent. */
    private static final Candidate MIXED = Sample.properties(mixed());

    private static Map<String, Object> mixed() {
        Map<String, Object> properties =
                new HashMap<>(Map.of("s", "red", "i", 5, "l", 5_000_000_000L, "d", 2.5, "f", 1.5f, "t", true, "e", ""));
        properties.put("none", null);
        properties.put("max", Integer.MAX_VALUE);
        properties.put("x-opt-own", "own");
        return properties;
    }

    private static boolean matches(String selector, Candidate candidate) {
        try {
            return Selector.parse(selector).matches(candidate);
        } catch (SelectorException e) {
            throw new AssertionError(selector, e);
        }
    }

    private static void assertTrueFor(Candidate candidate, String selector) {
        assertTrue(matches(selector, candidate), selector);
        assertFalse(matches("NOT (" + selector + ")", candidate), "NOT " + selector);
    }

    private static void assertFalseFor(Candidate candidate, String selector) {
        assertFalse(matches(selector, candidate), selector);
        assertTrue(matches("NOT (" + selector + ")", candidate), "NOT " + selector);
    }

    private static void assertUnknownFor(Candidate candidate, String selector) {
        assertFalse(matches(selector, candidate), selector);
        assertFalse(matches("NOT (" + selector + ")", candidate), "NOT " + selector);
    }

    @Nested
    class ThreeValuedLogic {
        @ParameterizedTest
        @CsvSource({
            "TRUE, TRUE, TRUE, TRUE", "TRUE, FALSE, FALSE, TRUE", "TRUE, ?, ?, TRUE",
            "FALSE, TRUE, FALSE, TRUE", "FALSE, FALSE, FALSE, FALSE", "FALSE, ?, FALSE, ?",
            "?, TRUE, ?, TRUE", "?, FALSE, FALSE, ?", "?, ?, ?, ?"
        })
        void followsTheTablesOfJms(String left, String right, String and, String or) {
            String a = left.replace("?", "none = 1");
            String b = right.replace("?", "missing = 1");
            assertValue(and, "(" + a + ") AND (" + b + ")");
            assertValue(or, "(" + a + ") OR (" + b + ")");
        }

        private void assertValue(String wanted, String selector) {
            switch (wanted) {
                case "TRUE" -> assertTrueFor(MIXED, selector);
                case "FALSE" -> assertFalseFor(MIXED, selector);
                default -> assertUnknownFor(MIXED, selector);
            }
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "none = 'a'",
                    "none <> 'a'",
                    "none > 1",
                    "1 > none",
                    "none BETWEEN 1 AND 2",
                    "none NOT BETWEEN 1 AND 2",
                    "i BETWEEN none AND 9",
                    "i BETWEEN 1 AND none",
                    "none IN ('a')",
                    "none NOT IN ('a')",
                    "none LIKE 'a'",
                    "none NOT LIKE 'a'",
                    "none + 1 = 1",
                    "-none = 1",
                    "none",
                    "none = none",
                    "NOT none",
                    "missing = 'a'"
                })
        void anAbsentValueIsUnknown(String selector) {
            assertUnknownFor(MIXED, selector);
        }

        @Test
        void oneBoundThatExcludesIsEnough() {
            assertFalseFor(MIXED, "i BETWEEN 6 AND none");
            assertFalseFor(MIXED, "i BETWEEN none AND 4");
        }

        @Test
        void isNullIsNeverUnknown() {
            assertTrueFor(MIXED, "none IS NULL");
            assertTrueFor(MIXED, "missing is null");
            assertFalseFor(MIXED, "none IS NOT NULL");
            assertTrueFor(MIXED, "s IS NOT NULL");
            assertTrueFor(MIXED, "e IS NOT NULL");
            assertTrueFor(MIXED, "e = ''");
            assertFalseFor(MIXED, "none IS NULL AND s IS NULL");
        }

        @Test
        void operatorsBindAsInSql() {
            assertTrueFor(MIXED, "NOT s = 'blue' AND TRUE");
            assertTrueFor(MIXED, "TRUE OR FALSE AND FALSE");
            assertFalseFor(MIXED, "(TRUE OR FALSE) AND FALSE");
            assertTrueFor(MIXED, "NOT FALSE OR TRUE");
            assertTrueFor(MIXED, "NOT NOT t");
            assertTrueFor(MIXED, "i + 1 * 2 = 7 and (i + 1) * 2 = 12");
            assertTrueFor(MIXED, "i BETWEEN 1 AND 9 AND s = 'red'");
        }

        @Test
        void conditionsCanBeComparedWithBooleans() {
            assertTrueFor(MIXED, "(i = 5) = TRUE");
            assertTrueFor(MIXED, "(i = 6) <> TRUE");
            assertTrueFor(MIXED, "t = TRUE AND t <> FALSE AND t");
            assertUnknownFor(MIXED, "(none = 6) = TRUE");
        }

        @Test
        void whatIsNotABooleanIsNotACondition() {
            assertUnknownFor(MIXED, "s");
            assertUnknownFor(MIXED, "i OR FALSE");
        }
    }

    @Nested
    class Comparing {
        @ParameterizedTest
        @ValueSource(
                strings = {
                    "s = 'red'",
                    "s <> 'blue'",
                    "'red' = s",
                    "i = 5",
                    "i <> 6",
                    "i < 6",
                    "i <= 5",
                    "i > 4",
                    "i >= 5",
                    "i = 5.0",
                    "l = 5000000000",
                    "l > i",
                    "d = 2.5",
                    "d > 2",
                    "f = 1.5",
                    "f < d",
                    "d = 25E-1",
                    "i != 4",
                    "5 = i",
                    "i BETWEEN 5 AND 5",
                    "d BETWEEN 2 AND 3",
                    "i NOT BETWEEN 6 AND 9",
                    "max = 2147483647"
                })
        void likeKindsAreCompared(String selector) {
            assertTrueFor(MIXED, selector);
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "s = 5",
                    "s <> 5",
                    "i = 'red'",
                    "i <> 'red'",
                    "t = 1",
                    "t <> 'true'",
                    "s < 5",
                    "s BETWEEN 1 AND 2",
                    "t > 1",
                    "s NOT BETWEEN 1 AND 2 AND TRUE",
                    "'a' = 1",
                    "i LIKE '5'",
                    "t IN ('true')",
                    "s < i",
                    "s >= s"
                })
        void differentKindsAreNeitherEqualNorUnequalNorOrdered(String selector) {
            assertFalse(matches(selector, MIXED), selector);
        }

        @Test
        void inIsEqualToOneOfTheLiterals() {
            assertTrueFor(MIXED, "s IN ('blue', 'red')");
            assertFalseFor(MIXED, "s IN ('blue', 'RED')");
            assertTrueFor(MIXED, "s NOT IN ('blue')");
            assertTrueFor(MIXED, "i IN (4, 5, -6)");
            assertFalseFor(MIXED, "i IN ('5')");
        }

        @Test
        void integersAreComparedExactly() {
            Candidate big = Sample.properties(Map.of("n", Long.MAX_VALUE));
            assertTrueFor(big, "n = 9223372036854775807");
            assertFalseFor(big, "n = 9223372036854775806");
            assertTrueFor(Sample.properties(Map.of("n", Long.MIN_VALUE)), "n = -9223372036854775808");
            assertTrueFor(Sample.properties(Map.of("n", Long.MIN_VALUE)), "n = -9223372036854775808L");
        }

        @Test
        void zeroHasNoSign() {
            assertTrueFor(MIXED, "0 = -0.0");
            assertTrueFor(Sample.properties(Map.of("n", -0.0)), "n = 0 AND n = 0.0 AND n >= 0");
        }

        @Test
        void notANumberEqualsNothing() {
            Candidate odd = Sample.properties(Map.of("n", Double.NaN));
            assertFalseFor(odd, "n = n");
            assertTrueFor(odd, "n <> n");
            assertFalseFor(odd, "n > 0 OR n <= 0");
        }
    }

    @Nested
    class Patterns {
        @ParameterizedTest
        @CsvSource({
            "123, 12%3, true",
            "12993, 12%3, true",
            "1234, 12%3, false",
            "lose, l_se, true",
            "loose, l_se, false",
            "'', %, true",
            "'', _, false",
            "abc, %, true",
            "abc, ___, true",
            "abc, __, false",
            "abc, a%c%, true",
            "aXbXc, a%b%c, true",
            "ab, a%b%c, false",
            "a.c, a.c, true",
            "abc, a.c, false",
            "mississippi, m%iss%ip%, true",
            "ABC, abc, false",
            "a\\b, a\\b, true",
            "x𝄞y, x_y, true",
            "x𝄞y, x%y, true",
            "aab, %ab, true",
            "%, %%, true"
        })
        void stretchOverAnyText(String text, String pattern, boolean fits) {
            Candidate candidate = Sample.properties(Map.of("p", text));
            assertEquals(fits, matches("p LIKE '" + pattern + "'", candidate));
            assertEquals(!fits, matches("p NOT LIKE '" + pattern + "'", candidate));
        }

        @Test
        void lineEndsAreCharactersLikeAnyOther() {
            assertTrueFor(Sample.properties(Map.of("p", "a\nb\r\nc")), "p LIKE 'a_b%c'");
        }

        @ParameterizedTest
        @CsvSource({
            "_foo, \\_%, \\, true",
            "bar, \\_%, \\, false",
            "50%, 50!%, !, true",
            "500, 50!%, !, false",
            "a!b, a!!b, !, true",
            "ab, !a!b, !, true",
            "%, %%, %, true",
            "%x, %%_, %, true"
        })
        void takeEscapedCharactersAsTheyAre(String text, String pattern, String escape, boolean fits) {
            Candidate candidate = Sample.properties(Map.of("p", text));
            assertEquals(fits, matches("p LIKE '" + pattern + "' ESCAPE '" + escape + "'", candidate));
        }

        @Test
        void cannotKeepTheBrokerBusy() {
            Candidate candidate = Sample.properties(Map.of("p", "a".repeat(2000)));
            String pattern = "%a".repeat(500) + "b";
            assertTimeoutPreemptively(
                    Duration.ofSeconds(10), () -> assertFalseFor(candidate, "p LIKE '" + pattern + "'"));
        }

        /** Text and pattern as a client can send them: a property in a large message, a selector in a frame. */
        @ParameterizedTest
        @ValueSource(strings = {"a", "a_"})
        void thatAreLongCannotKeepTheBrokerBusyEither(String run) {
            Expression text = new Expression.Constant("a".repeat(200_000), Expression.Kind.STRING);
            Like like = Like.of(text, "%" + run.repeat(30_000 / run.length()) + "b%", "");
            assertTimeoutPreemptively(
                    Duration.ofSeconds(5), () -> assertEquals(false, like.value(Sample.properties(Map.of()))));
        }

        @Test
        void thatAreLongFitAsShortOnesDo() {
            Random random = new Random(5);
            for (int round = 0; round < 20_000; round++) {
                String text = randomText(random, "ab\uD834\uDD1E", random.nextInt(200));
                String pattern = randomText(random, "ab\uD834\uDD1E__%%", random.nextInt(12));
                Like like = Like.of(Expression.Constant.TRUE, pattern, "");
                assertEquals(like.fits(text), like.fitsLong(text), () -> text + " LIKE " + pattern);
                String longPattern =
                        "%" + text.substring(0, text.offsetByCodePoints(0, text.codePointCount(0, text.length()) / 2))
                                + "%";
                Like longLike = Like.of(Expression.Constant.TRUE, longPattern, "");
                assertTrue(longLike.fitsLong(text), () -> text + " LIKE " + longPattern);
            }
        }

        private static String randomText(Random random, String of, int length) {
            int[] characters = of.codePoints().toArray();
            StringBuilder text = new StringBuilder();
            for (int i = 0; i < length; i++) {
                text.appendCodePoint(characters[random.nextInt(characters.length)]);
            }
            return text.toString();
        }
    }

    @Nested
    class Computing {
        @ParameterizedTest
        @ValueSource(
                strings = {
                    "i + 1 = 6",
                    "i - 1 = 4",
                    "i * 2 = 10",
                    "i / 2 = 2",
                    "i / 2.0 = 2.5",
                    "i % 3 = 2",
                    "-i = -5",
                    "+i = 5",
                    "- -i = 5",
                    "i - -1 = 6",
                    "i+1=6",
                    "i-1=4",
                    "10 - 3 - 2 = 5",
                    "100 / 10 / 5 = 2",
                    "l + i = 5000000005",
                    "d + f = 4",
                    "d * 2 = i",
                    "max + 1 < 0",
                    "max + 1L = 2147483648",
                    "9223372036854775807 + 1 < 0",
                    "1E400 > 0 OR TRUE",
                    "2 * (i + 1) = 12",
                    "i * 1.0 = 5",
                    "-2147483648 - 1 > 0",
                    "1.0 / 0 > 1"
                })
        void followsJava(String selector) {
            assertTrueFor(MIXED, selector);
        }

        @ParameterizedTest
        @ValueSource(strings = {"s + 1 = 1", "-s = 1", "+s = 1", "t * 2 = 2", "i / 0 = 1", "i % 0 = 1", "i / none = 1"})
        void withWhatIsNoNumberIsUnknown(String selector) {
            assertUnknownFor(MIXED, selector);
        }
    }

    @Nested
    class Literals {
        @ParameterizedTest
        @ValueSource(
                strings = {
                    "7. = 7",
                    ".5 = 0.5",
                    "-.5 = -0.5",
                    "1E3 = 1000",
                    "1e-3 = 0.001",
                    "1.5E+2 = 150",
                    "0x1F = 31",
                    "0XfF = 255",
                    "0x10L = 16",
                    "017 = 15",
                    "0 = 0",
                    "5L = 5",
                    "5l = 5",
                    "5d = 5",
                    "5.5D = 5.5",
                    "5f = 5",
                    "1.5F = 1.5",
                    "1E2f = 100",
                    "7.E1 = 70",
                    "9223372036854775807 > 0",
                    "TRUE = true",
                    "1.1f <> 1.1"
                })
        void ofNumbersAreThoseOfJava(String selector) {
            assertTrueFor(MIXED, selector);
        }

        @Test
        void ofTextDoubleTheirQuotes() {
            assertTrueFor(Sample.properties(Map.of("p", "it's")), "p = 'it''s'");
            assertTrueFor(Sample.properties(Map.of("p", "''")), "p = ''''''");
            assertTrueFor(Sample.properties(Map.of("p", "grün \"\\n")), "p = 'grün \"\\n'");
        }
    }

    @Nested
    class Names {
        @Test
        void areCaseSensitiveAndKeywordsAreNot() {
            assertTrueFor(MIXED, "s iN ('red') aNd noT s bEtWeEn 1 aNd 2 oR fAlSe");
            assertUnknownFor(MIXED, "S = 'red'");
        }

        @ParameterizedTest
        @ValueSource(
                strings = {"_a", "$a", "größe", "a1", "NULLABLE", "INNER", "a.b", "JMS_Custom", "JMSXCustom", "Ωmega"})
        void areThoseOfJava(String name) {
            assertTrueFor(Sample.properties(Map.of(name, 1)), name + " = 1");
        }

        @Test
        void inQuotesMayHoldAnything() {
            assertTrueFor(Sample.properties(Map.of("a-b c\"d", 1)), "\"a-b c\"\"d\" = 1");
            assertTrueFor(Sample.properties(Map.of("NULL", 1)), "\"NULL\" = 1");
        }

        @Test
        void inQuotesFindAnnotationsToo() {
            Candidate annotated = Sample.annotations(Map.of("x-opt-foo", "bar", "n", 3));
            assertTrueFor(annotated, "\"x-opt-foo\" = 'bar'");
            assertTrueFor(annotated, "\"m.x-opt-foo\" = 'bar'");
            assertTrueFor(annotated, "m.n = 3");
            assertUnknownFor(annotated, "n = 3");
            assertTrueFor(annotated, "\"x-opt-other\" IS NULL");
            assertTrueFor(MIXED, "\"x-opt-own\" = 'own'");
        }

        @Test
        void standForValuesOfEveryType() {
            Map<String, Object> values = new HashMap<>(Map.of(
                    "ub",
                    UnsignedByte.valueOf((byte) 200),
                    "ui",
                    UnsignedInteger.valueOf(-1),
                    "ul",
                    UnsignedLong.valueOf(-1L),
                    "b",
                    (byte) -3,
                    "sh",
                    (short) 300,
                    "ch",
                    'x',
                    "sym",
                    Symbol.valueOf("symbol"),
                    "time",
                    new Date(123),
                    "id",
                    new UUID(0, 1),
                    "bin",
                    new Binary(new byte[] {1})));
            Candidate candidate = Sample.properties(values);
            assertTrueFor(candidate, "ub = 200 AND ui = 4294967295 AND b = -3 AND sh = 300 AND ch = 'x'");
            assertTrueFor(candidate, "ul > 9223372036854775807");
            assertTrueFor(candidate, "sym = 'symbol' AND sym LIKE 's%' AND time = 123");
            assertTrueFor(candidate, "id = '00000000-0000-0000-0000-000000000001'");
            assertTrueFor(candidate, "bin IS NOT NULL");
            assertFalseFor(candidate, "bin = 'x'");
        }
    }

    @Nested
    class Headers {
        private final Candidate full = Sample.with(
                message -> {
                    message.setDurable(true);
                    message.setPriority((short) 200);
                    message.setTtl(5000);
                    message.setMessageId("ID:one");
                    message.setUserId("guest".getBytes(StandardCharsets.UTF_8));
                    message.setAddress("orders");
                    message.setSubject("kind");
                    message.setReplyTo("answers");
                    message.setCorrelationId("app-1");
                    message.setContentType("text/plain");
                    message.setContentEncoding("gzip");
                    message.setExpiryTime(2000);
                    message.setCreationTime(1000);
                    message.setGroupId("group");
                    message.setGroupSequence(0xffff_ffffL);
                    message.setReplyToGroupId("other");
                },
                2);
        private final Candidate empty = Sample.with(message -> {});

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "JMSDeliveryMode = 'PERSISTENT'", "JMSPriority = 9", "JMSMessageID = 'ID:one'",
                            "JMSTimestamp = 1000",
                    "JMSExpiration = 2000", "JMSCorrelationID = 'app-1'", "JMSType = 'kind'", "JMSReplyTo = 'answers'",
                    "JMSDestination = 'orders'", "JMSXGroupID = 'group'", "JMSXGroupSeq = -1", "JMSXUserID = 'guest'",
                    "JMSXDeliveryCount = 3", "JMSRedelivered = TRUE", "JMSRedelivered", "\"JMSType\" = 'kind'"
                })
        void haveTheirJmsNames(String selector) {
            assertTrueFor(full, selector);
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "amqp.durable",
                    "amqp.priority = 200",
                    "amqp.ttl = 5000",
                    "amqp.first_acquirer = FALSE",
                    "amqp.delivery_count = 2",
                    "amqp.message_id = 'ID:one'",
                    "amqp.user_id = 'guest'",
                    "amqp.to = 'orders'",
                    "amqp.subject = 'kind'",
                    "amqp.reply_to = 'answers'",
                    "amqp.correlation_id = 'app-1'",
                    "amqp.content_type = 'text/plain'",
                    "amqp.content_encoding = 'gzip'",
                    "amqp.absolute_expiry_time = 2000",
                    "amqp.creation_time = 1000",
                    "amqp.group_id = 'group'",
                    "amqp.group_sequence = 4294967295",
                    "amqp.reply_to_group_id = 'other'"
                })
        void haveTheirAmqpNames(String selector) {
            assertTrueFor(full, selector);
        }

        @ParameterizedTest
        @ValueSource(
                strings = {
                    "JMSDeliveryMode = 'NON_PERSISTENT'", "JMSPriority = 4", "JMSMessageID IS NULL", "JMSTimestamp = 0",
                    "JMSCorrelationID IS NULL", "JMSType IS NULL", "JMSXGroupID IS NULL", "JMSXGroupSeq IS NULL",
                    "JMSXUserID IS NULL", "JMSXDeliveryCount = 1", "JMSRedelivered = FALSE", "JMSReplyTo IS NULL",
                    "amqp.ttl IS NULL", "amqp.creation_time IS NULL", "amqp.first_acquirer",
                            "amqp.group_sequence IS NULL",
                    "amqp.message_id IS NULL", "amqp.unknown IS NULL"
                })
        void areNullWhenAbsentUnlessJmsHasADefault(String selector) {
            assertTrueFor(empty, selector);
        }

        @ParameterizedTest
        @CsvSource({
            "plain, ID:AMQP_NO_PREFIX:plain, plain",
            "ID:x, ID:x, ID:x",
            "ID:AMQP_UUID:x, ID:AMQP_STRING:ID:AMQP_UUID:x, ID:AMQP_STRING:ID:AMQP_UUID:x",
            "ID:AMQP_OTHER:x, ID:AMQP_OTHER:x, ID:AMQP_OTHER:x"
        })
        void idsAreTheTextsThatQpidJmsShows(String id, String messageId, String correlationId) {
            Candidate candidate = Sample.with(message -> {
                message.setMessageId(id);
                message.setCorrelationId(id);
            });
            assertTrueFor(candidate, "JMSMessageID = '" + messageId + "'");
            assertTrueFor(candidate, "JMSCorrelationID = '" + correlationId + "'");
        }

        @Test
        void idsOfOtherTypesNameTheType() {
            Map<Object, String> ids = Map.of(
                    UnsignedLong.valueOf(-1L),
                    "ID:AMQP_ULONG:18446744073709551615",
                    new UUID(0, 1),
                    "ID:AMQP_UUID:00000000-0000-0000-0000-000000000001",
                    new Binary(new byte[] {0, (byte) 0xab}),
                    "ID:AMQP_BINARY:00AB");
            ids.forEach((id, text) -> {
                Candidate candidate = Sample.with(message -> {
                    message.setMessageId(id);
                    message.setCorrelationId(id);
                });
                assertTrueFor(candidate, "JMSMessageID = '" + text + "' AND JMSCorrelationID = '" + text + "'");
            });
        }

        @Test
        void ofAnOpaqueMessageAreThoseOfAnEmptyDurableOne() throws Exception {
            Candidate opaque = Candidate.of(Message.parse(new byte[] {1, 2}, 77));
            assertTrueFor(
                    opaque, "JMSDeliveryMode = 'PERSISTENT' AND JMSPriority = 4 AND JMSType IS NULL AND p IS NULL");
        }
    }

    @Nested
    class Texts {
        @Test
        void thatAreBlankSelectEverything() {
            for (String blank : List.of("", " ", "\t\n")) {
                assertTrue(matches(blank, MIXED));
            }
        }

        @Test
        void areKept() throws SelectorException {
            assertEquals("  i = 5 ", Selector.parse("  i = 5 ").text());
        }

        @Test
        void canBeCombined() throws SelectorException {
            Selector one = Selector.parse("i = 5");
            Selector other = Selector.parse("s = 'red'");
            assertTrue(Selector.all(List.of(one, other)).matches(MIXED));
            assertFalse(Selector.all(List.of(one, Selector.parse("s = 'blue'"))).matches(MIXED));
            assertTrue(Selector.all(List.of()).matches(MIXED));
            assertEquals(one, Selector.all(List.of(one)));
            assertEquals(
                    "i = 5 AND s = 'red'", Selector.all(List.of(one, other)).text());
        }
    }

    @Nested
    class Refusals {
        private String refusal(String selector) {
            return assertThrows(SelectorException.class, () -> Selector.parse(selector), selector)
                    .getMessage();
        }

        @ParameterizedTest
        @CsvSource(
                delimiter = '|',
                quoteCharacter = '`',
                value = {
                    "a =|at character 4 of the selector: found the end, expected a name, a literal or (",
                    "a = 'x|at character 5 of the selector: this string has no end; ' is missing",
                    "a = 1 b|at character 7 of the selector: found b, expected an operator or the end",
                    "(a = 1|at character 7 of the selector: found the end, expected )",
                    "a = 1)|at character 6 of the selector: found ), expected an operator or the end",
                    "a LIKE b|at character 8 of the selector: found b, expected a string in single quotes",
                    "a LIKE 5|found 5, expected a string in single quotes",
                    "a LIKE 'x' ESCAPE 'ab'|at character 19 of the selector: the escape character 'ab' is more than one",
                    "a LIKE 'x' ESCAPE ''|the escape must be one character",
                    "a LIKE 'x!' ESCAPE '!'|the pattern ends with its escape character '!'",
                    "a IN ()|expected a name, a literal or (",
                    "a IN 'x'|expected (",
                    "a IN (b)|the values of IN must be literals",
                    "a IN ('x' 'y')|found the string 'y', expected )",
                    "a IN ('x',)|found ), expected",
                    "a NOT 5|at character 7 of the selector: found 5, expected LIKE, IN or BETWEEN after NOT",
                    "a BETWEEN 1|found the end, expected AND",
                    "a BETWEEN 'x' AND 'y'|at character 11 of the selector: found 'x', expected a number",
                    "a IS 5|found 5, expected NULL",
                    "a = NULL|use IS NULL",
                    "a > 'x'|at character 5 of the selector: found 'x', expected a number",
                    "'x' > a|at character 1 of the selector: found 'x', expected a number",
                    "a < TRUE|expected a number",
                    "JMSType > 5|at character 1 of the selector: found JMSType, expected a number",
                    "5|at character 1 of the selector: found 5, expected a condition",
                    "'x'|expected a condition",
                    "a + 1|expected a condition",
                    "JMSType|expected a condition",
                    "a = 1 AND 5|at character 11 of the selector: found 5, expected a condition",
                    "5 OR a = 1|at character 1 of the selector: found 5, expected a condition",
                    "NOT 5|at character 5 of the selector: found 5, expected a condition",
                    "a = 1 AND|found the end",
                    "AND a = 1|found AND",
                    "a 'x'|found the string 'x'",
                    "a == 1|at character 4 of the selector: found =",
                    "a = 1 = 1|found =, expected an operator or the end",
                    "a # 1|at character 3 of the selector: found #",
                    "a ! 1|found !",
                    "a = -'x'|at character 6 of the selector: found 'x', expected a number",
                    "a = 'x' + 1|found 'x', expected a number",
                    "a * TRUE = 1|found TRUE, expected a number",
                    "1x = a|found 1x, which is neither a number nor a name",
                    "a = 1.2.3|neither a number nor a name",
                    "a = 09|09 is not a number that fits",
                    "a = 0x|0x is not a number",
                    "a = 9223372036854775808|is not a number that fits into 64 bits",
                    "a = 99999999999999999999|is not a number that fits into 64 bits",
                    "f(a) = 1|the function f is not supported",
                    "UTC() > 1|the function UTC is not supported",
                    "\"a = 1|this quoted name has no end"
                })
        void nameThePlaceAndWhatIsWrong(String selector, String problem) {
            String refusal = refusal(selector);
            assertTrue(refusal.contains(problem), refusal);
        }

        @Test
        void ofTextsThatAreTooLongOrTooDeep() {
            assertTrue(refusal("a = '" + "x".repeat(70_000) + "'").contains("at most 65536"));
            assertTrue(refusal("(".repeat(20_000) + "a").contains("nested deeper than 100"));
            assertTrue(refusal("NOT ".repeat(10_000) + "a").contains("nested deeper than 100"));
            assertTrue(refusal("- ".repeat(10_000) + "a").contains("nested deeper than 100"));
            assertTrue(refusal(String.join("+", Collections.nCopies(10_000, "a")) + " = 1")
                    .contains("more than 500 operators"));
            assertTrue(refusal(String.join("*", Collections.nCopies(10_000, "a")) + " = 1")
                    .contains("more than 500 operators"));
        }

        @Test
        void areNotForManyTermsBesideEachOther() {
            String any = String.join(" OR ", Collections.nCopies(4000, "i = 1"));
            assertFalseFor(MIXED, any);
            assertTrueFor(MIXED, any + " OR i = 5");
            assertTrueFor(MIXED, String.join(" AND ", Collections.nCopies(4000, "i = 5")));
            assertTrueFor(MIXED, "i IN (" + "1, ".repeat(10_000) + "5)");
            assertTrueFor(MIXED, "(".repeat(90) + "i = 5" + ")".repeat(90));
        }
    }
}
