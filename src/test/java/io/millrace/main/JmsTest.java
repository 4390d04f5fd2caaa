package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.BytesMessage;
import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.Destination;
import jakarta.jms.InvalidClientIDException;
import jakarta.jms.JMSException;
import jakarta.jms.JMSSecurityException;
import jakarta.jms.MapMessage;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.ObjectMessage;
import jakarta.jms.Queue;
import jakarta.jms.QueueBrowser;
import jakarta.jms.ResourceAllocationException;
import jakarta.jms.Session;
import jakarta.jms.StreamMessage;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TextMessage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The whole broker, through sockets, by an unmodified Qpid JMS client. */
@Timeout(60)
class JmsTest {
    private static final long SOON_MILLIS = 10_000;
    private static final long NOTHING_MILLIS = 200;
    private static final int REJECTED = 2;
    private static final int MODIFIED_FAILED = 4;
    private static final int MODIFIED_FAILED_UNDELIVERABLE = 5;

    @TempDir
    private Path directory;

    private RunningBroker broker;
    private final List<Connection> connections = new ArrayList<>();

    @BeforeEach
    void start() throws Exception {
        broker = RunningBroker.start(directory, """
                queues:
                  - name: orders
                    max-deliveries: 3
                  - name: small
                    max-messages: 2
                    hold: 200ms
                  - name: ring
                    max-messages: 2
                    when-full: drop-oldest
                  - name: careless
                    dead-letter: off
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

    private Connection connect(String options) throws JMSException {
        Connection connection = new JmsConnectionFactory(broker.url() + options).createConnection();
        connections.add(connection);
        connection.start();
        return connection;
    }

    private Session session() throws JMSException {
        return session(Session.AUTO_ACKNOWLEDGE);
    }

    private Session session(int mode) throws JMSException {
        return connect("").createSession(mode);
    }

    private static void send(Session session, String queue, String... texts) throws JMSException {
        try (MessageProducer producer = session.createProducer(session.createQueue(queue))) {
            for (String text : texts) {
                producer.send(session.createTextMessage(text));
            }
        }
    }

    private static String text(Message message) throws JMSException {
        return assertInstanceOf(TextMessage.class, message).getText();
    }

    @Nested
    class Sending {
        @Test
        void aMessageThatIsSentIsReceivedAsItWas() throws Exception {
            Session session = session();
            TextMessage sent = session.createTextMessage("3 apples");
            sent.setStringProperty("customer", "Ada");
            sent.setIntProperty("amount", 3);
            sent.setJMSCorrelationID("order-1");
            sent.setJMSType("order");
            try (MessageProducer producer = session.createProducer(session.createQueue("orders"))) {
                producer.setPriority(7);
                producer.send(sent);
            }
            Message received =
                    session.createConsumer(session.createQueue("orders")).receive(SOON_MILLIS);
            assertEquals("3 apples", text(received));
            assertEquals("Ada", received.getStringProperty("customer"));
            assertEquals(3, received.getIntProperty("amount"));
            assertEquals("order-1", received.getJMSCorrelationID());
            assertEquals("order", received.getJMSType());
            assertEquals(7, received.getJMSPriority());
            assertEquals(DeliveryMode.PERSISTENT, received.getJMSDeliveryMode());
            assertEquals(sent.getJMSMessageID(), received.getJMSMessageID());
            assertFalse(received.getJMSRedelivered());
            assertEquals(1, received.getIntProperty("JMSXDeliveryCount"));
        }

        @Test
        void everyKindOfMessageGoesThrough() throws Exception {
            Session session = session();
            Queue queue = session.createQueue("kinds");
            MessageProducer producer = session.createProducer(queue);
            BytesMessage bytes = session.createBytesMessage();
            bytes.writeBytes(new byte[] {1, 2, 3});
            producer.send(bytes);
            MapMessage map = session.createMapMessage();
            map.setLong("long", Long.MIN_VALUE);
            producer.send(map);
            StreamMessage stream = session.createStreamMessage();
            stream.writeDouble(Math.PI);
            producer.send(stream);
            ObjectMessage object = session.createObjectMessage("an object");
            producer.send(object);
            producer.send(session.createMessage());

            MessageConsumer consumer = session.createConsumer(queue);
            BytesMessage bytesBack = (BytesMessage) consumer.receive(SOON_MILLIS);
            byte[] content = new byte[(int) bytesBack.getBodyLength()];
            bytesBack.readBytes(content);
            assertArrayEquals(new byte[] {1, 2, 3}, content);
            assertEquals(Long.MIN_VALUE, ((MapMessage) consumer.receive(SOON_MILLIS)).getLong("long"));
            assertEquals(Math.PI, ((StreamMessage) consumer.receive(SOON_MILLIS)).readDouble());
            assertEquals("an object", ((ObjectMessage) consumer.receive(SOON_MILLIS)).getObject());
            assertNotNull(consumer.receive(SOON_MILLIS));
        }

        @Test
        void aMessageOfManyFramesArrivesWhole() throws Exception {
            byte[] body = new byte[3_000_001];
            new Random(7).nextBytes(body);
            Session session = session();
            Queue queue = session.createQueue("large");
            BytesMessage sent = session.createBytesMessage();
            sent.writeBytes(body);
            session.createProducer(queue).send(sent);
            broker.restart();
            Session after = session();
            BytesMessage received = (BytesMessage)
                    after.createConsumer(after.createQueue("large")).receive(SOON_MILLIS);
            byte[] back = new byte[(int) received.getBodyLength()];
            received.readBytes(back);
            assertArrayEquals(body, back);
        }

        /** Qpid JMS keeps the last part of a burst that is cut off by a session window, until its next heartbeat. */
        @Test
        void aLargeMessageNeedsNoHeartbeatToGetHere() throws Exception {
            Session session = session();
            MessageProducer producer = session.createProducer(session.createQueue("orders"));
            MessageConsumer consumer = session.createConsumer(session.createQueue("orders"));
            long start = System.nanoTime();
            for (int megabytes = 3; megabytes < 12; megabytes += 2) {
                BytesMessage large = session.createBytesMessage();
                large.writeBytes(new byte[megabytes << 20]);
                producer.send(large);
                BytesMessage received = (BytesMessage) consumer.receive(SOON_MILLIS);
                assertEquals(megabytes << 20, received.getBodyLength());
            }
            assertTrue(System.nanoTime() - start < 15_000_000_000L, "it took as long as a heartbeat");
        }

        @Test
        void anAnonymousProducerReachesEveryQueue() throws Exception {
            Session session = session();
            MessageProducer producer = session.createProducer(null);
            for (int i = 0; i < 20; i++) {
                producer.send(session.createQueue("anonymous." + i % 4), session.createTextMessage("" + i));
            }
            for (int queue = 0; queue < 4; queue++) {
                MessageConsumer consumer = session.createConsumer(session.createQueue("anonymous." + queue));
                for (int i = queue; i < 20; i += 4) {
                    assertEquals("" + i, text(consumer.receive(SOON_MILLIS)));
                }
            }
        }
    }

    @Nested
    class Receiving {
        @Test
        void anEmptyQueueAnswersReceiveWithATimeOutAndReceiveNoWait() throws Exception {
            Session session = session();
            MessageConsumer consumer = session.createConsumer(session.createQueue("empty"));
            assertNull(consumer.receive(NOTHING_MILLIS));
            assertNull(consumer.receiveNoWait());
            send(session, "empty", "here");
            assertEquals("here", text(consumer.receive(SOON_MILLIS)));
            assertNull(consumer.receiveNoWait());
        }

        @Test
        void withoutPrefetchEachReceiveGetsTheNextMessage() throws Exception {
            Session session = connect("?jms.prefetchPolicy.all=0").createSession(Session.AUTO_ACKNOWLEDGE);
            send(session, "orders", "1", "2", "3");
            MessageConsumer consumer = session.createConsumer(session.createQueue("orders"));
            assertEquals("1", text(consumer.receive(SOON_MILLIS)));
            assertEquals("2", text(consumer.receiveNoWait()));
            assertEquals("3", text(consumer.receive(SOON_MILLIS)));
            assertNull(consumer.receiveNoWait());
        }

        @Test
        void aListenerGetsEverythingInOrder() throws Exception {
            int count = 5_000;
            Session consuming = session();
            List<String> received = Collections.synchronizedList(new ArrayList<>());
            CountDownLatch all = new CountDownLatch(count);
            consuming.createConsumer(consuming.createQueue("orders")).setMessageListener(message -> {
                try {
                    received.add(text(message));
                } catch (JMSException e) {
                    throw new IllegalStateException(e);
                }
                all.countDown();
            });
            Session producing = connect("?jms.forceAsyncSend=true").createSession(Session.AUTO_ACKNOWLEDGE);
            List<String> sent = new ArrayList<>();
            MessageProducer producer = producing.createProducer(producing.createQueue("orders"));
            for (int i = 0; i < count; i++) {
                sent.add("" + i);
                producer.send(producing.createTextMessage("" + i));
            }
            assertTrue(all.await(30, TimeUnit.SECONDS), () -> "only " + received.size() + " of " + count);
            assertEquals(sent, received);
        }

        @Test
        void consumersShareAQueue() throws Exception {
            AtomicInteger first = new AtomicInteger();
            AtomicInteger second = new AtomicInteger();
            CountDownLatch all = new CountDownLatch(1_000);
            for (AtomicInteger counter : List.of(first, second)) {
                Session session = connect("?jms.prefetchPolicy.all=10").createSession(Session.AUTO_ACKNOWLEDGE);
                session.createConsumer(session.createQueue("shared")).setMessageListener(message -> {
                    counter.incrementAndGet();
                    all.countDown();
                });
            }
            Session session = session();
            MessageProducer producer = session.createProducer(session.createQueue("shared"));
            producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
            for (int i = 0; i < 1_000; i++) {
                producer.send(session.createTextMessage("" + i));
            }
            assertTrue(all.await(30, TimeUnit.SECONDS));
            assertTrue(first.get() > 200 && second.get() > 200, first + " and " + second);
        }

        @Test
        void aBrowserSeesEverythingAndTakesNothing() throws Exception {
            Session session = session();
            send(session, "orders", "1", "2", "3");
            for (int round = 0; round < 2; round++) {
                try (QueueBrowser browser = session.createBrowser(session.createQueue("orders"))) {
                    List<String> seen = new ArrayList<>();
                    for (Enumeration<?> e = browser.getEnumeration(); e.hasMoreElements(); ) {
                        seen.add(text((Message) e.nextElement()));
                    }
                    assertEquals(List.of("1", "2", "3"), seen);
                }
            }
            MessageConsumer consumer = session.createConsumer(session.createQueue("orders"));
            for (String expected : List.of("1", "2", "3")) {
                Message message = consumer.receive(SOON_MILLIS);
                assertEquals(expected, text(message));
                assertFalse(message.getJMSRedelivered());
            }
        }

        @Test
        void preSettledConsumersGetEachMessageOnce() throws Exception {
            Session session = connect("?jms.presettlePolicy.presettleAll=true").createSession(Session.AUTO_ACKNOWLEDGE);
            send(session, "orders", "1", "2");
            MessageConsumer consumer = session.createConsumer(session.createQueue("orders"));
            assertEquals("1", text(consumer.receive(SOON_MILLIS)));
            assertEquals("2", text(consumer.receive(SOON_MILLIS)));
            broker.awaitMessages("orders", 0);
        }
    }

    @Nested
    class Acknowledging {
        @Test
        void whatIsNotAcknowledgedComesBackInOrder() throws Exception {
            Session session = session(Session.CLIENT_ACKNOWLEDGE);
            send(session, "orders", "1", "2", "3");
            MessageConsumer consumer = session.createConsumer(session.createQueue("orders"));
            Message first = consumer.receive(SOON_MILLIS);
            first.acknowledge();
            assertEquals("2", text(consumer.receive(SOON_MILLIS)));
            session.close();

            Session later = session();
            MessageConsumer again = later.createConsumer(later.createQueue("orders"));
            Message second = again.receive(SOON_MILLIS);
            assertEquals("2", text(second));
            assertTrue(second.getJMSRedelivered());
            assertEquals(2, second.getIntProperty("JMSXDeliveryCount"));
            Message third = again.receive(SOON_MILLIS);
            assertEquals("3", text(third));
            assertEquals(1, third.getIntProperty("JMSXDeliveryCount"));
        }

        @Test
        void recoverRedeliversInOrder() throws Exception {
            Session session = session(Session.CLIENT_ACKNOWLEDGE);
            send(session, "orders", "1", "2");
            MessageConsumer consumer = session.createConsumer(session.createQueue("orders"));
            assertEquals("1", text(consumer.receive(SOON_MILLIS)));
            assertEquals("2", text(consumer.receive(SOON_MILLIS)));
            session.recover();
            Message again = consumer.receive(SOON_MILLIS);
            assertEquals("1", text(again));
            assertTrue(again.getJMSRedelivered());
            Message last = consumer.receive(SOON_MILLIS);
            assertEquals("2", text(last));
            last.acknowledge();
            broker.awaitMessages("orders", 0);
        }

        @Test
        void aRejectedMessageGoesToTheDeadLetterQueueAtOnce() throws Exception {
            Session session = session(Session.CLIENT_ACKNOWLEDGE);
            send(session, "orders", "poison");
            Message poison =
                    session.createConsumer(session.createQueue("orders")).receive(SOON_MILLIS);
            acknowledge(poison, REJECTED);
            Message dead =
                    session.createConsumer(session.createQueue("orders.dlq")).receive(SOON_MILLIS);
            assertEquals("poison", text(dead));
            assertEquals(poison.getJMSMessageID(), dead.getJMSMessageID());
            acknowledge(dead, 1);
            broker.awaitMessages("orders", 0);
        }

        @Test
        void aMessageThatFailsTooOftenGoesToTheDeadLetterQueue() throws Exception {
            Session session = session(Session.CLIENT_ACKNOWLEDGE);
            send(session, "orders", "poison");
            MessageConsumer consumer = session.createConsumer(session.createQueue("orders"));
            for (int attempt = 1; attempt <= 3; attempt++) {
                Message poison = consumer.receive(SOON_MILLIS);
                assertEquals(attempt, poison.getIntProperty("JMSXDeliveryCount"));
                acknowledge(poison, MODIFIED_FAILED);
            }
            assertNull(consumer.receive(NOTHING_MILLIS));
            Message dead =
                    session.createConsumer(session.createQueue("orders.dlq")).receive(SOON_MILLIS);
            assertEquals("poison", text(dead));
            dead.acknowledge();
        }

        @Test
        void undeliverableHereIsForOthers() throws Exception {
            Session session = session(Session.CLIENT_ACKNOWLEDGE);
            send(session, "orders", "not for me");
            MessageConsumer refusing = session.createConsumer(session.createQueue("orders"));
            acknowledge(refusing.receive(SOON_MILLIS), MODIFIED_FAILED_UNDELIVERABLE);
            assertNull(refusing.receive(NOTHING_MILLIS));
            Session other = session();
            MessageConsumer willing = other.createConsumer(other.createQueue("orders"));
            assertEquals("not for me", text(willing.receive(SOON_MILLIS)));
        }

        @Test
        void whereThereIsNoDeadLetterQueueFailuresAreNotLimited() throws Exception {
            Session session = session(Session.CLIENT_ACKNOWLEDGE);
            send(session, "careless", "again and again");
            MessageConsumer consumer = session.createConsumer(session.createQueue("careless"));
            for (int attempt = 1; attempt <= 20; attempt++) {
                Message message = consumer.receive(SOON_MILLIS);
                assertEquals(attempt, message.getIntProperty("JMSXDeliveryCount"));
                acknowledge(message, MODIFIED_FAILED);
            }
            consumer.receive(SOON_MILLIS).acknowledge();
        }

        private static void acknowledge(Message message, int how) throws JMSException {
            message.setIntProperty("JMS_AMQP_ACK_TYPE", how);
            message.acknowledge();
        }
    }

    @Nested
    class Limits {
        @Test
        void aFullQueueTellsTheProducerWhichLimitItHit() throws Exception {
            Session session = session();
            send(session, "small", "1", "2");
            JMSException refused = assertThrows(ResourceAllocationException.class, () -> send(session, "small", "3"));
            assertTrue(refused.getMessage().contains("'small'"), refused.getMessage());
            assertTrue(refused.getMessage().contains("2 messages"), refused.getMessage());
            MessageConsumer consumer = session.createConsumer(session.createQueue("small"));
            assertEquals("1", text(consumer.receive(SOON_MILLIS)));
            broker.awaitMessages("small", 1);
            send(session, "small", "3");
            assertEquals("2", text(consumer.receive(SOON_MILLIS)));
            assertEquals("3", text(consumer.receive(SOON_MILLIS)));
        }

        @Test
        void aRingKeepsTheNewest() throws Exception {
            Session session = session();
            send(session, "ring", "1", "2", "3");
            MessageConsumer consumer = session.createConsumer(session.createQueue("ring"));
            assertEquals("2", text(consumer.receive(SOON_MILLIS)));
            assertEquals("3", text(consumer.receive(SOON_MILLIS)));
            assertNull(consumer.receive(NOTHING_MILLIS));
        }
    }

    @Nested
    class RequestAndReply {
        @Test
        void aTemporaryQueueCarriesTheReply() throws Exception {
            Session serving = session();
            serving.createConsumer(serving.createQueue("requests")).setMessageListener(request -> {
                try {
                    Message reply = serving.createTextMessage("reply to " + text(request));
                    reply.setJMSCorrelationID(request.getJMSMessageID());
                    serving.createProducer(request.getJMSReplyTo()).send(reply);
                } catch (JMSException e) {
                    throw new IllegalStateException(e);
                }
            });
            Session asking = session();
            TemporaryQueue replies = asking.createTemporaryQueue();
            MessageConsumer consumer = asking.createConsumer(replies);
            MessageProducer producer = asking.createProducer(asking.createQueue("requests"));
            for (int i = 0; i < 50; i++) {
                TextMessage request = asking.createTextMessage("request " + i);
                request.setJMSReplyTo(replies);
                producer.send(request);
                Message reply = consumer.receive(SOON_MILLIS);
                assertEquals("reply to request " + i, text(reply));
                assertEquals(request.getJMSMessageID(), reply.getJMSCorrelationID());
            }
        }

        @Test
        void aTemporaryQueueIsForItsConnectionAndGoesWithIt() throws Exception {
            Connection owner = connect("");
            Destination replies = owner.createSession().createTemporaryQueue();
            Session other = session();
            assertThrows(
                    JMSException.class,
                    () -> other.createConsumer(other.createQueue(((Queue) replies).getQueueName())));
            owner.close();
            JmsApplication.assertGoes(other, other.createQueue(((Queue) replies).getQueueName()));
        }
    }

    @Nested
    class Restarting {
        @Test
        void durableMessagesAreThereAgainAndOthersAreNot() throws Exception {
            Session session = session();
            send(session, "orders", "durable 1", "durable 2");
            MessageProducer producer = session.createProducer(session.createQueue("orders"));
            producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
            producer.send(session.createTextMessage("not durable"));
            broker.awaitMessages("orders", 3);
            broker.restart();
            Session after = session();
            MessageConsumer consumer = after.createConsumer(after.createQueue("orders"));
            assertEquals("durable 1", text(consumer.receive(SOON_MILLIS)));
            assertEquals("durable 2", text(consumer.receive(SOON_MILLIS)));
            assertNull(consumer.receive(NOTHING_MILLIS));
        }

        @Test
        void failoverCarriesAnApplicationAcrossARestart() throws Exception {
            Connection connection = new JmsConnectionFactory(
                            "failover:(" + broker.url() + ")?failover.reconnectDelay=20&failover.maxReconnectDelay=100")
                    .createConnection();
            connections.add(connection);
            connection.start();
            Session session = connection.createSession(Session.CLIENT_ACKNOWLEDGE);
            MessageConsumer consumer = session.createConsumer(session.createQueue("orders"));
            send(session, "orders", "before");
            Message before = consumer.receive(SOON_MILLIS);
            assertEquals("before", text(before));
            before.acknowledge();
            broker.awaitMessages("orders", 0);
            broker.restart();
            send(session, "orders", "after");
            Message after = consumer.receive(SOON_MILLIS);
            assertEquals("after", text(after));
            after.acknowledge();
        }

        @Test
        void deliveryCountsSurvive() throws Exception {
            Session session = session(Session.CLIENT_ACKNOWLEDGE);
            send(session, "orders", "twice failed");
            MessageConsumer consumer = session.createConsumer(session.createQueue("orders"));
            for (int i = 0; i < 2; i++) {
                Message message = consumer.receive(SOON_MILLIS);
                Acknowledging.acknowledge(message, MODIFIED_FAILED);
            }
            assertEquals(3, consumer.receive(SOON_MILLIS).getIntProperty("JMSXDeliveryCount"));
            session.close();
            broker.awaitMessages("orders.dlq", 1);
            broker.restart();
            Session after = session();
            assertEquals(
                    "twice failed",
                    text(after.createConsumer(after.createQueue("orders.dlq")).receive(SOON_MILLIS)));
        }
    }

    @Nested
    class ClientIds {
        @Test
        void aClientIdIsForOneConnectionAtATime() throws Exception {
            JmsConnectionFactory factory = new JmsConnectionFactory(broker.url() + "?jms.clientID=shop");
            Connection first = factory.createConnection();
            connections.add(first);
            first.start();
            JMSException refused = assertThrows(InvalidClientIDException.class, () -> factory.createConnection()
                    .start());
            assertTrue(refused.getMessage().contains("shop"), refused::getMessage);
            first.close();
            Connection second = factory.createConnection();
            connections.add(second);
            second.start();
        }
    }

    @Nested
    class LoggingIn {
        @Test
        void aWrongPasswordIsRefusedAndARightOneIsNot() throws Exception {
            broker.close();
            broker = RunningBroker.startWithUser(directory, "ada", "lovelace");
            JmsConnectionFactory factory = new JmsConnectionFactory(broker.url());
            assertThrows(JMSSecurityException.class, () -> factory.createConnection("ada", "wrong")
                    .start());
            assertThrows(JMSSecurityException.class, () -> factory.createConnection("bob", "lovelace")
                    .start());
            assertThrows(JMSException.class, () -> factory.createConnection().start());
            Connection connection = factory.createConnection("ada", "lovelace");
            connections.add(connection);
            connection.start();
            Session session = connection.createSession();
            send(session, "orders", "hello");
            assertEquals(
                    "hello",
                    text(session.createConsumer(session.createQueue("orders")).receive(SOON_MILLIS)));
        }
    }
}
