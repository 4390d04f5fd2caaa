package io.millrace.conformance.spring;

import io.millrace.conformance.tap.Expect;
import java.util.List;
import org.springframework.jms.core.JmsTemplate;
import org.springframework.jms.listener.DefaultMessageListenerContainer;

/** Listener containers on topics (pub-sub domain). */
final class Subscriptions {
    private Subscriptions() {}

    static void add(Tests tests) {
        tests.test("container on a topic: each of two gets each message", Subscriptions::topic);
        tests.test("container with a durable subscription misses nothing while it is stopped", Subscriptions::durable);
        tests.test("containers with a shared durable subscription share its messages", Subscriptions::sharedDurable);
    }

    private static DefaultMessageListenerContainer onTopic(Trial trial, Receipts receipts) {
        DefaultMessageListenerContainer container = trial.container(trial.factory(), trial.address());
        container.setPubSubDomain(true);
        container.setMessageListener(receipts);
        return container;
    }

    private static JmsTemplate publisher(Trial trial) {
        JmsTemplate template = trial.template();
        template.setPubSubDomain(true);
        return template;
    }

    /** Publishes until a message has come: only then is a container that starts by itself subscribed. */
    private static void subscribed(JmsTemplate template, String topic, Receipts receipts) throws Exception {
        Expect.within(Trial.PATIENCE, "a subscription", () -> {
            template.convertAndSend(topic, "are you there?");
            return !receipts.all().isEmpty();
        });
    }

    private static void topic(Trial trial) throws Exception {
        JmsTemplate template = publisher(trial);
        Receipts one = new Receipts();
        Receipts two = new Receipts();
        for (Receipts receipts : List.of(one, two)) {
            Trial.started(onTopic(trial, receipts));
            subscribed(template, trial.address(), receipts);
        }
        Trial.send(template, trial.address(), Trial.numbers(0, 50));
        for (Receipts receipts : List.of(one, two)) {
            Expect.within(Trial.PATIENCE, "50 messages", () -> receipts.count("49") == 1);
            List<String> got = receipts.all();
            got.removeIf("are you there?"::equals);
            Expect.equal(Trial.numbers(0, 50), got, "messages");
        }
    }

    private static void durable(Trial trial) throws Exception {
        JmsTemplate template = publisher(trial);
        Receipts receipts = new Receipts();
        DefaultMessageListenerContainer container = onTopic(trial, receipts);
        container.setSubscriptionDurable(true);
        container.setClientId(trial.address("client"));
        container.setDurableSubscriptionName("news");
        Trial.started(container);
        subscribed(template, trial.address(), receipts);
        container.shutdown();
        Trial.send(template, trial.address(), Trial.numbers(0, 20));
        Receipts later = new Receipts();
        DefaultMessageListenerContainer again = onTopic(trial, later);
        again.setSubscriptionDurable(true);
        again.setClientId(trial.address("client"));
        again.setDurableSubscriptionName("news");
        Trial.started(again);
        Expect.within(Trial.PATIENCE, "20 messages", () -> later.all()
                .containsAll(Trial.numbers(0, 20)));
    }

    private static void sharedDurable(Trial trial) throws Exception {
        JmsTemplate template = publisher(trial);
        Receipts receipts = new Receipts();
        for (int i = 0; i < 2; i++) {
            DefaultMessageListenerContainer container = onTopic(trial, receipts);
            container.setSubscriptionDurable(true);
            container.setSubscriptionShared(true);
            container.setSubscriptionName(trial.address().replace('.', '-'));
            container.setConcurrentConsumers(2);
            Trial.started(container);
        }
        subscribed(template, trial.address(), receipts);
        Trial.send(template, trial.address(), Trial.numbers(0, 100));
        Expect.within(Trial.PATIENCE, "100 messages", () -> receipts.all()
                .containsAll(Trial.numbers(0, 100)));
        for (String text : Trial.numbers(0, 100)) {
            Expect.equal(1L, receipts.count(text), "copies of " + text);
        }
    }
}
