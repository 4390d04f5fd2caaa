package io.millrace.journal;

/**
 * A message as the store gives it back: what {@link Fact.MessageStored} said, and the failed attempts since. The bytes are
 * those of the whole message, also when a body is shared; of a streamed message they are those before its body.
 */
public record StoredMessage(
        MessageKey key,
        boolean durable,
        long arrivalMillis,
        int format,
        int deliveryCount,
        byte[] bytes,
        Fact.Details details) {}
