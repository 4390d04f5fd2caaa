package io.millrace.journal;

/** Something that happened and is to be kept. The arrays in facts are owned by the journal and never changed. */
public sealed interface Fact {

    /**
     * A message arrived in a queue.
     *
     * @param key its place
     * @param durable false: kept only to save memory; it costs no sync and is gone after a restart
     * @param arrivalMillis when the broker took it, in milliseconds since 1970
     * @param format the message-format of the transfer (AMQP 1.0, part 2, section 2.8.11)
     * @param bytes all sections as received
     */
    record MessageStored(MessageKey key, boolean durable, long arrivalMillis, int format, byte[] bytes)
            implements Fact {}

    /** A message left its queue for good. {@code durable} is as when it was stored. {@code size} is that of its bytes. */
    record MessageRemoved(MessageKey key, boolean durable, int size) implements Fact {}

    /** Attempts to deliver a durable message have failed, {@code deliveryCount} of them by now. */
    record DeliveryFailed(MessageKey key, int deliveryCount) implements Fact {}

    /** A durable message, of {@code oldSize} bytes until now, had its annotations changed; {@code bytes} replaces it. */
    record MessageAnnotated(MessageKey key, int oldSize, byte[] bytes) implements Fact {}

    /** A message left one queue for another in one step; {@code stored} tells where it is now. */
    record MessageMoved(MessageRemoved removed, MessageStored stored) implements Fact {}

    /**
     * A queue exists from now on.
     *
     * @param number its number in every {@link MessageKey}; never used again after the queue is deleted
     * @param address its address
     * @param deadLetter it was made as the dead-letter queue of another
     */
    record NodeDeclared(long number, String address, boolean deadLetter) implements Fact {}

    /** A queue is gone, with all its messages. */
    record NodeDeleted(long number) implements Fact {}
}
