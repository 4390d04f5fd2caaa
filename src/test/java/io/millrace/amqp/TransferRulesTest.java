package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.DescribedType;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.ReceiverSettleMode;
import org.apache.qpid.proton.amqp.transport.SenderSettleMode;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.apache.qpid.proton.codec.DecoderImpl;
import org.apache.qpid.proton.codec.EncoderImpl;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The rules for transfers, deliveries and their tags (AMQP 1.0, part 2, sections 2.6.12 to 2.6.14 and 2.7.5). */
class TransferRulesTest {
    private final Peer peer = new Peer();
    private FakeQueue queue;

    @BeforeEach
    void begin() {
        peer.begin();
        queue = peer.nodes.add("q");
    }

    private static Transfer first(int id) {
        Transfer transfer = Peer.transfer(0, id);
        transfer.setMore(true);
        return transfer;
    }

    private static Transfer continued() {
        Transfer transfer = new Transfer();
        transfer.setHandle(UnsignedInteger.ZERO);
        return transfer;
    }

    private static Transfer settled(Transfer transfer, boolean settled) {
        transfer.setSettled(settled);
        return transfer;
    }

    private void attach(SenderSettleMode mode) {
        Attach attach = Peer.sender(0, "q");
        attach.setSndSettleMode(mode);
        peer.send(attach);
        assertEquals(mode, peer.expect(Attach.class).getSndSettleMode());
        peer.expect(Flow.class);
    }

    private byte[][] split(byte[] message) {
        int half = message.length / 2;
        return new byte[][] {Arrays.copyOf(message, half), Arrays.copyOfRange(message, half, message.length)};
    }

    private static Message parsed(byte[] bytes) {
        try {
            return Message.parse(bytes, 0);
        } catch (MalformedMessageException e) {
            throw new AssertionError(e);
        }
    }

    @Nested
    class Continuations {
        private final byte[] message = Peer.message("in two parts");
        private final byte[][] parts = split(message);

        @BeforeEach
        void attach() {
            peer.attachSender(0, "q");
        }

        @Test
        void mayRepeatTheIdTheTagAndTheFormat() {
            peer.send(Peer.frame(0, first(0), parts[0]), Peer.frame(0, Peer.transfer(0, 0), parts[1]));
            assertArrayEquals(message, queue.messages.element().bytes());
            peer.expectAccepted(0, 0);
        }

        @Test
        void anotherIdEndsTheSession() {
            peer.send(first(0), Peer.transfer(0, 1));
            peer.expectEnd(Condition.INVALID_FIELD);
        }

        @Test
        void anotherTagEndsTheSession() {
            Transfer other = Peer.transfer(0, 0);
            other.setDeliveryTag(new Binary(new byte[] {9}));
            peer.send(first(0), other);
            assertTrue(peer.expectEnd(Condition.INVALID_FIELD).getDescription().contains("delivery-tag"));
        }

        @Test
        void anotherFormatEndsTheSession() {
            Transfer other = continued();
            other.setMessageFormat(UnsignedInteger.ONE);
            peer.send(first(0), other);
            assertTrue(peer.expectEnd(Condition.INVALID_FIELD).getDescription().contains("message-format"));
            assertTrue(queue.messages.isEmpty());
        }

        @Test
        void aNewDeliveryOnTheSameLinkMustWaitForTheEndOfTheOther() {
            Transfer other = Peer.transfer(0, 1);
            other.setDeliveryTag(new Binary(new byte[] {5}));
            peer.send(Peer.frame(0, first(0), parts[0]), Peer.frame(0, other, message));
            peer.expectEnd(Condition.INVALID_FIELD);
        }

        @Test
        void aDeliveryOfSeveralTransfersMustNameItsFormat() {
            Transfer nameless = first(0);
            nameless.setMessageFormat(null);
            peer.send(nameless);
            assertTrue(peer.expectEnd(Condition.INVALID_FIELD).getDescription().contains("message-format"));
        }

        @Test
        void aDeliveryOfOneTransferHasFormatZeroWhenItNamesNone() {
            Transfer nameless = Peer.transfer(0, 0);
            nameless.setMessageFormat(null);
            peer.send(Peer.frame(0, nameless, message));
            assertEquals(0, queue.messages.element().format());
            peer.expectAccepted(0, 0);
        }

        @Test
        void moreIsFalseByDefault() {
            peer.send(Peer.frame(
                    0,
                    RawPerformative.of(
                            RawPerformative.TRANSFER,
                            UnsignedInteger.ZERO,
                            UnsignedInteger.ZERO,
                            new Binary(new byte[] {1}),
                            UnsignedInteger.ZERO),
                    message));
            assertArrayEquals(message, queue.messages.element().bytes());
            peer.expectAccepted(0, 0);
        }

        @Test
        void anEmptyTransferMayEndADelivery() {
            peer.send(Peer.frame(0, first(0), message), Peer.frame(0, continued()));
            assertArrayEquals(message, queue.messages.element().bytes());
            peer.expectAccepted(0, 0);
        }

        @Test
        void deliveriesOfDifferentSessionsMayInterleave() {
            Attach second = Peer.sender(0, "q");
            second.setName("another");
            peer.send(Peer.frame(1, Peer.newBegin()), Peer.frame(1, second));
            peer.skip();
            peer.send(
                    Peer.frame(0, first(0), parts[0]),
                    Peer.frame(1, first(0), parts[0]),
                    Peer.frame(0, continued(), parts[1]),
                    Peer.frame(1, continued(), parts[1]));
            assertEquals(2, queue.messages.size());
            assertEquals(0, peer.next().channel());
            assertEquals(1, peer.next().channel());
        }
    }

    @Nested
    class DeliveryIds {
        @BeforeEach
        void attach() {
            peer.attachSender(0, "q");
        }

        @Test
        void mayStartAnywhereAndWrapAround() {
            peer.send(
                    Peer.frame(0, Peer.transfer(0, -2), Peer.message("a")),
                    Peer.frame(0, Peer.transfer(0, -1), Peer.message("b")),
                    Peer.frame(0, Peer.transfer(0, 0), Peer.message("c")),
                    Peer.frame(0, Peer.transfer(0, 1), Peer.message("d")));
            Disposition disposition = peer.expect(Disposition.class);
            assertEquals(-2, disposition.getFirst().intValue());
            assertEquals(1, disposition.getLast().intValue());
            assertEquals(4, queue.messages.size());
        }

        @Test
        void goingBackwardsEndsTheSession() {
            peer.transfer(0, 5, Peer.message("a"));
            peer.skip();
            peer.transfer(0, 4, Peer.message("b"));
            peer.expectEnd(Condition.INVALID_FIELD);
            assertEquals(1, queue.messages.size());
        }

        @Test
        void aRepeatedIdEndsTheSession() {
            peer.transfer(0, 5, Peer.message("a"));
            peer.skip();
            Transfer again = Peer.transfer(0, 5);
            again.setDeliveryTag(new Binary(new byte[] {77}));
            peer.send(Peer.frame(0, again, Peer.message("b")));
            peer.expectEnd(Condition.INVALID_FIELD);
        }

        @Test
        void areOneSequenceForAllLinksOfASession() {
            peer.attachSender(1, "q");
            peer.transfer(0, 0, Peer.message("a"));
            peer.transfer(1, 1, Peer.message("b"));
            peer.expectAccepted(0, 0);
            peer.expectAccepted(1, 1);
            peer.transfer(0, 1, Peer.message("c"));
            peer.expectEnd(Condition.INVALID_FIELD);
        }

        @Test
        void ofOursCountUpByOneForAllLinksOfTheSession() {
            queue.messages.add(parsed(Peer.message("a")));
            peer.nodes.add("p").messages.add(parsed(Peer.message("b")));
            peer.attachReceiver(1, "q", 1);
            assertEquals(
                    0, ((Transfer) peer.expectTransfer().body()).getDeliveryId().intValue());
            peer.attachReceiver(2, "p", 1);
            assertEquals(
                    1, ((Transfer) peer.expectTransfer().body()).getDeliveryId().intValue());
        }
    }

    @Nested
    class DeliveryTags {
        @BeforeEach
        void attach() {
            peer.attachSender(0, "q");
        }

        private Transfer tagged(int id, int length) {
            Transfer transfer = Peer.transfer(0, id);
            transfer.setDeliveryTag(new Binary(new byte[length]));
            return transfer;
        }

        @Test
        void mayHaveThirtyTwoBytes() {
            peer.send(Peer.frame(0, tagged(0, 32), Peer.message("x")));
            peer.expectAccepted(0, 0);
        }

        @Test
        void longerOnesEndTheSession() {
            peer.send(Peer.frame(0, tagged(0, 33), Peer.message("x")));
            assertTrue(peer.expectEnd(Condition.INVALID_FIELD).getDescription().contains("32"));
            assertTrue(queue.messages.isEmpty());
        }

        @Test
        void aFirstTransferWithoutATagEndsTheSession() {
            Transfer untagged = Peer.transfer(0, 0);
            untagged.setDeliveryTag(null);
            peer.send(Peer.frame(0, untagged, Peer.message("x")));
            peer.expectEnd(Condition.INVALID_FIELD);
        }

        @Test
        void aTagOfAnUnsettledDeliveryEndsTheSession() {
            Attach resumable = Peer.sender(1, "q");
            resumable.setRcvSettleMode(ReceiverSettleMode.SECOND);
            peer.send(resumable);
            peer.expect(Attach.class);
            peer.expect(Flow.class);
            queue.holdReceipts = true;
            Transfer first = tagged(0, 4);
            first.setHandle(UnsignedInteger.ONE);
            Transfer second = tagged(1, 4);
            second.setHandle(UnsignedInteger.ONE);
            peer.send(Peer.frame(0, first, Peer.message("x")), Peer.frame(0, second, Peer.message("y")));
            assertTrue(peer.expectEnd(Condition.INVALID_FIELD).getDescription().contains("delivery 0"));
            assertEquals(1, queue.messages.size());
        }

        @Test
        void areNotLookedAtOnALinkThatIsNeverResumed() {
            queue.holdReceipts = true;
            peer.send(Peer.frame(0, tagged(0, 4), Peer.message("x")), Peer.frame(0, tagged(1, 4), Peer.message("y")));
            assertEquals(2, queue.messages.size());
            queue.releaseHeld();
            peer.loop.runAll();
            peer.expectAccepted(0, 1);
        }

        @Test
        void aTagIsFreeOnceItsDeliveryIsSettled() {
            peer.send(Peer.frame(0, tagged(0, 4), Peer.message("x")));
            peer.expectAccepted(0, 0);
            peer.send(Peer.frame(0, tagged(1, 4), Peer.message("y")));
            peer.expectAccepted(1, 1);
        }

        @Test
        void presettledDeliveriesDoNotKeepTheirTags() {
            queue.holdReceipts = true;
            peer.send(
                    Peer.frame(0, settled(tagged(0, 0), true), Peer.message("x")),
                    Peer.frame(0, settled(tagged(1, 0), true), Peer.message("y")));
            assertEquals(2, queue.messages.size());
            peer.expectNothing();
        }

        @Test
        void ofTwoLinksDoNotMeet() {
            peer.attachSender(1, "q");
            queue.holdReceipts = true;
            Transfer other = Peer.transfer(1, 1);
            other.setDeliveryTag(new Binary(new byte[] {0}));
            peer.send(Peer.frame(0, Peer.transfer(0, 0), Peer.message("x")), Peer.frame(0, other, Peer.message("y")));
            assertEquals(2, queue.messages.size());
            peer.expectNothing();
        }

        @Test
        void ofOursAreUniqueAmongUnsettledDeliveries() {
            for (int i = 0; i < 20; i++) {
                queue.messages.add(parsed(Peer.message("m" + i)));
            }
            peer.attachReceiver(1, "q", 20);
            Set<Binary> tags = new HashSet<>();
            for (int i = 0; i < 20; i++) {
                Binary tag = ((Transfer) peer.expectTransfer().body()).getDeliveryTag();
                assertTrue(tag.getLength() <= 32);
                tags.add(tag);
            }
            assertEquals(20, tags.size());
        }
    }

    @Nested
    class SettleModes {
        @Test
        void mixedIsTheDefault() {
            Attach attach = Peer.sender(0, "q");
            peer.send(attach);
            assertEquals(SenderSettleMode.MIXED, peer.expect(Attach.class).getSndSettleMode());
            peer.skip();
            peer.send(
                    Peer.frame(0, settled(Peer.transfer(0, 0), true), Peer.message("a")),
                    Peer.frame(0, settled(Peer.transfer(0, 1), false), Peer.message("b")));
            peer.expectAccepted(1, 1);
            assertEquals(2, queue.messages.size());
        }

        @Test
        void anUnsettledTransferOnASettledLinkEndsTheLink() {
            attach(SenderSettleMode.SETTLED);
            peer.send(Peer.frame(0, Peer.transfer(0, 0), Peer.message("a")));
            peer.expectDetach(Condition.INVALID_FIELD);
            assertTrue(queue.messages.isEmpty());
        }

        @Test
        void aSettledTransferOnAnUnsettledLinkEndsTheLink() {
            attach(SenderSettleMode.UNSETTLED);
            peer.send(Peer.frame(0, settled(Peer.transfer(0, 0), true), Peer.message("a")));
            peer.expectDetach(Condition.INVALID_FIELD);
            assertTrue(queue.messages.isEmpty());
        }

        @Test
        void anAbortedDeliveryOnAnUnsettledLinkMaySaySettled() {
            attach(SenderSettleMode.UNSETTLED);
            Transfer abort = settled(continued(), true);
            abort.setAborted(true);
            peer.send(Peer.frame(0, first(0), new byte[3]), Peer.frame(0, abort));
            peer.transfer(0, 1, Peer.message("next"));
            peer.expectAccepted(1, 1);
        }

        @Test
        void oneSettledTransferSettlesTheDelivery() {
            attach(SenderSettleMode.SETTLED);
            byte[][] parts = split(Peer.message("parts"));
            peer.send(Peer.frame(0, first(0), parts[0]), Peer.frame(0, settled(continued(), true), parts[1]));
            assertEquals(1, queue.messages.size());
            peer.expectNothing();
        }

        @Test
        void aDeliveryOnceSettledStaysSettled() {
            attach(SenderSettleMode.MIXED);
            byte[][] parts = split(Peer.message("parts"));
            peer.send(Peer.frame(0, settled(first(0), true), parts[0]), Peer.frame(0, continued(), parts[1]));
            peer.send(
                    Peer.frame(0, settled(first(1), true), parts[0]),
                    Peer.frame(0, settled(continued(), false), parts[1]));
            assertEquals(2, queue.messages.size());
            peer.expectNothing();
        }

        @Test
        void aTransferThatWantsModeSecondOnALinkOfModeFirstEndsTheLink() {
            attach(SenderSettleMode.UNSETTLED);
            Transfer second = Peer.transfer(0, 0);
            second.setRcvSettleMode(ReceiverSettleMode.SECOND);
            peer.send(Peer.frame(0, second, Peer.message("a")));
            peer.expectDetach(Condition.INVALID_FIELD);
            assertTrue(queue.messages.isEmpty());
        }

        @Test
        void weSendSettledOnASettledLinkAndUnsettledOnAnUnsettledOne() {
            queue.messages.add(parsed(Peer.message("a")));
            queue.messages.add(parsed(Peer.message("b")));
            for (SenderSettleMode mode : List.of(SenderSettleMode.SETTLED, SenderSettleMode.UNSETTLED)) {
                int handle = mode == SenderSettleMode.SETTLED ? 1 : 0;
                Attach attach = Peer.receiver(handle, "q");
                attach.setSndSettleMode(mode);
                peer.send(attach, Peer.credit(handle, 0, 1));
                assertEquals(mode, peer.expect(Attach.class).getSndSettleMode());
                Transfer transfer = (Transfer) peer.expectTransfer().body();
                assertEquals(mode == SenderSettleMode.SETTLED, transfer.getSettled());
            }
        }
    }

    @Nested
    class Aborting {
        @BeforeEach
        void attach() {
            peer.attachSender(0, "q");
        }

        private Transfer aborted(Transfer transfer) {
            transfer.setAborted(true);
            return transfer;
        }

        @Test
        void payloadOfTheAbortingTransferIsIgnored() {
            byte[] message = Peer.message("x");
            peer.send(Peer.frame(0, first(0), message), Peer.frame(0, aborted(continued()), message));
            assertTrue(queue.messages.isEmpty());
            peer.expectNothing();
        }

        @Test
        void anAbortedDeliveryNeedsNoAnswerAndItsTagIsFree() {
            Transfer again = Peer.transfer(0, 1);
            again.setDeliveryTag(new Binary(new byte[] {0}));
            peer.send(Peer.frame(0, aborted(first(0))), Peer.frame(0, again, Peer.message("x")));
            peer.expectAccepted(1, 1);
        }

        @Test
        void moreMeansNothingOnAnAbortedTransfer() {
            Transfer abort = aborted(continued());
            abort.setMore(true);
            peer.send(Peer.frame(0, first(0), new byte[2]), Peer.frame(0, abort));
            peer.transfer(0, 1, Peer.message("x"));
            peer.expectAccepted(1, 1);
        }
    }

    @Nested
    class Sizes {
        private Attach limited(long size) {
            Attach attach = Peer.receiver(0, "q");
            attach.setMaxMessageSize(UnsignedLong.valueOf(size));
            return attach;
        }

        @Test
        void aMessageAboveTheReceiversLimitIsNotSentAndLeftToOthers() {
            Message large = parsed(Peer.message("x".repeat(500)));
            queue.messages.add(large);
            queue.messages.add(parsed(Peer.message("small")));
            peer.send(limited(100), Peer.credit(0, 0, 2));
            peer.expect(Attach.class);
            Flow flow = peer.expect(Flow.class);
            assertEquals(1, flow.getDeliveryCount().intValue());
            assertEquals(1, flow.getLinkCredit().intValue());
            assertFalse(((Transfer) peer.expectTransfer().body()).getMore());
            assertEquals(
                    List.of(new FakeQueue.Settled(large, new Outcome.Modified(false, true, Map.of()))), queue.settled);
        }

        @Test
        void zeroIsNoLimitAndSoIsWhatIsTooLargeForALong() {
            for (long size : new long[] {0, -1}) {
                Peer other = new Peer().begin();
                other.nodes.add("q").messages.add(parsed(Peer.message("x".repeat(500))));
                other.send(limited(size), Peer.credit(0, 0, 1));
                other.expect(Attach.class);
                other.expectTransfer();
            }
        }

        @Test
        void aMessageOfExactlyOurLimitIsTaken() {
            peer.attachSender(0, "q");
            byte[] part = new byte[Peer.MAX_MESSAGE / 25];
            for (int i = 0; i < 25; i++) {
                Transfer transfer = i == 0 ? first(0) : continued();
                transfer.setMore(i < 24);
                if (i == 0) {
                    transfer.setMessageFormat(UnsignedInteger.valueOf(7));
                }
                peer.send(Peer.frame(0, transfer, part));
            }
            assertEquals(Peer.MAX_MESSAGE, queue.messages.element().size());
            peer.expectAccepted(0, 0);
        }
    }

    @Nested
    class Fields {
        /** The bodies of the transfers that came, field by field: what the engine makes of one does not tell which were left out. */
        private List<List<?>> transfers() {
            List<List<?>> transfers = new ArrayList<>();
            ByteBuffer in = peer.takeBytes();
            while (in.hasRemaining()) {
                int end = in.position() + in.getInt();
                in.position(in.position() + 4);
                ByteBuffer body = in.slice().limit(end - in.position());
                DecoderImpl decoder = new DecoderImpl();
                new EncoderImpl(decoder);
                decoder.setByteBuffer(body);
                DescribedType performative = (DescribedType) decoder.readObject();
                if (performative.getDescriptor().equals(UnsignedLong.valueOf(RawPerformative.TRANSFER))) {
                    transfers.add((List<?>) performative.getDescribed());
                }
                in.position(end);
            }
            return transfers;
        }

        @Test
        void ofOursAreAllThereInEveryFrame() {
            queue.put("x".repeat(2 * Peer.MAX_FRAME));
            peer.attachReceiver(0, "q", 0);
            peer.send(Peer.credit(0, 0, 1));
            List<List<?>> transfers = transfers();
            assertEquals(3, transfers.size());
            for (int i = 0; i < 3; i++) {
                List<?> fields = transfers.get(i);
                assertEquals(11, fields.size());
                assertEquals(UnsignedInteger.ZERO, fields.get(0));
                assertEquals(UnsignedInteger.ZERO, fields.get(1));
                assertInstanceOf(Binary.class, fields.get(2));
                assertEquals(UnsignedInteger.ZERO, fields.get(3));
                assertEquals(false, fields.get(4));
                assertEquals(i < 2, fields.get(5));
                assertNull(fields.get(6));
                assertNull(fields.get(7));
                assertEquals(List.of(false, false, false), fields.subList(8, 11));
            }
        }
    }
}
