package io.millrace.journal;

/** A message as the store gives it back: what {@link Fact.MessageStored} said, and the failed attempts since. */
public record StoredMessage(
        MessageKey key, boolean durable, long arrivalMillis, int format, int deliveryCount, byte[] bytes) {}
