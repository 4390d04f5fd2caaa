package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedLong;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Modified;
import org.apache.qpid.proton.amqp.messaging.Received;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.messaging.Released;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The rules for dispositions and outcomes (AMQP 1.0, part 2, sections 2.6.12 and 2.7.6; part 3, sections 3.4 and 3.5.3). */
class DispositionRulesTest {
    private final Peer peer = new Peer();
    private FakeQueue queue;

    @BeforeEach
    void begin() {
        peer.begin();
        queue = peer.nodes.add("q");
    }

    private static Message message(String body) {
        try {
            return Message.parse(Peer.message(body), 0);
        } catch (MalformedMessageException e) {
            throw new AssertionError(e);
        }
    }

    private void fill(int count) {
        for (int i = 0; i < count; i++) {
            queue.messages.add(message("m" + i));
        }
    }

    private List<Outcome> outcomes() {
        return queue.settled.stream().map(FakeQueue.Settled::outcome).toList();
    }

    @Nested
    class OfReceivers {
        @BeforeEach
        void deliver() {
            fill(4);
            peer.attachReceiver(0, "q", 4);
            peer.skip();
        }

        @Test
        void withoutALastAreOfTheFirst() {
            Disposition disposition = Peer.disposition(1, 1, true, Accepted.getInstance());
            disposition.setLast(null);
            peer.send(disposition);
            assertEquals(1, queue.settled.size());
            assertArrayEquals(Peer.message("m1"), queue.settled.get(0).message().bytes());
        }

        @Test
        void settledIsFalseByDefault() {
            peer.send(RawPerformative.of(
                    RawPerformative.DISPOSITION, true, UnsignedInteger.ZERO, null, null, Released.getInstance()));
            Disposition echo = peer.expect(Disposition.class);
            assertEquals(Role.SENDER, echo.getRole());
            assertTrue(echo.getSettled());
            assertEquals(Released.getInstance(), echo.getState());
        }

        @Test
        void coverAllLinksOfTheSessionAndNoOther() {
            FakeQueue second = peer.nodes.add("second");
            second.messages.add(message("on the same session"));
            FakeQueue elsewhere = peer.nodes.add("elsewhere");
            elsewhere.messages.add(message("on another session"));
            Attach other = Peer.receiver(0, "elsewhere");
            other.setName("elsewhere");
            peer.send(
                    Peer.frame(0, Peer.receiver(1, "second")),
                    Peer.frame(0, Peer.credit(1, 0, 1)),
                    Peer.frame(1, Peer.newBegin()),
                    Peer.frame(1, other),
                    Peer.frame(1, Peer.credit(0, 0, 1)));
            assertTrue(second.messages.isEmpty());
            assertTrue(elsewhere.messages.isEmpty());
            peer.send(Peer.disposition(0, 4, true, Accepted.getInstance()));
            assertEquals(4, queue.settled.size());
            assertEquals(1, second.settled.size());
            assertTrue(elsewhere.settled.isEmpty());
        }

        @Test
        void ofDeliveriesThatWereNeverSentAreIgnored() {
            peer.send(
                    Peer.disposition(4, 900, true, Accepted.getInstance()),
                    Peer.disposition(-5, -1, true, Accepted.getInstance()));
            peer.expectNothing();
            assertTrue(queue.settled.isEmpty());
        }

        @Test
        void countOnce() {
            peer.send(
                    Peer.disposition(0, 0, true, Accepted.getInstance()),
                    Peer.disposition(0, 0, true, Released.getInstance()));
            assertEquals(List.of(Outcome.ACCEPTED), outcomes());
        }

        @Test
        void aRangeThatRunsBackwardsEndsTheSession() {
            peer.send(Peer.disposition(3, 2, true, Accepted.getInstance()));
            peer.expectEnd(Condition.INVALID_FIELD);
            assertTrue(queue.settled.isEmpty());
        }

        @Test
        void withoutAStateAndUnsettledSayNothing() {
            peer.send(Peer.disposition(0, 3, false, null));
            peer.expectNothing();
            assertTrue(queue.settled.isEmpty());
        }

        @Test
        void receivedIsNoOutcomeAndChangesNothing() {
            Received received = new Received();
            received.setSectionNumber(UnsignedInteger.ZERO);
            received.setSectionOffset(UnsignedLong.ZERO);
            peer.send(Peer.disposition(0, 0, false, received));
            peer.expectNothing();
            assertTrue(queue.settled.isEmpty());
            peer.send(Peer.disposition(0, 0, true, Accepted.getInstance()));
            assertEquals(List.of(Outcome.ACCEPTED), outcomes());
        }

        @Test
        void batchableIsOnlyAHint() {
            Disposition disposition = Peer.disposition(0, 0, true, Accepted.getInstance());
            disposition.setBatchable(true);
            peer.send(disposition);
            assertEquals(List.of(Outcome.ACCEPTED), outcomes());
        }

        @Test
        void ofADetachedLinkAreIgnored() {
            peer.send(Peer.detach(0), Peer.disposition(0, 3, true, Accepted.getInstance()));
            peer.expect(Detach.class);
            peer.expectNothing();
            assertTrue(queue.settled.isEmpty());
        }

        @Test
        void anOutcomeWithoutFieldsHasTheirDefaults() {
            peer.send(
                    Peer.disposition(0, 0, true, new Modified()),
                    Peer.disposition(1, 1, true, new Rejected()),
                    Peer.disposition(2, 2, true, Released.getInstance()));
            assertEquals(
                    new Outcome.Modified(false, false, Map.of()), outcomes().get(0));
            assertEquals(new Outcome.Rejected(Optional.empty()), outcomes().get(1));
            assertEquals(Outcome.RELEASED, outcomes().get(2));
        }

        @Test
        void settledWithoutAnOutcomeIsTheDefaultOutcomeOrReleased() {
            peer.send(Peer.disposition(0, 0, true, null));
            assertEquals(List.of(Outcome.RELEASED), outcomes());
            Attach attach = Peer.receiver(1, "q");
            ((Source) attach.getSource()).setDefaultOutcome(Accepted.getInstance());
            fill(1);
            peer.send(attach, Peer.credit(1, 0, 1));
            assertEquals(
                    Accepted.getInstance(), ((Source) peer.expect(Attach.class).getSource()).getDefaultOutcome());
            int id = ((Transfer) peer.expectTransfer().body()).getDeliveryId().intValue();
            peer.send(Peer.disposition(id, id, true, null));
            assertEquals(List.of(Outcome.RELEASED, Outcome.ACCEPTED), outcomes());
        }
    }

    @Nested
    class OfSenders {
        private Disposition ofSender(int first, int last, boolean settled) {
            Disposition disposition = Peer.disposition(first, last, settled, null);
            disposition.setRole(Role.SENDER);
            return disposition;
        }

        @Test
        void doNotTouchDeliveriesOfTheOtherDirection() {
            fill(1);
            peer.attachReceiver(0, "q", 1);
            peer.skip();
            peer.send(ofSender(0, 10, true));
            assertTrue(queue.settled.isEmpty());
            peer.send(Peer.disposition(0, 0, true, Accepted.getInstance()));
            assertEquals(List.of(Outcome.ACCEPTED), outcomes());
        }

        @Test
        void ofDeliveriesThatWeHaveSettledAreIgnored() {
            peer.attachSender(0, "q");
            peer.transfer(0, 0, Peer.message("x"));
            peer.expectAccepted(0, 0);
            peer.send(ofSender(0, 0, true));
            peer.expectNothing();
            assertFalse(peer.socketClosed);
        }

        @Test
        void ofOursNameTheirDeliveryAndAreSettledInModeFirst() {
            peer.attachSender(0, "q");
            peer.transfer(0, 7, Peer.message("x"), Peer.message("y"));
            peer.expectAccepted(7, 8);
        }

        @Test
        void weNeverJoinWhatIsNotConsecutive() {
            queue.holdReceipts = true;
            peer.attachSender(0, "q");
            peer.transfer(0, 0, Peer.message("a"), Peer.message("b"), Peer.message("c"));
            queue.held.remove(1).run();
            queue.releaseHeld();
            peer.loop.runAll();
            peer.expectAccepted(1, 1);
            peer.expectAccepted(0, 0);
            peer.expectAccepted(2, 2);
        }
    }
}
