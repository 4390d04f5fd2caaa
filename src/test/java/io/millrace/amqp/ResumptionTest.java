package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Received;
import org.apache.qpid.proton.amqp.messaging.Released;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.messaging.TerminusDurability;
import org.apache.qpid.proton.amqp.messaging.TerminusExpiryPolicy;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Links that go on after their connection, session or handle is gone (AMQP 1.0, part 2, sections 2.6.4, 2.6.5 and 2.6.13). */
class ResumptionTest {
    private static final Outcome FAILED = new Outcome.Modified(true, false, Map.of());

    private Peer peer = new Peer().begin();
    private final FakeQueue queue = peer.nodes.add("q");

    private static Binary tag(int number) {
        return new Binary(ByteBuffer.allocate(4).putInt(number).array());
    }

    private static Binary tagOfSender(int id) {
        return new Binary(new byte[] {(byte) id});
    }

    private static Attach unsettled(Attach attach, Map<Binary, DeliveryState> map) {
        attach.setUnsettled(map);
        return attach;
    }

    private static Map<Binary, DeliveryState> map(Binary tag, DeliveryState state) {
        Map<Binary, DeliveryState> map = new HashMap<>();
        map.put(tag, state);
        return map;
    }

    /** The connection is lost, and the peer comes back with another. */
    private void reconnect() {
        peer.connection.lost();
        peer.loop.runAll();
        peer = new Peer(peer).begin();
    }

    private Attach attach(Attach asked) {
        peer.send(asked);
        return peer.expect(Attach.class);
    }

    private List<Outcome> outcomes() {
        return queue.settled.stream().map(FakeQueue.Settled::outcome).toList();
    }

    private Attach sender() {
        return SettleModesTest.second(Peer.sender(0, "q"));
    }

    private Attach receiver() {
        return SettleModesTest.second(Peer.receiver(0, "q"));
    }

    @Nested
    class OfSenders {
        @BeforeEach
        void send() {
            attach(sender());
            peer.expect(Flow.class);
            peer.transfer(0, 0, Peer.message("a"), Peer.message("b"));
            peer.skip();
        }

        private Transfer again(int id, int tag) {
            Transfer transfer = Peer.transfer(0, id);
            transfer.setDeliveryTag(tagOfSender(tag));
            return transfer;
        }

        @Test
        void unsettledDeliveriesAreResumedAfterAnAttach() {
            reconnect();
            Map<Binary, DeliveryState> map = map(tagOfSender(0), null);
            map.put(tagOfSender(1), null);
            map.put(tagOfSender(2), null);
            Attach answer = attach(unsettled(sender(), map));
            assertEquals(
                    Map.of(tagOfSender(0), Accepted.getInstance(), tagOfSender(1), Accepted.getInstance()),
                    answer.getUnsettled());
            assertFalse(answer.getIncompleteUnsettled());
        }

        @Test
        void aMessageThatIsSentAgainIsToldItsOutcomeAndNotStoredTwice() {
            reconnect();
            attach(unsettled(sender(), map(tagOfSender(0), null)));
            peer.expect(Flow.class);
            peer.send(Peer.frame(0, again(0, 0), Peer.message("a")));
            Disposition told = peer.expect(Disposition.class);
            assertEquals(Accepted.getInstance(), told.getState());
            assertFalse(told.getSettled());
            assertEquals(2, queue.messages.size());
            peer.send(SettleModesTest.bySender(0, 0));
            peer.send(Peer.frame(0, again(1, 0), Peer.message("another")));
            peer.expect(Disposition.class);
            assertEquals(3, queue.messages.size());
        }

        @Test
        void aResumedDeliveryWithoutItsMessageIsToldItsOutcome() {
            reconnect();
            attach(unsettled(sender(), map(tagOfSender(1), null)));
            peer.expect(Flow.class);
            Transfer resumed = again(7, 1);
            resumed.setResume(true);
            peer.send(resumed);
            Disposition told = peer.expect(Disposition.class);
            assertEquals(7, told.getFirst().intValue());
            assertEquals(Accepted.getInstance(), told.getState());
            assertFalse(told.getSettled());
        }

        @Test
        void aTransferThatSettlesForgetsTheDelivery() {
            reconnect();
            attach(unsettled(sender(), map(tagOfSender(1), null)));
            peer.expect(Flow.class);
            Transfer resumed = again(100, 1);
            resumed.setResume(true);
            resumed.setSettled(true);
            resumed.setState(Accepted.getInstance());
            peer.send(resumed);
            // The id was of another sequence; the next delivery has its own, and the tag is free.
            peer.send(Peer.frame(0, again(0, 1), Peer.message("c")));
            peer.expect(Disposition.class);
            assertEquals(3, queue.messages.size());
        }

        private void settle(int id, int tag) {
            Transfer settled = again(id, tag);
            settled.setResume(true);
            settled.setSettled(true);
            settled.setState(Accepted.getInstance());
            peer.send(settled);
        }

        private void assertTaken(int messages) {
            assertEquals(messages, queue.messages.size());
            peer.skip();
        }

        @Test
        void idsOfTransfersThatSettleMayBeOfTheSameSequenceAsOthersOrOfAnother() {
            reconnect();
            attach(unsettled(sender(), map(tagOfSender(0), null)));
            peer.expect(Flow.class);
            settle(1, 0);
            settle(2, 1);
            // As if those had not been; this is what SwiftMQ's client does.
            peer.send(Peer.frame(0, again(2, 2), Peer.message("c")));
            assertTaken(3);
            settle(3, 7);
            settle(4, 8);
            peer.send(Peer.frame(0, again(3, 3), Peer.message("d")));
            assertTaken(4);
            settle(4, 9);
            settle(5, 10);
            peer.send(Peer.frame(0, again(6, 4), Peer.message("e")));
            assertTaken(5);
        }

        @Test
        void aResumedDeliveryThatNobodyKnows() {
            reconnect();
            attach(unsettled(sender(), map(tagOfSender(9), null)));
            peer.expect(Flow.class);
            Transfer bare = again(0, 9);
            bare.setResume(true);
            peer.send(bare);
            Disposition told = peer.expect(Disposition.class);
            assertEquals(Released.getInstance(), told.getState());
            assertTrue(told.getSettled());
            Transfer whole = again(1, 9);
            whole.setResume(true);
            peer.send(Peer.frame(0, whole, Peer.message("new")));
            assertEquals(Accepted.getInstance(), peer.expect(Disposition.class).getState());
            assertEquals(3, queue.messages.size());
        }

        @Test
        void whatThePeerDoesNotListIsForgotten() {
            reconnect();
            attach(unsettled(sender(), map(tagOfSender(1), null)));
            reconnect();
            Map<Binary, DeliveryState> map = map(tagOfSender(0), null);
            map.put(tagOfSender(1), null);
            assertEquals(
                    Map.of(tagOfSender(1), Accepted.getInstance()),
                    attach(unsettled(sender(), map)).getUnsettled());
        }

        @Test
        void whatAnIncompleteMapDoesNotListIsKept() {
            reconnect();
            Attach incomplete = unsettled(sender(), map(tagOfSender(1), null));
            incomplete.setIncompleteUnsettled(true);
            attach(incomplete);
            reconnect();
            assertEquals(
                    Map.of(tagOfSender(0), Accepted.getInstance()),
                    attach(unsettled(sender(), map(tagOfSender(0), null))).getUnsettled());
        }

        @Test
        void anAttachWithoutAMapBeginsAnew() {
            reconnect();
            assertNull(attach(sender()).getUnsettled());
            peer.expect(Flow.class);
            peer.transfer(0, 0, Peer.message("c"));
            assertEquals(3, queue.messages.size());
        }

        @Test
        void anOutcomeThatWasNotKnownYetIsWaitedFor() {
            queue.holdReceipts = true;
            peer.transfer(0, 2, Peer.message("c"));
            reconnect();
            peer.send(unsettled(sender(), map(tagOfSender(2), null)));
            peer.expectNothing();
            queue.releaseHeld();
            peer.loop.runAll();
            assertEquals(
                    Map.of(tagOfSender(2), Accepted.getInstance()),
                    peer.expect(Attach.class).getUnsettled());
        }

        @Test
        void aConnectionThatIsLostWhileItWaitsLosesNothing() {
            queue.holdReceipts = true;
            peer.transfer(0, 2, Peer.message("c"));
            reconnect();
            peer.send(unsettled(sender(), map(tagOfSender(2), null)));
            reconnect();
            peer.send(unsettled(sender(), map(tagOfSender(2), null)));
            queue.releaseHeld();
            peer.loop.runAll();
            assertEquals(
                    Map.of(tagOfSender(2), Accepted.getInstance()),
                    peer.expect(Attach.class).getUnsettled());
        }

        @Test
        void aLinkThatIsStillAttachedElsewhereIsTakenOver() {
            Peer old = peer;
            peer = new Peer(old).begin();
            Attach answer = attach(unsettled(sender(), map(tagOfSender(0), null)));
            assertEquals(Map.of(tagOfSender(0), Accepted.getInstance()), answer.getUnsettled());
            old.loop.runAll();
            old.expectDetach(Condition.LINK_STOLEN);
        }

        @Test
        void theStateIsGoneWhenTheTimeIsUp() {
            peer.connection.lost();
            peer.loop.advance(31_000);
            peer = new Peer(peer).begin();
            assertEquals(
                    Map.of(),
                    attach(unsettled(sender(), map(tagOfSender(0), null))).getUnsettled());
        }

        @Test
        void theStateIsGoneWhenTheLinkIsClosed() {
            peer.send(Peer.detach(0));
            peer.expect(Detach.class);
            assertEquals(
                    Map.of(),
                    attach(unsettled(sender(), map(tagOfSender(0), null))).getUnsettled());
        }

        @Test
        void anAnswerThatComesAfterTheEndOfTheLinkHarmsNobody() {
            queue.holdReceipts = true;
            peer.transfer(0, 2, Peer.message("c"));
            peer.send(Peer.detach(0));
            peer.expect(Detach.class);
            queue.releaseHeld();
            peer.loop.runAll();
            peer.expectNothing();
        }

        @Test
        void inModeFirstOnlyWhatWasNotAnsweredIsKept() {
            Attach first = unsettled(Peer.sender(1, "q"), new HashMap<>());
            attach(first);
            peer.skip();
            peer.transfer(1, 2, Peer.message("answered"));
            assertTrue(peer.expect(Disposition.class).getSettled());
            queue.holdReceipts = true;
            peer.transfer(1, 3, Peer.message("not answered"));
            reconnect();
            queue.releaseHeld();
            Map<Binary, DeliveryState> map = map(tagOfSender(2), null);
            map.put(tagOfSender(3), null);
            Attach answer = attach(unsettled(Peer.sender(1, "q"), map));
            assertEquals(Map.of(tagOfSender(3), Accepted.getInstance()), answer.getUnsettled());
            peer.expect(Flow.class);
            Transfer again = Peer.transfer(1, 0);
            again.setDeliveryTag(tagOfSender(3));
            int before = queue.messages.size();
            peer.send(Peer.frame(0, again, Peer.message("not answered")));
            assertTrue(peer.expect(Disposition.class).getSettled());
            assertEquals(before, queue.messages.size());
        }
    }

    @Nested
    class OfReceivers {
        @BeforeEach
        void receive() {
            for (String body : List.of("a", "b", "c")) {
                queue.put(body);
            }
            attach(receiver());
            peer.send(Peer.credit(0, 0, 3));
            for (int i = 0; i < 3; i++) {
                assertEquals(tag(i), ((Transfer) peer.expectTransfer().body()).getDeliveryTag());
            }
        }

        @Test
        void aSuspendedLinkKeepsItsTerminus() {
            reconnect();
            assertEquals(List.of(), queue.settled);
            assertFalse(queue.log.contains("lost"));
        }

        @Test
        void anOutcomeThatWeNeverGotIsAppliedOnceAndAnsweredSettled() {
            reconnect();
            Map<Binary, DeliveryState> map = map(tag(0), Accepted.getInstance());
            map.put(tag(1), Accepted.getInstance());
            map.put(tag(2), Released.getInstance());
            Attach answer = attach(unsettled(receiver(), map));
            assertEquals(map, answer.getUnsettled());
            for (int i = 0; i < 3; i++) {
                Transfer settled = (Transfer) peer.expectTransfer().body();
                assertTrue(settled.getResume());
                assertTrue(settled.getSettled());
                assertEquals(map.get(settled.getDeliveryTag()), settled.getState());
            }
            assertEquals(3, queue.settled.size());
            reconnect();
            attach(unsettled(receiver(), map));
            for (int i = 0; i < 3; i++) {
                assertTrue(((Transfer) peer.expectTransfer().body()).getSettled());
            }
            assertEquals(3, queue.settled.size());
        }

        @Test
        void anOutcomeWhoseEchoWasLostIsAnsweredAndNotAppliedAgain() {
            peer.send(Peer.disposition(0, 0, false, Accepted.getInstance()));
            peer.expect(Disposition.class);
            reconnect();
            attach(unsettled(receiver(), map(tag(0), Accepted.getInstance())));
            Transfer settled = (Transfer) peer.expectTransfer().body();
            assertEquals(tag(0), settled.getDeliveryTag());
            assertTrue(settled.getSettled());
            assertEquals(1, outcomes().stream().filter(Outcome.ACCEPTED::equals).count());
        }

        @Test
        void anOutcomeThatIsNotDurableYetIsWaitedFor() {
            queue.holdReceipts = true;
            peer.send(Peer.disposition(0, 0, false, Accepted.getInstance()));
            reconnect();
            peer.send(unsettled(receiver(), map(tag(0), Accepted.getInstance())));
            peer.expectNothing();
            queue.releaseHeld();
            peer.loop.runAll();
            peer.expect(Attach.class);
            assertTrue(((Transfer) peer.expectTransfer().body()).getSettled());
        }

        @Test
        void whatThePeerNeverGotGoesBackUncounted() {
            reconnect();
            attach(unsettled(receiver(), map(tag(1), Accepted.getInstance())));
            assertEquals(2, outcomes().stream().filter(Outcome.RELEASED::equals).count());
            assertEquals(1, outcomes().stream().filter(Outcome.ACCEPTED::equals).count());
        }

        @Test
        void whatThePeerHasAndHasNotDecidedComesAgainUnderItsTag() {
            reconnect();
            Map<Binary, DeliveryState> map = map(tag(0), null);
            Received received = new Received();
            received.setSectionNumber(UnsignedInteger.ZERO);
            map.put(tag(2), received);
            map.put(tag(1), Accepted.getInstance());
            queue.put("d");
            Attach answer = attach(unsettled(receiver(), map));
            assertEquals(map.keySet(), answer.getUnsettled().keySet());
            assertNull(answer.getUnsettled().get(tag(0)));
            assertTrue(((Transfer) peer.expectTransfer().body()).getSettled());
            peer.expectNothing();
            peer.send(Peer.credit(0, 0, 3));
            for (int expected : new int[] {0, 2}) {
                Peer.Frame frame = peer.expectTransfer();
                Transfer whole = (Transfer) frame.body();
                assertTrue(whole.getResume());
                assertFalse(whole.getSettled());
                assertEquals(tag(expected), whole.getDeliveryTag());
                assertTrue(frame.payload().length > 0);
            }
            Transfer fresh = (Transfer) peer.expectTransfer().body();
            assertFalse(fresh.getResume());
            assertEquals(5, ByteBuffer.wrap(fresh.getDeliveryTag().getArray()).getInt(), "tags count on");
            peer.send(Peer.disposition(1, 3, false, Accepted.getInstance()));
            assertTrue(peer.expect(Disposition.class).getSettled());
            assertEquals(4, outcomes().stream().filter(Outcome.ACCEPTED::equals).count());
        }

        @Test
        void aResumedDeliveryMayBeResumedOnceMore() {
            for (int i = 0; i < 3; i++) {
                reconnect();
                attach(unsettled(receiver(), map(tag(0), null)));
                peer.send(Peer.credit(0, 0, 1));
                assertEquals(tag(0), ((Transfer) peer.expectTransfer().body()).getDeliveryTag());
            }
            peer.send(Peer.disposition(0, 0, true, Accepted.getInstance()));
            assertEquals(1, outcomes().stream().filter(Outcome.ACCEPTED::equals).count());
            assertEquals(2, outcomes().stream().filter(Outcome.RELEASED::equals).count());
        }

        @Test
        void tagsThatWeNeverGaveAreNotListed() {
            reconnect();
            assertEquals(
                    Map.of(),
                    attach(unsettled(receiver(), map(tag(77), Accepted.getInstance())))
                            .getUnsettled());
        }

        @Test
        void anAttachWithoutAMapCountsAsAFailedAttempt() {
            reconnect();
            assertNull(attach(receiver()).getUnsettled());
            assertEquals(List.of(FAILED, FAILED, FAILED), outcomes());
        }

        @Test
        void aLinkOfThatNameThatCannotBeResumedEndsIt() {
            reconnect();
            attach(Peer.receiver(0, "q"));
            assertEquals(List.of(FAILED, FAILED, FAILED), outcomes());
        }

        @Test
        void whenTheTimeIsUpTheyCountAsFailed() {
            reconnect();
            peer.loop.advance(29_000);
            assertEquals(List.of(), outcomes());
            peer.loop.advance(2_000);
            assertEquals(List.of(FAILED, FAILED, FAILED), outcomes());
            assertTrue(queue.log.contains("detached"));
        }

        @Test
        void anIncompleteMapIsCompletedBeforeNewDeliveries() {
            queue.put("d");
            reconnect();
            Attach incomplete = unsettled(receiver(), map(tag(0), null));
            incomplete.setIncompleteUnsettled(true);
            assertEquals(3, attach(incomplete).getUnsettled().size());
            peer.send(Peer.credit(0, 0, 10));
            assertEquals(tag(0), ((Transfer) peer.expectTransfer().body()).getDeliveryTag());
            peer.expectNothing();
            assertEquals(List.of(), outcomes());
            peer.send(Peer.disposition(0, 0, true, Accepted.getInstance()));
            reconnect();
            attach(unsettled(receiver(), map(tag(1), Accepted.getInstance())));
            assertTrue(((Transfer) peer.expectTransfer().body()).getSettled());
            assertEquals(List.of(Outcome.ACCEPTED, Outcome.ACCEPTED, Outcome.RELEASED), sorted());
        }

        private List<Outcome> sorted() {
            return outcomes().stream()
                    .sorted(java.util.Comparator.comparing(Object::toString))
                    .toList();
        }

        @Test
        void closingTheLinkGivesThemBackUncounted() {
            peer.send(Peer.detach(0));
            peer.expect(Detach.class);
            assertTrue(queue.log.contains("detached"));
            assertEquals(
                    Map.of(),
                    attach(unsettled(receiver(), map(tag(0), Accepted.getInstance())))
                            .getUnsettled());
        }

        @Test
        void aDetachThatDoesNotCloseSuspends() {
            Detach detach = Peer.detach(0);
            detach.setClosed(false);
            peer.send(detach);
            assertFalse(peer.expect(Detach.class).getClosed());
            attach(unsettled(receiver(), map(tag(0), Accepted.getInstance())));
            assertTrue(((Transfer) peer.expectTransfer().body()).getSettled());
            assertEquals(1, outcomes().stream().filter(Outcome.ACCEPTED::equals).count());
        }

        @Test
        void aDeletedQueueHasNothingToResume() {
            peer.connection.lost();
            queue.subscribers.keySet().forEach(each -> each.closed(new Condition(Condition.RESOURCE_DELETED, "gone")));
            peer = new Peer(peer).begin();
            attach(unsettled(receiver(), map(tag(0), Accepted.getInstance())));
            assertTrue(((Transfer) peer.expectTransfer().body()).getSettled());
            assertEquals(List.of(), outcomes());
        }
    }

    @Nested
    class Terms {
        @Test
        void theAnswerTellsHowLongTheLinkIsKept() {
            Source kept = (Source) attach(receiver()).getSource();
            assertEquals(30, kept.getTimeout().intValue());
            assertEquals(TerminusDurability.NONE, kept.getDurable());
            Attach asked = Peer.receiver(1, "q");
            ((Source) asked.getSource()).setTimeout(UnsignedInteger.valueOf(7));
            ((Source) asked.getSource()).setExpiryPolicy(TerminusExpiryPolicy.NEVER);
            Source asAsked = (Source) attach(asked).getSource();
            assertEquals(7, asAsked.getTimeout().intValue());
            assertEquals(TerminusExpiryPolicy.CONNECTION_CLOSE, asAsked.getExpiryPolicy());
            Target target =
                    (Target) attach(SettleModesTest.second(Peer.sender(2, "q"))).getTarget();
            assertEquals(30, target.getTimeout().intValue());
        }

        @Test
        void aLinkThatShowsNoSignOfResumingIsNotKept() {
            queue.put("a");
            peer.attachReceiver(0, "q", 1);
            peer.expectTransfer();
            reconnect();
            assertTrue(queue.log.contains("lost"));
        }

        @Test
        void aSessionThatEndsTakesTheLinkWithItUnlessAskedOtherwise() {
            attach(receiver());
            Attach other = SettleModesTest.second(Peer.receiver(1, "q"));
            ((Source) other.getSource()).setExpiryPolicy(TerminusExpiryPolicy.CONNECTION_CLOSE);
            attach(other);
            queue.put("a");
            queue.put("b");
            peer.send(Peer.credit(0, 0, 1));
            peer.expectTransfer();
            peer.send(Peer.credit(1, 0, 1));
            peer.expectTransfer();
            peer.send(new End());
            peer.expect(End.class);
            assertEquals(1, queue.log.stream().filter("detached"::equals).count());
            assertEquals(1, queue.subscribers.size());
        }

        @Test
        void tooManyLinksAreNotKept() {
            for (int i = 0; i < 4; i++) {
                Attach asked = SettleModesTest.second(Peer.receiver(i, "q"));
                int told = ((Source) attach(asked).getSource()).getTimeout().intValue();
                assertEquals(i < 3 ? 30 : 0, told);
            }
        }

        @Test
        void anotherContainerDoesNotGetWhatOneHasLeft() {
            attach(sender());
            peer.expect(Flow.class);
            peer.transfer(0, 0, Peer.message("a"));
            peer.connection.lost();
            peer = new Peer(peer);
            org.apache.qpid.proton.amqp.transport.Open open = Peer.open();
            open.setContainerId("another");
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, open), Peer.frame(0, Peer.newBegin()));
            peer.skip();
            assertEquals(
                    Map.of(),
                    attach(unsettled(sender(), map(tagOfSender(0), null))).getUnsettled());
        }

        @Test
        void aMapThatDoesNotFitIsIncomplete() {
            attach(sender());
            peer.expect(Flow.class);
            for (int i = 0; i < Peer.CREDIT; i++) {
                Transfer transfer = Peer.transfer(0, i);
                transfer.setDeliveryTag(
                        new Binary(ByteBuffer.allocate(32).put(31, (byte) i).array()));
                peer.send(Peer.frame(0, transfer, Peer.message("m" + i)));
            }
            peer.connection.lost();
            peer = new Peer(peer);
            org.apache.qpid.proton.amqp.transport.Open open = Peer.open();
            open.setMaxFrameSize(UnsignedInteger.valueOf(512));
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, open), Peer.frame(0, Peer.newBegin()));
            peer.skip();
            Map<Binary, DeliveryState> map = new HashMap<>();
            IntStream.range(0, Peer.CREDIT)
                    .forEach(i -> map.put(
                            new Binary(ByteBuffer.allocate(32).put(31, (byte) i).array()), null));
            Attach answer = attach(unsettled(sender(), map));
            assertTrue(answer.getIncompleteUnsettled());
            assertEquals(2, answer.getUnsettled().size());
            peer.expect(Flow.class);
            peer.transfer(0, 100, Peer.message("new"));
            assertInstanceOf(Detach.class, peer.next().body());
            assertEquals(Peer.CREDIT, queue.messages.size());
        }
    }
}
