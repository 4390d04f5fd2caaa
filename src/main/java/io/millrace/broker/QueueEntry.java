package io.millrace.broker;

import io.millrace.queue.Queue;
import java.util.Optional;

/**
 * A queue in the address book. Immutable.
 *
 * @param number its number in the store
 * @param address its address
 * @param loop the index of the loop that owns it
 * @param queue the queue itself, to be touched on that loop only
 * @param owner of a temporary queue: the connection that made it
 */
record QueueEntry(long number, String address, int loop, Queue queue, Optional<Object> owner) {
    boolean temporary() {
        return owner.isPresent();
    }
}
