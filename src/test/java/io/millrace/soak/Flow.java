package io.millrace.soak;

import jakarta.jms.Connection;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.util.concurrent.TimeUnit;

/** Producers and consumers of one queue. */
final class Flow extends Scenario {
    private static final int REFUSED_MILLIS = 100;

    private final String queue;
    private final String limit;
    private int producers = 1;
    private int consumers = 1;
    private int size = 300;
    private boolean durable = true;
    private boolean lossy;
    private boolean mustRefuse;
    private boolean mustHold;
    private long pauseMillis;
    private long workMillis;
    private long everyMillis;
    private long restMillis;
    private long fillBytes;
    private double rate;
    private String options = "";
    private String[] prefetch = {""};
    private Ledger ledger;
    private long startNanos;

    Flow(SoakedBroker broker, long endNanos, String limit, String queue) {
        super(broker, endNanos);
        this.limit = limit;
        this.queue = queue;
    }

    Flow producers(int count, long pause) {
        producers = count;
        pauseMillis = pause;
        return this;
    }

    Flow consumers(int count, long work) {
        consumers = count;
        workMillis = work;
        return this;
    }

    Flow size(int bytes) {
        size = bytes;
        return this;
    }

    Flow transientOnes() {
        durable = false;
        return this;
    }

    /** Consumers rest so long every so often. */
    Flow rests(long every, long rest) {
        everyMillis = every;
        restMillis = rest;
        return this;
    }

    /** A tide: so much is sent, then all of it is drained, and again. */
    Flow fills(long bytes) {
        fillBytes = bytes;
        return this;
    }

    Flow refuses() {
        mustRefuse = true;
        return this;
    }

    Flow holds() {
        mustHold = true;
        return this;
    }

    Flow drops() {
        lossy = true;
        return this;
    }

    /** All producers together are held to so many messages a second. */
    Flow rate(double most) {
        rate = most;
        return this;
    }

    Flow as(String user) {
        options = "&jms.username=" + user + "&jms.password=" + SoakTest.PASSWORD;
        return this;
    }

    Flow prefetch(String... each) {
        prefetch = each;
        return this;
    }

    @Override
    void prepare() {
        ledger = ledger(limit, consumers == 1);
        if (lossy) {
            ledger.lossy();
        }
        startNanos = System.nanoTime();
        for (int i = 0; i < producers; i++) {
            int number = ledger.newProducer();
            worker("producer " + i + " of " + queue, self -> produce(self, number));
        }
        for (int i = 0; i < consumers; i++) {
            String credit = prefetch[i % prefetch.length];
            worker("consumer " + i + " of " + queue, self -> receive(self, credit));
        }
    }

    private void produce(Worker self, int number) throws Exception {
        try (Connection connection = connect(options)) {
            Session session = connection.createSession();
            MessageProducer producer = producer(session, queue, durable);
            long filled = 0;
            while (sending()) {
                boolean accepted = send(self, session, producer, number, size, ledger);
                filled += size;
                if (!accepted) {
                    self.rest(REFUSED_MILLIS);
                } else if (pauseMillis > 0) {
                    self.rest(pauseMillis);
                }
                if (fillBytes > 0 && filled >= fillBytes) {
                    filled = 0;
                    awaitDrained(self);
                }
            }
        } finally {
            ledger.producerIsDone();
        }
    }

    private void awaitDrained(Worker self) throws InterruptedException {
        while (ledger.outstanding() > 0) {
            // Whether it is drained is the consumer's business.
            self.rest(50);
            ledger.pause();
        }
    }

    private void receive(Worker self, String credit) throws Exception {
        String own = credit.isEmpty() ? "" : "&jms.prefetchPolicy.all=" + credit;
        try (Connection connection = connect(own)) {
            Session session = connection.createSession();
            long[] rested = {System.nanoTime()};
            if (fillBytes > 0) {
                awaitTide(self);
            }
            MessageConsumer consumer = session.createConsumer(session.createQueue(queue));
            consume(self, consumer, queue, ledger, message -> {
                ledger.received(entry(message));
                if (workMillis > 0) {
                    self.rest(workMillis);
                }
                if (restMillis > 0
                        && sending()
                        && System.nanoTime() - rested[0] > TimeUnit.MILLISECONDS.toNanos(everyMillis)) {
                    self.rest(restMillis);
                    rested[0] = System.nanoTime();
                }
                if (fillBytes > 0 && ledger.outstanding() == 0) {
                    awaitTide(self);
                }
            });
        }
    }

    private void awaitTide(Worker self) throws InterruptedException {
        while (sending() && ledger.outstanding() * size < fillBytes) {
            self.rest(50);
        }
    }

    @Override
    void check() throws Exception {
        if (mustRefuse && ledger.refused() == 0) {
            ledger.fault("nothing was refused, so the limit was not reached");
        }
        if (mustHold && ledger.longestWaitNanos() < TimeUnit.SECONDS.toNanos(1)) {
            ledger.fault("no producer was held, so the limit was not reached");
        }
        long refused = broker.figure("millrace_queue_refused_total", queue);
        if (refused != ledger.refused()) {
            ledger.fault("refused by the metrics: " + refused + ", by the clients: " + ledger.refused());
        }
        if (lossy) {
            long dropped = broker.figure("millrace_queue_discarded_total", queue);
            if (dropped == 0 || ledger.accepted() - ledger.received() != dropped) {
                ledger.fault("not received: " + (ledger.accepted() - ledger.received()) + ", dropped: " + dropped);
            }
        }
        if (rate > 0) {
            double seconds = (endNanos - startNanos) / 1e9;
            double most = rate * (seconds + 1);
            if (ledger.accepted() > most * 1.1 || ledger.accepted() < most * 0.7) {
                ledger.fault("accepted " + ledger.accepted() + ", the rate makes " + Math.round(most));
            }
        }
    }
}
