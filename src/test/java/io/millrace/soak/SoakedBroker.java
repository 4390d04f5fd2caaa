package io.millrace.soak;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.main.Main;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** A broker with a small heap in a process of its own, and what the operating system and its metrics say of it. */
final class SoakedBroker implements AutoCloseable {
    /** A figure that was not taken. */
    static final long UNKNOWN = Long.MIN_VALUE;

    private static final long MIB = 1 << 20;
    private static final long PATIENCE_SECONDS = 60;

    private final Path directory;
    private final Path log;
    private final Process process;
    private final HttpClient http = HttpClient.newHttpClient();
    private final List<Sample> samples = new ArrayList<>();
    private int port;
    private int httpPort;

    /** The heap is touched at the start, so that the resident size tells of all that is not in it. */
    SoakedBroker(Path directory, String heap, String yaml) throws Exception {
        this.directory = Files.createDirectories(directory);
        log = directory.resolve("broker.log");
        Path config = Files.writeString(directory.resolve("soak.yaml"), """
                listeners:
                  - {name: amqp, port: 0}
                http: {port: 0}
                """ + yaml);
        process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xms" + heap,
                        "-Xmx" + heap,
                        "-XX:+AlwaysPreTouch",
                        "-XX:+UseParallelGC",
                        "-XX:+ExitOnOutOfMemoryError",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Main.class.getName(),
                        "--config",
                        config.toString())
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        port = await("listener amqp: 127\\.0\\.0\\.1:(\\d+),");
        httpPort = await("http: 127\\.0\\.0\\.1:(\\d+),");
        await("ready in (\\d)");
    }

    /** What it takes at one moment. */
    record Sample(long rss, long heap, long messages, long threads, long sockets, long store) {
        long heapBesideMessages() {
            return heap == UNKNOWN ? UNKNOWN : heap - messages;
        }

        @Override
        public String toString() {
            String live = heap == UNKNOWN ? "" : "live heap " + heap / MIB + " MiB, ";
            return "rss %d MiB, %smessages %d MiB, %d threads, %d sockets, store %d MiB"
                    .formatted(rss / MIB, live, messages / MIB, threads, sockets, store / MIB);
        }
    }

    private int await(String pattern) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(PATIENCE_SECONDS);
        while (true) {
            Matcher matcher = Pattern.compile(pattern).matcher(Files.readString(log));
            if (matcher.find()) {
                return Integer.parseInt(matcher.group(1));
            }
            assertTrue(process.isAlive() && System.nanoTime() < deadline, () -> pattern + " is not in " + said());
            TimeUnit.MILLISECONDS.sleep(20);
        }
    }

    int port() {
        return port;
    }

    private String said() {
        try {
            return Files.readString(log);
        } catch (IOException e) {
            return e.toString();
        }
    }

    String metrics() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + httpPort + "/metrics"))
                .build();
        return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    /** All figures with this name, and this label if it is not empty, in sum. */
    long figure(String name, String label) throws Exception {
        Matcher matcher =
                Pattern.compile("(?m)^" + name + "(\\{[^}]*})? (\\S+)$").matcher(metrics());
        double sum = 0;
        while (matcher.find()) {
            if (label.isEmpty() || matcher.group(1).contains("\"" + label + "\"")) {
                sum += Double.parseDouble(matcher.group(2));
            }
        }
        return (long) sum;
    }

    private long status(String key) throws IOException {
        Matcher matcher = Pattern.compile("(?m)^" + key + ":\\s*(\\d+)")
                .matcher(Files.readString(Path.of("/proc/" + process.pid() + "/status")));
        assertTrue(matcher.find(), key);
        return Long.parseLong(matcher.group(1));
    }

    private long sockets() throws IOException {
        try (Stream<Path> files = Files.list(Path.of("/proc/" + process.pid() + "/fd"))) {
            return files.filter(SoakedBroker::isSocket).count();
        }
    }

    private static boolean isSocket(Path file) {
        try {
            return Files.readSymbolicLink(file).toString().startsWith("socket:");
        } catch (IOException gone) {
            return false;
        }
    }

    private long store() throws IOException {
        try (Stream<Path> files = Files.walk(directory.resolve("store"))) {
            return files.map(Path::toFile).mapToLong(File::length).sum();
        }
    }

    private void collectGarbage() throws Exception {
        Process collect = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "jcmd").toString(),
                        Long.toString(process.pid()),
                        "GC.run")
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve("jcmd.log").toFile())
                .start();
        assertEquals(0, collect.waitFor(), "jcmd GC.run");
    }

    /** The heap only if garbage is collected before, so that it is what is in use. */
    Sample sample(boolean collect) throws Exception {
        if (collect) {
            collectGarbage();
        }
        Sample sample = new Sample(
                status("VmRSS") << 10,
                collect ? figure("millrace_jvm_heap_used_bytes", "") : UNKNOWN,
                figure("millrace_memory_used_bytes", ""),
                status("Threads"),
                sockets(),
                store());
        samples.add(sample);
        return sample;
    }

    @Override
    public String toString() {
        return "broker '" + directory.getFileName() + "'";
    }

    List<Sample> samples() {
        return samples;
    }

    /** One figure of all samples, as far as it was taken. */
    long[] known(ToLongFunction<Sample> figure) {
        return samples.stream()
                .mapToLong(figure)
                .filter(value -> value != UNKNOWN)
                .toArray();
    }

    /** Waits until it has nothing left, and says what it has if that takes long. */
    void awaitEmpty() throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (figure("millrace_queue_messages", "") > 0
                || figure("millrace_queue_unsettled", "") > 0
                || figure("millrace_queue_held", "") > 0
                || figure("millrace_memory_used_bytes", "") > 2 * MIB) {
            if (System.nanoTime() > deadline) {
                StringBuilder left = new StringBuilder("left in the broker:");
                metrics()
                        .lines()
                        .filter(line ->
                                line.matches("millrace_(queue_(messages|unsettled|held)|memory_used_bytes).* .*"))
                        .filter(line -> !line.endsWith(" 0.0"))
                        .forEach(line -> left.append('\n').append(line));
                throw new AssertionError(left.toString());
            }
            TimeUnit.MILLISECONDS.sleep(100);
        }
    }

    /** Stops it with a signal; the log must be clean. */
    void stop() throws Exception {
        process.destroy();
        assertTrue(process.waitFor(30, TimeUnit.SECONDS), "it does not stop");
        assertEquals(0, process.exitValue(), () -> said());
        List<String> bad = Files.readAllLines(log).stream()
                .filter(line -> line.contains("ERROR") || line.contains("\tat ") || line.contains("Exception"))
                .toList();
        assertEquals(List.of(), bad);
    }

    @Override
    public void close() {
        process.destroyForcibly().onExit().join();
    }
}
