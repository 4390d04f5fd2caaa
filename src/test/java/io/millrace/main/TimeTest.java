package io.millrace.main;

import static io.millrace.main.JmsApplication.SOON_MILLIS;
import static io.millrace.main.JmsApplication.nothing;
import static io.millrace.main.JmsApplication.receive;
import static io.millrace.main.JmsApplication.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.nio.file.Path;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.MessageAnnotations;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Messages that are to come later, and messages that are not to come any more, through a whole broker. */
@Timeout(60)
class TimeTest {
    private static final long SHORT_MILLIS = 200;
    private static final long HOUR_MILLIS = 3_600_000;
    private static final int MODIFIED_FAILED_UNDELIVERABLE = 5;

    @TempDir
    private static Path directory;

    private static RunningBroker broker;
    private JmsApplication jms;

    @BeforeAll
    static void startBroker() throws Exception {
        broker = RunningBroker.start(directory, """
                queues:
                  - {name: elsewhere, expired: graveyard}
                  - {name: discarding, expired: discard}
                  - {name: mortal, default-ttl: 100ms}
                  - {name: tough, min-ttl: 1h}
                  - {name: hasty, max-ttl: 100ms}
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

    @Nested
    class Delayed {
        @Test
        void aMessageIsSeenByNobodyUntilItsTime() throws Exception {
            Session session = jms.session();
            MessageConsumer consumer = session.createConsumer(session.createQueue("delay"));
            MessageProducer producer = session.createProducer(session.createQueue("delay"));
            producer.setDeliveryDelay(SHORT_MILLIS);
            long before = System.currentTimeMillis();
            producer.send(session.createTextMessage("later"));
            assertEquals(List.of(), jms.browse("delay"));
            assertNull(consumer.receiveNoWait());
            Message message = consumer.receive(SOON_MILLIS);
            assertEquals("later", text(message));
            assertTrue(System.currentTimeMillis() >= before + SHORT_MILLIS);
            assertTrue(message.getJMSDeliveryTime() >= before + SHORT_MILLIS);
        }

        @Test
        void messagesComeInTheOrderOfTheirTimesAndNotOfTheirSending() throws Exception {
            jms.sendDelayed("delay.order", 3 * SHORT_MILLIS, "third");
            jms.sendDelayed("delay.order", 2 * SHORT_MILLIS, "second");
            jms.send("delay.order", "first");
            assertEquals(List.of("first", "second", "third"), receive(jms.consumer("delay.order"), 3));
        }

        @Test
        void aRestartDoesNotForgetThem() throws Exception {
            jms.sendDelayed("delay.restart", HOUR_MILLIS, "much later");
            jms.sendDelayed("delay.restart", SHORT_MILLIS, "a", "b");
            jms.close();
            broker.restart();
            MessageConsumer consumer = jms.consumer("delay.restart");
            assertEquals(List.of("a", "b"), receive(consumer, 2));
            nothing(consumer);
            assertEquals(List.of("much later"), jms.browse("delay.restart/$scheduled"));
        }

        @Test
        void inATransactionTheyWaitFromTheCommitOnAndNotAfterARollback() throws Exception {
            Session session = jms.session(Session.SESSION_TRANSACTED);
            MessageProducer producer = session.createProducer(session.createQueue("delay.tx"));
            producer.setDeliveryDelay(SHORT_MILLIS);
            producer.send(session.createTextMessage("rolled back"));
            session.rollback();
            producer.send(session.createTextMessage("committed"));
            assertEquals(List.of(), jms.browse("delay.tx/$scheduled"));
            session.commit();
            assertEquals(List.of("committed"), jms.browse("delay.tx/$scheduled"));
            MessageConsumer consumer = jms.consumer("delay.tx");
            assertEquals(List.of("committed"), receive(consumer, 1));
            nothing(consumer);
        }

        @Test
        void theDelayMayBeInTheMessageAlone() throws Exception {
            try (RawLink sender = RawLink.sender(broker.port(), "delay.raw")) {
                org.apache.qpid.proton.message.Message message = RawLink.message("later");
                message.setMessageAnnotations(annotation("x-opt-delivery-delay", SHORT_MILLIS));
                long before = System.currentTimeMillis();
                assertInstanceOf(Accepted.class, sender.send(message));
                assertEquals(List.of("later"), jms.browse("delay.raw/$scheduled"));
                assertEquals(List.of("later"), receive(jms.consumer("delay.raw"), 1));
                assertTrue(System.currentTimeMillis() >= before + SHORT_MILLIS);
            }
        }

        @Test
        void aTimeThatIsOverIsNoDelay() throws Exception {
            try (RawLink sender = RawLink.sender(broker.port(), "delay.over")) {
                org.apache.qpid.proton.message.Message message = RawLink.message("now");
                message.setMessageAnnotations(annotation("x-opt-delivery-time", new Date(1_000)));
                assertInstanceOf(Accepted.class, sender.send(message));
                assertEquals(List.of("now"), jms.browse("delay.over"));
            }
        }

        private static MessageAnnotations annotation(String key, Object value) {
            Map<Symbol, Object> annotations = new LinkedHashMap<>();
            annotations.put(Symbol.valueOf(key), value);
            return new MessageAnnotations(annotations);
        }
    }

    @Nested
    class Scheduled {
        @Test
        void messagesAreListedAndCancelledAndTheOthersStay() throws Exception {
            Session session = jms.session();
            MessageProducer producer = session.createProducer(session.createQueue("plan"));
            producer.setDeliveryDelay(HOUR_MILLIS);
            JmsApplication.send(session, producer, each -> each.setIntProperty("job", 1), "one");
            JmsApplication.send(session, producer, each -> each.setIntProperty("job", 2), "two");
            JmsApplication.send(session, producer, each -> each.setIntProperty("job", 3), "three");
            assertEquals(List.of("one", "two", "three"), jms.browse("plan/$scheduled"));
            assertEquals(List.of(), jms.browse("plan"));

            try (MessageConsumer cancelling =
                    session.createConsumer(session.createQueue("plan/$scheduled"), "job = 2")) {
                assertEquals(List.of("two"), receive(cancelling, 1));
                nothing(cancelling);
            }
            assertEquals(List.of("one", "three"), jms.browse("plan/$scheduled"));
            jms.close();
            broker.restart();
            assertEquals(List.of("one", "three"), jms.browse("plan/$scheduled"));
            broker.awaitMessages("plan", 2);
        }

        @Test
        void whatIsNotAcknowledgedComesAtItsTimeAllTheSame() throws Exception {
            jms.sendDelayed("plan.held", 2 * SHORT_MILLIS, "held");
            Session session = jms.session(Session.CLIENT_ACKNOWLEDGE);
            MessageConsumer holding = session.createConsumer(session.createQueue("plan.held/$scheduled"));
            assertEquals(List.of("held"), receive(holding, 1));
            session.close();
            assertEquals(List.of("held"), receive(jms.consumer("plan.held"), 1));
        }

        @Test
        void nobodySendsThereAndTopicsHaveNone() throws Exception {
            Session session = jms.session();
            JMSException refused = assertThrows(
                    JMSException.class, () -> session.createProducer(session.createQueue("plan/$scheduled")));
            assertTrue(refused.getMessage().contains("send to 'plan'"), refused.getMessage());
            JMSException noTopic = assertThrows(
                    JMSException.class, () -> session.createConsumer(session.createTopic("plan/$scheduled")));
            assertTrue(noTopic.getMessage().contains("not a topic"), noTopic.getMessage());
        }
    }

    @Nested
    class Expiring {
        @Test
        void aMessageDeepInAQueueGoesToTheDeadLetterQueueWithTheReason() throws Exception {
            String[] before =
                    IntStream.range(0, 100).mapToObj(i -> "before " + i).toArray(String[]::new);
            jms.send("deep", before);
            jms.sendMortal("deep", SHORT_MILLIS, "expires");
            jms.send("deep", "behind");
            broker.awaitMessages("deep.dlq", 1);
            broker.awaitMessages("deep", 101);
            try (RawLink dead = RawLink.receiver(broker.port(), "deep.dlq", 1, Map.of())) {
                assertEquals("expires", dead.receive());
                Map<Symbol, Object> story =
                        dead.received().getMessageAnnotations().getValue();
                assertEquals("expired", story.get(Symbol.valueOf("x-opt-death-reason")));
                assertEquals("deep", story.get(Symbol.valueOf("x-opt-death-address")));
                dead.settle(Accepted.getInstance());
                broker.awaitMessages("deep.dlq", 0);
            }
        }

        @Test
        void qpidJmsCanReadExpiredMessagesInTheDeadLetterQueue() throws Exception {
            jms.sendMortal("legible", 1, "expired");
            broker.awaitMessages("legible.dlq", 1);
            Message dead = jms.consumer("legible.dlq").receive(2_000);
            assertEquals("expired", text(dead));
            assertEquals(0, dead.getJMSExpiration());
        }

        @Test
        void theSettingsMayNameAnotherQueueOrNone() throws Exception {
            jms.sendMortal("elsewhere", 1, "a");
            jms.sendMortal("discarding", 1, "b");
            broker.awaitMessages("graveyard", 1);
            broker.await("millrace_queue_expired_total\\{queue=\"discarding\"}", value -> value == 1);
            broker.awaitMessages("discarding", 0);
            assertEquals(0, broker.figure("millrace_queue_messages{queue=\"discarding.dlq\"}"));
            assertEquals(0, broker.figure("millrace_queue_messages{queue=\"elsewhere.dlq\"}"));
        }

        @Test
        void aQueueMaySayHowLongMessagesLive() throws Exception {
            jms.send("mortal", "by default");
            broker.awaitMessages("mortal.dlq", 1);
            jms.sendMortal("mortal", HOUR_MILLIS, "as it says");
            jms.sendMortal("hasty", HOUR_MILLIS, "at most");
            jms.send("hasty", "also without");
            broker.awaitMessages("hasty.dlq", 2);
            jms.sendMortal("tough", 1, "at least");
            broker.awaitMessages("tough", 1);
            assertEquals(List.of("as it says"), jms.browse("mortal"));
            Message tough = jms.consumer("tough").receive(2_000);
            assertEquals("at least", text(tough));
            assertTrue(tough.getJMSExpiration() > System.currentTimeMillis() + HOUR_MILLIS / 2);
        }

        @Test
        void whatIsUndeliverableHereAndExpiredIsForNobodyElse() throws Exception {
            Session session = jms.session(Session.CLIENT_ACKNOWLEDGE);
            jms.sendMortal("refused", SHORT_MILLIS, "refused");
            Message refused =
                    session.createConsumer(session.createQueue("refused")).receive(SOON_MILLIS);
            assertEquals("refused", text(refused));
            MessageConsumer other = jms.consumer("refused");
            jms.sendMortal("clock", SHORT_MILLIS, "expires later");
            broker.awaitMessages("clock.dlq", 1);
            JmsApplication.settle(refused, MODIFIED_FAILED_UNDELIVERABLE);
            broker.awaitMessages("refused.dlq", 1);
            nothing(other);
            jms.expect("refused.dlq", "refused");
        }

        @Test
        void timeGoesOnWhileTheBrokerIsDown() throws Exception {
            jms.sendMortal("down", SHORT_MILLIS, "expires");
            jms.sendMortal("down", HOUR_MILLIS, "lives");
            jms.close();
            broker.restart();
            broker.awaitMessages("down.dlq", 1);
            Message alive = jms.consumer("down").receive(SOON_MILLIS);
            assertEquals("lives", text(alive));
            assertTrue(alive.getJMSExpiration() > System.currentTimeMillis());
        }

        @Test
        void aReceiverIsToldWhatIsLeftOfTheTtl() throws Exception {
            try (RawLink sender = RawLink.sender(broker.port(), "ttl")) {
                org.apache.qpid.proton.message.Message message = RawLink.message("mortal");
                message.setTtl(HOUR_MILLIS);
                DeliveryState state = sender.send(message);
                assertInstanceOf(Accepted.class, state);
            }
            long sent = System.nanoTime();
            assertNull(jms.consumer("another").receive(50));
            try (RawLink receiver = RawLink.receiver(broker.port(), "ttl", 1, Map.of())) {
                receiver.receive();
                long waitedMillis = (System.nanoTime() - sent) / 1_000_000;
                long left = receiver.received().getTtl();
                assertTrue(left <= HOUR_MILLIS - 50 && left >= HOUR_MILLIS - waitedMillis - 5_000, () -> "" + left);
                receiver.settle(Accepted.getInstance());
            }
        }

        @Test
        void aMessageMayExpireBeforeItsTimeComes() throws Exception {
            Session session = jms.session();
            MessageProducer producer = session.createProducer(session.createQueue("never"));
            producer.setDeliveryDelay(HOUR_MILLIS);
            producer.setTimeToLive(1);
            producer.send(session.createTextMessage("never"));
            try (RawLink sender = RawLink.sender(broker.port(), "never")) {
                org.apache.qpid.proton.message.Message message = RawLink.message("over");
                message.setExpiryTime(System.currentTimeMillis() + SHORT_MILLIS);
                message.setMessageAnnotations(Delayed.annotation("x-opt-delivery-delay", HOUR_MILLIS));
                assertInstanceOf(Accepted.class, sender.send(message));
            }
            broker.awaitMessages("never.dlq", 1);
        }
    }
}
