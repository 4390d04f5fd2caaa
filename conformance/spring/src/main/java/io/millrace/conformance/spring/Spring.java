package io.millrace.conformance.spring;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Tap;
import org.amqphub.spring.boot.jms.autoconfigure.AMQP10JMSProperties;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.springframework.jms.core.JmsTemplate;

/** What Spring applications use. Arguments: patterns of the names of the tests to run. */
public final class Spring {
    private Spring() {}

    public static void main(String[] patterns) throws Exception {
        Tap tap = new Tap(patterns);
        Tests tests = new Tests(tap, new Broker());
        String qpid = Tap.version(JmsConnectionFactory.class, "org.apache.qpid", "qpid-jms-client");
        tap.client("Spring JMS", Tap.version(JmsTemplate.class, "org.springframework", "spring-jms") + " on Qpid JMS " + qpid);
        Containers.add(tests);
        Subscriptions.add(tests);
        Templates.add(tests);
        tap.client(
                "AMQP Hub starter",
                Tap.version(
                        AMQP10JMSProperties.class, "org.amqphub.spring", "amqp-10-jms-spring-boot-autoconfigure"));
        Starter.add(tests);
        System.exit(tap.finish());
    }
}
