package io.millrace.conformance.spring;

import io.millrace.conformance.tap.Expect;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.Session;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.springframework.jms.connection.CachingConnectionFactory;
import org.springframework.jms.connection.JmsTransactionManager;
import org.springframework.jms.core.JmsTemplate;
import org.springframework.jms.listener.DefaultMessageListenerContainer;
import org.springframework.jms.listener.SimpleMessageListenerContainer;

/** Listener containers on queues. */
final class Containers {
    private Containers() {}

    static void add(Tests tests) {
        tests.test("container, cache level auto: each message comes once and in order", Containers::automatic);
        tests.test("container: concurrency 1-10 grows to ten consumers at once", Containers::growing);
        tests.test("container, no cache and a transaction manager: each message once, on a connection of its own", Containers::noCache);
        tests.test("container, no cache and a transaction manager: idle attaching and detaching loses nothing", Containers::idleChurn);
        tests.test("container, no cache and a transaction manager: what is rolled back comes again, then it is dead", Containers::dead);
        tests.test("container, no cache and a transaction manager over CachingConnectionFactory", Containers::cachingFactory);
        tests.test("container, session transacted: what is rolled back comes again", Containers::transacted);
        tests.test("container, client acknowledgement: a message whose listener threw comes again", Containers::clientAcknowledge);
        tests.test("container: a selector", Containers::selector);
        tests.test("container: shutdown leaves what it has not worked on in the queue", Containers::shutdown);
        tests.test("container: recovers by itself after a crash of the broker", Containers::recovery);
        tests.test("container, no cache and a transaction manager: recovers after a crash of the broker", Containers::noCacheRecovery);
        tests.test("simple container: five concurrent consumers share a queue", Containers::simple);
    }

    private static void automatic(Trial trial) throws Exception {
        Trial.send(trial.template(), trial.address(), Trial.numbers(0, 100));
        Receipts receipts = new Receipts();
        DefaultMessageListenerContainer container = trial.container(trial.factory(), trial.address());
        container.setMessageListener(receipts);
        Trial.started(container);
        receipts.expect(Trial.numbers(0, 100));
        Trial.send(trial.template(), trial.address(), Trial.numbers(100, 300));
        receipts.expect(Trial.numbers(0, 300));
        Expect.equal(Trial.numbers(0, 300), receipts.all(), "messages");
        Trial.expectQueue(trial.template(), trial.address());
    }

    private static void growing(Trial trial) throws Exception {
        CountDownLatch ten = new CountDownLatch(10);
        Receipts receipts = new Receipts();
        DefaultMessageListenerContainer container =
                trial.container(trial.factory("jms.prefetchPolicy.all=1"), trial.address());
        container.setConcurrency("1-10");
        container.setMessageListener((jakarta.jms.MessageListener) message -> {
            // Each waits until ten are at work.
            ten.countDown();
            try {
                Expect.that(ten.await(Trial.PATIENCE.toMillis(), TimeUnit.MILLISECONDS), "ten at work");
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            receipts.onMessage(message);
        });
        Trial.started(container);
        Trial.send(trial.template(), trial.address(), Trial.numbers(0, 200));
        Expect.that(ten.await(Trial.PATIENCE.toMillis(), TimeUnit.MILLISECONDS), "ten consumers at work");
        receipts.expect(Trial.numbers(0, 200));
        Trial.expectQueue(trial.template(), trial.address());
    }

    /** As people have it who set a transaction manager: nothing is cached, so each receive has a connection of its own. */
    private static DefaultMessageListenerContainer managed(Trial trial, ConnectionFactory factory, String destination) {
        DefaultMessageListenerContainer container = trial.container(factory, destination);
        container.setTransactionManager(new JmsTransactionManager(factory));
        container.setReceiveTimeout(100);
        return container;
    }

    private static void noCache(Trial trial) throws Exception {
        Trial.send(trial.template(), trial.address(), Trial.numbers(0, 30));
        Receipts receipts = new Receipts();
        DefaultMessageListenerContainer container = managed(trial, trial.factory(), trial.address());
        container.setMessageListener(receipts);
        Trial.started(container);
        receipts.expect(Trial.numbers(0, 30));
        Expect.equal(Trial.numbers(0, 30), receipts.all(), "messages");
        container.shutdown();
        Trial.expectQueue(trial.template(), trial.address());
    }

    private static void idleChurn(Trial trial) throws Exception {
        Receipts receipts = new Receipts();
        DefaultMessageListenerContainer container = managed(trial, trial.factory(), trial.address());
        container.setConcurrentConsumers(3);
        container.setReceiveTimeout(20);
        container.setMessageListener(receipts);
        Trial.started(container);
        JmsTemplate template = trial.template();
        for (int i = 0; i < 30; i++) {
            // One by one, so that each meets consumers that come and go.
            template.convertAndSend(trial.address(), "" + i);
            receipts.expect(Trial.numbers(0, i + 1));
        }
        container.shutdown();
        Trial.expectQueue(trial.template(), trial.address());
    }

    private static void dead(Trial trial) throws Exception {
        trial.broker().needsRestart();
        String queue = "spring.attempts";
        String poison = trial.address() + " poison";
        String good = trial.address() + " good";
        Receipts receipts = new Receipts(poison::equals);
        DefaultMessageListenerContainer container = managed(trial, trial.factory(), queue);
        container.setMessageListener(receipts);
        Trial.started(container);
        Trial.send(trial.template(), queue, List.of(poison, good));
        JmsTemplate template = trial.template();
        String reason = "\"x-opt-death-reason\" = 'max-deliveries'";
        Expect.equal(poison, template.receiveSelectedAndConvert(queue + ".dlq", reason), "dead message");
        Expect.within(Trial.PATIENCE, "the good one", () -> receipts.count(good) == 1);
        Expect.equal(3L, receipts.count(poison), "attempts");
        container.shutdown();
        Trial.expectQueue(template, queue);
    }

    private static void cachingFactory(Trial trial) throws Exception {
        CachingConnectionFactory factory = new CachingConnectionFactory(trial.factory());
        factory.setSessionCacheSize(10);
        trial.closing(factory::destroy);
        AtomicInteger failures = new AtomicInteger();
        Receipts receipts = new Receipts(text -> text.equals("7") && failures.incrementAndGet() < 3);
        DefaultMessageListenerContainer container = managed(trial, factory, trial.address());
        container.setMessageListener(receipts);
        Trial.started(container);
        Trial.send(trial.template(), trial.address(), Trial.numbers(0, 100));
        Expect.within(Trial.PATIENCE, "102 deliveries", () -> receipts.all().size() == 102);
        Expect.equal(3L, receipts.count("7"), "attempts of the one that failed twice");
        container.shutdown();
        factory.resetConnection();
        Trial.expectQueue(trial.template(), trial.address());
    }

    private static void transacted(Trial trial) throws Exception {
        AtomicInteger failures = new AtomicInteger();
        Receipts receipts = new Receipts(text -> text.equals("3") && failures.incrementAndGet() < 4);
        DefaultMessageListenerContainer container = trial.container(trial.factory(), trial.address());
        container.setSessionTransacted(true);
        container.setMessageListener(receipts);
        Trial.send(trial.template(), trial.address(), Trial.numbers(0, 10));
        Trial.started(container);
        Expect.within(Trial.PATIENCE, "13 deliveries", () -> receipts.all().size() == 13);
        Expect.equal(
                List.of("0", "1", "2", "3", "3", "3", "3", "4", "5", "6", "7", "8", "9"), receipts.all(), "messages");
        container.shutdown();
        Trial.expectQueue(trial.template(), trial.address());
    }

    private static void clientAcknowledge(Trial trial) throws Exception {
        AtomicInteger failures = new AtomicInteger();
        Receipts receipts = new Receipts(text -> text.equals("3") && failures.incrementAndGet() < 3);
        DefaultMessageListenerContainer container = trial.container(trial.factory(), trial.address());
        container.setSessionAcknowledgeMode(Session.CLIENT_ACKNOWLEDGE);
        container.setMessageListener(receipts);
        Trial.send(trial.template(), trial.address(), Trial.numbers(0, 6));
        Trial.started(container);
        Expect.within(Trial.PATIENCE, "8 deliveries", () -> receipts.all().size() == 8);
        Expect.equal(List.of("0", "1", "2", "3", "3", "3", "4", "5"), receipts.all(), "messages");
        container.shutdown();
        Trial.expectQueue(trial.template(), trial.address());
    }

    private static void selector(Trial trial) throws Exception {
        JmsTemplate template = trial.template();
        for (String color : List.of("red", "blue", "red")) {
            template.convertAndSend(trial.address(), color, message -> {
                message.setStringProperty("color", color);
                return message;
            });
        }
        Receipts receipts = new Receipts();
        DefaultMessageListenerContainer container = trial.container(trial.factory(), trial.address());
        container.setMessageSelector("color = 'red'");
        container.setMessageListener(receipts);
        Trial.started(container);
        Expect.within(Trial.PATIENCE, "two messages", () -> receipts.all().size() == 2);
        container.shutdown();
        Expect.equal(List.of("red", "red"), receipts.all(), "messages");
        Trial.expectQueue(template, trial.address(), "blue");
    }

    private static void shutdown(Trial trial) throws Exception {
        CountDownLatch first = new CountDownLatch(1);
        Receipts receipts = new Receipts();
        DefaultMessageListenerContainer container = trial.container(trial.factory(), trial.address());
        container.setSessionTransacted(true);
        container.setMessageListener((jakarta.jms.MessageListener) message -> {
            receipts.onMessage(message);
            first.countDown();
        });
        Trial.send(trial.template(), trial.address(), Trial.numbers(0, 500));
        Trial.started(container);
        Expect.that(first.await(Trial.PATIENCE.toMillis(), TimeUnit.MILLISECONDS), "a first message");
        container.shutdown();
        List<String> done = receipts.all();
        Expect.equal(Trial.numbers(0, done.size()), done, "messages that were worked on");
        Expect.within(Trial.PATIENCE, "the rest in the queue", () -> Trial.browse(trial.template(), trial.address())
                .equals(Trial.numbers(done.size(), 500)));
    }

    private static void recovery(Trial trial) throws Exception {
        trial.broker().needsCrash();
        Receipts receipts = new Receipts();
        DefaultMessageListenerContainer container = trial.container(trial.factory(), trial.address());
        container.setConcurrency("2-4");
        container.setMessageListener(receipts);
        Trial.started(container);
        recovers(trial, receipts);
    }

    private static void noCacheRecovery(Trial trial) throws Exception {
        trial.broker().needsCrash();
        Receipts receipts = new Receipts();
        DefaultMessageListenerContainer container = managed(trial, trial.factory(), trial.address());
        container.setMessageListener(receipts);
        Trial.started(container);
        recovers(trial, receipts);
    }

    private static void recovers(Trial trial, Receipts receipts) throws Exception {
        Trial.send(trial.template(), trial.address(), List.of("before"));
        Expect.within(Trial.PATIENCE, "the message before the crash", () -> receipts.count("before") > 0);
        trial.broker().crash();
        Trial.send(trial.template(), trial.address(), Trial.numbers(0, 10));
        Expect.within(Trial.PATIENCE, "the messages after the crash", () -> receipts.all()
                .containsAll(Trial.numbers(0, 10)));
    }

    private static void simple(Trial trial) throws Exception {
        Receipts receipts = new Receipts();
        SimpleMessageListenerContainer container = new SimpleMessageListenerContainer();
        container.setConnectionFactory(trial.factory("jms.prefetchPolicy.all=5"));
        container.setDestinationName(trial.address());
        container.setConcurrentConsumers(5);
        container.setMessageListener(receipts);
        trial.closing(container::shutdown);
        Trial.started(container);
        Trial.send(trial.template(), trial.address(), Trial.numbers(0, 200));
        receipts.expect(Trial.numbers(0, 200));
    }
}
