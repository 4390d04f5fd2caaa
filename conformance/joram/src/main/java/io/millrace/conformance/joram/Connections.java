package io.millrace.conformance.joram;

import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.jms.Connection;
import javax.jms.JMSException;
import javax.jms.QueueConnection;
import javax.jms.TopicConnection;
import org.apache.qpid.jms.JmsConnectionFactory;

/**
 * The connection factory that a test is given: Qpid JMS, which fails instead of waiting for ever. It remembers what it opened,
 * since a test that fails in its set-up closes nothing.
 */
final class Connections extends JmsConnectionFactory {
    private static final long PATIENCE_MILLIS = 10_000;

    private final List<Connection> opened = new CopyOnWriteArrayList<>();

    Connections(URI broker) {
        super(broker);
        setConnectTimeout(PATIENCE_MILLIS);
        setRequestTimeout(PATIENCE_MILLIS);
        setSendTimeout(PATIENCE_MILLIS);
        setCloseTimeout(PATIENCE_MILLIS);
    }

    @Override
    public Connection createConnection(String user, String password) throws JMSException {
        return remember(super.createConnection(user, password));
    }

    @Override
    public QueueConnection createQueueConnection(String user, String password) throws JMSException {
        return remember(super.createQueueConnection(user, password));
    }

    @Override
    public TopicConnection createTopicConnection(String user, String password) throws JMSException {
        return remember(super.createTopicConnection(user, password));
    }

    private <C extends Connection> C remember(C connection) {
        opened.add(connection);
        return connection;
    }

    /**
     * Closes what the test left open; a second close does nothing.
     *
     * @return what went wrong
     */
    List<String> closeAll() {
        List<String> faults = new ArrayList<>();
        for (Connection each : opened) {
            try {
                each.close();
            } catch (JMSException e) {
                faults.add("a connection did not close: " + e.getMessage());
            }
        }
        opened.clear();
        return faults;
    }
}
