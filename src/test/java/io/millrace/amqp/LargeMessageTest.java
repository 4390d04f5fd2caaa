package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.Fact.Details;
import io.millrace.journal.Journal.Room;
import io.millrace.message.Condition;
import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.BodyWriter;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.ApplicationProperties;
import org.apache.qpid.proton.amqp.messaging.Data;
import org.apache.qpid.proton.amqp.messaging.Footer;
import org.apache.qpid.proton.amqp.messaging.Properties;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.SenderSettleMode;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Messages too large for memory, as bytes in and bytes out. */
class LargeMessageTest {
    private static final int LIMIT = 4 << 20;
    private static final int MOST_IN_ONE_PIECE = 1 << 20;
    private static final int BODY = MOST_IN_ONE_PIECE + 700_000;
    private static final int CHUNK = 4000;

    private final Peer peer = Peer.taking(LIMIT, Peer.HELD_BYTES);
    private final byte[] data = new byte[BODY];
    private byte[] message;
    private FakeQueue queue;

    @BeforeEach
    void begin() {
        new Random(3).nextBytes(data);
        Properties properties = new Properties();
        properties.setSubject("large");
        message = Peer.sections(properties, new Data(new Binary(data)), new Footer(Map.of()));
        peer.begin();
        queue = peer.nodes.add("orders");
    }

    /** The frames of a delivery, up to {@code until} bytes of it. */
    private static List<byte[]> frames(int handle, int id, byte[] message, int until) {
        List<byte[]> frames = new ArrayList<>();
        for (int at = 0; at < until; at += CHUNK) {
            int end = Math.min(message.length, at + CHUNK);
            Transfer transfer = Peer.transfer(handle, id);
            if (at > 0) {
                transfer = new Transfer();
                transfer.setHandle(UnsignedInteger.valueOf(handle));
            }
            transfer.setMore(end < message.length);
            frames.add(Peer.frame(0, transfer, Arrays.copyOfRange(message, at, end)));
        }
        return frames;
    }

    private void send(int handle, int id, byte[] message, int until) {
        peer.send(frames(handle, id, message, until).toArray(new byte[0][]));
    }

    private void send(byte[] message) {
        send(0, 0, message, message.length);
    }

    private void settleStore() {
        for (int i = 0; i < 8; i++) {
            peer.nodes.journal.flush();
            peer.loop.runAll();
        }
    }

    private void assertNothingLeft() {
        settleStore();
        assertEquals(0, peer.nodes.journal.bodies());
        assertEquals(0, peer.nodes.memory.usedBytes());
        assertEquals(0, peer.nodes.memory.inputBytes());
    }

    /** The answer to a delivery, among flows. */
    private Disposition answer() {
        Object body = peer.next().body();
        while (body instanceof Flow) {
            body = peer.next().body();
        }
        return assertInstanceOf(Disposition.class, body);
    }

    private Message stored() {
        queue.holdReceipts = true;
        peer.attachSender(0, "orders");
        send(message);
        settleStore();
        peer.skip();
        return queue.messages.element();
    }

    /** What has come for each delivery, whatever else has come; and which of them are complete. */
    private final class Received {
        final Map<Integer, ByteArrayOutputStream> bytes = new TreeMap<>();
        final Map<Integer, Integer> ids = new TreeMap<>();
        final List<Integer> complete = new ArrayList<>();
        final List<Integer> aborted = new ArrayList<>();
        final List<Object> others = new ArrayList<>();
        final List<Integer> order = new ArrayList<>();

        Received read() {
            while (!peer.nothingCame()) {
                Peer.Frame frame = peer.next();
                if (frame.body() instanceof Transfer transfer) {
                    take(transfer, frame.payload());
                } else {
                    others.add(frame.body());
                }
            }
            return this;
        }

        private void take(Transfer transfer, byte[] payload) {
            int handle = transfer.getHandle().intValue();
            int id = transfer.getDeliveryId().intValue();
            order.add(id);
            ids.put(handle, id);
            bytes.computeIfAbsent(id, i -> new ByteArrayOutputStream()).writeBytes(payload);
            if (transfer.getAborted()) {
                aborted.add(id);
            } else if (!transfer.getMore()) {
                complete.add(id);
            }
        }

        byte[] message(int id) {
            return bytes.get(id).toByteArray();
        }
    }

    @Nested
    class Receiving {
        @Test
        void aLargeMessageKeepsOnlyItsBeginningInMemory() {
            Message large = stored();
            assertEquals("large", large.subject());
            assertEquals(message.length, large.totalSize());
            assertTrue(large.size() < 100);
            assertTrue(peer.nodes.memory.usedBytes() < Details.PART_BYTES);
            queue.releaseHeld();
            peer.loop.runAll();
            peer.expectAccepted(0, 0);
        }

        @Test
        void aMessageUpToTheLimitStaysInOnePiece() {
            byte[] small = Peer.sections(new Data(new Binary(new byte[MOST_IN_ONE_PIECE - 100])));
            peer.attachSender(0, "orders");
            send(small);
            assertEquals(0, queue.messages.element().streamed());
            assertArrayEquals(small, queue.messages.element().bytes());
        }

        @Test
        void anOpaqueMessageIsAllBody() {
            peer.attachSender(0, "orders");
            List<byte[]> frames = new ArrayList<>();
            Transfer first = Peer.transfer(0, 0);
            first.setMessageFormat(UnsignedInteger.valueOf(7));
            first.setMore(true);
            frames.add(Peer.frame(0, first));
            for (int at = 0; at < data.length; at += CHUNK) {
                Transfer next = new Transfer();
                next.setHandle(UnsignedInteger.ZERO);
                next.setMore(at + CHUNK < data.length);
                frames.add(Peer.frame(0, next, Arrays.copyOfRange(data, at, Math.min(data.length, at + CHUNK))));
            }
            peer.send(frames.toArray(new byte[0][]));
            Message opaque = queue.messages.element();
            assertEquals(7, opaque.format());
            assertEquals(data.length, opaque.streamed());
        }

        @Test
        void aRefusedMessageLeavesNothing() {
            queue.refusal = Optional.of(new Condition(Condition.RESOURCE_LIMIT_EXCEEDED, "full"));
            peer.attachSender(0, "orders");
            send(message);
            assertInstanceOf(Rejected.class, answer().getState());
            assertNothingLeft();
        }

        @Test
        void anAbortedMessageLeavesNothingAndTheLinkGoesOn() {
            peer.attachSender(0, "orders");
            send(0, 0, message, message.length - CHUNK * 2);
            Transfer abort = new Transfer();
            abort.setHandle(UnsignedInteger.ZERO);
            abort.setAborted(true);
            peer.send(abort);
            assertNothingLeft();
            peer.skip();
            peer.transfer(0, 1, Peer.message("small"));
            peer.expectAccepted(1, 1);
        }

        @Test
        void aLinkThatGoesInTheMiddleLeavesNothing() {
            peer.attachSender(0, "orders");
            send(0, 0, message, message.length - CHUNK * 2);
            settleStore();
            assertEquals(1, peer.nodes.journal.bodies());
            peer.send(Peer.detach(0));
            assertNothingLeft();
        }

        @Test
        void aSessionThatEndsInTheMiddleLeavesNothing() {
            peer.attachSender(0, "orders");
            send(0, 0, message, message.length - CHUNK * 2);
            peer.send(new End());
            assertNothingLeft();
        }

        @Test
        void aConnectionThatIsLostInTheMiddleLeavesNothing() {
            peer.attachSender(0, "orders");
            send(0, 0, message, message.length - CHUNK * 2);
            peer.connection.lost();
            assertNothingLeft();
        }

        @Test
        void aMessageBeyondTheLargestEndsTheLinkAndLeavesNothing() {
            byte[] huge = Peer.sections(new Data(new Binary(new byte[LIMIT])));
            peer.attachSender(0, "orders");
            send(huge);
            Object last = null;
            while (!peer.nothingCame()) {
                last = peer.next().body();
            }
            Detach detach = assertInstanceOf(Detach.class, last);
            assertEquals(
                    Condition.MESSAGE_SIZE_EXCEEDED,
                    detach.getError().getCondition().toString());
            assertNothingLeft();
        }

        @Test
        void aFullStoreRefusesItWhenItHasComeToItsEnd() {
            peer.attachSender(0, "orders");
            send(0, 0, message, message.length - CHUNK * 2);
            settleStore();
            peer.nodes.journal.setRoom(new Room(false, "the disk has 3 bytes left"));
            List<byte[]> rest = frames(0, 0, message, message.length);
            peer.send(rest.get(rest.size() - 2));
            assertNothingLeft();
            assertTrue(queue.messages.isEmpty());
            peer.send(rest.get(rest.size() - 1));
            Rejected rejected = assertInstanceOf(Rejected.class, answer().getState());
            assertEquals(
                    Condition.RESOURCE_LIMIT_EXCEEDED,
                    rejected.getError().getCondition().toString());
            assertTrue(rejected.getError().getDescription().contains("3 bytes left"));
            assertNothingLeft();
        }

        @Test
        void whatIsNoMessageIsRejectedWhenItHasComeToItsEnd() {
            byte[] broken = message.clone();
            broken[broken.length - 1] = 1;
            broken[broken.length - 2] = 7;
            peer.attachSender(0, "orders");
            send(broken);
            Rejected rejected = assertInstanceOf(Rejected.class, answer().getState());
            assertEquals(
                    Condition.DECODE_ERROR, rejected.getError().getCondition().toString());
            assertNothingLeft();
            peer.transfer(0, 1, Peer.message("small"));
            peer.expectAccepted(1, 1);
        }

        @Test
        void sectionsBeforeTheBodyThatAreTooLargeAreRejected() {
            byte[] odd = Peer.sections(
                    new ApplicationProperties(Map.of("large", "x".repeat(BODY))), new Data(new Binary(new byte[10])));
            peer.attachSender(0, "orders");
            send(odd);
            Rejected rejected = assertInstanceOf(Rejected.class, answer().getState());
            assertTrue(rejected.getError().getDescription().contains("before the body"));
            assertNothingLeft();
        }

        @Test
        void anotherLinkGoesOnWhileALargeMessageComes() {
            peer.attachSender(0, "orders");
            peer.attachSender(1, "orders");
            send(0, 0, message, message.length - CHUNK * 2);
            peer.transfer(1, 1, Peer.message("small"));
            peer.expectAccepted(1, 1);
        }

        @Test
        void moreIsReadOnlyAsTheStoreWrites() {
            Peer slow = Peer.taking(LIMIT, 600_000);
            slow.begin();
            slow.nodes.add("orders");
            slow.attachSender(0, "orders");
            boolean stopped = false;
            for (byte[] frame : frames(0, 0, message, message.length)) {
                slow.send(frame);
                if (!slow.read) {
                    stopped = true;
                    slow.nodes.journal.flush();
                    slow.loop.runAll();
                    assertTrue(slow.read, "the store has written, and nothing is read");
                }
                assertTrue(slow.nodes.memory.usedBytes() < 2_000_000);
            }
            assertTrue(stopped, "nothing held the sender back");
        }
    }

    @Nested
    class Sending {
        private void assertBody(byte[] received) {
            // The header is new for each delivery; what follows is as it came.
            byte[] tail = Arrays.copyOfRange(received, received.length - message.length, received.length);
            assertArrayEquals(message, tail);
            assertTrue(received.length - message.length <= Message.MAX_HEADER_SIZE);
        }

        @Test
        void aLargeMessageArrivesAsItCame() {
            stored();
            peer.attachReceiver(1, "orders", 1);
            settleStore();
            Received received = new Received().read();
            assertEquals(List.of(0), received.complete);
            assertBody(received.message(0));
        }

        @Test
        void itStopsAtTheWindowOfTheSession() {
            stored();
            peer.send(Peer.receiver(1, "orders"), window(1, 0, 1, 10));
            settleStore();
            Received received = new Received().read();
            assertEquals(10, received.order.size());
            peer.send(Peer.sessionFlow(10, 5));
            settleStore();
            assertEquals(15, received.read().order.size());
            peer.send(Peer.sessionFlow(15, 10_000));
            settleStore();
            assertBody(received.read().message(0));
        }

        private Flow window(int handle, int nextIncoming, int credit, int window) {
            Flow flow = Peer.sessionFlow(nextIncoming, window);
            flow.setHandle(UnsignedInteger.valueOf(handle));
            flow.setDeliveryCount(UnsignedInteger.ZERO);
            flow.setLinkCredit(UnsignedInteger.valueOf(credit));
            return flow;
        }

        @Test
        void noMoreThanTwoPartsAreInMemoryWhileThePeerIsSlow() {
            stored();
            long before = peer.nodes.memory.usedBytes();
            peer.send(Peer.receiver(1, "orders"), window(1, 0, 1, 10));
            settleStore();
            assertTrue(peer.nodes.memory.usedBytes() - before < 2 * Details.PART_BYTES + 1000);
        }

        @Test
        void otherLinksGoOnWhileThePartsAreRead() {
            stored();
            peer.nodes.add("other").messages.add(small("one"));
            peer.nodes.add("other").messages.add(small("two"));
            peer.send(
                    Peer.receiver(1, "orders"), Peer.credit(1, 0, 1), Peer.receiver(2, "other"), Peer.credit(2, 0, 2));
            settleStore();
            Received received = new Received().read();
            assertTrue(received.order.indexOf(1) < received.order.lastIndexOf(0), () -> "" + received.order);
            assertEquals(3, received.complete.size());
            assertBody(received.message(0));
        }

        private Message small(String text) {
            try {
                return Message.parse(Peer.message(text), 0);
            } catch (MalformedMessageException e) {
                throw new AssertionError(e);
            }
        }

        @Test
        void onOneLinkADeliveryWaitsForTheOneBeforeIt() {
            stored();
            queue.messages.add(small("after"));
            peer.attachReceiver(1, "orders", 5);
            settleStore();
            Received received = new Received().read();
            assertEquals(List.of(0, 1), received.complete);
            assertEquals(received.order.size() - 1, received.order.indexOf(1));
        }

        @Test
        void aPeerThatSettlesInTheMiddleGetsNoMoreOfIt() {
            stored();
            queue.messages.add(small("after"));
            peer.send(Peer.receiver(1, "orders"), window(1, 0, 5, 10));
            settleStore();
            peer.send(Peer.disposition(0, 0, true, Accepted.getInstance()));
            peer.send(Peer.sessionFlow(10, 1000));
            settleStore();
            Received received = new Received().read();
            assertEquals(List.of(0), received.aborted);
            assertEquals(List.of(1), received.complete);
            assertEquals(1, queue.settled.size());
            assertEquals(Outcome.ACCEPTED, queue.settled.get(0).outcome());
        }

        @Test
        void aMessageWhoseBodyIsGoneIsAbortedAndCountsAsAFailedAttempt() {
            BodyWriter writer = peer.nodes.bodies().write(bytes -> {}, bytes -> {});
            writer.take(data, 0, data.length);
            queue.messages.add(finished(writer));
            writer.release();
            settleStore();
            peer.attachReceiver(1, "orders", 1);
            settleStore();
            Received received = new Received().read();
            assertEquals(List.of(0), received.aborted);
            assertEquals(List.of(), received.complete);
            assertInstanceOf(Outcome.Modified.class, queue.settled.get(0).outcome());
            assertEquals(0, peer.nodes.memory.usedBytes());
        }

        private Message finished(BodyWriter writer) {
            try {
                return writer.finish(new byte[0], 0);
            } catch (MalformedMessageException e) {
                throw new AssertionError(e);
            }
        }

        @Test
        void aPresettledMessageIsGoneWhenItsLastFrameIsWritten() {
            stored();
            Attach attach = Peer.receiver(1, "orders");
            attach.setSndSettleMode(SenderSettleMode.SETTLED);
            peer.send(attach, window(1, 0, 1, 10));
            settleStore();
            assertTrue(queue.settled.isEmpty());
            peer.send(Peer.sessionFlow(10, 1000));
            settleStore();
            assertEquals(Outcome.ACCEPTED, queue.settled.get(0).outcome());
            assertBody(new Received().read().message(0));
        }

        @Test
        void aLinkThatGoesInTheMiddleGivesItsMemoryBack() {
            stored();
            long before = peer.nodes.memory.usedBytes();
            peer.send(Peer.receiver(1, "orders"), window(1, 0, 1, 10));
            settleStore();
            peer.send(Peer.detach(1));
            peer.send(Peer.sessionFlow(10, 1000));
            settleStore();
            assertEquals(before, peer.nodes.memory.usedBytes());
            Received received = new Received().read();
            assertEquals(10, received.order.size());
            assertFalse(queue.log.isEmpty());
        }

        @Test
        void aPeerThatTakesOnlySmallerMessagesDoesNotGetIt() {
            stored();
            Attach attach = Peer.receiver(1, "orders");
            attach.setMaxMessageSize(UnsignedLong.valueOf(1_000_000));
            peer.send(attach, window(1, 0, 1, 1000));
            settleStore();
            assertTrue(new Received().read().order.isEmpty());
            assertInstanceOf(Outcome.Modified.class, queue.settled.get(0).outcome());
        }
    }

    @Nested
    class Memory {
        private final byte[] small = Peer.sections(new Data(new Binary(new byte[50_000])));

        private Rejected refusal() {
            return assertInstanceOf(Rejected.class, answer().getState());
        }

        @Test
        void countsWhatHasComeOfAMessageUntilItIsWholeAndAnswered() {
            queue.holdReceipts = true;
            peer.attachSender(0, "orders");
            List<byte[]> frames = frames(0, 0, small, small.length);
            peer.send(frames.subList(0, frames.size() - 1).toArray(new byte[0][]));
            assertTrue(peer.nodes.memory.inputBytes() >= small.length - CHUNK);
            peer.send(frames.get(frames.size() - 1));
            assertEquals(small.length, peer.nodes.memory.inputBytes());
            queue.releaseHeld();
            assertNothingLeft();
        }

        @Test
        void isGivenBackWhenALinkOrAConnectionGoesInTheMiddleOfAMessage() {
            Peer other = new Peer(peer);
            other.begin();
            other.attachSender(0, "orders");
            other.send(frames(0, 0, small, 30_000).toArray(new byte[0][]));
            peer.attachSender(0, "orders");
            send(0, 0, small, 30_000);
            peer.send(Peer.detach(0));
            assertTrue(peer.nodes.memory.inputBytes() >= 30_000, "that of the other connection");
            other.connection.lost();
            assertNothingLeft();
        }

        @Test
        void isNotKeptByAConnectionThatIsLostBeforeItsMessagesAreAnswered() {
            queue.holdReceipts = true;
            peer.attachSender(0, "orders");
            send(0, 0, small, small.length);
            assertEquals(small.length, peer.nodes.memory.inputBytes());
            peer.connection.lost();
            assertEquals(0, peer.nodes.memory.inputBytes());
            queue.releaseHeld();
            assertEquals(0, peer.nodes.memory.inputBytes());
        }

        @Test
        void thatIsUsedUpRefusesTheRestOfWhatHasBegunAndNothingElse() {
            peer.attachSender(0, "orders");
            peer.nodes.memory.input(FakeNodes.MEMORY_BYTES);
            send(0, 0, small, small.length);
            assertEquals("memory-full", refusal().getError().getInfo().get(Symbol.valueOf("reason")));
            send(0, 1, message, message.length);
            assertEquals("memory-full", refusal().getError().getInfo().get(Symbol.valueOf("reason")));
            peer.transfer(0, 2, Peer.message("small"));
            assertInstanceOf(Accepted.class, answer().getState());
            peer.nodes.memory.input(-FakeNodes.MEMORY_BYTES);
            send(0, 3, small, small.length);
            assertInstanceOf(Accepted.class, answer().getState());
            assertNothingLeft();
        }
    }
}
