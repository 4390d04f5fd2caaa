package io.millrace.conformance.jmeter;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/** A test plan, run by JMeter without its window in a process of its own, and the samples it has written. */
final class Plan {
    private static final Path HOME = Path.of("target", "jmeter");

    private final List<Sample> samples;

    private Plan(List<Sample> samples) {
        this.samples = samples;
    }

    /**
     * A line of the results.
     *
     * @param label the name of the sampler
     * @param message what it says of itself
     * @param response what it received, or words instead
     */
    record Sample(String label, boolean success, String message, String response) {}

    /** Runs a plan of the folder {@code plans} to its end; the properties are those that it asks for. */
    static Plan run(Duration limit, String name, Path directory, Map<String, String> properties) throws Exception {
        Path results = directory.resolve(name + ".jtl");
        Path log = directory.resolve(name + ".log");
        // JMeter's launcher looks for it, and says so if it is not there.
        Files.createDirectories(HOME.resolve("lib").resolve("junit"));
        List<String> line = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-Djava.awt.headless=true"));
        line.addAll(List.of("-jar", HOME.resolve("bin").resolve("ApacheJMeter.jar").toString(), "-n"));
        line.addAll(List.of("-t", "plans/" + name + ".jmx", "-l", results.toString(), "-j", log.toString()));
        line.add("-Jjmeterengine.nongui.port=0");
        line.add("-Jjmeter.save.saveservice.output_format=xml");
        line.add("-Jjmeter.save.saveservice.response_data=true");
        properties.forEach((key, value) -> line.add("-J" + key + "=" + value));
        Process process = new ProcessBuilder(line)
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve(name + ".out").toFile())
                .start();
        try {
            if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError("did not end within " + limit.toSeconds() + " s:\n" + end(log));
            }
        } finally {
            process.destroyForcibly();
            process.waitFor();
        }
        if (process.exitValue() != 0 || !Files.exists(results)) {
            Path output = directory.resolve(name + ".out");
            throw new AssertionError("exit code " + process.exitValue() + ":\n" + end(output));
        }
        Plan plan = new Plan(read(results));
        plan.samples.stream().filter(sample -> !sample.success()).findFirst().ifPresent(failed -> {
            throw new AssertionError("a sample failed: " + failed);
        });
        return plan;
    }

    /** All samples of a sampler. */
    List<Sample> of(String label) {
        return samples.stream().filter(sample -> sample.label().equals(label)).toList();
    }

    private static List<Sample> read(Path results) throws Exception {
        NodeList nodes = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(results.toFile())
                .getElementsByTagName("sample");
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            Element node = (Element) nodes.item(i);
            samples.add(new Sample(
                    node.getAttribute("lb"),
                    Boolean.parseBoolean(node.getAttribute("s")),
                    node.getAttribute("rm"),
                    node.getTextContent().strip()));
        }
        return samples;
    }

    private static String end(Path file) throws IOException {
        if (!Files.exists(file)) {
            return "";
        }
        List<String> lines = Files.readAllLines(file, StandardCharsets.UTF_8);
        return String.join("\n", lines.subList(Math.max(0, lines.size() - 20), lines.size()));
    }
}
