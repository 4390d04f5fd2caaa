package io.millrace.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import io.millrace.queue.Answers;
import io.millrace.queue.Messages;
import io.millrace.queue.Receipt;
import io.millrace.queue.Recipient;
import io.millrace.queue.Target;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** A queue on loop 0, and links to it on loop 1. */
class TwoLoopsTest {
    private final BrokerScene scene = new BrokerScene(2);
    private final Node here = scene.node(0, "orders");
    private final Node there = scene.broker.nodes(1).find("orders").orElseThrow();

    private void offer(String... names) {
        for (String name : names) {
            here.target().offer(Messages.transientOne(name), Receipt.NONE);
        }
    }

    private Recipient remote() {
        Recipient consumer = new Recipient(there.source()).attached();
        scene.settle();
        return consumer;
    }

    @Nested
    class Sending {
        @Test
        void keepsTheOrderAndIsAnsweredWhenItIsDurable() {
            Answers answers = new Answers();
            for (String name : List.of("a", "b", "c")) {
                there.target().offer(Messages.durable(name), answers);
            }
            scene.runLoops();
            assertEquals(List.of(), answers.outcomes);
            scene.settle();

            assertEquals(3, answers.outcomes.size());
            Recipient consumer = new Recipient(here.source()).attached().credit(5);
            assertEquals(List.of("a", "b", "c"), consumer.names());
        }

        @Test
        void goesOnAfterACallThatFails() {
            Answers answers = new Answers();
            there.target().offer(Messages.transientOne("a"), outcome -> {
                throw new IllegalStateException("says a test");
            });
            there.target().offer(Messages.transientOne("b"), answers);
            assertThrows(IllegalStateException.class, scene::runLoops);
            scene.runLoops();

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
        }

        @Test
        void isHeldBackWhileTooManyBytesAreUnderWay() {
            assertTrue(there.target().room() > 0);
            there.target().offer(Messages.message("a", true, 3 << 20), Receipt.NONE);
            there.target().offer(Messages.message("b", true, 3 << 20), Receipt.NONE);
            assertEquals(0, there.target().room());
            int[] told = {0};
            there.target().whenRoom(() -> told[0]++);
            scene.runLoops();
            assertEquals(0, told[0]);

            scene.settle();
            assertEquals(1, told[0]);
            assertTrue(there.target().room() > 0);
        }

        @Test
        void isHeldBackByADiskThatIsSlowerThanTheSendersOfMessagesThatAreAnsweredAtOnce() {
            BrokerScene small = BrokerScene.withMemory("4MiB");
            Target queue = small.node(1, "orders").target();
            Target remote = small.broker.nodes(0).find("orders").orElseThrow().target();
            Answers answers = new Answers();
            int sent = 0;
            while (sent < 100 && remote.room() > 0) {
                remote.offer(Messages.message("m" + sent++, false, 256 << 10), answers);
                small.runLoops();
            }

            assertEquals(sent, answers.outcomes.size());
            assertTrue(sent < 100, "a hundred times 256 KiB wait for the disk");
            assertEquals(0, queue.room());
            small.settle();
            assertTrue(remote.room() > 0);
        }
    }

    @Nested
    class WaitingForRoom {
        private final BrokerScene small = BrokerScene.of("queue-defaults: {max-messages: 1, hold: 5s}\n");
        private final Node home = small.node(0, "orders");
        private final Target remote =
                small.broker.nodes(1).find("orders").orElseThrow().target("sender");
        private final Recipient consumer =
                new Recipient(home.source()).attached().credit(100);

        private Answers offer(String name) {
            Answers answers = new Answers();
            remote.offer(Messages.durable(name), answers);
            return answers;
        }

        private long memoryBytes() {
            var bytes = small.broker.memoryBytes();
            small.settle();
            return bytes.join();
        }

        @Test
        void keepsTheOrderAndIsAnsweredOnce() {
            List<Answers> all = Stream.of("a", "b", "c", "d").map(this::offer).toList();
            small.settle();
            assertEquals(
                    List.of(1, 0, 0, 0),
                    all.stream().map(each -> each.outcomes.size()).toList());
            assertEquals(1, all.get(3).withdrawals.size());
            for (String name : List.of("a", "b", "c", "d")) {
                consumer.accept(name);
                small.settle();
            }

            assertEquals(List.of("a", "b", "c", "d"), consumer.names());
            all.forEach(each -> assertEquals(List.of(Outcome.ACCEPTED), each.outcomes));
            assertEquals(0, memoryBytes());
        }

        @Test
        void isRefusedWithTheReasonWhenItsTimeIsOver() {
            offer("a");
            Answers waits = offer("b");
            small.settle();
            small.loops.forEach(loop -> loop.advance(5000));
            small.settle();

            assertEquals(
                    Map.of("queue", "orders", "reason", "max-messages", "limit", 1L),
                    waits.refusal().info());
            assertEquals(1, waits.outcomes.size());
        }

        @Test
        void isTakenBackOnTheOtherLoopOrAnsweredWhicheverComesFirst() {
            offer("a");
            Answers first = offer("b");
            Answers second = offer("c");
            small.settle();
            first.withdrawals.get(0).run();
            consumer.accept("a");
            small.settle();
            assertEquals(1, first.outcomes.size());
            second.withdrawals.get(0).run();
            small.settle();
            consumer.acceptAll();
            small.settle();

            assertEquals(1, second.outcomes.size());
            for (String name : List.of("b", "c")) {
                boolean accepted = (name.equals("b") ? first : second).outcomes.contains(Outcome.ACCEPTED);
                assertEquals(accepted, consumer.names().contains(name), name);
            }
            assertEquals(0, memoryBytes());
        }

        @Test
        void doesNotHoldUpWhoSendsToAnotherQueueOnThatLoop() {
            Target other = small.node(0, "others").target("sender");
            offer("a");
            offer("b");
            small.settle();
            Answers answers = new Answers();
            other.offer(Messages.durable("x"), answers);
            small.settle();

            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
        }

        @Test
        void doesNotCountAgainstWhatMayBeUnderWay() {
            offer("a");
            for (int i = 0; i < 3; i++) {
                remote.offer(Messages.message("large" + i, true, 2 << 20), Receipt.NONE);
            }
            assertEquals(0, remote.room());
            small.settle();

            assertTrue(remote.room() > 0);
        }
    }

    @Nested
    class Receiving {
        @Test
        void keepsTheOrderAndTheCredit() {
            offer("a", "b", "c");
            Recipient consumer = remote().credit(2);
            scene.settle();
            assertEquals(List.of("a", "b"), consumer.names());
            assertTrue(consumer.delivery("a").firstAcquirer());

            consumer.credit(5);
            scene.settle();
            offer("d");
            scene.settle();
            assertEquals(List.of("a", "b", "c", "d"), consumer.names());
        }

        @Test
        void settlesAndIsAnsweredWhenThatIsDurable() {
            here.target().offer(Messages.durable("a"), Receipt.NONE);
            Recipient consumer = remote().credit(2);
            scene.settle();
            Answers answers = new Answers();
            consumer.settle("a", Outcome.ACCEPTED, answers);
            scene.runLoops();
            assertEquals(List.of(), answers.outcomes);

            scene.settle();
            assertEquals(List.of(Outcome.ACCEPTED), answers.outcomes);
            assertEquals(0, scene.messages("orders"));
        }

        @Test
        void returnsMessagesToTheirPlaces() {
            offer("a", "b", "c");
            Recipient consumer = remote().credit(2);
            scene.settle();
            consumer.settle("a", new Outcome.Modified(true, false, Map.of()));
            consumer.settle("b", Outcome.RELEASED);
            consumer.credit(3);
            scene.settle();

            assertEquals(List.of("a", "b", "a", "b", "c"), consumer.names());
            assertEquals(1, consumer.delivery("a").deliveryCount());
            assertFalse(consumer.delivery("b").firstAcquirer());
        }

        @Test
        void browsesAndTakesNothing() {
            offer("a", "b");
            Recipient browser = new Recipient(there.source()).browsing().drain(5);
            scene.settle();

            assertEquals(List.of("a", "b"), browser.names());
            assertEquals(1, browser.drains);
            assertEquals(2, scene.messages("orders"));
        }

        @Test
        void holdsDeliveriesWhileTheLinkIsNotReadyAndTheQueueStopsSending() {
            Recipient consumer = remote();
            consumer.ready = false;
            consumer.credit(1000);
            for (int i = 0; i < 20; i++) {
                here.target().offer(Messages.message("m" + i, false, 64 << 10), Receipt.NONE);
            }
            scene.settle();
            assertEquals(List.of(), consumer.names());
            long underway = scene.stats("orders").orElseThrow().unsettled();
            assertTrue(underway > 0 && underway < 10, underway + " are under way");

            consumer.resume();
            scene.settle();
            assertEquals(IntStream.range(0, 20).mapToObj(i -> "m" + i).toList(), consumer.names());
        }
    }

    @Nested
    class Draining {
        @Test
        void comesAfterTheDeliveries() {
            offer("a", "b");
            Recipient consumer = remote();
            consumer.onDrained = () -> assertEquals(List.of("a", "b"), consumer.names());
            consumer.drain(5);
            scene.settle();

            assertEquals(1, consumer.drains);
        }

        @Test
        void waitsForALinkThatIsNotReady() {
            offer("a");
            Recipient consumer = remote();
            consumer.ready = false;
            consumer.drain(5);
            scene.settle();
            assertEquals(0, consumer.drains);

            consumer.resume();
            assertEquals(List.of("a"), consumer.names());
            assertEquals(1, consumer.drains);
        }

        @Test
        void voidsCreditOnBothSides() {
            Recipient consumer = remote().drain(5);
            scene.settle();
            consumer.credit(1);
            scene.settle();
            offer("a", "b", "c");
            scene.settle();

            assertEquals(List.of("a"), consumer.names());
        }

        @Test
        void anAnswerThatNewerCreditOvertakesIsNotGivenAndTheCreditIsWhole() {
            Recipient consumer = remote();
            there.source().credit(consumer, 3, true);
            scene.loops.get(1).runAll();
            scene.loops.get(0).runAll();
            // The answer is on its way; the peer takes its drain back, and still has its credit of 3.
            there.source().credit(consumer, 3, false);
            scene.settle();
            assertEquals(0, consumer.drains);
            offer("a", "b", "c", "d");
            scene.settle();

            assertEquals(List.of("a", "b", "c"), consumer.names());
        }

        @Test
        void oneAfterTheOtherUnderWayAreAnsweredOnce() {
            Recipient consumer = remote();
            there.source().credit(consumer, 3, true);
            there.source().credit(consumer, 4, true);
            scene.settle();
            assertEquals(1, consumer.drains);
            there.source().credit(consumer, 6, false);
            scene.settle();
            offer("a", "b", "c", "d");
            scene.settle();

            assertEquals(List.of("a", "b"), consumer.names());
        }
    }

    @Nested
    class Crossing {
        @Test
        void deliveriesWhoseCreditWasTakenBackGoBack() {
            offer("a", "b", "c");
            Recipient consumer = remote();
            there.source().credit(consumer, 3, false);
            scene.loops.get(1).runAll();
            scene.loops.get(0).runAll();
            there.source().credit(consumer, 1, false);
            scene.settle();
            assertEquals(List.of("a"), consumer.names());
            assertEquals(1, scene.stats("orders").orElseThrow().unsettled());

            there.source().credit(consumer, 3, false);
            scene.settle();
            offer("d");
            scene.settle();
            assertEquals(List.of("a", "b", "c"), consumer.names());
        }

        @Test
        void aBrowserLosesNoCopyWhenItsCreditIsTakenBack() {
            offer("a", "b", "c");
            Recipient browser = new Recipient(there.source()).browsing();
            there.source().credit(browser, 3, false);
            scene.loops.get(1).runAll();
            scene.loops.get(0).runAll();
            there.source().credit(browser, 1, true);
            scene.settle();
            assertEquals(List.of("a"), browser.names());
            assertEquals(1, browser.drains);

            there.source().credit(browser, 10, true);
            scene.settle();
            assertEquals(List.of("a", "b", "c"), browser.names());
            assertEquals(2, browser.drains);
        }

        @Test
        void aDetachReturnsWhatIsUnderWay() {
            offer("a", "b", "c");
            Recipient consumer = remote();
            there.source().credit(consumer, 3, false);
            scene.loops.get(1).runAll();
            scene.loops.get(0).runAll();
            consumer.detach(true);
            scene.settle();
            assertEquals(List.of(), consumer.names());
            Recipient next = remote().credit(3);
            scene.settle();
            assertEquals(List.of("a", "b", "c"), next.names());
            assertEquals(0, next.delivery("a").deliveryCount(), "the lost consumer never saw it");
        }

        @Test
        void aSettlementAfterADetachIsAnswered() {
            offer("a");
            Recipient consumer = remote().credit(1);
            scene.settle();
            consumer.detach(true);
            Answers answers = new Answers();
            consumer.settle("a", Outcome.ACCEPTED, answers);
            scene.settle();

            assertEquals(1, answers.outcomes.size());
            assertEquals(1, scene.messages("orders"));
        }

        @Test
        void aConsumerThatIsClosedWhileItLeavesIsNotTold() {
            BrokerScene.Opened maker = scene.temporary(0, this);
            Node temporary = maker.node();
            Recipient consumer = new Recipient(scene.broker
                    .nodes(1)
                    .find(temporary.address())
                    .orElseThrow()
                    .source());
            consumer.attached();
            scene.settle();
            scene.broker.nodes(0).release(temporary, maker, Departure.CLOSED);
            scene.loops.get(0).runAll();
            consumer.detach(false);
            scene.settle();

            assertEquals(List.of(), consumer.closed);
        }
    }

    @Test
    void aRefusalComesBackWithItsReason() {
        BrokerScene.Opened maker = scene.temporary(0, this);
        Node temporary = maker.node();
        Node remote = scene.broker.nodes(1).find(temporary.address()).orElseThrow();
        scene.broker.nodes(0).release(temporary, maker, Departure.CLOSED);
        Answers answers = new Answers();
        scene.settle();
        remote.target().offer(Messages.durable("a"), answers);
        scene.settle();

        assertEquals(Condition.RESOURCE_DELETED, answers.refusal().symbol());
    }
}
