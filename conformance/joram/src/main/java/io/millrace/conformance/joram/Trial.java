package io.millrace.conformance.joram;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import javax.jms.JMSException;
import junit.framework.AssertionFailedError;
import junit.framework.TestCase;
import junit.framework.TestFailure;
import junit.framework.TestResult;

/**
 * One test of the suite, on a thread, with connections and addresses of its own, and with an end: a test that hangs fails and
 * says where it hung, and the next one starts.
 */
final class Trial {
    private static final String SUITE = "org.objectweb.jtests.";
    private static final Duration AFTER_INTERRUPT = Duration.ofSeconds(2);

    private final TestCase test;

    Trial(TestCase test) {
        this.test = test;
    }

    /** How it went. */
    record Verdict(String name, List<String> faults, String printed, Duration took) {
        boolean passed() {
            return faults.isEmpty();
        }
    }

    String name() {
        return test.getClass().getSimpleName() + "." + test.getName();
    }

    /** Runs the test, which takes no longer than the limit and what it takes to close connections. */
    Verdict run(URI broker, String addresses, Duration limit) throws InterruptedException {
        Connections connections = new Connections(broker);
        Provider.prepare(connections, addresses);
        TestResult result = new TestResult();
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream before = System.err;
        long start = System.nanoTime();
        List<String> faults = new ArrayList<>();
        // The suite prints what goes wrong while it tears down, and goes on.
        System.setErr(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            stuck(() -> test.run(result), limit)
                    .ifPresent(where -> faults.add("no end within " + seconds(limit) + where));
        } finally {
            System.setErr(before);
        }
        Duration took = Duration.ofNanos(System.nanoTime() - start);
        collect(result.failures(), faults);
        collect(result.errors(), faults);
        List<String> closing = new ArrayList<>();
        Optional<String> hung = stuck(() -> closing.addAll(connections.closeAll()), limit);
        hung.ifPresentOrElse(
                where -> faults.add("its connections were not closed within " + seconds(limit) + where),
                () -> faults.addAll(closing));
        return new Verdict(name(), faults, printed.toString(StandardCharsets.UTF_8), took);
    }

    /** Where the work is when its time is over; nothing if it ended. */
    private Optional<String> stuck(Runnable work, Duration limit) throws InterruptedException {
        Thread thread = new Thread(work, name());
        thread.setDaemon(true);
        thread.start();
        thread.join(limit.toMillis());
        if (!thread.isAlive()) {
            return Optional.empty();
        }
        StringBuilder where = new StringBuilder();
        Stream.of(thread.getStackTrace())
                .filter(each -> each.getClassName().startsWith(SUITE)
                        || each.getClassName().startsWith("org.apache.qpid.jms."))
                .forEach(each -> where.append("\n  at ").append(each));
        thread.interrupt();
        thread.join(AFTER_INTERRUPT.toMillis());
        return Optional.of(where.toString());
    }

    private static String seconds(Duration limit) {
        return limit.toSeconds() + " s; it was";
    }

    private static void collect(Enumeration<TestFailure> failures, List<String> faults) {
        while (failures.hasMoreElements()) {
            faults.add(reason(failures.nextElement().thrownException()));
        }
    }

    private static String reason(Throwable thrown) {
        // JUnit's complaint says it all; of the rest the type matters.
        String text = thrown instanceof AssertionFailedError && thrown.getMessage() != null
                ? thrown.getMessage()
                : thrown.toString();
        Throwable cause = thrown instanceof JMSException jms && jms.getLinkedException() != null
                ? jms.getLinkedException()
                : thrown.getCause();
        if (cause != null && cause.getMessage() != null && !text.contains(cause.getMessage())) {
            text = text + ", because of " + cause;
        }
        String at = Stream.of(thrown.getStackTrace())
                .filter(each -> each.getClassName().startsWith(SUITE)
                        && !each.getMethodName().equals("fail"))
                .findFirst()
                .map(each -> "\n  at " + each)
                .orElse("");
        return text + at;
    }
}
