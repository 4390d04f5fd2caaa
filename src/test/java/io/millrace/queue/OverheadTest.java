package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Message;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a message takes beside its bytes, measured on the heap. */
class OverheadTest {
    private static final int MESSAGES = 50_000;

    /** The serial collector leaves dead objects of up to a twentieth of the heap where they are, but each fourth time. */
    private static final int COLLECTIONS = 4;

    private static long usedAfterCollection() {
        for (int i = 0; i < COLLECTIONS; i++) {
            System.gc();
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void isNotMoreThanTheBudgetReckonsAndNotMuchLess(boolean held) {
        // Garbage of other tests may go meanwhile, so it is the median that counts.
        double each = IntStream.range(0, 5)
                .mapToDouble(i -> bytesAroundAMessage(held))
                .sorted()
                .toArray()[2];

        // The rest is for what the link of a consumer keeps of a delivery.
        assertTrue(each > 180 && each < MemoryBudget.OVERHEAD_BYTES, each + " bytes around a message");
    }

    private static double bytesAroundAMessage(boolean held) {
        QueueScene scene = new QueueScene(QueueScene.settings(), 1L << 30);
        Recipient consumer = scene.consumer();
        long before = usedAfterCollection();
        long bytes = 0;
        for (int i = 0; i < MESSAGES; i++) {
            Message message = Messages.transientOne("m" + i);
            bytes += message.size();
            scene.queue.offer(message, Receipt.NONE);
        }
        consumer.credit(held ? MESSAGES : 0);
        long measured = usedAfterCollection() - before - bytes;
        assertEquals(held ? MESSAGES : 0, consumer.deliveries.size());
        return (double) measured / MESSAGES;
    }
}
