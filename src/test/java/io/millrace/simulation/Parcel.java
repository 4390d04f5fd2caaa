package io.millrace.simulation;

import io.millrace.message.Message;
import io.millrace.queue.Messages;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** A message that a client sends, and the copies of it that ought to be in queues and subscriptions. */
final class Parcel {
    private static final int ENVELOPE_BYTES = 256;
    private static final int PROPERTIES_BEFORE_EXPIRY = 7;

    final String name;
    final int index;
    final int stream;
    final String address;
    final int generation;
    final Traits traits;
    final Map<Place, Copy> copies = new LinkedHashMap<>(2);

    /** What the sender was told: accepted. */
    boolean answered;

    /** It is held until there is room, as its sender was told; it goes to whatever subscribes to its topic by then. */
    boolean waits;

    /**
     * One that is not sent yet.
     *
     * @param stream messages of one stream, address and priority keep their order
     * @param address that of the link it is sent on
     * @param generation how often the broker had died before
     */
    Parcel(int index, int stream, String address, int generation, Traits traits) {
        this.name = "m" + index;
        this.index = index;
        this.stream = stream;
        this.address = address;
        this.generation = generation;
        this.traits = traits;
    }

    boolean durable() {
        return traits.durable();
    }

    /**
     * What keeps its order: messages of different lanes may overtake each other. A sender has a link for each topic, and what
     * waits for room on one of them is overtaken by what goes to another, in a subscription to both.
     */
    String lane() {
        return stream + "/" + address + "/" + traits.priority() + "/" + traits.group();
    }

    Message message(int bodyBytes) {
        ByteBuffer out = ByteBuffer.allocate(ENVELOPE_BYTES + bodyBytes);
        section(out, 0x70, 0xc0, 2);
        out.put((byte) (traits.durable() ? 0x41 : 0x42)).put((byte) 0x50).put((byte) traits.priority());
        endOfSection(out);
        if (traits.dueMillis() != 0) {
            section(out, 0x72, 0xc1, 2);
            text(out, 0xa3, "x-opt-delivery-time");
            out.put((byte) 0x83).putLong(traits.dueMillis());
            endOfSection(out);
        }
        section(out, 0x73, 0xc0, 12);
        text(out, 0xa1, traits.identity());
        out.put("@".repeat(PROPERTIES_BEFORE_EXPIRY).getBytes(StandardCharsets.US_ASCII));
        if (traits.expiryMillis() == 0) {
            out.put((byte) 0x40);
        } else {
            out.put((byte) 0x83).putLong(traits.expiryMillis());
        }
        out.put((byte) 0x40);
        text(out, 0xa1, traits.group());
        out.put((byte) 0x40);
        endOfSection(out);
        section(out, 0x74, 0xc1, 2);
        text(out, 0xa1, "colour");
        text(out, 0xa1, traits.colour());
        endOfSection(out);
        body(out, bodyBytes);
        byte[] bytes = new byte[out.position()];
        out.flip().get(bytes);
        return Messages.parse(bytes);
    }

    private int sectionStart;

    private void section(ByteBuffer out, int code, int type, int count) {
        out.put((byte) 0).put((byte) 0x53).put((byte) code).put((byte) type);
        sectionStart = out.position();
        out.put((byte) 0).put((byte) count);
    }

    private void endOfSection(ByteBuffer out) {
        out.put(sectionStart, (byte) (out.position() - sectionStart - 1));
    }

    private static void text(ByteBuffer out, int type, String text) {
        if (text.isEmpty()) {
            out.put((byte) 0x40);
            return;
        }
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        out.put((byte) type).put((byte) bytes.length).put(bytes);
    }

    /** As {@link Messages} do, which find the name again. */
    private void body(ByteBuffer out, int bodyBytes) {
        byte[] text = name.getBytes(StandardCharsets.UTF_8);
        int length = Math.max(text.length + 8, bodyBytes);
        out.put(new byte[] {0x00, 0x53, 0x75, (byte) 0xb0}).putInt(length).put(text);
        out.position(out.position() + length - text.length - 8);
        out.putInt(text.length).putInt(length);
    }
}
