package io.millrace.message;

import static io.millrace.message.Sections.body;
import static io.millrace.message.Sections.bytes;
import static io.millrace.message.Sections.int32;
import static io.millrace.message.Sections.list;
import static io.millrace.message.Sections.map;
import static io.millrace.message.Sections.rich;
import static io.millrace.message.Sections.section;
import static io.millrace.message.Sections.string;
import static io.millrace.message.Sections.symbol;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Sections.Descriptor;
import io.millrace.message.Sections.Width;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.messaging.Header;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class MessageTest {
    private static Message parse(byte[]... sections) throws MalformedMessageException {
        return Message.parse(bytes((Object[]) sections), 0);
    }

    private static String refusal(byte[]... sections) {
        return assertThrows(MalformedMessageException.class, () -> parse(sections))
                .getMessage();
    }

    private static org.apache.qpid.proton.message.Message decoded(byte[] encoded) {
        org.apache.qpid.proton.message.Message message = org.apache.qpid.proton.message.Message.Factory.create();
        message.decode(encoded, 0, encoded.length);
        return message;
    }

    private static byte[] header(byte[]... fields) {
        return section(0x70, list(Width.SMALL, fields));
    }

    private static byte[] annotations(byte[]... entries) {
        return section(0x72, map(Width.SMALL, entries));
    }

    static Stream<Arguments> encodings() {
        return Stream.of(Descriptor.values())
                .flatMap(descriptor -> Stream.of(Width.values()).map(width -> Arguments.of(descriptor, width)));
    }

    @Nested
    class FindingSections {
        @ParameterizedTest
        @MethodSource("io.millrace.message.MessageTest#encodings")
        void areFoundInEveryEncoding(Descriptor descriptor, Width width) throws MalformedMessageException {
            byte[] rich = rich(descriptor, width);
            Message message = Message.parse(rich, 0);
            assertTrue(message.durable());
            assertEquals(7, message.priority());
            assertEquals("orders", message.to());
            assertEquals("b", message.annotation("x-a"));
            assertEquals("", message.annotation("x-b"));
            assertEquals(rich.length, message.size());
            assertSame(rich, message.bytes());
            assertEquals(300, decoded(message.encode(0, true, -1)).getTtl());
        }

        @Test
        void aBodyAloneIsAMessageThatIsNotDurable() throws MalformedMessageException {
            Message message = parse(body());
            assertFalse(message.durable());
            assertEquals(4, message.priority());
            assertEquals("", message.to());
            assertEquals("", message.annotation("x-a"));
        }

        @Test
        void anyKindOfBodyWillDo() throws MalformedMessageException {
            byte[] sequence = section(0x76, list(Width.SMALL, bytes(0x54, 1)));
            byte[] value = section(0x77, string("hello"));
            for (byte[] body :
                    List.of(body(), sequence, value, section(0x77, bytes(0x40)), section(0x76, bytes(0x45)))) {
                assertEquals(body.length, parse(body).size());
            }
            assertEquals(3 * body().length, parse(body(), body(), body()).size());
            assertEquals(2 * sequence.length, parse(sequence, sequence).size());
        }

        @Test
        void emptyListsAreHeadersAndProperties() throws MalformedMessageException {
            Message message = parse(section(0x70, bytes(0x45)), section(0x73, bytes(0x45)), body());
            assertFalse(message.durable());
            assertEquals("", message.to());
        }

        @Test
        void booleansOfTwoBytesAreRead() throws MalformedMessageException {
            assertTrue(parse(header(bytes(0x56, 1)), body()).durable());
            assertFalse(parse(header(bytes(0x56, 0)), body()).durable());
            assertFalse(parse(header(bytes(0x40)), body()).durable());
        }

        @Test
        void theAddressMayBeAnyTextAndIsEmptyForAnythingElse() throws MalformedMessageException {
            byte[] none = bytes(0x40);
            byte[] longText = bytes(0xb1, int32(6), "orders".getBytes(StandardCharsets.UTF_8));
            assertEquals(
                    "orders",
                    parse(section(0x73, list(Width.LARGE, none, none, longText)), body())
                            .to());
            assertEquals(
                    "",
                    parse(section(0x73, list(Width.SMALL, none, none, none)), body())
                            .to());
            assertEquals(
                    "",
                    parse(section(0x73, list(Width.SMALL, none, none, bytes(0x54, 1))), body())
                            .to());
            assertEquals(
                    "",
                    parse(section(0x73, list(Width.SMALL, none, none)), body()).to());
        }
    }

    @Nested
    class Malformed {
        @Test
        void aRichMessageCutAnywhereIsRefusedUnlessItEndsWithASection() throws MalformedMessageException {
            for (Descriptor descriptor : Descriptor.values()) {
                for (Width width : Width.values()) {
                    byte[] rich = rich(descriptor, width);
                    List<Integer> whole = new ArrayList<>();
                    for (int length = 0; length < rich.length; length++) {
                        try {
                            whole.add(Message.parse(Arrays.copyOf(rich, length), 0)
                                    .size());
                        } catch (MalformedMessageException e) {
                            assertFalse(e.getMessage().isEmpty());
                        }
                    }
                    assertEquals(8, whole.size(), descriptor + " " + width + ": " + whole);
                }
            }
        }

        @Test
        void sectionsOutOfOrderAreNamed() {
            assertTrue(refusal(body(), header()).contains("header section at byte 8 must not follow the data section"));
            assertTrue(
                    refusal(section(0x73, bytes(0x45)), annotations(), body()).contains("message-annotations"));
        }

        @Test
        void sectionsThatMayComeOnceOnlyDo() {
            assertTrue(refusal(header(), header(), body()).contains("header"));
            assertTrue(refusal(section(0x77, bytes(0x40)), section(0x77, bytes(0x40)))
                    .contains("amqp-value"));
            assertTrue(refusal(body(), section(0x78, map(Width.SMALL)), section(0x78, map(Width.SMALL)))
                    .contains("footer"));
        }

        @Test
        void aBodyIsOfOneKind() {
            assertTrue(refusal(body(), section(0x76, bytes(0x45))).contains("amqp-sequence"));
            assertTrue(refusal(body(), section(0x77, bytes(0x40))).contains("amqp-value"));
        }

        /** The specification wants a body; a JMS {@code Message}, which has none, is sent without one by Qpid JMS. */
        @Test
        void aMessageMayLackABody() throws MalformedMessageException {
            assertEquals(0, Message.parse(new byte[0], 0).size());
            assertEquals(4, Message.parse(header(), 0).priority());
            assertEquals("", Message.parse(section(0x78, map(Width.SMALL)), 0).to());
        }

        @Test
        void whatIsNoSectionIsRefused() {
            assertTrue(refusal(string("hello")).contains("a section is expected at byte 0"));
            assertTrue(refusal(section(0x6f, bytes(0x40))).contains("descriptor at byte 0"));
            assertTrue(refusal(section(0x79, bytes(0x40))).contains("descriptor at byte 0"));
            assertTrue(refusal(section(0x24, Descriptor.SYM8, bytes(0x40))).contains("descriptor at byte 0"));
            assertTrue(refusal(bytes(0, 0x80, 1, new byte[6], 0x77, 0x40)).contains("descriptor at byte 0"));
            assertTrue(refusal(bytes(0, 0x44, 0x40)).contains("descriptor at byte 0"));
        }

        @Test
        void headerFieldsHaveTheirTypes() {
            assertTrue(refusal(header(bytes(0x43)), body()).contains("durable"));
            assertTrue(refusal(header(bytes(0x41), bytes(0x54, 1)), body()).contains("priority"));
            assertTrue(refusal(header(bytes(0x41), bytes(0x40), string("1")), body())
                    .contains("ttl"));
        }

        @Test
        void sectionsHaveTheirTypes() {
            assertTrue(refusal(section(0x70, bytes(0x40)), body()).contains("list is expected"));
            assertTrue(refusal(section(0x72, bytes(0x45)), body()).contains("map is expected"));
            assertTrue(refusal(section(0x74, string("x")), body()).contains("map is expected"));
        }

        @Test
        void countsAndSizesThatLieAreRefused() {
            assertTrue(refusal(section(0x70, bytes(0xc0, 1, 200)), body()).contains("claims 200 elements"));
            assertTrue(refusal(section(0x70, bytes(0xc0, 0)), body()).contains("no room for its count"));
            assertTrue(refusal(section(0x70, bytes(0xd0, int32(-1), int32(0))), body())
                    .contains("bytes more"));
            assertTrue(refusal(section(0x77, bytes(0xb0, int32(Integer.MAX_VALUE))))
                    .contains("bytes more"));
            assertTrue(refusal(section(0x77, bytes(0x10))).contains("unknown type constructor 0x10"));
        }

        @Test
        void annotationsThatAreNotPairsOfValuesAreRefused() {
            assertTrue(refusal(annotations(symbol("x-a")), body()).contains("message-annotations"));
            assertTrue(
                    refusal(section(0x72, bytes(0xc1, 3, 2, 0xa3, 9)), body()).contains("byte"));
            assertTrue(refusal(section(0x72, bytes(0xc1, 4, 2, 0x40, 0x40, 0x40)), body())
                    .contains("message-annotations"));
        }

        @Test
        void descriptorsNestedWithoutEndAreRefused() {
            assertTrue(refusal(section(0x77, new byte[100_000])).contains("nested deeper"));
        }
    }

    @Nested
    class Encoded {
        @ParameterizedTest
        @ValueSource(ints = {0, 1, 255, 256, 100_000})
        void carriesDeliveryCountAndFirstAcquirer(int deliveryCount) throws MalformedMessageException {
            for (boolean first : new boolean[] {true, false}) {
                Message message = Message.parse(rich(Descriptor.SYM8, Width.LARGE), 0);
                byte[] encoded = message.encode(deliveryCount, first, -1);
                assertEquals(encoded.length, message.encodedSize(deliveryCount, -1));
                assertEquals(deliveryCount, decoded(encoded).getDeliveryCount());
                assertEquals(first, decoded(encoded).isFirstAcquirer());
            }
        }

        @ParameterizedTest
        @ValueSource(longs = {0, 1, 255, 256, 65_536, 0xffff_ffffL})
        void keepsDurablePriorityAndTtl(long ttl) throws MalformedMessageException {
            byte[] encodedTtl = bytes(0x70, int32((int) ttl));
            Message message = parse(header(bytes(0x41), bytes(0x50, 200), encodedTtl), body());
            Header header = decoded(message.encode(3, false, -1)).getHeader();
            assertTrue(header.getDurable());
            assertEquals(200, header.getPriority().intValue());
            assertEquals(ttl, header.getTtl().longValue());
            assertEquals(200, Message.parse(message.encode(3, false, -1), 0).priority());
        }

        @Test
        void leavesOutWhatTheHeaderDidNotSay() throws MalformedMessageException {
            Header header = decoded(parse(body()).encode(0, true, -1)).getHeader();
            assertFalse(header.getDurable());
            assertEquals(null, header.getPriority());
            assertEquals(null, header.getTtl());
        }

        @ParameterizedTest
        @MethodSource("io.millrace.message.MessageTest#encodings")
        void everythingAfterTheHeaderGoesOutAsItCameIn(Descriptor descriptor, Width width)
                throws MalformedMessageException {
            byte[] rich = rich(descriptor, width);
            byte[] tail = tail(rich);
            byte[] encoded = Message.parse(rich, 0).encode(9, false, -1);
            assertArrayEquals(tail, tail(encoded));
            assertArrayEquals(tail, tail(Message.parse(encoded, 0).encode(0, true, -1)));
        }

        private byte[] tail(byte[] message) throws MalformedMessageException {
            int value = Encoding.skip(message, 1, message.length);
            return Arrays.copyOfRange(message, Encoding.skip(message, value, message.length), message.length);
        }

        @ParameterizedTest
        @ValueSource(ints = {0, 1, 255, 256, Integer.MAX_VALUE})
        void isTheHeaderAndTheRestPutTogether(int deliveryCount) throws MalformedMessageException {
            Message message = Message.parse(rich(Descriptor.SMALL_ULONG, Width.SMALL), 0);
            byte[] header = new byte[2 + Message.MAX_HEADER_SIZE];
            int size = message.header(deliveryCount, true, -1, header, 2);
            byte[] rest = Arrays.copyOfRange(message.bytes(), message.afterHeader(), message.size());
            assertArrayEquals(
                    message.encode(deliveryCount, true, -1), bytes(Arrays.copyOfRange(header, 2, 2 + size), rest));
        }

        @Test
        void aValueThatTheCodecReadsButCannotWriteBecomesNull() throws Exception {
            Message message = parse(body()).withAnnotations(Map.of("x-a", List.of(new int[] {1}), "x-b", "b"));
            assertEquals("", message.annotation("x-a"));
            assertEquals("b", message.annotation("x-b"));
        }

        @Test
        void anOpaqueMessageIsNeverLookedInto() throws MalformedMessageException {
            byte[] opaque = {0x70, 0, (byte) 0xff};
            Message message = Message.parse(opaque, 0x80013700);
            assertSame(opaque, message.encode(5, false, -1));
            assertEquals(opaque.length, message.encodedSize(5, -1));
            assertEquals(0x80013700, message.format());
            assertTrue(message.durable());
            assertEquals(4, message.priority());
            assertEquals("", message.to());
            assertEquals("", message.annotation("x-a"));
            assertSame(message, message.withAnnotations(Map.of("x-a", 1)));
            assertEquals(0, message.header(5, false, -1, new byte[0], 0));
            assertEquals(0, message.afterHeader());
        }
    }

    @Nested
    class AddingAnnotations {
        @Test
        void areAddedWhenThereAreNone() throws MalformedMessageException {
            Message message = parse(body()).withAnnotations(Map.of("x-a", "b"));
            assertEquals("b", message.annotation("x-a"));
            assertArrayEquals(body(), Arrays.copyOfRange(message.bytes(), message.size() - 8, message.size()));
        }

        @Test
        void areAddedBehindTheDeliveryAnnotations() throws MalformedMessageException {
            byte[] deliveryAnnotations = section(0x71, map(Width.SMALL, symbol("x-d"), bytes(0x54, 9)));
            Message message = parse(header(bytes(0x41)), deliveryAnnotations, section(0x73, bytes(0x45)), body())
                    .withAnnotations(Map.of("x-a", "b"));
            assertEquals("b", message.annotation("x-a"));
            assertTrue(message.durable());
            assertEquals(
                    Map.of(Symbol.valueOf("x-d"), 9),
                    Map.copyOf(decoded(message.encode(0, true, -1))
                            .getDeliveryAnnotations()
                            .getValue()));
        }

        @Test
        void areMergedAndTheOldOnesStayAsTheyWereEncoded() throws MalformedMessageException {
            byte[] oldEntry =
                    bytes(bytes(0xb3, int32(5), "x-old".getBytes(StandardCharsets.UTF_8)), bytes(0x81, new byte[8]));
            Message message = parse(section(0x72, bytes(0xd1, int32(4 + oldEntry.length), int32(2), oldEntry)), body())
                    .withAnnotations(Map.of("x-new", 5));
            assertEquals(0L, message.annotation("x-old"));
            assertEquals(5, message.annotation("x-new"));
            assertTrue(Collections.indexOfSubList(boxed(message.bytes()), boxed(oldEntry)) > 0);
        }

        private List<Byte> boxed(byte[] bytes) {
            List<Byte> boxed = new ArrayList<>();
            for (byte b : bytes) {
                boxed.add(b);
            }
            return boxed;
        }

        @Test
        void replaceThoseWithTheSameKeyAndNoOthers() throws MalformedMessageException {
            Message message = parse(annotations(symbol("x-a"), string("1"), symbol("x-ab"), string("2")), body())
                    .withAnnotations(Map.of("x-a", "3"));
            assertEquals("3", message.annotation("x-a"));
            assertEquals("2", message.annotation("x-ab"));
            assertEquals(
                    2,
                    decoded(message.bytes()).getMessageAnnotations().getValue().size());
            assertEquals("4", message.withAnnotations(Map.of("x-a", "4")).annotation("x-a"));
        }

        @Test
        void mayHoldMapsAndLists() throws MalformedMessageException {
            Map<String, Object> death = Map.of("queue", "orders", "count", 3L, "chain", List.of("a", Map.of("b", 1)));
            Message message = parse(rich(Descriptor.ULONG, Width.SMALL)).withAnnotations(Map.of("x-death", death));
            assertEquals(death, message.annotation("x-death"));
            assertEquals("b", message.annotation("x-a"));
            assertEquals(
                    death,
                    decoded(message.encode(0, true, -1))
                            .getMessageAnnotations()
                            .getValue()
                            .get(Symbol.valueOf("x-death")));
        }

        @Test
        void mayBeNull() throws MalformedMessageException {
            Message message = parse(body()).withAnnotations(Collections.singletonMap("x-a", null));
            assertTrue(
                    decoded(message.bytes()).getMessageAnnotations().getValue().containsKey(Symbol.valueOf("x-a")));
            assertEquals("", message.annotation("x-a"));
        }

        @Test
        void leaveEveryOtherByteAlone() throws MalformedMessageException {
            byte[] rich = rich(Descriptor.SYM32, Width.LARGE);
            Message message = Message.parse(rich, 0);
            byte[] changed = message.withAnnotations(Map.of("x-b", "c")).bytes();
            int bare = indexOf(rich, section(0x73, Descriptor.SYM32, new byte[0]));
            byte[] bareMessage = Arrays.copyOfRange(rich, bare, rich.length);
            assertArrayEquals(
                    bareMessage, Arrays.copyOfRange(changed, changed.length - bareMessage.length, changed.length));
            int own = indexOf(rich, section(0x72, Descriptor.SYM32, new byte[0]));
            assertArrayEquals(Arrays.copyOf(rich, own), Arrays.copyOf(changed, own));
        }

        private int indexOf(byte[] bytes, byte[] part) {
            return Collections.indexOfSubList(boxed(bytes), boxed(part));
        }

        @Test
        void noneToAddIsNoChange() throws MalformedMessageException {
            Message message = parse(body());
            assertSame(message, message.withAnnotations(Map.of()));
        }

        @Test
        void aValueThatTheCodecCannotReadDoesNotHideTheOthers() throws MalformedMessageException {
            byte[] brokenMap = bytes(0xc1, 2, 1, 0xa1);
            Message message = parse(annotations(symbol("x-bad"), brokenMap, symbol("x-a"), string("b")), body());
            assertEquals("", message.annotation("x-bad"));
            assertEquals("b", message.annotation("x-a"));
            assertEquals("c", message.withAnnotations(Map.of("x-bad", "c")).annotation("x-bad"));
        }
    }

    @Nested
    class WithoutExpiry {
        private byte[] mortal(Width width, byte[] ttl, byte[] expiry) {
            return bytes(
                    section(0x70, list(width, bytes(0x41), bytes(0x50, 7), ttl)),
                    section(
                            0x73,
                            list(
                                    width,
                                    string("id"),
                                    bytes(0x40),
                                    bytes(0x40),
                                    bytes(0x40),
                                    bytes(0x40),
                                    bytes(0x40),
                                    bytes(0x40),
                                    bytes(0x40),
                                    expiry,
                                    bytes(0x40),
                                    string("group"))),
                    body());
        }

        @Test
        void nothingElseIsChanged() throws MalformedMessageException {
            byte[] expiry = bytes(0x83, new byte[7], 9);
            for (Width width : Width.values()) {
                Message message = parse(mortal(width, bytes(0x70, int32(300)), expiry));
                assertEquals(300, message.ttlMillis());
                assertEquals(9, message.absoluteExpiryMillis());
                assertArrayEquals(
                        mortal(width, bytes(0x40), bytes(0x40)),
                        message.withoutExpiry(false).bytes());
                Message onlyTtl = parse(mortal(width, bytes(0x52, 30), bytes(0x40)));
                assertArrayEquals(
                        mortal(width, bytes(0x40), bytes(0x40)),
                        onlyTtl.withoutExpiry(false).bytes());
                Message onlyTime = parse(mortal(width, bytes(0x40), expiry));
                assertArrayEquals(
                        mortal(width, bytes(0x40), bytes(0x40)),
                        onlyTime.withoutExpiry(false).bytes());
            }
        }

        @Test
        void theTtlMayBeKept() throws MalformedMessageException {
            byte[] ttl = bytes(0x70, int32(300));
            Message message = parse(mortal(Width.SMALL, ttl, bytes(0x83, new byte[7], 9)));
            assertArrayEquals(
                    mortal(Width.SMALL, ttl, bytes(0x40)),
                    message.withoutExpiry(true).bytes());
        }

        @Test
        void oneThatLivesForEverIsItself() throws MalformedMessageException {
            Message message = parse(body());
            assertSame(message, message.withoutExpiry(false));
        }

        @Test
        void theBodyInTheStoreStays() throws MalformedMessageException {
            Message message = Message.streamed(
                            section(0x70, list(Width.SMALL, bytes(0x41), bytes(0x40), bytes(0x43))), 0, 5, 77)
                    .withoutExpiry(false);
            assertEquals(-1, message.ttlMillis());
            assertEquals(5, message.body());
            assertEquals(77, message.streamed());
        }
    }
}
