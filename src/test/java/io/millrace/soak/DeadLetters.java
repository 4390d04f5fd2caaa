package io.millrace.soak;

import jakarta.jms.Connection;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;

/** Messages that leave their queue by another door: each must come out of just one of the two. */
final class DeadLetters extends Scenario {
    private static final int EVERY = 5;

    private final boolean poison;
    private final String queue;
    private Ledger ledger;
    private long throughTheOther;

    /** With poison, each fifth message fails; otherwise messages expire while their consumer rests. */
    DeadLetters(SoakedBroker broker, long endNanos, boolean poison) {
        super(broker, endNanos);
        this.poison = poison;
        queue = poison ? "poison" : "mortal";
    }

    @Override
    void prepare() {
        ledger = ledger(poison ? "max-deliveries, dead letters" : "expiry", false);
        int number = ledger.newProducer();
        worker("producer of " + queue, self -> {
            try (Connection connection = connect("")) {
                Session session = connection.createSession();
                MessageProducer producer = producer(session, queue, true);
                producer.setTimeToLive(poison ? 0 : 500);
                while (sending()) {
                    send(self, session, producer, number, 1000, ledger);
                    self.rest(15);
                }
            } finally {
                ledger.producerIsDone();
            }
        });
        worker("consumer of " + queue, poison ? this::takePoison : this::takeMortals);
        worker("consumer of the dead of " + queue, self -> {
            try (Connection connection = connect("")) {
                Session session = connection.createSession();
                String dead = queue + ".dlq";
                MessageConsumer consumer = session.createConsumer(session.createQueue(dead));
                consume(self, consumer, dead, ledger, message -> {
                    ledger.received(entry(message));
                    throughTheOther++;
                });
            }
        });
    }

    private void takePoison(Worker self) throws Exception {
        try (Connection connection = connect("&jms.prefetchPolicy.all=10")) {
            Session session = connection.createSession(Session.SESSION_TRANSACTED);
            MessageConsumer consumer = session.createConsumer(session.createQueue(queue));
            consume(self, consumer, queue, ledger, message -> {
                self.waitsFor("the end of a transaction");
                if (entry(message).number() % EVERY == 0) {
                    session.rollback();
                } else {
                    session.commit();
                    ledger.received(entry(message));
                }
            });
        }
    }

    private void takeMortals(Worker self) throws Exception {
        // What has expired on its way is still a message that has come.
        try (Connection connection = connect("&jms.prefetchPolicy.all=1&jms.localMessageExpiry=false")) {
            Session session = connection.createSession();
            MessageConsumer consumer = session.createConsumer(session.createQueue(queue));
            int[] count = {0};
            consume(self, consumer, queue, ledger, (Message message) -> {
                ledger.received(entry(message));
                if (++count[0] % 100 == 0 && sending()) {
                    self.rest(2000);
                }
            });
        }
    }

    @Override
    void check() throws Exception {
        String metric = poison ? "millrace_queue_dead_lettered_total" : "millrace_queue_expired_total";
        long counted = broker.figure(metric, queue);
        if (counted == 0 || counted != throughTheOther) {
            ledger.fault(metric + " is " + counted + ", but " + throughTheOther + " came from the other queue");
        }
    }
}
