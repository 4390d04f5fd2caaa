package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.security.PasswordHash;
import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Rates of an unmodified Qpid JMS client, over the whole broker with two event loops. */
@Timeout(60)
class RatesTest {
    private static final int RATE = 500;
    private static final long MILLIS = 3000;

    @TempDir
    private Path directory;

    /** Sends without waiting for answers; how many messages there was credit for. */
    private static int flood(Connection connection, String queue) throws Exception {
        Session session = connection.createSession();
        MessageProducer producer = session.createProducer(session.createQueue(queue));
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        int count = 0;
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(MILLIS);
        while (System.nanoTime() < end) {
            producer.send(session.createTextMessage("m"));
            count++;
        }
        return count;
    }

    private static CompletableFuture<Integer> flooding(Connection connection, String queue) {
        return CompletableFuture.supplyAsync(() -> {
            try {
                return flood(connection, queue);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    /** A second's burst, and the rate from then on. */
    private static void assertRate(int count) {
        double most = RATE + RATE * MILLIS / 1000.0;
        assertEquals(most, count, most / 10);
    }

    @Test
    void aConnectionIsHeldToItsRateWhileItsConsumerIsNot() throws Exception {
        try (RunningBroker broker = RunningBroker.start(directory, "connection: {max-message-rate: " + RATE + "}");
                JmsApplication app = new JmsApplication(broker)) {
            for (int i = 0; i < 4; i++) {
                try (Connection filling = app.connect("")) {
                    Session session = filling.createSession();
                    MessageProducer producer = session.createProducer(session.createQueue("full"));
                    producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
                    for (int n = 0; n < RATE; n++) {
                        producer.send(session.createTextMessage("m"));
                    }
                }
            }
            Connection connection = app.connect("");
            CompletableFuture<Integer> sent = flooding(connection, "orders");
            broker.await("millrace_rate_limited_connections\\{[^}]*}", value -> value == 1);
            Session session = connection.createSession();
            MessageConsumer consumer = session.createConsumer(session.createQueue("full"));
            long begin = System.nanoTime();
            JmsApplication.receive(consumer, 4 * RATE);
            long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - begin);
            assertTrue(millis < 2000, "the consumer took " + millis + " ms");
            assertRate(sent.get());
            assertTrue(broker.figure("millrace_rate_limited_seconds_total{listener=\"test\"}") >= 1);
        }
    }

    @Test
    void connectionsOfAUserShareItsRateAndUsersDoNot() throws Exception {
        String password = PasswordHash.of("secret").toString();
        String yaml = "users:\n" + "  - {name: shop, max-message-rate: " + RATE + ", password: \"" + password + "\"}\n"
                + "  - {name: bank, max-message-rate: " + RATE + ", password: \"" + password + "\"}\n";
        try (RunningBroker broker = RunningBroker.start(directory, yaml);
                JmsApplication app = new JmsApplication(broker)) {
            String shop = "?jms.username=shop&jms.password=secret";
            List<Connection> connections = List.of(
                    app.connect(shop), app.connect(shop), app.connect("?jms.username=bank&jms.password=secret"));
            List<CompletableFuture<Integer>> counts = connections.stream()
                    .map(connection -> flooding(connection, "orders"))
                    .toList();
            assertRate(counts.get(0).get() + counts.get(1).get());
            assertRate(counts.get(2).get());
            assertTrue(broker.figure("millrace_user_rate_limited_total{user=\"shop\"}") >= 1);
        }
    }
}
