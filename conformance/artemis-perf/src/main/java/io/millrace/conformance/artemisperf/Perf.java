package io.millrace.conformance.artemisperf;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** One run of {@code artemis perf}, as a process, and the report it wrote. */
final class Perf {
    private static final String MAIN = "org.apache.activemq.artemis.cli.Artemis";

    private final String report;

    private Perf(String report) {
        this.report = report;
    }

    /**
     * Runs a command to its end.
     *
     * @param command {@code client}, {@code producer} or {@code consumer}, then its options and destinations
     */
    static Perf run(Duration limit, String url, List<String> command) throws IOException, InterruptedException {
        Path directory = Files.createTempDirectory("artemis-perf");
        try {
            Path report = directory.resolve("report.json");
            Path output = directory.resolve("output");
            List<String> line = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-Xmx128m",
                    "-cp",
                    "target/lib/*",
                    MAIN,
                    "perf"));
            line.add(command.get(0));
            line.addAll(List.of("--protocol", "AMQP", "--url", url, "--json", report.toString()));
            line.addAll(command.subList(1, command.size()));
            Process process = new ProcessBuilder(line)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            try {
                if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                    throw new AssertionError("did not end within " + limit.toSeconds() + " s:\n" + end(output));
                }
            } finally {
                process.destroyForcibly();
                process.waitFor();
            }
            if (process.exitValue() != 0 || !Files.exists(report)) {
                throw new AssertionError("exit code " + process.exitValue() + ":\n" + end(output));
            }
            return new Perf(Files.readString(report));
        } finally {
            delete(directory);
        }
    }

    /** The word {@code success}, or what else it says of itself. */
    String result() {
        return summary("\"result\":\"(\\w+)\"");
    }

    /** A figure of the summary, like {@code totalSent}. */
    long count(String name) {
        return Long.parseLong(summary("\"" + name + "\":(\\d+)"));
    }

    private String summary(String pattern) {
        Matcher matcher = Pattern.compile("\"sampleType\":\"summary\".*?" + pattern).matcher(report);
        if (!matcher.find()) {
            throw new AssertionError("the report has no " + pattern + ": " + report);
        }
        return matcher.group(1);
    }

    private static String end(Path output) throws IOException {
        List<String> lines = Files.readAllLines(output, StandardCharsets.UTF_8);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
    }

    private static void delete(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }
}
