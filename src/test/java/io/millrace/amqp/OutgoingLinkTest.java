package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.io.ByteArrayOutputStream;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.AmqpValue;
import org.apache.qpid.proton.amqp.messaging.Header;
import org.apache.qpid.proton.amqp.messaging.Modified;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.messaging.Released;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Begin;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Open;
import org.apache.qpid.proton.amqp.transport.ReceiverSettleMode;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.amqp.transport.SenderSettleMode;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Links over which a peer receives, as bytes in and bytes out. */
class OutgoingLinkTest {
    private final Peer peer = new Peer();
    private FakeQueue queue;

    @BeforeEach
    void begin() {
        peer.begin();
        queue = peer.nodes.add("orders");
    }

    private static Message parse(byte[] bytes) {
        try {
            return Message.parse(bytes, 0);
        } catch (io.millrace.message.MalformedMessageException e) {
            throw new AssertionError(e);
        }
    }

    private void fill(int count) {
        for (int i = 0; i < count; i++) {
            queue.messages.add(parse(Peer.message("m" + i)));
        }
    }

    private static Modified failed() {
        Modified modified = new Modified();
        modified.setDeliveryFailed(true);
        return modified;
    }

    private void expectTransfers(int first, int count) {
        for (int i = 0; i < count; i++) {
            Transfer transfer = (Transfer) peer.expectTransfer().body();
            assertEquals(first + i, transfer.getDeliveryId().intValue());
        }
    }

    @Nested
    class Attaching {
        @Test
        void theAnswerEchoesWhatIsInForce() {
            Attach asked = Peer.receiver(2, "orders");
            asked.setRcvSettleMode(ReceiverSettleMode.SECOND);
            Source source = (Source) asked.getSource();
            source.setDefaultOutcome(failed());
            source.setCapabilities(Symbol.valueOf("queue"));
            Map<Symbol, Object> filters = new HashMap<>();
            filters.put(Symbol.valueOf("legacy"), "undescribed");
            source.setFilter(filters);
            peer.send(asked);
            Attach answer = peer.expect(Attach.class);
            assertEquals(Role.SENDER, answer.getRole());
            assertEquals(0, answer.getInitialDeliveryCount().intValue());
            assertEquals(ReceiverSettleMode.SECOND, answer.getRcvSettleMode());
            assertNotNull(answer.getTarget());
            Source echoed = (Source) answer.getSource();
            assertEquals("orders", echoed.getAddress());
            assertInstanceOf(Modified.class, echoed.getDefaultOutcome());
            assertEquals(4, echoed.getOutcomes().length);
            assertEquals(Symbol.valueOf("move"), echoed.getDistributionMode());
            assertEquals(List.of(Symbol.valueOf("queue")), List.of(echoed.getCapabilities()));
            assertNull(echoed.getFilter());
        }

        @Test
        void anAddressThatIsNotThereIsRefusedWithoutASource() {
            peer.send(Peer.receiver(0, "nowhere"), Peer.credit(0, 0, 10));
            assertNull(peer.expect(Attach.class).getSource());
            peer.expectDetach(Condition.NOT_FOUND);
            peer.expectNothing();
        }

        @Test
        void anAttachWithoutASourceFindsNoSubscription() {
            Attach asked = Peer.receiver(0, "x");
            asked.setSource(null);
            peer.send(asked);
            assertNull(peer.expect(Attach.class).getSource());
            assertTrue(peer.expectDetach(Condition.NOT_FOUND).getDescription().contains("link0"));
        }

        @Test
        void aDynamicSourceMakesAQueueThatDiesWithItsLink() {
            Attach asked = Peer.receiver(0, null);
            ((Source) asked.getSource()).setDynamic(true);
            peer.send(asked);
            assertEquals("temp-1", ((Source) peer.expect(Attach.class).getSource()).getAddress());
            peer.send(Peer.detach(0));
            assertFalse(peer.nodes.queues.containsKey("temp-1"));
        }

        @Test
        void aSourceThatGoesAwayEndsTheLinkWithItsReason() {
            peer.attachReceiver(0, "orders", 1);
            queue.subscribers.keySet().iterator().next().closed(new Condition(Condition.RESOURCE_DELETED, "gone"));
            peer.loop.runAll();
            assertEquals("gone", peer.expectDetach(Condition.RESOURCE_DELETED).getDescription());
            assertEquals(List.of("attached"), queue.log);
        }

        @Test
        void aDetachGivesUnsettledMessagesBack() {
            fill(1);
            peer.attachReceiver(0, "orders", 1);
            peer.skip();
            peer.send(Peer.detach(0));
            assertTrue(peer.expect(Detach.class).getClosed());
            assertEquals(List.of("attached", "detached"), queue.log);
            peer.send(Peer.disposition(0, 0, true, Accepted.getInstance()));
            assertTrue(queue.settled.isEmpty());
        }
    }

    @Nested
    class Deliveries {
        @Test
        void creditThatCameWithTheAttachIsUsed() {
            fill(3);
            peer.attachReceiver(0, "orders", 2);
            expectTransfers(0, 2);
            peer.expectNothing();
            peer.send(Peer.credit(0, 2, 5));
            expectTransfers(2, 1);
        }

        @Test
        void aMessageGoesOutWithAHeaderAndOtherwiseAsItCame() {
            byte[] bare = Peer.message("hello");
            queue.messages.add(parse(bare));
            queue.deliveryCount = 3;
            peer.attachReceiver(0, "orders", 1);
            Peer.Frame frame = peer.expectTransfer();
            Transfer transfer = (Transfer) frame.body();
            assertFalse(transfer.getSettled());
            assertFalse(transfer.getMore());
            assertEquals(4, transfer.getDeliveryTag().getLength());
            assertEquals(UnsignedInteger.ZERO, transfer.getMessageFormat());
            Header header = new Header();
            header.setDurable(false);
            header.setFirstAcquirer(false);
            header.setDeliveryCount(UnsignedInteger.valueOf(3));
            assertArrayEquals(parse(bare).encode(3, false, -1), frame.payload());
            assertArrayEquals(
                    Peer.sections(new AmqpValue("hello")),
                    java.util.Arrays.copyOfRange(
                            frame.payload(), frame.payload().length - bare.length, frame.payload().length));
        }

        @Test
        void itsHeaderTellsWhatIsLeftOfItsTimeToLive() {
            Header header = new Header();
            header.setTtl(UnsignedInteger.valueOf(60_000));
            byte[] sent = Peer.sections(header, new AmqpValue("hello"));
            queue.messages.add(parse(sent));
            queue.messages.add(parse(sent));
            queue.messages.add(parse(Peer.message("for ever")));
            queue.expiryMillis = peer.loop.now() + 1234;
            peer.attachReceiver(0, "orders", 3);

            assertEquals(1234, parse(peer.expectTransfer().payload()).ttlMillis());
            assertEquals(1234, parse(peer.expectTransfer().payload()).ttlMillis());
            assertEquals(-1, parse(peer.expectTransfer().payload()).ttlMillis());
        }

        @Test
        void aLargeMessageIsSplitIntoFrames() {
            byte[] bytes = Peer.message("z".repeat(20_000));
            queue.messages.add(parse(bytes));
            fill(1);
            peer.attachReceiver(0, "orders", 2);
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            Transfer transfer;
            do {
                Peer.Frame frame = peer.expectTransfer();
                transfer = (Transfer) frame.body();
                assertEquals(0, transfer.getDeliveryId().intValue());
                all.writeBytes(frame.payload());
            } while (transfer.getMore());
            assertArrayEquals(parse(bytes).encode(0, true, -1), all.toByteArray());
            expectTransfers(1, 1);
        }

        @Test
        void aSmallFrameSizeOfThePeerIsKept() {
            Peer small = new Peer();
            small.nodes.add("q").messages.add(parse(Peer.message("z".repeat(2000))));
            Open open = Peer.open();
            open.setMaxFrameSize(UnsignedInteger.valueOf(512));
            small.send(Handshake.AMQP_HEADER, Peer.frame(0, open), Peer.frame(0, Peer.newBegin()));
            small.expect(Open.class);
            small.expect(Begin.class);
            small.attachReceiver(0, "q", 1);
            int frames = 0;
            Peer.Frame frame;
            do {
                frame = small.expectTransfer();
                assertTrue(frame.payload().length < 512);
                frames++;
            } while (((Transfer) frame.body()).getMore());
            assertEquals(5, frames);
        }

        @Test
        void anOpaqueMessageKeepsItsFormatAndBytes() throws Exception {
            queue.messages.add(Message.parse(new byte[] {7, 7, 7}, 0x80013700));
            peer.attachReceiver(0, "orders", 1);
            Peer.Frame frame = peer.expectTransfer();
            assertArrayEquals(new byte[] {7, 7, 7}, frame.payload());
            assertEquals(
                    0x80013700, ((Transfer) frame.body()).getMessageFormat().intValue());
        }

        @Test
        void presettledDeliveriesAreAcceptedOnceWritten() {
            fill(2);
            Attach asked = Peer.receiver(0, "orders");
            asked.setSndSettleMode(SenderSettleMode.SETTLED);
            peer.send(asked, Peer.credit(0, 0, 5));
            assertEquals(SenderSettleMode.SETTLED, peer.expect(Attach.class).getSndSettleMode());
            assertTrue(((Transfer) peer.expectTransfer().body()).getSettled());
            assertEquals(
                    List.of(Outcome.ACCEPTED, Outcome.ACCEPTED),
                    queue.settled.stream().map(FakeQueue.Settled::outcome).toList());
        }

        @Test
        void aBrowserTakesNothing() {
            fill(2);
            Attach asked = Peer.receiver(0, "orders");
            ((Source) asked.getSource()).setDistributionMode(Symbol.valueOf("copy"));
            peer.send(asked, Peer.credit(0, 0, 5));
            assertEquals(
                    Symbol.valueOf("copy"), ((Source) peer.expect(Attach.class).getSource()).getDistributionMode());
            expectTransfers(0, 2);
            peer.send(Peer.disposition(0, 1, true, Accepted.getInstance()));
            assertEquals(2, queue.messages.size());
            assertTrue(queue.settled.isEmpty());
            assertEquals("attached to browse", queue.log.get(0));
        }

        @Test
        void creditMayBeTakenBack() {
            peer.attachReceiver(0, "orders", 5);
            peer.send(Peer.credit(0, 0, 0));
            fill(1);
            queue.dispatch();
            peer.loop.runAll();
            peer.expectNothing();
        }

        @Test
        void deliveryCountsPastTwoToTheThirtyOneStillGiveCredit() {
            fill(3);
            peer.attachReceiver(0, "orders", 1);
            expectTransfers(0, 1);
            peer.send(Peer.credit(0, 1, -1));
            expectTransfers(1, 2);
        }
    }

    @Nested
    class Drain {
        private Flow drain(int deliveryCount, int credit) {
            Flow flow = Peer.credit(0, deliveryCount, credit);
            flow.setDrain(true);
            return flow;
        }

        private void expectDrained(int deliveryCount) {
            Flow flow = peer.expect(Flow.class);
            assertTrue(flow.getDrain());
            assertEquals(deliveryCount, flow.getDeliveryCount().intValue());
            assertEquals(0, flow.getLinkCredit().intValue());
        }

        @Test
        void anEmptyQueueAnswersAtOnce() {
            peer.attachReceiver(0, "orders", 0);
            peer.send(drain(0, 10));
            expectDrained(10);
        }

        @Test
        void whatIsThereIsDeliveredFirst() {
            fill(2);
            peer.attachReceiver(0, "orders", 0);
            peer.send(drain(0, 10));
            expectTransfers(0, 2);
            expectDrained(10);
        }

        @Test
        void aDrainWithoutCreditIsAnsweredToo() {
            peer.attachReceiver(0, "orders", 0);
            peer.send(drain(0, 0));
            expectDrained(0);
        }

        @Test
        void creditAfterADrainIsNeitherLostNorDoubled() {
            peer.attachReceiver(0, "orders", 0);
            peer.send(drain(0, 10));
            expectDrained(10);
            fill(5);
            peer.send(Peer.credit(0, 10, 2));
            expectTransfers(0, 2);
            peer.expectNothing();
            peer.send(drain(12, 1));
            expectTransfers(2, 1);
            expectDrained(13);
        }

        @Test
        void aDrainThatComesWithTheAttachIsAnswered() {
            peer.send(Peer.receiver(0, "orders"), drain(0, 3));
            peer.expect(Attach.class);
            expectDrained(3);
        }

        @Test
        void anEchoTellsTheCredit() {
            peer.attachReceiver(0, "orders", 0);
            Flow flow = Peer.credit(0, 0, 4);
            flow.setEcho(true);
            peer.send(flow);
            Flow answer = peer.expect(Flow.class);
            assertEquals(4, answer.getLinkCredit().intValue());
            assertFalse(answer.getDrain());
        }
    }

    @Nested
    class Dispositions {
        @BeforeEach
        void deliver() {
            fill(6);
            peer.attachReceiver(0, "orders", 6);
            peer.skip();
        }

        private List<Outcome> outcomes() {
            return queue.settled.stream().map(FakeQueue.Settled::outcome).toList();
        }

        @Test
        void aRangeSettlesInOrder() {
            peer.send(Peer.disposition(1, 3, true, Accepted.getInstance()));
            assertEquals(3, queue.settled.size());
            for (int i = 0; i < 3; i++) {
                assertArrayEquals(
                        Peer.message("m" + (i + 1)),
                        queue.settled.get(i).message().bytes());
            }
            peer.expectNothing();
        }

        @Test
        void aRangeOfAllNumbersCostsNoMoreThanWhatIsThere() {
            peer.send(Peer.disposition(0, Integer.MAX_VALUE, true, Released.getInstance()));
            assertEquals(6, queue.settled.size());
            assertArrayEquals(Peer.message("m5"), queue.settled.get(5).message().bytes());
        }

        @Test
        void aBackwardRangeEndsTheSession() {
            peer.send(Peer.disposition(3, 1, true, Accepted.getInstance()));
            assertEquals(
                    Symbol.valueOf(Condition.INVALID_FIELD),
                    peer.expect(End.class).getError().getCondition());
        }

        @Test
        void allOutcomesReachTheQueue() {
            Rejected rejected = new Rejected();
            rejected.setError(new ErrorCondition(Symbol.valueOf("my:error"), "bad order"));
            Modified modified = failed();
            modified.setUndeliverableHere(true);
            modified.setMessageAnnotations(Map.of(Symbol.valueOf("x-opt-a"), 1));
            peer.send(
                    Peer.disposition(0, 0, true, Released.getInstance()),
                    Peer.disposition(1, 1, true, rejected),
                    Peer.disposition(2, 2, true, modified),
                    Peer.disposition(3, 3, true, new Rejected()));
            assertEquals(Outcome.RELEASED, outcomes().get(0));
            Outcome.Rejected told = (Outcome.Rejected) outcomes().get(1);
            assertEquals("bad order", told.error().orElseThrow().description());
            assertEquals("my:error", told.error().orElseThrow().symbol());
            assertEquals(
                    new Outcome.Modified(true, true, Map.of("x-opt-a", 1)),
                    outcomes().get(2));
            assertTrue(((Outcome.Rejected) outcomes().get(3)).error().isEmpty());
        }

        @Test
        void anUnsettledOutcomeIsEchoedOnceItIsDurable() {
            queue.holdReceipts = true;
            peer.send(Peer.disposition(0, 2, false, Accepted.getInstance()));
            peer.expectNothing();
            queue.releaseHeld();
            peer.loop.runAll();
            Disposition echo = peer.expect(Disposition.class);
            assertEquals(Role.SENDER, echo.getRole());
            assertEquals(0, echo.getFirst().intValue());
            assertEquals(2, echo.getLast().intValue());
            assertTrue(echo.getSettled());
            assertEquals(Accepted.getInstance(), echo.getState());
            peer.send(Peer.disposition(0, 2, true, Accepted.getInstance()));
            assertEquals(3, queue.settled.size());
        }

        @Test
        void settlingAfterAnUnsettledOutcomeSettlesOnce() {
            queue.holdReceipts = true;
            peer.send(Peer.disposition(0, 0, false, Accepted.getInstance()));
            peer.send(Peer.disposition(0, 0, true, Accepted.getInstance()));
            queue.releaseHeld();
            peer.loop.runAll();
            assertEquals(1, queue.settled.size());
            peer.expectNothing();
        }

        @Test
        void settledWithoutAnOutcomeIsReleased() {
            peer.send(Peer.disposition(0, 0, true, null));
            assertEquals(List.of(Outcome.RELEASED), outcomes());
        }

        @Test
        void settledWithoutAnOutcomeIsTheDefaultOutcomeOfTheSource() {
            Peer other = new Peer().begin();
            FakeQueue q = other.nodes.add("q");
            q.messages.add(parse(Peer.message("x")));
            Attach asked = Peer.receiver(0, "q");
            ((Source) asked.getSource()).setDefaultOutcome(failed());
            other.send(asked, Peer.credit(0, 0, 1));
            other.send(Peer.disposition(0, 0, true, null));
            assertEquals(
                    new Outcome.Modified(true, false, Map.of()),
                    q.settled.get(0).outcome());
        }

        @Test
        void whatIsNotAnOutcomeIsIgnored() {
            org.apache.qpid.proton.amqp.messaging.Received received =
                    new org.apache.qpid.proton.amqp.messaging.Received();
            received.setSectionNumber(UnsignedInteger.ZERO);
            received.setSectionOffset(UnsignedLong.ZERO);
            peer.send(Peer.disposition(0, 0, false, received), Peer.disposition(1, 1, false, null));
            assertTrue(queue.settled.isEmpty());
            peer.expectNothing();
        }

        @Test
        void unknownDeliveriesAreIgnored() {
            peer.send(Peer.disposition(77, 99, true, Accepted.getInstance()));
            assertTrue(queue.settled.isEmpty());
            peer.expectNothing();
        }
    }

    @Nested
    class Windows {
        @Test
        void noFrameIsSentBeyondTheSessionWindow() {
            Peer small = withWindow(2);
            FakeQueue q = small.nodes.add("q");
            for (int i = 0; i < 5; i++) {
                q.messages.add(parse(Peer.message("m" + i)));
            }
            small.send(Peer.receiver(0, "q"));
            small.send(linkFlow(0, 2, 10));
            small.expect(Attach.class);
            small.expectTransfer();
            small.expectTransfer();
            small.expectNothing();
            assertEquals(3, q.messages.size());
            small.send(Peer.sessionFlow(2, 1));
            small.expectTransfer();
            small.expectNothing();
            small.send(Peer.sessionFlow(3, 100));
            small.expectTransfer();
            small.expectTransfer();
        }

        private Peer withWindow(int window) {
            Peer small = new Peer();
            Begin begin = Peer.newBegin();
            begin.setIncomingWindow(UnsignedInteger.valueOf(window));
            small.send(Handshake.AMQP_HEADER, Peer.frame(0, Peer.open()), Peer.frame(0, begin));
            small.expect(Open.class);
            small.expect(Begin.class);
            return small;
        }

        private Flow linkFlow(int nextIncomingId, int window, int credit) {
            Flow flow = Peer.sessionFlow(nextIncomingId, window);
            flow.setHandle(UnsignedInteger.ZERO);
            flow.setDeliveryCount(UnsignedInteger.ZERO);
            flow.setLinkCredit(UnsignedInteger.valueOf(credit));
            return flow;
        }

        @Test
        void aLargeMessageStopsInTheMiddleAndGoesOn() {
            Peer small = withWindow(1);
            FakeQueue q = small.nodes.add("q");
            byte[] large = Peer.message("z".repeat(10_000));
            q.messages.add(parse(large));
            q.messages.add(parse(Peer.message("after")));
            small.send(Peer.receiver(0, "q"));
            small.send(linkFlow(0, 1, 10));
            small.expect(Attach.class);
            ByteArrayOutputStream all = new ByteArrayOutputStream();
            for (int i = 1; i <= 3; i++) {
                Peer.Frame frame = small.expectTransfer();
                small.expectNothing();
                all.writeBytes(frame.payload());
                assertEquals(i < 3, ((Transfer) frame.body()).getMore());
                small.send(Peer.sessionFlow(i, 1));
            }
            assertArrayEquals(parse(large).encode(0, true, -1), all.toByteArray());
            assertEquals(
                    1,
                    ((Transfer) small.expectTransfer().body()).getDeliveryId().intValue());
        }

        @Test
        void nothingIsTakenFromTheQueueWhileTheSocketIsFull() {
            peer.attachReceiver(0, "orders", 100);
            peer.writable = false;
            fill(5);
            queue.dispatch();
            peer.loop.runAll();
            peer.expectNothing();
            assertEquals(5, queue.messages.size());
            peer.writable = true;
            peer.connection.writable();
            peer.loop.runAll();
            expectTransfers(0, 5);
        }

        @Test
        void aLinkThatIsGoneDoesNotGoOn() {
            byte[] large = Peer.message("z".repeat(10_000));
            Peer small = withWindow(1);
            FakeQueue q = small.nodes.add("q");
            q.messages.add(parse(large));
            small.send(Peer.receiver(0, "q"));
            small.send(linkFlow(0, 1, 10));
            small.skip();
            small.send(Peer.detach(0), Peer.sessionFlow(1, 100));
            small.expect(Detach.class);
            small.expectNothing();
        }

        @Test
        void aLotOfOutputIsHandedOnInPieces() {
            byte[] large = Peer.message("z".repeat(90_000));
            for (int i = 0; i < 4; i++) {
                queue.messages.add(parse(large));
            }
            int writes = peer.writes;
            peer.attachReceiver(0, "orders", 4);
            assertTrue(peer.writes > writes + 3);
        }
    }

    @Test
    void aReceiverOfAClosedConnectionIsLetGo() {
        fill(1);
        peer.attachReceiver(0, "orders", 1);
        peer.skip();
        peer.send(new Close());
        peer.expect(Close.class);
        assertTrue(queue.subscribers.isEmpty());
    }
}
