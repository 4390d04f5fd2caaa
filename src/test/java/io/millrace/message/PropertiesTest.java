package io.millrace.message;

import static io.millrace.message.Sections.body;
import static io.millrace.message.Sections.bytes;
import static io.millrace.message.Sections.int32;
import static io.millrace.message.Sections.list;
import static io.millrace.message.Sections.map;
import static io.millrace.message.Sections.section;
import static io.millrace.message.Sections.string;
import static io.millrace.message.Sections.symbol;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Sections.Width;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Date;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Decimal64;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedByte;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.UnsignedShort;
import org.apache.qpid.proton.amqp.messaging.ApplicationProperties;
import org.apache.qpid.proton.amqp.messaging.MessageAnnotations;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a message says of itself, one value at a time. */
class PropertiesTest {
    private static final byte[] NULL = bytes(0x40);

    private static Message parse(byte[]... sections) throws MalformedMessageException {
        return Message.parse(bytes((Object[]) sections), 0);
    }

    private static Message withFields(byte[]... fields) throws MalformedMessageException {
        return parse(section(0x73, list(Width.SMALL, fields)), body());
    }

    private static Message encoded(org.apache.qpid.proton.message.Message message) throws MalformedMessageException {
        byte[] buffer = new byte[4096];
        return Message.parse(Arrays.copyOf(buffer, message.encode(buffer, 0, buffer.length)), 0);
    }

    private static byte[] timestamp(long millis) {
        return bytes(0x83, ByteBuffer.allocate(8).putLong(millis).array());
    }

    private static void assertSaysNothing(Message message) {
        assertEquals(-1, message.ttlMillis());
        assertEquals("", message.messageId());
        assertEquals(0, message.userId().length);
        assertEquals("", message.to());
        assertEquals("", message.subject());
        assertEquals("", message.replyTo());
        assertEquals("", message.correlationId());
        assertEquals(0, message.absoluteExpiryMillis());
        assertEquals(0, message.creationTimeMillis());
        assertEquals("", message.groupId());
        assertEquals(0, message.groupSequence());
        assertEquals("", message.applicationProperty("colour"));
        assertFalse(message.mayHaveDeliveryTime());
        assertEquals(0, message.deliveryTimeMillis(1000));
    }

    @Nested
    class Fields {
        @Test
        void areReadAsTheCodecWroteThem() throws MalformedMessageException {
            org.apache.qpid.proton.message.Message written = org.apache.qpid.proton.message.Message.Factory.create();
            written.setTtl(5000);
            written.setMessageId("id-1");
            written.setUserId(new byte[] {1, -2});
            written.setAddress("orders");
            written.setSubject("subject");
            written.setReplyTo("answers");
            written.setCorrelationId("id-0");
            written.setContentType("text/plain");
            written.setContentEncoding("gzip");
            written.setExpiryTime(1_700_000_000_123L);
            written.setCreationTime(1_600_000_000_456L);
            written.setGroupId("group");
            written.setGroupSequence(0xffff_ffffL);
            written.setReplyToGroupId("other");
            Message message = encoded(written);
            assertEquals(5000, message.ttlMillis());
            assertEquals("id-1", message.messageId());
            assertArrayEquals(new byte[] {1, -2}, message.userId());
            assertEquals("orders", message.to());
            assertEquals("subject", message.subject());
            assertEquals("answers", message.replyTo());
            assertEquals("id-0", message.correlationId());
            assertEquals(Symbol.valueOf("text/plain"), message.property("content-type"));
            assertEquals(Symbol.valueOf("gzip"), message.property("content-encoding"));
            assertEquals(1_700_000_000_123L, message.absoluteExpiryMillis());
            assertEquals(1_600_000_000_456L, message.creationTimeMillis());
            assertEquals("group", message.groupId());
            assertEquals(-1, message.groupSequence());
            assertEquals("other", message.property("reply-to-group-id"));
        }

        @Test
        void idsKeepTheirTypes() throws MalformedMessageException {
            for (Object id : List.of(
                    "text",
                    UnsignedLong.ZERO,
                    UnsignedLong.valueOf(200),
                    UnsignedLong.valueOf(-1L),
                    new UUID(1, -2),
                    new Binary(new byte[] {0, 1}),
                    new Binary(new byte[300]))) {
                org.apache.qpid.proton.message.Message written =
                        org.apache.qpid.proton.message.Message.Factory.create();
                written.setMessageId(id);
                written.setCorrelationId(id);
                assertEquals(id, encoded(written).messageId());
                assertEquals(id, encoded(written).correlationId());
            }
        }

        @Test
        void areAbsentWithoutPropertiesAndInAnEmptyListAndWhenNull() throws MalformedMessageException {
            assertSaysNothing(parse(body()));
            assertSaysNothing(parse(section(0x73, bytes(0x45)), body()));
            byte[][] nulls = new byte[13][];
            Arrays.fill(nulls, NULL);
            assertSaysNothing(withFields(nulls));
        }

        @Test
        void ofTheWrongTypeCountAsAbsent() throws MalformedMessageException {
            byte[][] wrong = new byte[13][];
            Arrays.fill(wrong, bytes(0x41));
            assertSaysNothing(withFields(wrong));
            Arrays.fill(wrong, bytes(0x54, 7));
            assertSaysNothing(withFields(wrong));
        }

        @Test
        void behindABrokenOneCountAsAbsent() throws MalformedMessageException {
            assertEquals("", withFields(NULL, NULL, bytes(0xa1, 200)).to());
            assertEquals("", withFields(NULL, NULL, bytes(0xa1, 200), NULL).subject());
            assertEquals(0, withFields(bytes(0xa0, 9)).userId().length);
        }

        @Test
        void ofAnOpaqueMessageAreAbsent() throws MalformedMessageException {
            assertSaysNothing(Message.parse(withFields(string("id-1")).bytes(), 1));
        }

        @Test
        void theGroupSequenceIsReadInEveryEncoding() throws MalformedMessageException {
            byte[][] fields = new byte[12][];
            Arrays.fill(fields, NULL);
            fields[11] = bytes(0x43);
            assertEquals(0, withFields(fields).groupSequence());
            fields[11] = bytes(0x52, 200);
            assertEquals(200, withFields(fields).groupSequence());
            fields[11] = bytes(0x70, int32(1000));
            assertEquals(1000, withFields(fields).groupSequence());
        }
    }

    @Nested
    class ApplicationPropertyValues {
        @Test
        void areThoseThatTheCodecWrote() throws MalformedMessageException {
            Map<String, Object> values = new HashMap<>();
            List.of(
                            true,
                            false,
                            (byte) -3,
                            (short) -300,
                            -5,
                            70_000,
                            -6L,
                            5_000_000_000L,
                            1.5f,
                            -2.5,
                            'x',
                            UnsignedByte.valueOf((byte) 200),
                            UnsignedShort.valueOf((short) -1),
                            UnsignedInteger.ZERO,
                            UnsignedInteger.valueOf(200),
                            UnsignedInteger.valueOf(-1),
                            UnsignedLong.ZERO,
                            UnsignedLong.valueOf(200),
                            UnsignedLong.valueOf(-1L),
                            "text",
                            "ü".repeat(200),
                            Symbol.valueOf("symbol"),
                            Symbol.valueOf("s".repeat(300)),
                            new Date(123),
                            new UUID(3, 4),
                            new Binary(new byte[] {1}),
                            new Decimal64(5))
                    .forEach(value -> values.put("key-" + values.size(), value));
            org.apache.qpid.proton.message.Message written = org.apache.qpid.proton.message.Message.Factory.create();
            written.setApplicationProperties(new ApplicationProperties(values));
            Message message = encoded(written);
            values.forEach((key, value) -> assertEquals(value, message.applicationProperty(key)));
            assertEquals("", message.applicationProperty("key-"));
        }

        @Test
        void areFoundBehindAnyNameAndByNamesThatAreNotAscii() throws MalformedMessageException {
            Message message = parse(
                    section(
                            0x74,
                            map(
                                    Width.LARGE,
                                    string("größe"),
                                    string("1"),
                                    symbol("grö"),
                                    string("2"),
                                    string(""),
                                    NULL)),
                    body());
            assertEquals("1", message.applicationProperty("größe"));
            assertEquals("", message.applicationProperty("grö"));
            assertEquals("", message.applicationProperty(""));
            assertEquals("", message.applicationProperty("große"));
            assertEquals("", message.applicationProperty("größer"));
        }

        @Test
        void areAbsentWhenTheMapIsBroken() throws MalformedMessageException {
            byte[] cut = section(0x74, map(Width.SMALL, string("a"), bytes(0xa1, 90)));
            assertEquals("", parse(cut, body()).applicationProperty("a"));
            byte[] odd = section(0x74, map(Width.SMALL, string("a")));
            assertEquals("", parse(odd, body()).applicationProperty("a"));
            byte[] unreadable = section(0x74, map(Width.SMALL, string("a"), bytes(0xc1, 2, 1, 0xa1)));
            assertEquals("", parse(unreadable, body()).applicationProperty("a"));
        }
    }

    @Nested
    class TheDeliveryTime {
        private static final long NOW = 1_000_000;

        private Message annotated(Map<Symbol, Object> annotations) throws MalformedMessageException {
            org.apache.qpid.proton.message.Message written = org.apache.qpid.proton.message.Message.Factory.create();
            written.setMessageAnnotations(new MessageAnnotations(annotations));
            return encoded(written);
        }

        private long deliveryTime(String key, Object value) throws MalformedMessageException {
            Message message = annotated(Map.of(Symbol.valueOf("x-opt-first"), 1, Symbol.valueOf(key), value));
            assertTrue(message.mayHaveDeliveryTime());
            return message.deliveryTimeMillis(NOW);
        }

        @Test
        void isAnyNumberOrTimestamp() throws MalformedMessageException {
            for (Object value :
                    List.of(2_000_000L, 2_000_000, 2e6, UnsignedInteger.valueOf(2_000_000), new Date(2_000_000))) {
                assertEquals(2_000_000, deliveryTime("x-opt-delivery-time", value));
            }
            assertEquals(Long.MAX_VALUE, deliveryTime("x-opt-delivery-time", UnsignedLong.valueOf(-1L)));
        }

        @Test
        void isADelayFromNow() throws MalformedMessageException {
            for (Object value : List.of(200L, 200, (short) 200, UnsignedByte.valueOf((byte) 200))) {
                assertEquals(NOW + 200, deliveryTime("x-opt-delivery-delay", value));
            }
            assertEquals(Long.MAX_VALUE, deliveryTime("x-opt-delivery-delay", Long.MAX_VALUE));
        }

        @Test
        void isNoneWhenThereIsNoPositiveNumber() throws MalformedMessageException {
            for (Object value : List.of(0, -1L, "soon", true, Map.of("a", 1))) {
                assertEquals(0, deliveryTime("x-opt-delivery-time", value));
                assertEquals(0, deliveryTime("x-opt-delivery-delay", value));
            }
        }

        @Test
        void countsMoreThanADelayWhicheverComesFirst() throws MalformedMessageException {
            byte[] time = bytes(symbol("x-opt-delivery-time"), timestamp(77));
            byte[] delay = bytes(symbol("x-opt-delivery-delay"), bytes(0x55, 5));
            for (byte[] entries : List.of(bytes(time, delay), bytes(delay, time))) {
                byte[] annotations = bytes(0xc1, entries.length + 1, 4, entries);
                assertEquals(77, parse(section(0x72, annotations), body()).deliveryTimeMillis(NOW));
            }
        }

        @Test
        void isNotSearchedForInOtherAnnotations() throws MalformedMessageException {
            Message message = annotated(Map.of(Symbol.valueOf("x-opt-delivery-tome"), 1, Symbol.valueOf("x"), "y"));
            assertFalse(message.mayHaveDeliveryTime());
            assertEquals(0, message.deliveryTimeMillis(NOW));
        }

        @Test
        void isFoundAfterOtherAnnotationsWereAdded() throws MalformedMessageException {
            Message message = annotated(Map.of(Symbol.valueOf("x-opt-delivery-time"), 5L));
            assertEquals(5, message.withAnnotations(Map.of("x-a", "b")).deliveryTimeMillis(NOW));
            assertEquals(
                    6,
                    message.withAnnotations(Map.of("x-opt-delivery-time", 6L)).deliveryTimeMillis(NOW));
        }
    }

    @Nested
    class TheRemainingTtl {
        @ParameterizedTest
        @ValueSource(longs = {0, 1, 255, 256, 0xffff_ffffL})
        void goesOutInPlaceOfTheTtl(long ttlMillis) throws MalformedMessageException {
            byte[] header = section(0x70, list(Width.SMALL, bytes(0x41), bytes(0x50, 7), bytes(0x70, int32(70_000))));
            for (Message message : List.of(parse(header, body()), parse(body()))) {
                byte[] encoded = message.encode(3, true, ttlMillis);
                Message again = Message.parse(encoded, 0);
                assertEquals(ttlMillis, again.ttlMillis());
                assertEquals(message.durable(), again.durable());
                assertEquals(message.priority(), again.priority());
                byte[] out = new byte[Message.MAX_HEADER_SIZE];
                int size = message.header(3, true, ttlMillis, out, 0);
                assertArrayEquals(Arrays.copyOf(encoded, size), Arrays.copyOf(out, size));
            }
        }

        @Test
        void isNeverMoreThanAHeaderCanSay() throws MalformedMessageException {
            Message message = Message.parse(parse(body()).encode(0, true, Long.MAX_VALUE), 0);
            assertEquals(0xffff_ffffL, message.ttlMillis());
        }

        @Test
        void isTheTtlAsReceivedWhenNoneIsGiven() throws MalformedMessageException {
            byte[] header = section(0x70, list(Width.SMALL, NULL, NULL, bytes(0x70, int32(70_000))));
            Message message = parse(header, body());
            assertEquals(70_000, Message.parse(message.encode(3, true, -1), 0).ttlMillis());
        }
    }
}
