package io.millrace.amqp;

import io.millrace.broker.Node;
import io.millrace.broker.Nodes;
import io.millrace.journal.Fact;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Receipt;
import io.millrace.queue.Target;
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

    private final AmqpConnection connection;
    private final IdentityHashMap<Node, Target> targets = new IdentityHashMap<>();
    private final Map<String, Queue<Waiting>> opening = new HashMap<>();

    RelayTarget(AmqpConnection connection) {
        this.connection = connection;
    }

    @Override
    public void offer(Message message, Receipt receipt) {
        String address = message.to();
        if (address.isEmpty()) {
            receipt.settled(new Outcome.Rejected(new Condition(
                    Condition.PRECONDITION_FAILED,
                    "the message has no \"to\" in its properties, and the link has no target address")));
            return;
        }
        Queue<Waiting> waiting = opening.get(address);
        if (waiting != null) {
            waiting.add(new Waiting(message, receipt));
            return;
        }
        Node node = connection.nodes().find(address).orElse(null);
        if (node != null) {
            target(node).offer(message, receipt);
        } else {
            open(address, new Waiting(message, receipt));
        }
    }

    private void open(String address, Waiting first) {
        Queue<Waiting> waiting = new ArrayDeque<>();
        waiting.add(first);
        opening.put(address, waiting);
        connection.nodes().open(address, Nodes.Use.SEND, connection, new Nodes.Answer() {
            @Override
            public void opened(Node node) {
                opening.remove(address);
                Target target = target(node);
                waiting.forEach(each -> target.offer(each.message, each.receipt));
            }

            @Override
            public void refused(Condition reason) {
                opening.remove(address);
                waiting.forEach(each -> each.receipt.settled(new Outcome.Rejected(reason)));
            }
        });
    }

    private Target target(Node node) {
        if (targets.size() > MAX_TARGETS) {
            targets.clear();
        }
        return targets.computeIfAbsent(node, Node::target);
    }

    @Override
    public void move(Message message, Optional<Fact.MessageRemoved> leaves, Receipt receipt) {
        throw new UnsupportedOperationException("queues move messages to queues, never over a link");
    }

    /** Without an address there is nobody to ask: the queue that a message goes to refuses it when it is full. */
    @Override
    public int room() {
        return Integer.MAX_VALUE;
    }

    @Override
    public void whenRoom(Runnable task) {
        throw new IllegalStateException("there is always room");
    }

    private record Waiting(Message message, Receipt receipt) {}
}
