package io.millrace.conformance.joram;

import io.millrace.conformance.joram.Trial.Verdict;
import io.millrace.conformance.tap.Tap;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.regex.Pattern;
import junit.framework.Test;
import junit.framework.TestCase;
import junit.framework.TestSuite;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.objectweb.jtests.jms.conform.connection.ConnectionTest;
import org.objectweb.jtests.jms.conform.connection.TopicConnectionTest;
import org.objectweb.jtests.jms.conform.message.MessageBodyTest;
import org.objectweb.jtests.jms.conform.message.MessageDefaultTest;
import org.objectweb.jtests.jms.conform.message.MessageTypeTest;
import org.objectweb.jtests.jms.conform.message.headers.MessageHeaderTest;
import org.objectweb.jtests.jms.conform.message.properties.JMSXPropertyTest;
import org.objectweb.jtests.jms.conform.message.properties.MessagePropertyConversionTest;
import org.objectweb.jtests.jms.conform.message.properties.MessagePropertyTest;
import org.objectweb.jtests.jms.conform.queue.QueueBrowserTest;
import org.objectweb.jtests.jms.conform.queue.TemporaryQueueTest;
import org.objectweb.jtests.jms.conform.selector.SelectorSyntaxTest;
import org.objectweb.jtests.jms.conform.selector.SelectorTest;
import org.objectweb.jtests.jms.conform.session.QueueSessionTest;
import org.objectweb.jtests.jms.conform.session.SessionTest;
import org.objectweb.jtests.jms.conform.session.TopicSessionTest;
import org.objectweb.jtests.jms.conform.session.UnifiedSessionTest;
import org.objectweb.jtests.jms.conform.topic.TemporaryTopicTest;
import org.objectweb.jtests.jms.framework.TestConfig;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The public JMS 1.1 suite of Joram, as it was published, by Qpid JMS, against a broker that is there. */
@Command(
        name = "joram",
        mixinStandardHelpOptions = true,
        description = "Runs the JMS suite of Joram through any AMQP 1.0 broker. Exit code 0: every test passed.")
public final class Joram implements Callable<Integer> {
    private static final int WHOLE = 196;
    private static final List<Class<? extends TestCase>> SUITE = List.of(
            ConnectionTest.class,
            TopicConnectionTest.class,
            MessageHeaderTest.class,
            MessageDefaultTest.class,
            MessageBodyTest.class,
            MessageTypeTest.class,
            MessagePropertyTest.class,
            MessagePropertyConversionTest.class,
            JMSXPropertyTest.class,
            QueueSessionTest.class,
            SessionTest.class,
            QueueBrowserTest.class,
            TemporaryQueueTest.class,
            SelectorSyntaxTest.class,
            SelectorTest.class,
            TopicSessionTest.class,
            TemporaryTopicTest.class,
            UnifiedSessionTest.class);

    @Parameters(
            index = "0",
            defaultValue = "amqp://localhost:5672",
            description = "the broker, ${DEFAULT-VALUE} by default")
    private String url;

    @Option(
            names = "--only",
            defaultValue = "",
            description = "tests whose name, such as QueueBrowserTest.testBrowser, matches")
    private Pattern only;

    @Option(
            names = "--limit-seconds",
            defaultValue = "30",
            description = "a test has failed after so long, ${DEFAULT-VALUE}")
    private int limitSeconds;

    @Option(names = "--verbose", description = "show what the suite printed during a test")
    private boolean verbose;

    @Option(names = "--trace-frames", description = "show each AMQP frame, on the standard error output")
    private boolean traceFrames;

    @Option(names = "--tap", description = "report as TAP, version 14")
    private boolean asTap;

    private Joram() {}

    /** Runs the suite. */
    public static void main(String[] args) {
        // An abandoned test may have left threads behind that would keep the process.
        System.exit(new CommandLine(new Joram()).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        log();
        URI broker = URI.create(url + (url.contains("?") ? "&" : "?") + "amqp.traceFrames=" + traceFrames);
        List<Trial> trials = trials();
        if (trials.isEmpty()) {
            System.out.printf("joram: no test matches %s%n", only);
            return 2;
        }
        // Addresses of this run, for a broker that keeps those of the last.
        String run = "joram." + Long.toString(System.currentTimeMillis(), Character.MAX_RADIX) + ".";
        return asTap ? tap(trials, broker, run) : report(trials, broker, run);
    }

    private int report(List<Trial> trials, URI broker, String run) throws InterruptedException {
        System.out.printf(
                "joram: %d tests at %s, each waits up to %,d ms for a message%n",
                trials.size(), url, TestConfig.TIMEOUT);
        List<Verdict> failed = new ArrayList<>();
        long start = System.nanoTime();
        for (int i = 0; i < trials.size(); i++) {
            Verdict verdict = trials.get(i).run(broker, run + (i + 1), limit());
            show(System.out, verdict);
            if (!verdict.passed()) {
                failed.add(verdict);
            }
        }
        System.out.printf(
                "%njoram: %d passed, %d failed, in %d s%n",
                trials.size() - failed.size(), failed.size(), (System.nanoTime() - start) / 1_000_000_000);
        failed.forEach(each -> System.out.printf("  %s%n", each.name()));
        return failed.isEmpty() ? 0 : 1;
    }

    private int tap(List<Trial> trials, URI broker, String run) throws IOException {
        Tap tap = new Tap();
        tap.client("joram-jms-tests", Tap.version(TestConfig.class, "org.fusesource.joram-jms-tests", "joram-jms-tests")
                + " on Qpid JMS "
                + Tap.version(JmsConnectionFactory.class, "org.apache.qpid", "qpid-jms-client"));
        for (int i = 0; i < trials.size(); i++) {
            Trial trial = trials.get(i);
            String addresses = run + (i + 1);
            // A trial has limits of its own, for the test and for the end of its connections, and says more when they are over.
            tap.test(trial.name(), limit().multipliedBy(3), () -> {
                Verdict verdict = trial.run(broker, addresses, limit());
                show(System.err, verdict);
                if (!verdict.passed()) {
                    throw new AssertionError(String.join("\n", verdict.faults()));
                }
            });
        }
        return tap.finish();
    }

    private Duration limit() {
        return Duration.ofSeconds(limitSeconds);
    }

    /** Must come before Qpid JMS is first used. */
    private void log() {
        System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "off");
        if (traceFrames) {
            System.setProperty("org.slf4j.simpleLogger.log.org.apache.qpid.jms.provider.amqp.FRAMES", "trace");
            System.setProperty("org.slf4j.simpleLogger.showDateTime", "true");
            System.setProperty("org.slf4j.simpleLogger.cacheOutputStream", "true");
        }
        // Made here, it keeps the true standard error output, not the one that a test prints to.
        LoggerFactory.getLogger(Joram.class);
    }

    private List<Trial> trials() {
        List<Trial> trials = new ArrayList<>();
        int known = 0;
        for (Class<? extends TestCase> each : SUITE) {
            List<Test> tests = Collections.list(new TestSuite(each).tests());
            known += tests.size();
            for (Test test : tests) {
                Trial trial = new Trial((TestCase) test);
                if (only.matcher(trial.name()).find()) {
                    trials.add(trial);
                }
            }
        }
        if (known != WHOLE) {
            throw new IllegalStateException("the suite has " + WHOLE + " tests, but " + known + " were found");
        }
        return trials;
    }

    private void show(PrintStream out, Verdict verdict) {
        long millis = verdict.took().toMillis();
        out.printf("%s  %6d ms  %s%n", verdict.passed() ? "passed" : "FAILED", millis, verdict.name());
        verdict.faults().forEach(each -> out.println("        " + each.replace("\n", "\n        ")));
        if (verbose && !verdict.printed().isBlank()) {
            out.println("        printed: " + verdict.printed().strip().replace("\n", "\n        "));
        }
    }
}
