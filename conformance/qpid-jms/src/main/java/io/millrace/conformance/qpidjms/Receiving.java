package io.millrace.conformance.qpidjms;

import io.millrace.conformance.tap.Expect;
import jakarta.jms.Connection;
import jakarta.jms.InvalidSelectorException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.QueueBrowser;
import jakarta.jms.Session;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** Consumers: receive in all its forms, listeners, prefetch, selectors, browsers and groups. */
final class Receiving {
    private Receiving() {}

    static void add(Tests tests) {
        tests.test("receive with a time returns a message that is sent meanwhile", Receiving::receiveWaits);
        tests.test("receive with a time returns nothing when nothing came", Receiving::receiveTimesOut);
        tests.test("receiveNoWait finds what is in the queue, a hundred times", Receiving::receiveNoWait);
        tests.test("with a prefetch of 0 a consumer takes only what it asks for", Receiving::prefetchNone);
        tests.test("with a prefetch of 1 a slow consumer leaves the rest to others", Receiving::prefetchOne);
        tests.test("what a closed consumer had prefetched goes to another in order, and not as redelivered", Receiving::prefetched);
        tests.test("a listener gets all messages in order", Receiving::listener);
        tests.test("a message whose listener threw comes again", Receiving::listenerThrows);
        tests.test("listeners of four sessions share a queue, each message once", Receiving::sharedQueue);
        tests.test("a stopped connection gets nothing until it is started", Receiving::stopped);
        tests.test("a selector takes what matches and leaves the rest", Receiving::selector);
        tests.test("selectors know all of SQL-92 that JMS has", Receiving::selectorSyntax);
        tests.test("a selector with a mistake is refused by client and broker", Receiving::invalidSelector);
        tests.test("a browser shows all in order and takes nothing", Receiving::browser);
        tests.test("a browser with a selector shows what matches", Receiving::browserWithSelector);
        tests.test("a browser reads a thousand messages with a prefetch of 10", Receiving::longBrowse);
        tests.test("each message group goes to one consumer, in order", Receiving::groups);
    }

    private static void receiveWaits(Trial trial) throws Exception {
        Session session = trial.session();
        MessageConsumer consumer = session.createConsumer(session.createQueue(trial.address()));
        Future<String> text = trial.beside(() -> Messages.text(Messages.next(consumer)));
        Session other = trial.session();
        Messages.send(other, other.createQueue(trial.address()), "one");
        Expect.equal("one", text.get(), "text");
    }

    private static void receiveTimesOut(Trial trial) throws Exception {
        Session session = trial.session();
        MessageConsumer consumer = session.createConsumer(session.createQueue(trial.address()));
        long start = System.nanoTime();
        Expect.equal(null, consumer.receive(300), "message");
        Expect.that(System.nanoTime() - start >= 300_000_000, "a wait of 300 ms");
        Messages.send(session, session.createQueue(trial.address()), "one");
        Messages.expect(consumer, "one");
    }

    private static void receiveNoWait(Trial trial) throws Exception {
        Session sending = trial.session();
        Queue queue = sending.createQueue(trial.address());
        MessageProducer producer = sending.createProducer(queue);
        Session receiving = trial.session();
        for (int i = 0; i < 100; i++) {
            producer.send(sending.createTextMessage("" + i));
            try (MessageConsumer consumer = receiving.createConsumer(queue)) {
                Message got = consumer.receiveNoWait();
                Expect.that(got != null, "message " + i);
                Expect.equal("" + i, Messages.text(got), "text");
                Messages.expectNone(consumer);
            }
        }
    }

    private static void prefetchNone(Trial trial) throws Exception {
        Session lazy = trial.session("jms.prefetchPolicy.all=0");
        Queue queue = lazy.createQueue(trial.address());
        MessageConsumer idle = lazy.createConsumer(queue);
        Messages.send(lazy, queue, Messages.numbers(0, 10));
        Messages.expect(idle, "0", "1");
        try (MessageConsumer eager = trial.session().createConsumer(queue)) {
            Messages.expect(eager, Messages.numbers(2, 10));
        }
        Messages.expectNone(idle);
        Expect.equal(null, idle.receive(50), "message");
        Messages.send(lazy, queue, "10");
        Messages.expect(idle, "10");
    }

    private static void prefetchOne(Trial trial) throws Exception {
        Connection connection = trial.connect("jms.prefetchPolicy.all=1");
        Session slow = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        Queue queue = slow.createQueue(trial.address());
        Messages.send(slow, queue, Messages.numbers(0, 20));
        MessageConsumer consumer = slow.createConsumer(queue);
        Message held = Messages.next(consumer);
        Expect.equal("0", Messages.text(held), "text");
        Session quick = trial.session();
        // The slow one works on 0 and may have 1 in advance.
        List<String> others = Messages.texts(Messages.next(quick.createConsumer(queue), 18));
        Expect.equal(Messages.numbers(2, 20), others, "messages of the quick one");
        Messages.expect(consumer, "1");
        held.acknowledge();
    }

    private static void prefetched(Trial trial) throws Exception {
        Session first = trial.session();
        Queue queue = first.createQueue(trial.address());
        Messages.send(first, queue, Messages.numbers(0, 50));
        try (MessageConsumer consumer = first.createConsumer(queue)) {
            Messages.expect(consumer, "0", "1");
        }
        List<Message> rest = Messages.next(trial.session().createConsumer(queue), 48);
        Expect.equal(Messages.numbers(2, 50), Messages.texts(rest), "messages");
        for (Message message : rest) {
            Expect.equal(false, message.getJMSRedelivered(), "redelivered");
        }
    }

    private static void listener(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        BlockingQueue<Message> got = new LinkedBlockingQueue<>();
        session.createConsumer(queue).setMessageListener(got::add);
        Session sending = trial.session();
        Messages.send(sending, queue, Messages.numbers(0, 500));
        List<Message> messages = new ArrayList<>();
        Expect.within(Messages.PATIENCE, "500 messages", () -> {
            got.drainTo(messages);
            return messages.size() == 500;
        });
        Expect.equal(Messages.numbers(0, 500), Messages.texts(messages), "messages");
    }

    private static void listenerThrows(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        AtomicInteger attempts = new AtomicInteger();
        CountDownLatch done = new CountDownLatch(1);
        session.createConsumer(queue).setMessageListener(message -> {
            if (attempts.incrementAndGet() < 3) {
                throw new IllegalStateException("on purpose");
            }
            done.countDown();
        });
        Session other = trial.session();
        Messages.send(other, queue, "one");
        Expect.that(done.await(Messages.PATIENCE.toMillis(), TimeUnit.MILLISECONDS), "a third attempt");
        session.close();
        Messages.expectQueue(other, queue);
        Expect.equal(3, attempts.get(), "attempts");
    }

    private static void sharedQueue(Trial trial) throws Exception {
        Connection connection = trial.connect("jms.prefetchPolicy.all=5");
        Map<String, Integer> times = new ConcurrentHashMap<>();
        Map<Integer, Boolean> busy = new ConcurrentHashMap<>();
        CountDownLatch left = new CountDownLatch(1_000);
        for (int i = 0; i < 4; i++) {
            int number = i;
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            session.createConsumer(session.createQueue(trial.address())).setMessageListener(message -> {
                try {
                    times.merge(Messages.text(message), 1, Integer::sum);
                } catch (JMSException e) {
                    times.put(e.toString(), 1);
                }
                busy.put(number, true);
                left.countDown();
            });
        }
        Session sending = trial.session();
        Messages.send(sending, sending.createQueue(trial.address()), Messages.numbers(0, 1_000));
        Expect.that(left.await(Messages.PATIENCE.toMillis(), TimeUnit.MILLISECONDS), "1000 messages");
        Expect.equal(1_000, times.size(), "different messages");
        Expect.that(times.values().stream().allMatch(count -> count == 1), "each message once");
        Expect.equal(4, busy.size(), "sessions with messages");
    }

    private static void stopped(Trial trial) throws Exception {
        Connection connection = trial.connect();
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = session.createQueue(trial.address());
        MessageConsumer consumer = session.createConsumer(queue);
        Messages.send(session, queue, "one", "two");
        Messages.expect(consumer, "one");
        connection.stop();
        Expect.equal(null, consumer.receive(200), "message while stopped");
        connection.start();
        Messages.expect(consumer, "two");
    }

    private static void sendColors(Session session, Queue queue, String... colors) throws JMSException {
        MessageProducer producer = session.createProducer(queue);
        for (int i = 0; i < colors.length; i++) {
            Message message = session.createTextMessage(colors[i] + i);
            message.setStringProperty("color", colors[i]);
            message.setIntProperty("number", i);
            producer.send(message);
        }
    }

    private static void selector(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        sendColors(session, queue, "red", "blue", "red", "green", "blue");
        try (MessageConsumer blue = session.createConsumer(queue, "color = 'blue'")) {
            Messages.expect(blue, "blue1", "blue4");
            Messages.expectNone(blue);
        }
        Messages.expect(session.createConsumer(queue), "red0", "red2", "green3");
    }

    private static void selectorSyntax(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        Message sent = session.createTextMessage("one");
        sent.setJMSType("order");
        sent.setJMSCorrelationID("c'1");
        sent.setStringProperty("color", "dark_red");
        sent.setIntProperty("number", 7);
        sent.setDoubleProperty("price", 12.5);
        sent.setBooleanProperty("paid", true);
        session.createProducer(queue).send(sent);
        for (String selector : List.of(
                "color = 'dark_red' AND NOT (number <> 7)",
                "color LIKE 'dark!_%' ESCAPE '!'",
                "color NOT LIKE 'light%' AND color IN ('red', 'dark_red')",
                "number BETWEEN 5 AND 9 AND number + 1 = 2 * 4",
                "price >= 12.5 AND price < 1.3E1",
                "paid AND paid = TRUE",
                "nothing IS NULL AND color IS NOT NULL",
                "JMSType = 'order' AND JMSPriority = 4 AND JMSDeliveryMode = 'PERSISTENT'",
                "JMSCorrelationID = 'c''1' OR nothing = 1",
                "JMSTimestamp > 0 AND JMSMessageID LIKE 'ID:%'")) {
            Expect.equal(List.of("one"), Messages.browse(session, queue, selector), selector);
        }
        for (String selector : List.of("nothing = 1", "NOT (nothing = 1)", "color = 7", "number = '7'", "JMSType IS NULL")) {
            Expect.equal(List.of(), Messages.browse(session, queue, selector), selector);
        }
    }

    private static void invalidSelector(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        Expect.failure(
                InvalidSelectorException.class, "the client's look at it", () -> session.createConsumer(queue, "color ="));
        Session unchecked = trial.session("jms.validateSelector=false");
        JMSException refusal = Expect.failure(
                JMSException.class, "the broker's look at it", () -> unchecked.createConsumer(queue, "color ="));
        Expect.that(refusal.getMessage().contains("invalid-field"), "a wrong field in " + refusal.getMessage());
        Messages.send(unchecked, queue, "the session goes on");
        Messages.expect(unchecked.createConsumer(queue), "the session goes on");
    }

    private static void browser(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        Expect.equal(List.of(), Messages.browse(session, queue), "messages at first");
        List<String> texts = Messages.numbers(0, 20);
        Messages.send(session, queue, texts);
        for (int i = 0; i < 3; i++) {
            Expect.equal(texts, Messages.browse(session, queue), "messages");
        }
        List<Message> taken = Messages.next(session.createConsumer(queue), 20);
        Expect.equal(texts, Messages.texts(taken), "messages taken");
        Expect.equal(1, Messages.deliveryCount(taken.get(0)), "delivery count after browsing");
        Expect.equal(List.of(), Messages.browse(session, queue), "messages at last");
    }

    private static void browserWithSelector(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        sendColors(session, queue, "red", "blue", "red", "green", "blue");
        Expect.equal(List.of("red0", "red2"), Messages.browse(session, queue, "color = 'red'"), "red ones");
        Expect.equal(List.of("green3", "blue4"), Messages.browse(session, queue, "number >= 3"), "late ones");
        Expect.equal(5, Messages.browse(session, queue).size(), "all");
    }

    private static void longBrowse(Trial trial) throws Exception {
        Session session = trial.session("jms.prefetchPolicy.queueBrowserPrefetch=10");
        Queue queue = session.createQueue(trial.address());
        Messages.send(trial.session("jms.forceAsyncSend=true"), queue, Messages.numbers(0, 999));
        Messages.send(session, queue, "999");
        Expect.within(Messages.PATIENCE, "1000 messages", () -> Messages.browse(session, queue).size() == 1_000);
        try (QueueBrowser browser = session.createBrowser(queue)) {
            Enumeration<?> messages = browser.getEnumeration();
            for (int i = 0; i < 500; i++) {
                Expect.that(messages.hasMoreElements(), "a message " + i);
                messages.nextElement();
            }
        }
        Expect.equal(1_000, Messages.browse(session, queue).size(), "messages after a browse that ended early");
    }

    private static void groups(Trial trial) throws Exception {
        Queue queue = trial.session().createQueue(trial.address());
        Map<String, List<String>> perGroup = new ConcurrentHashMap<>();
        Map<String, Integer> consumerOf = new ConcurrentHashMap<>();
        BlockingQueue<String> strays = new LinkedBlockingQueue<>();
        CountDownLatch left = new CountDownLatch(200);
        for (int i = 0; i < 3; i++) {
            int number = i;
            trial.session().createConsumer(queue).setMessageListener(message -> {
                try {
                    String group = message.getStringProperty("JMSXGroupID");
                    if (consumerOf.computeIfAbsent(group, key -> number) != number) {
                        strays.add(group + " went to consumer " + number);
                    }
                    perGroup.computeIfAbsent(group, key -> new ArrayList<>()).add(Messages.text(message));
                } catch (JMSException e) {
                    strays.add(e.toString());
                }
                left.countDown();
            });
        }
        Session session = trial.session();
        MessageProducer producer = session.createProducer(queue);
        for (int i = 0; i < 20; i++) {
            for (int group = 0; group < 10; group++) {
                Message message = session.createTextMessage("" + i);
                message.setStringProperty("JMSXGroupID", "group " + group);
                message.setIntProperty("JMSXGroupSeq", i + 1);
                producer.send(message);
            }
        }
        Expect.that(left.await(Messages.PATIENCE.toMillis(), TimeUnit.MILLISECONDS), "200 messages");
        Expect.equal(List.of(), List.copyOf(strays), "strays");
        Expect.equal(10, perGroup.size(), "groups");
        perGroup.forEach((group, texts) -> Expect.equal(Messages.numbers(0, 20), texts, group));
    }
}
