package io.millrace.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.Config.Listener;
import io.millrace.config.Config.QueueDefinition;
import io.millrace.config.QueueSettings.DeadLetter;
import io.millrace.config.QueueSettings.WhenFull;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** What ships beside the code says the same as the code. */
class ReferenceTest {
    private static final String HASH = "pbkdf2-sha512:1000:c2FsdA==:aGFzaGhhc2g=";

    private final String reference = read("config/README.md");

    private static String read(String file) {
        try {
            return Files.readString(Path.of(file));
        } catch (IOException e) {
            throw new AssertionError("run the tests in the directory of the project", e);
        }
    }

    private static List<String> undocumented(String reference) {
        List<String> undocumented = new ArrayList<>();
        Keys.all().forEach((section, keys) -> {
            String text = chapter(reference, section);
            for (String key : keys) {
                boolean there = text.contains("\n| `" + key + "` |");
                boolean asSetting = text.contains("\n| the settings above |") && Keys.SETTINGS.contains(key);
                if (!there && !asSetting) {
                    undocumented.add(section + "." + key);
                }
            }
        });
        return undocumented;
    }

    private static String chapter(String reference, String section) {
        String title =
                switch (section) {
                    case "" -> "## All keys\n";
                    case "queue-defaults" -> "### Settings of a queue\n";
                    default -> "### " + section + "\n";
                };
        int start = reference.indexOf(title);
        assertTrue(start >= 0, "no chapter " + title);
        int end = reference.indexOf("\n##", start + title.length());
        return reference.substring(start, end);
    }

    @Test
    void everyKeyIsInItsChapterOfTheReference() {
        assertEquals(List.of(), undocumented(reference));
    }

    @Test
    void aKeyThatIsMissingInTheReferenceIsFound() {
        assertEquals(List.of("connection.handle-max"), undocumented(reference.replace("\n| `handle-max` |", "\n| |")));
    }

    @Test
    void everyExampleInTheReferenceLoads() throws ConfigException {
        Matcher example = Pattern.compile("```yaml\n(.*?)```", Pattern.DOTALL).matcher(reference);
        int examples = 0;
        while (example.find()) {
            ConfigFile.parse("example " + ++examples, example.group(1), name -> Optional.empty());
        }
        assertTrue(examples >= 8, examples + " examples");
    }

    @Test
    void theShippedFileIsForThisMachineAlone() throws ConfigException {
        Config config = ConfigFile.load(Path.of("config/millrace.yaml"));
        assertEquals(List.of(new Listener("amqp", "127.0.0.1", 5672, true)), config.listeners());
        assertEquals(Optional.of(new Config.Http("127.0.0.1", 8672)), config.http());
        assertEquals(List.of(), config.warnings());
        assertEquals(
                List.of("orders", "invoices", "ticks"),
                config.queues().stream().map(QueueDefinition::name).toList());
        assertEquals(5, config.settingsFor("orders").maxDeliveries());
        assertEquals(new DeadLetter.Own(), config.settingsFor("orders").deadLetter());
        assertEquals(WhenFull.DROP_OLDEST, config.settingsFor("ticks").whenFull());
        assertTrue(config.mayCreate("anything"));
    }

    @Test
    void theFileForContainersLetsInUsersOnly() throws ConfigException {
        Map<String, String> environment = Map.of("MILLRACE_PASSWORD_HASH", HASH);
        Config config =
                ConfigFile.load(Path.of("docker/millrace.yaml"), name -> Optional.ofNullable(environment.get(name)));
        assertEquals(List.of(new Listener("amqp", "0.0.0.0", 5672, false)), config.listeners());
        assertEquals(Optional.of(new Config.Http("0.0.0.0", 8672)), config.http());
        assertEquals(List.of(new Config.User("millrace", HASH)), config.users());
        assertEquals(Path.of("/data"), config.store().directory());
        assertEquals(List.of(), config.warnings());
    }

    @Test
    void theFileForContainersDoesNotLoadWithoutAPassword() {
        for (Optional<String> hash : List.of(Optional.<String>empty(), Optional.of(""))) {
            try {
                ConfigFile.load(
                        Path.of("docker/millrace.yaml"), name -> hash.filter(it -> name.endsWith("PASSWORD_HASH")));
            } catch (ConfigException e) {
                assertEquals(1, e.mistakes().size(), e::getMessage);
                assertTrue(e.getMessage().contains("users[1].password"), e::getMessage);
                assertTrue(
                        e.getMessage().contains("; make one with: java -jar millrace.jar hash-password"),
                        e::getMessage);
                continue;
            }
            throw new AssertionError("loaded without a password");
        }
    }
}
