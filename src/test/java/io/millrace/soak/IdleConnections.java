package io.millrace.soak;

import io.millrace.main.RawClient;
import java.util.ArrayList;
import java.util.List;

/** Connections that say no more than that they live, and can still be used at the end. */
final class IdleConnections extends Scenario {
    private static final int COUNT = 200;
    private static final byte[] BEAT = {0, 0, 0, 8, 2, 0, 0, 0};
    private static final int BEAT_MILLIS = 5000;

    IdleConnections(SoakedBroker broker, long endNanos) {
        super(broker, endNanos);
    }

    @Override
    void prepare() {
        Ledger ledger = ledger("idle connections (received: alive)", true);
        int number = ledger.newProducer();
        worker("idle connections", self -> {
            List<RawClient> clients = new ArrayList<>();
            List<Ledger.Entry> entries = new ArrayList<>();
            try {
                for (int i = 0; i < COUNT; i++) {
                    self.waitsFor("connection " + i);
                    clients.add(new RawClient(broker.port()).open());
                    entries.add(ledger.next(number, 0));
                    ledger.accepted(entries.get(i));
                    ledger.waited(self.waitedNanos());
                }
                while (sending()) {
                    for (RawClient each : clients) {
                        each.write(BEAT);
                    }
                    ledger.pause();
                    self.rest(BEAT_MILLIS);
                }
                for (int i = 0; i < COUNT; i++) {
                    self.waitsFor("an attach on connection " + i);
                    clients.get(i).receive("idle", 0);
                    ledger.received(entries.get(i));
                }
            } finally {
                ledger.producerIsDone();
                for (RawClient each : clients) {
                    each.close();
                }
            }
        });
    }
}
