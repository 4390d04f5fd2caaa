package io.millrace.conformance.qpidjms;

import io.millrace.conformance.tap.Expect;
import jakarta.jms.BytesMessage;
import jakarta.jms.CompletionListener;
import jakarta.jms.DeliveryMode;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Queue;
import jakarta.jms.ResourceAllocationException;
import jakarta.jms.Session;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Producers: delivery modes, priority, expiry, delay, asynchronous sends, limits and sizes. */
final class Sending {
    private Sending() {}

    static void add(Tests tests) {
        tests.test("a persistent message comes with the headers it was sent with", Sending::persistent);
        tests.test("a non-persistent message comes, and says that it is not persistent", Sending::notPersistent);
        tests.test("persistent messages survive a restart of the broker, others do not", Sending::restart);
        tests.test("one producer without a destination sends to many queues", Sending::anonymousProducer);
        tests.test("a thousand asynchronous sends complete, each once and in order", Sending::asynchronous);
        tests.test("an asynchronous send that the broker refuses fails at the CompletionListener", Sending::refusedLater);
        tests.test("a send to a queue that is full fails and names the queue", Sending::refused);
        tests.test("a producer that settles in advance (presettled) reaches the queue", Sending::presettled);
        tests.test("messages of higher priority come first", Sending::priorities);
        tests.test("a message that has expired is not delivered, and the one behind it is", Sending::expired);
        tests.test("a message that lives long enough comes with its expiration", Sending::notExpired);
        tests.test("a delayed message comes at its delivery time, not before", Sending::delayed);
        tests.test("a delayed message waits over a restart of the broker", Sending::delayedOverRestart);
        tests.test("a message of 10 MiB comes back byte by byte", Sending::large);
        tests.test("a message of 100 KiB passes in frames of 512 bytes", Sending::smallFrames);
        tests.test("every kind of message id is found by a selector", Sending::messageIds);
    }

    private static void persistent(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        Message sent = session.createTextMessage("one");
        sent.setJMSType("order");
        sent.setJMSCorrelationID("correlation");
        sent.setJMSReplyTo(session.createQueue(trial.address("replies")));
        session.createProducer(queue).send(sent);
        Message got = Messages.next(session.createConsumer(queue));
        Expect.equal("one", Messages.text(got), "text");
        Expect.equal(DeliveryMode.PERSISTENT, got.getJMSDeliveryMode(), "delivery mode");
        Expect.equal(sent.getJMSMessageID(), got.getJMSMessageID(), "message id");
        Expect.equal(sent.getJMSTimestamp(), got.getJMSTimestamp(), "timestamp");
        Expect.equal("order", got.getJMSType(), "type");
        Expect.equal("correlation", got.getJMSCorrelationID(), "correlation id");
        Expect.equal(queue, got.getJMSDestination(), "destination");
        Expect.equal(sent.getJMSReplyTo(), got.getJMSReplyTo(), "reply to");
        Expect.equal(Message.DEFAULT_PRIORITY, got.getJMSPriority(), "priority");
        Expect.equal(0L, got.getJMSExpiration(), "expiration");
        Expect.equal(false, got.getJMSRedelivered(), "redelivered");
        Expect.equal(1, Messages.deliveryCount(got), "delivery count");
    }

    private static void notPersistent(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        MessageProducer producer = session.createProducer(queue);
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        producer.send(session.createTextMessage("one"));
        Message got = Messages.next(session.createConsumer(queue));
        Expect.equal(DeliveryMode.NON_PERSISTENT, got.getJMSDeliveryMode(), "delivery mode");
    }

    private static void restart(Trial trial) throws Exception {
        trial.broker().needsRestart();
        Session session = trial.session("jms.forceSyncSend=true");
        Queue queue = session.createQueue(trial.address());
        MessageProducer producer = session.createProducer(queue);
        producer.send(session.createTextMessage("persistent 1"));
        producer.setDeliveryMode(DeliveryMode.NON_PERSISTENT);
        producer.send(session.createTextMessage("not persistent"));
        producer.setDeliveryMode(DeliveryMode.PERSISTENT);
        producer.send(session.createTextMessage("persistent 2"));
        Expect.equal(3, Messages.browse(session, queue).size(), "messages before the restart");
        trial.broker().restart();
        Session later = trial.session();
        Expect.equal(List.of("persistent 1", "persistent 2"), Messages.browse(later, queue), "messages after the restart");
    }

    private static void anonymousProducer(Trial trial) throws Exception {
        Session session = trial.session();
        MessageProducer producer = session.createProducer(null);
        for (int i = 0; i < 100; i++) {
            producer.send(session.createQueue(trial.address("to-" + i % 10)), session.createTextMessage("" + i));
        }
        for (int i = 0; i < 10; i++) {
            List<String> expected = new ArrayList<>();
            for (int j = 0; j < 10; j++) {
                expected.add("" + (i + 10 * j));
            }
            Messages.expect(session.createConsumer(session.createQueue(trial.address("to-" + i))), expected);
        }
    }

    /** Remembers what became of each asynchronous send. */
    private static final class Completions implements CompletionListener {
        final BlockingQueue<String> all = new LinkedBlockingQueue<>();

        @Override
        public void onCompletion(Message message) {
            try {
                all.add(Messages.text(message));
            } catch (JMSException e) {
                all.add(e.toString());
            }
        }

        @Override
        public void onException(Message message, Exception exception) {
            all.add("failed: " + exception);
        }

        List<String> next(int count) throws InterruptedException {
            List<String> texts = new ArrayList<>();
            while (texts.size() < count) {
                String text = all.poll(Messages.PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
                Expect.that(text != null, count + " completions, but there are only " + texts.size());
                texts.add(text);
            }
            return texts;
        }
    }

    private static void asynchronous(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        MessageProducer producer = session.createProducer(queue);
        Completions completions = new Completions();
        List<String> texts = Messages.numbers(0, 1_000);
        for (String text : texts) {
            producer.send(session.createTextMessage(text), completions);
        }
        Expect.equal(texts, completions.next(texts.size()), "completions");
        Messages.expect(trial.session().createConsumer(queue), texts);
        Expect.that(completions.all.isEmpty(), "no second completion");
    }

    private static void refusedLater(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.configured("full"));
        Messages.empty(session, queue);
        MessageProducer producer = session.createProducer(queue);
        Completions completions = new Completions();
        for (int i = 0; i < 6; i++) {
            producer.send(session.createTextMessage("" + i), completions);
        }
        List<String> results = completions.next(6);
        Expect.equal(Messages.numbers(0, 5), results.subList(0, 5), "completions while there was room");
        Expect.that(results.get(5).contains("ResourceAllocationException"), "a refusal, not " + results.get(5));
        Messages.expect(session.createConsumer(queue), Messages.numbers(0, 5));
        producer.send(session.createTextMessage("room again"), completions);
        Expect.equal(List.of("room again"), completions.next(1), "completions with room again");
    }

    private static void refused(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.configured("full"));
        Messages.empty(session, queue);
        MessageProducer producer = session.createProducer(queue);
        for (int i = 0; i < 5; i++) {
            producer.send(session.createTextMessage("" + i));
        }
        ResourceAllocationException refusal = Expect.failure(
                ResourceAllocationException.class,
                "send to a full queue",
                () -> producer.send(session.createTextMessage("5")));
        Expect.that(refusal.getMessage().contains(queue.getQueueName()), "the queue's name in " + refusal.getMessage());
        Messages.empty(session, queue);
        producer.send(session.createTextMessage("6"));
        Messages.expect(session.createConsumer(queue), "6");
    }

    private static void presettled(Trial trial) throws Exception {
        Session session = trial.session("jms.presettlePolicy.presettleProducers=true");
        Queue queue = session.createQueue(trial.address());
        List<String> texts = Messages.numbers(0, 100);
        Messages.send(session, queue, texts);
        Messages.expect(session.createConsumer(queue), texts);
    }

    private static void priorities(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        MessageProducer producer = session.createProducer(queue);
        for (int priority : new int[] {4, 0, 9, 3, 7, 1, 8, 2, 6, 5}) {
            producer.setPriority(priority);
            producer.send(session.createTextMessage(priority + " first"));
            producer.send(session.createTextMessage(priority + " second"));
        }
        MessageConsumer consumer = session.createConsumer(queue);
        for (int priority = 9; priority >= 0; priority--) {
            List<Message> both = Messages.next(consumer, 2);
            Expect.equal(List.of(priority + " first", priority + " second"), Messages.texts(both), "messages");
            Expect.equal(priority, both.get(0).getJMSPriority(), "priority");
        }
    }

    private static void expired(Trial trial) throws Exception {
        Session session = trial.session("jms.localMessageExpiry=false");
        Queue queue = session.createQueue(trial.address());
        MessageProducer producer = session.createProducer(queue);
        producer.setTimeToLive(200);
        Message mortal = session.createTextMessage("mortal");
        producer.send(mortal);
        producer.setTimeToLive(0);
        producer.send(session.createTextMessage("immortal"));
        Expect.within(
                Messages.PATIENCE, "the time is over", () -> System.currentTimeMillis() > mortal.getJMSExpiration());
        Messages.expectQueue(session, queue, "immortal");
        MessageConsumer consumer = session.createConsumer(queue);
        Messages.expect(consumer, "immortal");
        Messages.expectNone(consumer);
    }

    private static void notExpired(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        MessageProducer producer = session.createProducer(queue);
        producer.setTimeToLive(600_000);
        Message sent = session.createTextMessage("one");
        producer.send(sent);
        Message got = Messages.next(session.createConsumer(queue));
        Expect.equal(sent.getJMSExpiration(), got.getJMSExpiration(), "expiration");
        Expect.that(got.getJMSExpiration() > System.currentTimeMillis(), "an expiration to come");
    }

    private static void delayed(Trial trial) throws Exception {
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        MessageProducer producer = session.createProducer(queue);
        producer.setDeliveryDelay(1_500);
        producer.send(session.createTextMessage("later"));
        producer.setDeliveryDelay(0);
        producer.send(session.createTextMessage("now"));
        MessageConsumer consumer = session.createConsumer(queue);
        for (int i = 0; i < 2; i++) {
            Message got = Messages.next(consumer);
            long early = got.getJMSDeliveryTime() - System.currentTimeMillis();
            Expect.that(early <= 0, Messages.text(got) + " not before its time, but it came " + early + " ms early");
            if (Messages.text(got).equals("later")) {
                Expect.that(got.getJMSDeliveryTime() >= got.getJMSTimestamp() + 1_500, "a delivery time with the delay");
            }
        }
    }

    private static void delayedOverRestart(Trial trial) throws Exception {
        trial.broker().needsRestart();
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        MessageProducer producer = session.createProducer(queue);
        producer.setDeliveryDelay(3_000);
        producer.send(session.createTextMessage("later"));
        trial.broker().restart();
        Message got = Messages.next(trial.session().createConsumer(queue));
        long early = got.getJMSDeliveryTime() - System.currentTimeMillis();
        Expect.that(early <= 0, "nothing before its time, but it came " + early + " ms early");
    }

    private static void large(Trial trial) throws Exception {
        byte[] body = new byte[10 * 1024 * 1024];
        new Random(1).nextBytes(body);
        Session session = trial.session();
        Queue queue = session.createQueue(trial.address());
        BytesMessage sent = session.createBytesMessage();
        sent.writeBytes(body);
        session.createProducer(queue).send(sent);
        expectBody(session.createConsumer(queue), body);
    }

    private static void smallFrames(Trial trial) throws Exception {
        byte[] body = new byte[100 * 1024];
        new Random(2).nextBytes(body);
        Session session = trial.session("amqp.maxFrameSize=512");
        Queue queue = session.createQueue(trial.address());
        BytesMessage sent = session.createBytesMessage();
        sent.writeBytes(body);
        session.createProducer(queue).send(sent);
        expectBody(session.createConsumer(queue), body);
    }

    private static void expectBody(MessageConsumer consumer, byte[] body) throws JMSException {
        BytesMessage got = (BytesMessage) Messages.next(consumer);
        Expect.equal((long) body.length, got.getBodyLength(), "length");
        byte[] bytes = new byte[body.length];
        got.readBytes(bytes);
        Expect.that(Arrays.equals(body, bytes), "the bytes that were sent");
    }

    private static void messageIds(Trial trial) throws Exception {
        for (String type : List.of("DEFAULT", "UUID", "UUID_STRING", "PREFIXED_UUID_STRING")) {
            Session session = trial.session("jms.messageIDPolicy.messageIDType=" + type);
            Queue queue = session.createQueue(trial.address(type));
            Message sent = session.createTextMessage(type);
            MessageProducer producer = session.createProducer(queue);
            producer.send(session.createTextMessage("another"));
            producer.send(sent);
            String selector = "JMSMessageID = '" + sent.getJMSMessageID() + "'";
            Message got = Messages.next(session.createConsumer(queue, selector));
            Expect.equal(type, Messages.text(got), "text");
            Expect.equal(sent.getJMSMessageID(), got.getJMSMessageID(), "message id");
        }
    }
}
