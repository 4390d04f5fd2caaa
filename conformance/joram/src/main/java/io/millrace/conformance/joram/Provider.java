package io.millrace.conformance.joram;

import java.lang.reflect.Proxy;
import java.util.HashMap;
import java.util.Map;
import javax.jms.ConnectionFactory;
import javax.naming.Context;
import javax.naming.NameNotFoundException;
import org.apache.qpid.jms.JmsQueue;
import org.apache.qpid.jms.JmsTopic;
import org.objectweb.jtests.jms.admin.Admin;

/**
 * What the suite asks to make its destinations, and where it looks them up. It makes one of these for each test. No test can
 * meet what another left behind: every destination gets an address of its own. The broker makes it when it is first used, so
 * there is nothing to create or delete here.
 */
public final class Provider implements Admin {
    private static volatile ConnectionFactory factory;
    private static volatile String addresses;

    private final Map<String, Object> names = new HashMap<>();

    /**
     * Says what the tests that start from now on are given; the suite makes providers itself, by name.
     *
     * @param connections the connection factory under any name
     * @param prefix the start of the address of each destination
     */
    static void prepare(ConnectionFactory connections, String prefix) {
        factory = connections;
        addresses = prefix;
    }

    @Override
    public String getName() {
        return "Qpid JMS";
    }

    @Override
    public Context createContext() {
        return (Context) Proxy.newProxyInstance(
                Provider.class.getClassLoader(),
                new Class<?>[] {Context.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "lookup" -> lookup(String.valueOf(arguments[0]));
                    case "close" -> null;
                    default -> throw new UnsupportedOperationException("the suite is not known to call " + method);
                });
    }

    private Object lookup(String name) throws NameNotFoundException {
        Object found = names.get(name);
        if (found == null) {
            throw new NameNotFoundException(name + " is not among " + names.keySet());
        }
        return found;
    }

    @Override
    public void createConnectionFactory(String name) {
        names.put(name, factory);
    }

    @Override
    public void createQueueConnectionFactory(String name) {
        names.put(name, factory);
    }

    @Override
    public void createTopicConnectionFactory(String name) {
        names.put(name, factory);
    }

    @Override
    public void createQueue(String name) {
        names.put(name, new JmsQueue(addresses + ".queue." + name));
    }

    @Override
    public void createTopic(String name) {
        names.put(name, new JmsTopic(addresses + ".topic." + name));
    }

    @Override
    public void deleteConnectionFactory(String name) {
        names.remove(name);
    }

    @Override
    public void deleteQueueConnectionFactory(String name) {
        names.remove(name);
    }

    @Override
    public void deleteTopicConnectionFactory(String name) {
        names.remove(name);
    }

    @Override
    public void deleteQueue(String name) {
        names.remove(name);
    }

    @Override
    public void deleteTopic(String name) {
        names.remove(name);
    }

    @Override
    public void startServer() {}

    @Override
    public void stopServer() {}

    @Override
    public void start() {}

    @Override
    public void stop() {}
}
