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

    private int offered;

    private void offer(int count) {
        scene.offerMany(offered + 1, offered + count, false, BYTES);
        offered += count;
    }

    /** For as long as consumers have to prove themselves; a sender sends what they take. */
    private void takeAndOffer(int countEachTenth) {
        for (long millis = 0; millis < Pace.PROOF_MILLIS; millis += 100) {
            scene.elapse(100);
            offer(countEachTenth);
            consumer.credit(countEachTenth);
        }
        offer(countEachTenth);
    }

    /** A backlog of 20 MB, of consumers that did nothing for an instant. */
    private void outrun() {
        consumer.attached().credit(1);
        offer(FAR_AHEAD);
        assertTrue(senderWaits());
        scene.elapse(Pace.INSTANT_MILLIS);
        offer(1400);
        assertFalse(senderWaits());
        told = 0;
    }

    @Test
    void aBacklogOfConsumersThatAreBriskAgainGoesAwayWhileTheirSenderStillSends() {
        outrun();
        takeAndOffer(400);
        consumer.credit(400);

        int turns = 0;
        while (told == turns) {
            offer(150);
            if (!senderWaits()) {
                break;
            }
            consumer.credit(300);
            turns++;
        }
        assertTrue(turns >= 10 && turns <= 16, turns + " turns in which 1.5 MB came and 3 MB went");
        assertEquals(turns, told, "it went on each time");
        offer(FAR_AHEAD);
        assertTrue(senderWaits(), "the head is short again, and so is what senders may run ahead");
    }

    @Test
    void aBacklogInTheStoreGoesAwayToo() {
        scene.offerMany(1, 60 * FAR_AHEAD, true, BYTES);
        scene.settle();
        offered = 60 * FAR_AHEAD;
        consumer.attached().credit(1);
        scene.settle();
        assertTrue(senderWaits());
        scene.elapse(Pace.INSTANT_MILLIS);
        told = 0;
        takeAndOffer(400);
        assertTrue(senderWaits());

        consumer.credit(450);
        scene.settle();
        assertEquals(1, told);
    }

    @Test
    void consumersThatTakeABurstNowAndThenAreNotBrisk() {
        outrun();
        for (int i = 0; i < 10; i++) {
            consumer.credit(250);
            scene.elapse(Pace.PROOF_MILLIS);
            offer(250);
            assertFalse(senderWaits());
        }
    }

    @Test
    void aSenderIsHeldForAnInstantOnlyByConsumersThatWereBriskOnce() {
        outrun();
        takeAndOffer(400);
        assertTrue(senderWaits());

        scene.elapse(Pace.INSTANT_MILLIS);
        assertEquals(1, told);
        offer(FAR_AHEAD);
        assertFalse(senderWaits());
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
