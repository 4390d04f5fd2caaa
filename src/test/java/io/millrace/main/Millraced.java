package io.millrace.main;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A broker in a process of its own, and what it has said so far. */
final class Millraced {
    private static final Pattern PORT = Pattern.compile("listener amqp: 127\\.0\\.0\\.1:(\\d+)");
    private static final String ENDS = "(the process has ended)";

    private final Process process;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
    private final StringBuilder said = new StringBuilder();

    Millraced(Path directory, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName()));
        command.addAll(List.of(arguments));
        process = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .start();
        Thread reader = new Thread(this::read, "reader");
        reader.setDaemon(true);
        reader.start();
    }

    private void read() {
        try (var in = process.inputReader(UTF_8)) {
            in.lines().forEach(lines::add);
        } catch (IOException | UncheckedIOException e) {
            lines.add(e.toString());
        }
        lines.add(ENDS);
    }

    /** Waits for a line that matches. */
    Matcher await(Pattern pattern) throws InterruptedException {
        while (true) {
            String line = lines.poll(30, TimeUnit.SECONDS);
            assertTrue(line != null, () -> "no '" + pattern + "' in:\n" + said);
            said.append(line).append('\n');
            Matcher matcher = pattern.matcher(line);
            if (matcher.find()) {
                return matcher;
            }
            assertTrue(process.isAlive() || !line.equals(ENDS), () -> "no '" + pattern + "' in:\n" + said);
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
        assertTrue(process.waitFor(30, TimeUnit.SECONDS), () -> "still running:\n" + said);
        for (String line = lines.poll(10, TimeUnit.SECONDS);
                line != null && !line.equals(ENDS);
                line = lines.poll(10, TimeUnit.SECONDS)) {
            said.append(line).append('\n');
        }
        return process.exitValue();
    }

    void assertSaid(String... parts) {
        for (String part : parts) {
            assertTrue(said.toString().contains(part), () -> "'" + part + "' is missing in:\n" + said);
        }
        assertTrue(!said.toString().contains("\tat "), () -> "there is a stack trace in:\n" + said);
    }

    String said() {
        return said.toString();
    }

    OutputStream input() {
        return process.getOutputStream();
    }

    void kill() throws InterruptedException {
        process.destroyForcibly().waitFor();
    }
}
