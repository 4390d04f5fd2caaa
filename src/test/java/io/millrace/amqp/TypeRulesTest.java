package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedByte;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.UnsignedShort;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.apache.qpid.proton.amqp.transport.Open;
import org.apache.qpid.proton.amqp.transport.ReceiverSettleMode;
import org.apache.qpid.proton.amqp.transport.SenderSettleMode;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The rules for the fields of performatives: mandatory ones, types, ranges, defaults, and descriptors (AMQP 1.0, part 1,
 * section 1.4, and part 2, sections 2.7 and 2.8). Fields are those of the type definitions of the specification.
 */
class TypeRulesTest {

    /** A field: its name, its type, an exclamation mark when it is mandatory; and a legal value. */
    private record Field(String name, String type, boolean mandatory, Object legal) {
        static Field of(String definition, Object legal) {
            String[] parts = definition.replace("!", "").split(":", -1);
            return new Field(parts[0], parts[1], definition.endsWith("!"), legal);
        }
    }

    private record Performative(String name, int code, List<Field> fields) {
        List<Object> legal() {
            return new ArrayList<>(
                    Arrays.asList(fields.stream().map(Field::legal).toArray()));
        }

        @Override
        public String toString() {
            return name;
        }
    }

    private static Performative performative(String name, int code, Object... definitionsAndValues) {
        List<Field> fields = new ArrayList<>();
        for (int i = 0; i < definitionsAndValues.length; i += 2) {
            fields.add(Field.of((String) definitionsAndValues[i], definitionsAndValues[i + 1]));
        }
        return new Performative(name, code, fields);
    }

    private static UnsignedInteger uint(int value) {
        return UnsignedInteger.valueOf(value);
    }

    private static ErrorCondition error() {
        return new ErrorCondition(Symbol.valueOf("amqp:not-found"), "none");
    }

    static Stream<Performative> performatives() {
        return Stream.of(
                performative(
                        "open",
                        RawPerformative.OPEN,
                        "container-id:string!",
                        "client",
                        "hostname:string",
                        "host",
                        "max-frame-size:uint",
                        uint(4096),
                        "channel-max:ushort",
                        UnsignedShort.valueOf((short) 10),
                        "idle-time-out:uint",
                        uint(60_000),
                        "outgoing-locales:symbols",
                        Symbol.valueOf("en-US"),
                        "incoming-locales:symbols",
                        new Symbol[] {Symbol.valueOf("en-US"), Symbol.valueOf("de-DE")},
                        "offered-capabilities:symbols",
                        Symbol.valueOf("unheard-of"),
                        "desired-capabilities:symbols",
                        new Symbol[] {Symbol.valueOf("unheard-of"), Symbol.valueOf("too")},
                        "properties:map",
                        Map.of(Symbol.valueOf("unheard-of"), 1)),
                performative(
                        "begin",
                        RawPerformative.BEGIN,
                        "remote-channel:ushort",
                        null,
                        "next-outgoing-id:uint!",
                        uint(1),
                        "incoming-window:uint!",
                        uint(10),
                        "outgoing-window:uint!",
                        uint(10),
                        "handle-max:uint",
                        uint(10),
                        "offered-capabilities:symbols",
                        Symbol.valueOf("unheard-of"),
                        "desired-capabilities:symbols",
                        Symbol.valueOf("unheard-of"),
                        "properties:map",
                        Map.of(Symbol.valueOf("unheard-of"), "x")),
                performative(
                        "attach",
                        RawPerformative.ATTACH,
                        "name:string!",
                        "a link",
                        "handle:uint!",
                        uint(5),
                        "role:boolean!",
                        false,
                        "snd-settle-mode:ubyte",
                        UnsignedByte.valueOf((byte) 0),
                        "rcv-settle-mode:ubyte",
                        UnsignedByte.valueOf((byte) 0),
                        "source:composite",
                        new Source(),
                        "target:composite",
                        target(),
                        "unsettled:map",
                        null,
                        "incomplete-unsettled:boolean",
                        false,
                        "initial-delivery-count:uint",
                        uint(0),
                        "max-message-size:ulong",
                        UnsignedLong.valueOf(100),
                        "offered-capabilities:symbols",
                        Symbol.valueOf("unheard-of"),
                        "desired-capabilities:symbols",
                        Symbol.valueOf("unheard-of"),
                        "properties:map",
                        Map.of(Symbol.valueOf("unheard-of"), "x")),
                performative(
                        "flow",
                        RawPerformative.FLOW,
                        "next-incoming-id:uint",
                        uint(0),
                        "incoming-window:uint!",
                        uint(10),
                        "next-outgoing-id:uint!",
                        uint(0),
                        "outgoing-window:uint!",
                        uint(10),
                        "handle:uint",
                        uint(1),
                        "delivery-count:uint",
                        uint(0),
                        "link-credit:uint",
                        uint(1),
                        "available:uint",
                        uint(0),
                        "drain:boolean",
                        false,
                        "echo:boolean",
                        false,
                        "properties:map",
                        Map.of(Symbol.valueOf("unheard-of"), "x")),
                performative(
                        "transfer",
                        RawPerformative.TRANSFER,
                        "handle:uint!",
                        uint(1),
                        "delivery-id:uint",
                        uint(0),
                        "delivery-tag:binary",
                        new Binary(new byte[] {1}),
                        "message-format:uint",
                        uint(0),
                        "settled:boolean",
                        false,
                        "more:boolean",
                        false,
                        "rcv-settle-mode:ubyte",
                        UnsignedByte.valueOf((byte) 0),
                        "state:composite",
                        null,
                        "resume:boolean",
                        false,
                        "aborted:boolean",
                        false,
                        "batchable:boolean",
                        true),
                performative(
                        "disposition",
                        RawPerformative.DISPOSITION,
                        "role:boolean!",
                        true,
                        "first:uint!",
                        uint(0),
                        "last:uint",
                        uint(0),
                        "settled:boolean",
                        true,
                        "state:composite",
                        Accepted.getInstance(),
                        "batchable:boolean",
                        true),
                performative(
                        "detach",
                        RawPerformative.DETACH,
                        "handle:uint!",
                        uint(1),
                        "closed:boolean",
                        true,
                        "error:composite",
                        error()),
                performative("end", RawPerformative.END, "error:composite", error()),
                performative("close", RawPerformative.CLOSE, "error:composite", error()));
    }

    private static Target target() {
        Target target = new Target();
        target.setAddress("q");
        return target;
    }

    /** Values that are not of the type, most of them close to it. */
    private static List<Object> illegal(String type) {
        Object text = "text";
        Object symbol = Symbol.valueOf("symbol");
        return switch (type) {
            case "string" -> List.of(symbol, 1, true, uint(7));
            case "uint" -> List.of(7, 7L, UnsignedLong.valueOf(7), UnsignedShort.valueOf((short) 7), text, true);
            case "ulong" -> List.of(7L, uint(7), text);
            case "ushort" -> List.of((short) 7, uint(7), text);
            case "ubyte" -> List.of((byte) 0, uint(0), text, UnsignedByte.valueOf((byte) 3), true);
            case "boolean" -> List.of(uint(0), text, UnsignedByte.valueOf((byte) 0));
            case "symbols" -> List.of(text, 1, List.of(symbol));
            case "map" -> List.of(List.of(symbol), text, symbol);
            case "binary" -> List.of(text, symbol, 1);
            case "composite" -> List.of(text, 1, Map.of(symbol, 1), List.of(symbol));
            default -> throw new IllegalArgumentException(type);
        };
    }

    /** A peer that may send the performative, on its channel 0, and would be answered or ignored if that was legal. */
    private static Peer ready(Performative performative) {
        Peer peer = new Peer();
        peer.nodes.add("q");
        if (performative.code() == RawPerformative.OPEN) {
            peer.send(Handshake.AMQP_HEADER);
        } else if (performative.code() == RawPerformative.BEGIN) {
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, Peer.open()));
            peer.expect(Open.class);
        } else {
            peer.begin();
            peer.attachSender(1, "q");
        }
        return peer;
    }

    /** What became of a performative with these fields: the condition of the close frame, or that the connection lives. */
    private static String fate(Performative performative, List<Object> fields) {
        Peer peer = ready(performative);
        byte[] payload = performative.code() == RawPerformative.TRANSFER ? Peer.message("x") : new byte[0];
        peer.send(Peer.frame(0, RawPerformative.of(performative.code(), fields.toArray()), payload));
        String fate = "alive";
        while (!peer.nothingCame()) {
            if (peer.next().body() instanceof Close close) {
                fate = close.getError() == null
                        ? "closed"
                        : close.getError().getCondition().toString();
            }
        }
        return fate;
    }

    private static List<Object> with(Performative performative, int index, Object value) {
        List<Object> fields = performative.legal();
        fields.set(index, value);
        return fields;
    }

    @Nested
    class Fields {
        private static String alive(Performative performative) {
            return performative.code() == RawPerformative.CLOSE ? "closed" : "alive";
        }

        private static final String PERFORMATIVES = "io.millrace.amqp.TypeRulesTest#performatives";

        @ParameterizedTest
        @MethodSource(PERFORMATIVES)
        void allOfThemMayBeThere(Performative performative) {
            assertEquals(alive(performative), fate(performative, performative.legal()));
        }

        @ParameterizedTest
        @MethodSource(PERFORMATIVES)
        void aMandatoryOneThatIsNullIsADecodeErrorOfTheConnection(Performative performative) {
            for (int i = 0; i < performative.fields().size(); i++) {
                Field field = performative.fields().get(i);
                assertEquals(
                        field.mandatory() ? Condition.DECODE_ERROR : alive(performative),
                        fate(performative, with(performative, i, nullOr(field))),
                        field.name());
            }
        }

        /** Null where the specification lets it be null in this very situation. */
        private static Object nullOr(Field field) {
            return List.of("initial-delivery-count", "delivery-id", "delivery-tag", "target", "handle")
                                    .contains(field.name())
                            && !field.mandatory()
                    ? field.legal()
                    : null;
        }

        @ParameterizedTest
        @MethodSource(PERFORMATIVES)
        void aMandatoryOneBehindTheEndOfTheListIsADecodeErrorOfTheConnection(Performative performative) {
            int last = -1;
            for (int i = 0; i < performative.fields().size(); i++) {
                last = performative.fields().get(i).mandatory() ? i : last;
            }
            for (int count = 0; count <= last; count++) {
                assertEquals(
                        Condition.DECODE_ERROR,
                        fate(performative, performative.legal().subList(0, count)),
                        count + " fields");
            }
        }

        @ParameterizedTest
        @MethodSource(PERFORMATIVES)
        void oneOfAnotherTypeIsADecodeErrorOfTheConnection(Performative performative) {
            List<String> wrong = new ArrayList<>();
            for (int i = 0; i < performative.fields().size(); i++) {
                Field field = performative.fields().get(i);
                for (Object value : illegal(field.type())) {
                    String fate = fate(performative, with(performative, i, value));
                    if (!fate.equals(Condition.DECODE_ERROR)) {
                        wrong.add(field.name() + " = " + value.getClass().getSimpleName() + " " + value + ": " + fate);
                    }
                }
            }
            assertEquals(List.of(), wrong);
        }

        @ParameterizedTest
        @MethodSource(PERFORMATIVES)
        void oneMoreThanThereAreIsADecodeErrorOfTheConnection(Performative performative) {
            List<Object> fields = performative.legal();
            fields.add("one more");
            assertEquals(Condition.DECODE_ERROR, fate(performative, fields));
        }

        @ParameterizedTest
        @MethodSource(PERFORMATIVES)
        void aMapInsteadOfTheListIsADecodeErrorOfTheConnection(Performative performative) {
            Peer peer = ready(performative);
            peer.send(Peer.frame(0, new DescribedMap(UnsignedLong.valueOf(performative.code()))));
            while (!peer.nothingCame()) {
                Object body = peer.next().body();
                if (body instanceof Close close) {
                    assertEquals(
                            Symbol.valueOf(Condition.DECODE_ERROR),
                            close.getError().getCondition());
                    return;
                }
            }
            throw new AssertionError("no close frame came");
        }

        @ParameterizedTest
        @MethodSource(PERFORMATIVES)
        void aSymbolicDescriptorIsAsGoodAsANumericOne(Performative performative) {
            Peer peer = ready(performative);
            Symbol symbol = Symbol.valueOf("amqp:" + performative.name() + ":list");
            byte[] payload = performative.code() == RawPerformative.TRANSFER ? Peer.message("x") : new byte[0];
            peer.send(Peer.frame(
                    0, RawPerformative.named(symbol, performative.legal().toArray()), payload));
            while (!peer.nothingCame()) {
                if (peer.next().body() instanceof Close close) {
                    assertEquals(RawPerformative.CLOSE, performative.code());
                    assertNull(close.getError());
                }
            }
            assertTrue(peer.refusals.isEmpty(), () -> peer.refusals.toString());
        }
    }

    private record DescribedMap(Object getDescriptor) implements org.apache.qpid.proton.amqp.DescribedType {
        @Override
        public Object getDescribed() {
            return Map.of("a", 1);
        }
    }

    @Nested
    class Defaults {
        @Test
        void anOpenWithNothingButItsContainerIdIsEnough() {
            Peer peer = new Peer();
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, RawPerformative.of(RawPerformative.OPEN, "client")));
            peer.expect(Open.class);
            assertTrue(peer.opened);
        }

        @Test
        void anAttachWithoutSettleModesIsMixedAndFirst() {
            Peer peer = new Peer().begin();
            peer.nodes.add("q");
            peer.send(RawPerformative.of(
                    RawPerformative.ATTACH,
                    "l",
                    UnsignedInteger.ZERO,
                    false,
                    null,
                    null,
                    new Source(),
                    target(),
                    null,
                    null,
                    UnsignedInteger.ZERO));
            Attach answer = peer.expect(Attach.class);
            assertEquals(SenderSettleMode.MIXED, answer.getSndSettleMode());
            assertEquals(ReceiverSettleMode.FIRST, answer.getRcvSettleMode());
            assertFalse(answer.getIncompleteUnsettled());
        }

        @Test
        void anErrorWithoutTextOrInfoIsAnError() {
            Peer peer = new Peer().begin();
            peer.send(RawPerformative.of(
                    RawPerformative.CLOSE, RawPerformative.of(0x1d, Symbol.valueOf("amqp:internal-error"))));
            assertNull(peer.expect(Close.class).getError());
            assertEquals(
                    Condition.INTERNAL_ERROR, peer.closeReason.orElseThrow().symbol());
        }
    }

    @Nested
    class Bodies {
        private Condition refusal(byte[] body) {
            Peer peer = new Peer().begin();
            byte[] frame = Arrays.copyOf(Peer.frame(0, null), 8 + body.length);
            frame[3] = (byte) frame.length;
            System.arraycopy(body, 0, frame, 8, body.length);
            peer.send(frame);
            peer.expectClose(Condition.DECODE_ERROR);
            assertTrue(peer.socketClosed);
            return peer.refusals.get(0);
        }

        @Test
        void aDescriptorThatIsNoPerformativeIsADecodeError() {
            assertTrue(refusal(new byte[] {0, 0x53, 0x7f, 0x45}).description().contains("performative"));
            refusal(new byte[] {0, 0x53, 0x24, 0x45});
        }

        @Test
        void aBodyThatIsNotDescribedIsADecodeError() {
            refusal(new byte[] {0x45});
            refusal(new byte[] {0x40});
            refusal(new byte[] {(byte) 0xa1, 1, 'x'});
        }

        @Test
        void aBodyThatEndsTooSoonIsADecodeError() {
            refusal(new byte[] {0, 0x53});
            refusal(new byte[] {0, 0x53, 0x14, (byte) 0xc0, 100, 3, 0x43});
            refusal(new byte[] {0, 0x53, 0x12, (byte) 0xd0, 0x7f, 0, 0, 0, 0x7f, 0, 0, 0});
        }

        @Test
        void anUnknownFormatCodeIsADecodeError() {
            refusal(new byte[] {0, 0x53, 0x16, (byte) 0xc0, 2, 1, 0x01});
        }

        @Test
        void valuesNestedWithoutEndAreADecodeError() {
            byte[] nested = new byte[240];
            Arrays.fill(nested, (byte) 0);
            refusal(nested);
        }

        @Test
        void theFatesOfMapsWithOddNumbersOfElements() {
            refusal(new byte[] {0, 0x53, 0x10, (byte) 0xc0, 2, 1, (byte) 0xc1, 2, 1, 0x40});
        }
    }

    @Test
    void unknownPropertiesAndCapabilitiesAreIgnoredEverywhere() {
        Peer peer = new Peer();
        Map<Symbol, Object> unknown = new LinkedHashMap<>(Collections.singletonMap(Symbol.valueOf("nobody:knows"), 1));
        Open open = Peer.open();
        open.setProperties(Map.copyOf(unknown));
        open.setDesiredCapabilities(Symbol.valueOf("nobody-knows"));
        peer.send(Handshake.AMQP_HEADER, Peer.frame(0, open), Peer.frame(0, Peer.newBegin()));
        peer.nodes.add("q");
        Attach attach = Peer.sender(0, "q");
        attach.setProperties(Map.copyOf(unknown));
        attach.setDesiredCapabilities(Symbol.valueOf("nobody-knows"));
        attach.setOfferedCapabilities(Symbol.valueOf("nobody-knows"));
        peer.skip();
        peer.send(attach);
        Attach answer = peer.expect(Attach.class);
        assertInstanceOf(Target.class, answer.getTarget());
        assertNull(answer.getOfferedCapabilities());
    }
}
