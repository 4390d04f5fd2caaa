package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.ConfigFile;
import jakarta.jms.BytesMessage;
import jakarta.jms.Connection;
import jakarta.jms.Destination;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import jakarta.jms.Topic;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Messages that are larger than the memory for messages, through a whole broker. */
class LargeMessagesTest {
    private static final String MEMORY = "millrace_memory_used_bytes";
    private static final String STORE = "millrace_journal_bytes";
    private static final int MIB = 1 << 20;

    @TempDir
    private Path directory;

    private final List<AutoCloseable> open = new ArrayList<>();

    @AfterEach
    void closeAll() throws Exception {
        for (int i = open.size() - 1; i >= 0; i--) {
            open.get(i).close();
        }
    }

    private <T extends AutoCloseable> T closing(T what) {
        open.add(what);
        return what;
    }

    /** Of a broker that takes no port that another could have. */
    private String config(String store, String limits) {
        return """
                listeners:
                  - {name: amqp, host: 127.0.0.1, port: 0}
                http: off
                store: {directory: "%s"%s}
                """.formatted(directory.resolve(store).toAbsolutePath(), limits);
    }

    private RunningBroker broker(String yaml) throws Exception {
        return closing(RunningBroker.start(directory, yaml));
    }

    private StreamingClient client(int port) throws Exception {
        return closing(new StreamingClient(port));
    }

    private static long send(int port, boolean durable, long bytes) throws Exception {
        try (StreamingClient sender = new StreamingClient(port).attachSender("large")) {
            long sum = sender.send(durable, bytes, bytes);
            assertInstanceOf(Accepted.class, sender.outcome());
            return sum;
        }
    }

    private static void assertReceived(int port, String queue, long bytes, long sum) throws Exception {
        try (StreamingClient receiver = new StreamingClient(port).attachReceiver(queue, 1)) {
            assertEquals(sum, receiver.receive(bytes, bytes));
            receiver.settle(Accepted.getInstance());
        }
    }

    /** Nothing of a large message is in the store when this returns; some commits give occasions to give space back. */
    private void assertNothingLeft(RunningBroker broker, long below) throws Exception {
        broker.await(MEMORY, used -> used == 0);
        StreamingClient sender = client(broker.port()).attachSender("small");
        for (int i = 0; i < 100; i++) {
            sender.send(true, 100, 100);
            assertInstanceOf(Accepted.class, sender.outcome());
        }
        broker.await(STORE, bytes -> bytes < below);
    }

    @Nested
    class OneMessage {
        @Test
        void passesWithNextToNoMemory() throws Exception {
            RunningBroker broker = broker("memory: 8MiB\n");
            for (boolean durable : new boolean[] {true, false}) {
                long sum = send(broker.port(), durable, 32 * MIB);
                long used = broker.figure(MEMORY);
                assertTrue(used < MIB, () -> used + " bytes of memory for a message that waits");
                assertReceived(broker.port(), "large", 32 * MIB, sum);
                broker.awaitMessages("large", 0);
                broker.awaitNoUnsettled();
            }
            assertNothingLeft(broker, 20 * MIB);
        }

        @Test
        void waitsThroughARestart() throws Exception {
            RunningBroker broker = broker("");
            long sum = send(broker.port(), true, 6 * MIB);
            send(broker.port(), false, 6 * MIB);
            broker.restart();
            broker.awaitMessages("large", 1);
            assertReceived(broker.port(), "large", 6 * MIB, sum);
            broker.awaitMessages("large", 0);
        }

        @Test
        void comesAgainWholeWhenItsConsumerWentInTheMiddle() throws Exception {
            RunningBroker broker = broker("");
            long sum = send(broker.port(), true, 24 * MIB);
            StreamingClient first = client(broker.port()).attachReceiver("large", 1);
            first.receive(24 * MIB, 3 * MIB);
            first.vanish();
            broker.awaitNoUnsettled();
            assertReceived(broker.port(), "large", 24 * MIB, sum);
            broker.awaitMessages("large", 0);
            broker.await(MEMORY, used -> used == 0);
        }

        @Test
        void isDeadLetteredWithItsBody() throws Exception {
            RunningBroker broker = broker("");
            long sum = send(broker.port(), true, 6 * MIB);
            try (StreamingClient receiver = new StreamingClient(broker.port()).attachReceiver("large", 1)) {
                receiver.receive(6 * MIB, 6 * MIB);
                receiver.settle(new Rejected());
            }
            broker.awaitMessages("large.dlq", 1);
            broker.restart();
            assertReceived(broker.port(), "large.dlq", 6 * MIB, sum);
            broker.awaitMessages("large.dlq", 0);
        }
    }

    @Nested
    class AMessageThatDoesNotComeToItsEnd {
        @Test
        void leavesNothingBehind() throws Exception {
            RunningBroker broker = broker("");
            StreamingClient aborting = client(broker.port()).attachSender("large");
            aborting.send(true, 64 * MIB, 24 * MIB);
            aborting.abort();
            StreamingClient vanishing = client(broker.port()).attachSender("large");
            vanishing.send(true, 64 * MIB, 24 * MIB);
            vanishing.vanish();
            assertNothingLeft(broker, 20 * MIB);
            broker.awaitMessages("large", 0);
        }

        @Test
        void leavesNothingBehindWhenTheBrokerIsKilled() throws Exception {
            Path file = directory.resolve("killed.yaml");
            Files.writeString(file, config("data", ""));
            Millraced millraced =
                    new Millraced(directory, "--config", file.toAbsolutePath().toString());
            int port = millraced.port();
            long sum = send(port, true, 6 * MIB);
            StreamingClient sender = client(port).attachSender("large");
            sender.send(true, 64 * MIB, 32 * MIB);
            millraced.kill();
            RunningBroker broker = broker("");
            broker.awaitMessages("large", 1);
            assertReceived(broker.port(), "large", 6 * MIB, sum);
            assertNothingLeft(broker, 20 * MIB);
        }

        @Test
        void isRefusedWhenTheStoreIsFull() throws Exception {
            String yaml = config("full", ", max-bytes: 32MiB");
            Millrace millrace = closing(Millrace.start(ConfigFile.parse("test", yaml, name -> Optional.empty())));
            StreamingClient sender = client(millrace.port()).attachSender("large");
            sender.send(true, 96 * MIB, 96 * MIB);
            Rejected rejected = assertInstanceOf(Rejected.class, sender.outcome());
            assertEquals(
                    "amqp:resource-limit-exceeded",
                    rejected.getError().getCondition().toString());
            assertTrue(
                    rejected.getError().getDescription().contains("max-bytes"),
                    rejected.getError().getDescription());
        }
    }

    @Nested
    class ManyMessages {
        @Test
        void passAtOnceWithLittleMemory() throws Exception {
            passAtOnce(20, 4 * MIB);
        }

        @Test
        @Tag("fuzz")
        void ofALargerSizePassAtOnceWithLittleMemory() throws Exception {
            passAtOnce(20, 16 * MIB);
        }

        private void passAtOnce(int links, long bytes) throws Exception {
            RunningBroker broker = broker("memory: 16MiB\n");
            CyclicBarrier start = new CyclicBarrier(links);
            ExecutorService threads = Executors.newFixedThreadPool(links);
            open.add(threads::shutdownNow);
            List<Future<Long>> sums = new ArrayList<>();
            for (int i = 0; i < links; i++) {
                String queue = "large" + i;
                sums.add(threads.submit((Callable<Long>) () -> {
                    try (StreamingClient sender = new StreamingClient(broker.port())) {
                        sender.attachSender(queue);
                        start.await(20, TimeUnit.SECONDS);
                        long sum = sender.send(true, bytes, bytes);
                        assertInstanceOf(Accepted.class, sender.outcome());
                        return sum;
                    }
                }));
            }
            long most = 0;
            for (Future<Long> sum : sums) {
                while (!sum.isDone()) {
                    most = Math.max(most, broker.figure(MEMORY));
                }
                sum.get(60, TimeUnit.SECONDS);
            }
            List<Future<Long>> got = new ArrayList<>();
            for (int i = 0; i < links; i++) {
                String queue = "large" + i;
                got.add(threads.submit((Callable<Long>) () -> {
                    try (StreamingClient receiver = new StreamingClient(broker.port())) {
                        receiver.attachReceiver(queue, 1);
                        long sum = receiver.receive(bytes, bytes);
                        receiver.settle(Accepted.getInstance());
                        broker.awaitMessages(queue, 0);
                        return sum;
                    }
                }));
            }
            for (int i = 0; i < links; i++) {
                while (!got.get(i).isDone()) {
                    most = Math.max(most, broker.figure(MEMORY));
                }
                assertEquals(sums.get(i).get(), got.get(i).get(60, TimeUnit.SECONDS));
            }
            long used = most;
            assertTrue(used < 40 * MIB, () -> used + " bytes of memory");
            assertNothingLeft(broker, 24 * MIB);
        }
    }

    @Nested
    class WithJms {
        /** Within the first window of a session: beyond it Qpid JMS may leave its last bytes unflushed until a heartbeat. */
        private final byte[] content = new byte[2 * MIB];

        private Session session(RunningBroker broker, int mode) throws Exception {
            new Random(9).nextBytes(content);
            Connection connection = closing(new JmsConnectionFactory(broker.url()).createConnection());
            connection.setClientID("client" + open.size());
            connection.start();
            return connection.createSession(mode);
        }

        private void send(Session session, Destination to) throws Exception {
            BytesMessage message = session.createBytesMessage();
            message.writeBytes(content);
            message.setStringProperty("kind", "large");
            try (MessageProducer producer = session.createProducer(to)) {
                producer.send(message);
            }
        }

        private void assertIsIt(Message message) throws Exception {
            BytesMessage received = assertInstanceOf(BytesMessage.class, message);
            byte[] got = new byte[(int) received.getBodyLength()];
            received.readBytes(got);
            assertArrayEquals(content, got);
        }

        @Test
        void subscriptionsOfATopicHaveOneBody() throws Exception {
            RunningBroker broker = broker("");
            Session session = session(broker, Session.SESSION_TRANSACTED);
            Topic topic = session.createTopic("news");
            Session other = session(broker, Session.AUTO_ACKNOWLEDGE);
            MessageConsumer volatileOne = other.createConsumer(topic);
            MessageConsumer durable = other.createDurableConsumer(topic, "durable", "kind = 'large'", false);
            MessageConsumer none = other.createDurableConsumer(topic, "none", "kind = 'small'", false);
            send(session, topic);
            session.commit();
            assertIsIt(volatileOne.receive(10_000));
            assertIsIt(durable.receive(10_000));
            assertNull(none.receiveNoWait());
            broker.awaitNoUnsettled();
            assertNothingLeft(broker, 20 * MIB);
        }

        @Test
        void rolledBackItComesAgainOrLeavesNothing() throws Exception {
            RunningBroker broker = broker("");
            Session session = session(broker, Session.SESSION_TRANSACTED);
            Queue queue = session.createQueue("large");
            send(session, queue);
            session.rollback();
            broker.awaitMessages("large", 0);
            send(session, queue);
            session.commit();
            MessageConsumer consumer = session.createConsumer(queue);
            assertIsIt(consumer.receive(10_000));
            session.rollback();
            Message again = consumer.receive(10_000);
            assertTrue(again.getJMSRedelivered());
            assertIsIt(again);
            session.commit();
            broker.awaitMessages("large", 0);
            assertNothingLeft(broker, 20 * MIB);
        }

        @Test
        void aBrowserSeesItAndItStays() throws Exception {
            RunningBroker broker = broker("");
            Session session = session(broker, Session.AUTO_ACKNOWLEDGE);
            Queue queue = session.createQueue("large");
            send(session, queue);
            send(session, queue);
            try (QueueBrowser browser = session.createBrowser(queue)) {
                Enumeration<?> seen = browser.getEnumeration();
                assertIsIt((Message) seen.nextElement());
                assertIsIt((Message) seen.nextElement());
                assertFalse(seen.hasMoreElements());
            }
            broker.awaitMessages("large", 2);
        }
    }

    @Nested
    class AMessageLargerThanTheHeapOfTheBroker {
        @Test
        void passes() throws Exception {
            passes(300L * MIB);
        }

        @Test
        @Tag("fuzz")
        void passesWhenItIsAsLargeAsTheDefaultAllows() throws Exception {
            passes(1023L * MIB);
        }

        private void passes(long bytes) throws Exception {
            Path file = directory.resolve("small.yaml");
            Files.writeString(file, config("data", ""));
            Millraced millraced =
                    new Millraced(directory, "--config", file.toAbsolutePath().toString());
            open.add(millraced::kill);
            int port = millraced.port();
            long sum = send(port, true, bytes);
            assertReceived(port, "large", bytes, sum);
        }
    }
}
