package io.millrace.journal;

import java.util.Map;

/** Something that happened and is to be kept. The arrays in facts are owned by the journal and never changed. */
public sealed interface Fact {

    /**
     * A message arrived in a queue.
     *
     * @param key its place
     * @param durable false: kept only to save memory; it costs no sync and is gone after a restart
     * @param arrivalMillis when the broker took it, in milliseconds since 1970
     * @param format the message-format of the transfer (AMQP 1.0, part 2, section 2.8.11)
     * @param bytes all sections as received; of a {@linkplain Details#streamed streamed} message only those before its body
     * @param details what else is kept with it
     */
    record MessageStored(MessageKey key, boolean durable, long arrivalMillis, int format, byte[] bytes, Details details)
            implements Fact {}

    /** A message left its queue for good. {@code durable} is as when it was stored. {@code size} is that of its bytes. */
    record MessageRemoved(MessageKey key, boolean durable, int size) implements Fact {}

    /** Attempts to deliver a durable message have failed, {@code deliveryCount} of them by now. */
    record DeliveryFailed(MessageKey key, int deliveryCount) implements Fact {}

    /**
     * A durable message, of {@code oldSize} bytes until now, had its annotations changed; {@code bytes} replaces it. If it
     * shared its bytes, it does so no more. Of a {@linkplain Details#streamed streamed} message it replaces the bytes it was
     * stored with, and the parts stay as they are.
     */
    record MessageAnnotated(MessageKey key, int oldSize, byte[] bytes) implements Fact {}

    /** A message left one place for another in one step; {@code stored} tells where it is now. */
    record MessageMoved(MessageRemoved removed, MessageStored stored) implements Fact {}

    /**
     * A part of a body that is still being received. Parts come in order. Until a {@link MessageStored} names the body
     * nothing refers to it, and a restart forgets it; so no sync is made for it.
     *
     * @param body its number, from {@link Journal#newBody}
     * @param part counted from 0
     * @param bytes {@link Details#PART_BYTES} of them, but for the last part
     */
    record BodyPart(long body, int part, byte[] bytes) implements Fact {}

    /**
     * Whoever received a body has done with it: its parts go, now if no message has it, otherwise with the last that does.
     */
    record BodyDropped(long body) implements Fact {}

    /**
     * A queue that detects duplicates took in a message with this identity.
     *
     * @param queue its number
     * @param number counts the identities of a queue, from 1
     * @param seenMillis when, in milliseconds since 1970
     * @param identity a digest of fixed size
     */
    record IdentitySeen(long queue, long number, long seenMillis, byte[] identity) implements Fact {}

    /** The identities of a queue up to this number, inclusive, matter no more. */
    record IdentitiesForgotten(long queue, long upToNumber) implements Fact {}

    /**
     * A node exists from now on.
     *
     * @param number its number in every {@link MessageKey}; never used again after the node is deleted
     * @param address its address; of a subscription: that of its topic, maybe with wildcards
     * @param kind what it is
     * @param properties what else is to be known of it after a restart, such as the name of a subscription
     */
    record NodeDeclared(long number, String address, NodeKind kind, Map<String, String> properties) implements Fact {}

    /** A node is gone, with all its messages and identities. */
    record NodeDeleted(long number) implements Fact {}

    /** What a node is. */
    enum NodeKind {
        QUEUE,
        /** A queue that was made to take the dead messages of another. */
        DEAD_LETTER_QUEUE,
        TOPIC,
        /** A queue that takes messages of a topic for its subscribers. */
        SUBSCRIPTION
    }

    /**
     * What is kept with a message beside its bytes.
     *
     * @param expiryMillis when it expires, in milliseconds since 1970; 0 for never
     * @param originSequence the place in its queue to which it goes back when a delay of its redelivery is over; 0 for none
     * @param body the number of the body that holds its bytes, together with other messages or because it is large; 0 when
     *     its bytes are its own. Messages of one batch that name the same body have the same bytes, which are kept once
     * @param streamed the size of the body when its parts were stored before ({@link BodyPart}) and follow the bytes of the
     *     message, which are then its own, so that messages with different annotations have one body; 0 otherwise
     */
    record Details(long expiryMillis, long originSequence, long body, long streamed) {
        /** Size of a part of a body. */
        public static final int PART_BYTES = 256 * 1024;

        /** Nothing beside the bytes. */
        public static final Details NONE = new Details(0, 0, 0, 0);

        /** Whether there is nothing beside the bytes. Asked several times for each message, and far cheaper than equals. */
        public boolean isNone() {
            return (expiryMillis | originSequence | body | streamed) == 0;
        }

        /** With another deadline. */
        public Details withExpiry(long millis) {
            return millis == expiryMillis ? this : new Details(millis, originSequence, body, streamed);
        }

        /** With a place to go back to. */
        public Details withOrigin(long sequence) {
            return sequence == originSequence ? this : new Details(expiryMillis, sequence, body, streamed);
        }

        /** With bytes that are kept in a body of this number. */
        public Details withBody(long number) {
            return number == body ? this : new Details(expiryMillis, originSequence, number, streamed);
        }

        /** With a body of so many bytes that was stored before. */
        public Details withStreamed(long bytes) {
            return bytes == streamed ? this : new Details(expiryMillis, originSequence, body, bytes);
        }
    }
}
