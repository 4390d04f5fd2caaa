package io.millrace.conformance.qpidjms;

import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import jakarta.jms.Topic;
import jakarta.jms.TransactionRolledBackException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.apache.qpid.jms.JmsConnectionFactory;

/** What an application sees of a broker that dies or stops and comes back: with {@code failover:}, and without. */
final class Reconnecting {
    private static final Duration LIMIT = Duration.ofSeconds(90);
    private static final int LOAD = 900;

    private Reconnecting() {}

    static void add(Tests tests) {
        tests.test("failover: connects to the second address when the first is dead", Reconnecting::secondAddress);
        tests.test("failover: gives up after the attempts it was allowed", Reconnecting::givesUp);
        tests.test("failover: a crash in mid-load loses nothing that was sent", LIMIT, Reconnecting::crash);
        tests.test("failover: a restart in mid-load loses nothing that was sent", LIMIT, Reconnecting::restart);
        tests.test("failover: transactions are whole over a crash", LIMIT, Reconnecting::transactions);
        tests.test("failover: a durable subscriber misses nothing over a crash", LIMIT, Reconnecting::durable);
        tests.test("failover: idle consumers and producers work after a restart", LIMIT, Reconnecting::idle);
        tests.test("failover: request and reply with a temporary queue go on after a restart", LIMIT, Reconnecting::requests);
        tests.test("without failover the exception listener hears of a crash, and a new connection works", LIMIT, Reconnecting::plain);
    }

    private static JmsConnectionFactory failover(Trial trial, String... options) {
        return new JmsConnectionFactory(
                Trial.url("failover:(" + trial.broker().url() + ")", options) + (options.length == 0 ? "?" : "&")
                        + "failover.initialReconnectDelay=0&failover.reconnectDelay=50&failover.maxReconnectDelay=200");
    }

    private static void secondAddress(Trial trial) throws Exception {
        Connection connection = trial.connect(
                new JmsConnectionFactory("failover:(amqp://127.0.0.1:1," + trial.broker().url() + ")"));
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = session.createQueue(trial.address());
        Messages.send(session, queue, "one");
        Messages.expect(session.createConsumer(queue), "one");
    }

    private static void givesUp(Trial trial) throws Exception {
        JmsConnectionFactory factory = new JmsConnectionFactory("failover:(amqp://127.0.0.1:1)"
                + "?failover.startupMaxReconnectAttempts=3&failover.reconnectDelay=10");
        Expect.failure(JMSException.class, "connecting to nobody", () -> trial.connect(factory));
    }

    private static void crash(Trial trial) throws Exception {
        trial.broker().needsCrash();
        load(trial, () -> trial.broker().crash());
    }

    private static void restart(Trial trial) throws Exception {
        trial.broker().needsRestart();
        load(trial, () -> trial.broker().restart());
    }

    /**
     * Which messages came, which a commit of unknown end may have taken, and which were being sent when the blow came: what had no
     * answer then the client sends again, so it may be there twice.
     */
    private static final class Ledger {
        final Set<String> got = ConcurrentHashMap.newKeySet();
        final Set<String> sentAgain = ConcurrentHashMap.newKeySet();
        final Set<String> unsure = ConcurrentHashMap.newKeySet();
        final CountDownLatch third = new CountDownLatch(LOAD / 3);
        volatile boolean begun;
        volatile boolean over;

        void note(Message message) {
            try {
                if (got.add(Messages.text(message))) {
                    third.countDown();
                }
            } catch (JMSException e) {
                throw new IllegalStateException(e);
            }
        }

        List<String> missing() {
            List<String> missing = new ArrayList<>(Messages.numbers(0, LOAD));
            missing.removeAll(got);
            missing.removeAll(unsure);
            return missing;
        }
    }

    /** One sends, three receive (a listener, one that acknowledges itself, one with transactions); a third of the way comes a blow. */
    private static void load(Trial trial, Tap.Body blow) throws Exception {
        Ledger ledger = new Ledger();
        Queue queue = trial.session().createQueue(trial.address());
        Session listening = trial.connect(failover(trial)).createSession(false, Session.AUTO_ACKNOWLEDGE);
        listening.createConsumer(queue).setMessageListener(ledger::note);
        List<Future<Void>> workers = List.of(
                trial.beside(() -> sending(trial, queue, ledger)),
                trial.beside(() -> acknowledging(trial, queue, ledger)),
                trial.beside(() -> transacting(trial, queue, ledger)));
        Expect.that(ledger.third.await(30, TimeUnit.SECONDS), "a third of the messages");
        ledger.begun = true;
        blow.run();
        ledger.over = true;
        try {
            Expect.within(Duration.ofSeconds(40), "all " + LOAD + " messages", () -> {
                for (Future<Void> worker : workers) {
                    if (worker.isDone()) {
                        worker.get();
                    }
                }
                return ledger.missing().isEmpty();
            });
        } catch (AssertionError e) {
            throw new AssertionError(e.getMessage() + "; missing: " + ledger.missing(), e);
        }
        for (Future<Void> worker : workers) {
            worker.get(10, TimeUnit.SECONDS);
        }
        List<String> receipts = Messages.browse(trial.session(), trial.session().createQueue(trial.address("receipts")));
        Set<String> once = new TreeSet<>();
        List<String> twice = receipts.stream().filter(each -> !once.add(each)).toList();
        Expect.that(
                ledger.sentAgain.containsAll(twice),
                "one transaction for each message that has any, but for " + ledger.sentAgain + ", not two for " + twice);
        ledger.unsure.removeAll(ledger.got);
        ledger.unsure.removeAll(receipts);
        Expect.equal(Set.of(), ledger.unsure, "messages of transactions that were neither committed nor rolled back");
    }

    private static Void sending(Trial trial, Queue queue, Ledger ledger) throws JMSException {
        Session session = trial.connect(failover(trial)).createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(queue);
        for (String text : Messages.numbers(0, LOAD)) {
            boolean before = !ledger.over;
            producer.send(session.createTextMessage(text));
            if (before && ledger.begun) {
                ledger.sentAgain.add(text);
            }
        }
        return null;
    }

    private static Void acknowledging(Trial trial, Queue queue, Ledger ledger) throws JMSException {
        Session session =
                trial.connect(failover(trial, "jms.prefetchPolicy.all=20")).createSession(false, Session.CLIENT_ACKNOWLEDGE);
        MessageConsumer consumer = session.createConsumer(queue);
        while (!ledger.missing().isEmpty()) {
            Message message = consumer.receive(200);
            if (message != null) {
                ledger.note(message);
                message.acknowledge();
            }
        }
        return null;
    }

    private static Void transacting(Trial trial, Queue queue, Ledger ledger) throws JMSException {
        Session session =
                trial.connect(failover(trial, "jms.prefetchPolicy.all=20")).createSession(true, Session.SESSION_TRANSACTED);
        MessageConsumer consumer = session.createConsumer(queue);
        MessageProducer receipts = session.createProducer(session.createQueue(trial.address("receipts")));
        while (!ledger.missing().isEmpty()) {
            Message message = consumer.receive(200);
            if (message == null) {
                continue;
            }
            if (sent(session, receipts, Messages.text(message))) {
                ledger.note(message);
            } else {
                ledger.unsure.add(Messages.text(message));
            }
        }
        return null;
    }

    /** Sends in a transaction. Whether that was committed for certain; otherwise it may have been, or not. */
    private static boolean sent(Session session, MessageProducer producer, String... texts) throws JMSException {
        try {
            for (String text : texts) {
                producer.send(session.createTextMessage(text));
            }
            session.commit();
            return true;
        } catch (TransactionRolledBackException e) {
            return false;
        }
    }

    private static void transactions(Trial trial) throws Exception {
        trial.broker().needsCrash();
        int batches = 100;
        Queue queue = trial.session().createQueue(trial.address());
        CountDownLatch third = new CountDownLatch(batches / 3);
        Set<Integer> unsure = ConcurrentHashMap.newKeySet();
        Future<Void> sending = trial.beside(() -> {
            Session session = trial.connect(failover(trial)).createSession(true, Session.SESSION_TRANSACTED);
            MessageProducer producer = session.createProducer(queue);
            for (int batch = 0; batch < batches; batch++) {
                while (!sent(session, producer, batch + "-0", batch + "-1", batch + "-2")) {
                    unsure.add(batch);
                }
                third.countDown();
            }
            return null;
        });
        Expect.that(third.await(30, TimeUnit.SECONDS), "a third of the transactions");
        trial.broker().crash();
        sending.get(30, TimeUnit.SECONDS);
        MessageConsumer consumer = trial.session().createConsumer(queue);
        Set<Integer> seen = new TreeSet<>();
        for (Message message = consumer.receiveNoWait(); message != null; message = consumer.receiveNoWait()) {
            int batch = Integer.parseInt(Messages.text(message).replace("-0", ""));
            Messages.expect(consumer, batch + "-1", batch + "-2");
            // A commit that the crash left without answer may have been done, and then it is there twice.
            Expect.that(seen.add(batch) || unsure.remove(batch), "transaction " + batch + " once");
        }
        Expect.equal(batches, seen.size(), "transactions");
    }

    private static void durable(Trial trial) throws Exception {
        trial.broker().needsCrash();
        int count = 300;
        Set<String> got = ConcurrentHashMap.newKeySet();
        CountDownLatch third = new CountDownLatch(count / 3);
        Session session = trial.connect(failover(trial, "jms.clientID=" + trial.address("client")))
                .createSession(false, Session.AUTO_ACKNOWLEDGE);
        Topic topic = session.createTopic(trial.address());
        MessageConsumer consumer = session.createDurableConsumer(topic, "news");
        consumer.setMessageListener(message -> {
            try {
                if (got.add(Messages.text(message))) {
                    third.countDown();
                }
            } catch (JMSException e) {
                throw new IllegalStateException(e);
            }
        });
        Future<Void> sending = trial.beside(() -> {
            Session publishing = trial.connect(failover(trial)).createSession(false, Session.AUTO_ACKNOWLEDGE);
            Messages.send(publishing, topic, Messages.numbers(0, count));
            return null;
        });
        Expect.that(third.await(30, TimeUnit.SECONDS), "a third of the messages");
        trial.broker().crash();
        sending.get(30, TimeUnit.SECONDS);
        Expect.within(Duration.ofSeconds(30), "all messages", () -> got.size() == count);
        consumer.close();
        session.unsubscribe("news");
    }

    private static void idle(Trial trial) throws Exception {
        trial.broker().needsRestart();
        Session session = trial.connect(failover(trial)).createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = session.createQueue(trial.address());
        MessageConsumer consumer = session.createConsumer(queue);
        MessageProducer producer = session.createProducer(queue);
        MessageProducer anonymous = session.createProducer(null);
        trial.broker().restart();
        producer.send(session.createTextMessage("a"));
        anonymous.send(queue, session.createTextMessage("b"));
        Messages.expect(consumer, "a", "b");
    }

    private static void requests(Trial trial) throws Exception {
        trial.broker().needsRestart();
        Session serving = trial.connect(failover(trial)).createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = serving.createQueue(trial.address());
        MessageProducer replying = serving.createProducer(null);
        Set<String> unanswered = ConcurrentHashMap.newKeySet();
        serving.createConsumer(queue).setMessageListener(request -> {
            try {
                replying.send(request.getJMSReplyTo(), serving.createTextMessage("reply to " + Messages.text(request)));
            } catch (JMSException e) {
                unanswered.add(e.toString()); // who asked is gone
            }
        });
        Session session = trial.connect(failover(trial)).createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageProducer producer = session.createProducer(queue);
        TemporaryQueue replies = session.createTemporaryQueue();
        MessageConsumer consumer = session.createConsumer(replies);
        for (int i = 0; i < 2; i++) {
            Message request = session.createTextMessage("" + i);
            request.setJMSReplyTo(replies);
            producer.send(request);
            Messages.expect(consumer, "reply to " + i);
            if (i == 0) {
                trial.broker().restart();
                // Goes through when the client has connected again, and then it knows the queue's new name.
                Messages.send(session, session.createQueue(trial.address("other")), "one");
            }
        }
        Expect.that(unanswered.size() <= 1, "a reply for all but the request that the restart repeated: " + unanswered);
    }

    private static void plain(Trial trial) throws Exception {
        trial.broker().needsCrash();
        Connection connection = trial.connect();
        CountDownLatch heard = new CountDownLatch(1);
        connection.setExceptionListener(e -> heard.countDown());
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Queue queue = session.createQueue(trial.address());
        Messages.send(session, queue, "one");
        trial.broker().crash();
        Expect.that(heard.await(15, TimeUnit.SECONDS), "a word to the exception listener");
        Expect.failure(JMSException.class, "a send", () -> Messages.send(session, queue, "two"));
        Messages.expect(trial.session().createConsumer(queue), "one");
    }
}
