package io.millrace.conformance.qpidjms;

import io.millrace.conformance.tap.Expect;
import jakarta.jms.Connection;
import jakarta.jms.InvalidDestinationException;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.Topic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;

/** Topics and subscriptions: volatile, durable, shared, shared durable. */
final class Topics {
    private Topics() {}

    static void add(Tests tests) {
        tests.test("each subscriber of a topic gets each message from then on", Topics::subscribers);
        tests.test("a subscriber with a selector gets what matches", Topics::selector);
        tests.test("noLocal: a subscriber does not get what its own connection publishes", Topics::noLocal);
        tests.test("a durable subscription misses nothing while nobody consumes from it", Topics::durable);
        tests.test("a durable subscription outlives a crash of the broker", Duration.ofSeconds(60), Topics::durableOverCrash);
        tests.test("a durable subscription has one consumer at a time", Topics::durableOnce);
        tests.test("a durable subscription belongs to its client id", Topics::clientIds);
        tests.test("another selector makes a durable subscription anew", Topics::changedSelector);
        tests.test("a durable subscription with noLocal misses what its own client publishes", Topics::durableNoLocal);
        tests.test("unsubscribe ends a durable subscription", Topics::unsubscribe);
        tests.test("what is not there, or in use, can't be unsubscribed", Topics::unsubscribeFails);
        tests.test("a shared subscription gives each message to one of its consumers", Topics::shared);
        tests.test("a shared subscription without client id spans connections", Topics::sharedGlobally);
        tests.test("a shared subscription ends with its last consumer", Topics::sharedEnds);
        tests.test("a shared durable subscription goes on when its consumers come back", Topics::sharedDurable);
        tests.test("a shared durable subscription without client id spans connections, and can be unsubscribed", Topics::sharedDurableGlobally);
        tests.test("acknowledgement and redelivery work on a subscription as on a queue", Topics::redelivery);
    }

    private static Session session(Trial trial, String clientId) throws JMSException {
        return trial.connect("jms.clientID=" + clientId).createSession(false, Session.AUTO_ACKNOWLEDGE);
    }

    private static void subscribers(Trial trial) throws Exception {
        Session session = trial.session();
        Topic topic = session.createTopic(trial.address());
        Messages.send(session, topic, "too early");
        List<MessageConsumer> consumers = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            consumers.add(trial.session().createConsumer(topic));
        }
        Messages.send(session, topic, Messages.numbers(0, 50));
        MessageConsumer late = session.createConsumer(topic);
        Messages.send(session, topic, "50");
        for (MessageConsumer consumer : consumers) {
            Messages.expect(consumer, Messages.numbers(0, 51));
        }
        Messages.expect(late, "50");
    }

    private static void selector(Trial trial) throws Exception {
        Session session = trial.session();
        Topic topic = session.createTopic(trial.address());
        MessageConsumer red = session.createConsumer(topic, "color = 'red'");
        MessageConsumer all = session.createConsumer(topic);
        MessageProducer producer = session.createProducer(topic);
        for (String color : List.of("red", "blue", "red")) {
            Message message = session.createTextMessage(color);
            message.setStringProperty("color", color);
            producer.send(message);
        }
        Messages.expect(all, "red", "blue", "red");
        Messages.expect(red, "red", "red");
        Messages.expectNone(red);
    }

    private static void noLocal(Trial trial) throws Exception {
        Session own = trial.session();
        Topic topic = own.createTopic(trial.address());
        MessageConsumer consumer = own.createConsumer(topic, null, true);
        Messages.send(own, topic, "own");
        Messages.send(trial.session(), topic, "of another");
        Messages.expect(consumer, "of another");
        Messages.expectNone(consumer);
    }

    private static void durable(Trial trial) throws Exception {
        String client = trial.address("client");
        Session publishing = trial.session();
        Topic topic = publishing.createTopic(trial.address());
        for (int visit = 0; visit < 3; visit++) {
            Connection connection = trial.connect("jms.clientID=" + client);
            Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
            try (MessageConsumer consumer = session.createDurableSubscriber(topic, "news")) {
                if (visit > 0) {
                    Messages.expect(consumer, "while away " + visit);
                }
                Messages.send(publishing, topic, "while here");
                Messages.expect(consumer, "while here");
                Messages.expectNone(consumer);
            }
            connection.close();
            Messages.send(publishing, topic, "while away " + (visit + 1));
        }
        session(trial, client).unsubscribe("news");
    }

    private static void durableOverCrash(Trial trial) throws Exception {
        trial.broker().needsCrash();
        String client = trial.address("client");
        Session first = session(trial, client);
        Topic topic = first.createTopic(trial.address());
        first.createDurableConsumer(topic, "news").close();
        Messages.send(trial.session(), topic, "before", "the crash");
        trial.broker().crash();
        Messages.send(trial.session(), topic, "after");
        Session again = session(trial, client);
        MessageConsumer consumer = again.createDurableConsumer(topic, "news");
        Messages.expect(consumer, "before", "the crash", "after");
        consumer.close();
        again.unsubscribe("news");
    }

    private static void durableOnce(Trial trial) throws Exception {
        Connection connection = trial.connect("jms.clientID=" + trial.address("client"));
        Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Topic topic = session.createTopic(trial.address());
        MessageConsumer consumer = session.createDurableConsumer(topic, "news");
        Session other = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Expect.failure(JMSException.class, "a second consumer", () -> other.createDurableConsumer(topic, "news"));
        Messages.send(other, topic, "one");
        Messages.expect(consumer, "one");
        consumer.close();
        session.unsubscribe("news");
    }

    private static void clientIds(Trial trial) throws Exception {
        Session one = session(trial, trial.address("one"));
        Session two = session(trial, trial.address("two"));
        Topic topic = one.createTopic(trial.address());
        MessageConsumer ofOne = one.createDurableConsumer(topic, "news");
        MessageConsumer ofTwo = two.createDurableConsumer(topic, "news");
        Messages.send(one, topic, "for both");
        Messages.expect(ofOne, "for both");
        Messages.expect(ofTwo, "for both");
        ofOne.close();
        ofTwo.close();
        one.unsubscribe("news");
        Messages.send(one, topic, "for two");
        Messages.expect(two.createDurableConsumer(topic, "news"), "for two");
    }

    private static void changedSelector(Trial trial) throws Exception {
        Session session = session(trial, trial.address("client"));
        Topic topic = session.createTopic(trial.address());
        session.createDurableConsumer(topic, "news").close();
        Messages.send(session, topic, "for the first");
        MessageConsumer consumer = session.createDurableConsumer(topic, "news", "color = 'red'", false);
        Messages.expectNone(consumer);
        Message red = session.createTextMessage("red");
        red.setStringProperty("color", "red");
        Messages.send(session, topic, "colorless");
        session.createProducer(topic).send(red);
        Messages.expect(consumer, "red");
        consumer.close();
        session.unsubscribe("news");
    }

    private static void durableNoLocal(Trial trial) throws Exception {
        Session own = session(trial, trial.address("client"));
        Topic topic = own.createTopic(trial.address());
        MessageConsumer consumer = own.createDurableConsumer(topic, "news", null, true);
        Messages.send(own, topic, "own");
        Messages.send(trial.session(), topic, "of another");
        Messages.expect(consumer, "of another");
        Messages.expectNone(consumer);
        consumer.close();
        own.unsubscribe("news");
    }

    private static void unsubscribe(Trial trial) throws Exception {
        Session session = session(trial, trial.address("client"));
        Topic topic = session.createTopic(trial.address());
        session.createDurableConsumer(topic, "news").close();
        Messages.send(session, topic, "before");
        session.unsubscribe("news");
        MessageConsumer consumer = session.createDurableConsumer(topic, "news");
        Messages.send(session, topic, "after");
        Messages.expect(consumer, "after");
        consumer.close();
        session.unsubscribe("news");
    }

    private static void unsubscribeFails(Trial trial) throws Exception {
        Session session = session(trial, trial.address("client"));
        Expect.failure(
                InvalidDestinationException.class, "what is not there", () -> session.unsubscribe("nothing of that name"));
        Topic topic = session.createTopic(trial.address());
        MessageConsumer consumer = session.createDurableConsumer(topic, "news");
        Expect.failure(JMSException.class, "what is in use", () -> session.unsubscribe("news"));
        Messages.send(session, topic, "it goes on");
        Messages.expect(consumer, "it goes on");
        consumer.close();
        session.unsubscribe("news");
    }

    /** That consumers with credit for one message at a time share the messages. */
    private static void expectShared(Session publishing, Topic topic, MessageConsumer one, MessageConsumer two)
            throws JMSException {
        Messages.send(publishing, topic, Messages.numbers(0, 20));
        TreeSet<Integer> all = new TreeSet<>();
        for (int i = 0; i < 10; i++) {
            all.add(Integer.valueOf(Messages.text(Messages.next(one))));
            all.add(Integer.valueOf(Messages.text(Messages.next(two))));
        }
        Expect.equal(20, all.size(), "different messages");
        Messages.expectNone(one);
        Messages.expectNone(two);
    }

    private static void shared(Trial trial) throws Exception {
        Connection connection = trial.connect("jms.prefetchPolicy.all=0", "jms.clientID=" + trial.address("client"));
        Session first = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Session second = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Topic topic = first.createTopic(trial.address());
        MessageConsumer one = first.createSharedConsumer(topic, "news");
        MessageConsumer two = second.createSharedConsumer(topic, "news");
        MessageConsumer alone = second.createSharedConsumer(topic, "other news");
        expectShared(trial.session(), topic, one, two);
        Messages.expect(alone, Messages.numbers(0, 20));
    }

    private static void sharedGlobally(Trial trial) throws Exception {
        String name = trial.address().replace('.', '-');
        Session first = trial.session("jms.prefetchPolicy.all=0");
        Session second = trial.session("jms.prefetchPolicy.all=0");
        Topic topic = first.createTopic(trial.address());
        MessageConsumer one = first.createSharedConsumer(topic, name);
        MessageConsumer two = second.createSharedConsumer(topic, name);
        expectShared(trial.session(), topic, one, two);
    }

    private static void sharedEnds(Trial trial) throws Exception {
        Session session = session(trial, trial.address("client"));
        Topic topic = session.createTopic(trial.address());
        MessageConsumer one = session.createSharedConsumer(topic, "news");
        MessageConsumer two = session.createSharedConsumer(topic, "news");
        one.close();
        Messages.send(session, topic, "one left");
        Messages.expect(two, "one left");
        two.close();
        Messages.send(session, topic, "nobody left");
        MessageConsumer later = session.createSharedConsumer(topic, "news");
        Messages.send(session, topic, "later");
        Messages.expect(later, "later");
    }

    private static void sharedDurable(Trial trial) throws Exception {
        Connection connection = trial.connect("jms.prefetchPolicy.all=0", "jms.clientID=" + trial.address("client"));
        Session first = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Session second = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        Topic topic = first.createTopic(trial.address());
        MessageConsumer one = first.createSharedDurableConsumer(topic, "news");
        MessageConsumer two = second.createSharedDurableConsumer(topic, "news");
        expectShared(trial.session(), topic, one, two);
        one.close();
        two.close();
        Messages.send(first, topic, "while nobody was there");
        MessageConsumer again = second.createSharedDurableConsumer(topic, "news");
        Messages.expect(again, "while nobody was there");
        again.close();
        first.unsubscribe("news");
    }

    private static void sharedDurableGlobally(Trial trial) throws Exception {
        String name = trial.address().replace('.', '-');
        Session first = trial.session("jms.prefetchPolicy.all=0");
        Session second = trial.session("jms.prefetchPolicy.all=0");
        Topic topic = first.createTopic(trial.address());
        MessageConsumer one = first.createSharedDurableConsumer(topic, name);
        MessageConsumer two = second.createSharedDurableConsumer(topic, name);
        expectShared(trial.session(), topic, one, two);
        one.close();
        two.close();
        Messages.send(first, topic, "while nobody was there");
        Session third = trial.session();
        MessageConsumer again = third.createSharedDurableConsumer(topic, name);
        Messages.expect(again, "while nobody was there");
        again.close();
        third.unsubscribe(name);
        Expect.failure(InvalidDestinationException.class, "a second time", () -> first.unsubscribe(name));
    }

    private static void redelivery(Trial trial) throws Exception {
        Connection connection = trial.connect("jms.clientID=" + trial.address("client"));
        Session session = connection.createSession(false, Session.CLIENT_ACKNOWLEDGE);
        Topic topic = session.createTopic(trial.address());
        MessageConsumer consumer = session.createDurableConsumer(topic, "news");
        Messages.send(session, topic, "one", "two", "three");
        Messages.next(consumer).acknowledge();
        Messages.expect(consumer, "two");
        session.close();
        Session again = connection.createSession(false, Session.AUTO_ACKNOWLEDGE);
        MessageConsumer later = again.createDurableConsumer(topic, "news");
        List<Message> got = Messages.next(later, 2);
        Expect.equal(List.of("two", "three"), Messages.texts(got), "messages");
        Expect.equal(true, got.get(0).getJMSRedelivered(), "redelivered");
        later.close();
        again.unsubscribe("news");
    }
}
