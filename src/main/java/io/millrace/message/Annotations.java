package io.millrace.message;

import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Map;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.codec.AMQPDefinedTypes;
import org.apache.qpid.proton.codec.DecoderImpl;
import org.apache.qpid.proton.codec.EncoderImpl;

/**
 * The map in a message-annotations section (AMQP 1.0, part 3, section 3.2.3), read and written where it is; the
 * application properties are read the same way. Entries that
 * nobody asks for are stepped over, never decoded.
 */
final class Annotations {
    private static final byte[] DESCRIPTOR = {Encoding.DESCRIBED, Encoding.SMALL_ULONG, 0x72};

    private static final String DELIVERY_TIME = "x-opt-delivery-time";
    private static final String DELIVERY_DELAY = "x-opt-delivery-delay";

    private Annotations() {}

    /**
     * Fails unless the map at {@code at} holds pairs of well-formed values and nothing else.
     *
     * @return where the entry starts that says when to deliver, or 0; found on this way, so that nobody has to search the
     *     annotations of each message for it
     */
    static int check(byte[] bytes, int at, int end) throws MalformedMessageException {
        Encoding.Elements map = Encoding.elements(bytes, at, end, Encoding.MAP8);
        int element = map.first();
        int delivery = 0;
        for (int i = 0; i < map.count(); i++) {
            int next = Encoding.skip(bytes, element, map.end());
            if (i % 2 == 0 && saysWhen(bytes, element, next, delivery == 0)) {
                delivery = element;
            }
            element = next;
        }
        if (map.count() % 2 != 0 || element != map.end()) {
            throw new MalformedMessageException(
                    "the message-annotations at byte " + at + " are not pairs of keys and values");
        }
        return delivery;
    }

    /** The bytes of a message with this section in the place of those from {@code start} to {@code end}. */
    private static byte[] replaced(byte[] bytes, int start, int end, byte[] section) {
        byte[] result = new byte[start + section.length + bytes.length - end];
        System.arraycopy(bytes, 0, result, 0, start);
        System.arraycopy(section, 0, result, start, section.length);
        System.arraycopy(bytes, end, result, start + section.length, bytes.length - end);
        return result;
    }

    /** A time is worth more than a delay, which counts only when nothing was found before. */
    private static boolean saysWhen(byte[] bytes, int key, int value, boolean first) {
        return Encoding.isText(bytes, key, value, DELIVERY_TIME)
                || (first && Encoding.isText(bytes, key, value, DELIVERY_DELAY));
    }

    /** The time that the entry at {@code key} asks for, in milliseconds of the epoch; 0 when there is none in it. */
    static long deliveryTimeMillis(byte[] bytes, int key, int end, long nowMillis) throws MalformedMessageException {
        int value = Encoding.skip(bytes, key, end);
        long millis = Value.integral(bytes, value, Encoding.skip(bytes, value, end), 0);
        if (millis <= 0 || Encoding.isText(bytes, key, value, DELIVERY_TIME)) {
            return Math.max(millis, 0);
        }
        return millis > Long.MAX_VALUE - nowMillis ? Long.MAX_VALUE : nowMillis + millis;
    }

    /**
     * The bytes of a message with entries in its annotations, which replace those with the same keys.
     *
     * @param at where the section is; negative if there is none
     */
    static byte[] with(byte[] bytes, int at, int end, int afterHeader, Map<String, Object> added) {
        try {
            if (at < 0) {
                int start = Section.afterDeliveryAnnotations(bytes, afterHeader);
                return replaced(bytes, start, start, section(added));
            }
            return replaced(bytes, at, end, section(bytes, Section.value(bytes, at), end, added));
        } catch (MalformedMessageException e) {
            throw new IllegalStateException("a message that was parsed before is malformed", e);
        }
    }

    /** A section with these entries. */
    static byte[] section(Map<String, Object> entries) {
        return section(new byte[0], 0, entries);
    }

    /** A section with the entries of the map at {@code at}, as they are encoded, and with others, which replace them. */
    static byte[] section(byte[] bytes, int at, int end, Map<String, Object> added) throws MalformedMessageException {
        Encoding.Elements map = Encoding.elements(bytes, at, end, Encoding.MAP8);
        byte[] kept = new byte[map.end() - map.first()];
        int size = 0;
        int count = 0;
        int key = map.first();
        while (key < map.end()) {
            int value = Encoding.skip(bytes, key, map.end());
            int next = Encoding.skip(bytes, value, map.end());
            if (!added.containsKey(Encoding.text(bytes, key, value))) {
                System.arraycopy(bytes, key, kept, size, next - key);
                size += next - key;
                count++;
            }
            key = next;
        }
        return section(Arrays.copyOf(kept, size), count, added);
    }

    private static byte[] section(byte[] kept, int keptCount, Map<String, Object> added) {
        byte[] entries = encoded(added);
        return ByteBuffer.allocate(DESCRIPTOR.length + 9 + kept.length + entries.length)
                .put(DESCRIPTOR)
                .put((byte) Encoding.MAP32)
                .putInt(4 + kept.length + entries.length)
                .putInt(2 * (keptCount + added.size()))
                .put(kept)
                .put(entries)
                .array();
    }

    private static byte[] encoded(Map<String, Object> entries) {
        for (int size = 1024; ; size *= 2) {
            try {
                return encoded(entries, size);
            } catch (BufferOverflowException e) {
                // The codec asks for more room than it takes, so the size cannot be measured beforehand.
                if (size > Integer.MAX_VALUE / 4) {
                    throw e;
                }
            }
        }
    }

    private static byte[] encoded(Map<String, Object> entries, int size) {
        ByteBuffer buffer = ByteBuffer.allocate(size);
        DecoderImpl decoder = new DecoderImpl();
        EncoderImpl encoder = new EncoderImpl(decoder);
        AMQPDefinedTypes.registerAllTypes(decoder, encoder);
        encoder.setByteBuffer(buffer);
        entries.forEach((key, value) -> {
            encoder.writeSymbol(Symbol.valueOf(key));
            int start = buffer.position();
            try {
                encoder.writeObject(value);
            } catch (BufferOverflowException e) {
                throw e;
            } catch (RuntimeException e) {
                // The codec reads more than it can write. A message must not get stuck on what somebody hung on it.
                buffer.position(start);
                encoder.writeNull();
            }
        });
        return Arrays.copyOf(buffer.array(), buffer.position());
    }

    /** The value under a key in the map at {@code at}; an empty string when it is absent, null, or cannot be decoded. */
    static Object value(byte[] bytes, int at, int end, String wanted) throws MalformedMessageException {
        int value = find(bytes, at, end, wanted);
        return value == 0 ? "" : Value.decode(bytes, value, Encoding.skip(bytes, value, end));
    }

    /** Where the value under a key in the map at {@code at} starts; 0 when there is none. */
    static int find(byte[] bytes, int at, int end, String wanted) throws MalformedMessageException {
        Encoding.Elements map = Encoding.elements(bytes, at, end, Encoding.MAP8);
        int key = map.first();
        for (int entry = map.count() / 2; entry > 0; entry--) {
            int value = Encoding.skip(bytes, key, map.end());
            int next = Encoding.skip(bytes, value, map.end());
            if (Encoding.isText(bytes, key, value, wanted)) {
                return value;
            }
            key = next;
        }
        return 0;
    }
}
