package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A broker in a process of its own, and what it has said so far, which is in a file: a pipe could lose the last words. */
final class Millraced {
    private static final Pattern PORT = Pattern.compile("listener amqp: 127\\.0\\.0\\.1:(\\d+),");
    private static final long LIMIT_NANOS = TimeUnit.SECONDS.toNanos(30);

    private final Process process;
    private final Path output;
    private int seen;

    Millraced(Path directory, String... arguments) throws IOException {
        this(directory, List.of("-XX:TieredStopAtLevel=1", "-Xmx256m"), arguments);
    }

    /** With these options of the JVM. */
    Millraced(Path directory, List<String> options, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:+UseSerialGC"));
        command.addAll(options);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName()));
        command.addAll(List.of(arguments));
        output = Files.createTempFile(directory, "said", ".log");
        process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
    }

    String said() {
        try {
            return Files.readString(output);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits for words that match, after those that matched before. */
    Matcher await(Pattern pattern) throws InterruptedException {
        long deadline = System.nanoTime() + LIMIT_NANOS;
        while (true) {
            boolean over = process.waitFor(20, TimeUnit.MILLISECONDS) || System.nanoTime() > deadline;
            Matcher matcher = pattern.matcher(said());
            if (matcher.find(seen)) {
                seen = matcher.end();
                return matcher;
            }
            assertFalse(over, () -> "no '" + pattern + "' in:\n" + said());
        }
    }

    int port() throws InterruptedException {
        int port = Integer.parseInt(await(PORT).group(1));
        await(Pattern.compile("ready in"));
        return port;
    }

    void signal(String name) throws IOException, InterruptedException {
        Process kill = new ProcessBuilder("kill", "-" + name, Long.toString(process.pid())).start();
        assertEquals(0, kill.waitFor());
    }

    int exitCode() throws InterruptedException {
        assertTrue(process.waitFor(30, TimeUnit.SECONDS), () -> "still running:\n" + said());
        return process.exitValue();
    }

    void assertSaid(String... parts) {
        String said = said();
        for (String part : parts) {
            assertTrue(said.contains(part), () -> "'" + part + "' is missing in:\n" + said);
        }
        assertFalse(said.contains("\tat "), () -> "there is a stack trace in:\n" + said);
    }

    long pid() {
        return process.pid();
    }

    OutputStream input() {
        return process.getOutputStream();
    }

    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }
}
