package io.millrace.message;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Date;
import java.util.UUID;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedByte;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.UnsignedShort;
import org.apache.qpid.proton.codec.AMQPDefinedTypes;
import org.apache.qpid.proton.codec.DecoderImpl;
import org.apache.qpid.proton.codec.EncoderImpl;

/**
 * One encoded value, decoded (AMQP 1.0, part 1, section 1.6). The simple types are read here, because setting up the codec
 * costs more than all else that happens to a message; the others are left to the codec, which makes the same Java types.
 */
final class Value {
    private Value() {}

    /** The value from {@code at} to {@code next}; an empty string when it is null or cannot be decoded. */
    static Object decode(byte[] bytes, int at, int next) {
        ByteBuffer value = ByteBuffer.wrap(bytes, at, next - at);
        return switch (value.get() & 0xff) {
            case Encoding.NULL -> "";
            case Encoding.TRUE -> true;
            case Encoding.FALSE -> false;
            case Encoding.BOOLEAN -> value.get() != 0;
            case Encoding.UBYTE -> UnsignedByte.valueOf(value.get());
            case 0x60 -> UnsignedShort.valueOf(value.getShort());
            case Encoding.UINT0 -> UnsignedInteger.ZERO;
            case Encoding.SMALL_UINT -> UnsignedInteger.valueOf(value.get() & 0xff);
            case Encoding.UINT -> UnsignedInteger.valueOf(value.getInt());
            case Encoding.ULONG0 -> UnsignedLong.ZERO;
            case Encoding.SMALL_ULONG -> UnsignedLong.valueOf(value.get() & 0xff);
            case Encoding.ULONG -> UnsignedLong.valueOf(value.getLong());
            case 0x51 -> value.get();
            case 0x61 -> value.getShort();
            case 0x54 -> (int) value.get();
            case 0x71 -> value.getInt();
            case 0x55 -> (long) value.get();
            case 0x81 -> value.getLong();
            case 0x72 -> value.getFloat();
            case 0x82 -> value.getDouble();
            case Encoding.TIMESTAMP -> new Date(value.getLong());
            case Encoding.UUID -> new UUID(value.getLong(), value.getLong());
            case Encoding.VBIN8 -> new Binary(Arrays.copyOfRange(bytes, at + 2, next));
            case Encoding.VBIN32 -> new Binary(Arrays.copyOfRange(bytes, at + 5, next));
            case Encoding.STR8 -> Encoding.utf8(bytes, at + 2, next);
            case Encoding.STR32 -> Encoding.utf8(bytes, at + 5, next);
            case Encoding.SYM8 -> Symbol.valueOf(Encoding.utf8(bytes, at + 2, next));
            case Encoding.SYM32 -> Symbol.valueOf(Encoding.utf8(bytes, at + 5, next));
            default -> decodedByCodec(ByteBuffer.wrap(bytes, at, next - at));
        };
    }

    private static Object decodedByCodec(ByteBuffer value) {
        DecoderImpl decoder = new DecoderImpl();
        AMQPDefinedTypes.registerAllTypes(decoder, new EncoderImpl(decoder));
        decoder.setByteBuffer(value);
        try {
            Object object = decoder.readObject();
            return object == null ? "" : object;
        } catch (RuntimeException e) {
            // What a client put inside of a value is its own affair, and the codec throws anything at what it dislikes.
            return "";
        }
    }

    /**
     * The number from {@code at} to {@code next}, or that of a timestamp: of any type, without its fraction, the nearest
     * long when it is out of range.
     *
     * @param otherwise what a value of any other type gives
     */
    static long integral(byte[] bytes, int at, int next, long otherwise) {
        int code = bytes[at] & 0xff;
        if (code == Encoding.TIMESTAMP || code == 0x81) {
            return ByteBuffer.wrap(bytes, at + 1, 8).getLong();
        }
        Object value = decode(bytes, at, next);
        if (value instanceof UnsignedLong big) {
            return big.longValue() < 0 ? Long.MAX_VALUE : big.longValue();
        }
        return value instanceof Number number ? number.longValue() : otherwise;
    }
}
