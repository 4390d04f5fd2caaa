package io.millrace.selector;

import io.millrace.message.Message;

/** A message that may be selected, with what its queue knows of it. */
public interface Candidate {
    Message message();

    /** How many delivery attempts failed; 0 for a message that was never delivered. */
    int deliveryCount();

    /** A message on its way into a queue, or anywhere else where no delivery can have failed. */
    static Candidate of(Message message) {
        record Fresh(Message message) implements Candidate {
            @Override
            public int deliveryCount() {
                return 0;
            }
        }
        return new Fresh(message);
    }
}
