package io.millrace.conformance.swiftmq;

import com.swiftmq.amqp.v100.client.Connection;
import com.swiftmq.amqp.v100.client.Consumer;
import com.swiftmq.amqp.v100.client.Producer;
import com.swiftmq.amqp.v100.client.QoS;
import com.swiftmq.amqp.v100.client.Session;
import com.swiftmq.amqp.v100.client.TransactionController;
import com.swiftmq.amqp.v100.generated.transactions.coordination.TxnIdIF;
import com.swiftmq.amqp.v100.messaging.AMQPMessage;
import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import java.util.List;

/** Transactions. */
final class Transacting extends Clients {
    Transacting(Broker broker) {
        super(broker);
    }

    void run(Tap tap) {
        tap.test("the coordinator says that it has local transactions, several at a time", this::capabilities);
        tap.test("what a transaction sends is there when it is committed, and not before", () -> sends(true));
        tap.test("what a transaction sends is gone when it is rolled back", () -> sends(false));
        tap.test("what a transaction accepts is gone when it is committed", () -> accepts(true));
        tap.test("what a transaction accepts comes back when it is rolled back", () -> accepts(false));
        tap.test("two transactions of one session do not meet", this::two);
        tap.test("fifty transactions one after another", this::many);
        tap.test("a transaction whose connection is cut is rolled back", this::cut);
    }

    private void capabilities() throws Exception {
        Connection connection = connect();
        TransactionController controller = session(connection).getTransactionController();
        controller.rollback(controller.createTxnId());
        Expect.that(controller.isSupportLocalTransactions(), "local transactions");
        Expect.that(controller.isSupportMultiTxnsPerSsn(), "several transactions of a session");
        close(connection);
    }

    private static void sendIn(TxnIdIF transaction, Producer producer, String text) throws Exception {
        AMQPMessage message = text(text);
        message.setTxnIdIF(transaction);
        producer.send(message);
    }

    private static void end(TransactionController controller, TxnIdIF transaction, boolean commits) throws Exception {
        if (commits) {
            controller.commit(transaction);
        } else {
            controller.rollback(transaction);
        }
    }

    private static Consumer consumer(Session session, String address) throws Exception {
        return session.createConsumer(address, CREDIT, QoS.AT_LEAST_ONCE, false, null);
    }

    private void sends(boolean commits) throws Exception {
        String address = broker.address("swiftmq.txn.send." + commits);
        Connection connection = connect();
        Session session = session(connection);
        Consumer consumer = consumer(session(connection), address);
        TransactionController controller = session.getTransactionController();
        Producer producer = session.createProducer(address, QoS.AT_LEAST_ONCE);
        TxnIdIF transaction = controller.createTxnId();
        for (String text : numbers(0, 5)) {
            sendIn(transaction, producer, text);
        }
        expectNothing(consumer, "before the end of the transaction");
        end(controller, transaction, commits);
        if (commits) {
            Expect.equal(numbers(0, 5), accept(consumer, 5), "after the commit");
        }
        expectNothing(consumer, "afterwards");
        close(connection);
    }

    private void accepts(boolean commits) throws Exception {
        String address = broker.address("swiftmq.txn.accept." + commits);
        Connection connection = connect();
        Session session = session(connection);
        send(session, address, "a", "b");
        TransactionController controller = session.getTransactionController();
        TxnIdIF transaction = controller.createTxnId();
        Consumer consumer = consumer(session, address);
        for (int i = 0; i < 2; i++) {
            AMQPMessage message = next(consumer);
            message.setTxnIdIF(transaction);
            message.accept();
        }
        end(controller, transaction, commits);
        if (!commits) {
            Expect.equal(List.of("a", "b"), accept(consumer, 2), "after the rollback");
        }
        expectNothing(consumer, "afterwards");
        close(connection);
        expectEmpty(address);
    }

    private void two() throws Exception {
        String address = broker.address("swiftmq.txn.two");
        Connection connection = connect();
        Session session = session(connection);
        TransactionController controller = session.getTransactionController();
        Producer producer = session.createProducer(address, QoS.AT_LEAST_ONCE);
        TxnIdIF first = controller.createTxnId();
        TxnIdIF second = controller.createTxnId();
        sendIn(first, producer, "of the first");
        sendIn(second, producer, "of the second");
        controller.rollback(first);
        controller.commit(second);
        Consumer consumer = consumer(session, address);
        Expect.equal(List.of("of the second"), accept(consumer, 1), "committed");
        expectNothing(consumer, "rolled back");
        close(connection);
    }

    private void many() throws Exception {
        String address = broker.address("swiftmq.txn.many");
        Connection connection = connect();
        Session session = session(connection);
        TransactionController controller = session.getTransactionController();
        Producer producer = session.createProducer(address, QoS.AT_LEAST_ONCE);
        for (String text : numbers(0, 50)) {
            TxnIdIF transaction = controller.createTxnId();
            sendIn(transaction, producer, text);
            controller.commit(transaction);
        }
        Expect.equal(numbers(0, 50), accept(consumer(session, address), 50), "messages");
        close(connection);
    }

    private void cut() throws Exception {
        String address = broker.address("swiftmq.txn.cut");
        Connection connection = connect();
        Session session = session(connection);
        TransactionController controller = session.getTransactionController();
        sendIn(controller.createTxnId(), session.createProducer(address, QoS.AT_LEAST_ONCE), "never sent");
        connection.cancel();
        expectEmpty(address);
    }
}
