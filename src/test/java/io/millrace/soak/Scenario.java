package io.millrace.soak;

import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.ResourceAllocationException;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.util.ArrayList;
import java.util.List;
import org.apache.qpid.jms.JmsConnectionFactory;

/** One limit, with clients of its own that stay at it. */
abstract class Scenario {
    private static final int RECEIVE_MILLIS = 500;

    final SoakedBroker broker;
    final long endNanos;
    final List<Worker> workers = new ArrayList<>();
    final List<Ledger> ledgers = new ArrayList<>();

    Scenario(SoakedBroker broker, long endNanos) {
        this.broker = broker;
        this.endNanos = endNanos;
    }

    /** Makes ledgers and workers. */
    abstract void prepare() throws Exception;

    /** What only this scenario can say at the end, while the broker still runs. */
    void check() throws Exception {}

    final boolean sending() {
        return System.nanoTime() < endNanos;
    }

    final Ledger ledger(String name, boolean ordered) {
        Ledger ledger = new Ledger(name, ordered);
        ledgers.add(ledger);
        return ledger;
    }

    final void worker(String name, Worker.Job job) {
        workers.add(new Worker(name, job));
    }

    final Connection connect(String options) throws JMSException {
        Connection connection = new JmsConnectionFactory(
                        "amqp://127.0.0.1:" + broker.port() + "?jms.forceSyncSend=true" + options)
                .createConnection();
        connection.start();
        return connection;
    }

    static MessageProducer producer(Session session, String queue, boolean durable) throws JMSException {
        MessageProducer producer = session.createProducer(session.createQueue(queue));
        producer.setDeliveryMode(durable ? DeliveryMode.PERSISTENT : DeliveryMode.NON_PERSISTENT);
        return producer;
    }

    static Ledger.Entry entry(Message message) throws JMSException {
        return Ledger.Entry.of(((TextMessage) message).getText());
    }

    /** Sends the next message and enters the answer into these ledgers; whether it was accepted. */
    static boolean send(Worker self, Session session, MessageProducer producer, int number, int size, Ledger... ledgers)
            throws JMSException {
        Ledger.Entry entry = ledgers[0].next(number, size);
        for (int i = 1; i < ledgers.length; i++) {
            ledgers[i].next(number, size);
        }
        TextMessage message = session.createTextMessage(entry.text());
        self.waitsFor("the answer to " + entry + " to " + producer.getDestination());
        boolean accepted = true;
        try {
            producer.send(message);
        } catch (ResourceAllocationException full) {
            accepted = false;
            ledgers[0].reason(full.getMessage());
        }
        for (Ledger ledger : ledgers) {
            ledger.waited(self.waitedNanos());
            if (accepted) {
                ledger.accepted(entry);
            } else {
                ledger.refused(entry);
            }
        }
        return accepted;
    }

    /** What is done with a message that has come. */
    @FunctionalInterface
    interface Eater {
        void eat(Message message) throws Exception;
    }

    /** Receives until all producers are done and nothing is missing. */
    static void consume(Worker self, MessageConsumer consumer, String queue, Ledger ledger, Eater eater)
            throws Exception {
        String what = "messages of " + queue;
        self.waitsFor(what);
        while (true) {
            Message message = consumer.receive(RECEIVE_MILLIS);
            if (message != null) {
                ledger.waited(self.waitedNanos());
                eater.eat(message);
                self.waitsFor(what);
            } else if (ledger.outstanding() == 0) {
                self.waitsFor(what);
                if (ledger.producersAreDone()) {
                    return;
                }
            }
        }
    }
}
