package io.millrace.main;

import static io.millrace.main.JmsApplication.SOON_MILLIS;
import static io.millrace.main.JmsApplication.nothing;
import static io.millrace.main.JmsApplication.receive;
import static io.millrace.main.JmsApplication.text;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Which consumer gets which message when: priorities, groups, shared and other queues, through a whole broker. */
@Timeout(60)
class OrderTest {
    @TempDir
    private static Path directory;

    private static RunningBroker broker;
    private JmsApplication jms;

    @BeforeAll
    static void startBroker() throws Exception {
        broker = RunningBroker.start(directory, """
                queues:
                  - {name: exclusive, consumers: exclusive}
                  - {name: single, consumers: single-active}
                  - {name: single.ranked, consumers: single-active}
                  - {name: quotes, last-value-key: symbol}
                  - {name: quotes.restart, last-value-key: symbol}
                  - {name: ring, max-messages: 3, when-full: drop-oldest}
                  - {name: log, replay: true}
                  - {name: log.chosen, replay: true}
                  - {name: log.ring, replay: true, max-messages: 2, when-full: drop-oldest}
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
    class Priorities {
        private void sendWith(String queue, int priority, String... texts) throws JMSException {
            try (Connection connection = jms.connect("")) {
                Session session = connection.createSession();
                MessageProducer producer = session.createProducer(session.createQueue(queue));
                producer.setPriority(priority);
                JmsApplication.send(session, producer, message -> {}, texts);
            }
        }

        @Test
        void higherOnesOvertakeABacklogAndEachKeepsItsOrder() throws Exception {
            List<String> expected = new ArrayList<>();
            for (int priority = 9; priority >= 0; priority--) {
                expected.add("first " + priority);
                expected.add("second " + priority);
            }
            for (String round : List.of("first ", "second ")) {
                for (int priority : List.of(4, 0, 9, 5, 1, 8, 2, 3, 7, 6)) {
                    sendWith("ranks", priority, round + priority);
                }
            }
            assertEquals(expected, jms.browse("ranks"));
            jms.close();
            broker.restart();
            assertEquals(expected, receive(jms.consumer("ranks"), 20));
        }

        @Test
        void oneThatComesLaterOvertakesWhatWaits() throws Exception {
            sendWith("ranks.later", 4, "a", "b", "c");
            MessageConsumer consumer = jms.modestConsumer("ranks.later", 0);
            assertEquals(List.of("a"), receive(consumer, 1));
            sendWith("ranks.later", 9, "urgent");
            assertEquals(List.of("urgent", "b", "c"), receive(consumer, 3));
        }

        @Test
        void thoseAboveNineCountAsNine() throws Exception {
            try (RawLink sender = RawLink.sender(broker.port(), "ranks.raw")) {
                for (int priority : new int[] {9, 200, 3}) {
                    org.apache.qpid.proton.message.Message message = RawLink.message("with " + priority);
                    message.setPriority((short) priority);
                    sender.send(message);
                }
            }
            assertEquals(List.of("with 9", "with 200", "with 3"), receive(jms.consumer("ranks.raw"), 3));
        }
    }

    @Nested
    class Groups {
        private static final List<String> NAMES = List.of("a", "b", "c", "d", "e", "f", "g", "h");

        private void send(String queue, String group, int sequence, String text) throws JMSException {
            jms.send(
                    queue,
                    message -> {
                        message.setStringProperty("JMSXGroupID", group);
                        message.setIntProperty("JMSXGroupSeq", sequence);
                    },
                    text);
        }

        /** What comes until so many messages have come, to whichever of the consumers, in the order of each. */
        private List<List<String>> share(int count, MessageConsumer... consumers) throws JMSException {
            List<List<String>> shares = new ArrayList<>();
            for (int i = 0; i < consumers.length; i++) {
                shares.add(new ArrayList<>());
            }
            long deadline = System.nanoTime() + SOON_MILLIS * 1_000_000;
            for (int got = 0; got < count; ) {
                for (int i = 0; i < consumers.length; i++) {
                    Message message = consumers[i].receive(20);
                    if (message != null) {
                        shares.get(i).add(text(message));
                        got++;
                    }
                }
                assertTrue(System.nanoTime() < deadline, () -> "of " + count + " came only " + shares);
            }
            return shares;
        }

        @Test
        void eachGoesToOneConsumerInOrderAndAllConsumersHaveSome() throws Exception {
            MessageConsumer first = jms.modestConsumer("groups", 1);
            MessageConsumer second = jms.modestConsumer("groups", 1);
            for (int i = 1; i <= 5; i++) {
                for (String group : NAMES) {
                    send("groups", group, i, group + i);
                }
            }
            List<List<String>> shares = share(40, first, second);
            assertFalse(shares.get(0).isEmpty() || shares.get(1).isEmpty(), shares::toString);
            for (String group : NAMES) {
                List<String> whole =
                        IntStream.rangeClosed(1, 5).mapToObj(i -> group + i).toList();
                long owners = shares.stream()
                        .filter(share -> share.stream()
                                .filter(text -> text.startsWith(group))
                                .toList()
                                .equals(whole))
                        .count();
                assertEquals(1, owners, () -> "group " + group + " in " + shares);
            }
        }

        @Test
        void aNewConsumerGetsItsShare() throws Exception {
            MessageConsumer first = jms.modestConsumer("groups.join", 1);
            for (String group : NAMES) {
                send("groups.join", group, 1, group + 1);
            }
            assertEquals(8, receive(first, 8).size());
            MessageConsumer second = jms.modestConsumer("groups.join", 1);
            for (String group : NAMES) {
                send("groups.join", group, 2, group + 2);
            }
            List<List<String>> shares = share(8, first, second);
            assertFalse(shares.get(0).isEmpty() || shares.get(1).isEmpty(), shares::toString);
        }

        @Test
        void whenAConsumerGoesAnotherTakesItsGroupsFromWhereTheyAre() throws Exception {
            Session session = jms.session(Session.CLIENT_ACKNOWLEDGE);
            MessageConsumer first = session.createConsumer(session.createQueue("groups.leave"));
            send("groups.leave", "a", 1, "a1");
            Message message = first.receive(SOON_MILLIS);
            message.acknowledge();
            MessageConsumer second = jms.consumer("groups.leave");
            send("groups.leave", "a", 2, "a2");
            send("groups.leave", "a", 3, "a3");
            session.close();
            assertEquals(List.of("a2", "a3"), receive(second, 2));
        }

        @Test
        void aNegativeSequenceClosesTheGroup() throws Exception {
            MessageConsumer first = jms.modestConsumer("groups.close", 1);
            MessageConsumer second = jms.modestConsumer("groups.close", 1);
            send("groups.close", "a", 1, "opens");
            int owner = share(1, first, second).get(0).isEmpty() ? 1 : 0;
            send("groups.close", "a", -1, "closes");
            assertEquals(List.of("closes"), share(1, first, second).get(owner));
            broker.awaitMessages("groups.close", 0);
            // The owner was served last, so the other one is the next in line.
            send("groups.close", "a", 1, "opens again");
            assertEquals(List.of("opens again"), share(1, first, second).get(1 - owner));
        }
    }

    @Nested
    class Sharing {
        @Test
        void anExclusiveQueueTellsTheSecondConsumerWhy() throws Exception {
            MessageConsumer first = jms.consumer("exclusive");
            JMSException refused = assertThrows(JMSException.class, () -> jms.consumer("exclusive"));
            assertTrue(refused.getMessage().contains("'exclusive' takes one consumer"), refused.getMessage());
            assertEquals(List.of(), jms.browse("exclusive"));
            jms.send("exclusive", "a");
            assertEquals(List.of("a"), receive(first, 1));
            first.close();
            jms.send("exclusive", "b");
            assertEquals(List.of("b"), receive(jms.consumer("exclusive"), 1));
        }

        @Test
        void ofSeveralOneIsActiveAndTheNextTakesOverInOrder() throws Exception {
            Connection connection = jms.connect("?jms.prefetchPolicy.all=2");
            Session session = connection.createSession(Session.CLIENT_ACKNOWLEDGE);
            MessageConsumer active = session.createConsumer(session.createQueue("single"));
            MessageConsumer waiting = jms.consumer("single");
            jms.send("single", "1", "2", "3", "4");
            Message first = active.receive(SOON_MILLIS);
            first.acknowledge();
            assertEquals("2", text(active.receive(SOON_MILLIS)));
            nothing(waiting);
            connection.close();
            assertEquals(List.of("2", "3", "4"), receive(waiting, 3));
        }

        @Test
        void theHigherConsumerPriorityIsServedFirst() throws Exception {
            try (RawLink low = receiver("served", -1, 10);
                    RawLink high = receiver("served", 5, 1)) {
                broker.await("millrace_queue_consumers\\{queue=\"served\"}", value -> value == 2);
                jms.send("served", "1", "2");
                assertEquals("1", high.receive());
                assertEquals("2", low.receive());
                high.settle(Accepted.getInstance());
                low.settle(Accepted.getInstance());
                broker.awaitMessages("served", 0);
            }
        }

        @Test
        void aHigherPriorityTakesOverASingleActiveQueue() throws Exception {
            try (RawLink low = receiver("single.ranked", 1, 10)) {
                jms.send("single.ranked", "1");
                assertEquals("1", low.receive());
                try (RawLink high = receiver("single.ranked", 2, 10)) {
                    broker.await("millrace_queue_consumers\\{queue=\"single.ranked\"}", value -> value == 2);
                    jms.send("single.ranked", "2");
                    low.settle(Accepted.getInstance());
                    assertEquals("2", high.receive());
                    high.settle(Accepted.getInstance());
                    broker.awaitMessages("single.ranked", 0);
                }
            }
        }

        private static RawLink receiver(String queue, int priority, int credit) throws Exception {
            return RawLink.receiver(broker.port(), queue, credit, Map.of(Symbol.valueOf("priority"), priority));
        }
    }

    @Nested
    class LastValues {
        private void quote(String queue, String symbol, String text) throws JMSException {
            jms.send(queue, message -> message.setStringProperty("symbol", symbol), text);
        }

        @Test
        void aNewValueTakesThePlaceOfTheOlderOne() throws Exception {
            quote("quotes", "ibm", "ibm 1");
            quote("quotes", "sun", "sun 1");
            quote("quotes", "ibm", "ibm 2");
            jms.send("quotes", "without");
            jms.send("quotes", "without either");
            assertEquals(List.of("sun 1", "ibm 2", "without", "without either"), jms.browse("quotes"));
            jms.expect("quotes", "sun 1", "ibm 2", "without", "without either");
            quote("quotes", "ibm", "ibm 3");
            jms.expect("quotes", "ibm 3");
        }

        @Test
        void oneThatComesBackIsGoneWhenThereIsANewerOne() throws Exception {
            Session session = jms.session(Session.CLIENT_ACKNOWLEDGE);
            quote("quotes", "held", "old");
            assertEquals(List.of("old"), receive(session.createConsumer(session.createQueue("quotes")), 1));
            quote("quotes", "held", "new");
            session.close();
            jms.expect("quotes", "new");
        }

        @Test
        void aRestartKeepsTheLatestAndGoesOn() throws Exception {
            quote("quotes.restart", "ibm", "ibm 1");
            quote("quotes.restart", "sun", "sun 1");
            jms.close();
            broker.restart();
            quote("quotes.restart", "ibm", "ibm 2");
            broker.awaitMessages("quotes.restart", 2);
            jms.expect("quotes.restart", "sun 1", "ibm 2");
        }
    }

    @Nested
    class Rings {
        @Test
        void theNewestStayOverARestart() throws Exception {
            jms.send("ring", "1", "2", "3", "4", "5");
            assertEquals(List.of("3", "4", "5"), jms.browse("ring"));
            jms.close();
            broker.restart();
            jms.send("ring", "6");
            jms.expect("ring", "4", "5", "6");
        }

        @Test
        void whatAConsumerHoldsIsNotDropped() throws Exception {
            Session session = jms.connect("?jms.prefetchPolicy.all=1").createSession(Session.CLIENT_ACKNOWLEDGE);
            jms.send("ring", "1", "2", "3");
            MessageConsumer consumer = session.createConsumer(session.createQueue("ring"));
            Message held = consumer.receive(SOON_MILLIS);
            assertEquals("1", text(held));
            consumer.close();
            jms.send("ring", "4");
            held.acknowledge();
            session.close();
            jms.expect("ring", "3", "4");
        }
    }

    @Nested
    class Replaying {
        @Test
        void everyConsumerSeesEverythingFromTheStartAlsoAfterARestart() throws Exception {
            jms.send("log", "1", "2", "3");
            MessageConsumer first = jms.consumer("log");
            assertEquals(List.of("1", "2", "3"), receive(first, 3));
            MessageConsumer second = jms.consumer("log");
            assertEquals(List.of("1", "2", "3"), receive(second, 3));
            jms.send("log", "4");
            assertEquals(List.of("4"), receive(first, 1));
            assertEquals(List.of("4"), receive(second, 1));
            jms.close();
            broker.restart();
            assertEquals(List.of("1", "2", "3", "4"), receive(jms.consumer("log"), 4));
            broker.awaitMessages("log", 4);
        }

        @Test
        void aSelectorChooses() throws Exception {
            jms.send("log.chosen", message -> message.setIntProperty("n", 1), "one");
            jms.send("log.chosen", message -> message.setIntProperty("n", 2), "two");
            Session session = jms.session();
            Queue queue = session.createQueue("log.chosen");
            MessageConsumer consumer = session.createConsumer(queue, "n = 2");
            assertEquals(List.of("two"), receive(consumer, 1));
            nothing(consumer);
        }

        @Test
        void limitsRetainTheNewest() throws Exception {
            jms.send("log.ring", "1", "2", "3");
            assertEquals(List.of("2", "3"), receive(jms.consumer("log.ring"), 2));
            assertEquals(List.of("2", "3"), receive(jms.consumer("log.ring"), 2));
        }
    }
}
