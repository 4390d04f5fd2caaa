package io.millrace.main;

import static io.millrace.main.JmsApplication.SOON_MILLIS;
import static io.millrace.main.JmsApplication.nothing;
import static io.millrace.main.JmsApplication.receive;
import static io.millrace.main.JmsApplication.settle;
import static io.millrace.main.JmsApplication.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.Session;
import java.nio.file.Path;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Modified;
import org.apache.qpid.proton.amqp.messaging.Released;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** When and how often a message comes again, through a whole broker. */
@Timeout(60)
class JmsRedeliveryTest {
    private static final long REST_MILLIS = 150;
    private static final int RELEASED = 3;
    private static final int MODIFIED_FAILED = 4;

    @TempDir
    private static Path directory;

    private static RunningBroker broker;
    private JmsApplication jms;

    @BeforeAll
    static void startBroker() throws Exception {
        broker = RunningBroker.start(directory, """
                auto-create:
                  - {match: "rest.long", redelivery-delay: 1h}
                  - {match: "rest*", redelivery-delay: 150ms, redelivery-multiplier: 2, max-deliveries: 3}
                  - {match: "*", max-deliveries: 3}
                """);
    }

    @AfterAll
    static void stopBroker() {
        broker.close();
    }

    @BeforeEach
    void open() {
        jms = new JmsApplication(broker);
    }

    @AfterEach
    void nothingLeaks() throws Exception {
        jms.close();
        broker.awaitNoUnsettled();
    }

    private static void restsAtLeast(long millis, long sinceNanos) {
        long waited = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - sinceNanos);
        assertTrue(waited >= millis - 10, () -> "came again after " + waited + " ms already");
    }

    @Nested
    class Resting {
        @Test
        void afterARollbackItRestsLongerEachTimeAndThenItIsDead() throws Exception {
            Session session = jms.session(Session.SESSION_TRANSACTED);
            jms.send("rest.rollback", "poison");
            MessageConsumer consumer = session.createConsumer(session.createQueue("rest.rollback"));
            long rest = 0;
            long since = System.nanoTime();
            for (int attempt = 1; attempt <= 3; attempt++) {
                Message message = consumer.receive(SOON_MILLIS);
                assertEquals("poison", text(message));
                assertEquals(attempt, message.getIntProperty("JMSXDeliveryCount"));
                restsAtLeast(rest, since);
                since = System.nanoTime();
                session.rollback();
                rest = rest == 0 ? REST_MILLIS : 2 * rest;
            }
            broker.awaitMessages("rest.rollback.dlq", 1);
            nothing(consumer);
        }

        @Test
        void othersGoOnMeanwhile() throws Exception {
            Session session = jms.connect("?jms.prefetchPolicy.all=0").createSession(Session.CLIENT_ACKNOWLEDGE);
            jms.send("rest.others", "fails once", "next");
            MessageConsumer consumer = session.createConsumer(session.createQueue("rest.others"));
            Message first = consumer.receive(SOON_MILLIS);
            long since = System.nanoTime();
            settle(first, MODIFIED_FAILED);
            Message next = consumer.receive(SOON_MILLIS);
            assertEquals("next", text(next));
            next.acknowledge();
            Message again = consumer.receive(SOON_MILLIS);
            assertEquals("fails once", text(again));
            restsAtLeast(REST_MILLIS, since);
            again.acknowledge();
        }

        @Test
        void aLostConnectionIsAFailedAttemptAndThenItRests() throws Exception {
            jms.send("rest.lost", "message");
            RawLink lost = RawLink.receiver(broker.port(), "rest.lost", 1, Map.of());
            assertEquals("message", lost.receive());
            long since = System.nanoTime();
            lost.vanish();
            Message again = jms.consumer("rest.lost").receive(SOON_MILLIS);
            assertEquals("message", text(again));
            restsAtLeast(REST_MILLIS, since);
            assertEquals(2, again.getIntProperty("JMSXDeliveryCount"));
            assertTrue(again.getJMSRedelivered());
        }

        @Test
        void aRestartDoesNotShortenTheRestNorForgetTheCount() throws Exception {
            Session session = jms.session(Session.CLIENT_ACKNOWLEDGE);
            jms.send("rest.restart", "message");
            jms.send("rest.long", "message");
            Message message =
                    session.createConsumer(session.createQueue("rest.restart")).receive(SOON_MILLIS);
            // A session of its own, for acknowledging one message settles all of its session.
            Session other = jms.session(Session.CLIENT_ACKNOWLEDGE);
            Message forLong =
                    other.createConsumer(other.createQueue("rest.long")).receive(SOON_MILLIS);
            settle(forLong, MODIFIED_FAILED);
            broker.await("millrace_queue_scheduled\\{queue=\"rest.long\"}", value -> value == 1);
            long since = System.nanoTime();
            settle(message, MODIFIED_FAILED);
            broker.await("millrace_queue_scheduled\\{queue=\"rest.restart\"}", value -> value == 1);
            jms.close();
            broker.restart();
            Message again = jms.consumer("rest.restart").receive(SOON_MILLIS);
            restsAtLeast(REST_MILLIS, since);
            assertEquals(2, again.getIntProperty("JMSXDeliveryCount"));
            assertEquals(List.of("message"), jms.browse("rest.long/$scheduled"));
            nothing(jms.consumer("rest.long"));
        }

        @Test
        void aConsumerMaySayWhenItWantsTheMessageAgain() throws Exception {
            jms.send("wanted", "message");
            try (RawLink receiver = RawLink.receiver(broker.port(), "wanted", 10, Map.of())) {
                receiver.receive();
                long since = System.nanoTime();
                Modified modified = new Modified();
                modified.setMessageAnnotations(Map.of(
                        Symbol.valueOf("x-opt-delivery-time"), new Date(System.currentTimeMillis() + REST_MILLIS)));
                receiver.settle(modified);
                assertEquals("message", receiver.receive());
                restsAtLeast(REST_MILLIS, since);
                assertEquals(0, receiver.received().getDeliveryCount(), "it did not fail");
                receiver.settle(Accepted.getInstance());
                broker.awaitMessages("wanted", 0);
            }
        }
    }

    @Nested
    class Counting {
        @Test
        void releasedIsNeverCounted() throws Exception {
            jms.send("released", "message");
            try (RawLink receiver = RawLink.receiver(broker.port(), "released", 20, Map.of())) {
                for (int i = 0; i < 20; i++) {
                    assertEquals("message", receiver.receive());
                    assertEquals(0, receiver.received().getDeliveryCount());
                    receiver.settle(Released.getInstance());
                }
            }
            broker.awaitNoUnsettled();
            Session session = jms.session(Session.CLIENT_ACKNOWLEDGE);
            MessageConsumer consumer = session.createConsumer(session.createQueue("released"));
            for (int i = 0; i < 5; i++) {
                Message message = consumer.receive(SOON_MILLIS);
                assertEquals(1, message.getIntProperty("JMSXDeliveryCount"));
                settle(message, RELEASED);
            }
            consumer.receive(SOON_MILLIS).acknowledge();
            broker.awaitMessages("released", 0);
        }

        @Test
        void aRestHasNothingToDoWithWhatIsReleased() throws Exception {
            Session session = jms.session(Session.CLIENT_ACKNOWLEDGE);
            jms.send("rest.long", "released");
            MessageConsumer consumer = session.createConsumer(session.createQueue("rest.long"));
            settle(consumer.receive(SOON_MILLIS), RELEASED);
            Message again = consumer.receive(SOON_MILLIS);
            assertEquals("released", text(again));
            again.acknowledge();
        }

        @Test
        void messagesThatAreNotPersistentAreCountedToo() throws Exception {
            try (RawLink sender = RawLink.sender(broker.port(), "rest.memory")) {
                org.apache.qpid.proton.message.Message message = RawLink.message("message");
                message.setDurable(false);
                sender.send(message);
            }
            Session session = jms.session(Session.CLIENT_ACKNOWLEDGE);
            MessageConsumer consumer = session.createConsumer(session.createQueue("rest.memory"));
            for (int attempt = 1; attempt <= 3; attempt++) {
                Message message = consumer.receive(SOON_MILLIS);
                assertEquals(attempt, message.getIntProperty("JMSXDeliveryCount"));
                settle(message, MODIFIED_FAILED);
            }
            assertEquals(List.of("message"), receive(jms.consumer("rest.memory.dlq"), 1));
        }
    }
}
