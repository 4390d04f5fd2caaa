package io.millrace.queue;

import io.millrace.message.Condition;

/** Where messages go: an outgoing link as a queue sees it. Called on the loop of the link. */
public interface Consumer {

    /** It has been let in; comes before anything else, once. */
    default void admitted() {}

    /**
     * Whether it can take a delivery now, whatever its credit: false while its connection does not drain its socket or
     * its session has no window. Having said no, it calls {@link Source#resume} when it can.
     */
    boolean ready();

    /** Here is a message: acquired, until it is settled (or a mere copy, for a browser: then there is nothing to settle). */
    void deliver(Delivery delivery);

    /** All that was there has been delivered, and the credit that is left is void. Answer to a credit with drain. */
    void drained();

    /** The source is gone or failed. Nothing more will come, and nothing that is settled from now on matters. */
    void closed(Condition reason);
}
