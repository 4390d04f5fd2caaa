package io.millrace.message;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * The fields of a properties section (AMQP 1.0, part 3, section 3.2.4), each found by stepping over those before it. A field
 * that is absent, null or of a wrong type is the same to all methods: nobody can do anything about it any more.
 */
final class Properties {
    static final int MESSAGE_ID = 0;
    static final int USER_ID = 1;
    static final int TO = 2;
    static final int SUBJECT = 3;
    static final int REPLY_TO = 4;
    static final int CORRELATION_ID = 5;
    static final int ABSOLUTE_EXPIRY_TIME = 8;
    static final int CREATION_TIME = 9;
    static final int GROUP_ID = 10;
    static final int GROUP_SEQUENCE = 11;

    /** The names of the fields, in their order. */
    static final List<String> NAMES = List.of(
            "message-id",
            "user-id",
            "to",
            "subject",
            "reply-to",
            "correlation-id",
            "content-type",
            "content-encoding",
            "absolute-expiry-time",
            "creation-time",
            "group-id",
            "group-sequence",
            "reply-to-group-id");

    private static final int NONE = -1;
    private static final byte[] NO_BYTES = {};

    private Properties() {}

    /** Where a field of the list at {@code list} starts, or {@link #NONE}; all of it is within the bytes. */
    private static int find(byte[] bytes, int list, int field) {
        if (list < 0) {
            return NONE;
        }
        try {
            Encoding.Elements fields = Encoding.elements(bytes, list, bytes.length, Encoding.LIST8);
            if (fields.count() <= field) {
                return NONE;
            }
            int at = fields.first();
            for (int i = 0; i < field; i++) {
                at = Encoding.skip(bytes, at, fields.end());
            }
            Encoding.skip(bytes, at, fields.end());
            return at;
        } catch (MalformedMessageException e) {
            return NONE;
        }
    }

    /** A value of any type, or an empty string. */
    static Object value(byte[] bytes, int list, int field) {
        int at = find(bytes, list, field);
        return at == NONE ? "" : Value.decode(bytes, at, end(bytes, at));
    }

    /** A string or symbol, or an empty string. */
    static String text(byte[] bytes, int list, int field) {
        int at = find(bytes, list, field);
        try {
            return at == NONE ? "" : Encoding.text(bytes, at, bytes.length);
        } catch (MalformedMessageException e) {
            return "";
        }
    }

    /** A message-id: a string, an UnsignedLong, a UUID or a Binary; or an empty string. */
    static Object id(byte[] bytes, int list, int field) {
        int at = find(bytes, list, field);
        if (at == NONE) {
            return "";
        }
        return switch (bytes[at] & 0xff) {
            case Encoding.ULONG0,
                    Encoding.SMALL_ULONG,
                    Encoding.ULONG,
                    Encoding.UUID,
                    Encoding.VBIN8,
                    Encoding.VBIN32,
                    Encoding.STR8,
                    Encoding.STR32 -> Value.decode(bytes, at, end(bytes, at));
            default -> "";
        };
    }

    /** A copy of a binary, or an empty array. */
    static byte[] binary(byte[] bytes, int list, int field) {
        int at = find(bytes, list, field);
        int code = at == NONE ? Encoding.NULL : bytes[at] & 0xff;
        if (code != Encoding.VBIN8 && code != Encoding.VBIN32) {
            return NO_BYTES;
        }
        return Arrays.copyOfRange(bytes, at + (code == Encoding.VBIN8 ? 2 : 5), end(bytes, at));
    }

    /** A timestamp in milliseconds of the epoch, or 0. */
    static long timestamp(byte[] bytes, int list, int field) {
        int at = find(bytes, list, field);
        boolean is = at != NONE && (bytes[at] & 0xff) == Encoding.TIMESTAMP;
        return is ? Value.integral(bytes, at, at + 9, 0) : 0;
    }

    /** A uint, or 0. */
    static long uint(byte[] bytes, int list, int field) {
        int at = find(bytes, list, field);
        int code = at == NONE ? Encoding.NULL : bytes[at] & 0xff;
        return switch (code) {
            case Encoding.SMALL_UINT, Encoding.UINT -> Value.integral(bytes, at, end(bytes, at), 0);
            default -> 0;
        };
    }

    /**
     * The bytes of a message without an absolute-expiry-time in the list at {@code list}, and without the field {@code ttl} of
     * its header, if that is not negative.
     */
    static byte[] withoutExpiry(byte[] bytes, int list, int ttl) {
        // The properties first: that moves nothing in the header.
        byte[] result =
                find(bytes, list, ABSOLUTE_EXPIRY_TIME) == NONE ? bytes : without(bytes, list, ABSOLUTE_EXPIRY_TIME);
        try {
            return ttl < 0 ? result : without(result, Section.value(result, 0), ttl);
        } catch (MalformedMessageException e) {
            throw new IllegalStateException("a header that was read before is malformed", e);
        }
    }

    /** The bytes of a message with null for a field that is there in the list at {@code list}. */
    private static byte[] without(byte[] bytes, int list, int field) {
        int at = find(bytes, list, field);
        int removed = end(bytes, at) - at - 1;
        byte[] result = new byte[bytes.length - removed];
        System.arraycopy(bytes, 0, result, 0, at);
        result[at] = Encoding.NULL;
        System.arraycopy(bytes, at + 1 + removed, result, at + 1, result.length - at - 1);
        if ((bytes[list] & 0xff) == Encoding.LIST8) {
            result[list + 1] -= (byte) removed;
        } else {
            ByteBuffer buffer = ByteBuffer.wrap(result);
            buffer.putInt(list + 1, buffer.getInt(list + 1) - removed);
        }
        return result;
    }

    private static int end(byte[] bytes, int at) {
        try {
            return Encoding.skip(bytes, at, bytes.length);
        } catch (MalformedMessageException e) {
            throw new IllegalStateException("a field that was found before is malformed", e);
        }
    }
}
