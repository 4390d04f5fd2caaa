package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class SelectiveTest {
    private static final Outcome FAILED = new Outcome.Modified(true, false, Map.of());
    private static final int BUDGET_BYTES = 1 << 20;

    private final QueueScene scene = new QueueScene(QueueScene.settings(), BUDGET_BYTES);

    private static Predicate<String> every(int nth) {
        return name -> Integer.parseInt(name.substring(1)) % nth == 0;
    }

    private static List<String> names(int first, int last, int step) {
        return IntStream.rangeClosed(first, last)
                .filter(i -> i % step == 0)
                .mapToObj(i -> "m" + i)
                .toList();
    }

    /** Takes all there is for it, so many at a time. */
    private static void takeAll(QueueScene scene, Recipient consumer, int credit) {
        int before;
        do {
            before = consumer.deliveries.size();
            consumer.credit(credit);
            scene.settle();
            assertTrue(scene.heldBytes() <= BUDGET_BYTES, scene.heldBytes() + " bytes are held");
            consumer.acceptAll();
        } while (consumer.deliveries.size() > before);
    }

    @Nested
    class InMemory {
        @Test
        void aConsumerGetsWhatItWantsInOrderAndLeavesTheRest() {
            scene.offerTransient("a1", "b1", "a2", "b2");
            Recipient selective = scene.consumerOf(name -> name.startsWith("b")).credit(10);
            scene.offerTransient("b3", "a3");

            assertEquals(List.of("b1", "b2", "b3"), selective.names());
            assertEquals(List.of("a1", "a2", "a3"), scene.consumer().credit(10).names());
        }

        @Test
        void whatComesBackIsOfferedToThoseThatHavePassedIt() {
            scene.offerTransient("a1", "a2", "b1");
            Recipient all = scene.consumer().credit(2);
            Recipient selective = scene.consumerOf(name -> name.startsWith("a")).credit(10);
            assertEquals(List.of(), selective.names());
            all.settle("a2", Outcome.RELEASED);
            all.settle("a1", FAILED);

            assertEquals(List.of("a2", "a1"), selective.names());
            assertEquals(1, selective.delivery("a1").deliveryCount());
        }

        @Test
        void whatItReleasesComesAgainBeforeTheRest() {
            scene.offerTransient("a1", "b1", "a2", "a3");
            Recipient selective = scene.consumerOf(name -> name.startsWith("a")).credit(2);
            selective.settle("a1", Outcome.RELEASED);
            selective.credit(5);

            assertEquals(List.of("a1", "a2", "a1", "a3"), selective.names());
        }

        @Test
        void whatItRefusesForItselfGoesToOthers() {
            scene.offerTransient("a1", "a2");
            Recipient selective = scene.consumerOf(name -> name.startsWith("a")).credit(1);
            selective.settle("a1", new Outcome.Modified(false, true, Map.of()));
            selective.credit(5);
            Recipient other = scene.consumerOf(name -> name.startsWith("a")).credit(5);

            assertEquals(List.of("a1", "a2"), selective.names());
            assertEquals(List.of("a1"), other.names());
        }

        @Test
        void consumersTakeTurnsWhateverTheySelect() {
            Recipient odd = scene.consumerOf(every(1)).credit(100);
            Recipient all = scene.consumer().credit(100);
            Recipient tens = scene.consumerOf(every(10)).credit(100);
            scene.offerMany(1, 90, false, 10);

            assertTrue(odd.deliveries.size() >= 40, odd.deliveries.size() + " for the first");
            assertTrue(all.deliveries.size() >= 40, all.deliveries.size() + " for the one without a selector");
            assertEquals(names(1, 90, 10), tens.names(), "it has waited longest each time");
            assertEquals(90, odd.deliveries.size() + all.deliveries.size() + tens.deliveries.size());
        }

        @Test
        void aDrainIsAnsweredWhenAllHasBeenLookedAt() {
            scene.offerMany(1, 3000, false, 10);
            Recipient selective = scene.consumerOf(every(1000)).drain(10);
            selective.onDrained = () -> assertEquals(3, selective.deliveries.size());
            assertEquals(0, selective.drains);
            scene.settle();

            assertEquals(1, selective.drains);
            assertEquals(names(1, 3000, 1000), selective.names());
        }

        @Test
        void anArrivalIsLookedAtOnce() {
            List<String> looked = new ArrayList<>();
            scene.consumerOf(name -> {
                        looked.add(name);
                        return false;
                    })
                    .credit(10);
            Recipient all = scene.consumer();
            scene.offerMany(1, 100, false, 10);
            for (int i = 0; i < 50; i++) {
                all.credit(1);
                all.acceptAll();
            }

            assertEquals(names(1, 100, 1), looked);
        }
    }

    @Nested
    class ADeepBacklog {
        private static final int DEPTH = 100_000;

        private void fill(int messages) {
            for (int i = 0; i < messages; i += 1000) {
                scene.offerMany(i + 1, i + 1000, true, 20);
                scene.settle();
            }
        }

        @Test
        void isSearchedToItsEndAndEachMessageOnce() {
            fill(DEPTH);
            int[] looked = new int[1];
            Recipient selective = scene.consumerOf(name -> {
                looked[0]++;
                return every(1000).test(name);
            });
            takeAll(scene, selective, 7);

            assertEquals(names(1, DEPTH, 1000), selective.names());
            assertTrue(looked[0] <= DEPTH + DEPTH / 100, looked[0] + " looks at " + DEPTH + " messages");
            assertEquals(DEPTH - 100, scene.queue.stats().messages());
        }

        @Test
        void isSharedByConsumersOfAllKindsAndNothingComesTwice() {
            fill(10_000);
            Recipient sevens = scene.consumerOf(every(7)).credit(20_000);
            Recipient elevens = scene.consumerOf(every(11)).credit(20_000);
            for (int held = -1; held < sevens.deliveries.size() + elevens.deliveries.size(); ) {
                held = sevens.deliveries.size() + elevens.deliveries.size();
                scene.settle();
                sevens.acceptAll();
                elevens.acceptAll();
            }
            List<String> all = new ArrayList<>(sevens.names());
            all.addAll(elevens.names());
            Recipient rest = scene.consumer();
            takeAll(scene, rest, 100);
            all.addAll(rest.names());

            assertEquals(10_000, all.size());
            assertEquals(10_000, all.stream().distinct().count());
            assertEquals(
                    names(1, 10_000, 77).size(), all.stream().filter(every(77)).count());
            scene.settle();
            assertEquals(0, scene.storedMessages());
            assertEquals(0, scene.heldBytes());
            assertEquals(0, scene.queue.stats().messages());
            assertEquals(0, scene.queue.stats().bytes());
        }

        @Test
        void arrivalsReachAConsumerThatWaitsAtItsEnd() {
            fill(5000);
            Recipient selective = scene.consumerOf(every(5001)).credit(10);
            scene.settle();
            assertEquals(List.of(), selective.names());
            scene.offerMany(5001, 5100, true, 20);
            scene.settle();

            assertEquals(List.of("m5001"), selective.names());
        }

        @Test
        void aDrainIsAnsweredAtItsEnd() {
            fill(5000);
            Recipient selective = scene.consumerOf(every(4000));
            selective.onDrained = () -> assertEquals(List.of("m4000"), selective.names());
            selective.drain(10);
            assertEquals(0, selective.drains);
            scene.settle();

            assertEquals(1, selective.drains);
        }

        @Test
        void keepsThePlaceOfWhatIsReleasedFromItsMiddle() {
            fill(5000);
            Recipient selective = scene.consumerOf(every(1500)).credit(2);
            scene.settle();
            assertEquals(List.of("m1500", "m3000"), selective.names());
            selective.settle("m3000", Outcome.RELEASED);
            selective.settle("m1500", FAILED);
            selective.detach(false);
            scene.settle();
            Recipient all = scene.consumer();
            takeAll(scene, all, 100);

            assertEquals(names(1, 5000, 1), all.names());
            assertEquals(1, all.delivery("m1500").deliveryCount());
            scene.settle();
            assertEquals(0, scene.heldBytes());
        }

        @Test
        void keepsLittleInMemoryForConsumersThatLeave() {
            fill(5000);
            for (int i = 0; i < 20; i++) {
                Recipient selective = scene.consumerOf(every(2)).credit(1);
                scene.settle();
                selective.detach(false);
                scene.settle();
                assertTrue(scene.heldBytes() <= BUDGET_BYTES, scene.heldBytes() + " bytes are held");
            }
            Recipient all = scene.consumer();
            takeAll(scene, all, 100);
            assertEquals(names(1, 5000, 1), all.names());
        }
    }

    @Test
    void aBrowserComesToTheEndOfABacklogWhoseLastMessagesAreHeld() {
        scene.offerMany(1, 3000, true, 1000);
        scene.settle();
        Recipient selective = scene.consumerOf(every(3000)).credit(1);
        scene.settle();
        assertEquals(List.of("m3000"), selective.names());
        Recipient browser = scene.browser();
        browser.drain(5000);
        for (int i = 0; i < 10_000 && browser.drains == 0; i++) {
            scene.loop.runOne();
            scene.journal.flush();
        }

        assertEquals(names(1, 2999, 1), browser.names());
        assertEquals(1, browser.drains);
    }

    @Test
    void aBrowserSeesWhatItSelectsOfADeepBacklog() {
        scene.offerMany(1, 3000, true, 1000);
        scene.settle();
        Recipient browser = scene.consumer(
                Selection.BROWSE.matching(delivery -> every(500).test(Messages.name(delivery.message()))));
        browser.drain(100);
        scene.settle();

        assertEquals(names(1, 3000, 500), browser.names());
        assertEquals(1, browser.drains);
    }
}
