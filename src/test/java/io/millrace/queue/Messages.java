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
    private static final int PLAIN_HEADER_BYTES = 7;

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

    /** A small message with a priority, of a group; an empty one for none. */
    public static Message of(String name, boolean durable, int priority, String group, int groupSequence) {
        byte[] plain = durable ? durable(name).bytes() : transientOne(name).bytes();
        byte[] id = group.getBytes(StandardCharsets.UTF_8);
        ByteBuffer out = ByteBuffer.allocate(plain.length + 64 + id.length);
        out.put(new byte[] {0x00, 0x53, 0x70, (byte) 0xc0, 4, 2, (byte) (durable ? TRUE : FALSE), 0x50, (byte) priority
        });
        if (!group.isEmpty()) {
            out.put(new byte[] {0x00, 0x53, 0x73, (byte) 0xc0, (byte) (1 + 10 + 2 + id.length + 5), 12});
            out.put(new byte[] {0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40, 0x40});
            out.put(new byte[] {(byte) 0xa1, (byte) id.length}).put(id);
            out.put((byte) 0x70).putInt(groupSequence);
        }
        out.put(plain, PLAIN_HEADER_BYTES, plain.length - PLAIN_HEADER_BYTES);
        return parse(Arrays.copyOf(out.array(), out.position()));
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
