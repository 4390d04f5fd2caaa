package io.millrace.broker;

/** Where a message that is sent to an address ends up. Owned by the home loop, as all queues that share a route are. */
interface Route {
    /** Adds the queues that the message goes to. */
    void collect(Publication publication);
}
