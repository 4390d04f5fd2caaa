package io.millrace.journal.h2;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class BrisknessTest {
    private static final long A_WHILE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    private final Briskness briskness = new Briskness();

    private void come(int facts) {
        long end = System.nanoTime() + A_WHILE_NANOS;
        while (System.nanoTime() < end) {
            LockSupport.parkNanos(end - System.nanoTime());
        }
        briskness.came(facts);
    }

    @Test
    void aStreamIsBriskAndSingleMessagesAreNot() {
        come(1);
        assertFalse(briskness.isBrisk());
        come(100_000_000);
        assertTrue(briskness.isBrisk());
    }

    @Test
    void isBriskNoMoreWhenTheStreamIsOver() {
        come(100_000_000);
        come(20);
        assertFalse(briskness.isBrisk());
    }
}
