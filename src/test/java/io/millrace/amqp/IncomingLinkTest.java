package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.broker.NodeType;
import io.millrace.message.Condition;
import io.millrace.message.Message;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.DeleteOnClose;
import org.apache.qpid.proton.amqp.messaging.Modified;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.messaging.Released;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.ReceiverSettleMode;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.amqp.transport.SenderSettleMode;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Links over which a peer sends, as bytes in and bytes out. */
class IncomingLinkTest {
    private final Peer peer = new Peer();
    private FakeQueue queue;

    @BeforeEach
    void begin() {
        peer.begin();
        queue = peer.nodes.add("orders");
    }

    private static Transfer settled(Transfer transfer) {
        transfer.setSettled(true);
        return transfer;
    }

    private static Transfer more(Transfer transfer) {
        transfer.setMore(true);
        return transfer;
    }

    private static Transfer continued(int handle) {
        Transfer transfer = new Transfer();
        transfer.setHandle(UnsignedInteger.valueOf(handle));
        return transfer;
    }

    @Nested
    class Attaching {
        @Test
        void theAnswerEchoesWhatIsInForce() {
            Attach asked = Peer.sender(3, "queue://orders");
            asked.setSndSettleMode(SenderSettleMode.UNSETTLED);
            asked.setRcvSettleMode(ReceiverSettleMode.SECOND);
            ((Target) asked.getTarget()).setCapabilities(Symbol.valueOf("queue"), Symbol.valueOf("other"));
            peer.nodes.queues.put("queue://orders", queue);
            peer.send(asked);
            Attach answer = peer.expect(Attach.class);
            assertEquals("link3", answer.getName());
            assertEquals(Role.RECEIVER, answer.getRole());
            assertEquals(SenderSettleMode.UNSETTLED, answer.getSndSettleMode());
            assertEquals(ReceiverSettleMode.SECOND, answer.getRcvSettleMode());
            assertEquals(Peer.MAX_MESSAGE, answer.getMaxMessageSize().longValue());
            assertNotNull(answer.getSource());
            Target target = (Target) answer.getTarget();
            assertEquals("queue://orders", target.getAddress());
            assertEquals(List.of(Symbol.valueOf("queue")), List.of(target.getCapabilities()));
            assertTrue(answer.getProperties().isEmpty());
        }

        @Test
        void anAddressThatIsNotThereIsRefusedWithoutATarget() {
            peer.send(Peer.sender(0, "nowhere"));
            Attach answer = peer.expect(Attach.class);
            assertNull(answer.getTarget());
            peer.expectDetach(Condition.NOT_FOUND);
            peer.send(Peer.detach(0), Peer.sender(0, "orders"));
            assertNotNull(peer.expect(Attach.class).getTarget());
        }

        @Test
        void capabilitiesAndDynamicTargetsSayWhetherAQueueOrATopicIsMeant() {
            peer.nodes.add("orders");
            Attach asked = Peer.sender(0, "orders");
            ((Target) asked.getTarget()).setCapabilities(Symbol.valueOf("else"), Symbol.valueOf("topic"));
            peer.send(asked);
            Attach answer = peer.expect(Attach.class);
            assertArrayEquals(new Symbol[] {Symbol.valueOf("topic")}, ((Target) answer.getTarget()).getCapabilities());
            assertEquals(Optional.of(NodeType.TOPIC), peer.nodes.requests.get(0).type());
            peer.skip();

            Attach dynamic = Peer.sender(1, null);
            ((Target) dynamic.getTarget()).setDynamic(true);
            ((Target) dynamic.getTarget()).setCapabilities(Symbol.valueOf("temporary-topic"));
            peer.send(dynamic);
            String address = ((Target) peer.expect(Attach.class).getTarget()).getAddress();
            assertEquals(NodeType.TOPIC, peer.nodes.queues.get(address).type);
        }

        @Test
        void aDynamicTargetMakesAQueueThatDiesWithItsLink() {
            Attach asked = Peer.sender(0, null);
            ((Target) asked.getTarget()).setDynamic(true);
            peer.send(asked);
            Target target = (Target) peer.expect(Attach.class).getTarget();
            assertEquals("temp-1", target.getAddress());
            assertTrue(target.getDynamic());
            assertEquals(
                    DeleteOnClose.getInstance(),
                    target.getDynamicNodeProperties().get(Symbol.valueOf("lifetime-policy")));
            assertTrue(peer.nodes.queues.containsKey("temp-1"));
            peer.send(Peer.detach(0));
            assertFalse(peer.nodes.queues.containsKey("temp-1"));
        }

        @Test
        void aTemporaryQueueDiesWithItsConnection() {
            Attach asked = Peer.sender(0, null);
            ((Target) asked.getTarget()).setDynamic(true);
            peer.send(asked);
            peer.connection.lost();
            assertFalse(peer.nodes.queues.containsKey("temp-1"));
        }

        @Test
        void aDetachMayOvertakeTheAnswer() {
            peer.nodes.hold = true;
            Attach asked = Peer.sender(0, null);
            ((Target) asked.getTarget()).setDynamic(true);
            peer.send(asked, Peer.detach(0));
            assertNull(peer.expect(Attach.class).getTarget());
            assertNull(peer.expect(Detach.class).getError());
            peer.nodes.releaseHeld();
            peer.loop.runAll();
            peer.expectNothing();
            assertFalse(peer.nodes.queues.containsKey("temp-1"));
        }

        @Test
        void anEndMayOvertakeTheAnswer() {
            peer.nodes.hold = true;
            peer.send(Peer.sender(0, "orders"), new End());
            peer.expect(End.class);
            peer.nodes.releaseHeld();
            peer.loop.runAll();
            peer.expectNothing();
        }

        @Test
        void aSecondLinkOfThatNameStealsTheFirst() {
            peer.attachSender(0, "orders");
            Attach again = Peer.sender(1, "orders");
            again.setName("link0");
            peer.send(again);
            peer.expectDetach(Condition.LINK_STOLEN);
            assertEquals(1, peer.expect(Attach.class).getHandle().intValue());
            peer.expect(Flow.class);
            peer.send(Peer.detach(0));
            peer.transfer(1, 0, Peer.message("x"));
            peer.expectAccepted(0, 0);
        }

        @Test
        void namesOfTheTwoDirectionsAreDifferent() {
            peer.attachSender(0, "orders");
            Attach receiver = Peer.receiver(1, "orders");
            receiver.setName("link0");
            peer.send(receiver);
            peer.expect(Attach.class);
            peer.expectNothing();
        }

        @Test
        void aDetachIsAnswered() {
            peer.attachSender(0, "orders");
            peer.send(Peer.detach(0));
            Detach detach = peer.expect(Detach.class);
            assertTrue(detach.getClosed());
            assertNull(detach.getError());
        }
    }

    @Nested
    class BytesThatWait {
        private static final int FRAMES_A_MESSAGE = 20;
        private static final int FRAME = 4_000;
        private static final int MESSAGES = 5;

        private final Peer peer = new Peer(MESSAGES * FRAMES_A_MESSAGE * FRAME);
        private final FakeQueue queue = peer.nodes.add("orders");
        private int delivery;

        private void attach() {
            peer.begin();
            peer.attachSender(0, "orders");
            queue.holdReceipts = true;
        }

        private void send(int messages) {
            for (int sent = 0; sent < messages; sent++) {
                for (int frame = 1; frame <= FRAMES_A_MESSAGE; frame++) {
                    Transfer transfer = Peer.transfer(0, delivery);
                    transfer.setMessageFormat(UnsignedInteger.valueOf(7));
                    transfer.setMore(frame < FRAMES_A_MESSAGE);
                    peer.send(Peer.frame(0, transfer, new byte[FRAME]));
                }
                delivery++;
            }
        }

        @Test
        void nothingMoreIsReadFromASenderOfLargeMessagesUntilSomeAreAnswered() {
            attach();
            send(MESSAGES - 1);
            assertTrue(peer.read);
            send(1);
            assertFalse(peer.read);
            queue.releaseHeld();
            peer.loop.runAll();
            assertTrue(peer.read);
        }

        @Test
        void thePeerIsNotTakenForDeadWhileItIsNotRead() {
            attach();
            send(MESSAGES);
            peer.loop.advance(300_000);
            assertFalse(peer.socketClosed);
            queue.releaseHeld();
            peer.loop.runAll();
            peer.expectAccepted(0, MESSAGES - 1);
            peer.skip();
            peer.loop.advance(130_000);
            assertEquals(
                    Symbol.valueOf(Condition.RESOURCE_LIMIT_EXCEEDED),
                    peer.expect(Close.class).getError().getCondition());
        }
    }

    @Nested
    class SessionWindow {
        @Test
        void isRenewedLongBeforeItsEnd() {
            FakeQueue queue = peer.nodes.add("orders");
            queue.holdReceipts = true;
            peer.attachSender(0, "orders");
            parts(IncomingWindow.FRAMES / 2 - 1);
            peer.expectNothing();
            parts(1);
            assertEquals(
                    IncomingWindow.FRAMES,
                    peer.expect(Flow.class).getIncomingWindow().intValue());
        }

        @Test
        void aTransferBeyondItEndsTheSession() {
            peer.attachSender(0, "orders");
            parts(IncomingWindow.FRAMES + 1);
            assertEquals(
                    Symbol.valueOf(Condition.SESSION_WINDOW_VIOLATION),
                    peer.expect(End.class).getError().getCondition());
        }

        /** Frames of one delivery, all in one read. */
        private void parts(int count) {
            Transfer transfer = Peer.transfer(0, 0);
            transfer.setMessageFormat(UnsignedInteger.valueOf(7));
            transfer.setMore(true);
            byte[] frame = Peer.frame(0, transfer, new byte[1]);
            byte[] all = new byte[frame.length * count];
            for (int i = 0; i < count; i++) {
                System.arraycopy(frame, 0, all, i * frame.length, frame.length);
            }
            peer.send(all);
        }
    }

    @Nested
    class Transfers {
        @Test
        void aMessageArrivesByteForByteAndIsAccepted() {
            peer.attachSender(0, "orders");
            byte[] message = Peer.message("hello");
            peer.transfer(0, 0, message);
            assertArrayEquals(message, queue.messages.element().bytes());
            peer.expectAccepted(0, 0);
            assertEquals(1, peer.connection.transfersIn());
        }

        @Test
        void answersOfOneReadAreOneFrameAndOneWrite() {
            peer.attachSender(0, "orders");
            int writes = peer.writes;
            peer.transfer(0, 0, Peer.message("a"), Peer.message("b"), Peer.message("c"));
            peer.expectAccepted(0, 2);
            peer.expectNothing();
            assertEquals(writes + 1, peer.writes);
        }

        @Test
        void answersThatComeLaterAreFlushedOnce() {
            peer.attachSender(0, "orders");
            queue.holdReceipts = true;
            peer.transfer(0, 0, Peer.message("a"), Peer.message("b"));
            peer.expectNothing();
            int writes = peer.writes;
            queue.releaseHeld();
            assertEquals(writes, peer.writes);
            peer.loop.runAll();
            assertEquals(writes + 1, peer.writes);
            peer.expectAccepted(0, 1);
        }

        @Test
        void differentOutcomesAreDifferentFramesInOrder() {
            peer.attachSender(0, "orders");
            byte[] good = Peer.message("a");
            byte[] bad = {1, 2, 3};
            peer.transfer(0, 0, good, good, bad, good);
            peer.expectAccepted(0, 1);
            Disposition rejected = peer.expect(Disposition.class);
            assertEquals(2, rejected.getFirst().intValue());
            Rejected state = assertInstanceOf(Rejected.class, rejected.getState());
            assertEquals(
                    Symbol.valueOf(Condition.DECODE_ERROR), state.getError().getCondition());
            peer.expectAccepted(3, 3);
        }

        @Test
        void aMessageMayComeInManyFrames() {
            peer.attachSender(0, "orders");
            byte[] message = Peer.message("y".repeat(10_000));
            byte[][] parts = new byte[4][];
            for (int i = 0; i < 4; i++) {
                Transfer transfer = i == 0 ? Peer.transfer(0, 0) : continued(0);
                transfer.setMore(i < 3);
                parts[i] = Peer.frame(
                        0, transfer, Arrays.copyOfRange(message, i * 3000, Math.min(message.length, i * 3000 + 3000)));
            }
            peer.send(parts);
            assertArrayEquals(message, queue.messages.element().bytes());
            peer.expectAccepted(0, 0);
        }

        @Test
        void deliveriesOfTwoLinksMayInterleave() {
            peer.attachSender(0, "orders");
            peer.attachSender(1, "orders");
            byte[] a = Peer.message("aaaa");
            byte[] b = Peer.message("bbbb");
            peer.send(
                    Peer.frame(0, more(Peer.transfer(0, 0)), Arrays.copyOf(a, 4)),
                    Peer.frame(0, Peer.transfer(1, 1), b),
                    Peer.frame(0, continued(0), Arrays.copyOfRange(a, 4, a.length)));
            assertArrayEquals(b, queue.messages.remove().bytes());
            assertArrayEquals(a, queue.messages.remove().bytes());
        }

        @Test
        void anAbortedDeliveryIsForgottenAndUsesCredit() {
            peer.attachSender(0, "orders");
            Transfer abort = continued(0);
            abort.setAborted(true);
            peer.send(
                    Peer.frame(0, more(Peer.transfer(0, 0)), new byte[] {1, 2}),
                    Peer.frame(0, abort),
                    Peer.frame(0, Peer.transfer(0, 1), Peer.message("next")));
            assertArrayEquals(Peer.message("next"), queue.messages.element().bytes());
            peer.expectAccepted(1, 1);
            Flow echo = Peer.credit(0, 2, 0);
            echo.setEcho(true);
            peer.send(echo);
            Flow flow = peer.expect(Flow.class);
            assertEquals(2, flow.getDeliveryCount().intValue());
        }

        @Test
        void presettledMessagesAreNotAnswered() {
            peer.attachSender(0, "orders");
            peer.send(Peer.frame(0, settled(Peer.transfer(0, 0)), Peer.message("x")));
            assertEquals(1, queue.messages.size());
            peer.expectNothing();
        }

        @Test
        void aRefusedPresettledMessageEndsTheLink() {
            peer.attachSender(0, "orders");
            queue.refusal = Optional.of(
                    new Condition(Condition.RESOURCE_LIMIT_EXCEEDED, "full", Map.of("queue", "orders", "limit", 1L)));
            peer.send(Peer.frame(0, settled(Peer.transfer(0, 0)), Peer.message("x")));
            peer.expectDetach(Condition.RESOURCE_LIMIT_EXCEEDED);
        }

        @Test
        void anUndecodablePresettledMessageEndsTheLink() {
            peer.attachSender(0, "orders");
            peer.send(Peer.frame(0, settled(Peer.transfer(0, 0)), new byte[] {1}));
            peer.expectDetach(Condition.DECODE_ERROR);
        }

        @Test
        void theReasonOfARefusalComesWithItsDetails() {
            peer.attachSender(0, "orders");
            queue.refusal = Optional.of(
                    new Condition(Condition.RESOURCE_LIMIT_EXCEEDED, "full", Map.of("queue", "orders", "limit", 7L)));
            peer.transfer(0, 0, Peer.message("x"));
            Rejected state = assertInstanceOf(
                    Rejected.class, peer.expect(Disposition.class).getState());
            ErrorCondition error = state.getError();
            assertEquals("full", error.getDescription());
            assertEquals(7L, error.getInfo().get(Symbol.valueOf("limit")));
        }

        @Test
        void aSenderThatDoesNotKnowRejectedIsToldInOtherWords() {
            assertInstanceOf(Modified.class, refusalFor(Outcomes.ACCEPTED, Outcomes.MODIFIED, Outcomes.RELEASED));
            assertInstanceOf(Released.class, refusalFor(Outcomes.ACCEPTED, Outcomes.RELEASED));
        }

        private Object refusalFor(Symbol... outcomes) {
            Peer other = new Peer().begin();
            other.nodes.add("q").refusal = Optional.of(new Condition(Condition.NOT_ALLOWED, "no"));
            Attach asked = Peer.sender(0, "q");
            ((Source) asked.getSource()).setOutcomes(outcomes);
            other.send(asked);
            other.skip();
            other.transfer(0, 0, Peer.message("x"));
            return other.expect(Disposition.class).getState();
        }

        @Test
        void anotherFormatIsOpaque() {
            peer.attachSender(0, "orders");
            Transfer transfer = Peer.transfer(0, 0);
            transfer.setMessageFormat(UnsignedInteger.valueOf(0x80013700L));
            peer.send(Peer.frame(0, transfer, new byte[] {9, 9}));
            Message message = queue.messages.element();
            assertEquals(0x80013700, message.format());
            assertArrayEquals(new byte[] {9, 9}, message.bytes());
            peer.expectAccepted(0, 0);
        }

        @Test
        void anEmptyDeliveryTagIsFine() {
            peer.attachSender(0, "orders");
            Transfer transfer = Peer.transfer(0, 0);
            transfer.setDeliveryTag(new Binary(new byte[0]));
            peer.send(Peer.frame(0, transfer, Peer.message("x")));
            peer.expectAccepted(0, 0);
        }
    }

    @Nested
    class Violations {
        @Test
        void aMessageThatIsTooLargeEndsTheLinkWhileItArrives() {
            peer.attachSender(0, "orders");
            byte[] part = new byte[4000];
            peer.send(Peer.frame(0, more(Peer.transfer(0, 0)), part));
            for (int i = 0; i < 24; i++) {
                peer.send(Peer.frame(0, more(continued(0)), part));
            }
            peer.expectNothing();
            peer.send(Peer.frame(0, more(continued(0)), part));
            ErrorCondition error = peer.expectDetach(Condition.MESSAGE_SIZE_EXCEEDED);
            assertEquals(
                    "the message for 'orders' is larger than 100000 bytes, which is connection.max-message-size: send"
                            + " smaller ones, or raise that in the config",
                    error.getDescription());
            peer.send(Peer.frame(0, continued(0), part), Peer.frame(0, Peer.detach(0)));
            peer.expectNothing();
            peer.attachSender(0, "orders");
            peer.transfer(0, 1, Peer.message("x"));
            peer.expectAccepted(1, 1);
        }

        @Test
        void aMessageWithoutCreditEndsTheLink() {
            peer.attachSender(0, "orders");
            queue.holdReceipts = true;
            byte[][] tooMany = new byte[Peer.CREDIT + 1][];
            Arrays.fill(tooMany, Peer.message("x"));
            peer.transfer(0, 0, tooMany);
            peer.expectDetach(Condition.TRANSFER_LIMIT_EXCEEDED);
            assertEquals(Peer.CREDIT, queue.messages.size());
        }

        @Test
        void aMessageBeforeTheAttachIsAnsweredIsWithoutCredit() {
            peer.nodes.hold = true;
            peer.send(Peer.frame(0, Peer.sender(0, "orders")), Peer.frame(0, Peer.transfer(0, 0), Peer.message("x")));
            assertNull(peer.expect(Attach.class).getTarget());
            peer.expectDetach(Condition.TRANSFER_LIMIT_EXCEEDED);
        }

        @Test
        void aTransferOnTheHandleOfAReceiverEndsTheSession() {
            peer.attachReceiver(0, "orders", 0);
            peer.send(Peer.transfer(0, 0));
            assertEquals(
                    Symbol.valueOf(Condition.NOT_ALLOWED),
                    peer.expect(End.class).getError().getCondition());
        }

        @Test
        void aDeliveryIdOutOfOrderEndsTheSession() {
            peer.attachSender(0, "orders");
            peer.transfer(0, 0, Peer.message("x"));
            peer.skip();
            peer.transfer(0, 2, Peer.message("x"));
            assertEquals(
                    Symbol.valueOf(Condition.INVALID_FIELD),
                    peer.expect(End.class).getError().getCondition());
        }

        @Test
        void aDeliveryWithoutAnIdEndsTheSession() {
            peer.attachSender(0, "orders");
            peer.send(continued(0));
            assertEquals(
                    Symbol.valueOf(Condition.INVALID_FIELD),
                    peer.expect(End.class).getError().getCondition());
        }

        @Test
        void aNewDeliveryInTheMiddleOfAnotherEndsTheSession() {
            peer.attachSender(0, "orders");
            peer.send(more(Peer.transfer(0, 0)), Peer.transfer(0, 1));
            assertEquals(
                    Symbol.valueOf(Condition.INVALID_FIELD),
                    peer.expect(End.class).getError().getCondition());
        }
    }

    @Nested
    class Credit {
        @Test
        void creditIsToppedUpInLumps() {
            peer.attachSender(0, "orders");
            peer.transfer(0, 0, Peer.message("a"), Peer.message("b"));
            peer.expectAccepted(0, 1);
            peer.expectNothing();
            peer.transfer(0, 2, Peer.message("c"), Peer.message("d"));
            peer.expectAccepted(2, 3);
            Flow flow = peer.expect(Flow.class);
            assertEquals(4, flow.getDeliveryCount().intValue());
            assertEquals(Peer.CREDIT, flow.getLinkCredit().intValue());
        }

        @Test
        void whatIsNotAnsweredCountsAgainstTheWindow() {
            peer.attachSender(0, "orders");
            queue.holdReceipts = true;
            byte[][] all = new byte[Peer.CREDIT][];
            Arrays.fill(all, Peer.message("x"));
            peer.transfer(0, 0, all);
            peer.expectNothing();
            queue.releaseHeld();
            peer.loop.runAll();
            peer.expectAccepted(0, Peer.CREDIT - 1);
            assertEquals(Peer.CREDIT, peer.expect(Flow.class).getLinkCredit().intValue());
        }

        @Test
        void aFullQueueGivesNoCreditUntilThereIsRoom() {
            queue.room = 0;
            peer.send(Peer.sender(0, "orders"));
            peer.expect(Attach.class);
            peer.expectNothing();
            queue.makeRoom(4);
            peer.loop.runAll();
            assertEquals(4, peer.expect(Flow.class).getLinkCredit().intValue());
        }

        @Test
        void anEchoTellsTheCredit() {
            peer.attachSender(0, "orders");
            Flow flow = Peer.credit(0, 0, 0);
            flow.setEcho(true);
            peer.send(flow);
            Flow answer = peer.expect(Flow.class);
            assertEquals(0, answer.getHandle().intValue());
            assertEquals(Peer.CREDIT, answer.getLinkCredit().intValue());
        }
    }

    @Test
    void aLinkWhoseSessionEndsBeforeItsNodeIsThereIsForgotten() {
        peer.nodes.hold = true;
        peer.send(Peer.sender(0, "orders"));
        assertFalse(peer.connection.incomingLinks().isEmpty());
        peer.send(new End());
        assertTrue(peer.connection.incomingLinks().isEmpty());
    }

    @Nested
    class AnonymousTerminus {
        @BeforeEach
        void attach() {
            peer.attachSender(0, null);
        }

        @Test
        void givesNoCreditWhileTheQueueOfTheLastMessageHasNoRoom() {
            queue.room = 0;
            byte[][] all = new byte[Peer.CREDIT][];
            Arrays.fill(all, Peer.messageTo("orders", "x"));
            peer.transfer(0, 0, all);
            peer.expectAccepted(0, Peer.CREDIT - 1);
            peer.expectNothing();
            queue.makeRoom(Integer.MAX_VALUE);
            peer.loop.runAll();
            assertEquals(Peer.CREDIT, peer.expect(Flow.class).getLinkCredit().intValue());
        }

        @Test
        void eachMessageGoesWhereItSays() {
            FakeQueue other = peer.nodes.add("other");
            peer.transfer(0, 0, Peer.messageTo("queue://orders", "a"), Peer.messageTo("other", "b"));
            assertEquals(1, queue.messages.size());
            assertEquals(1, other.messages.size());
            peer.expectAccepted(0, 1);
        }

        @Test
        void aMessageWithoutAnAddressIsRejectedAndTheLinkStays() {
            peer.transfer(0, 0, Peer.message("x"), Peer.messageTo("nowhere", "y"), Peer.messageTo("orders", "z"));
            assertEquals(Condition.PRECONDITION_FAILED, rejection(0));
            peer.expectAccepted(2, 2);
            assertEquals(Condition.NOT_FOUND, rejection(1));
            assertEquals(1, queue.messages.size());
        }

        private String rejection(int id) {
            Disposition disposition = peer.expect(Disposition.class);
            assertEquals(id, disposition.getFirst().intValue());
            return ((Rejected) disposition.getState()).getError().getCondition().toString();
        }

        @Test
        void messagesKeepTheirOrderWhileTheirAddressIsOpened() {
            peer.nodes.create = true;
            peer.nodes.hold = true;
            peer.transfer(0, 0, Peer.messageTo("new", "1"), Peer.messageTo("new", "2"));
            peer.nodes.releaseHeld();
            peer.transfer(0, 2, Peer.messageTo("new", "3"));
            List<Message> arrived = List.copyOf(peer.nodes.queues.get("new").messages);
            assertEquals(3, arrived.size());
            for (int i = 0; i < 3; i++) {
                assertArrayEquals(
                        Peer.messageTo("new", String.valueOf(i + 1)),
                        arrived.get(i).bytes());
            }
        }

        @Test
        void aPresettledMessageWithoutAPlaceEndsTheLink() {
            peer.send(Peer.frame(0, settled(Peer.transfer(0, 0)), Peer.messageTo("nowhere", "x")));
            peer.expectDetach(Condition.NOT_FOUND);
        }
    }
}
