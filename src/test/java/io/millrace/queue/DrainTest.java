package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.millrace.message.Outcome;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DrainTest {
    private final QueueScene scene = new QueueScene();

    @Test
    void anEmptyQueueAnswersAtOnce() {
        Recipient consumer = scene.consumer().drain(5);

        assertEquals(1, consumer.drains);
    }

    @Test
    void whatIsThereComesFirst() {
        scene.offerTransient("a", "b");
        Recipient consumer = scene.consumer();
        consumer.onDrained = () -> assertEquals(List.of("a", "b"), consumer.names());
        consumer.drain(5);

        assertEquals(1, consumer.drains);
    }

    @Test
    void usedUpCreditIsAnAnswerToo() {
        scene.offerTransient("a", "b");
        Recipient consumer = scene.consumer().drain(1);

        assertEquals(List.of("a"), consumer.names());
        assertEquals(1, consumer.drains);
    }

    @Test
    void itVoidsTheCreditThatIsLeft() {
        Recipient consumer = scene.consumer().drain(5);
        scene.offerTransient("a");
        assertEquals(List.of(), consumer.names());

        consumer.credit(1);
        assertEquals(List.of("a"), consumer.names());
    }

    @Test
    void itIsAnsweredOnceForEachTime() {
        Recipient consumer = scene.consumer().drain(5);
        consumer.drain(5);

        assertEquals(2, consumer.drains);
    }

    @Test
    void aConsumerThatIsNotReadyIsAnsweredWhenItHasBeenServed() {
        scene.offerTransient("a");
        Recipient consumer = scene.consumer();
        consumer.ready = false;
        consumer.drain(5);
        assertEquals(0, consumer.drains);

        consumer.resume();
        assertEquals(List.of("a"), consumer.names());
        assertEquals(1, consumer.drains);
    }

    @Test
    void aConsumerThatIsNotReadyIsAnsweredWhenAnotherTookWhatThereWas() {
        scene.offerTransient("a");
        Recipient slow = scene.consumer();
        slow.ready = false;
        slow.drain(5);
        scene.consumer().credit(1);

        assertEquals(1, slow.drains);
    }

    @Test
    void creditWithoutDrainCallsAPendingDrainOff() {
        scene.offerTransient("a");
        Recipient slow = scene.consumer();
        slow.ready = false;
        slow.drain(5);
        slow.credit(5);
        slow.resume();
        scene.offerTransient("b");

        assertEquals(0, slow.drains);
        assertEquals(List.of("a", "b"), slow.names());
    }

    @Test
    void messagesThatOnlyOthersMayHaveDoNotHoldItUp() {
        scene.offerTransient("a");
        Recipient refusing = scene.consumer().credit(1);
        scene.consumer();
        refusing.settle("a", new Outcome.Modified(false, true, Map.of()));
        refusing.drain(5);

        assertEquals(1, refusing.drains);
        assertEquals(List.of("a"), refusing.names());
    }

    @Test
    void creditGrantedInsideTheAnswerIsServed() {
        scene.offerTransient("a", "b");
        Recipient consumer = scene.consumer();
        consumer.onDrained = () -> consumer.credit(1);
        consumer.drain(1);

        assertEquals(List.of("a", "b"), consumer.names());
    }

    @Test
    void consumersMayLeaveInsideTheAnswer() {
        scene.offerTransient("a");
        Recipient first = scene.consumer();
        Recipient second = scene.consumer();
        first.ready = false;
        second.ready = false;
        first.drain(5);
        second.drain(5);
        first.onDrained = () -> second.detach(false);
        scene.consumer().credit(1);

        assertEquals(1, first.drains);
        assertEquals(0, second.drains);
    }

    @Test
    void itWaitsForMessagesThatAreReadFromTheStore() {
        scene.offerDurable("a", "b");
        scene.settle();
        QueueScene again = scene.restarted(QueueScene.settings(), QueueScene.AMPLE_BYTES);
        Recipient consumer = again.consumer();
        consumer.onDrained = () -> assertEquals(List.of("a", "b"), consumer.names());
        consumer.drain(5);
        assertEquals(0, consumer.drains);

        again.settle();
        assertEquals(1, consumer.drains);
    }
}
