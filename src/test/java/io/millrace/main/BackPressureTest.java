package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.CompletionListener;
import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.ResourceAllocationException;
import jakarta.jms.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Producers that meet a full queue or store, with a real client. */
@Timeout(60)
class BackPressureTest {
    private static final long SOON_MILLIS = 10_000;

    @TempDir
    private Path directory;

    private final List<Connection> connections = new ArrayList<>();
    private RunningBroker broker;

    @BeforeEach
    void start() throws Exception {
        broker = RunningBroker.start(directory, """
                queues:
                  - {name: full, max-messages: 1, hold: 30s}
                  - {name: soon, max-messages: 1, hold: 200ms}
                  - {name: free}
                """);
    }

    @AfterEach
    void nothingLeaks() throws Exception {
        for (Connection connection : connections) {
            connection.close();
        }
        broker.awaitNoUnsettled();
        broker.close();
    }

    private Session session(int mode) throws JMSException {
        Connection connection = new JmsConnectionFactory(broker.url()).createConnection();
        connections.add(connection);
        connection.start();
        return connection.createSession(mode);
    }

    private Session session() throws JMSException {
        return session(Session.AUTO_ACKNOWLEDGE);
    }

    private static void send(Session session, String queue, String text) throws JMSException {
        try (MessageProducer producer = session.createProducer(session.createQueue(queue))) {
            producer.send(session.createTextMessage(text));
        }
    }

    /** Sends on a thread of its own. */
    private CompletableFuture<Void> sending(Session session, String queue, String text) {
        return CompletableFuture.runAsync(() -> {
            try {
                send(session, queue, text);
            } catch (JMSException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private void awaitHeld(String queue, long messages) throws Exception {
        broker.await("millrace_queue_held\\{[^}]*queue=\"" + queue + "\"[^}]*}", value -> value == messages);
    }

    @Test
    void aSendToAFullQueueReturnsWhenAConsumerMakesRoom() throws Exception {
        send(session(), "full", "a");
        CompletableFuture<Void> sending = sending(session(), "full", "b");
        awaitHeld("full", 1);
        assertFalse(sending.isDone());
        Session receiving = session();
        MessageConsumer consumer = receiving.createConsumer(receiving.createQueue("full"));
        assertEquals("a", consumer.receive(SOON_MILLIS).getBody(String.class));

        sending.get(SOON_MILLIS, TimeUnit.MILLISECONDS);
        assertEquals("b", consumer.receive(SOON_MILLIS).getBody(String.class));
    }

    @Test
    void aSendToAQueueThatStaysFullThrowsWhenItsTimeIsOver() throws Exception {
        Session session = session();
        send(session, "soon", "a");

        assertThrows(ResourceAllocationException.class, () -> send(session, "soon", "b"));
        ResourceAllocationException again =
                assertThrows(ResourceAllocationException.class, () -> send(session, "soon", "c"));
        assertTrue(again.getMessage().contains("'soon'"), again.getMessage());
    }

    @Test
    void aProducerWithoutADestinationGoesOnWithOthersWhileOneIsFull() throws Exception {
        Session session = session();
        send(session, "full", "a");
        MessageProducer producer = session.createProducer(null);
        producer.setDeliveryMode(DeliveryMode.PERSISTENT);
        CompletableFuture<Void> held = new CompletableFuture<>();
        CompletionListener listener = new CompletionListener() {
            @Override
            public void onCompletion(Message message) {
                held.complete(null);
            }

            @Override
            public void onException(Message message, Exception exception) {
                held.completeExceptionally(exception);
            }
        };
        producer.send(session.createQueue("full"), session.createTextMessage("b"), listener);
        awaitHeld("full", 1);
        for (int i = 0; i < 2000; i++) {
            // The client tells of completions in the order of the sends, so of none of these yet.
            producer.send(session.createQueue("free"), session.createTextMessage("x"), listener);
        }
        broker.awaitMessages("free", 2000);
        assertFalse(held.isDone());
        Session receiving = session();
        MessageConsumer consumer = receiving.createConsumer(receiving.createQueue("full"));
        assertEquals("a", consumer.receive(SOON_MILLIS).getBody(String.class));

        held.get(SOON_MILLIS, TimeUnit.MILLISECONDS);
        assertEquals("b", consumer.receive(SOON_MILLIS).getBody(String.class));
    }

    @Test
    void whoHasLargeMessagesHeldCanStillAcknowledgeOnTheSameConnection() throws Exception {
        Connection connection = new JmsConnectionFactory(broker.url()).createConnection();
        connections.add(connection);
        connection.start();
        Session receiving = connection.createSession(Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = receiving.createConsumer(receiving.createQueue("full"));
        int count = 8;
        List<CompletableFuture<Void>> sent = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            sent.add(CompletableFuture.runAsync(() -> {
                try {
                    Session own = connection.createSession(Session.AUTO_ACKNOWLEDGE);
                    own.createProducer(own.createQueue("full")).send(own.createObjectMessage(new byte[700_000]));
                } catch (JMSException e) {
                    throw new IllegalStateException(e);
                }
            }));
        }
        for (int i = 0; i < count; i++) {
            Message message = consumer.receive(SOON_MILLIS);
            assertTrue(message != null, "only " + i + " came");
            message.acknowledge();
        }
        for (CompletableFuture<Void> each : sent) {
            each.get(SOON_MILLIS, TimeUnit.MILLISECONDS);
        }
    }

    @Test
    void producersGoOnByThemselvesWhenAFullStoreHasBeenDrained() throws Exception {
        broker.close();
        broker = RunningBroker.startWithStoreOf(directory, "1MiB", "queue-defaults: {hold: 40s}\n");
        Session session = session();
        int sent = 0;
        CompletableFuture<Void> last = CompletableFuture.completedFuture(null);
        while (last.isDone() && sent < 1000) {
            last = sending(session, "deep", "x".repeat(50_000));
            sent++;
            CompletableFuture.anyOf(
                            last,
                            CompletableFuture.runAsync(
                                    () -> {}, CompletableFuture.delayedExecutor(1500, TimeUnit.MILLISECONDS)))
                    .get();
        }
        assertTrue(sent < 1000, "the store never gets full");
        Session receiving = session();
        MessageConsumer consumer = receiving.createConsumer(receiving.createQueue("deep"));
        for (int i = 0; i < sent; i++) {
            assertTrue(consumer.receive(30_000) != null, "only " + i + " of " + sent + " came");
        }
        last.get(SOON_MILLIS, TimeUnit.MILLISECONDS);
    }
}
