package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.millrace.config.QueueSettings;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LastValuesTest {
    private static final QueueSettings SETTINGS = QueueScene.settings().withLastValueKey("key");

    private final QueueScene scene = new QueueScene(SETTINGS, QueueScene.AMPLE_BYTES);

    private static Message of(String name, Object key) {
        return Envelope.durable(name).property("key", key).build();
    }

    @Test
    void aNewMessageReplacesTheOneWithTheSameValueAndTakesTheEnd() {
        scene.offer(of("a1", "a"));
        scene.offer(of("b1", "b"));
        scene.offer(of("a2", "a"));
        scene.settle();

        assertEquals(List.of("b1", "a2"), scene.consumer().credit(10).names());
        assertEquals(2, scene.storedMessages());
        assertEquals(2, scene.queue.stats().messages());
    }

    @Test
    void messagesWithoutAValueAreKept() {
        scene.offerDurable("x", "y");
        scene.offer(of("a", "a"));
        scene.offerDurable("z");

        assertEquals(List.of("x", "y", "a", "z"), scene.consumer().credit(10).names());
    }

    @Test
    void valuesOfDifferentTypesAreDifferentAndAnnotationsCountFirst() {
        scene.offer(of("text", "1"));
        scene.offer(of("number", 1));
        scene.offer(Envelope.durable("annotated")
                .annotation("key", "1")
                .property("key", 1)
                .build());

        assertEquals(List.of("number", "annotated"), scene.consumer().credit(10).names());
    }

    @Test
    void aMessageThatIsHeldStaysWithItsConsumerAndIsDroppedWhenItComesBack() {
        scene.offer(of("a1", "a"));
        scene.offer(of("b1", "b"));
        scene.settle();
        Recipient consumer = scene.consumer().credit(2);
        scene.offer(of("a2", "a"));
        assertEquals(3, scene.queue.stats().messages());
        consumer.settle("a1", Outcome.RELEASED);
        consumer.settle("b1", new Outcome.Modified(true, false, Map.of()));
        consumer.credit(10);
        scene.settle();

        assertEquals(List.of("a1", "b1", "b1", "a2"), consumer.names());
        assertEquals(2, scene.storedMessages());
    }

    @Test
    void whatWasConsumedIsReplacedByNothing() {
        scene.offer(of("a1", "a"));
        Recipient consumer = scene.consumer().credit(10);
        consumer.accept("a1");
        scene.offer(of("a2", "a"));
        consumer.accept("a2");
        scene.settle();

        assertEquals(List.of("a1", "a2"), consumer.names());
        assertEquals(0, scene.storedMessages());
    }

    @Test
    void replacesMessagesThatOnlyTheStoreHas() {
        QueueScene deep = new QueueScene(SETTINGS, 1 << 20);
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < 1000; i++) {
                deep.offer(Envelope.durable(round + "-" + i)
                        .property("key", i)
                        .bytes(1000)
                        .build());
                if (i % 100 == 0) {
                    deep.settle();
                }
            }
        }
        deep.settle();

        assertEquals(1000, deep.queue.stats().messages());
        assertEquals(1000, deep.storedMessages());
        Recipient consumer = deep.consumer();
        for (int i = 0; i < 40; i++) {
            consumer.credit(50);
            deep.settle();
            consumer.acceptAll();
            deep.settle();
        }
        assertEquals(1000, consumer.names().size());
        assertEquals("2-0", consumer.names().get(0));
        assertEquals("2-999", consumer.names().get(999));
    }

    @Test
    void knowsTheValuesAfterARestart() {
        for (int i = 0; i < 2000; i++) {
            scene.offer(of("old" + i, i));
        }
        scene.settle();
        QueueScene again = scene.restarted(SETTINGS, QueueScene.AMPLE_BYTES);
        again.offer(of("early", 7));
        again.settle();
        again.offer(of("late", 1999));
        again.settle();

        assertEquals(2000, again.queue.stats().messages());
        assertEquals(2000, again.storedMessages());
        Recipient consumer = again.consumer().credit(3000);
        again.settle();
        List<String> names = consumer.names();
        assertEquals(2000, names.size());
        assertEquals(List.of("early", "late"), names.subList(1998, 2000));
    }

    @Test
    void aMessageThatWasDelayedReplacesWhenItComes() {
        scene.offer(Envelope.durable("later").property("key", "a").delay(100).build());
        scene.offer(of("a1", "a"));
        scene.settle();
        assertEquals(2, scene.queue.stats().messages());
        scene.elapse(100);

        assertEquals(List.of("later"), scene.consumer().credit(10).names());
        assertEquals(1, scene.storedMessages());
    }
}
