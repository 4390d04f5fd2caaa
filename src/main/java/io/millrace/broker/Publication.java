package io.millrace.broker;

import io.millrace.message.Message;
import io.millrace.queue.Queue;
import io.millrace.selector.Candidate;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** One message on its way to any number of queues. Lives for one call on the home loop. */
final class Publication implements Candidate {
    private final Message message;
    private final String container;
    private final List<Queue> queues = new ArrayList<>();
    private final Set<String> visited = new HashSet<>(0);

    /** As {@link #queues}, where forwarding may reach one by several ways. */
    private final Set<Queue> reached = new HashSet<>(0);

    private int keepers;

    Publication(Message message, String container) {
        this.message = message;
        this.container = container;
    }

    @Override
    public Message message() {
        return message;
    }

    @Override
    public int deliveryCount() {
        return 0;
    }

    /** The container of the connection that sent it; empty when it came from none. */
    String container() {
        return container;
    }

    /** Whether the address was not visited before: forwarding rules may lead in circles. */
    boolean visit(String address) {
        return visited.add(address);
    }

    /**
     * It goes to this queue, once, by however many ways.
     *
     * @param keeps whether the queue keeps durable messages on disk
     */
    void goesTo(Queue queue, boolean keeps) {
        if (visited.isEmpty() || reached.add(queue)) {
            queues.add(queue);
            keepers += keeps ? 1 : 0;
        }
    }

    /** How many of the queues keep it on disk, if it is durable. */
    int keepers() {
        return keepers;
    }

    List<Queue> queues() {
        return queues;
    }
}
