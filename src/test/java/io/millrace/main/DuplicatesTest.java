package io.millrace.main;

import static io.millrace.main.JmsApplication.receive;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.DeliveryMode;
import jakarta.jms.JMSException;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.message.Message;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Messages that are sent again and taken in once, through a whole broker. */
@Timeout(60)
class DuplicatesTest {
    @TempDir
    private static Path directory;

    private static RunningBroker broker;
    private JmsApplication jms;

    @BeforeAll
    static void startBroker() throws Exception {
        broker = RunningBroker.start(directory, """
                auto-create:
                  - {match: "id*", duplicates: message-id}
                  - {match: "order*", duplicates: order_id}
                  - {match: "few*", duplicates: order_id, duplicates-kept: 2}
                  - {match: "brief*", duplicates: order_id, duplicates-window: 100ms}
                  - {match: "*"}
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

    private void order(String queue, String id, String... texts) throws JMSException {
        jms.send(queue, message -> message.setStringProperty("order_id", id), texts);
    }

    @Nested
    class ByMessageId {
        private static void send(RawLink sender, Object id, String text) throws Exception {
            Message message = RawLink.message(text);
            message.setMessageId(id);
            assertInstanceOf(Accepted.class, sender.send(message));
        }

        @Test
        void theSecondIsAcceptedAndNotTakenInAndTypesMatter() throws Exception {
            UUID uuid = UUID.randomUUID();
            try (RawLink sender = RawLink.sender(broker.port(), "id")) {
                for (String text : List.of("first", "again")) {
                    send(sender, "7", text + " string");
                    send(sender, UnsignedLong.valueOf(7), text + " number");
                    send(sender, uuid, text + " uuid");
                    send(sender, uuid.toString(), text + " text of the uuid");
                    sender.send(RawLink.message(text + " without"));
                }
            }
            jms.expect(
                    "id",
                    "first string",
                    "first number",
                    "first uuid",
                    "first text of the uuid",
                    "first without",
                    "again without");
        }

        @Test
        void whatWasConsumedIsRememberedOverARestart() throws Exception {
            try (RawLink sender = RawLink.sender(broker.port(), "id.restart")) {
                send(sender, "7", "first");
            }
            assertEquals(List.of("first"), receive(jms.consumer("id.restart"), 1));
            broker.awaitMessages("id.restart", 0);
            jms.close();
            broker.restart();
            try (RawLink sender = RawLink.sender(broker.port(), "id.restart")) {
                send(sender, "7", "again");
                send(sender, "8", "another");
            }
            jms.expect("id.restart", "another");
        }
    }

    @Nested
    class ByAProperty {
        @Test
        void theSecondIsNotTakenIn() throws Exception {
            order("order", "1", "one", "one again");
            order("order", "2", "two");
            order("order", "1", "one once more");
            jms.send("order", "without", "without, too");
            jms.expect("order", "one", "two", "without", "without, too");
        }

        @Test
        void messagesThatAreNotPersistentAreTold() throws Exception {
            Session session = jms.session();
            MessageProducer producer = session.createProducer(session.createQueue("order.memory"));
            producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
            JmsApplication.send(
                    session, producer, message -> message.setStringProperty("order_id", "1"), "one", "one again");
            order("order.memory", "1", "and again");
            jms.expect("order.memory", "one");
        }

        @Test
        void onlySoManyAreRemembered() throws Exception {
            order("few", "1", "one");
            order("few", "2", "two");
            order("few", "3", "three");
            order("few", "3", "three again");
            order("few", "1", "one again");
            jms.expect("few", "one", "two", "three", "one again");
        }

        @Test
        void onlySoLongAreTheyRemembered() throws Exception {
            order("brief", "1", "one");
            long since = System.nanoTime();
            // Longer than the window, however slow this machine.
            jms.sendDelayed("other", 200, "later");
            assertEquals(List.of("later"), receive(jms.consumer("other"), 1));
            assertTrue(System.nanoTime() - since > 100_000_000);
            order("brief", "1", "one again");
            jms.expect("brief", "one", "one again");
        }

        @Test
        void aDelayedMessageIsTakenInOnce() throws Exception {
            Session session = jms.session();
            MessageProducer producer = session.createProducer(session.createQueue("order.delayed"));
            producer.setDeliveryDelay(100);
            JmsApplication.send(
                    session, producer, message -> message.setStringProperty("order_id", "1"), "one", "one again");
            jms.expect("order.delayed", "one");
        }
    }

    @Nested
    class InTransactions {
        private void send(Session session, String queue, String id, String text) throws JMSException {
            try (MessageProducer producer = session.createProducer(session.createQueue(queue))) {
                JmsApplication.send(session, producer, message -> message.setStringProperty("order_id", id), text);
            }
        }

        @Test
        void aDuplicateCommitsAndIsNotTakenIn() throws Exception {
            Session session = jms.session(Session.SESSION_TRANSACTED);
            send(session, "order.tx", "1", "one");
            send(session, "order.tx", "1", "one in the same");
            send(session, "order.tx", "2", "two");
            session.commit();
            send(session, "order.tx", "2", "two in the next");
            send(session, "order.tx", "3", "three");
            session.commit();
            order("order.tx", "3", "three without one");
            jms.expect("order.tx", "one", "two", "three");
        }

        @Test
        void whatIsRolledBackIsNotRemembered() throws Exception {
            Session session = jms.session(Session.SESSION_TRANSACTED);
            send(session, "order.back", "1", "rolled back");
            session.rollback();
            send(session, "order.back", "1", "committed");
            session.commit();
            jms.close();
            broker.restart();
            order("order.back", "1", "again");
            jms.expect("order.back", "committed");
        }
    }
}
