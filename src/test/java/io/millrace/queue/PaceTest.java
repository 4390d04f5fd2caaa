package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class PaceTest {
    private static final int BYTES = 10_000;

    /** More than a queue lets senders run ahead of its consumers. */
    private static final int FAR_AHEAD = 600;

    private static final int CREDIT = 100;

    private final QueueScene scene = new QueueScene(QueueScene.settings(), 256 << 20);
    private final Recipient consumer = new Recipient(scene.queue);
    private int told;

    private void senderRunsAhead() {
        scene.offerMany(1, FAR_AHEAD, false, BYTES);
    }

    private boolean senderWaits() {
        boolean waits = scene.queue.room() == 0;
        if (waits) {
            scene.queue.whenRoom(() -> told++);
        }
        return waits;
    }

    @Test
    void aSenderGoesOnWhileConsumersFollow() {
        consumer.attached().credit(FAR_AHEAD);
        senderRunsAhead();

        assertFalse(senderWaits());
    }

    @Test
    void aSenderThatRunsAheadOfConsumersWaitsUntilTheyHaveTakenAQuarter() {
        consumer.attached().credit(CREDIT);
        senderRunsAhead();
        assertTrue(senderWaits());

        consumer.credit(1);
        assertEquals(0, told);
        consumer.credit(2 * CREDIT);
        assertEquals(1, told);
        assertFalse(senderWaits());
    }

    @Test
    void consumersThatAreSlowHoldSendersForAnInstantOnly() {
        consumer.attached().credit(CREDIT);
        senderRunsAhead();
        assertTrue(senderWaits());

        scene.elapse(Pace.INSTANT_MILLIS - 1);
        assertEquals(0, told);
        scene.elapse(1);
        assertEquals(1, told);
        scene.offerMany(FAR_AHEAD + 1, 2 * FAR_AHEAD, false, BYTES);
        assertFalse(senderWaits(), "it waits once, not for every message");
    }

    @Test
    void consumersThatWereSlowHoldSendersAgainWhenTheyHaveCaughtUp() {
        consumer.attached().credit(CREDIT);
        senderRunsAhead();
        assertTrue(senderWaits());
        scene.elapse(Pace.INSTANT_MILLIS);
        consumer.credit(FAR_AHEAD);
        scene.offerMany(FAR_AHEAD + 1, 3 * FAR_AHEAD, false, BYTES);

        assertTrue(senderWaits());
    }

    @Test
    void aQueueWithoutConsumersTakesWhatComes() {
        senderRunsAhead();
        assertFalse(senderWaits());

        new Recipient(scene.queue).browsing();
        assertFalse(senderWaits(), "a browser takes nothing");
    }

    @Test
    void aConsumerOfABacklogInTheStoreHoldsSendersForAnInstantOnly() {
        scene.offerMany(1, 30 * FAR_AHEAD, true, BYTES);
        scene.settle();
        consumer.attached().credit(1);
        scene.settle();
        assertTrue(senderWaits());

        scene.elapse(Pace.INSTANT_MILLIS);
        assertEquals(1, told);
        assertFalse(senderWaits());
    }

    @Test
    void whoWaitsIsToldWhenTheQueueIsDeleted() {
        consumer.attached().credit(1);
        senderRunsAhead();
        assertTrue(senderWaits());

        scene.queue.delete();
        assertEquals(1, told);
    }

    @Test
    void allThatWaitAreToldOnce() {
        consumer.attached().credit(1);
        senderRunsAhead();
        assertEquals(List.of(true, true, true), List.of(senderWaits(), senderWaits(), senderWaits()));

        scene.elapse(1000);
        assertEquals(3, told);
    }
}
