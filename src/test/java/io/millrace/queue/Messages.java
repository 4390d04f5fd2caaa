package io.millrace.queue;

import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Messages for tests: a header, and a body that begins with a name by which a test knows the message again. */
public final class Messages {
    private static final int TRUE = 0x41;
    private static final int FALSE = 0x42;
    private static final int TRAILER_BYTES = 8;

    private Messages() {}

    /** A small durable message. */
    public static Message durable(String name) {
        return message(name, true, 0);
    }

    /** A small message that is not durable. */
    public static Message transientOne(String name) {
        return message(name, false, 0);
    }

    /** A message with at least so many bytes of body. */
    public static Message message(String name, boolean durable, int bodyBytes) {
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        int length = Math.max(text.length + TRAILER_BYTES, bodyBytes);
        ByteBuffer out = ByteBuffer.allocate(15 + length);
        out.put(new byte[] {0x00, 0x53, 0x70, (byte) 0xc0, 2, 1, (byte) (durable ? TRUE : FALSE)});
        out.put(new byte[] {0x00, 0x53, 0x75, (byte) 0xb0}).putInt(length).put(text);
        out.position(out.capacity() - TRAILER_BYTES);
        out.putInt(text.length).putInt(length);
        return parse(out.array());
    }

    /** As a peer or a store would give it back. */
    public static Message parse(byte[] bytes) {
        try {
            return Message.parse(bytes, 0);
        } catch (MalformedMessageException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** The name that it was made with. */
    public static String name(Message message) {
        return name(message.bytes());
    }

    /** The name that a message with these bytes was made with. */
    public static String name(byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        int text = in.getInt(bytes.length - TRAILER_BYTES);
        int start = bytes.length - in.getInt(bytes.length - 4);
        return new String(Arrays.copyOfRange(bytes, start, start + text), StandardCharsets.UTF_8);
    }
}
