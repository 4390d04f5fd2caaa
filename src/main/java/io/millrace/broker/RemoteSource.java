package io.millrace.broker;

import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Consumer;
import io.millrace.queue.Delivery;
import io.millrace.queue.Receipt;
import io.millrace.queue.Selection;
import io.millrace.queue.Source;
import io.millrace.queue.Transaction;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * A queue on another loop, as a place to receive from. Owned by the loop of the links.
 *
 * <p>Each consumer has an {@link Envoy} on the loop of the queue, which counts the bytes on their way to the link and is not
 * ready while they are too many. Calls cross on their way, and the peer's latest word counts: a delivery that finds its
 * credit taken back is released, and the answer to a drain that finds newer credit is not given. What the queue has
 * counted for those is added to every later limit.
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
    private record Carried(
            Delivery original, Message message, int deliveryCount, boolean firstAcquirer, long expiryMillis)
            implements Delivery {}

    @Override
    public void attach(Consumer consumer, Selection selection) {
        Envoy envoy = new Envoy(consumer, selection.browse());
        envoys.put(consumer, envoy);
        there.send(() -> queue.attach(envoy, selection));
    }

    @Override
    public void credit(Consumer consumer, long limit, boolean drain) {
        Envoy envoy = envoys.get(consumer);
        if (envoy != null) {
            envoy.credit(limit, drain);
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
    public void settle(
            Consumer consumer, Delivery delivery, Outcome outcome, Transaction transaction, Receipt receipt) {
        Envoy envoy = envoys.get(consumer);
        if (envoy == null || !(delivery instanceof Carried carried)) {
            receipt.settled(outcome);
            return;
        }
        Receipt returned =
                receipt == Receipt.NONE ? Receipt.NONE : settled -> back.send(() -> receipt.settled(settled));
        CoordinatedTransaction.reaches(transaction, there);
        there.send(() -> queue.settle(envoy, carried.original(), outcome, transaction, returned));
    }

    @Override
    public void detach(Consumer consumer, boolean lost) {
        Envoy envoy = envoys.remove(consumer);
        if (envoy != null) {
            envoy.gone = true;
            there.send(() -> envoy.detach(lost));
        }
    }

    /** Stands in for a consumer at the queue. The methods of {@link Consumer} run there, the others on the loop of the link. */
    private final class Envoy implements Consumer {
        private final Consumer consumer;
        private final boolean browse;

        /** Owned by the loop of the queue: bytes on their way, and the credit as the queue counts it. */
        private long underwayBytes;

        private final ArrayDeque<Delivery> underway = new ArrayDeque<>();
        private boolean leaving;
        private long countThere;
        private long limitThere;

        /** Deliveries and drained credit that the queue has counted and the link has not. */
        private long ahead;

        private long creditSeen;
        private long drainedLeft;

        /** Owned by the loop of the link: what it could not take yet, and its credit as the peer counts it. */
        private final ArrayDeque<Carried> arrived = new ArrayDeque<>();

        private long count;
        private long limit;
        private long creditSent;

        /** The credit whose drain is answered when nothing is left in {@link #arrived}, and the last one told; 0 for none. */
        private long drained;

        private long told;
        private boolean gone;

        Envoy(Consumer consumer, boolean browse) {
            this.consumer = consumer;
            this.browse = browse;
        }

        void credit(long newLimit, boolean drain) {
            limit = newLimit;
            long id = ++creditSent;
            long toldBefore = told;
            there.send(() -> credited(id, toldBefore, newLimit, drain));
            unpack();
        }

        /** An answer to a drain that was not told when newer credit was sent never will be: what it voided is to be had again. */
        private void credited(long id, long toldBefore, long newLimit, boolean drain) {
            if (toldBefore < creditSeen) {
                ahead += drainedLeft;
            }
            drainedLeft = 0;
            creditSeen = id;
            limitThere = newLimit + ahead;
            queue.credit(this, limitThere, drain);
        }

        @Override
        public boolean ready() {
            return underwayBytes < UNDERWAY_LIMIT_BYTES && !leaving;
        }

        @Override
        public void deliver(Delivery delivery) {
            underway.add(delivery);
            underwayBytes += delivery.message().size();
            countThere++;
            Carried carried = new Carried(
                    delivery,
                    delivery.message(),
                    delivery.deliveryCount(),
                    delivery.firstAcquirer(),
                    delivery.expiryMillis());
            back.send(() -> {
                arrived.add(carried);
                unpack();
            });
        }

        @Override
        public void drained() {
            drainedLeft = Math.max(0, limitThere - countThere);
            countThere += drainedLeft;
            long answered = creditSeen;
            back.send(() -> {
                drained = answered;
                unpack();
            });
        }

        @Override
        public void admitted() {
            back.send(() -> {
                if (!gone) {
                    consumer.admitted();
                }
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
            int taken = 0;
            long bytes = 0;
            while (!gone && !arrived.isEmpty() && takesNext()) {
                Carried next = arrived.poll();
                taken++;
                bytes += next.message().size();
                hand(next);
            }
            if (drained == creditSent && drained > told && !gone && (arrived.isEmpty() || count >= limit)) {
                told = drained;
                count = Math.max(count, limit);
                consumer.drained();
            }
            if (taken > 0) {
                taken(taken, bytes);
            }
        }

        private void taken(int messages, long bytes) {
            there.send(() -> {
                for (int i = 0; i < messages; i++) {
                    underway.poll();
                }
                underwayBytes -= bytes;
                queue.resume(this);
            });
        }

        /** What the link was never handed is not a failed attempt, even if its connection is lost. */
        private void detach(boolean lost) {
            leaving = true;
            while (!underway.isEmpty()) {
                queue.settle(this, underway.poll(), Outcome.RELEASED, Receipt.NONE);
            }
            queue.detach(this, lost);
        }

        private boolean takesNext() {
            return count < limit ? consumer.ready() : !browse;
        }

        /** A message that comes when its credit was taken back goes back too; the copy of a browser waits for the next credit. */
        private void hand(Carried next) {
            if (count < limit) {
                count++;
                consumer.deliver(next);
            } else {
                there.send(() -> {
                    ahead++;
                    queue.settle(this, next.original(), Outcome.RELEASED, Receipt.NONE);
                });
            }
        }
    }
}
