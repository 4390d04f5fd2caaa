package io.millrace.conformance.camel;

import io.millrace.conformance.tap.Expect;
import jakarta.jms.Connection;
import jakarta.jms.Session;
import java.util.List;
import org.apache.qpid.jms.JmsConnectionFactory;

/** Topics: Camel's component gives their names the prefix {@code topic://}. */
final class Topics {
    private static final String CALL = "are you there?";

    private Topics() {}

    static void add(Camel tests) {
        tests.test("each route from a topic gets each message", Topics::topic);
        tests.test("a JMS client that knows no prefix publishes to the same topic", Topics::withoutPrefix);
        tests.test("a durable subscription misses nothing while its route is stopped", Topics::durable);
        tests.test("routes with a shared durable subscription share its messages", Topics::sharedDurable);
    }

    /** Publishes until a message has come: only then is a route that starts by itself subscribed. */
    private static void subscribed(Trial trial, Receipts receipts) throws Exception {
        Expect.within(Trial.PATIENCE, "a subscription", () -> {
            trial.send(trial.topic("news"), CALL);
            return !receipts.all().isEmpty();
        });
    }

    private static void topic(Trial trial) throws Exception {
        List<Receipts> all = List.of(new Receipts(), new Receipts());
        for (Receipts receipts : all) {
            trial.route(builder -> builder.from(trial.topic("news")).process(receipts));
            subscribed(trial, receipts);
        }
        for (String text : Trial.numbers(0, 20)) {
            trial.send(trial.topic("news"), text);
        }
        for (Receipts receipts : all) {
            Expect.within(Trial.PATIENCE, "20 messages", () -> receipts.count("19") == 1);
            List<String> got = receipts.all();
            got.removeIf(CALL::equals);
            Expect.equal(Trial.numbers(0, 20), got, "messages");
        }
    }

    private static void withoutPrefix(Trial trial) throws Exception {
        Receipts receipts = new Receipts();
        trial.route(builder -> builder.from(trial.topic("news")).process(receipts));
        subscribed(trial, receipts);
        try (Connection connection = new JmsConnectionFactory(trial.broker().url()).createConnection();
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE)) {
            session.createProducer(session.createTopic(trial.address() + ".news"))
                    .send(session.createTextMessage("from outside"));
        }
        Expect.within(Trial.PATIENCE, "the message", () -> receipts.count("from outside") == 1);
    }

    private static void durable(Trial trial) throws Exception {
        Receipts receipts = new Receipts();
        String options = "subscriptionDurable=true&durableSubscriptionName=news&clientId=" + trial.address();
        trial.route(builder ->
                builder.from(trial.topic("news", options)).routeId("durable").process(receipts));
        subscribed(trial, receipts);
        trial.context().getRouteController().stopRoute("durable");
        for (String text : Trial.numbers(0, 20)) {
            trial.send(trial.topic("news"), text);
        }
        Expect.equal(0L, receipts.count("0"), "messages while the route is stopped");
        trial.context().getRouteController().startRoute("durable");
        Expect.within(Trial.PATIENCE, "20 messages", () -> receipts.all().containsAll(Trial.numbers(0, 20)));
    }

    private static void sharedDurable(Trial trial) throws Exception {
        Receipts receipts = new Receipts();
        String options = "subscriptionDurable=true&subscriptionShared=true&subscriptionName="
                + trial.address().replace('.', '-');
        for (int i = 0; i < 2; i++) {
            trial.route(builder -> builder.from(trial.topic("news", options, "concurrentConsumers=2"))
                    .process(receipts));
        }
        subscribed(trial, receipts);
        for (String text : Trial.numbers(0, 40)) {
            trial.send(trial.topic("news"), text);
        }
        Expect.within(Trial.PATIENCE, "40 messages", () -> receipts.all().containsAll(Trial.numbers(0, 40)));
        for (String text : Trial.numbers(0, 40)) {
            Expect.equal(1L, receipts.count(text), "copies of " + text);
        }
    }
}
