package io.millrace.message;

import java.util.List;
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

    private static final int DEFAULT_PRIORITY = 4;
    private static final int ABSENT = -1;
    private static final int TTL = 2;

    private final byte[] bytes;
    private final int format;

    /** Where the first section after the header starts. */
    private int afterHeader;

    private int annotations = ABSENT;
    private int afterAnnotations = ABSENT;
    private int properties = ABSENT;
    private int applicationProperties = ABSENT;

    /** Where the annotation is that says when to deliver, or 0. */
    private int delivery;

    private boolean durable;
    private boolean hasPriority;
    private byte priority = DEFAULT_PRIORITY;
    private long ttl = ABSENT;
    private long body;
    private long streamed;

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

    /**
     * A message whose body is in the store only.
     *
     * @param bytes all sections before the body, as in {@link #parse}
     * @param body the number of the body, not 0
     * @param streamed the size of the body with its footer, in bytes, not 0
     */
    public static Message streamed(byte[] bytes, int format, long body, long streamed)
            throws MalformedMessageException {
        Message message = parse(bytes, format);
        message.body = body;
        message.streamed = streamed;
        return message;
    }

    private void findSections() throws MalformedMessageException {
        int previous = 0;
        boolean hasBody = false;
        for (int at = 0; at < bytes.length; ) {
            int value = Section.value(bytes, at);
            int section = Section.at(bytes, at, value);
            int next = Encoding.skip(bytes, value, bytes.length);
            boolean again = section == previous && (section == Section.DATA || section == Section.SEQUENCE);
            boolean secondBody = hasBody && Section.isBody(section);
            if (section < previous || ((section == previous || secondBody) && !again)) {
                throw new MalformedMessageException("the " + Section.name(section) + " section at byte " + at
                        + " must not follow the " + Section.name(previous) + " section");
            }
            enter(section, at, value, next);
            hasBody |= Section.isBody(section);
            previous = section;
            at = next;
        }
    }

    private void enter(int section, int at, int value, int next) throws MalformedMessageException {
        switch (section) {
            case Section.HEADER -> {
                readHeader(value);
                afterHeader = next;
            }
            case Section.MESSAGE_ANNOTATIONS -> {
                delivery = Annotations.check(bytes, value, next);
                annotations = at;
                afterAnnotations = next;
            }
            case Section.PROPERTIES -> {
                Encoding.elements(bytes, value, next, Encoding.LIST8);
                properties = value;
            }
            case Section.APPLICATION_PROPERTIES -> {
                Encoding.elements(bytes, value, next, Encoding.MAP8);
                applicationProperties = value;
            }
            case Section.DELIVERY_ANNOTATIONS, Section.FOOTER -> Encoding.elements(bytes, value, next, Encoding.MAP8);
            default -> {}
        }
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
        } else if (index == TTL) {
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

    /** All sections as received, of a {@linkplain #streamed streamed} message those before its body. Not to be changed. */
    public byte[] bytes() {
        return bytes;
    }

    /** How many {@link #bytes} are in memory. */
    public int size() {
        return bytes.length;
    }

    /** How many bytes follow those in memory: the size of a body that is in the store only; 0 mostly. */
    public long streamed() {
        return streamed;
    }

    /** The size of all sections as received, in bytes. */
    public long totalSize() {
        return bytes.length + streamed;
    }

    /** The message-format of the transfer that brought it. */
    public int format() {
        return format;
    }

    /** The number under which the store keeps its bytes for several messages; 0 when they are its own. */
    public long body() {
        return body;
    }

    /** This message, to be stored in a body of this number; a streamed one has its body already. */
    public Message inBody(long number) {
        if (streamed > 0) {
            return this;
        }
        Message shared = edited(bytes);
        shared.body = number;
        return shared;
    }

    /** Whether it must survive the broker. False when there is no header; true when it is opaque. */
    public boolean durable() {
        return durable;
    }

    /** Its priority, 0 to 255, 4 by default. */
    public int priority() {
        return priority & 0xff;
    }

    /** The time to live in its header, in milliseconds; -1 when there is none. */
    public long ttlMillis() {
        return ttl;
    }

    /** The names of the fields of the properties section, as the specification writes them. */
    public static List<String> propertyNames() {
        return Properties.NAMES;
    }

    /**
     * The value of a field of the properties section, decoded, for those who know its name only when they run.
     *
     * @param name one of {@link #propertyNames}
     * @return an empty string when it is absent, null, or cannot be decoded
     */
    public Object property(String name) {
        return Properties.value(bytes, properties, Properties.NAMES.indexOf(name));
    }

    /** The message-id: a String, an UnsignedLong, a UUID or a Binary; an empty string when there is none. */
    public Object messageId() {
        return Properties.id(bytes, properties, Properties.MESSAGE_ID);
    }

    /** A copy of the user-id; empty when there is none. */
    public byte[] userId() {
        return Properties.binary(bytes, properties, Properties.USER_ID);
    }

    /** Where it is to go; an empty string when it does not say. */
    public String to() {
        return Properties.text(bytes, properties, Properties.TO);
    }

    /** The subject, or an empty string. */
    public String subject() {
        return Properties.text(bytes, properties, Properties.SUBJECT);
    }

    /** Where answers are to go, or an empty string. */
    public String replyTo() {
        return Properties.text(bytes, properties, Properties.REPLY_TO);
    }

    /** The correlation-id: a String, an UnsignedLong, a UUID or a Binary; an empty string when there is none. */
    public Object correlationId() {
        return Properties.id(bytes, properties, Properties.CORRELATION_ID);
    }

    /** When it expires, in milliseconds of the epoch; 0 when it does not say. */
    public long absoluteExpiryMillis() {
        return Properties.timestamp(bytes, properties, Properties.ABSOLUTE_EXPIRY_TIME);
    }

    /** When it was made, in milliseconds of the epoch; 0 when it does not say. */
    public long creationTimeMillis() {
        return Properties.timestamp(bytes, properties, Properties.CREATION_TIME);
    }

    /** The group it belongs to, or an empty string. */
    public String groupId() {
        return Properties.text(bytes, properties, Properties.GROUP_ID);
    }

    /** Its place in the group, negative for what JMS set to a negative number (on the wire it is a uint); 0 when absent. */
    public int groupSequence() {
        return (int) Properties.uint(bytes, properties, Properties.GROUP_SEQUENCE);
    }

    /**
     * The value of one application property, decoded; the others are not.
     *
     * @return an empty string when it is absent, null, or cannot be decoded
     */
    public Object applicationProperty(String name) {
        try {
            return applicationProperties == ABSENT
                    ? ""
                    : Annotations.value(bytes, applicationProperties, bytes.length, name);
        } catch (MalformedMessageException e) {
            return "";
        }
    }

    /** Whether there is an application property of this name that is not null: tells an empty string from an absent one. */
    public boolean hasApplicationProperty(String name) {
        try {
            int value = applicationProperties == ABSENT
                    ? 0
                    : Annotations.find(bytes, applicationProperties, bytes.length, name);
            return value != 0 && bytes[value] != Encoding.NULL;
        } catch (MalformedMessageException e) {
            return false;
        }
    }

    /** Whether {@link #deliveryTimeMillis} is worth a call: cheap, and true for few messages. */
    public boolean mayHaveDeliveryTime() {
        return delivery != 0;
    }

    /**
     * When it is to be delivered, from the annotation {@code x-opt-delivery-time}, or, without that, from
     * {@code x-opt-delivery-delay}.
     *
     * @param nowMillis what a delay is added to, in milliseconds of the epoch
     * @return in milliseconds of the epoch, possibly in the past; 0 when it does not say
     */
    public long deliveryTimeMillis(long nowMillis) {
        try {
            return delivery == 0 ? 0 : Annotations.deliveryTimeMillis(bytes, delivery, afterAnnotations, nowMillis);
        } catch (MalformedMessageException e) {
            throw new IllegalStateException("a message that was parsed before is malformed", e);
        }
    }

    /** The size of {@link #encode}; what is {@link #streamed} comes on top. */
    public int encodedSize(int deliveryCount, long ttlMillis) {
        return format == 0
                ? headerSize(deliveryCount, ttlToSend(ttlMillis)) + bytes.length - afterHeader
                : bytes.length;
    }

    /**
     * The message as one delivery carries it: a header with these values, then everything else as received. An opaque
     * message is returned as it is.
     *
     * @param ttlMillis what is left of its time to live; -1 for the ttl as received
     */
    public byte[] encode(int deliveryCount, boolean firstAcquirer, long ttlMillis) {
        if (format != 0) {
            return bytes;
        }
        byte[] encoded = new byte[headerSize(deliveryCount, ttlToSend(ttlMillis)) + bytes.length - afterHeader];
        int header = header(deliveryCount, firstAcquirer, ttlMillis, encoded, 0);
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
     *
     * @param ttlMillis what is left of its time to live; -1 for the ttl as received
     */
    public int header(int deliveryCount, boolean firstAcquirer, long ttlMillis, byte[] out, int start) {
        if (format != 0) {
            return 0;
        }
        long ttlToSend = ttlToSend(ttlMillis);
        int size = headerSize(deliveryCount, ttlToSend);
        int at = start;
        out[at++] = Encoding.DESCRIBED;
        out[at++] = Encoding.SMALL_ULONG;
        out[at++] = Section.HEADER;
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
        at = Encoding.writeUint(out, at, ttlToSend);
        out[at++] = (byte) (firstAcquirer ? Encoding.TRUE : Encoding.FALSE);
        Encoding.writeUint(out, at, deliveryCount);
        return size;
    }

    private int headerSize(int deliveryCount, long ttlToSend) {
        return 6 + 1 + (hasPriority ? 2 : 1) + Encoding.uintSize(ttlToSend) + 1 + Encoding.uintSize(deliveryCount);
    }

    private long ttlToSend(long ttlMillis) {
        return ttlMillis < 0 ? ttl : Math.min(ttlMillis, 0xffff_ffffL);
    }

    /**
     * This message with entries in its message annotations, which replace those with the same keys; all other bytes,
     * those of the other annotations among them, stay as they are. An opaque message is returned unchanged.
     *
     * @param added keys are the names of symbols; values are what the Proton codec can encode; null takes the place
     *     of any other
     */
    public Message withAnnotations(Map<String, Object> added) {
        return format != 0 || added.isEmpty()
                ? this
                : edited(Annotations.with(bytes, annotations, afterAnnotations, afterHeader, added));
    }

    /**
     * This message without an absolute-expiry-time, by which clients drop what they take for expired, and without its ttl, unless
     * that is kept; all other bytes stay as they are. An opaque message is returned unchanged.
     */
    public Message withoutExpiry(boolean keepTtl) {
        return format != 0 || (ttl < 0 && absoluteExpiryMillis() == 0)
                ? this
                : edited(Properties.withoutExpiry(bytes, properties, ttl < 0 || keepTtl ? ABSENT : TTL));
    }

    private Message edited(byte[] result) {
        try {
            return streamed > 0 ? streamed(result, format, body, streamed) : parse(result, format);
        } catch (MalformedMessageException e) {
            throw new IllegalStateException("a message that was parsed before is malformed", e);
        }
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
            return Annotations.value(bytes, Section.value(bytes, annotations), afterAnnotations, key);
        } catch (MalformedMessageException e) {
            throw new IllegalStateException("a message that was parsed before is malformed", e);
        }
    }

    @Override
    public String toString() {
        return "message of " + totalSize() + " bytes" + (durable ? ", durable" : "") + (format == 0 ? "" : ", opaque");
    }
}
