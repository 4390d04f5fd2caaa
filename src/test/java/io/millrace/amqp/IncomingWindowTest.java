package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class IncomingWindowTest {
    private static final int FRAME = 1000;

    private final IncomingWindow window = new IncomingWindow(64 * FRAME, FRAME);

    @Test
    void itStartsAsIfEveryFrameWereAsLargeAsItMayBe() {
        assertEquals(64, window.grant());
    }

    @Test
    void halfOfItIsUsedBeforeMoreIsGranted() {
        window.grant();
        for (int i = 0; i < 31; i++) {
            assertTrue(window.received(FRAME));
            assertFalse(window.due());
        }
        assertTrue(window.received(FRAME));
        assertTrue(window.due());
        assertEquals(64, window.grant());
    }

    @Test
    void smallFramesWidenItToItsLimit() {
        window.grant();
        for (int i = 0; i < 10_000; i++) {
            assertTrue(window.received(10));
            if (window.due()) {
                window.grant();
            }
        }
        assertEquals(4096, window.grant());
    }

    @Test
    void unansweredMessagesNarrowItUntilTheyAreAnswered() {
        window.grant();
        for (int i = 0; i < 64; i++) {
            assertTrue(window.received(FRAME));
            window.held(FRAME);
        }
        assertFalse(window.due());
        assertEquals(0, window.grant());
        assertFalse(window.received(FRAME));
    }

    @Test
    void answersOpenItAgain() {
        window.grant();
        for (int i = 0; i < 64; i++) {
            window.received(FRAME);
            window.held(FRAME);
        }
        for (int i = 0; i < 16; i++) {
            assertFalse(window.due());
            window.answered(FRAME);
        }
        assertTrue(window.due());
        assertEquals(16, window.grant());
    }

    @Test
    void aFrameLargerThanTheWholeWindowIsLetIn() {
        IncomingWindow narrow = new IncomingWindow(FRAME / 2, FRAME);
        assertEquals(1, narrow.grant());
        assertTrue(narrow.received(FRAME));
        assertTrue(narrow.due());
        assertEquals(1, narrow.grant());
    }

    @Test
    void whatWasGrantedIsNotTakenBack() {
        assertEquals(64, window.grant());
        window.held(64 * FRAME);
        assertEquals(64, window.grant());
    }
}
