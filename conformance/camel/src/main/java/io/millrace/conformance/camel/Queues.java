package io.millrace.conformance.camel;

import io.millrace.conformance.tap.Expect;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.camel.Exchange;
import org.apache.camel.component.amqp.AMQPComponent;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.messaginghub.pooled.jms.JmsPoolConnectionFactory;

/** Routes between queues. */
final class Queues {
    private Queues() {}

    static void add(Camel tests) {
        tests.test("a route moves messages from queue to queue, in order", Queues::route);
        tests.test("text, bytes and maps keep their type, headers keep theirs", Queues::types);
        tests.test("headers set priority, delay and expiration", Queues::headers);
        tests.test("toD sends to twenty queues by the header of the message", Queues::dynamic);
        tests.test("a selector takes what matches", Queues::selector);
        tests.test("concurrent consumers work on five messages at once", Queues::concurrent);
        tests.test("a transacted route: what fails comes again, and each message is moved once", Queues::transacted);
        tests.test("a transacted route: after so many attempts a message is dead", Queues::dead);
        tests.test("a transacted route without cached consumers", Queues::transactedWithoutCache);
        tests.test("two hundred sends over a pool of connections", Queues::pooled);
        tests.test("a user logs in by the component's user and password", Queues::user);
        tests.test("a route goes on by itself after a crash of the broker", Queues::recovery);
    }

    private static void route(Trial trial) throws Exception {
        trial.route(builder -> builder.from(trial.queue("in")).to(trial.queue("out")));
        for (String text : Trial.numbers(0, 50)) {
            trial.send(trial.queue("in"), text);
        }
        trial.expect(trial.queue("out"), Trial.numbers(0, 50));
    }

    private static void types(Trial trial) throws Exception {
        trial.route(builder -> builder.from(trial.queue("in")).to(trial.queue("out")));
        List<Object> bodies = List.of("text", new byte[] {1, 2}, Map.of("key", 7L));
        for (Object body : bodies) {
            trial.send(trial.queue("in"), body, Map.of("number", 7, "flag", true, "word", "Grüße"));
        }
        for (Object body : bodies) {
            Exchange got = trial.consumer().receive(trial.queue("out"), Trial.PATIENCE.toMillis());
            Expect.that(got != null, "a message");
            Object back = got.getMessage().getBody();
            Expect.that(
                    body instanceof byte[]
                            ? java.util.Arrays.equals((byte[]) body, (byte[]) back)
                            : body.equals(back),
                    body + ", not " + back);
            Expect.equal(7, got.getMessage().getHeader("number"), "number");
            Expect.equal(true, got.getMessage().getHeader("flag"), "flag");
            Expect.equal("Grüße", got.getMessage().getHeader("word"), "word");
        }
    }

    private static void headers(Trial trial) {
        String queue = trial.queue("in");
        trial.send(Trial.endpoint(queue, "priority=7", "timeToLive=600000", "deliveryDelay=500", "explicitQosEnabled=true"), "one");
        Exchange got = trial.consumer().receive(queue, Trial.PATIENCE.toMillis());
        Expect.that(got != null, "a message");
        Expect.equal(7, got.getMessage().getHeader("JMSPriority"), "priority");
        Expect.that(
                got.getMessage().getHeader("JMSExpiration", Long.class) > System.currentTimeMillis(),
                "an expiration to come");
    }

    private static void dynamic(Trial trial) throws Exception {
        trial.route(builder -> builder.from("direct:in").toD("amqp:queue:" + trial.address() + ".${header.to}"));
        for (int i = 0; i < 100; i++) {
            trial.send("direct:in", "" + i, Map.of("to", "queue-" + i % 20));
        }
        for (int i = 0; i < 20; i++) {
            trial.expect(trial.queue("queue-" + i), List.of("" + i, "" + (i + 20), "" + (i + 40), "" + (i + 60), "" + (i + 80)));
        }
    }

    private static void selector(Trial trial) throws Exception {
        Receipts red = new Receipts();
        trial.route(builder ->
                builder.from(trial.queue("in", "selector=RAW(color = 'red')")).process(red));
        for (String color : List.of("red", "blue", "red")) {
            trial.send(trial.queue("in"), color, Map.of("color", color));
        }
        Expect.within(Trial.PATIENCE, "two red ones", () -> red.all().equals(List.of("red", "red")));
        trial.expect(trial.queue("in"), List.of("blue"));
    }

    private static void concurrent(Trial trial) throws Exception {
        CountDownLatch five = new CountDownLatch(5);
        Receipts receipts = new Receipts();
        trial.context().getComponent("amqp", AMQPComponent.class)
                .setConnectionFactory(new JmsConnectionFactory(trial.broker().url() + "?jms.prefetchPolicy.all=1"));
        trial.route(builder -> builder.from(trial.queue("in", "concurrentConsumers=5", "maxConcurrentConsumers=10"))
                .process(exchange -> {
                    // Each waits until five are at work.
                    five.countDown();
                    Expect.that(five.await(Trial.PATIENCE.toMillis(), TimeUnit.MILLISECONDS), "five at work");
                })
                .process(receipts));
        for (String text : Trial.numbers(0, 100)) {
            trial.send(trial.queue("in"), text);
        }
        receipts.expect(Trial.numbers(0, 100));
    }

    private static void transacted(Trial trial) throws Exception {
        moves(trial, "transacted=true", "cacheLevelName=CACHE_CONSUMER");
    }

    private static void transactedWithoutCache(Trial trial) throws Exception {
        moves(trial, "transacted=true", "cacheLevelName=CACHE_NONE", "receiveTimeout=100");
    }

    /** Every third message fails at its first attempt. */
    private static void moves(Trial trial, String... options) throws Exception {
        AtomicInteger attempts = new AtomicInteger();
        trial.route(builder -> builder.from(trial.queue("in", options))
                .to(trial.queue("out"))
                .process(exchange -> {
                    boolean again = exchange.getMessage().getHeader("JMSRedelivered", Boolean.class);
                    if (attempts.incrementAndGet() % 3 == 0 && !again) {
                        throw new IllegalStateException("on purpose");
                    }
                }));
        for (String text : Trial.numbers(0, 20)) {
            trial.send(trial.queue("in"), text);
        }
        Receipts receipts = new Receipts();
        trial.route(builder -> builder.from(trial.queue("out")).process(receipts));
        Expect.within(Trial.PATIENCE, "all messages", () -> receipts.all().containsAll(Trial.numbers(0, 20)));
        Expect.that(attempts.get() > 20, "some attempts that failed");
    }

    private static void dead(Trial trial) throws Exception {
        trial.broker().needsRestart();
        String poison = trial.address() + " poison";
        String good = trial.address() + " good";
        Receipts receipts = new Receipts(poison::equals);
        trial.route(builder -> builder.from("amqp:queue:camel.attempts?transacted=true&cacheLevelName=CACHE_CONSUMER")
                .process(receipts));
        trial.send("amqp:queue:camel.attempts", poison);
        trial.send("amqp:queue:camel.attempts", good);
        String dead = "amqp:queue:camel.attempts.dlq?selector=RAW(\"x-opt-death-reason\" = 'max-deliveries')";
        trial.expect(dead, List.of(poison));
        Expect.within(Trial.PATIENCE, "the good one", () -> receipts.count(good) == 1);
        Expect.equal(3L, receipts.count(poison), "attempts");
    }

    private static void pooled(Trial trial) {
        JmsPoolConnectionFactory pool = new JmsPoolConnectionFactory();
        pool.setConnectionFactory(new JmsConnectionFactory(trial.broker().url()));
        trial.context().getComponent("amqp", AMQPComponent.class).setConnectionFactory(pool);
        try {
            for (String text : Trial.numbers(0, 200)) {
                trial.send(trial.queue("in"), text);
            }
            Expect.equal(1, pool.getNumConnections(), "connections");
            trial.expect(trial.queue("in"), Trial.numbers(0, 200));
        } finally {
            trial.consumer().stop();
            pool.stop();
        }
    }

    private static void user(Trial trial) {
        AMQPComponent component = new AMQPComponent();
        component.setHost(trial.broker().userHost());
        component.setPort(trial.broker().userPort());
        component.setUsername(trial.broker().user());
        component.setPassword(trial.broker().password());
        trial.context().addComponent("amqp-user", component);
        String endpoint = "amqp-user:queue:" + trial.address();
        trial.send(endpoint, "one");
        trial.expect(endpoint, List.of("one"));
    }

    private static void recovery(Trial trial) throws Exception {
        trial.broker().needsCrash();
        Receipts receipts = new Receipts();
        trial.route(builder -> builder.from(trial.queue("in")).process(receipts));
        trial.send(trial.queue("in"), "before");
        Expect.within(Trial.PATIENCE, "the message before the crash", () -> receipts.count("before") == 1);
        trial.broker().crash();
        trial.send(trial.queue("in"), "after");
        Expect.within(Trial.PATIENCE, "the message after the crash", () -> receipts.count("after") == 1);
    }
}
