package io.millrace.soak;

import io.millrace.main.RawLink;
import jakarta.jms.Connection;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import java.util.Map;
import org.apache.qpid.proton.amqp.messaging.Accepted;

/** Clients that connect, attach, send or are sent something, and vanish without a word. */
final class Churn extends Scenario {
    private static final String QUEUE = "churn";

    private Ledger ledger;

    Churn(SoakedBroker broker, long endNanos) {
        super(broker, endNanos);
    }

    @Override
    void prepare() {
        ledger = ledger("connection churn", false);
        int number = ledger.newProducer();
        worker("senders that vanish", self -> send(self, number));
        worker("receivers that vanish", self -> {
            while (sending()) {
                self.waitsFor("an attach");
                try (RawLink link = RawLink.receiver(broker.port(), QUEUE, 3, Map.of())) {
                    self.rest(40);
                    link.vanish();
                }
                self.rest(200);
            }
        });
        worker("a consumer that stays", self -> {
            try (Connection connection = connect("&jms.prefetchPolicy.all=1")) {
                Session session = connection.createSession();
                MessageConsumer consumer = session.createConsumer(session.createQueue(QUEUE));
                consume(self, consumer, QUEUE, ledger, message -> ledger.received(entry(message)));
            }
        });
    }

    private void send(Worker self, int number) throws Exception {
        try {
            while (sending()) {
                self.waitsFor("an attach");
                try (RawLink link = RawLink.sender(broker.port(), QUEUE)) {
                    for (int i = 0; i < 3; i++) {
                        Ledger.Entry entry = ledger.next(number, 200);
                        self.waitsFor("the answer to " + entry);
                        Object outcome = link.send(RawLink.message(entry.text()));
                        ledger.waited(self.waitedNanos());
                        if (outcome instanceof Accepted) {
                            ledger.accepted(entry);
                        } else {
                            ledger.fault(entry + " got " + outcome);
                        }
                    }
                    link.vanish();
                }
                self.rest(100);
            }
        } finally {
            ledger.producerIsDone();
        }
    }
}
