package io.millrace.conformance.spring;

import io.millrace.conformance.tap.Expect;
import jakarta.jms.ConnectionFactory;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.messaginghub.pooled.jms.JmsPoolConnectionFactory;
import org.springframework.boot.Banner;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.jms.annotation.EnableJms;
import org.springframework.jms.annotation.JmsListener;
import org.springframework.jms.connection.CachingConnectionFactory;
import org.springframework.jms.core.JmsMessagingTemplate;
import org.springframework.jms.core.JmsTemplate;
import org.springframework.messaging.handler.annotation.Header;
import org.springframework.messaging.handler.annotation.SendTo;

/** Spring Boot applications with the AMQP Hub starter. */
final class Starter {
    private Starter() {}

    /** The application: it shouts back, and fails twice at each message of another queue. */
    @EnableJms
    @EnableAutoConfiguration
    public static class Application {
        @JmsListener(destination = "${address}.requests", concurrency = "1-3")
        @SendTo("${address}.results")
        public String shout(String text) {
            return text.toUpperCase(java.util.Locale.ROOT);
        }

        @JmsListener(destination = "${address}.failing")
        @SendTo("${address}.results")
        public String fail(String text, @Header("JMSXDeliveryCount") int deliveryCount) {
            if (deliveryCount < 3) {
                throw new IllegalStateException("on purpose");
            }
            return text + " after " + deliveryCount;
        }
    }

    static void add(Tests tests) {
        tests.test("starter: @JmsListener and JmsTemplate, with user and password", Starter::users);
        tests.test("starter: a listener that fails gets its message again", Starter::failing);
        tests.test("starter: with a pool of connections", Starter::pooled);
        tests.test("starter: request and reply with JmsMessagingTemplate", Starter::requests);
        tests.test("starter: a wrong password is told of", Starter::wrongPassword);
    }

    private static ConfigurableApplicationContext application(Trial trial, String... properties) {
        SpringApplicationBuilder builder = new SpringApplicationBuilder(Application.class)
                .web(WebApplicationType.NONE)
                .bannerMode(Banner.Mode.OFF)
                .logStartupInfo(false)
                .registerShutdownHook(false)
                .properties("address=" + trial.address(), "spring.jms.template.receive-timeout=20s")
                .properties(properties);
        ConfigurableApplicationContext context = builder.run();
        trial.closing(context);
        return context;
    }

    private static String[] withUser(Trial trial) {
        return new String[] {
            "amqphub.amqp10jms.remote-url=" + trial.broker().userUrl(),
            "amqphub.amqp10jms.username=" + trial.broker().user(),
            "amqphub.amqp10jms.password=" + trial.broker().password()
        };
    }

    private static void users(Trial trial) {
        ConfigurableApplicationContext context = application(trial, withUser(trial));
        ConnectionFactory factory =
                context.getBean(CachingConnectionFactory.class).getTargetConnectionFactory();
        Expect.that(factory instanceof JmsConnectionFactory, "Qpid JMS, without a pool");
        JmsTemplate template = context.getBean(JmsTemplate.class);
        for (int i = 0; i < 20; i++) {
            template.convertAndSend(trial.address("requests"), "hello");
        }
        for (int i = 0; i < 20; i++) {
            Expect.equal("HELLO", template.receiveAndConvert(trial.address("results")), "result " + i);
        }
    }

    private static void failing(Trial trial) {
        ConfigurableApplicationContext context =
                application(trial, "amqphub.amqp10jms.remote-url=" + trial.broker().url());
        JmsTemplate template = context.getBean(JmsTemplate.class);
        template.convertAndSend(trial.address("failing"), "one");
        Expect.equal("one after 3", template.receiveAndConvert(trial.address("results")), "result");
    }

    private static void pooled(Trial trial) {
        ConfigurableApplicationContext context = application(
                trial,
                "amqphub.amqp10jms.remote-url=" + trial.broker().url(),
                "amqphub.amqp10jms.pool.enabled=true",
                "amqphub.amqp10jms.pool.max-connections=2");
        Expect.that(context.getBean(ConnectionFactory.class) instanceof JmsPoolConnectionFactory, "a pool");
        JmsTemplate template = context.getBean(JmsTemplate.class);
        for (int i = 0; i < 50; i++) {
            template.convertAndSend(trial.address("requests"), "hello");
            Expect.equal("HELLO", template.receiveAndConvert(trial.address("results")), "result " + i);
        }
    }

    private static void requests(Trial trial) {
        ConfigurableApplicationContext context =
                application(trial, "amqphub.amqp10jms.remote-url=" + trial.broker().url());
        JmsMessagingTemplate template = context.getBean(JmsMessagingTemplate.class);
        for (int i = 0; i < 5; i++) {
            String reply = template.convertSendAndReceive(trial.address("requests"), "hello", String.class);
            Expect.equal("HELLO", reply, "reply");
        }
    }

    private static void wrongPassword(Trial trial) {
        String[] properties = withUser(trial);
        properties[2] = "amqphub.amqp10jms.password=wrong";
        ConfigurableApplicationContext context = application(trial, properties);
        JmsTemplate template = context.getBean(JmsTemplate.class);
        Expect.failure(
                org.springframework.jms.JmsSecurityException.class,
                "a send",
                () -> template.convertAndSend(trial.address("requests"), "hello"));
    }
}
