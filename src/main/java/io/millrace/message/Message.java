package io.millrace.message;

import java.util.Map;

/**
 * One AMQP message: the bytes as received and where its sections are. Immutable, owned by nobody.
 *
 * <p>Everything after the header goes out exactly as it came in. Only the header is written anew for each delivery, because
 * it carries delivery-count and first-acquirer (AMQP 1.0, part 3, sections 3.2.1 and 3.2); and
 * {@link #withAnnotations} makes a new message with entries added to the message annotations. A message whose format is not
 * 0 is opaque: never looked into, durable, and sent as it is (part 2, section 2.8.11). A message without a body is taken as it is,
 * although the specification wants one, because Qpid JMS sends such.
 */
public final class Message {
    /** The size of the largest header that a delivery gets. */
    public static final int MAX_HEADER_SIZE = 20;

    private static final int HEADER = 0x70;
    private static final int DELIVERY_ANNOTATIONS = 0x71;
    private static final int MESSAGE_ANNOTATIONS = 0x72;
    private static final int PROPERTIES = 0x73;
    private static final int APPLICATION_PROPERTIES = 0x74;
    private static final int DATA = 0x75;
    private static final int SEQUENCE = 0x76;
    private static final int VALUE = 0x77;
    private static final int FOOTER = 0x78;

    private static final int DEFAULT_PRIORITY = 4;
    private static final int ABSENT = -1;

    private final byte[] bytes;
    private final int format;

    /** Where the first section after the header starts. */
    private int afterHeader;

    private int annotations = ABSENT;
    private int afterAnnotations = ABSENT;
    private int properties = ABSENT;

    private boolean durable;
    private boolean hasPriority;
    private byte priority = DEFAULT_PRIORITY;
    private long ttl = ABSENT;

    private Message(byte[] bytes, int format) {
        this.bytes = bytes;
        this.format = format;
    }

    /**
     * Finds the sections of a message.
     *
     * @param bytes all of them; the message keeps the array, which must not change any more
     * @param format the message-format of its transfer
     * @throws MalformedMessageException if the format is 0 and the bytes are not a message
     */
    public static Message parse(byte[] bytes, int format) throws MalformedMessageException {
        Message message = new Message(bytes, format);
        if (format == 0) {
            message.findSections();
        } else {
            message.durable = true;
        }
        return message;
    }

    private void findSections() throws MalformedMessageException {
        int previous = 0;
        boolean hasBody = false;
        for (int at = 0; at < bytes.length; ) {
            int value = valueOfSection(at);
            int section = sectionAt(at, value);
            int next = Encoding.skip(bytes, value, bytes.length);
            boolean again = section == previous && (section == DATA || section == SEQUENCE);
            boolean secondBody = hasBody && isBody(section);
            if (section < previous || ((section == previous || secondBody) && !again)) {
                throw new MalformedMessageException("the " + name(section) + " section at byte " + at
                        + " must not follow the " + name(previous) + " section");
            }
            enter(section, at, value, next);
            hasBody |= isBody(section);
            previous = section;
            at = next;
        }
    }

    private void enter(int section, int at, int value, int next) throws MalformedMessageException {
        switch (section) {
            case HEADER -> {
                readHeader(value);
                afterHeader = next;
            }
            case MESSAGE_ANNOTATIONS -> {
                Annotations.check(bytes, value, next);
                annotations = at;
                afterAnnotations = next;
            }
            case PROPERTIES -> {
                Encoding.elements(bytes, value, next, Encoding.LIST8);
                properties = value;
            }
            case DELIVERY_ANNOTATIONS, APPLICATION_PROPERTIES, FOOTER ->
                Encoding.elements(bytes, value, next, Encoding.MAP8);
            default -> {}
        }
    }

    private static boolean isBody(int section) {
        return section >= DATA && section <= VALUE;
    }

    /** Checks the descriptor at {@code at} and returns where the value behind it starts. */
    private int valueOfSection(int at) throws MalformedMessageException {
        if (Encoding.code(bytes, at, bytes.length) != Encoding.DESCRIBED) {
            throw new MalformedMessageException("a section is expected at byte " + at);
        }
        return Encoding.skip(bytes, at + 1, bytes.length);
    }

    private int sectionAt(int at, int value) throws MalformedMessageException {
        int section =
                switch (bytes[at + 1] & 0xff) {
                    case Encoding.SMALL_ULONG -> bytes[at + 2] & 0xff;
                    case Encoding.ULONG -> ulongDescriptor(at + 2);
                    case Encoding.SYM8, Encoding.SYM32 -> symbolicDescriptor(Encoding.text(bytes, at + 1, value));
                    default -> 0;
                };
        if (section < HEADER || section > FOOTER) {
            throw new MalformedMessageException("the descriptor at byte " + at + " is not that of a message section");
        }
        return section;
    }

    private int ulongDescriptor(int at) {
        for (int i = at; i < at + 7; i++) {
            if (bytes[i] != 0) {
                return 0;
            }
        }
        return bytes[at + 7] & 0xff;
    }

    private static int symbolicDescriptor(String symbol) {
        return switch (symbol) {
            case "amqp:header:list" -> HEADER;
            case "amqp:delivery-annotations:map" -> DELIVERY_ANNOTATIONS;
            case "amqp:message-annotations:map" -> MESSAGE_ANNOTATIONS;
            case "amqp:properties:list" -> PROPERTIES;
            case "amqp:application-properties:map" -> APPLICATION_PROPERTIES;
            case "amqp:data:binary" -> DATA;
            case "amqp:amqp-sequence:list" -> SEQUENCE;
            case "amqp:amqp-value:*" -> VALUE;
            case "amqp:footer:map" -> FOOTER;
            default -> 0;
        };
    }

    private static String name(int section) {
        return switch (section) {
            case HEADER -> "header";
            case DELIVERY_ANNOTATIONS -> "delivery-annotations";
            case MESSAGE_ANNOTATIONS -> "message-annotations";
            case PROPERTIES -> "properties";
            case APPLICATION_PROPERTIES -> "application-properties";
            case DATA -> "data";
            case SEQUENCE -> "amqp-sequence";
            case VALUE -> "amqp-value";
            default -> "footer";
        };
    }

    private void readHeader(int at) throws MalformedMessageException {
        Encoding.Elements fields = Encoding.elements(bytes, at, bytes.length, Encoding.LIST8);
        int field = fields.first();
        for (int i = 0; i < fields.count(); i++) {
            int next = Encoding.skip(bytes, field, fields.end());
            int code = bytes[field] & 0xff;
            if (code != Encoding.NULL) {
                readHeaderField(i, field, code);
            }
            field = next;
        }
    }

    private void readHeaderField(int index, int field, int code) throws MalformedMessageException {
        if (index == 0) {
            if (code != Encoding.TRUE && code != Encoding.FALSE && code != Encoding.BOOLEAN) {
                throw wrongHeaderField("durable", "a boolean", field);
            }
            durable = code == Encoding.TRUE || (code == Encoding.BOOLEAN && bytes[field + 1] != 0);
        } else if (index == 1) {
            if (code != Encoding.UBYTE) {
                throw wrongHeaderField("priority", "a ubyte", field);
            }
            hasPriority = true;
            priority = bytes[field + 1];
        } else if (index == 2) {
            ttl = switch (code) {
                case Encoding.UINT0 -> 0;
                case Encoding.SMALL_UINT -> bytes[field + 1] & 0xff;
                case Encoding.UINT -> Encoding.uint(bytes, field + 1, bytes.length);
                default -> throw wrongHeaderField("ttl", "a uint", field);
            };
        }
    }

    private static MalformedMessageException wrongHeaderField(String name, String type, int at) {
        return new MalformedMessageException("the header field " + name + " at byte " + at + " must be " + type);
    }

    /** All sections as received. Not to be changed. */
    public byte[] bytes() {
        return bytes;
    }

    /** The size of all sections as received, in bytes. */
    public int size() {
        return bytes.length;
    }

    /** The message-format of the transfer that brought it. */
    public int format() {
        return format;
    }

    /** Whether it must survive the broker. False when there is no header; true when it is opaque. */
    public boolean durable() {
        return durable;
    }

    /** Its priority, 0 to 255, 4 by default. */
    public int priority() {
        return priority & 0xff;
    }

    /**
     * Where it is to go, from the properties.
     *
     * @return the field {@code to}, or an empty string
     */
    public String to() {
        if (properties == ABSENT) {
            return "";
        }
        try {
            Encoding.Elements fields = Encoding.elements(bytes, properties, bytes.length, Encoding.LIST8);
            if (fields.count() < 3) {
                return "";
            }
            int userId = Encoding.skip(bytes, fields.first(), fields.end());
            int to = Encoding.skip(bytes, userId, fields.end());
            return Encoding.text(bytes, to, fields.end());
        } catch (MalformedMessageException e) {
            return "";
        }
    }

    /** The size of {@link #encode}. */
    public int encodedSize(int deliveryCount) {
        return format == 0 ? headerSize(deliveryCount) + bytes.length - afterHeader : bytes.length;
    }

    /**
     * The message as one delivery carries it: a header with these values, then everything else as received. An opaque
     * message is returned as it is.
     */
    public byte[] encode(int deliveryCount, boolean firstAcquirer) {
        if (format != 0) {
            return bytes;
        }
        byte[] encoded = new byte[encodedSize(deliveryCount)];
        int header = header(deliveryCount, firstAcquirer, encoded, 0);
        System.arraycopy(bytes, afterHeader, encoded, header, encoded.length - header);
        return encoded;
    }

    /** Where in {@link #bytes} begins what every delivery carries unchanged, after what {@link #header} writes. */
    public int afterHeader() {
        return afterHeader;
    }

    /**
     * Writes the header of one delivery, at most {@link #MAX_HEADER_SIZE} bytes, so that a link can send the message without
     * copying it first. Returns how many bytes; none for an opaque message.
     */
    public int header(int deliveryCount, boolean firstAcquirer, byte[] out, int start) {
        if (format != 0) {
            return 0;
        }
        int size = headerSize(deliveryCount);
        int at = start;
        out[at++] = Encoding.DESCRIBED;
        out[at++] = Encoding.SMALL_ULONG;
        out[at++] = HEADER;
        out[at++] = (byte) Encoding.LIST8;
        out[at++] = (byte) (size - 5);
        out[at++] = 5;
        out[at++] = (byte) (durable ? Encoding.TRUE : Encoding.FALSE);
        if (hasPriority) {
            out[at++] = Encoding.UBYTE;
            out[at++] = priority;
        } else {
            out[at++] = Encoding.NULL;
        }
        at = Encoding.writeUint(out, at, ttl);
        out[at++] = (byte) (firstAcquirer ? Encoding.TRUE : Encoding.FALSE);
        Encoding.writeUint(out, at, deliveryCount);
        return size;
    }

    private int headerSize(int deliveryCount) {
        return 6 + 1 + (hasPriority ? 2 : 1) + Encoding.uintSize(ttl) + 1 + Encoding.uintSize(deliveryCount);
    }

    /**
     * This message with entries in its message annotations, which replace those with the same keys; all other bytes,
     * those of the other annotations among them, stay as they are. An opaque message is returned unchanged.
     *
     * @param added keys are the names of symbols; values are what the Proton codec can encode; null takes the place
     *     of any other
     */
    public Message withAnnotations(Map<String, Object> added) {
        if (format != 0 || added.isEmpty()) {
            return this;
        }
        try {
            int start = annotations == ABSENT ? afterDeliveryAnnotations() : annotations;
            int end = annotations == ABSENT ? start : afterAnnotations;
            byte[] section = annotations == ABSENT
                    ? Annotations.section(added)
                    : Annotations.section(bytes, valueOfSection(annotations), end, added);
            byte[] result = new byte[start + section.length + bytes.length - end];
            System.arraycopy(bytes, 0, result, 0, start);
            System.arraycopy(section, 0, result, start, section.length);
            System.arraycopy(bytes, end, result, start + section.length, bytes.length - end);
            return parse(result, format);
        } catch (MalformedMessageException e) {
            throw new IllegalStateException("a message that was parsed before is malformed", e);
        }
    }

    private int afterDeliveryAnnotations() throws MalformedMessageException {
        if (afterHeader < bytes.length) {
            int value = valueOfSection(afterHeader);
            if (sectionAt(afterHeader, value) == DELIVERY_ANNOTATIONS) {
                return Encoding.skip(bytes, value, bytes.length);
            }
        }
        return afterHeader;
    }

    /**
     * The value of one message annotation, decoded. For people and for death.
     *
     * @return an empty string when it is absent, null, or cannot be decoded
     */
    public Object annotation(String key) {
        if (annotations == ABSENT) {
            return "";
        }
        try {
            return Annotations.value(bytes, valueOfSection(annotations), afterAnnotations, key);
        } catch (MalformedMessageException e) {
            throw new IllegalStateException("a message that was parsed before is malformed", e);
        }
    }

    @Override
    public String toString() {
        return "message of " + bytes.length + " bytes" + (durable ? ", durable" : "") + (format == 0 ? "" : ", opaque");
    }
}
