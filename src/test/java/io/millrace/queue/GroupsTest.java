package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Outcome;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class GroupsTest {
    private static final int BUDGET_BYTES = 1 << 20;

    private final QueueScene scene = new QueueScene(QueueScene.settings(), BUDGET_BYTES);

    /** Offers messages of the group that their names begin with. */
    private void offer(String... names) {
        for (String name : names) {
            scene.offer(Messages.of(name, true, 4, name.substring(0, 1), 1));
        }
    }

    @Test
    void aGroupStaysWithTheConsumerThatTookItsFirstMessage() {
        Recipient first = scene.consumer().credit(100);
        Recipient second = scene.consumer().credit(100);
        offer("a1", "b1", "a2", "a3", "b2", "a4", "b3");

        assertEquals(List.of("a1", "a2", "a3", "a4"), first.names());
        assertEquals(List.of("b1", "b2", "b3"), second.names());
    }

    @Test
    void messagesWithoutAGroupGoToAnyone() {
        Recipient first = scene.consumer().credit(100);
        Recipient second = scene.consumer().credit(100);
        offer("a1");
        scene.offerDurable("x1", "x2", "x3");

        assertEquals(4, first.deliveries.size() + second.deliveries.size());
        assertTrue(first.deliveries.size() >= 2 && second.deliveries.size() >= 1, first.names() + " " + second.names());
    }

    @Test
    void aSlowOwnerHoldsUpNobodyElseHoweverDeepItsGroupIs() {
        Recipient slow = scene.consumer().credit(1);
        Recipient other = scene.consumer();
        offer("a1");
        other.credit(100_000);
        for (int i = 2; i <= 10_000; i++) {
            scene.offer(Messages.of("a" + i, true, 4, "a", 1));
        }
        offer("b1", "c1", "b2");
        scene.settle();

        assertEquals(List.of("b1", "c1", "b2"), other.names());
        assertTrue(scene.heldBytes() <= BUDGET_BYTES, scene.heldBytes() + " bytes are held");
        slow.onDelivery = (self, delivery) -> scene.queue.settle(self, delivery, Outcome.ACCEPTED, Receipt.NONE);
        slow.credit(100_000);
        scene.settle();
        assertEquals(IntStream.rangeClosed(1, 10_000).mapToObj(i -> "a" + i).toList(), slow.names());
    }

    @Test
    void whatTheOwnerReleasesComesBackToIt() {
        Recipient owner = scene.consumer().credit(2);
        offer("a1", "a2", "a3");
        Recipient other = scene.consumer().credit(10);
        owner.settle("a1", Outcome.RELEASED);
        owner.credit(1);

        assertEquals(List.of(), other.names(), "a2 is not settled");
        assertEquals(List.of("a1", "a2"), owner.names(), "the group is about to move, so that nobody gets any of it");
        owner.accept("a2");
        assertEquals(List.of("a1", "a3"), new ArrayList<>(both(owner, other)).subList(2, 4));
    }

    private static List<String> both(Recipient first, Recipient second) {
        List<String> all = new ArrayList<>(first.names());
        all.addAll(second.names());
        return all;
    }

    @Test
    void aGroupMovesInOrderWhenItsConsumerGoes() {
        Recipient owner = scene.consumer().credit(2);
        offer("a1", "a2", "a3", "b1");
        Recipient other = scene.consumer().credit(1);
        assertEquals(List.of("b1"), other.names());
        offer("a4");
        owner.detach(false);
        other.credit(10);

        assertEquals(List.of("b1", "a1", "a2", "a3", "a4"), other.names());
    }

    @Test
    void groupsAreSharedOutAnewWhenAConsumerComes() {
        Recipient first = scene.consumer().credit(100);
        offer("a1", "b1", "c1", "d1");
        assertEquals(4, first.deliveries.size());
        first.acceptAll();
        Recipient second = scene.consumer().credit(100);
        offer("a2", "b2", "c2", "d2", "a3", "b3", "c3", "d3");

        assertEquals(4, second.deliveries.size());
        assertEquals(8, first.deliveries.size());
        for (String group : List.of("a", "b", "c", "d")) {
            boolean whole =
                    second.names().contains(group + "2") == second.names().contains(group + "3");
            assertTrue(whole, "group " + group + " is with one of " + first.names() + " and " + second.names());
        }
    }

    @Test
    void aGroupThatIsNotSettledMovesOnlyWhenItIs() {
        Recipient first = scene.consumer().credit(1);
        offer("a1");
        Recipient second = scene.consumer().credit(10);
        offer("a2");
        assertEquals(List.of(), second.names());

        first.accept("a1");
        assertEquals(List.of("a2"), second.names());
    }

    @Test
    void aNegativeSequenceClosesTheGroup() {
        Recipient first = scene.consumer().credit(100);
        Recipient second = scene.consumer().credit(100);
        offer("a1");
        scene.offer(Messages.of("a2", true, 4, "a", -1));
        offer("a3");
        assertEquals(List.of("a1", "a2"), first.names());
        first.acceptAll();

        assertEquals(3, first.deliveries.size() + second.deliveries.size());
        assertEquals(List.of("a3"), second.names(), "it has waited longest");
    }

    @Test
    void groupsHoldInABacklogThatIsReadAfterARestart() {
        for (int i = 1; i <= 5000; i++) {
            scene.offer(Messages.of("g" + i % 7 + "-" + i, true, 4, "g" + i % 7, 1));
        }
        scene.settle();
        QueueScene again = scene.restarted(QueueScene.settings(), BUDGET_BYTES);
        List<Recipient> consumers = List.of(again.consumer(), again.consumer(), again.consumer());
        for (int i = 0; i < 2000; i++) {
            consumers.forEach(each -> each.credit(5));
            again.settle();
            consumers.forEach(Recipient::acceptAll);
        }

        assertEquals(
                5000,
                consumers.stream().mapToInt(each -> each.deliveries.size()).sum());
        for (int group = 0; group < 7; group++) {
            String prefix = "g" + group + "-";
            List<Recipient> owners = consumers.stream()
                    .filter(each -> each.names().stream().anyMatch(name -> name.startsWith(prefix)))
                    .toList();
            assertEquals(1, owners.size(), "group " + group);
            List<Integer> order = owners.get(0).names().stream()
                    .filter(name -> name.startsWith(prefix))
                    .map(name -> Integer.valueOf(name.substring(3)))
                    .toList();
            assertEquals(order.stream().sorted().toList(), order);
        }
        again.settle();
        assertEquals(0, again.heldBytes());
    }
}
