package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The entry point of the image, with a {@code java} that only says what it is asked. */
@DisabledOnOs(OS.WINDOWS)
class EntryPointTest {
    private static final String CONFIG = "--config /etc/millrace/millrace.yaml";

    @TempDir
    private Path directory;

    /** What the program is given. */
    private String given(String arguments) throws Exception {
        Path java = Files.writeString(directory.resolve("java"), "#!/bin/sh\necho \"$@\"\n");
        assertTrue(java.toFile().setExecutable(true));
        List<String> command = new ArrayList<>(List.of("sh", "docker/entrypoint.sh"));
        if (!arguments.isEmpty()) {
            command.addAll(List.of(arguments.split(" ")));
        }
        ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
        builder.environment().merge("PATH", directory.toString(), (path, first) -> first + ":" + path);
        Process process = builder.start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), said);
        String jar = "-jar /app/millrace.jar";
        assertTrue(said.contains(jar), said);
        return said.substring(said.indexOf(jar) + jar.length()).strip();
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--check-config", "--confg x"})
    void takesTheConfigOfTheImageForTheBroker(String arguments) throws Exception {
        assertEquals((CONFIG + " " + arguments).strip(), given(arguments));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--config /mine.yaml",
                "--check-config --config=/mine.yaml",
                "-c /mine.yaml --check-config",
                "-c/mine.yaml",
                "bench amqp://broker:5672 --messages 1",
                "health --url http://127.0.0.1:8672",
                "hash-password --user shop",
                "help bench",
                "--help",
                "-h",
                "--version",
                "-V"
            })
    void leavesAnotherConfigAndOtherCommandsAlone(String arguments) throws Exception {
        assertEquals(arguments, given(arguments));
    }
}
