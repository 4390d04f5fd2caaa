package io.millrace.message;

/**
 * Goes through the sections of a message as its bytes come by, without keeping them: finds where the body begins, and whether
 * the whole is a message at all (AMQP 1.0, part 3, section 3.2). Owned by whoever receives the message.
 *
 * <p>It knows the order of the sections and the sizes of their values. What is inside of the sections before the body is left
 * to {@link Message#streamed}.
 */
public final class SectionWalk {
    /** The longest is {@code amqp:application-properties:map}. */
    private static final int MAX_DESCRIPTOR = 64;

    private static final int MAX_NESTED_DESCRIPTORS = 16;
    private static final long UNKNOWN = -1;

    private final byte[] descriptor = new byte[MAX_DESCRIPTOR];
    private int descriptorBytes;
    private State state = State.SECTION;
    private long position;
    private long bodyStart = UNKNOWN;

    /** Bytes that do not matter, then the next step. */
    private long skip;

    /** Values that are still to come in this section: one, and one more for each descriptor. */
    private int owed;

    private int nested;
    private int sizeBytes;
    private long size;
    private int previous;

    private enum State {
        /** A descriptor is to begin. */
        SECTION,
        /** It has begun. */
        DESCRIPTOR,
        /** The constructor of a value is next. */
        VALUE,
        /** The size of a value of variable width. */
        SIZE
    }

    /**
     * Takes the bytes that follow.
     *
     * @throws MalformedMessageException if they cannot be part of a message; it is of no use from then on
     */
    public void take(byte[] bytes, int from, int length) throws MalformedMessageException {
        int at = from;
        int end = from + length;
        while (at < end) {
            if (skip > 0) {
                int skipped = (int) Math.min(skip, end - at);
                skip -= skipped;
                at += skipped;
                position += skipped;
            } else {
                step(bytes[at++]);
                position++;
            }
        }
    }

    /** The message is complete. */
    public void end() throws MalformedMessageException {
        if (skip > 0 || state != State.SECTION) {
            throw new MalformedMessageException("the message ends in the middle of its " + Section.name(previous)
                    + " section, at byte " + position);
        }
    }

    /** Whether the first section of the body, or what follows a body that is missing, has come. */
    public boolean inBody() {
        return bodyStart != UNKNOWN;
    }

    /** Where it begins, counted from the first byte of the message; only if {@link #inBody}. */
    public long bodyStart() {
        return bodyStart;
    }

    private void step(byte next) throws MalformedMessageException {
        switch (state) {
            case SECTION -> {
                if (next != Encoding.DESCRIBED) {
                    throw new MalformedMessageException("a section is expected at byte " + position);
                }
                descriptor[0] = next;
                descriptorBytes = 1;
                state = State.DESCRIPTOR;
            }
            case DESCRIPTOR -> describe(next);
            case VALUE -> construct(next & 0xff);
            case SIZE -> {
                size = (size << 8) | (next & 0xff);
                if (--sizeBytes == 0) {
                    pass(size);
                }
            }
        }
    }

    private void describe(byte next) throws MalformedMessageException {
        descriptor[descriptorBytes++] = next;
        int whole = wholeDescriptor();
        if (whole > MAX_DESCRIPTOR) {
            throw notASection();
        }
        if (descriptorBytes == whole) {
            enter(Section.at(descriptor, 0, whole));
        }
    }

    /** The size of the descriptor, as far as that is known: one more than what is there if it is not. */
    private int wholeDescriptor() throws MalformedMessageException {
        int more = descriptorBytes + 1;
        return switch (descriptor[1] & 0xff) {
            case Encoding.SMALL_ULONG -> 3;
            case Encoding.ULONG -> 10;
            case Encoding.SYM8 -> descriptorBytes < 3 ? more : 3 + (descriptor[2] & 0xff);
            case Encoding.SYM32 ->
                descriptorBytes < 6
                        ? more
                        : (int) Math.min(MAX_DESCRIPTOR + 1, 6 + Encoding.uint(descriptor, 2, descriptorBytes));
            default -> throw notASection();
        };
    }

    private MalformedMessageException notASection() {
        return new MalformedMessageException(
                "the descriptor that ends at byte " + position + " is not that of a message section");
    }

    private void enter(int section) throws MalformedMessageException {
        boolean again = section == previous && (section == Section.DATA || section == Section.SEQUENCE);
        boolean secondBody = Section.isBody(previous) && Section.isBody(section);
        if (section < previous || ((section == previous || secondBody) && !again)) {
            throw new MalformedMessageException("the " + Section.name(section) + " section at byte "
                    + (position + 1 - descriptorBytes) + " must not follow the " + Section.name(previous) + " section");
        }
        if (bodyStart == UNKNOWN && section >= Section.DATA) {
            bodyStart = position + 1 - descriptorBytes;
        }
        previous = section;
        owed = 1;
        nested = 0;
        state = State.VALUE;
    }

    private void construct(int code) throws MalformedMessageException {
        switch (code >> 4) {
            case 0x0 -> {
                if (code != Encoding.DESCRIBED || nested == MAX_NESTED_DESCRIPTORS) {
                    throw unknown(code);
                }
                nested++;
                owed++;
            }
            case 0x4 -> pass(0);
            case 0x5 -> pass(1);
            case 0x6 -> pass(2);
            case 0x7 -> pass(4);
            case 0x8 -> pass(8);
            case 0x9 -> pass(16);
            case 0xa, 0xc, 0xe -> sized(1);
            case 0xb, 0xd, 0xf -> sized(4);
            default -> throw unknown(code);
        }
    }

    private MalformedMessageException unknown(int code) {
        return new MalformedMessageException(
                code == Encoding.DESCRIBED
                        ? "more than " + MAX_NESTED_DESCRIPTORS + " nested descriptors at byte " + position
                        : "unknown type constructor 0x" + Integer.toHexString(code) + " at byte " + position);
    }

    private void sized(int bytes) {
        sizeBytes = bytes;
        size = 0;
        state = State.SIZE;
    }

    private void pass(long bytes) {
        skip = bytes;
        owed--;
        state = owed == 0 ? State.SECTION : State.VALUE;
    }
}
