package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.Destination;
import jakarta.jms.InvalidDestinationException;
import jakarta.jms.InvalidSelectorException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import jakarta.jms.TemporaryTopic;
import jakarta.jms.TextMessage;
import jakarta.jms.Topic;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Topics, subscriptions and selectors of the whole broker, by an unmodified Qpid JMS client. */
@Timeout(60)
class TopicsTest {
    private static final long SOON_MILLIS = 10_000;
    private static final long NOTHING_MILLIS = 100;

    @TempDir
    private Path directory;

    private RunningBroker broker;
    private final List<Connection> connections = new ArrayList<>();

    @BeforeEach
    void start() throws Exception {
        broker = RunningBroker.start(directory, "");
    }

    @AfterEach
    void nothingLeaks() throws Exception {
        for (Connection connection : connections) {
            connection.close();
        }
        broker.close();
    }

    private Connection connect(String clientId) throws JMSException {
        Connection connection = new JmsConnectionFactory(broker.url()).createConnection();
        connections.add(connection);
        if (!clientId.isEmpty()) {
            connection.setClientID(clientId);
        }
        connection.start();
        return connection;
    }

    private Session session(String clientId) throws JMSException {
        return connect(clientId).createSession();
    }

    private Session session() throws JMSException {
        return session("");
    }

    private static void send(Session session, Destination to, String... texts) throws JMSException {
        try (MessageProducer producer = session.createProducer(to)) {
            for (String text : texts) {
                TextMessage message = session.createTextMessage(text);
                message.setStringProperty("kind", text);
                producer.send(message);
            }
        }
    }

    private void publish(String topic, String... texts) throws JMSException {
        Session session = session();
        send(session, session.createTopic(topic), texts);
    }

    private static List<String> receive(MessageConsumer consumer, int count) throws JMSException {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            Message message = consumer.receive(SOON_MILLIS);
            texts.add(assertInstanceOf(TextMessage.class, message, "after " + texts)
                    .getText());
        }
        return texts;
    }

    /** What some consumers get between them, sorted. */
    private static List<String> receiveFromAny(List<MessageConsumer> consumers, int count) throws JMSException {
        List<String> texts = new ArrayList<>();
        long end = System.nanoTime() + SOON_MILLIS * 1_000_000;
        for (int turn = 0; texts.size() < count && System.nanoTime() < end; turn++) {
            Message message = consumers.get(turn % consumers.size()).receive(NOTHING_MILLIS);
            if (message instanceof TextMessage text) {
                texts.add(text.getText());
            }
        }
        return texts.stream().sorted().toList();
    }

    private static void nothing(MessageConsumer consumer) throws JMSException {
        assertNull(consumer.receive(NOTHING_MILLIS));
    }

    @Nested
    class Volatile {
        @Test
        void everySubscriberGetsWhatIsSentWhileItIsThere() throws Exception {
            publish("news", "early");
            Session session = session();
            Topic topic = session.createTopic("news");
            MessageConsumer first = session.createConsumer(topic);
            MessageConsumer second = session().createConsumer(topic);
            publish("news", "a", "b");

            assertEquals(List.of("a", "b"), receive(first, 2));
            assertEquals(List.of("a", "b"), receive(second, 2));
            first.close();
            publish("news", "c");
            assertEquals(List.of("c"), receive(second, 1));
            nothing(session.createConsumer(topic));
        }

        @Test
        void wildcardsStandForOneLevelOrAny() throws Exception {
            Session session = session();
            MessageConsumer one = session.createConsumer(session.createTopic("news.*"));
            MessageConsumer any = session.createConsumer(session.createTopic("news.#"));
            for (String topic : List.of("news", "news.sport", "news.sport.chess", "weather")) {
                publish(topic, topic);
            }

            assertEquals(List.of("news.sport"), receive(one, 1));
            assertEquals(List.of("news", "news.sport", "news.sport.chess"), receive(any, 3));
            nothing(one);
            nothing(any);
        }

        @Test
        void aSelectorChooses() throws Exception {
            Session session = session();
            MessageConsumer chosen = session.createConsumer(session.createTopic("news"), "kind IN ('b', 'c')");
            publish("news", "a", "b", "c", "d");

            assertEquals(List.of("b", "c"), receive(chosen, 2));
            nothing(chosen);
        }

        @Test
        void noLocalLeavesOutWhatTheOwnConnectionSends() throws Exception {
            Session own = session();
            Topic topic = own.createTopic("news");
            MessageConsumer others = own.createConsumer(topic, null, true);
            MessageConsumer all = own.createConsumer(topic);
            send(own, topic, "mine");
            publish("news", "theirs");

            assertEquals(List.of("theirs"), receive(others, 1));
            assertEquals(List.of("mine", "theirs"), receive(all, 2));
        }

        @Test
        void aSharedOneGivesEachMessageToOneAndEndsWithItsLastConsumer() throws Exception {
            Session session = session();
            Topic topic = session.createTopic("news");
            MessageConsumer first = session.createSharedConsumer(topic, "team");
            MessageConsumer second = session().createSharedConsumer(topic, "team");
            publish("news", "a", "b");
            // The second one's credit may come after both messages, so who gets which is not said.
            assertEquals(List.of("a", "b"), receiveFromAny(List.of(first, second), 2));

            first.close();
            publish("news", "c");
            assertEquals(List.of("c"), receive(second, 1));
            second.close();
            publish("news", "d");
            MessageConsumer third = session().createSharedConsumer(topic, "team");
            nothing(third);
        }

        @Test
        void messagesThatAreNotPersistentGoTheSameWay() throws Exception {
            Session session = session();
            Topic topic = session.createTopic("news");
            MessageConsumer consumer = session.createConsumer(topic);
            try (MessageProducer producer = session.createProducer(null)) {
                producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
                producer.send(topic, session.createTextMessage("a"));
            }

            assertEquals(List.of("a"), receive(consumer, 1));
        }
    }

    @Nested
    class Durable {
        @Test
        void keepsMessagesWhileNobodyIsThereAndOverARestart() throws Exception {
            Session session = session("ada");
            Topic topic = session.createTopic("news");
            session.createDurableConsumer(topic, "mine").close();
            publish("news", "a", "b");
            MessageConsumer again = session.createDurableConsumer(topic, "mine");
            assertEquals(List.of("a"), receive(again, 1));
            again.close();
            broker.restart();

            publish("news", "c");
            MessageConsumer after = session("ada").createDurableConsumer(topic, "mine");
            assertEquals(List.of("b", "c"), receive(after, 2));
        }

        @Test
        void isKeptWhenItsConnectionIsClosedAndEndsWhenItIsUnsubscribed() throws Exception {
            Connection connection = connect("ada");
            Session session = connection.createSession();
            Topic topic = session.createTopic("news");
            session.createDurableConsumer(topic, "mine");
            connection.close();
            publish("news", "a");
            Session again = session("ada");
            MessageConsumer consumer = again.createDurableConsumer(topic, "mine");
            assertEquals(List.of("a"), receive(consumer, 1));

            publish("news", "b");
            assertThrows(JMSException.class, () -> again.unsubscribe("mine"));
            consumer.close();
            again.unsubscribe("mine");
            assertThrows(InvalidDestinationException.class, () -> again.unsubscribe("mine"));
            publish("news", "c");
            nothing(again.createDurableConsumer(topic, "mine"));
        }

        @Test
        void isNotThereAnyMoreAfterARestartWhenItWasUnsubscribed() throws Exception {
            Session session = session("ada");
            Topic topic = session.createTopic("news");
            session.createDurableConsumer(topic, "mine").close();
            session.unsubscribe("mine");
            broker.restart();
            publish("news", "a");

            assertThrows(InvalidDestinationException.class, () -> session("ada").unsubscribe("mine"));
        }

        @Test
        void beginsAnewWithAnotherTopicOrSelectorOrNoLocal() throws Exception {
            Session session = session("ada");
            Topic news = session.createTopic("news");
            Topic weather = session.createTopic("weather");
            session.createDurableConsumer(news, "mine").close();
            publish("news", "a");
            session.createDurableConsumer(news, "mine", "kind = 'b'", false).close();
            publish("news", "b", "c");
            MessageConsumer same = session.createDurableConsumer(news, "mine", "kind = 'b'", false);
            assertEquals(List.of("b"), receive(same, 1));
            nothing(same);
            same.close();

            session.createDurableConsumer(weather, "mine").close();
            publish("news", "d");
            publish("weather", "rain");
            MessageConsumer other = session.createDurableConsumer(weather, "mine");
            assertEquals(List.of("rain"), receive(other, 1));
            other.close();
            session.createDurableConsumer(weather, "mine", null, true).close();
            send(session, weather, "own");
            publish("weather", "snow");
            MessageConsumer foreign = session.createDurableConsumer(weather, "mine", null, true);
            assertEquals(List.of("snow"), receive(foreign, 1));
        }

        @Test
        void hasOneConsumerOnlyUnlessItIsShared() throws Exception {
            Session session = session("ada");
            Topic topic = session.createTopic("news");
            session.createDurableConsumer(topic, "mine");
            JMSException refused =
                    assertThrows(JMSException.class, () -> session.createSharedDurableConsumer(topic, "mine"));
            assertTrue(refused.getMessage().contains("mine"), refused.getMessage());
        }

        @Test
        void aSharedOneHasManyConsumersAndStays() throws Exception {
            Connection connection = connect("ada");
            Session session = connection.createSession();
            Topic topic = session.createTopic("news");
            MessageConsumer first = session.createSharedDurableConsumer(topic, "team");
            MessageConsumer second = connection.createSession().createSharedDurableConsumer(topic, "team");
            publish("news", "a", "b");
            // The second one's credit may come after both messages, so who gets which is not said.
            assertEquals(List.of("a", "b"), receiveFromAny(List.of(first, second), 2));
            assertThrows(
                    JMSException.class,
                    () -> session.createSharedDurableConsumer(session.createTopic("weather"), "team"));

            first.close();
            second.close();
            publish("news", "c");
            MessageConsumer third = session.createSharedDurableConsumer(topic, "team");
            assertEquals(List.of("c"), receive(third, 1));
            third.close();
            session.unsubscribe("team");
        }

        @Test
        void aSharedOneWithoutAClientIdIsTheSameForAllConnections() throws Exception {
            Session session = session();
            Topic topic = session.createTopic("news");
            session.createSharedDurableConsumer(topic, "team").close();
            publish("news", "a");
            broker.restart();
            Session other = session();
            MessageConsumer consumer = other.createSharedDurableConsumer(topic, "team");
            assertEquals(List.of("a"), receive(consumer, 1));
            consumer.close();

            MessageConsumer withId = session("ada").createSharedDurableConsumer(topic, "team");
            publish("news", "b");
            assertEquals(List.of("b"), receive(withId, 1));
            MessageConsumer volatileOne = other.createSharedConsumer(topic, "team");
            publish("news", "c");
            assertEquals(List.of("c"), receive(volatileOne, 1));
            MessageConsumer again = other.createSharedDurableConsumer(topic, "team");
            assertEquals(List.of("b", "c"), receive(again, 2));
            again.close();
            other.unsubscribe("team");
        }
    }

    @Nested
    class Temporary {
        @Test
        void aTopicDiesWithItsMaker() throws Exception {
            Connection connection = connect("");
            Session session = connection.createSession();
            TemporaryTopic topic = session.createTemporaryTopic();
            MessageConsumer consumer = session.createConsumer(topic);
            Session other = session();
            MessageProducer producer = other.createProducer(topic);
            producer.send(other.createTextMessage("a"));
            assertEquals(List.of("a"), receive(consumer, 1));
            assertThrows(JMSException.class, () -> other.createConsumer(topic));

            consumer.close();
            topic.delete();
            assertThrows(JMSException.class, () -> {
                while (true) {
                    producer.send(other.createTextMessage("b"));
                }
            });
            JmsApplication.assertGoes(other, topic);
        }
    }

    @Nested
    class Kinds {
        @Test
        void anAddressIsNeverBoth() throws Exception {
            Session session = session();
            send(session, session.createQueue("orders"), "a");
            publish("news", "b");
            JMSException noTopic =
                    assertThrows(JMSException.class, () -> session.createConsumer(session.createTopic("orders")));
            assertTrue(noTopic.getMessage().contains("'orders' is a queue"), noTopic.getMessage());
            JMSException noQueue =
                    assertThrows(JMSException.class, () -> session.createProducer(session.createQueue("news")));
            assertTrue(noQueue.getMessage().contains("'news' is a topic"), noQueue.getMessage());
            MessageProducer anyone = session.createProducer(null);
            assertThrows(
                    JMSException.class,
                    () -> anyone.send(session.createTopic("orders"), session.createTextMessage("c")));

            broker.restart();
            Session again = session();
            assertThrows(JMSException.class, () -> again.createConsumer(again.createTopic("orders")));
            assertThrows(JMSException.class, () -> again.createConsumer(again.createQueue("news")));
        }
    }

    @Nested
    class Selectors {
        @Test
        void onAQueueReachTheirMatches() throws Exception {
            Session session = session();
            send(session, session.createQueue("orders"), "a", "b", "c", "b");
            MessageConsumer chosen = session.createConsumer(session.createQueue("orders"), "kind = 'b'");
            assertEquals(List.of("b", "b"), receive(chosen, 2));
            nothing(chosen);
            chosen.close();
            assertEquals(List.of("a", "c"), receive(session.createConsumer(session.createQueue("orders")), 2));
        }

        @Test
        void ofABrowserChooseWhatItSees() throws Exception {
            Session session = session();
            send(session, session.createQueue("orders"), "a", "b", "c");
            try (QueueBrowser browser = session.createBrowser(session.createQueue("orders"), "kind <> 'b'")) {
                Enumeration<?> seen = browser.getEnumeration();
                assertEquals(2, Collections.list(seen).size());
            }
        }

        @Test
        void thatAreWrongAreRefused() throws Exception {
            Session session = session();
            assertThrows(
                    InvalidSelectorException.class,
                    () -> session.createConsumer(session.createTopic("news"), "kind = "));
        }
    }

    @Nested
    class Scheduled {
        @Test
        void messagesAreSeenAtAnAddressOfTheirOwn() throws Exception {
            Session session = session();
            try (MessageProducer producer = session.createProducer(session.createQueue("orders"))) {
                producer.setDeliveryDelay(3_600_000);
                producer.send(session.createTextMessage("later"));
            }
            try (QueueBrowser browser = session.createBrowser(session.createQueue("orders/$scheduled"));
                    QueueBrowser due = session.createBrowser(session.createQueue("orders"))) {
                Enumeration<?> waiting = browser.getEnumeration();
                assertEquals(1, Collections.list(waiting).size());
                Enumeration<?> there = due.getEnumeration();
                assertEquals(0, Collections.list(there).size());
            }
            JMSException refused = assertThrows(
                    JMSException.class, () -> session.createProducer(session.createQueue("orders/$scheduled")));
            assertTrue(refused.getMessage().contains("'orders'"), refused.getMessage());
        }
    }
}
