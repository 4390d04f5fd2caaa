package io.millrace.soak;

import jakarta.jms.Connection;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.util.ArrayList;
import java.util.List;

/** Messages that are sent, moved on to another queue and now and then rolled back, and must arrive once. */
final class Transactions extends Scenario {
    private static final String FIRST = "transactions.first";
    private static final String SECOND = "transactions.second";
    private static final int BATCH = 5;

    private Ledger ledger;
    private int moves;

    Transactions(SoakedBroker broker, long endNanos) {
        super(broker, endNanos);
    }

    @Override
    void prepare() {
        ledger = ledger("transactions (refused: rolled back)", false);
        int number = ledger.newProducer();
        worker("transacted producer", self -> produce(self, number));
        worker("transacted mover", this::move);
        worker("consumer of what was moved", self -> {
            try (Connection connection = connect("")) {
                Session session = connection.createSession();
                MessageConsumer consumer = session.createConsumer(session.createQueue(SECOND));
                consume(self, consumer, SECOND, ledger, message -> ledger.received(entry(message)));
            }
        });
    }

    private void produce(Worker self, int number) throws Exception {
        try (Connection connection = connect("")) {
            Session session = connection.createSession(Session.SESSION_TRANSACTED);
            MessageProducer producer = producer(session, FIRST, true);
            for (int batch = 0; sending(); batch++) {
                List<Ledger.Entry> entries = new ArrayList<>();
                for (int i = 0; i < BATCH; i++) {
                    Ledger.Entry entry = ledger.next(number, 500);
                    entries.add(entry);
                    self.waitsFor("the send of " + entry);
                    producer.send(session.createTextMessage(entry.text()));
                }
                self.waitsFor("the end of a transaction with " + entries);
                if (batch % 4 == 3) {
                    session.rollback();
                    entries.forEach(ledger::refused);
                } else {
                    session.commit();
                    entries.forEach(ledger::accepted);
                }
                ledger.waited(self.waitedNanos());
                self.rest(50);
            }
        } finally {
            ledger.producerIsDone();
        }
    }

    private void move(Worker self) throws Exception {
        try (Connection connection = connect("")) {
            Session session = connection.createSession(Session.SESSION_TRANSACTED);
            MessageProducer producer = producer(session, SECOND, true);
            MessageConsumer consumer = session.createConsumer(session.createQueue(FIRST));
            consume(self, consumer, FIRST, ledger, message -> {
                self.waitsFor("the move of a message");
                producer.send(message);
                if (++moves % 5 == 0) {
                    session.rollback();
                } else {
                    session.commit();
                }
            });
        }
    }
}
