package io.millrace.amqp;

import io.millrace.broker.Departure;
import io.millrace.broker.Link;
import io.millrace.broker.Node;
import io.millrace.broker.NodeType;
import io.millrace.broker.Nodes;
import io.millrace.broker.Request;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Receipt;
import io.millrace.queue.Target;
import io.millrace.queue.Transaction;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;

/**
 * The anonymous terminus: passes each message to the node that its {@code to} names (anonymous terminus, version 1.0,
 * section 2.2). Owned by its incoming link.
 *
 * <p>Messages for one address keep their order, also while the address is being opened. A message that has no place is
 * rejected, and the link stays.
 */
final class RelayTarget implements Target {
    private static final int MAX_TARGETS = 1000;
    private static final String DESTINATION = "x-opt-jms-dest";

    private final AmqpConnection connection;
    private final IdentityHashMap<Node, Target> targets = new IdentityHashMap<>();
    private final Map<String, Queue<Waiting>> opening = new HashMap<>();

    /** The last target that had no room left after a message. */
    private Optional<Target> full = Optional.empty();

    RelayTarget(AmqpConnection connection) {
        this.connection = connection;
    }

    @Override
    public void offer(Message message, Transaction transaction, Receipt receipt) {
        String address = message.to();
        if (address.isEmpty()) {
            receipt.settled(new Outcome.Rejected(new Condition(
                    Condition.PRECONDITION_FAILED,
                    "the message has no \"to\" in its properties, and the link has no target address")));
            return;
        }
        Queue<Waiting> waiting = opening.get(address);
        if (waiting != null) {
            waiting.add(new Waiting(message, transaction, receipt));
            return;
        }
        Node node = connection.nodes().find(address).orElse(null);
        Optional<NodeType> type = type(message);
        if (node != null && type.map(node.type()::equals).orElse(true)) {
            pass(target(node), message, transaction, receipt);
        } else {
            open(address, type, new Waiting(message, transaction, receipt));
        }
    }

    /** What a JMS client says of the destination, by a number of its own: queue, topic, temporary queue, temporary topic. */
    private static Optional<NodeType> type(Message message) {
        return message.annotation(DESTINATION) instanceof Byte number
                ? Optional.of(number % 2 == 0 ? NodeType.QUEUE : NodeType.TOPIC)
                : Optional.empty();
    }

    private void open(String address, Optional<NodeType> type, Waiting first) {
        Queue<Waiting> waiting = new ArrayDeque<>();
        waiting.add(first);
        opening.put(address, waiting);
        Link link = new Link(connection, connection.container(), "");
        connection.nodes().open(Request.toSend(address, type, link), new Nodes.Answer() {
            @Override
            public void opened(Node node) {
                // It is looked up again for every message, so there is nothing to be told of it later.
                connection.nodes().release(node, this, Departure.DETACHED);
                opening.remove(address);
                Target target = target(node);
                waiting.forEach(each -> pass(target, each.message, each.transaction, each.receipt));
            }

            @Override
            public void refused(Condition reason) {
                opening.remove(address);
                waiting.forEach(each -> each.receipt.settled(new Outcome.Rejected(reason)));
            }
        });
    }

    private void pass(Target target, Message message, Transaction transaction, Receipt receipt) {
        target.offer(message, transaction, receipt);
        if (target.room() == 0) {
            full = Optional.of(target);
        }
    }

    private Target target(Node node) {
        if (targets.size() > MAX_TARGETS) {
            targets.clear();
        }
        return targets.computeIfAbsent(node, each -> each.target(connection.container()));
    }

    /** Where the next message goes is not known; but a place without room is one that waits for the disk, as others will. */
    @Override
    public int room() {
        return full.isPresent() && full.get().room() == 0 ? 0 : Integer.MAX_VALUE;
    }

    @Override
    public void whenRoom(Runnable task) {
        full.orElseThrow(() -> new IllegalStateException("there is room")).whenRoom(task);
    }

    private record Waiting(Message message, Transaction transaction, Receipt receipt) {}
}
