package io.millrace.message;

import java.nio.charset.StandardCharsets;

/**
 * Steps over encoded AMQP values without decoding them (AMQP 1.0, part 1, section 1.2). All methods check the bounds they
 * are given and throw {@link MalformedMessageException} instead of reading past them.
 */
final class Encoding {
    static final int DESCRIBED = 0x00;
    static final int NULL = 0x40;
    static final int TRUE = 0x41;
    static final int FALSE = 0x42;
    static final int UINT0 = 0x43;
    static final int ULONG0 = 0x44;
    static final int LIST0 = 0x45;
    static final int UBYTE = 0x50;
    static final int SMALL_UINT = 0x52;
    static final int SMALL_ULONG = 0x53;
    static final int BOOLEAN = 0x56;
    static final int UINT = 0x70;
    static final int ULONG = 0x80;
    static final int TIMESTAMP = 0x83;
    static final int UUID = 0x98;
    static final int VBIN8 = 0xa0;
    static final int STR8 = 0xa1;
    static final int SYM8 = 0xa3;
    static final int VBIN32 = 0xb0;
    static final int STR32 = 0xb1;
    static final int SYM32 = 0xb3;
    static final int LIST8 = 0xc0;
    static final int MAP8 = 0xc1;
    static final int LIST32 = 0xd0;
    static final int MAP32 = 0xd1;

    /** Described values inside described values; more is an attack, not a message. */
    private static final int MAX_NESTED_DESCRIPTORS = 16;

    private Encoding() {}

    /** The position after the value that starts at {@code at}. */
    static int skip(byte[] bytes, int at, int end) throws MalformedMessageException {
        return skip(bytes, at, end, 0);
    }

    private static int skip(byte[] bytes, int at, int end, int depth) throws MalformedMessageException {
        int code = code(bytes, at, end);
        if (code == DESCRIBED) {
            if (depth == MAX_NESTED_DESCRIPTORS) {
                throw new MalformedMessageException(
                        "descriptors nested deeper than " + MAX_NESTED_DESCRIPTORS + " at byte " + at);
            }
            int value = skip(bytes, at + 1, end, depth + 1);
            return skip(bytes, value, end, depth + 1);
        }
        return checked(at, at + 1L + widthOf(bytes, at, end, code), end);
    }

    /** The bytes that follow the constructor {@code code} at {@code at}. */
    private static long widthOf(byte[] bytes, int at, int end, int code) throws MalformedMessageException {
        return switch (code >> 4) {
            case 0x4 -> 0;
            case 0x5 -> 1;
            case 0x6 -> 2;
            case 0x7 -> 4;
            case 0x8 -> 8;
            case 0x9 -> 16;
            case 0xa, 0xc, 0xe -> 1L + code(bytes, at + 1, end);
            case 0xb, 0xd, 0xf -> 4L + uint(bytes, at + 1, end);
            default ->
                throw new MalformedMessageException(
                        "unknown type constructor 0x" + Integer.toHexString(code) + " at byte " + at);
        };
    }

    private static int checked(int at, long next, int end) throws MalformedMessageException {
        if (next > end) {
            throw new MalformedMessageException(
                    "the value at byte " + at + " needs " + (next - end) + " bytes more than there are");
        }
        return (int) next;
    }

    /** The unsigned byte at {@code at}. */
    static int code(byte[] bytes, int at, int end) throws MalformedMessageException {
        if (at >= end) {
            throw new MalformedMessageException("the encoding ends in the middle of a value, at byte " + at);
        }
        return bytes[at] & 0xff;
    }

    /** The unsigned 32-bit number at {@code at}. */
    static long uint(byte[] bytes, int at, int end) throws MalformedMessageException {
        if (end - at < 4) {
            throw new MalformedMessageException("the encoding ends in the middle of a number, at byte " + at);
        }
        return (bytes[at] & 0xffL) << 24
                | (bytes[at + 1] & 0xffL) << 16
                | (bytes[at + 2] & 0xffL) << 8
                | (bytes[at + 3] & 0xffL);
    }

    /** Where the elements of the list or map at {@code at} are; the kind is that of the 8-bit constructor. */
    static Elements elements(byte[] bytes, int at, int end, int kind) throws MalformedMessageException {
        int code = code(bytes, at, end);
        int after = skip(bytes, at, end);
        if (code == LIST0 && kind == LIST8) {
            return new Elements(0, after, after);
        }
        boolean small = code == kind;
        if (!small && code != kind + 0x10) {
            throw new MalformedMessageException("a " + (kind == MAP8 ? "map" : "list") + " is expected at byte " + at
                    + ", not constructor 0x" + Integer.toHexString(code));
        }
        int first = at + (small ? 3 : 9);
        if (first > after) {
            throw new MalformedMessageException(
                    "the size of the value at byte " + at + " leaves no room for its count");
        }
        long count = small ? bytes[at + 2] & 0xff : uint(bytes, at + 5, end);
        if (count > after - first) {
            throw new MalformedMessageException(
                    "the value at byte " + at + " claims " + count + " elements in " + (after - first) + " bytes");
        }
        return new Elements((int) count, first, after);
    }

    /** The string or symbol at {@code at}, or an empty string for any other value. */
    static String text(byte[] bytes, int at, int end) throws MalformedMessageException {
        int code = code(bytes, at, end);
        int after = skip(bytes, at, end);
        int start;
        if (code == STR8 || code == SYM8) {
            start = at + 2;
        } else if (code == STR32 || code == SYM32) {
            start = at + 5;
        } else {
            return "";
        }
        return utf8(bytes, start, after);
    }

    static String utf8(byte[] bytes, int start, int end) {
        return new String(bytes, start, end - start, StandardCharsets.UTF_8);
    }

    /** Whether the value from {@code at} to {@code next} is a string or symbol of this text; makes no copy of it. */
    static boolean isText(byte[] bytes, int at, int next, String text) {
        int code = bytes[at] & 0xff;
        int start = code == STR8 || code == SYM8 ? at + 2 : code == STR32 || code == SYM32 ? at + 5 : next + 1;
        // One char is one to three bytes, so most texts that differ need not be looked at.
        if (next - start < text.length() || next - start > 3L * text.length()) {
            return false;
        }
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) >= 0x80) {
                return utf8(bytes, start, next).equals(text);
            }
            if (bytes[start + i] != text.charAt(i)) {
                return false;
            }
        }
        return next - start == text.length();
    }

    /** The size of a number as {@link #writeUint} encodes it. */
    static int uintSize(long value) {
        return value <= 0 ? 1 : value < 256 ? 2 : 5;
    }

    /** Writes a uint, or null when it is negative, and returns the position behind it. */
    static int writeUint(byte[] out, int start, long value) {
        int at = start;
        if (value < 0) {
            out[at++] = NULL;
        } else if (value == 0) {
            out[at++] = UINT0;
        } else if (value < 256) {
            out[at++] = SMALL_UINT;
            out[at++] = (byte) value;
        } else {
            out[at++] = UINT;
            at = writeInt(out, at, (int) value);
        }
        return at;
    }

    /** Writes four bytes and returns the position behind them. */
    static int writeInt(byte[] out, int start, int value) {
        out[start] = (byte) (value >>> 24);
        out[start + 1] = (byte) (value >>> 16);
        out[start + 2] = (byte) (value >>> 8);
        out[start + 3] = (byte) value;
        return start + 4;
    }

    /**
     * The elements of a list or map.
     *
     * @param count how many; a map has two for each entry
     * @param first where the first one starts
     * @param end the position after the last
     */
    record Elements(int count, int first, int end) {}
}
