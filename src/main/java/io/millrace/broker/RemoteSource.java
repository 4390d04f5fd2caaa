package io.millrace.broker;

import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Consumer;
import io.millrace.queue.Delivery;
import io.millrace.queue.Receipt;
import io.millrace.queue.Source;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * A queue on another loop, as a place to receive from. Owned by the loop of the links.
 *
 * <p>Each consumer has an {@link Envoy} on the loop of the queue, which counts the bytes on their way to the link and is not
 * ready while they are too many.
 */
final class RemoteSource implements Source {
    private static final long UNDERWAY_LIMIT_BYTES = 256 << 10;

    private final Source queue;
    private final Relay there;
    private final Relay back;
    private final Map<Consumer, Envoy> envoys = new HashMap<>();

    RemoteSource(Source queue, Relay there, Relay back) {
        this.queue = queue;
        this.there = there;
        this.back = back;
    }

    /** What the queue handed out, with the values it had then, so that the link reads nothing the queue may change. */
    private record Carried(Delivery original, Message message, int deliveryCount, boolean firstAcquirer)
            implements Delivery {}

    @Override
    public void attach(Consumer consumer, boolean browse) {
        Envoy envoy = new Envoy(consumer);
        envoys.put(consumer, envoy);
        there.send(() -> queue.attach(envoy, browse));
    }

    @Override
    public void credit(Consumer consumer, long limit, boolean drain) {
        Envoy envoy = envoys.get(consumer);
        if (envoy != null) {
            there.send(() -> queue.credit(envoy, limit, drain));
        }
    }

    @Override
    public void resume(Consumer consumer) {
        Envoy envoy = envoys.get(consumer);
        if (envoy != null) {
            envoy.unpack();
        }
    }

    @Override
    public void settle(Consumer consumer, Delivery delivery, Outcome outcome, Receipt receipt) {
        Envoy envoy = envoys.get(consumer);
        if (envoy == null || !(delivery instanceof Carried carried)) {
            receipt.settled(outcome);
            return;
        }
        Receipt returned =
                receipt == Receipt.NONE ? Receipt.NONE : settled -> back.send(() -> receipt.settled(settled));
        there.send(() -> queue.settle(envoy, carried.original(), outcome, returned));
    }

    @Override
    public void detach(Consumer consumer, boolean lost) {
        Envoy envoy = envoys.remove(consumer);
        if (envoy != null) {
            envoy.gone = true;
            there.send(() -> queue.detach(envoy, lost));
        }
    }

    /** Stands in for a consumer at the queue. The methods of {@link Consumer} run there, the others on the loop of the link. */
    private final class Envoy implements Consumer {
        private final Consumer consumer;

        /** Owned by the loop of the queue. */
        private long underwayBytes;

        /** Owned by the loop of the link: what it could not take yet, a drained call among it as the last. */
        private final ArrayDeque<Carried> arrived = new ArrayDeque<>();

        private boolean drained;
        private boolean gone;

        Envoy(Consumer consumer) {
            this.consumer = consumer;
        }

        @Override
        public boolean ready() {
            return underwayBytes < UNDERWAY_LIMIT_BYTES;
        }

        @Override
        public void deliver(Delivery delivery) {
            underwayBytes += delivery.message().size();
            Carried carried =
                    new Carried(delivery, delivery.message(), delivery.deliveryCount(), delivery.firstAcquirer());
            back.send(() -> {
                arrived.add(carried);
                unpack();
            });
        }

        @Override
        public void drained() {
            back.send(() -> {
                drained = true;
                unpack();
            });
        }

        @Override
        public void closed(Condition reason) {
            back.send(() -> {
                if (!gone) {
                    envoys.remove(consumer);
                    gone = true;
                    consumer.closed(reason);
                }
            });
        }

        void unpack() {
            long taken = 0;
            while (!gone && !arrived.isEmpty() && consumer.ready()) {
                Carried next = arrived.poll();
                taken += next.message().size();
                consumer.deliver(next);
            }
            if (drained && !gone && arrived.isEmpty()) {
                drained = false;
                consumer.drained();
            }
            if (taken > 0) {
                long bytes = taken;
                there.send(() -> {
                    underwayBytes -= bytes;
                    queue.resume(this);
                });
            }
        }
    }
}
