package io.millrace.conformance.qpidjms;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Tap;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.messaginghub.pooled.jms.JmsPoolConnectionFactory;

/** What JMS applications use, on Qpid JMS and on pooled-jms. Arguments: patterns of the names of the tests to run. */
public final class QpidJms {
    private QpidJms() {}

    public static void main(String[] patterns) throws Exception {
        Tap tap = new Tap(patterns);
        String version = Tap.version(JmsConnectionFactory.class, "org.apache.qpid", "qpid-jms-client");
        String project = "qpid-jms-" + version.substring(0, version.indexOf('.'));
        Tests tests = new Tests(tap, new Broker(), project);
        tap.client("Qpid JMS", version);
        Sending.add(tests);
        MessageTypes.add(tests);
        Receiving.add(tests);
        Acknowledging.add(tests);
        Topics.add(tests);
        TemporaryDestinations.add(tests);
        Transacting.add(tests);
        Connecting.add(tests);
        Reconnecting.add(tests);
        tap.client("pooled-jms", Tap.version(JmsPoolConnectionFactory.class, "org.messaginghub", "pooled-jms"));
        Pooling.add(tests);
        System.exit(tap.finish());
    }
}
