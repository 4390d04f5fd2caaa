package io.millrace.soak;

import jakarta.jms.Connection;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.Topic;

/** A durable subscription that is always at its limit, beside two quick ones: each gets everything, in order. */
final class SlowSubscriber extends Scenario {
    private static final String TOPIC = "news";
    private static final String SLOW_QUEUE = "news::slow.slow";

    private long timesHeld;

    SlowSubscriber(SoakedBroker broker, long endNanos) {
        super(broker, endNanos);
    }

    @Override
    void prepare() throws Exception {
        subscriber("topic, quick subscriber 1", false);
        subscriber("topic, quick subscriber 2", false);
        subscriber("topic, slow durable subscriber", true);
        Ledger[] all = ledgers.toArray(new Ledger[0]);
        for (Ledger each : all) {
            each.newProducer();
        }
        worker("observer of " + SLOW_QUEUE, this::lookWhetherHeld);
        worker("publisher", self -> {
            try (Connection connection = connect("")) {
                Session session = connection.createSession();
                MessageProducer producer = session.createProducer(session.createTopic(TOPIC));
                while (sending()) {
                    send(self, session, producer, 0, 400, all);
                    self.rest(1);
                }
            } finally {
                for (Ledger each : all) {
                    each.producerIsDone();
                }
            }
        });
    }

    private void lookWhetherHeld(Worker self) throws Exception {
        while (sending()) {
            self.rest(500);
            self.waitsFor("metrics");
            timesHeld += broker.figure("millrace_queue_held", SLOW_QUEUE);
        }
    }

    private void subscriber(String name, boolean slow) throws Exception {
        Ledger ledger = ledger(name, true);
        Connection connection = connect(slow ? "&jms.clientID=slow&jms.prefetchPolicy.all=1" : "");
        Session session = connection.createSession();
        Topic topic = session.createTopic(TOPIC);
        MessageConsumer consumer = slow ? session.createDurableConsumer(topic, "slow") : session.createConsumer(topic);
        worker(name, self -> {
            consume(self, consumer, TOPIC, ledger, message -> {
                ledger.received(entry(message));
                if (slow) {
                    self.rest(30);
                }
            });
            consumer.close();
            if (slow) {
                session.unsubscribe("slow");
            }
            connection.close();
        });
    }

    @Override
    void check() {
        if (timesHeld == 0) {
            ledgers.get(2).fault("the publisher was never seen held, so the limit was not reached");
        }
    }
}
