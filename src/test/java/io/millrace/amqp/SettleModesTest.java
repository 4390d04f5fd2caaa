package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import java.util.List;
import java.util.Optional;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.AmqpValue;
import org.apache.qpid.proton.amqp.messaging.Modified;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.messaging.Released;
import org.apache.qpid.proton.amqp.transaction.Coordinator;
import org.apache.qpid.proton.amqp.transaction.Declare;
import org.apache.qpid.proton.amqp.transaction.Declared;
import org.apache.qpid.proton.amqp.transaction.TransactionalState;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.ReceiverSettleMode;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Receiver-settle-mode second on both kinds of links (AMQP 1.0, part 2, section 2.6.12). */
class SettleModesTest {
    private final Peer peer = new Peer().begin();
    private final FakeQueue queue = peer.nodes.add("q");

    static Attach second(Attach attach) {
        attach.setRcvSettleMode(ReceiverSettleMode.SECOND);
        return attach;
    }

    static Disposition bySender(int first, int last) {
        Disposition disposition = Peer.disposition(first, last, true, Accepted.getInstance());
        disposition.setRole(Role.SENDER);
        return disposition;
    }

    private Disposition expectUnsettled(int first, int last) {
        Disposition answer = peer.expect(Disposition.class);
        assertEquals(Role.RECEIVER, answer.getRole());
        assertEquals(first, answer.getFirst().intValue());
        assertEquals(last, (answer.getLast() == null ? answer.getFirst() : answer.getLast()).intValue());
        assertFalse(answer.getSettled());
        return answer;
    }

    @Nested
    class FromPeers {
        @BeforeEach
        void attach() {
            peer.send(second(Peer.sender(0, "q")));
            assertEquals(ReceiverSettleMode.SECOND, peer.expect(Attach.class).getRcvSettleMode());
            peer.expect(Flow.class);
        }

        @Test
        void inModeSecondWeSettleAfterTheSenderHas() {
            peer.transfer(0, 0, Peer.message("a"), Peer.message("b"));
            assertEquals(Accepted.getInstance(), expectUnsettled(0, 1).getState());
            peer.send(bySender(0, 1));
            peer.expectNothing();
            assertEquals(2, queue.messages.size());
        }

        @Test
        void theOutcomeIsToldWhenItIsDurable() {
            queue.holdReceipts = true;
            peer.transfer(0, 0, Peer.message("a"));
            peer.expectNothing();
            queue.releaseHeld();
            peer.loop.runAll();
            expectUnsettled(0, 0);
        }

        @Test
        void aTagIsInUseUntilTheSenderHasSettled() {
            Transfer again = Peer.transfer(0, 1);
            again.setDeliveryTag(new Binary(new byte[] {0}));
            peer.transfer(0, 0, Peer.message("a"));
            expectUnsettled(0, 0);
            peer.send(bySender(0, 0));
            peer.send(Peer.frame(0, again, Peer.message("b")));
            expectUnsettled(1, 1);
            Transfer third = Peer.transfer(0, 2);
            third.setDeliveryTag(new Binary(new byte[] {0}));
            peer.send(Peer.frame(0, third, Peer.message("c")));
            peer.expectEnd(Condition.INVALID_FIELD);
            assertEquals(2, queue.messages.size());
        }

        @Test
        void whatTheSenderHasNotSettledUsesCredit() {
            for (int i = 0; i < Peer.CREDIT; i++) {
                peer.transfer(0, i, Peer.message("m" + i));
                expectUnsettled(i, i);
            }
            peer.expectNothing();
            peer.send(bySender(0, 8));
            assertEquals(9, peer.expect(Flow.class).getLinkCredit().intValue());
        }

        @Test
        void aRangeMayNameDeliveriesThatAreSettledOrNeverCame() {
            peer.transfer(0, 0, Peer.message("a"), Peer.message("b"), Peer.message("c"));
            expectUnsettled(0, 2);
            peer.send(bySender(1, 1), bySender(-1000, 5000));
            for (int i = 3; i < 3 + Peer.CREDIT - 3; i++) {
                peer.transfer(0, i, Peer.message("m" + i));
                expectUnsettled(i, i);
                peer.send(bySender(i, i));
                while (!peer.nothingCame()) {
                    peer.expect(Flow.class);
                }
            }
            assertEquals(Peer.CREDIT, queue.messages.size());
        }

        @Test
        void aSenderThatDoesNotWaitForTheOutcomeIsNotTold() {
            queue.holdReceipts = true;
            peer.transfer(0, 0, Peer.message("a"));
            peer.send(bySender(0, 0));
            queue.releaseHeld();
            peer.loop.runAll();
            peer.expectNothing();
        }

        @Test
        void settledDeliveriesAreNotAnswered() {
            Transfer transfer = Peer.transfer(0, 0);
            transfer.setSettled(true);
            peer.send(Peer.frame(0, transfer, Peer.message("a")));
            peer.expectNothing();
            assertEquals(1, queue.messages.size());
        }

        @Test
        void aRefusalIsToldWithoutSettlingToo() {
            queue.refusal = Optional.of(new Condition(Condition.RESOURCE_LIMIT_EXCEEDED, "full"));
            peer.transfer(0, 0, Peer.message("a"));
            assertInstanceOf(Rejected.class, expectUnsettled(0, 0).getState());
        }

        @Test
        void aDeliveryMayAskForWhatTheLinkDoesAnyway() {
            Transfer transfer = Peer.transfer(0, 0);
            transfer.setRcvSettleMode(ReceiverSettleMode.SECOND);
            peer.send(Peer.frame(0, transfer, Peer.message("a")));
            expectUnsettled(0, 0);
        }

        @Test
        void inATransactionTheStateIsThatOfTheTransaction() {
            Attach coordinator = Peer.sender(1, "unused");
            coordinator.setTarget(new Coordinator());
            peer.send(coordinator);
            peer.expect(Attach.class);
            peer.expect(Flow.class);
            peer.transfer(1, 0, Peer.sections(new AmqpValue(new Declare())));
            Declared declared = (Declared) peer.expect(Disposition.class).getState();
            Transfer transfer = Peer.transfer(0, 1);
            TransactionalState state = new TransactionalState();
            state.setTxnId(declared.getTxnId());
            transfer.setState(state);
            peer.send(Peer.frame(0, transfer, Peer.message("a")));
            TransactionalState answer = assertInstanceOf(
                    TransactionalState.class, expectUnsettled(1, 1).getState());
            assertEquals(declared.getTxnId(), answer.getTxnId());
            assertEquals(Accepted.getInstance(), answer.getOutcome());
        }
    }

    @Nested
    class ToPeers {
        @BeforeEach
        void attach() {
            for (String body : List.of("a", "b", "c", "d")) {
                queue.put(body);
            }
            peer.send(second(Peer.receiver(0, "q")), Peer.credit(0, 0, 4));
            assertEquals(ReceiverSettleMode.SECOND, peer.expect(Attach.class).getRcvSettleMode());
            for (int i = 0; i < 4; i++) {
                Transfer transfer = (Transfer) peer.expectTransfer().body();
                assertFalse(transfer.getSettled());
                assertFalse(transfer.getResume());
            }
        }

        private void echoed(int id, DeliveryState state) {
            peer.send(Peer.disposition(id, id, false, state));
            Disposition echo = peer.expect(Disposition.class);
            assertEquals(Role.SENDER, echo.getRole());
            assertEquals(id, echo.getFirst().intValue());
            assertTrue(echo.getSettled());
            assertEquals(state.getClass(), echo.getState().getClass());
        }

        @Test
        void everyOutcomeIsAnsweredWithItselfSettled() {
            Modified modified = new Modified();
            modified.setDeliveryFailed(true);
            modified.setMessageAnnotations(java.util.Map.of(Symbol.valueOf("x-why"), "late"));
            echoed(0, Accepted.getInstance());
            echoed(1, Released.getInstance());
            echoed(2, new Rejected());
            echoed(3, modified);
            assertEquals(
                    List.of(
                            Outcome.ACCEPTED,
                            Outcome.RELEASED,
                            new Outcome.Rejected(Optional.empty()),
                            new Outcome.Modified(true, false, java.util.Map.of("x-why", "late"))),
                    queue.settled.stream().map(FakeQueue.Settled::outcome).toList());
            peer.expectNothing();
        }

        @Test
        void nothingIsSettledUnlessThePeerHasGivenAnOutcome() {
            peer.loop.advance(3_600_000 / 100);
            while (!peer.nothingCame()) {
                peer.expect(Flow.class);
            }
            assertEquals(List.of(), queue.settled);
        }
    }
}
