package io.millrace.conformance.protonj2;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.qpid.protonj2.client.Connection;
import org.apache.qpid.protonj2.client.Delivery;
import org.apache.qpid.protonj2.client.Receiver;
import org.apache.qpid.protonj2.client.ReceiverOptions;
import org.apache.qpid.protonj2.client.Sender;
import org.apache.qpid.protonj2.client.Session;
import org.apache.qpid.protonj2.client.exceptions.ClientTransactionRolledBackException;

/** Transactions. */
final class Transacting extends Clients {
    Transacting(Broker broker) {
        super(broker);
    }

    void run(Tap tap) {
        tap.test("what a transaction sends is there when it is committed, and not before", this::commit);
        tap.test("what a transaction sends is gone when it is rolled back", this::rollback);
        tap.test("what a transaction received comes back when it is rolled back, counted", this::rollbackReceived);
        tap.test("messages move from one queue to another, all or none", this::move);
        tap.test("a hundred transactions one after another", this::many);
        tap.test("a transaction whose connection is closed is rolled back", this::closed);
        tap.test("a transaction with a message for a full queue does not commit", this::full);
    }

    private void commit() throws Exception {
        String address = broker.address("protonj2.txn.commit");
        try (Connection connection = connect();
                Receiver receiver = connection.openReceiver(address);
                Session session = connection.openSession();
                Sender sender = session.openSender(address)) {
            session.beginTransaction();
            for (int i = 0; i < 5; i++) {
                sender.send(text("message " + i)).awaitSettlement(LIMIT_SECONDS, TimeUnit.SECONDS);
            }
            expectNothing(receiver, "before the commit");
            session.commitTransaction();
            Expect.equal(List.of("message 0", "message 1", "message 2", "message 3", "message 4"), bodies(receiver, 5), "after it");
        }
    }

    private void rollback() throws Exception {
        String address = broker.address("protonj2.txn.rollback");
        try (Connection connection = connect();
                Session session = connection.openSession();
                Sender sender = session.openSender(address)) {
            session.beginTransaction();
            sender.send(text("never sent"));
            session.rollbackTransaction();
            session.beginTransaction();
            sender.send(text("sent"));
            session.commitTransaction();
            try (Receiver receiver = connection.openReceiver(address)) {
                Expect.equal("sent", body(next(receiver)), "body");
                expectNothing(receiver, "what was rolled back");
            }
        }
    }

    private void rollbackReceived() throws Exception {
        String address = broker.address("protonj2.txn.received");
        try (Connection connection = connect()) {
            send(connection, address, "a", "b");
            Session session = connection.openSession();
            Receiver receiver = session.openReceiver(address, new ReceiverOptions().creditWindow(0).autoAccept(false));
            receiver.addCredit(2);
            session.beginTransaction();
            next(receiver).accept();
            next(receiver).accept();
            session.rollbackTransaction();
            receiver.addCredit(2);
            session.beginTransaction();
            for (String body : List.of("a", "b")) {
                Delivery again = next(receiver);
                Expect.equal(body, body(again), "body");
                Expect.equal(1L, again.message().deliveryCount(), "delivery-count");
                again.accept();
            }
            session.commitTransaction();
            session.close();
        }
        expectEmpty(address);
    }

    private void move() throws Exception {
        String from = broker.address("protonj2.txn.from");
        String to = broker.address("protonj2.txn.to");
        try (Connection connection = connect()) {
            send(connection, from, "a", "b", "c", "d");
            Session session = connection.openSession();
            Receiver receiver = session.openReceiver(from, new ReceiverOptions().creditWindow(0).autoAccept(false));
            Sender sender = session.openSender(to);
            for (boolean commits : new boolean[] {true, false}) {
                session.beginTransaction();
                receiver.addCredit(2);
                for (int i = 0; i < 2; i++) {
                    Delivery delivery = next(receiver);
                    sender.send(text("moved " + body(delivery)));
                    delivery.accept();
                }
                if (commits) {
                    session.commitTransaction();
                } else {
                    session.rollbackTransaction();
                }
            }
            session.close();
            try (Receiver moved = connection.openReceiver(to);
                    Receiver rest = connection.openReceiver(from)) {
                Expect.equal(List.of("moved a", "moved b"), bodies(moved, 2), "moved");
                expectNothing(moved, "what was rolled back");
                Expect.equal(List.of("c", "d"), bodies(rest, 2), "not moved");
            }
        }
        expectEmpty(from);
    }

    private void many() throws Exception {
        String address = broker.address("protonj2.txn.many");
        try (Connection connection = connect();
                Session session = connection.openSession();
                Sender sender = session.openSender(address)) {
            for (int i = 0; i < 100; i++) {
                session.beginTransaction();
                sender.send(text("message " + i));
                if (i % 10 == 9) {
                    session.rollbackTransaction();
                } else {
                    session.commitTransaction();
                }
            }
            try (Receiver receiver = connection.openReceiver(address)) {
                for (int i = 0; i < 100; i++) {
                    if (i % 10 != 9) {
                        Expect.equal("message " + i, body(next(receiver)), "body");
                    }
                }
                expectNothing(receiver, "what was rolled back");
            }
        }
    }

    private void closed() throws Exception {
        String address = broker.address("protonj2.txn.closed");
        try (Connection connection = connect();
                Session session = connection.openSession();
                Sender sender = session.openSender(address)) {
            session.beginTransaction();
            sender.send(text("never sent")).awaitSettlement(LIMIT_SECONDS, TimeUnit.SECONDS);
        }
        expectEmpty(address);
    }

    private void full() throws Exception {
        broker.needsRestart(); // a sign that the driver started this broker, with the queue that client.toml asks for
        try (Connection connection = connect();
                Session session = connection.openSession();
                Sender sender = session.openSender("protonj2.full")) {
            session.beginTransaction();
            for (int i = 0; i < 11; i++) {
                sender.send(text("message " + i));
            }
            Expect.failure(ClientTransactionRolledBackException.class, "the commit", session::commitTransaction);
            try (Receiver receiver = connection.openReceiver("protonj2.full")) {
                expectNothing(receiver, "what was rolled back");
            }
        }
    }
}
