package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Condition;
import io.millrace.message.Outcome;
import io.millrace.queue.Messages;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.DescribedType;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.AmqpValue;
import org.apache.qpid.proton.amqp.messaging.Header;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.messaging.Released;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.transaction.Coordinator;
import org.apache.qpid.proton.amqp.transaction.Declare;
import org.apache.qpid.proton.amqp.transaction.Declared;
import org.apache.qpid.proton.amqp.transaction.Discharge;
import org.apache.qpid.proton.amqp.transaction.TransactionalState;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Open;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** The coordinator, and messages and outcomes in transactions, as bytes in and bytes out. */
class TransactionRulesTest {
    private static final int CONTROL = 7;
    private static final Binary UNKNOWN = new Binary(new byte[] {1, 2, 3});

    private final Peer peer = new Peer();
    private FakeQueue queue;
    private int nextDelivery;

    @BeforeEach
    void begin() {
        peer.begin();
        queue = peer.nodes.add("orders");
    }

    private static Attach coordinator(int handle) {
        Attach attach = Peer.sender(handle, null);
        attach.setTarget(new Coordinator());
        return attach;
    }

    private void attachCoordinator() {
        peer.send(coordinator(CONTROL));
        peer.expect(Attach.class);
        assertTrue(peer.expect(Flow.class).getLinkCredit().intValue() >= 2);
    }

    private static Discharge discharge(Binary id, boolean fail) {
        Discharge discharge = new Discharge();
        discharge.setTxnId(id);
        discharge.setFail(fail);
        return discharge;
    }

    private byte[] control(Object... sections) {
        return Peer.frame(0, Peer.transfer(CONTROL, nextDelivery++), Peer.sections(sections));
    }

    private byte[] request(Object request) {
        return control(new AmqpValue(request));
    }

    private <T> T answer(int delivery, Class<T> type) {
        Disposition disposition = peer.expect(Disposition.class);
        assertEquals(Role.RECEIVER, disposition.getRole());
        assertEquals(delivery, disposition.getFirst().intValue());
        assertTrue(disposition.getSettled());
        return assertInstanceOf(type, disposition.getState());
    }

    private void expectRejected(int delivery, String condition) {
        assertEquals(
                Symbol.valueOf(condition),
                answer(delivery, Rejected.class).getError().getCondition());
    }

    private Binary declare() {
        int delivery = nextDelivery;
        peer.send(request(new Declare()));
        return answer(delivery, Declared.class).getTxnId();
    }

    private FakeTransaction transaction() {
        return peer.nodes.transactions.get(peer.nodes.transactions.size() - 1);
    }

    private static TransactionalState state(Binary id, org.apache.qpid.proton.amqp.messaging.Outcome outcome) {
        TransactionalState state = new TransactionalState();
        state.setTxnId(id);
        state.setOutcome(outcome);
        return state;
    }

    private Transfer transfer(int handle, Binary id) {
        Transfer transfer = Peer.transfer(handle, nextDelivery++);
        transfer.setState(state(id, null));
        return transfer;
    }

    @Nested
    class Coordinating {
        @Test
        void theCoordinatorAnswersWithWhatItCan() {
            peer.send(coordinator(CONTROL));
            Attach answer = peer.expect(Attach.class);
            Coordinator target = assertInstanceOf(Coordinator.class, answer.getTarget());
            assertEquals(
                    Set.of(
                            Symbol.valueOf("amqp:local-transactions"),
                            Symbol.valueOf("amqp:multi-txns-per-ssn"),
                            Symbol.valueOf("amqp:multi-ssns-per-txn")),
                    Set.of(target.getCapabilities()));
            assertTrue(answer.getSource() instanceof Source);
            assertTrue(peer.expect(Flow.class).getLinkCredit().intValue() >= 2);
        }

        @Test
        void declaringAndDischargingTurnInTheirCredit() {
            attachCoordinator();
            for (int i = 0; i < 20; i++) {
                peer.send(request(discharge(declare(), false)));
                while (!(peer.next().body() instanceof Disposition)) {
                    // a flow with more credit came first
                }
                assertTrue(transaction().log.contains("committed"));
                peer.skip();
            }
        }

        @Test
        void transactionsOfAConnectionHaveIdsOfTheirOwn() {
            attachCoordinator();
            assertFalse(declare().equals(declare()));
        }

        @Test
        void aDeclareDoesNotWaitForTheDischargeBeforeIt() {
            attachCoordinator();
            Binary first = declare();
            transaction().hold = true;
            peer.send(request(discharge(first, false)), request(new Declare()));
            assertFalse(answer(2, Declared.class).getTxnId().equals(first));
            peer.expectNothing();

            peer.nodes.transactions.get(0).held.forEach(Runnable::run);
            peer.loop.runAll();
            answer(1, Accepted.class);
        }

        @Test
        void aDischargeDoesNotWaitForTheOneBeforeIt() {
            attachCoordinator();
            Binary first = declare();
            transaction().hold = true;
            peer.send(request(discharge(first, false)), request(new Declare()));
            Binary second = answer(2, Declared.class).getTxnId();
            peer.send(request(discharge(second, false)));
            answer(3, Accepted.class);

            peer.nodes.transactions.get(0).held.forEach(Runnable::run);
            peer.loop.runAll();
            answer(1, Accepted.class);
        }

        @Test
        void symbolicDescriptorsAndOtherSectionsAreFine() {
            attachCoordinator();
            peer.send(control(new Header(), new AmqpValue(new Described("amqp:declare:list", List.of()))));
            Binary id = answer(0, Declared.class).getTxnId();
            peer.send(request(new Described("amqp:discharge:list", Arrays.asList(id, true))));
            answer(1, Accepted.class);

            assertEquals(List.of("rolled back"), transaction().log);
        }

        private record Described(String name, Object fields) implements DescribedType {
            @Override
            public Object getDescriptor() {
                return Symbol.valueOf(name);
            }

            @Override
            public Object getDescribed() {
                return fields;
            }
        }

        @Test
        void aDischargeThatFailsIsRejectedWithTheReason() {
            attachCoordinator();
            Binary id = declare();
            transaction().refusal = Optional.of(new Condition(Condition.TRANSACTION_ROLLBACK, "no room"));
            peer.send(request(discharge(id, false)));

            Rejected rejected = answer(1, Rejected.class);
            assertEquals(
                    Symbol.valueOf(Condition.TRANSACTION_ROLLBACK),
                    rejected.getError().getCondition());
            assertEquals("no room", rejected.getError().getDescription());
        }

        @Test
        void qpidJmsIsToldTheCauseForItTakesRollbackForInDoubt() {
            Peer qpid = new Peer();
            Open open = Peer.open();
            open.setProperties(Map.of(Symbol.valueOf("product"), "QpidJMS"));
            qpid.send(Handshake.AMQP_HEADER, Peer.frame(0, open), Peer.frame(0, Peer.newBegin()));
            qpid.send(coordinator(CONTROL));
            qpid.send(request(new Declare()));
            qpid.skip();
            qpid.nodes.transactions.get(0).refusal = Optional.of(new Condition(
                    Condition.TRANSACTION_ROLLBACK, "full", Map.of("cause", Condition.RESOURCE_LIMIT_EXCEEDED)));
            qpid.send(request(discharge(Transactions.wireId(1), false)));

            Rejected rejected = assertInstanceOf(
                    Rejected.class, qpid.expect(Disposition.class).getState());
            assertEquals(
                    Symbol.valueOf(Condition.RESOURCE_LIMIT_EXCEEDED),
                    rejected.getError().getCondition());
            assertEquals("full", rejected.getError().getDescription());
        }

        @Test
        void aDischargeThatFailsEndsTheLinkOfASenderThatKnowsNoRejected() {
            Attach asked = coordinator(CONTROL);
            ((Source) asked.getSource()).setOutcomes(Accepted.DESCRIPTOR_SYMBOL, Symbol.valueOf("amqp:modified:list"));
            peer.send(asked);
            peer.expect(Attach.class);
            peer.expect(Flow.class);
            peer.send(request(discharge(UNKNOWN, false)));

            peer.expectDetach(Condition.TRANSACTION_UNKNOWN_ID);
        }

        @Test
        void aDischargeMayBeARollback() {
            attachCoordinator();
            Binary id = declare();
            peer.send(request(discharge(id, true)));

            answer(1, Accepted.class);
            assertEquals(List.of("rolled back"), transaction().log);
        }

        @Test
        void aSettledDeclareIsRefused() {
            attachCoordinator();
            Transfer transfer = Peer.transfer(CONTROL, nextDelivery++);
            transfer.setSettled(true);
            peer.send(Peer.frame(0, transfer, Peer.sections(new AmqpValue(new Declare()))));

            peer.expectDetach(Condition.NOT_ALLOWED);
            assertTrue(peer.nodes.transactions.isEmpty());
        }

        @Test
        void anUnknownIdCannotBeDischarged() {
            attachCoordinator();
            peer.send(request(discharge(UNKNOWN, false)), request(discharge(UNKNOWN, true)));

            expectRejected(0, Condition.TRANSACTION_UNKNOWN_ID);
            expectRejected(1, Condition.TRANSACTION_UNKNOWN_ID);
        }

        @Test
        void aTransactionIsDischargedOnce() {
            attachCoordinator();
            Binary id = declare();
            peer.send(request(discharge(id, false)), request(discharge(id, false)));

            answer(1, Accepted.class);
            expectRejected(2, Condition.TRANSACTION_UNKNOWN_ID);
        }

        @Test
        void distributedTransactionsAreNotImplemented() {
            attachCoordinator();
            peer.send(request(new Described("amqp:declare:list", List.of(new Described("shop:xid", List.of())))));

            expectRejected(0, Condition.NOT_IMPLEMENTED);
            assertTrue(peer.nodes.transactions.isEmpty());
        }

        @Test
        void whatIsNeitherDeclareNorDischargeIsRejected() {
            attachCoordinator();
            peer.send(request("begin"), control(new Header()), request(new Described("amqp:declare:list", Map.of())));

            expectRejected(0, Condition.NOT_IMPLEMENTED);
            expectRejected(1, Condition.NOT_IMPLEMENTED);
            expectRejected(2, Condition.DECODE_ERROR);
        }

        @Test
        void aRequestThatIsFarTooLargeIsRejected() {
            attachCoordinator();
            byte[] large = Peer.sections(new AmqpValue("x".repeat(5000)));
            Transfer first = Peer.transfer(CONTROL, 0);
            first.setMore(true);
            Transfer last = new Transfer();
            last.setHandle(first.getHandle());
            peer.send(
                    Peer.frame(0, first, Arrays.copyOf(large, 3000)),
                    Peer.frame(0, last, Arrays.copyOfRange(large, 3000, large.length)));

            expectRejected(0, Condition.DECODE_ERROR);
        }

        @Test
        void aDischargeWithoutAnIdIsRejected() {
            attachCoordinator();
            peer.send(request(new Described("amqp:discharge:list", List.of())));

            expectRejected(0, Condition.DECODE_ERROR);
        }

        @Test
        void aMessageToTheCoordinatorCannotBePartOfATransaction() {
            attachCoordinator();
            Transfer transfer = transfer(CONTROL, declare());
            peer.send(Peer.frame(0, transfer, Peer.sections(new AmqpValue(new Declare()))));

            TransactionalState state = answer(1, TransactionalState.class);
            assertInstanceOf(Rejected.class, state.getOutcome());
        }

        @Test
        void openTransactionsHaveALimit() {
            attachCoordinator();
            for (int i = 0; i < 1000; i++) {
                peer.send(request(new Declare()));
                peer.skip();
            }
            int delivery = nextDelivery;
            peer.send(request(new Declare()));

            expectRejected(delivery, Condition.RESOURCE_LIMIT_EXCEEDED);
        }
    }

    @Nested
    class Ending {
        private Binary used() {
            attachCoordinator();
            peer.attachSender(0, "orders");
            Binary id = declare();
            peer.send(Peer.frame(0, transfer(0, id), Peer.message("x")));
            answer(1, TransactionalState.class);
            return id;
        }

        @Test
        void theDetachOfTheCoordinatorRollsBack() {
            used();
            peer.send(Peer.detach(CONTROL));

            assertEquals(List.of("sent", "rolled back"), transaction().log);
            assertEquals(0, peer.loop.timers() - timersOfConnection());
        }

        /** Its idle time-out. */
        private int timersOfConnection() {
            Peer other = new Peer().begin();
            return other.loop.timers();
        }

        @Test
        void theDetachOfOneCoordinatorLeavesTheTransactionsOfAnother() {
            used();
            peer.send(coordinator(6));
            peer.skip();
            peer.send(Peer.detach(6));

            assertEquals(List.of("sent"), transaction().log);
        }

        @Test
        void theEndOfTheSessionRollsBack() {
            used();
            peer.send(new End());

            assertEquals(List.of("sent", "rolled back"), transaction().log);
        }

        @Test
        void theLossOfTheConnectionRollsBack() {
            used();
            peer.connection.lost();

            assertEquals(List.of("sent", "rolled back"), transaction().log);
        }

        @Test
        void aLongTimeWithoutAnythingRollsBack() {
            Binary id = used();
            peer.loop.advance(Peer.TRANSACTION_TIMEOUT.toMillis() - 1);
            assertEquals(List.of("sent"), transaction().log);
            peer.send(Peer.frame(0, transfer(0, id), Peer.message("y")));
            peer.loop.advance(Peer.TRANSACTION_TIMEOUT.toMillis() - 1);
            assertEquals(List.of("sent", "sent"), transaction().log);
            peer.loop.advance(1);
            assertEquals(List.of("sent", "sent", "rolled back"), transaction().log);
            peer.skip();

            peer.send(
                    Peer.frame(0, transfer(0, id), Peer.message("z")),
                    request(discharge(id, false)),
                    request(discharge(id, true)));
            expectRejected(3, Condition.TRANSACTION_TIMEOUT);
            expectRejected(4, Condition.TRANSACTION_TIMEOUT);
            answer(5, Accepted.class);
        }

        @Test
        void aTransactionThatHoldsNothingMayWaitForEver() {
            used();
            declare();
            peer.loop.advance(Peer.TRANSACTION_TIMEOUT.toMillis() * 2);

            assertEquals(List.of(), transaction().log);
        }
    }

    @Nested
    class Sending {
        @Test
        void inATransactionIsAnsweredWithItsState() {
            attachCoordinator();
            peer.attachSender(0, "orders");
            Binary id = declare();
            peer.send(
                    Peer.frame(0, transfer(0, id), Peer.message("a")),
                    Peer.frame(0, transfer(0, id), Peer.message("b")));

            Disposition disposition = peer.expect(Disposition.class);
            assertEquals(1, disposition.getFirst().intValue());
            assertEquals(2, disposition.getLast().intValue());
            assertTrue(disposition.getSettled());
            TransactionalState state = assertInstanceOf(TransactionalState.class, disposition.getState());
            assertEquals(id, state.getTxnId());
            assertEquals(Accepted.getInstance(), state.getOutcome());
            assertEquals(List.of("sent", "sent"), transaction().log);
        }

        @Test
        void ofWhichOnlyALaterFrameNamesTheTransactionIsInItToo() {
            attachCoordinator();
            peer.attachSender(0, "orders");
            Binary id = declare();
            Transfer first = Peer.transfer(0, nextDelivery++);
            first.setMore(true);
            Transfer last = new Transfer();
            last.setHandle(first.getHandle());
            last.setState(state(id, null));
            byte[] message = Peer.message("a");
            peer.send(
                    Peer.frame(0, first, Arrays.copyOf(message, 3)),
                    Peer.frame(0, last, Arrays.copyOfRange(message, 3, message.length)));

            assertEquals(id, answer(1, TransactionalState.class).getTxnId());
            assertEquals(List.of("sent"), transaction().log);
        }

        @Test
        void whatIsRefusedIsToldInTheTransaction() {
            attachCoordinator();
            peer.attachSender(0, "orders");
            Binary id = declare();
            queue.refusal = Optional.of(new Condition(Condition.RESOURCE_LIMIT_EXCEEDED, "full"));
            peer.send(Peer.frame(0, transfer(0, id), Peer.message("a")));

            TransactionalState state = answer(1, TransactionalState.class);
            assertEquals(id, state.getTxnId());
            Rejected rejected = assertInstanceOf(Rejected.class, state.getOutcome());
            assertEquals("full", rejected.getError().getDescription());
        }

        @Test
        void settledIsNotAnsweredAndItsRefusalIsToldAtTheCommit() {
            attachCoordinator();
            peer.attachSender(0, "orders");
            Binary id = declare();
            queue.refusal = Optional.of(new Condition(Condition.RESOURCE_LIMIT_EXCEEDED, "full"));
            Transfer settled = transfer(0, id);
            settled.setSettled(true);
            peer.send(Peer.frame(0, settled, Peer.message("a")));

            peer.expectNothing();
            assertEquals(List.of("sent"), transaction().log);
        }

        @Test
        void whatIsNoMessageDoomsTheTransaction() {
            attachCoordinator();
            peer.attachSender(0, "orders");
            peer.send(Peer.frame(0, transfer(0, declare()), new byte[] {1, 2, 3}));

            assertInstanceOf(Rejected.class, answer(1, TransactionalState.class).getOutcome());
            assertEquals(List.of("doomed: " + Condition.DECODE_ERROR), transaction().log);
        }

        @Test
        void inAnUnknownTransactionIsRejected() {
            attachCoordinator();
            peer.attachSender(0, "orders");
            peer.send(Peer.frame(0, transfer(0, UNKNOWN), Peer.message("a")));

            expectRejected(0, Condition.TRANSACTION_UNKNOWN_ID);
            assertTrue(queue.messages.isEmpty());
        }

        @Test
        void settledInAnUnknownTransactionEndsTheLink() {
            peer.attachSender(0, "orders");
            Transfer settled = transfer(0, UNKNOWN);
            settled.setSettled(true);
            peer.send(Peer.frame(0, settled, Peer.message("a")));

            peer.expectDetach(Condition.TRANSACTION_UNKNOWN_ID);
            assertTrue(queue.messages.isEmpty());
        }

        @Test
        void inATransactionOfAnotherSessionIsFine() {
            attachCoordinator();
            Binary id = declare();
            peer.send(Peer.frame(1, Peer.newBegin()), Peer.frame(1, Peer.sender(0, "orders")));
            peer.skip();
            Transfer transfer = Peer.transfer(0, 0);
            transfer.setState(state(id, null));
            peer.send(Peer.frame(1, transfer, Peer.message("a")));

            Peer.Frame frame = peer.next();
            assertEquals(1, frame.channel());
            assertInstanceOf(TransactionalState.class, ((Disposition) frame.body()).getState());
        }
    }

    @Nested
    class Settling {
        private final int receiver = 3;

        private Binary receive(String... bodies) {
            attachCoordinator();
            for (String body : bodies) {
                queue.messages.add(Messages.parse(Peer.message(body)));
            }
            peer.attachReceiver(receiver, "orders", bodies.length);
            for (int i = 0; i < bodies.length; i++) {
                peer.expectTransfer();
            }
            return declare();
        }

        @Test
        void aRangeInATransactionSettlesAllInIt() {
            Binary id = receive("a", "b", "c");
            peer.send(Peer.disposition(0, 1, true, state(id, Accepted.getInstance())));

            peer.expectNothing();
            assertEquals(List.of("settled", "settled"), transaction().log);
            assertEquals(
                    List.of(Outcome.ACCEPTED, Outcome.ACCEPTED),
                    queue.settled.stream().map(FakeQueue.Settled::outcome).toList());
        }

        @Test
        void withoutSettlementIsAnsweredWithTheSameStateSettled() {
            Binary id = receive("a");
            peer.send(Peer.disposition(0, 0, false, state(id, Released.getInstance())));

            Disposition echo = peer.expect(Disposition.class);
            assertEquals(Role.SENDER, echo.getRole());
            assertTrue(echo.getSettled());
            TransactionalState state = assertInstanceOf(TransactionalState.class, echo.getState());
            assertEquals(id, state.getTxnId());
            assertSame(Released.getInstance(), state.getOutcome());
            peer.send(Peer.disposition(0, 0, true, Released.getInstance()));
            assertEquals(1, queue.settled.size());
        }

        @Test
        void withoutAnOutcomeTakesTheDefaultOutcomeOfTheSource() {
            Binary id = receive("a");
            peer.send(Peer.disposition(0, 0, true, state(id, null)));

            assertEquals(List.of("settled"), transaction().log);
            assertEquals(Outcome.RELEASED, queue.settled.get(0).outcome());
        }

        @Test
        void inAnUnknownTransactionEndsTheLink() {
            receive("a", "b");
            peer.send(Peer.disposition(0, 1, true, state(UNKNOWN, Accepted.getInstance())));

            peer.expectDetach(Condition.TRANSACTION_UNKNOWN_ID);
            peer.expectNothing();
            assertTrue(queue.settled.isEmpty());
            assertEquals(List.of("attached", "detached"), queue.log);
        }

        @Test
        void unsettledInAnUnknownTransactionEndsTheLinkToo() {
            receive("a");
            peer.send(Peer.disposition(0, 0, false, state(UNKNOWN, Accepted.getInstance())));

            peer.expectDetach(Condition.TRANSACTION_UNKNOWN_ID);
            assertEquals(List.of("attached", "detached"), queue.log);
        }

        @Test
        void receivingWithinATransactionIsNotImplemented() {
            Binary id = receive("a");
            Flow flow = Peer.credit(receiver, 1, 1);
            flow.setProperties(Map.of(Symbol.valueOf("txn-id"), id));
            peer.send(flow);

            peer.expectDetach(Condition.NOT_IMPLEMENTED);
        }
    }
}
