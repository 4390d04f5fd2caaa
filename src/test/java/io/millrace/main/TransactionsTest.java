package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import jakarta.jms.TransactionRolledBackException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Transactions of an unmodified Qpid JMS client, over the whole broker with two event loops. */
@Timeout(60)
class TransactionsTest {
    private static final long SOON_MILLIS = 10_000;
    private static final long NOTHING_MILLIS = 200;
    private static final long LONGER_THAN_THE_TIMEOUT_MILLIS = 3500;

    @TempDir
    private Path directory;

    private final List<Connection> connections = new ArrayList<>();

    private Connection connect(String url) throws JMSException {
        Connection connection = new JmsConnectionFactory(url).createConnection();
        connections.add(connection);
        connection.start();
        return connection;
    }

    private static void send(Session session, String queue, String... texts) throws JMSException {
        try (MessageProducer producer = session.createProducer(session.createQueue(queue))) {
            for (String text : texts) {
                producer.send(session.createTextMessage(text));
            }
        }
    }

    private static String text(Message message) throws JMSException {
        return message == null ? "nothing" : ((TextMessage) message).getText();
    }

    private static MessageConsumer consumer(Session session, String queue) throws JMSException {
        return session.createConsumer(session.createQueue(queue));
    }

    private static List<String> receive(MessageConsumer consumer, int count) throws JMSException {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            texts.add(text(consumer.receive(SOON_MILLIS)));
        }
        return texts;
    }

    /** All that is in a queue, taken out of it. */
    private static List<String> drain(Session session, String queue) throws JMSException {
        List<String> texts = new ArrayList<>();
        try (MessageConsumer consumer = consumer(session, queue)) {
            for (Message next = consumer.receive(NOTHING_MILLIS); next != null; next = consumer.receiveNoWait()) {
                texts.add(text(next));
            }
        }
        return texts;
    }

    @Nested
    class WithinOneProcess {
        private RunningBroker broker;
        private Session session;
        private Session other;

        @BeforeEach
        void start() throws Exception {
            broker = RunningBroker.start(directory, """
                    connection: {transaction-timeout: 3s}
                    queues:
                      - {name: orders, max-deliveries: 3}
                      - {name: small, max-messages: 2}
                    """);
            session = connect(broker.url()).createSession(Session.SESSION_TRANSACTED);
            other = connect(broker.url()).createSession(Session.AUTO_ACKNOWLEDGE);
        }

        @AfterEach
        void nothingLeaks() throws Exception {
            for (Connection connection : connections) {
                connection.close();
            }
            broker.awaitNoUnsettled();
            broker.close();
        }

        @Test
        void whatIsSentIsSeenAfterTheCommit() throws Exception {
            MessageConsumer waiting = consumer(other, "orders");
            send(session, "orders", "a", "b");
            assertNull(waiting.receive(NOTHING_MILLIS));
            session.commit();

            assertEquals(List.of("a", "b"), receive(waiting, 2));
        }

        @Test
        void whatIsSentIsGoneAfterRollback() throws Exception {
            send(session, "orders", "a");
            session.rollback();
            send(session, "orders", "b");
            session.commit();

            assertEquals(List.of("b"), drain(other, "orders"));
        }

        @Test
        void manyDestinationsAreOneTransaction() throws Exception {
            send(other, "in", "request");
            MessageConsumer consumer = consumer(session, "in");
            assertEquals(List.of("request"), receive(consumer, 1));
            for (int i = 0; i < 8; i++) {
                send(session, "out" + i, "reply");
            }
            assertEquals(List.of(), drain(other, "out0"));
            assertEquals(List.of(), drain(other, "out7"));
            session.commit();

            for (int i = 0; i < 8; i++) {
                assertEquals(List.of("reply"), drain(other, "out" + i));
            }
            broker.awaitMessages("in", 0);
        }

        @Test
        void subscribersOfATopicSeeWhatWasCommitted() throws Exception {
            MessageConsumer first = other.createConsumer(other.createTopic("news"));
            MessageConsumer second = session.createConsumer(session.createTopic("news"));
            try (MessageProducer producer = session.createProducer(session.createTopic("news"))) {
                producer.send(session.createTextMessage("never"));
                session.rollback();
                producer.send(session.createTextMessage("a"));
                assertNull(first.receive(NOTHING_MILLIS));
                session.commit();
            }
            assertEquals(List.of("a"), receive(first, 1));
            assertEquals(List.of("a"), receive(second, 1));
            session.rollback();
            assertEquals(List.of("a"), receive(second, 1));
            session.commit();
        }

        @Test
        void anonymousProducersTakePartToo() throws Exception {
            try (MessageProducer producer = session.createProducer(null)) {
                producer.send(session.createQueue("new1"), session.createTextMessage("a"));
                producer.send(session.createQueue("new2"), session.createTextMessage("b"));
            }
            session.commit();

            assertEquals(List.of("a"), drain(other, "new1"));
            assertEquals(List.of("b"), drain(other, "new2"));
        }

        @Test
        void rollbackRedeliversInOrderBeforeNewerMessagesWithTheCountRaised() throws Exception {
            send(other, "orders", "a", "b", "c", "d");
            MessageConsumer consumer = consumer(session, "orders");
            assertEquals(List.of("a", "b"), receive(consumer, 2));
            send(other, "orders", "e");
            session.rollback();

            Message first = consumer.receive(SOON_MILLIS);
            assertEquals("a", text(first));
            assertTrue(first.getJMSRedelivered());
            assertEquals(2, first.getIntProperty("JMSXDeliveryCount"));
            assertEquals(List.of("b"), receive(consumer, 1));
            Message unseen = consumer.receive(SOON_MILLIS);
            assertEquals("c", text(unseen));
            assertFalse(unseen.getJMSRedelivered());
            assertEquals(List.of("d", "e"), receive(consumer, 2));
            session.commit();
            broker.awaitMessages("orders", 0);
        }

        @Test
        void tooManyRollbacksMoveAMessageToTheDeadLetterQueue() throws Exception {
            send(other, "orders", "poison", "b");
            MessageConsumer consumer = consumer(session, "orders");
            for (int i = 0; i < 3; i++) {
                assertEquals(List.of("poison"), receive(consumer, 1));
                session.rollback();
            }

            assertEquals(List.of("b"), receive(consumer, 1));
            session.commit();
            assertEquals(List.of("poison"), drain(other, "orders.dlq"));
        }

        @Test
        void aConsumerMayBeClosedBeforeTheCommit() throws Exception {
            send(other, "orders", "a", "b");
            MessageConsumer consumer = consumer(session, "orders");
            assertEquals(List.of("a"), receive(consumer, 1));
            consumer.close();
            assertEquals(List.of("b"), drain(other, "orders"));
            session.commit();

            broker.awaitMessages("orders", 0);
        }

        @Test
        void aConsumerMayBeClosedBeforeTheRollback() throws Exception {
            send(other, "orders", "a");
            MessageConsumer consumer = consumer(session, "orders");
            assertEquals(List.of("a"), receive(consumer, 1));
            consumer.close();
            session.rollback();

            Message again = consumer(other, "orders").receive(SOON_MILLIS);
            assertEquals("a", text(again));
            assertTrue(again.getJMSRedelivered());
        }

        @Test
        void theCloseOfASessionRollsBack() throws Exception {
            send(other, "orders", "a");
            assertEquals(List.of("a"), receive(consumer(session, "orders"), 1));
            send(session, "replies", "b");
            session.close();

            assertEquals(List.of("a"), drain(other, "orders"));
            assertEquals(List.of(), drain(other, "replies"));
        }

        @Test
        void theLossOfAConnectionRollsBack() throws Exception {
            send(other, "orders", "a");
            CutProxy proxy = new CutProxy(broker.port());
            Session cut = connect("amqp://127.0.0.1:" + proxy.port()).createSession(Session.SESSION_TRANSACTED);
            assertEquals(List.of("a"), receive(consumer(cut, "orders"), 1));
            send(cut, "replies", "b");
            proxy.cut();

            Message again = consumer(other, "orders").receive(SOON_MILLIS);
            assertEquals("a", text(again));
            assertEquals(2, again.getIntProperty("JMSXDeliveryCount"));
            assertEquals(List.of(), drain(other, "replies"));
            proxy.close();
        }

        @Test
        void aMessageThatIsRefusedRollsBackTheCommitAndSaysWhy() throws Exception {
            send(other, "orders", "a");
            assertEquals(List.of("a"), receive(consumer(session, "orders"), 1));
            send(session, "small", "1", "2", "3");
            TransactionRolledBackException refusal =
                    assertThrows(TransactionRolledBackException.class, session::commit);
            assertTrue(refusal.getMessage().contains("it holds 2 messages, its max-messages"), refusal::getMessage);
            assertEquals(List.of(), drain(other, "small"));

            send(session, "small", "4");
            session.commit();
            assertEquals(List.of("4"), drain(other, "small"));
        }

        @Test
        void aTransactionInWhichNothingHappensForTooLongIsRolledBack() throws Exception {
            send(other, "orders", "a");
            MessageConsumer consumer = consumer(session, "orders");
            assertEquals(List.of("a"), receive(consumer, 1));
            consumer.close();
            assertEquals(List.of("a"), receive(consumer(other, "orders"), 1));
            TransactionRolledBackException refusal =
                    assertThrows(TransactionRolledBackException.class, session::commit);

            assertTrue(refusal.getMessage().contains("transaction-timeout"), refusal::getMessage);
        }

        @Test
        void aSessionThatDoesNothingForLongCommitsWhatComesThen() throws Exception {
            send(session, "orders", "a");
            session.commit();
            assertEquals(List.of("a"), drain(other, "orders"));
            MessageConsumer waiting = consumer(other, "orders");
            assertNull(waiting.receive(LONGER_THAN_THE_TIMEOUT_MILLIS));
            send(session, "orders", "b");
            session.commit();

            assertEquals(List.of("b"), receive(waiting, 1));
        }

        @Test
        void manySessionsCommitAtOnce() throws Exception {
            int sessions = 6;
            int transactions = 20;
            List<CompletableFuture<Void>> running = new ArrayList<>();
            for (int i = 0; i < sessions; i++) {
                Session own = connect(broker.url()).createSession(Session.SESSION_TRANSACTED);
                running.add(CompletableFuture.runAsync(() -> commitMany(own, transactions)));
            }
            for (CompletableFuture<Void> each : running) {
                each.join();
            }

            broker.awaitMessages("both", 2L * sessions * transactions);
            broker.awaitMessages("orders", (long) sessions * transactions);
        }

        private void commitMany(Session own, int transactions) {
            try {
                for (int i = 0; i < transactions; i++) {
                    send(own, "both", "1", "2");
                    send(own, "orders", "3");
                    own.commit();
                    send(own, "both", "never");
                    own.rollback();
                }
            } catch (JMSException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Nested
    class WhenTheProcessIsKilled {
        private final List<Millraced> processes = new ArrayList<>();

        private Millraced run(Path config) throws Exception {
            Millraced process = new Millraced(directory, "--config", config.toString());
            processes.add(process);
            return process;
        }

        @AfterEach
        void killAll() throws Exception {
            for (Millraced process : processes) {
                process.kill();
            }
        }

        @Test
        void eachTransactionIsThereWholeOrNotAtAll() throws Exception {
            Path config = directory.toAbsolutePath().resolve("millrace.yaml");
            Files.writeString(config, """
                    listeners: [{name: amqp, host: 127.0.0.1, port: 0, anonymous: true}]
                    http: off
                    event-loops: 2
                    store: {directory: "%s"}
                    """.formatted(config.resolveSibling("data")));
            Millraced first = run(config);
            String url = "amqp://127.0.0.1:" + first.port();
            Connection connection = connect(url);
            Session feeder = connection.createSession();
            for (int i = 0; i < 500; i++) {
                send(feeder, "in", "m" + i);
            }
            Session worker = connection.createSession(Session.SESSION_TRANSACTED);
            CompletableFuture<Integer> committed = CompletableFuture.supplyAsync(() -> work(worker));
            MessageConsumer watch = consumer(connect(url).createSession(), "watched");
            assertEquals("go", text(watch.receive(SOON_MILLIS)));
            first.kill();
            int told = committed.join();

            Millraced second = run(config);
            Session after = connect("amqp://127.0.0.1:" + second.port()).createSession();
            List<String> in = drain(after, "in");
            List<String> left = drain(after, "left");
            List<String> right = drain(after, "right");

            assertEquals(left, right);
            assertEquals(500, in.size() + left.size());
            assertTrue(left.size() >= told, () -> left.size() + " are there of " + told + " that were committed");
            List<String> all = new ArrayList<>(left);
            all.addAll(in);
            for (int i = 0; i < 500; i++) {
                assertEquals("m" + i, all.get(i));
            }
        }

        /** Moves messages from one queue to two, one by one, until the broker is gone; tells how many it knows to be moved. */
        private int work(Session worker) {
            int committed = 0;
            try (MessageConsumer consumer = consumer(worker, "in")) {
                for (Message next = consumer.receive(SOON_MILLIS); next != null; next = consumer.receive(SOON_MILLIS)) {
                    send(worker, "left", text(next));
                    send(worker, "right", text(next));
                    if (committed == 40) {
                        send(worker, "watched", "go");
                    }
                    worker.commit();
                    committed++;
                }
            } catch (JMSException e) {
                return committed;
            }
            return committed;
        }
    }
}
