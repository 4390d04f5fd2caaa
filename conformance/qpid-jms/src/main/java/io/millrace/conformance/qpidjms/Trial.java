package io.millrace.conformance.qpidjms;

import io.millrace.conformance.tap.Broker;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.apache.qpid.jms.JmsConnectionFactory;

/** What one test has: the broker, an address that is its own, and connections and threads that end with it. */
final class Trial implements AutoCloseable {
    private final Broker broker;
    private final String project;
    private final String address;
    private final List<Connection> connections = new ArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "beside the test");
        thread.setDaemon(true);
        return thread;
    });

    Trial(Broker broker, String project, String address) {
        this.broker = broker;
        this.project = project;
        this.address = address;
    }

    Broker broker() {
        return broker;
    }

    /** An address that no other test has. */
    String address() {
        return address;
    }

    String address(String name) {
        return address + "." + name;
    }

    /** The address of a queue that the broker has from the start, with settings of its own (see client.toml). */
    String configured(String name) {
        broker.needsRestart();
        return project + "." + name;
    }

    JmsConnectionFactory factory(String... options) {
        return new JmsConnectionFactory(url(broker.url(), options));
    }

    static String url(String base, String... options) {
        return options.length == 0 ? base : base + "?" + String.join("&", options);
    }

    /** A started connection of nobody in particular. */
    Connection connect(String... options) throws JMSException {
        return connect(factory(options));
    }

    Connection connect(JmsConnectionFactory factory) throws JMSException {
        Connection connection = factory.createConnection();
        closing(connection);
        connection.start();
        return connection;
    }

    /** A session with automatic acknowledgement, on a connection of its own. */
    Session session(String... options) throws JMSException {
        return connect(options).createSession(false, Session.AUTO_ACKNOWLEDGE);
    }

    /** Closes a connection when the test ends. */
    <C extends Connection> C closing(C connection) {
        synchronized (connections) {
            connections.add(connection);
        }
        return connection;
    }

    /** Does something on another thread. */
    <T> Future<T> beside(Callable<T> task) {
        return threads.submit(task);
    }

    @Override
    public void close() throws JMSException {
        threads.shutdownNow();
        List<Connection> open;
        synchronized (connections) {
            open = new ArrayList<>(connections);
        }
        for (Connection connection : open) {
            connection.close();
        }
    }
}
