package io.millrace.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.Config;
import io.millrace.config.Config.Forwarding;
import io.millrace.journal.InMemoryJournal;
import io.millrace.message.Outcome;
import io.millrace.queue.Answers;
import io.millrace.queue.Messages;
import io.millrace.queue.Receipt;
import io.millrace.queue.Recipient;
import io.millrace.queue.Target;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Publishers that run ahead of subscribers. */
class TopicPaceTest {
    private static final int BYTES = 10_000;

    /** More than a queue lets senders run ahead of its consumers. */
    private static final int FAR_AHEAD = 600;

    private static final int CREDIT = 100;
    private static final int INSTANT_MILLIS = 100;

    private BrokerScene scene = BrokerScene.withMemory("512MiB");
    private int told;

    private BrokerScene.Opened subscription(String topic, String name, Terms terms) {
        Request request = Request.toReceive(topic, Optional.of(NodeType.TOPIC), new Link(name, name, name), terms);
        BrokerScene.Opened opened = scene.open(0, request);
        scene.settle();
        return opened;
    }

    private Recipient subscriber(String topic, String name, int credit) {
        Node node = subscription(topic, name, Terms.PLAIN).node();
        return new Recipient(node.source()).attached().credit(credit);
    }

    private Target publisher(int loop, String topic) {
        Link link = new Link("sender", "sender", "s");
        BrokerScene.Opened opened = scene.open(loop, Request.toSend(topic, Optional.of(NodeType.TOPIC), link));
        scene.settle();
        return opened.node().target("publisher");
    }

    private static void publish(Target publisher, int count) {
        for (int i = 0; i < count; i++) {
            publisher.offer(Messages.message("m" + i, false, BYTES), Receipt.NONE);
        }
    }

    private boolean waits(Target publisher) {
        boolean waits = publisher.room() == 0;
        if (waits) {
            publisher.whenRoom(() -> told++);
        }
        return waits;
    }

    private void elapse(int millis) {
        scene.loops.get(0).advance(millis);
        scene.settle();
    }

    @Test
    void aPublisherGoesOnWhileAllSubscribersFollow() {
        Target publisher = publisher(0, "news");
        subscriber("news", "a", FAR_AHEAD);
        subscriber("news", "b", FAR_AHEAD);
        publish(publisher, FAR_AHEAD);

        assertFalse(waits(publisher));
    }

    @Test
    void aPublisherWaitsUntilABriskSubscriberHasTakenAQuarter() {
        Target publisher = publisher(0, "news");
        Recipient brisk = subscriber("news", "a", CREDIT);
        subscriber("news", "b", FAR_AHEAD);
        publish(publisher, FAR_AHEAD);
        assertTrue(waits(publisher));

        brisk.credit(1);
        assertEquals(0, told);
        brisk.credit(2 * CREDIT);
        assertEquals(1, told);
        assertFalse(waits(publisher));
    }

    @Test
    void aPublisherWithOneSubscriberKeepsToItsPaceToo() {
        Target publisher = publisher(0, "news");
        Recipient brisk = subscriber("news", "a", CREDIT);
        publish(publisher, FAR_AHEAD);
        assertTrue(waits(publisher));

        brisk.credit(2 * CREDIT);
        assertEquals(1, told);
        assertFalse(waits(publisher));
    }

    @Test
    void aSubscriberThatIsSlowHoldsPublishersForAnInstantOnly() {
        Target publisher = publisher(0, "news");
        Recipient brisk = subscriber("news", "a", 10 * FAR_AHEAD);
        subscriber("news", "b", CREDIT);
        publish(publisher, FAR_AHEAD);
        assertTrue(waits(publisher));

        elapse(INSTANT_MILLIS - 1);
        assertEquals(0, told);
        elapse(1);
        assertEquals(1, told);
        publish(publisher, 3 * FAR_AHEAD);
        assertFalse(waits(publisher), "it waits once, not for every message");
        assertEquals(4 * FAR_AHEAD, brisk.deliveries.size());
    }

    @Test
    void whoWaitedForOneSubscriberWaitsForTheOtherAfterTheNextMessage() {
        Target publisher = publisher(0, "news");
        Recipient first = subscriber("news", "a", CREDIT);
        Recipient second = subscriber("news", "b", CREDIT);
        publish(publisher, FAR_AHEAD);
        assertTrue(waits(publisher));

        first.credit(2 * CREDIT);
        publish(publisher, 1);
        assertTrue(publisher.room() == 0, "the second has not followed");
        second.credit(2 * CREDIT);
        assertFalse(waits(publisher));
        assertEquals(1, told);
    }

    @Test
    void aSubscriptionWithoutALinkHoldsNobody() {
        Lifetime forEver = new Lifetime(Lifetime.Until.NEVER, Duration.ZERO);
        Terms durable = new Terms(true, false, false, Optional.empty(), false, forEver);
        BrokerScene.Opened opened = subscription("news", "a", durable);
        scene.broker.nodes(0).release(opened.node(), opened, Departure.DETACHED);
        scene.settle();
        Target publisher = publisher(0, "news");
        publish(publisher, FAR_AHEAD);

        assertFalse(waits(publisher));
        Node again = subscription("news", "a", durable).node();
        Recipient late = new Recipient(again.source()).attached().credit(2 * FAR_AHEAD);
        scene.settle();
        assertEquals(FAR_AHEAD, late.deliveries.size());
    }

    @Test
    void aSubscriberThatLeavesLetsThePublisherGoOn() {
        Target publisher = publisher(0, "news");
        BrokerScene.Opened opened = subscription("news", "a", Terms.PLAIN);
        Recipient leaving = new Recipient(opened.node().source()).attached().credit(CREDIT);
        publish(publisher, FAR_AHEAD);
        assertTrue(waits(publisher));

        leaving.detach(false);
        scene.broker.nodes(0).release(opened.node(), opened, Departure.CLOSED);
        scene.settle();
        assertEquals(1, told);
        assertFalse(waits(publisher));
    }

    @Test
    void publishersToOtherTopicsAreNotHeld() {
        Target news = publisher(0, "news");
        Target weather = publisher(0, "weather");
        subscriber("news", "a", CREDIT);
        subscriber("weather", "b", FAR_AHEAD);
        publish(news, FAR_AHEAD);
        publish(weather, 1);

        assertTrue(waits(news));
        assertFalse(waits(weather));
    }

    @Test
    void aPublisherOnAnotherLoopKeepsToThePaceToo() {
        Target publisher = publisher(1, "news");
        Recipient brisk = subscriber("news", "a", CREDIT);
        Answers answers = new Answers();
        int sent = 0;
        while (publisher.room() > 0 && sent < 10 * FAR_AHEAD) {
            publisher.offer(Messages.message("m" + sent++, false, BYTES), answers);
            scene.runLoops();
        }
        assertTrue(sent < 2 * FAR_AHEAD, "it ran ahead by " + sent);
        assertTrue(waits(publisher));
        assertEquals(sent, answers.outcomes.size());

        brisk.credit(sent);
        scene.runLoops();
        assertEquals(1, told);
        assertFalse(waits(publisher));
    }

    @Test
    void aSenderToAQueueKeepsToThePaceOfThoseThatItsMessagesAreForwardedTo() {
        Config config = scene.config.withForwardings(
                List.of(new Forwarding("orders", List.of("audit"), Optional.empty(), true)));
        scene = new BrokerScene(config, new InMemoryJournal(), 2);
        Recipient auditor = scene.consumer(0, "audit").credit(CREDIT);
        Target orders = scene.node(0, "orders").target("sender");
        publish(orders, FAR_AHEAD);
        assertTrue(waits(orders));

        auditor.credit(2 * CREDIT);
        assertEquals(1, told);
        assertFalse(waits(orders));
    }

    @Test
    void aPublicationThatIsAcceptedIsAnsweredWhileThePublisherWaits() {
        Target publisher = publisher(0, "news");
        subscriber("news", "a", CREDIT);
        publish(publisher, FAR_AHEAD);
        assertTrue(waits(publisher));
        Answers answers = new Answers();
        publisher.offer(Messages.durable("more"), answers);
        scene.settle();

        assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
    }
}
