package io.millrace.queue;

import io.millrace.message.Message;
import io.millrace.selector.Candidate;

/** A message in the hands of a consumer. Its values stay as they are until the consumer settles it. */
public interface Delivery extends Candidate {

    /** The message, bytes as received. */
    @Override
    Message message();

    /** How many attempts to deliver it have failed before this one (header field delivery-count). */
    @Override
    int deliveryCount();

    /** Whether no consumer has acquired it before (header field first-acquirer). */
    boolean firstAcquirer();

    /** When the message expires, in milliseconds since 1970; 0 for never. */
    default long expiryMillis() {
        return 0;
    }
}
