package io.millrace.message;

/** The sections of a message by the codes of their descriptors (AMQP 1.0, part 3, section 3.2). */
final class Section {
    static final int HEADER = 0x70;
    static final int DELIVERY_ANNOTATIONS = 0x71;
    static final int MESSAGE_ANNOTATIONS = 0x72;
    static final int PROPERTIES = 0x73;
    static final int APPLICATION_PROPERTIES = 0x74;
    static final int DATA = 0x75;
    static final int SEQUENCE = 0x76;
    static final int VALUE = 0x77;
    static final int FOOTER = 0x78;

    private Section() {}

    static boolean isBody(int section) {
        return section >= DATA && section <= VALUE;
    }

    /** Checks the descriptor at {@code at} and returns where the value behind it starts. */
    static int value(byte[] bytes, int at) throws MalformedMessageException {
        if (Encoding.code(bytes, at, bytes.length) != Encoding.DESCRIBED) {
            throw new MalformedMessageException("a section is expected at byte " + at);
        }
        return Encoding.skip(bytes, at + 1, bytes.length);
    }

    /** The section whose descriptor is at {@code at}; its value is at {@code value}. */
    static int at(byte[] bytes, int at, int value) throws MalformedMessageException {
        int section =
                switch (bytes[at + 1] & 0xff) {
                    case Encoding.SMALL_ULONG -> bytes[at + 2] & 0xff;
                    case Encoding.ULONG -> ulongDescriptor(bytes, at + 2);
                    case Encoding.SYM8, Encoding.SYM32 -> symbolicDescriptor(Encoding.text(bytes, at + 1, value));
                    default -> 0;
                };
        if (section < HEADER || section > FOOTER) {
            throw new MalformedMessageException("the descriptor at byte " + at + " is not that of a message section");
        }
        return section;
    }

    /** Where the delivery annotations end that begin at {@code at}; {@code at} itself if another section begins there. */
    static int afterDeliveryAnnotations(byte[] bytes, int at) throws MalformedMessageException {
        if (at < bytes.length) {
            int value = value(bytes, at);
            if (at(bytes, at, value) == DELIVERY_ANNOTATIONS) {
                return Encoding.skip(bytes, value, bytes.length);
            }
        }
        return at;
    }

    private static int ulongDescriptor(byte[] bytes, int at) {
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

    static String name(int section) {
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
}
