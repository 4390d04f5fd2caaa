package io.millrace.conformance.jmeter;

import io.millrace.conformance.jmeter.Plan.Sample;
import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.stream.Stream;
import javax.jms.Connection;
import javax.jms.Session;
import org.apache.qpid.jms.JmsConnectionFactory;

/** Runs JMeter's plans against the broker and checks their samples. */
public final class JMeterPlans {
    private static final Duration LIMIT = Duration.ofSeconds(60);
    private static final String SUBSCRIPTION = "reader";

    /** The entries of the maps that are published, as JMeter writes them and reads them. */
    private static final Set<String> MAP = Set.of("count,java.lang.Integer,5", "word,java.lang.String,five");

    private final Broker broker = new Broker();
    private final Path directory;

    private JMeterPlans(Path directory) {
        this.directory = directory;
    }

    public static void main(String[] args) throws Exception {
        Tap tap = new Tap(args);
        Path directory = Files.createTempDirectory("jmeter");
        try {
            new JMeterPlans(directory).run(tap);
        } finally {
            delete(directory);
        }
        System.exit(tap.finish());
    }

    private void run(Tap tap) throws Exception {
        tap.client("jmeter", jmeterVersion() + " with qpid-jms "
                + Tap.version(JmsConnectionFactory.class, "org.apache.qpid", "qpid-jms-client"));
        test(tap, "publishers and a subscriber of a queue, in JMeter, lose nothing", this::queue);
        test(tap, "a durable subscriber of a topic, in JMeter, gets what its selector chooses", this::topic);
        test(tap, "requests of JMeter get their replies, on temporary queues and on one for all", this::requestAndReply);
        test(tap, "JMeter sends, browses, reads and clears, point to point", this::pointToPoint);
    }

    private static void test(Tap tap, String name, Tap.Body body) {
        tap.test(name, LIMIT.plusSeconds(10), body);
    }

    private void queue() throws Exception {
        Plan plan = plan("queue");
        expect(plan, "publish", 100, "5 messages published");
        expect(plan, "subscribe", 100, "5 message(s) received successfully of 5 expected");
        List<String> texts = received(plan);
        for (int publisher = 1; publisher <= 2; publisher++) {
            String text = "an order, " + publisher;
            Expect.equal(250L, texts.stream().filter(text::equals).count(), "messages of publisher " + publisher);
        }
    }

    private void topic() throws Exception {
        // The subscription comes first, so that nothing depends on who is quicker.
        JmsConnectionFactory factory = new JmsConnectionFactory(broker.url());
        factory.setClientID(client());
        try (Connection connection = factory.createConnection();
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE)) {
            session.createDurableSubscriber(
                    session.createTopic(address("news")), SUBSCRIPTION, "colour = 'red'", false);
        }
        Plan plan = plan("topic");
        expect(plan, "publish red", 50, "2 messages published");
        expect(plan, "publish blue", 50, "2 messages published");
        expect(plan, "subscribe", 50, "2 message(s) received successfully of 2 expected");
        List<String> maps = received(plan);
        Expect.equal(100, maps.size(), "maps received");
        for (String map : maps) {
            Expect.equal(MAP, Set.copyOf(map.lines().map(String::strip).toList()), "the entries of a map");
        }
        try (Connection connection = factory.createConnection();
                Session session = connection.createSession(false, Session.AUTO_ACKNOWLEDGE)) {
            session.unsubscribe(SUBSCRIPTION);
        }
    }

    private void requestAndReply() throws Exception {
        Plan plan;
        try (Replier replier = new Replier(broker.url(), address("requests"))) {
            plan = plan("request-reply");
        }
        for (String label : List.of("ask, temporary queue", "ask, queue for all")) {
            expect(plan, label, 50, "OK");
            for (Sample sample : plan.of(label)) {
                Expect.equal("the answer to a question", sample.response(), "the reply");
            }
        }
    }

    private void pointToPoint() throws Exception {
        Plan plan = plan("point-to-point");
        expect(plan, "send", 20, "OK");
        expect(plan, "browse", 1, "20 messages available on the queue");
        expect(plan, "read", 2, "10 message(s) received successfully");
        expect(plan, "send again", 30, "OK");
        expect(plan, "clear", 1, "30 message(s) removed using receive timeout:3000ms");
        expect(plan, "browse an empty queue", 1, "0 messages available on the queue");
    }

    private Plan plan(String name) throws Exception {
        return Plan.run(LIMIT, name, directory, Map.of("jndi", jndi().toString(), "client", client()));
    }

    /** The names that the plans look up, as a JMS application would have them. */
    private Path jndi() throws IOException {
        Properties names = new Properties();
        names.setProperty("connectionfactory.broker", broker.url());
        for (String queue : List.of("orders", "requests", "replies", "parcels")) {
            names.setProperty("queue." + queue, address(queue));
        }
        names.setProperty("topic.news", address("news"));
        Path file = directory.resolve("jndi.properties");
        try (Writer writer = Files.newBufferedWriter(file)) {
            names.store(writer, null);
        }
        return file;
    }

    private static void expect(Plan plan, String label, int count, String message) {
        List<Sample> samples = plan.of(label);
        Expect.equal(count, samples.size(), "samples of '" + label + "'");
        for (Sample sample : samples) {
            Expect.equal(message, sample.message(), "what '" + label + "' says of itself");
        }
    }

    /** What the subscriber received, message by message: the plans tell it to put a bar between them. */
    private static List<String> received(Plan plan) {
        return plan.of("subscribe").stream()
                .flatMap(sample -> Stream.of(sample.response().split("\\|")))
                .toList();
    }

    private String client() {
        return address("client");
    }

    private String address(String name) {
        return broker.address("jmeter." + name);
    }

    private static String jmeterVersion() throws IOException {
        try (Stream<Path> parts = Files.list(Path.of("target", "jmeter", "lib", "ext"))) {
            return parts.map(part -> part.getFileName().toString())
                    .filter(name -> name.startsWith("ApacheJMeter_core-"))
                    .map(name -> name.substring("ApacheJMeter_core-".length(), name.length() - ".jar".length()))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }
}
