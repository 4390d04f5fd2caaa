package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Begin;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Open;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The rules for frames and their sizes (AMQP 1.0, part 2, sections 2.3 and 2.4.1). */
class FrameRulesTest {
    private final Peer peer = new Peer();

    private void expectBroken(byte[] bytes) {
        Peer other = new Peer().begin();
        other.send(bytes);
        other.expectClose(Condition.FRAMING_ERROR);
        other.expectNothing();
        assertTrue(other.socketClosed);
    }

    /** A frame with a data offset of so many words; the words behind the eight bytes of the header are an extended header. */
    private static byte[] withOffset(byte[] frame, int words) {
        int extended = Math.max(0, words - 2) * 4;
        byte[] moved = new byte[frame.length + extended];
        System.arraycopy(frame, 0, moved, 0, 8);
        Arrays.fill(moved, 8, 8 + extended, (byte) 0x7e);
        System.arraycopy(frame, 8, moved, 8 + extended, frame.length - 8);
        ByteBuffer.wrap(moved).putInt(0, moved.length).put(4, (byte) words);
        return moved;
    }

    @Nested
    class Headers {
        @Test
        void aDataOffsetBelowTwoIsAFramingError() {
            expectBroken(withOffset(Peer.frame(0, new Close()), 1));
            expectBroken(withOffset(Peer.frame(0, new Close()), 0));
        }

        @Test
        void aDataOffsetBeyondTheFrameIsAFramingError() {
            byte[] frame = Peer.frame(0, null);
            frame[4] = 3;
            expectBroken(frame);
        }

        @Test
        void anExtendedHeaderIsIgnored() {
            peer.begin();
            peer.send(withOffset(Peer.frame(0, Peer.sender(0, "q")), 5));
            peer.expect(Attach.class);
            peer.expectDetach(Condition.NOT_FOUND);
            peer.send(withOffset(Peer.frame(0, new Close()), 255));
            assertNull(peer.expect(Close.class).getError());
        }

        @Test
        void aSizeBelowEightIsAFramingError() {
            for (byte size = 0; size < 8; size++) {
                expectBroken(new byte[] {0, 0, 0, size, 2, 0, 0, 0});
            }
        }

        @Test
        void aTypeThatIsNotAmqpIsAFramingError() {
            expectBroken(Peer.frame(1, 0, new Close()));
            expectBroken(Peer.frame(2, 0, new Close()));
            expectBroken(Peer.frame(0xff, 0, new Close()));
        }

        @Test
        void weSendAnOffsetOfTwoAndNothingBetweenHeaderAndBody() {
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, Peer.open()), Peer.frame(0, null));
            ByteBuffer bytes = peer.takeBytes();
            bytes.position(8);
            assertEquals(bytes.remaining(), bytes.getInt(8));
            assertEquals(2, bytes.get(12));
            assertEquals(0, bytes.get(13));
            assertEquals(0, bytes.getShort(14));
        }
    }

    @Nested
    class EmptyFrames {
        @Test
        void mayComeOnAnyChannelAtAnyTime() {
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, null), Peer.frame(0, Peer.open()), Peer.frame(0xffff, null));
            peer.expect(Open.class);
            peer.send(Peer.frame(0, Peer.newBegin()), Peer.frame(0, null), Peer.frame(9, null));
            peer.expect(Begin.class);
            peer.expectNothing();
            assertFalse(peer.socketClosed);
        }
    }

    @Nested
    class Sizes {
        @Test
        void aFrameOfExactlyOurMaximumIsTaken() {
            peer.begin();
            FakeQueue queue = peer.nodes.add("q");
            peer.attachSender(0, "q");
            Transfer transfer = Peer.transfer(0, 0);
            transfer.setMessageFormat(UnsignedInteger.ONE);
            int overhead = Peer.frame(0, transfer).length;
            peer.send(Peer.frame(0, transfer, new byte[Peer.MAX_FRAME - overhead]));
            assertEquals(Peer.MAX_FRAME - overhead, queue.messages.element().size());
        }

        @Test
        void oneByteMoreIsAFramingError() {
            expectBroken(ByteBuffer.allocate(8)
                    .putInt(Peer.MAX_FRAME + 1)
                    .put((byte) 2)
                    .array());
        }

        @Test
        void anOversizedFrameBeforeTheOpenIsAFramingErrorToo() {
            peer.send(Handshake.AMQP_HEADER, new byte[] {0x7f, 0, 0, 0, 2, 0, 0, 0});
            peer.expect(Open.class);
            peer.expectClose(Condition.FRAMING_ERROR);
            assertTrue(peer.socketClosed);
        }

        @Test
        void ourOpenFitsIntoWhatEveryPeerTakes() {
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, Peer.open()));
            assertTrue(peer.takeBytes().remaining() <= 8 + 512);
        }

        /** A peer that takes no more than it must. */
        private void beginSmall() {
            Open open = Peer.open();
            open.setMaxFrameSize(UnsignedInteger.valueOf(512));
            peer.send(Handshake.AMQP_HEADER, Peer.frame(0, open), Peer.frame(0, Peer.newBegin()));
            peer.expect(Open.class);
            peer.expect(Begin.class);
            peer.takeBytes();
        }

        private void expectSmallFrames() {
            ByteBuffer bytes = peer.takeBytes();
            assertTrue(bytes.hasRemaining());
            while (bytes.hasRemaining()) {
                int size = bytes.getInt(bytes.position());
                assertTrue(size <= 512, "a frame of " + size + " bytes");
                bytes.position(bytes.position() + size);
            }
        }

        @Test
        void anErrorThatIsTooLongForThePeerIsShortened() {
            beginSmall();
            FakeQueue queue = peer.nodes.add("q");
            Attach asked = Peer.sender(0, "q");
            peer.send(asked);
            queue.refusal = Optional.of(
                    new Condition(Condition.NOT_ALLOWED, "no ".repeat(400), Map.of("why", "x".repeat(600))));
            expectSmallFrames();
            peer.transfer(0, 0, Peer.message("x"));
            Rejected state = (Rejected) peer.expect(Disposition.class).getState();
            ErrorCondition error = state.getError();
            assertEquals(Condition.NOT_ALLOWED, error.getCondition().toString());
            assertTrue(error.getDescription().startsWith("no no"));
            assertTrue(error.getDescription().length() > 300);
            assertNull(error.getInfo());
        }

        @Test
        void soAreThoseOfLinksSessionsAndConnections() {
            beginSmall();
            peer.send(Peer.receiver(0, "a".repeat(100)));
            peer.expect(Attach.class);
            peer.expectDetach(Condition.NOT_FOUND);
            FakeQueue queue = peer.nodes.add("q");
            peer.attachReceiver(1, "q", 1);
            Condition why = new Condition(Condition.RESOURCE_DELETED, "gone ".repeat(200));
            queue.subscribers.keySet().iterator().next().closed(why);
            peer.loop.runAll();
            assertTrue(peer.expectDetach(Condition.RESOURCE_DELETED)
                    .getDescription()
                    .startsWith("gone gone"));
            peer.connection.close(new Condition(Condition.CONNECTION_FORCED, "bye ".repeat(300)));
            peer.loop.runAll();
            expectSmallFrames();
        }

        @Test
        void anAnswerThatDoesNotFitEndsTheConnection() {
            beginSmall();
            String name = "q".repeat(480);
            peer.nodes.add(name);
            peer.send(Peer.receiver(0, name), Peer.credit(0, 0, 5));
            ErrorCondition error = peer.expectClose(Condition.FRAME_SIZE_TOO_SMALL);
            assertTrue(error.getDescription().contains("512"), error.getDescription());
            peer.expectNothing();
            assertEquals(List.of("attached", "lost"), peer.nodes.queues.get(name).log);
        }

        @Test
        void messagesAreCutToThePeersSize() {
            beginSmall();
            FakeQueue queue = peer.nodes.add("q");
            peer.attachSender(0, "q");
            peer.transfer(0, 0, Peer.message("x".repeat(2000)));
            peer.expectAccepted(0, 0);
            peer.takeBytes();
            assertNotNull(queue.messages.peek());
            peer.attachReceiver(1, "q", 1);
            queue.dispatch();
            int frames = 0;
            boolean more = true;
            while (more) {
                Peer.Frame frame = peer.expectTransfer();
                assertTrue(frame.payload().length < 512);
                more = ((Transfer) frame.body()).getMore();
                frames++;
            }
            assertEquals(5, frames);
        }
    }

    @Test
    void nothingIsWrittenAfterAClose() {
        peer.begin();
        FakeQueue queue = peer.nodes.add("q");
        queue.holdReceipts = true;
        peer.attachSender(0, "q");
        peer.transfer(0, 0, Peer.message("x"));
        peer.nodes.hold = true;
        peer.send(Peer.receiver(1, "q"));
        peer.connection.close(new Condition(Condition.CONNECTION_FORCED, "the broker stops"));
        peer.nodes.releaseHeld();
        queue.releaseHeld();
        peer.loop.advance(40_000);
        peer.expectClose(Condition.CONNECTION_FORCED);
        peer.expectNothing();
    }

    @Test
    void whatComesInOneReadMayBePipelinedToTheEnd() {
        peer.nodes.add("q");
        peer.send(
                Handshake.AMQP_HEADER,
                Peer.frame(0, Peer.open()),
                Peer.frame(0, Peer.newBegin()),
                Peer.frame(0, Peer.sender(0, "q")),
                Peer.frame(0, Peer.detach(0)),
                Peer.frame(0, new End()),
                Peer.frame(0, new Close()));
        peer.expect(Open.class);
        peer.expect(Begin.class);
        peer.expect(Attach.class);
        peer.expect(Detach.class);
        peer.expect(End.class);
        assertNull(peer.expect(Close.class).getError());
        assertTrue(peer.frames.stream().noneMatch(frame -> frame.body() instanceof Flow));
        assertTrue(peer.socketClosed);
    }
}
