package io.millrace.queue;

import io.millrace.message.Message;

/** A message in the hands of a consumer. Its values stay as they are until the consumer settles it. */
public interface Delivery {

    /** The message, bytes as received. */
    Message message();

    /** How many attempts to deliver it have failed before this one (header field delivery-count). */
    int deliveryCount();

    /** Whether no consumer has acquired it before (header field first-acquirer). */
    boolean firstAcquirer();

    /** When the message expires, in milliseconds since 1970; 0 for never. */
    default long expiryMillis() {
        return 0;
    }
}
