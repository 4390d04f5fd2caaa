package io.millrace.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.Fact.BodyDropped;
import io.millrace.journal.Fact.BodyPart;
import io.millrace.journal.Fact.DeliveryFailed;
import io.millrace.journal.Fact.Details;
import io.millrace.journal.Fact.IdentitiesForgotten;
import io.millrace.journal.Fact.IdentitySeen;
import io.millrace.journal.Fact.MessageAnnotated;
import io.millrace.journal.Fact.MessageMoved;
import io.millrace.journal.Fact.MessageRemoved;
import io.millrace.journal.Fact.MessageStored;
import io.millrace.journal.Fact.NodeDeclared;
import io.millrace.journal.Fact.NodeDeleted;
import io.millrace.journal.Fact.NodeKind;
import io.millrace.journal.Journal.Lane;
import io.millrace.journal.MessageReader.ExpiredRun;
import io.millrace.journal.MessageReader.ExpiryMark;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** What every journal does with what is kept beside the bytes of messages: deadlines, bodies, identities, lanes. */
public abstract class DetailsContract extends JournalScene {
    private static final Details NONE = Details.NONE;

    private static MessageKey scheduled(long queue, long dueMillis) {
        return new MessageKey(queue, MessageKey.SCHEDULED, dueMillis << MessageKey.DUE_SHIFT);
    }

    @Nested
    class KeepingDetails {
        @Test
        void allDetailsComeBackWithTheMessageAlsoAfterARestart() {
            Details details = new Details(1_800_000_000_000L, 77, 0, 0);
            append(with(stored(ORDERS, 1, 100), details), stored(ORDERS, 2, 100));
            assertEquals(details, read(ORDERS, -1, 1, 1).get(0).details());
            crashAndReopen();
            assertEquals(details, read(ORDERS, -1, 1, 1).get(0).details());
            assertEquals(NONE, read(ORDERS, 1, 1, 1).get(0).details());
            assertArrayEquals(
                    stored(ORDERS, 1, 100).bytes(),
                    read(ORDERS, -1, 1, 1).get(0).bytes());
        }

        @Test
        void largeAndSpilledMessagesHaveDetailsToo() {
            Details details = new Details(5, 6, 0, 0);
            append(
                    with(stored(ORDERS, 1, 700_000), details),
                    with(stored(new MessageKey(ORDERS, 0, 2), false, 10), details));
            for (StoredMessage found : read(ORDERS, -1, 10, Long.MAX_VALUE)) {
                assertEquals(details, found.details());
            }
        }

        @Test
        void annotatingKeepsDeadlineAndOrigin() {
            Details details = new Details(500, 6, 0, 0);
            append(with(stored(ORDERS, 1, 10), details));
            append(new MessageAnnotated(new MessageKey(ORDERS, 0, 1), 10, new byte[700]));
            assertEquals(details, read(ORDERS, -1, 1, 1).get(0).details());
            assertEquals(
                    700,
                    expired(ExpiryMark.start(ORDERS), 500, 10).messages().get(0).bytes().length);
        }

        @Test
        void nodesComeBackWithTheirKindsAndProperties() {
            NodeDeclared topic = new NodeDeclared(5, "news", NodeKind.TOPIC, Map.of());
            NodeDeclared subscription = new NodeDeclared(
                    6, "news.#", NodeKind.SUBSCRIPTION, Map.of("name", "sub", "client", "größe", "selector", ""));
            NodeDeclared queue = new NodeDeclared(7, "q", NodeKind.DEAD_LETTER_QUEUE, Map.of("of", "orders"));
            append(topic, subscription, queue);
            crashAndReopen();
            assertEquals(topic, recovered(5).declared());
            assertEquals(subscription, recovered(6).declared());
            assertEquals(queue, recovered(7).declared());
            assertEquals(NodeKind.QUEUE, recovered(ORDERS).declared().kind());
        }
    }

    @Nested
    class Expiring {
        private MessageStored expiring(int lane, long sequence, long millis) {
            return with(stored(new MessageKey(ORDERS, lane, sequence), true, 50), NONE.withExpiry(millis));
        }

        private List<Long> expiredSequences(long untilMillis) {
            return expired(ExpiryMark.start(ORDERS), untilMillis, 100).messages().stream()
                    .map(m -> m.key().sequence())
                    .toList();
        }

        @Test
        void messagesComeInTheOrderOfTheirDeadlinesFromAllLanes() {
            append(
                    expiring(0, 1, 300),
                    expiring(4, 2, 100),
                    stored(ORDERS, 3, 10),
                    expiring(4, 4, 200),
                    expiring(0, 5, 200),
                    with(stored(new MessageKey(ORDERS, 1, 6), false, 10), NONE.withExpiry(150)),
                    with(stored(DEAD, 7, 10), NONE.withExpiry(50)));
            assertEquals(List.of(2L, 6L, 5L, 4L, 1L), expiredSequences(1000));
            crashAndReopen();
            assertEquals(List.of(2L, 5L, 4L, 1L), expiredSequences(1000));
        }

        @Test
        void aRunEndsAtItsLimitsAndTellsTheNextDeadline() {
            append(expiring(0, 1, 100), expiring(0, 2, 100), expiring(0, 3, 200), expiring(0, 4, 900));
            ExpiredRun first = expired(ExpiryMark.start(ORDERS), 300, 2);
            assertEquals(2, first.messages().size());
            assertEquals(200, first.nextMillis());
            ExpiryMark last = new ExpiryMark(100, first.messages().get(1).key());
            ExpiredRun second = expired(last, 300, 10);
            assertEquals(1, second.messages().size());
            assertEquals(3, second.messages().get(0).key().sequence());
            assertEquals(900, second.nextMillis());
            assertEquals(0, expired(last, 900, 10).nextMillis());
            assertEquals(new ExpiredRun(List.of(), 100), expired(ExpiryMark.start(ORDERS), 99, 10));
        }

        @Test
        void whatIsRemovedMovedOrDeletedExpiresNoMore() {
            MessageStored removed = expiring(0, 1, 100);
            MessageStored moved = expiring(0, 2, 100);
            append(removed, moved, expiring(0, 3, 100));
            append(removed(removed), new MessageMoved(removed(moved), with(stored(DEAD, 9, 10), NONE.withExpiry(200))));
            assertEquals(List.of(3L), expiredSequences(100));
            assertEquals(new ExpiredRun(List.of(), 200), expired(ExpiryMark.start(DEAD), 100, 10));
            append(new NodeDeleted(ORDERS));
            append(stored(DEAD, 10, 10));
            crashAndReopen();
            assertEquals(List.of(), expiredSequences(1000));
            assertEquals(0, expired(ExpiryMark.start(ORDERS), 0, 1).nextMillis());
        }

        @Test
        void aDeadlineChangesWithAMoveInsideTheQueue() {
            MessageStored message = expiring(0, 1, 100);
            append(message);
            append(new MessageMoved(removed(message), expiring(0, 2, 400)));
            assertEquals(new ExpiredRun(List.of(), 400), expired(ExpiryMark.start(ORDERS), 100, 10));
        }
    }

    @Nested
    class SharingBodies {
        /** What a fan-out stores: the same array under one number. */
        private MessageStored copy(long queue, long sequence, boolean durable, long body, byte[] bytes) {
            return new MessageStored(new MessageKey(queue, 0, sequence), durable, 1, 0, bytes, NONE.withBody(body));
        }

        private byte[] bytes(int size) {
            return stored(ORDERS, size, size).bytes();
        }

        @Test
        void everyMessageHasAllBytesWhateverTheirSize() {
            for (int size : new int[] {0, 1, 255, 256, 5_000, 40_000, Details.PART_BYTES, 800_000}) {
                long body = journal.newBody();
                byte[] bytes = bytes(size);
                append(copy(ORDERS, size, true, body, bytes), copy(DEAD, size, true, body, bytes));
                for (long queue : new long[] {ORDERS, DEAD}) {
                    StoredMessage found = read(queue, size - 1, 1, 1).get(0);
                    assertArrayEquals(bytes, found.bytes());
                    assertEquals(body, found.details().body());
                }
            }
            crashAndReopen();
            assertArrayEquals(bytes(800_000), read(DEAD, 799_999, 1, 1).get(0).bytes());
            assertEquals(recovered(DEAD).bytes(), recovered(ORDERS).bytes());
            assertEquals(
                    256 + 255 + 1 + 5_000 + 40_000 + Details.PART_BYTES + 800_000,
                    recovered(DEAD).bytes());
        }

        @Test
        void aBodyStaysForThoseWhoHaveItWhenOthersLeave() {
            long body = journal.newBody();
            byte[] bytes = bytes(2_000);
            MessageStored one = copy(ORDERS, 1, true, body, bytes);
            MessageStored two = copy(DEAD, 1, true, body, bytes);
            MessageStored spilled = copy(DEAD, 2, false, body, bytes);
            append(one, two, spilled);
            append(removed(one));
            assertArrayEquals(bytes, read(DEAD, -1, 1, 1).get(0).bytes());
            append(removed(two));
            assertArrayEquals(bytes, read(DEAD, -1, 1, 1).get(0).bytes());
            append(removed(spilled));
            assertEquals(List.of(), sequences(DEAD));
        }

        @Test
        void copiesThatAreNotDurableGoWithTheRestartAndTheOthersStay() {
            long body = journal.newBody();
            byte[] bytes = bytes(2_000);
            append(copy(ORDERS, 1, false, body, bytes), copy(DEAD, 1, true, body, bytes));
            crashAndReopen();
            assertEquals(List.of(), sequences(ORDERS));
            assertArrayEquals(bytes, read(DEAD, -1, 1, 1).get(0).bytes());
            append(new MessageRemoved(new MessageKey(DEAD, 0, 1), true, 2_000));
            assertEquals(0, recovered(ORDERS).messages());
        }

        @Test
        void annotatingOneCopyLeavesTheOthersAlone() {
            long body = journal.newBody();
            byte[] bytes = bytes(2_000);
            MessageStored one = copy(ORDERS, 1, true, body, bytes);
            append(one, copy(DEAD, 1, true, body, bytes));
            append(new MessageAnnotated(one.key(), 2_000, bytes(2_100)));
            append(new MessageRemoved(new MessageKey(DEAD, 0, 1), true, 2_000));
            StoredMessage found = read(ORDERS, -1, 1, 1).get(0);
            assertArrayEquals(bytes(2_100), found.bytes());
            assertEquals(0, found.details().body());
            crashAndReopen();
            assertEquals(2_100, recovered(ORDERS).bytes());
        }

        @Test
        void annotatingInTheBatchThatStoresIsTheSame() {
            long body = journal.newBody();
            byte[] bytes = bytes(2_000);
            MessageStored one = copy(ORDERS, 1, true, body, bytes);
            append(one, copy(DEAD, 1, true, body, bytes), new MessageAnnotated(one.key(), 2_000, bytes(2_100)));
            assertArrayEquals(bytes(2_100), read(ORDERS, -1, 1, 1).get(0).bytes());
            assertArrayEquals(bytes, read(DEAD, -1, 1, 1).get(0).bytes());
        }

        @Test
        void aMoveKeepsTheBodyAlsoForTheLastWhoHasIt() {
            long body = journal.newBody();
            byte[] bytes = bytes(300_000);
            MessageStored one = copy(ORDERS, 1, true, body, bytes);
            append(one);
            append(new MessageMoved(removed(one), copy(DEAD, 5, true, body, bytes)));
            crashAndReopen();
            assertArrayEquals(bytes, read(DEAD, -1, 1, 1).get(0).bytes());
            assertEquals(List.of(), sequences(ORDERS));
        }

        @Test
        void copiesThatLeaveInTheSameBatchTakeNothingFromTheOthers() {
            long body = journal.newBody();
            byte[] bytes = bytes(2_000);
            MessageStored gone = copy(ORDERS, 1, true, body, bytes);
            append(gone, copy(DEAD, 1, true, body, bytes), removed(gone));
            crashAndReopen();
            assertArrayEquals(bytes, read(DEAD, -1, 1, 1).get(0).bytes());
            assertEquals(0, recovered(ORDERS).messages());
        }

        @Test
        void aDeletedNodeLeavesTheBodiesThatOthersHave() {
            long body = journal.newBody();
            byte[] bytes = bytes(2_000);
            append(copy(ORDERS, 1, true, body, bytes), copy(DEAD, 1, true, body, bytes));
            append(new NodeDeleted(ORDERS));
            append(stored(DEAD, 2, 10));
            crashAndReopen();
            assertArrayEquals(bytes, read(DEAD, -1, 1, 1).get(0).bytes());
        }
    }

    @Nested
    class StreamingBodies {
        private static final int PARTS = 40;
        private static final int SIZE = 10_000;

        private long streamed(int parts) {
            long body = journal.newBody();
            for (int part = 0; part < parts; part++) {
                append(new BodyPart(body, part, bytes(body, part)));
            }
            return body;
        }

        /** Less than {@link Details#PART_BYTES}, as a journal does not care. */
        private byte[] bytes(long body, int part) {
            return stored(ORDERS, body * 1000 + part, SIZE).bytes();
        }

        private MessageStored message(long queue, long sequence, long body, int parts) {
            Details details = new Details(0, 0, body, (long) parts * SIZE);
            return with(stored(queue, sequence, 100), details);
        }

        private void assertGone(long body) {
            for (int part = 0; part < PARTS; part++) {
                assertEquals(Optional.empty(), part(body, part), "part " + part);
            }
        }

        @Test
        void partsAreReadOneByOneAfterARestartToo() {
            long body = streamed(PARTS);
            append(message(ORDERS, 1, body, PARTS), new BodyDropped(body));
            for (int opened = 0; opened < 2; opened++) {
                StoredMessage found = read(ORDERS, -1, 1, 1).get(0);
                assertArrayEquals(stored(ORDERS, 1, 100).bytes(), found.bytes());
                assertEquals(PARTS * SIZE, found.details().streamed());
                for (int part = 0; part < PARTS; part++) {
                    assertArrayEquals(
                            bytes(body, part),
                            part(found.details().body(), part).orElseThrow());
                }
                assertEquals(Optional.empty(), part(body, PARTS));
                crashAndReopen();
            }
            assertEquals(100 + PARTS * SIZE, recovered(ORDERS).bytes());
        }

        @Test
        void theBodyGoesWithTheLastMessageThatHasIt() {
            long body = streamed(PARTS);
            append(message(ORDERS, 1, body, PARTS), message(DEAD, 1, body, PARTS), new BodyDropped(body));
            append(removed(message(ORDERS, 1, body, PARTS)));
            assertTrue(part(body, PARTS - 1).isPresent());
            append(removed(message(DEAD, 1, body, PARTS)));
            assertGone(body);
            crashAndReopen();
            assertGone(body);
            assertEquals(0, recovered(DEAD).bytes());
        }

        @Test
        void aBodyThatNoMessageNamesIsForgottenByARestart() {
            long kept = streamed(3);
            long lost = streamed(PARTS);
            append(message(ORDERS, 1, kept, 3));
            assertTrue(part(lost, 0).isPresent());
            crashAndReopen();
            assertGone(lost);
            assertTrue(part(kept, 2).isPresent());
            assertTrue(journal.newBody() > kept);
        }

        @Test
        void whoReceivesABodyHoldsItWhileMessagesComeAndGo() {
            long body = streamed(3);
            append(message(ORDERS, 1, body, 3));
            append(removed(message(ORDERS, 1, body, 3)));
            assertTrue(part(body, 2).isPresent());
            append(message(DEAD, 1, body, 3));
            append(new BodyDropped(body));
            assertTrue(part(body, 2).isPresent());
            append(removed(message(DEAD, 1, body, 3)));
            assertGone(body);
        }

        @Test
        void whatWasReceivedIsForgottenByARestartAfterItsMessagesLeft() {
            long body = streamed(3);
            append(message(ORDERS, 1, body, 3));
            append(removed(message(ORDERS, 1, body, 3)));
            crashAndReopen();
            assertGone(body);
        }

        @Test
        void aDroppedBodyIsGone() {
            long body = streamed(PARTS);
            append(new BodyDropped(body));
            assertGone(body);
        }

        @Test
        void partsAndMessageMayComeAndGoInOneBatch() {
            long body = journal.newBody();
            MessageStored message = message(ORDERS, 1, body, 2);
            append(new BodyPart(body, 0, bytes(body, 0)), new BodyPart(body, 1, bytes(body, 1)), message);
            assertArrayEquals(bytes(body, 1), part(body, 1).orElseThrow());
            long brief = streamed(2);
            append(message(ORDERS, 2, brief, 2), new BodyDropped(brief), removed(message(ORDERS, 2, brief, 2)));
            assertGone(brief);
            assertEquals(List.of(1L), sequences(ORDERS));
        }

        @Test
        void aMoveAnnotationOrRedeliveryKeepsTheParts() {
            long body = streamed(3);
            MessageStored message = message(ORDERS, 1, body, 3);
            append(message, new BodyDropped(body));
            append(new MessageAnnotated(message.key(), 100, new byte[250]));
            StoredMessage annotated = read(ORDERS, -1, 1, 1).get(0);
            assertEquals(250, annotated.bytes().length);
            assertEquals(message.details(), annotated.details());
            append(new MessageMoved(removed(message), message(DEAD, 4, body, 3)));
            crashAndReopen();
            assertArrayEquals(bytes(body, 2), part(body, 2).orElseThrow());
            assertEquals(100 + 3 * SIZE, recovered(DEAD).bytes());
            assertEquals(0, recovered(ORDERS).bytes());
        }

        @Test
        void aMessageThatIsNotDurableHasItsPartsUntilTheRestart() {
            long body = streamed(3);
            MessageStored message = message(ORDERS, 1, body, 3);
            append(new MessageStored(message.key(), false, 1, 0, message.bytes(), message.details()));
            assertTrue(part(body, 2).isPresent());
            crashAndReopen();
            assertGone(body);
        }

        @Test
        void aDeletedNodeTakesItsBodiesAlong() {
            long body = streamed(3);
            append(message(ORDERS, 1, body, 3), new BodyDropped(body));
            append(new NodeDeleted(ORDERS));
            // What is left of a deleted node goes step by step, after an answer.
            append(stored(DEAD, 1, 10));
            append(stored(DEAD, 2, 10));
            assertGone(body);
        }

        @Test
        void aMessageForADeletedNodeLeavesNoBody() {
            append(new NodeDeleted(ORDERS));
            long body = streamed(3);
            append(message(ORDERS, 1, body, 3));
            append(new BodyDropped(body));
            assertGone(body);
        }

        @Test
        void numbersOfBodiesAreNotGivenAgain() {
            long body = streamed(1);
            append(message(ORDERS, 1, body, 1));
            long next = journal.newBody();
            assertTrue(next > body);
            crashAndReopen();
            assertTrue(journal.newBody() > body);
        }
    }

    @Nested
    class SeeingIdentities {
        private IdentitySeen seen(long queue, long number) {
            return new IdentitySeen(queue, number, 1_000 + number, new byte[] {(byte) number, 2, 3});
        }

        private List<Long> numbers(long queue) {
            List<Long> numbers = new ArrayList<>();
            for (IdentitySeen seen : recovered(queue).identities()) {
                assertEquals(queue, seen.queue());
                assertEquals(1_000 + seen.number(), seen.seenMillis());
                assertArrayEquals(new byte[] {(byte) seen.number(), 2, 3}, seen.identity());
                numbers.add(seen.number());
            }
            return numbers;
        }

        @Test
        void theyComeBackOldestFirst() {
            append(seen(ORDERS, 1), seen(ORDERS, 2), seen(DEAD, 1));
            append(seen(ORDERS, 3));
            crashAndReopen();
            assertEquals(List.of(1L, 2L, 3L), numbers(ORDERS));
            assertEquals(List.of(1L), numbers(DEAD));
        }

        @Test
        void thoseForgottenStayAway() {
            for (int number = 1; number <= 20; number++) {
                append(seen(ORDERS, number), seen(DEAD, number));
            }
            append(new IdentitiesForgotten(ORDERS, 18));
            append(seen(ORDERS, 21), new IdentitiesForgotten(ORDERS, 19));
            crashAndReopen();
            assertEquals(List.of(20L, 21L), numbers(ORDERS));
            assertEquals(20, numbers(DEAD).size());
        }

        @Test
        void theyGoWithTheirNode() {
            append(seen(ORDERS, 1), seen(DEAD, 1));
            append(new NodeDeleted(ORDERS));
            append(seen(DEAD, 2));
            crashAndReopen();
            assertEquals(List.of(1L, 2L), numbers(DEAD));
        }
    }

    @Nested
    class CountingLanes {
        @Test
        void everyLaneWithMessagesIsTold() {
            append(
                    stored(new MessageKey(ORDERS, 0, 1), true, 10),
                    stored(new MessageKey(ORDERS, 5, 2), true, 10),
                    stored(new MessageKey(ORDERS, 5, 3), true, 10),
                    stored(scheduled(ORDERS, 1_000), true, 10),
                    stored(new MessageKey(DEAD, 4, 1), true, 10),
                    stored(new MessageKey(DEAD, 4, 2), true, 10));
            append(removed(stored(new MessageKey(DEAD, 4, 1), true, 10)));
            crashAndReopen();
            assertEquals(
                    List.of(new Lane(0, 1), new Lane(5, 2), new Lane(MessageKey.SCHEDULED, 1)),
                    recovered(ORDERS).lanes());
            assertEquals(List.of(new Lane(4, 1)), recovered(DEAD).lanes());
            assertEquals(4, recovered(ORDERS).messages());
        }

        @Test
        void deepLanesAreCountedWhole() {
            for (int batch = 0; batch < 10; batch++) {
                List<Fact> facts = new ArrayList<>();
                for (int n = 0; n < 300; n++) {
                    facts.add(stored(new MessageKey(ORDERS, n % 3, batch * 300L + n), true, 100));
                }
                append(facts.toArray(new Fact[0]));
            }
            append(new NodeDeclared(8, "empty", NodeKind.QUEUE, Map.of()));
            crashAndReopen();
            assertEquals(
                    List.of(new Lane(0, 1000), new Lane(1, 1000), new Lane(2, 1000)),
                    recovered(ORDERS).lanes());
            assertEquals(List.of(), recovered(8).lanes());
        }

        @Test
        void aTimeIsNoSequence() {
            append(stored(scheduled(ORDERS, 1_800_000_000_000L), true, 10), stored(ORDERS, 3, 10));
            crashAndReopen();
            long next = recovered(ORDERS).nextSequence();
            assertTrue(next > 3 && next < 1L << 40, () -> "next is " + next);
        }
    }

    @Nested
    class MovingInsideAQueue {
        private final MessageStored first = stored(ORDERS, 1, 50);
        private final MessageStored waiting = with(stored(scheduled(ORDERS, 9_000), true, 50), NONE.withOrigin(1));

        @Test
        void aMessageWaitsAndComesBackToItsPlace() {
            append(first, stored(ORDERS, 2, 50));
            append(new MessageMoved(removed(first), waiting));
            assertEquals(List.of(2L), sequences(ORDERS));
            assertEquals(
                    1,
                    read(new MessageKey(ORDERS, MessageKey.SCHEDULED, 0), 1, 1)
                            .get(0)
                            .details()
                            .originSequence());
            append(new MessageMoved(removed(waiting), first));
            crashAndReopen();
            assertEquals(List.of(1L, 2L), sequences(ORDERS));
            assertEquals(List.of(), sequences(ORDERS, MessageKey.SCHEDULED));
            assertEquals(100, recovered(ORDERS).bytes());
        }

        @Test
        void theCountGoesWithTheMoveAndDoesNotStayBehind() {
            append(first);
            append(new DeliveryFailed(first.key(), 1));
            append(
                    new DeliveryFailed(first.key(), 2),
                    new MessageMoved(removed(first), waiting),
                    new DeliveryFailed(waiting.key(), 2));
            crashAndReopen();
            assertEquals(
                    2,
                    read(new MessageKey(ORDERS, MessageKey.SCHEDULED, 0), 1, 1)
                            .get(0)
                            .deliveryCount());
            append(new MessageMoved(removed(waiting), first));
            assertEquals(0, read(ORDERS, -1, 1, 1).get(0).deliveryCount());
        }

        @Test
        void thereAndBackInOneBatchIsInPlaceWithTheNewCount() {
            append(first, new DeliveryFailed(first.key(), 1));
            append(
                    new MessageMoved(removed(first), waiting),
                    new DeliveryFailed(waiting.key(), 5),
                    new MessageMoved(removed(waiting), first),
                    new DeliveryFailed(first.key(), 6));
            crashAndReopen();
            assertEquals(6, read(ORDERS, -1, 1, 1).get(0).deliveryCount());
            assertEquals(List.of(new Lane(0, 1)), recovered(ORDERS).lanes());
            append(
                    new MessageMoved(removed(first), waiting),
                    new MessageMoved(removed(waiting), first),
                    removed(first));
            crashAndReopen();
            assertEquals(0, recovered(ORDERS).messages());
            assertEquals(0, recovered(ORDERS).bytes());
        }
    }
}
