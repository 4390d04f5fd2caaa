package io.millrace.conformance.tap;

import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.jar.JarFile;
import java.util.regex.Pattern;

/**
 * Runs tests one after another and writes what became of them to standard output as TAP 14, a line as soon as a test ended. Whatever
 * else is printed to {@code System.out} goes to standard error, so that it cannot spoil the report.
 *
 * <p>Each test runs on a thread of its own and has a limit of time: one that hangs is {@code not ok}, with the stack where it hung, and
 * the next one starts.
 *
 * <pre>{@code
 * Tap tap = new Tap(args); // patterns: only the tests whose name has a match run
 * tap.client("qpid-jms", Tap.version(JmsConnection.class, "org.apache.qpid", "qpid-jms-client"));
 * tap.test("sends a message and gets it back", () -> ...);
 * System.exit(tap.finish());
 * }</pre>
 */
public final class Tap {
    private static final Duration LIMIT = Duration.ofSeconds(30);
    private static final Duration FAREWELL = Duration.ofSeconds(2);

    private final List<Pattern> only = new ArrayList<>();
    private final PrintStream out;
    private int number;
    private int failures;

    /** What a test does. It fails by throwing anything. */
    public interface Body {
        void run() throws Exception;
    }

    /** Thrown by a test that cannot be run here. */
    public static final class Skipped extends RuntimeException {
        private static final long serialVersionUID = 1L;

        public Skipped(String reason) {
            super(reason);
        }
    }

    /** A test that did not end in time. Its stack is that of the test. */
    private static final class Hung extends Exception {
        private static final long serialVersionUID = 1L;

        Hung(Duration limit, Thread thread) {
            super("did not end within " + limit.toSeconds() + " s");
            setStackTrace(thread.getStackTrace());
        }
    }

    /**
     * Begins the report.
     *
     * @param patterns the regular expressions of which one must be found in the name of a test, in any case; none: all tests run
     */
    public Tap(String... patterns) {
        for (String pattern : patterns) {
            only.add(Pattern.compile(pattern, Pattern.CASE_INSENSITIVE));
        }
        out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        System.setOut(System.err);
        out.println("TAP version 14");
    }

    /** Says which client the tests that follow speak for. */
    public void client(String name, String version) {
        out.println("# client " + name + " " + version);
    }

    /** Runs a test that must end within 30 s. */
    public void test(String name, Body body) {
        test(name, LIMIT, body);
    }

    /** Runs a test that must end within a limit. */
    public void test(String name, Duration limit, Body body) {
        run(name, limit, "", body);
    }

    /**
     * Runs a test that fails by a fault of the client. It is shown with the evidence, and does not fail the run.
     *
     * @param evidence where the client's own source shows it
     */
    public void todo(String name, String evidence, Body body) {
        todo(name, LIMIT, evidence, body);
    }

    /** The same with a limit. */
    public void todo(String name, Duration limit, String evidence, Body body) {
        run(name, limit, " # TODO " + oneLine(evidence), body);
    }

    /**
     * Ends the report.
     *
     * @return the exit code: 0 when nothing failed, 1 otherwise, and 1 when no test has such a name
     */
    public int finish() {
        out.println("1.." + number);
        return failures == 0 && number > 0 ? 0 : 1;
    }

    private void run(String name, Duration limit, String todo, Body body) {
        if (!only.isEmpty() && only.stream().noneMatch(pattern -> pattern.matcher(name).find())) {
            return;
        }
        number++;
        String line = number + " - " + oneLine(name).replace("\\", "\\\\").replace("#", "\\#");
        Throwable failure = failureOf(name, limit, body);
        if (failure == null) {
            out.println("ok " + line + todo);
        } else if (failure instanceof Skipped) {
            out.println("ok " + line + " # SKIP " + oneLine(failure.getMessage()));
        } else {
            failures += todo.isEmpty() ? 1 : 0;
            out.print("not ok " + line + todo + "\n" + diagnosis(failure));
            out.flush();
        }
    }

    /** What a test threw, or null. */
    private static Throwable failureOf(String name, Duration limit, Body body) {
        CompletableFuture<Void> end = new CompletableFuture<>();
        Thread thread = new Thread(
                () -> {
                    try {
                        body.run();
                        end.complete(null);
                    } catch (Throwable e) {
                        end.completeExceptionally(e);
                    }
                },
                name);
        thread.setDaemon(true);
        thread.start();
        try {
            end.get(limit.toMillis(), TimeUnit.MILLISECONDS);
            return null;
        } catch (ExecutionException e) {
            return e.getCause();
        } catch (TimeoutException e) {
            Hung hung = new Hung(limit, thread);
            thread.interrupt();
            join(thread);
            return hung;
        } catch (InterruptedException e) {
            return e;
        }
    }

    private static void join(Thread thread) {
        try {
            thread.join(FAREWELL.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** A YAML block that tells of a failure. */
    private static String diagnosis(Throwable failure) {
        StringWriter stack = new StringWriter();
        failure.printStackTrace(new PrintWriter(stack, true));
        String message = failure.getMessage() == null ? failure.getClass().getName() : failure.getMessage();
        return "  ---\n  message: |-\n" + indented(message) + "  stack: |-\n" + indented(stack.toString()) + "  ...\n";
    }

    private static String indented(String text) {
        StringBuilder block = new StringBuilder();
        text.strip().lines().forEach(line -> block.append("    ").append(line.replace("\t", "  ")).append('\n'));
        return block.toString();
    }

    private static String oneLine(String text) {
        return String.valueOf(text).strip().replaceAll("\\s+", " ");
    }

    /**
     * The version of a library as its jar tells it.
     *
     * @param member any class of the library
     * @param group the library's Maven group
     * @param artifact its name
     */
    public static String version(Class<?> member, String group, String artifact) throws IOException {
        String name = "META-INF/maven/" + group + "/" + artifact + "/pom.properties";
        Path path = Path.of(URI.create(member.getProtectionDomain().getCodeSource().getLocation().toString()));
        try (JarFile jar = new JarFile(path.toFile())) {
            if (jar.getEntry(name) != null) {
                Properties properties = new Properties();
                try (InputStream in = jar.getInputStream(jar.getEntry(name))) {
                    properties.load(in);
                }
                return properties.getProperty("version");
            }
            String version = jar.getManifest() == null
                    ? null
                    : jar.getManifest().getMainAttributes().getValue("Implementation-Version");
            if (version == null) {
                throw new IOException("no version in " + path);
            }
            return version;
        }
    }
}
