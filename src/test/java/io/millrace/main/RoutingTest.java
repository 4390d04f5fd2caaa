package io.millrace.main;

import static io.millrace.main.JmsApplication.SOON_MILLIS;
import static io.millrace.main.JmsApplication.receive;
import static io.millrace.main.JmsApplication.settle;
import static io.millrace.main.JmsApplication.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.Connection;
import jakarta.jms.InvalidDestinationException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.TemporaryTopic;
import jakarta.jms.TextMessage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Where messages go besides the address that they were sent to, and requests and their replies, through a whole broker. */
@Timeout(60)
class RoutingTest {
    private static final int REJECTED = 2;

    @TempDir
    private static Path directory;

    private static RunningBroker broker;
    private JmsApplication jms;

    @BeforeAll
    static void startBroker() throws Exception {
        broker = RunningBroker.start(directory, """
                queues:
                  - {name: small, max-messages: 1, hold: 200ms}
                  - {name: poison, dead-letter: morgue}
                forward:
                  - {from: fan, to: [fan.a, fan.b]}
                  - {from: sorted, to: sorted.red, selector: "colour = 'red'"}
                  - {from: diverted, to: diverted.red, selector: "colour = 'red'", divert: true}
                  - {from: chain.1, to: chain.2}
                  - {from: chain.2, to: chain.3, divert: true}
                  - {from: loop.a, to: loop.b}
                  - {from: loop.b, to: loop.a}
                  - {from: whole, to: [small, whole.copy]}
                  - {from: morgue, to: [autopsy], divert: true}
                  - {from: news, to: archive}
                topics:
                  - name: news
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

    private void coloured(String queue, String... colours) throws JMSException {
        for (String colour : colours) {
            jms.send(queue, message -> message.setStringProperty("colour", colour), colour);
        }
    }

    @Nested
    class Forwarding {
        @Test
        void aMessageGoesToAllAndEachCopyLivesByItself() throws Exception {
            jms.send("fan", "1", "2");
            jms.expect("fan", "1", "2");
            jms.expect("fan.a", "1", "2");
            jms.close();
            broker.restart();
            jms.expect("fan.b", "1", "2");
            broker.awaitMessages("fan", 0);
            broker.awaitMessages("fan.a", 0);
        }

        @Test
        void aSelectorChoosesWhatIsCopiedAndWhatIsDiverted() throws Exception {
            coloured("sorted", "red", "green");
            jms.expect("sorted", "red", "green");
            jms.expect("sorted.red", "red");
            coloured("diverted", "red", "green");
            jms.expect("diverted", "green");
            jms.expect("diverted.red", "red");
        }

        @Test
        void rulesAreChainedAndLoopsEnd() throws Exception {
            jms.send("chain.1", "a");
            jms.expect("chain.1", "a");
            jms.expect("chain.2");
            jms.expect("chain.3", "a");
            jms.send("loop.a", "b");
            jms.expect("loop.a", "b");
            jms.expect("loop.b", "b");
        }

        @Test
        void allOfThemGetItOrNone() throws Exception {
            jms.send("whole", "1");
            JMSException refused = assertThrows(JMSException.class, () -> jms.send("whole", "2"));
            assertTrue(refused.getMessage().contains("'small'"), refused.getMessage());
            jms.close();
            broker.restart();
            jms.expect("whole", "1");
            jms.expect("whole.copy", "1");
            jms.expect("small", "1");
        }

        @Test
        void inATransactionTheCopiesComeWithTheCommit() throws Exception {
            Session session = jms.session(Session.SESSION_TRANSACTED);
            MessageProducer producer = session.createProducer(session.createQueue("fan"));
            producer.send(session.createTextMessage("rolled back"));
            session.rollback();
            producer.send(session.createTextMessage("committed"));
            assertEquals(List.of(), jms.browse("fan.b"));
            session.commit();
            for (String queue : List.of("fan", "fan.a", "fan.b")) {
                jms.expect(queue, "committed");
            }
        }

        @Test
        void deadLettersAreForwardedToo() throws Exception {
            Session session = jms.session(Session.CLIENT_ACKNOWLEDGE);
            jms.send("poison", "dead");
            settle(session.createConsumer(session.createQueue("poison")).receive(SOON_MILLIS), REJECTED);
            assertEquals(List.of("dead"), receive(jms.consumer("autopsy"), 1));
            broker.awaitMessages("morgue", 0);
        }

        @Test
        void aTopicFillsAQueue() throws Exception {
            Session session = jms.session();
            MessageConsumer subscriber = session.createConsumer(session.createTopic("news"));
            MessageProducer producer = session.createProducer(session.createTopic("news"));
            JmsApplication.send(session, producer, message -> {}, "a");
            assertEquals(List.of("a"), receive(subscriber, 1));
            jms.expect("archive", "a");
        }

        @Test
        void delaysHoldForTheCopies() throws Exception {
            jms.sendDelayed("fan", 200, "later");
            assertEquals(List.of(), jms.browse("fan.a"));
            for (String queue : List.of("fan", "fan.a", "fan.b")) {
                jms.expect(queue, "later");
            }
        }
    }

    @Nested
    class RequestAndReply {
        private void serve(String queue) throws JMSException {
            Session serving = jms.session();
            MessageProducer producer = serving.createProducer(null);
            serving.createConsumer(serving.createQueue(queue)).setMessageListener(request -> {
                try {
                    Message reply = serving.createTextMessage("reply to " + text(request));
                    reply.setJMSCorrelationID(request.getJMSMessageID());
                    producer.send(request.getJMSReplyTo(), reply);
                } catch (JMSException e) {
                    throw new IllegalStateException(e);
                }
            });
        }

        @Test
        void persistentRepliesToATemporaryQueueNeverTouchTheStore() throws Exception {
            Session session = jms.session();
            TemporaryQueue replies = session.createTemporaryQueue();
            MessageConsumer consumer = session.createConsumer(replies);
            MessageProducer producer = session.createProducer(replies);
            long before = broker.figure("millrace_journal_facts_total");
            for (int i = 0; i < 100; i++) {
                producer.send(session.createTextMessage("reply " + i));
                assertEquals("reply " + i, text(consumer.receive(SOON_MILLIS)));
            }
            assertEquals(before, broker.figure("millrace_journal_facts_total"));
            assertTrue(before > 0);
        }

        @Test
        void repliesOnOneQueueAreToldApartByTheirCorrelationIds() throws Exception {
            serve("service");
            Session session = jms.session();
            Queue replies = session.createQueue("replies");
            MessageProducer producer = session.createProducer(session.createQueue("service"));
            List<TextMessage> requests = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                TextMessage request = session.createTextMessage("request " + i);
                request.setJMSReplyTo(replies);
                producer.send(request);
                requests.add(request);
            }
            // The latest first, so that each selector has to look past what others wait for.
            for (int i = requests.size() - 1; i >= 0; i--) {
                String selector = "JMSCorrelationID = '" + requests.get(i).getJMSMessageID() + "'";
                try (MessageConsumer consumer = session.createConsumer(replies, selector)) {
                    assertEquals("reply to request " + i, text(consumer.receive(SOON_MILLIS)));
                }
            }
            broker.awaitMessages("replies", 0);
        }

        @Test
        void manyWaitOnOneReplyQueueAtOnce() throws Exception {
            Session session = jms.session();
            Queue replies = session.createQueue("replies.many");
            List<MessageConsumer> waiting = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                waiting.add(session.createConsumer(replies, "JMSCorrelationID = 'request " + i + "'"));
            }
            MessageProducer producer = session.createProducer(replies);
            for (int i = waiting.size() - 1; i >= 0; i--) {
                String id = "request " + i;
                JmsApplication.send(session, producer, reply -> reply.setJMSCorrelationID(id), "reply to " + id);
            }
            for (int i = 0; i < waiting.size(); i++) {
                assertEquals("reply to request " + i, text(waiting.get(i).receive(SOON_MILLIS)));
            }
            broker.awaitMessages("replies.many", 0);
        }

        @Test
        void aTemporaryTopicCarriesReplies() throws Exception {
            serve("service.topic");
            Session session = jms.session();
            TemporaryTopic replies = session.createTemporaryTopic();
            MessageConsumer consumer = session.createConsumer(replies);
            MessageProducer producer = session.createProducer(session.createQueue("service.topic"));
            TextMessage request = session.createTextMessage("request");
            request.setJMSReplyTo(replies);
            producer.send(request);
            Message reply = consumer.receive(SOON_MILLIS);
            assertEquals("reply to request", text(reply));
            assertEquals(request.getJMSMessageID(), reply.getJMSCorrelationID());
        }

        @Test
        void aTemporaryQueueThatIsDeletedIsGoneForEverybody() throws Exception {
            Connection connection = jms.connect("");
            Session session = connection.createSession();
            TemporaryQueue replies = session.createTemporaryQueue();
            jms.send(replies.getQueueName(), "reply");
            broker.awaitMessages(replies.getQueueName(), 1);
            replies.delete();
            assertThrows(InvalidDestinationException.class, () -> {
                while (true) {
                    jms.send(replies.getQueueName(), "too late");
                }
            });
        }
    }
}
