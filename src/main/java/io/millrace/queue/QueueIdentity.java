package io.millrace.queue;

/**
 * Which queue it is.
 *
 * @param number its number in the store
 * @param address its address
 * @param persistent false for a temporary queue: nothing of it outlives the broker
 */
public record QueueIdentity(long number, String address, boolean persistent) {}
