package io.millrace.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import io.millrace.config.Config.AutoCreateRule;
import io.millrace.config.Config.Http;
import io.millrace.config.Config.Listener;
import io.millrace.config.Config.QueueDefinition;
import io.millrace.config.Config.Store;
import io.millrace.config.Config.User;
import io.millrace.config.ConfigException.Mistake;
import io.millrace.config.QueueSettings.DeadLetter;
import io.millrace.config.QueueSettings.WhenFull;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigFileTest {
    private static final String HASH = "pbkdf2-sha512:1000:c2FsdA==:aGFzaGhhc2g=";

    private static Config read(String yaml) throws ConfigException {
        return read(yaml, Map.of());
    }

    private static Config read(String yaml, Map<String, String> environment) throws ConfigException {
        return ConfigFile.parse("test.yaml", yaml, name -> Optional.ofNullable(environment.get(name)));
    }

    private static List<Mistake> mistakesIn(String yaml) {
        return assertThrows(ConfigException.class, () -> read(yaml)).mistakes();
    }

    private static void assertMistake(String yaml, int line, String... parts) {
        List<Mistake> mistakes = mistakesIn(yaml);
        assertEquals(1, mistakes.size(), mistakes::toString);
        assertEquals(line, mistakes.get(0).line(), mistakes::toString);
        for (String part : parts) {
            assertTrue(mistakes.get(0).text().contains(part), () -> mistakes + " should contain: " + part);
        }
    }

    @Nested
    class Defaults {
        @ParameterizedTest
        @ValueSource(strings = {"", "# nothing but a comment\n", "---\n", "{}", "queues:\nusers:\nstore:\n"})
        void anEmptyFileIsAWorkingLoopbackBroker(String yaml) throws ConfigException {
            assertEquals(Config.defaults(), read(yaml));
        }

        @Test
        void theDefaultsAreThoseOfTheReference() throws ConfigException {
            Config config = read("");
            assertEquals(List.of(new Listener("amqp", "127.0.0.1", 5672, true)), config.listeners());
            assertEquals(Optional.of(new Http("127.0.0.1", 8672)), config.http());
            assertEquals(new Store(Path.of("data"), Optional.empty(), 256L << 20), config.store());
            assertEquals(Runtime.getRuntime().maxMemory() / 3, config.memoryBytes());
            assertEquals(1, config.eventLoops());
            assertEquals(
                    new Config.Connection(
                            65_536,
                            1023,
                            4095,
                            Duration.ofSeconds(60),
                            1L << 30,
                            1000,
                            Duration.ofMinutes(5),
                            Rate.UNLIMITED),
                    config.connection());
            QueueSettings settings = QueueSettings.DEFAULT
                    .withMaxDeliveries(10)
                    .withDeadLetter(new DeadLetter.Own())
                    .withLimits(Optional.empty(), Optional.empty(), WhenFull.REJECT);
            assertEquals(settings, config.queueDefaults());
            assertEquals(List.of(new AutoCreateRule("*", true, false, settings)), config.autoCreate());
            assertTrue(config.warnings().isEmpty());
        }
    }

    @Nested
    class Values {
        @Test
        void everyKeyIsRead() throws ConfigException {
            Config config = read("""
                    listeners:
                      - {name: inside, host: 127.0.0.1, port: 0}
                      - {name: outside, host: 0.0.0.0, port: 5673, anonymous: false}
                    http: {host: localhost, port: 9000}
                    store: {directory: /var/lib/millrace, max-bytes: 10GiB, min-free: 1MiB}
                    memory: 64MiB
                    event-loops: 3
                    connection:
                      max-frame-size: 128KiB
                      channel-max: 7
                      handle-max: 8
                      idle-timeout: 2m
                      max-message-size: 1MiB
                      link-credit: 50
                      transaction-timeout: 30s
                      max-message-rate: 1000
                      max-byte-rate: 10MiB
                    users:
                      - name: shop
                        password: %s
                        max-message-rate: unlimited
                        max-byte-rate: 1KiB
                    queue-defaults: {max-deliveries: 4, dead-letter: graveyard, max-messages: 9, max-bytes: 1KiB, when-full: drop-oldest}
                    queues:
                      - {name: orders, max-deliveries: 5, dead-letter: on, max-messages: unlimited, max-bytes: unlimited, when-full: reject}
                      - {name: ticks, dead-letter: off}
                      - {name: plain}
                    auto-create:
                      - {match: "tmp.*", create: false}
                      - {match: "*", max-messages: 77}
                    """.formatted(HASH));
            QueueSettings defaults = QueueSettings.DEFAULT
                    .withMaxDeliveries(4)
                    .withDeadLetter(new DeadLetter.To("graveyard"))
                    .withLimits(Optional.of(9L), Optional.of(1024L), WhenFull.DROP_OLDEST);
            assertEquals(
                    new Config(
                            List.of(
                                    new Listener("inside", "127.0.0.1", 0, true),
                                    new Listener("outside", "0.0.0.0", 5673, false)),
                            Optional.of(new Http("localhost", 9000)),
                            new Store(Path.of("/var/lib/millrace"), Optional.of(10L << 30), 1 << 20),
                            64 << 20,
                            3,
                            new Config.Connection(
                                    128 << 10,
                                    7,
                                    8,
                                    Duration.ofMinutes(2),
                                    1 << 20,
                                    50,
                                    Duration.ofSeconds(30),
                                    new Rate(Optional.of(1000L), Optional.of(10L << 20))),
                            List.of(new User("shop", HASH, new Rate(Optional.empty(), Optional.of(1024L)))),
                            defaults,
                            List.of(
                                    new QueueDefinition(
                                            "orders",
                                            QueueSettings.DEFAULT
                                                    .withMaxDeliveries(5)
                                                    .withDeadLetter(new DeadLetter.Own())
                                                    .withLimits(Optional.empty(), Optional.empty(), WhenFull.REJECT)),
                                    new QueueDefinition(
                                            "ticks",
                                            QueueSettings.DEFAULT
                                                    .withMaxDeliveries(4)
                                                    .withDeadLetter(new DeadLetter.Off())
                                                    .withLimits(
                                                            Optional.of(9L), Optional.of(1024L), WhenFull.DROP_OLDEST)),
                                    new QueueDefinition("plain", defaults)),
                            List.of(),
                            List.of(),
                            List.of(
                                    new AutoCreateRule("tmp.*", false, false, defaults),
                                    new AutoCreateRule(
                                            "*",
                                            true,
                                            false,
                                            QueueSettings.DEFAULT
                                                    .withMaxDeliveries(4)
                                                    .withDeadLetter(new DeadLetter.To("graveyard"))
                                                    .withLimits(
                                                            Optional.of(77L),
                                                            Optional.of(1024L),
                                                            WhenFull.DROP_OLDEST)))),
                    config);
        }

        @Test
        void httpCanBeOff() throws ConfigException {
            assertEquals(Optional.empty(), read("http: off").http());
            assertEquals(Optional.empty(), read("http: false").http());
            assertEquals(Optional.of(Http.DEFAULT), read("http: on").http());
        }

        @ParameterizedTest
        @CsvSource({"4096,4096", "4096B,4096", "64KiB,65536", "64 KiB,65536", "1MiB,1048576"})
        void sizesAreReadInTheirUnits(String text, int bytes) throws ConfigException {
            assertEquals(
                    bytes,
                    read("connection: {max-frame-size: " + text + "}")
                            .connection()
                            .maxFrameSize());
        }

        @ParameterizedTest
        @CsvSource({"500ms,500", "60s,60000", "2m,120000", "1h,3600000", "0,0"})
        void durationsAreReadInTheirUnits(String text, long millis) throws ConfigException {
            assertEquals(
                    Duration.ofMillis(millis),
                    read("connection: {idle-timeout: " + text + "}")
                            .connection()
                            .idleTimeout());
        }

        @Test
        void autoCreationWithoutRulesIsOff() throws ConfigException {
            assertFalse(read("auto-create: []").mayCreate("anything"));
        }

        @Test
        void anonymousIsTheDefaultOnLoopbackOnly() throws ConfigException {
            Config config = read("users: [{name: a, password: \"" + HASH + "\"}]\nlisteners:\n"
                    + " - {host: 0.0.0.0}\n - {host: \"::1\", port: 1}\n - {host: localhost, port: 2}");
            assertEquals(
                    List.of(false, true, true),
                    config.listeners().stream().map(Listener::anonymous).toList());
            assertEquals(
                    List.of("amqp", "amqp-2", "amqp-3"),
                    config.listeners().stream().map(Listener::name).toList());
        }

        @Test
        void aQueueThatTakesDeadMessagesHasNoDeadLetterQueue() throws ConfigException {
            Config config = read("queue-defaults: {dead-letter: graveyard}\nqueues:\n - {name: graveyard}\n"
                    + " - {name: a, dead-letter: on}\n - {name: a.dlq, max-messages: 5}");
            assertEquals(new DeadLetter.Off(), config.settingsFor("graveyard").deadLetter());
            assertEquals(new DeadLetter.Off(), config.settingsFor("a.dlq").deadLetter());
            assertEquals(Optional.of(5L), config.settingsFor("a.dlq").maxMessages());
        }
    }

    @Nested
    class Variables {
        @Test
        void areReplacedByTheirValues() throws ConfigException {
            Config config = read(
                    "store:\n  directory: ${BASE}/${NAME:-store}\nmemory: ${MEMORY:-64MiB}", Map.of("BASE", "/srv"));
            assertEquals(Path.of("/srv/store"), config.store().directory());
            assertEquals(64 << 20, config.memoryBytes());
        }

        @Test
        void anEmptyOneTakesItsDefault() throws ConfigException {
            assertEquals(
                    2, read("event-loops: ${LOOPS:-2}", Map.of("LOOPS", "")).eventLoops());
        }

        @Test
        void aValueIsNotLookedIntoForMore() throws ConfigException {
            Config config = read("queues:\n  - name: a${A}", Map.of("A", "${B}$1\\"));
            assertEquals("a${B}$1\\", config.queues().get(0).name());
        }

        @Test
        void twoDollarsMakeAPlainBrace() throws ConfigException {
            assertEquals(
                    "a${x}", read("queues:\n  - name: a$${x}").queues().get(0).name());
        }

        @Test
        void oneThatIsNotSetIsAMistake() {
            assertMistake(
                    "memory: auto\nevent-loops: ${LOOPS}", 2, "event-loops", "LOOPS is not set", "${LOOPS:-default}");
        }

        @Test
        void aBrokenReferenceIsAMistake() {
            assertMistake("store:\n  directory: ${not a name}", 2, "store.directory", "${NAME}", "$${");
        }
    }

    @Nested
    class Mistakes {
        @Test
        void areAllListedAtOnceInTheOrderOfTheirLines() {
            ConfigException refusal = assertThrows(ConfigException.class, () -> read("""
                            listners: []
                            event-loops: 0
                            connection:
                              idle-timeout: forever
                              max-frame-size: 100
                            queues:
                              - name: a
                              - name: a
                              - max-deliveries: many
                            """));
            assertEquals(
                    List.of(1, 2, 4, 5, 8, 9, 9),
                    refusal.mistakes().stream().map(Mistake::line).toList());
            assertEquals(7, refusal.getMessage().lines().count());
            refusal.getMessage().lines().forEach(line -> assertTrue(line.startsWith("test.yaml:"), line));
        }

        @Test
        void anUnknownKeyNamesTheOneThatWasMeant() {
            assertMistake("listners: []", 1, "unknown key \"listners\"", "did you mean listeners?");
            assertMistake("queues:\n - name: a\n   maxDeliveries: 3", 3, "queues[1]", "did you mean max-deliveries?");
            assertMistake("http: {prot: 1}", 1, "http: unknown key \"prot\"", "did you mean port?");
        }

        @Test
        void anUnknownKeyLikeNoOtherNamesThoseThatAreAllowed() {
            assertMistake("http: {zzz: 1}", 1, "allowed: host, port");
        }

        @ParameterizedTest
        @CsvSource(
                delimiter = '|',
                value = {
                    "event-loops: 65 | event-loops: \"65\" | from 1 to 64",
                    "event-loops: -1 | \"-1\" | from 1 to 64",
                    "event-loops: two | \"two\" | whole number",
                    "event-loops: [] | a list | single value",
                    "event-loops: {} | a mapping | single value",
                    "event-loops: | event-loops | has no value",
                    "event-loops: 99999999999999999999 | \"99999999999999999999\" | from 1 to 64",
                    "memory: lots | \"lots\" | auto, or a size from 1MiB",
                    "memory: 1 | \"1\" | from 1MiB",
                    "http: maybe | \"maybe\" | off, or a mapping",
                    "http: [] | a list | host, port",
                    "http: {port: 65536} | http.port | from 0 to 65535",
                    "http: {host: \"a b\"} | \"a b\" | host name",
                    "http: {port: 5672} | 127.0.0.1:5672 | taken by the listener amqp",
                    "store: data | \"data\" | directory, max-bytes, min-free",
                    "store: {directory: \"\"} | store.directory | path",
                    "store: {max-bytes: 1MB} | \"1MB\" | unlimited",
                    "connection: {max-frame-size: 511} | \"511\" | from 512 to 16MiB",
                    "connection: {idle-timeout: 60} | \"60\" | 60s",
                    "connection: {idle-timeout: 25h} | \"25h\" | up to 24h",
                    "connection: {max-message-size: 2TiB} | \"2TiB\" | to 1TiB",
                    "listeners: [] | listeners | at least one",
                    "listeners: 5672 | \"5672\" | a list",
                    "listeners: [5672] | listeners[1] | name, host, port, anonymous",
                    "listeners: [{anonymous: maybe}] | listeners[1].anonymous | true or false",
                    "listeners: [{anonymous: false}] | nobody could log in | add users",
                    "users: [{name: a}] | users[1] | password is missing",
                    "queues: [{name: \"\"}] | queues[1].name | must not be empty",
                    "queues: [{name: [a]}] | queues[1].name | single value",
                    "queues: [null] | queues[1] | is empty",
                    "queues: [{max-messages: 1}] | queues[1] | name is missing",
                    "queues: [{name: a, max-messages: 0}] | \"0\" | unlimited",
                    "connection: {max-message-rate: 0} | \"0\" | a whole number from 1 to 1000000000, or unlimited",
                    "connection: {max-message-rate: 10/s} | \"10/s\" | messages in a second",
                    "connection: {max-byte-rate: 2TiB} | \"2TiB\" | a size from 1 to 1TiB",
                    "queues: [{name: a, max-deliveries: 0}] | \"0\" | from 1",
                    "queues: [{name: a, when-full: explode}] | \"explode\" | reject or drop-oldest",
                    "queues: [{name: a, dead-letter: \"\"}] | queues[1].dead-letter | must not be empty",
                    "queues: [{name: a, dead-letter: a}] | the queue itself | on or off",
                    "queues: [{name: /a}] | \"/a\" | plain name",
                    "queues: [{name: \"queue://a\"}] | \"queue://a\" | plain name",
                    "queues: [{name: $management}] | $management | begin with $",
                    "auto-create: [{create: true}] | auto-create[1] | match is missing",
                    "'auto-create: [{match: \"*\"}, {match: \"*\"}]' | two rules for \"*\" | only the first",
                    "42 | \"42\" | listeners, http, store",
                    "- a | a list | listeners, http, store"
                })
        void eachNamesTheValueAndWhatIsAllowed(String yaml, String value, String allowed) {
            assertMistake(yaml, 1, value, allowed);
        }

        @Test
        void theRatesOfUsersAreCheckedLikeThoseOfConnections() {
            String user = "users:\n - name: a\n   password: \"" + HASH + "\"\n   ";
            assertMistake(user + "max-message-rate: 0", 4, "\"0\"", "from 1 to 1000000000, or unlimited");
            assertMistake(user + "max-message-rate: -5", 4, "\"-5\"", "messages in a second");
            assertMistake(user + "max-message-rate: 1000000001", 4, "\"1000000001\"", "from 1 to 1000000000");
            assertMistake(user + "max-message-rate: 10/s", 4, "\"10/s\"", "messages in a second");
            assertMistake(user + "max-byte-rate: 0", 4, "\"0\"", "a size from 1 to 1TiB");
            assertMistake(user + "max-byte-rate: 2TiB", 4, "\"2TiB\"", "a size from 1 to 1TiB");
            assertMistake(user + "max-byte-rate: fast", 4, "\"fast\"", "a size from 1 to 1TiB");
            assertMistake(user + "message-rate: 10", 4, "message-rate", "max-message-rate");
        }

        @Test
        void duplicatesAreNamedInTheLineOfTheSecond() {
            assertMistake("memory: auto\nmemory: auto", 2, "memory", "already, in line 1");
            assertMistake("queues:\n - name: a\n - name: a", 3, "two queues named \"a\"");
            assertMistake(
                    "users:\n - {name: a, password: \"" + HASH + "\"}\n - {name: a, password: \"" + HASH + "\"}",
                    3,
                    "two users named \"a\"");
            assertMistake("listeners:\n - {name: a, port: 1}\n - {name: a, port: 2}", 3, "two listeners named \"a\"");
            assertMistake("listeners:\n - {name: a}\n - {name: b}", 3, "127.0.0.1:5672", "taken by the listener a");
        }

        @Test
        void twoListenersMayBothAskForAnyFreePort() throws ConfigException {
            assertEquals(
                    2, read("listeners: [{port: 0}, {port: 0}]").listeners().size());
        }

        @Test
        void aChainOfDeadLetterQueuesIsRefused() {
            assertMistake(
                    "queues:\n - {name: a, dead-letter: b}\n - {name: b, dead-letter: c}",
                    3,
                    "\"b\" takes the dead messages of another queue");
            assertMistake("queues:\n - {name: a}\n - {name: a.dlq, dead-letter: on}", 3, "\"a.dlq\" takes");
        }

        @Test
        void aPlainPasswordIsNotRepeated() {
            assertMistake("users:\n - name: a\n   password: hunter2", 3, "password", "hash-password");
            assertFalse(mistakesIn("users: [{name: a, password: hunter2}]")
                    .toString()
                    .contains("hunter2"));
        }

        @Test
        void yamlThatIsNestedWithoutEndIsAMistakeLikeAnyOther() {
            assertMistake(
                    "queues: " + "[".repeat(50_000) + "]".repeat(50_000), 0, "not valid YAML", "nested too deeply");
        }

        @Test
        void brokenYamlIsNamedWithItsLine() {
            assertMistake("memory: auto\nqueues: [\n", 3, "not valid YAML");
            assertMistake("memory: auto\n\tqueues: []\n", 2, "not valid YAML");
            assertMistake("memory: auto\n--- \nmemory: auto\n", 2, "not valid YAML");
            assertMistake("memory: auto\nqueues: *nowhere\n", 2, "not valid YAML");
            assertMistake("memory: auto\nstore: \"\u0001\"\n", 2, "not valid YAML", "U+0001");
        }

        @Test
        void aKeyThatIsNoTextIsAMistake() {
            assertMistake("{[a]: b}", 1, "a key must be plain text");
        }
    }

    @Nested
    class OnDisk {
        @TempDir
        Path directory;

        private List<Mistake> loading(Path file) {
            return assertThrows(ConfigException.class, () -> ConfigFile.load(file))
                    .mistakes();
        }

        @Test
        void aFileIsLoaded() throws IOException, ConfigException {
            Path file = Files.writeString(directory.resolve("a.yaml"), "event-loops: 2");
            assertEquals(2, ConfigFile.load(file).eventLoops());
        }

        @Test
        void aMissingFileIsNamedWithTheWholePath() {
            Path file = directory.resolve("missing.yaml");
            String text = loading(file).toString();
            assertTrue(
                    text.contains("no such file")
                            && text.contains(file.toAbsolutePath().toString()),
                    text);
        }

        @Test
        void aDirectoryIsNoFile() {
            assertTrue(loading(directory).toString().contains("is a directory"));
        }

        @Test
        void aFileThatMayNotBeReadIsNamedWithTheUser() throws IOException {
            Path file = Files.writeString(directory.resolve("secret.yaml"), "");
            assertTrue(file.toFile().setReadable(false, false));
            assumeFalse(Files.isReadable(file), "this user may read everything");
            assertTrue(loading(file).toString().contains("may not read"));
        }

        @Test
        void aFileThatIsNotTextIsRefused() throws IOException {
            Path file = Files.write(directory.resolve("binary.yaml"), new byte[] {(byte) 0xff, (byte) 0xfe, 0});
            assertTrue(loading(file).toString().contains("UTF-8"));
        }

        @Test
        void aHugeFileIsRefusedUnread() throws IOException {
            Path file = Files.write(directory.resolve("huge.yaml"), new byte[(4 << 20) + 1]);
            assertTrue(loading(file).toString().contains("larger than 4MiB"));
        }
    }
}
