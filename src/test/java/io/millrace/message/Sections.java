package io.millrace.message;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Encodes message sections by hand, each in any of the encodings that the specification allows. */
final class Sections {
    private static final Map<Integer, String> SYMBOLS = Map.of(
            0x70, "amqp:header:list",
            0x71, "amqp:delivery-annotations:map",
            0x72, "amqp:message-annotations:map",
            0x73, "amqp:properties:list",
            0x74, "amqp:application-properties:map",
            0x75, "amqp:data:binary",
            0x76, "amqp:amqp-sequence:list",
            0x77, "amqp:amqp-value:*",
            0x78, "amqp:footer:map");

    private Sections() {}

    /** How a descriptor is encoded. */
    enum Descriptor {
        SMALL_ULONG,
        ULONG,
        SYM8,
        SYM32
    }

    /** How a list or map is encoded. */
    enum Width {
        SMALL,
        LARGE
    }

    static byte[] bytes(Object... parts) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (Object part : parts) {
            if (part instanceof byte[] array) {
                out.writeBytes(array);
            } else {
                out.write((Integer) part);
            }
        }
        return out.toByteArray();
    }

    static byte[] int32(int value) {
        return ByteBuffer.allocate(4).putInt(value).array();
    }

    static byte[] symbol(String text) {
        byte[] ascii = text.getBytes(StandardCharsets.US_ASCII);
        return bytes(0xa3, ascii.length, ascii);
    }

    static byte[] string(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return bytes(0xa1, utf8.length, utf8);
    }

    static byte[] section(int code, Descriptor descriptor, byte[] value) {
        byte[] symbol = SYMBOLS.getOrDefault(code, "none").getBytes(StandardCharsets.US_ASCII);
        byte[] encoded =
                switch (descriptor) {
                    case SMALL_ULONG -> bytes(0x53, code);
                    case ULONG -> bytes(0x80, new byte[7], code);
                    case SYM8 -> bytes(0xa3, symbol.length, symbol);
                    case SYM32 -> bytes(0xb3, int32(symbol.length), symbol);
                };
        return bytes(0x00, encoded, value);
    }

    static byte[] section(int code, byte[] value) {
        return section(code, Descriptor.SMALL_ULONG, value);
    }

    static byte[] list(Width width, byte[]... elements) {
        return compound(width == Width.SMALL ? 0xc0 : 0xd0, width, elements);
    }

    static byte[] map(Width width, byte[]... elements) {
        return compound(width == Width.SMALL ? 0xc1 : 0xd1, width, elements);
    }

    private static byte[] compound(int code, Width width, byte[]... elements) {
        byte[] content = bytes((Object[]) elements);
        return width == Width.SMALL
                ? bytes(code, content.length + 1, elements.length, content)
                : bytes(code, int32(content.length + 4), int32(elements.length), content);
    }

    /** A body of one data section. */
    static byte[] body() {
        return section(0x75, bytes(0xa0, 3, 1, 2, 3));
    }

    /** All sections, in one way to encode them: durable, priority 7, ttl 300, for "orders", one annotation "x-a": "b". */
    static byte[] rich(Descriptor descriptor, Width width) {
        byte[] header = list(width, bytes(0x41), bytes(0x50, 7), bytes(0x70, int32(300)), bytes(0x42), bytes(0x43));
        byte[] properties = list(width, string("id-1"), bytes(0x40), string("orders"), string("subject"));
        return bytes(
                section(0x70, descriptor, header),
                section(0x71, descriptor, map(width, symbol("x-d"), bytes(0x54, 9))),
                section(0x72, descriptor, map(width, symbol("x-a"), string("b"))),
                section(0x73, descriptor, properties),
                section(0x74, descriptor, map(width, string("colour"), string("red"))),
                section(0x75, descriptor, bytes(0xa0, 3, 1, 2, 3)),
                section(0x75, descriptor, bytes(0xb0, int32(2), 4, 5)),
                section(0x78, descriptor, map(width, symbol("x-crc"), bytes(0x52, 1))));
    }
}
