package io.millrace.queue;

/**
 * Which queue it is.
 *
 * @param number its number in the store
 * @param address its address
 * @param persistent false for a temporary queue: nothing of it outlives the broker
 * @param subscribed it takes copies of what is sent to a topic: nobody misses those when it is gone
 */
public record QueueIdentity(long number, String address, boolean persistent, boolean subscribed) {
    /** A queue that is no subscription. */
    public QueueIdentity(long number, String address, boolean persistent) {
        this(number, address, persistent, false);
    }
}
