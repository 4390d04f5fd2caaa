package io.millrace.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.Config;
import io.millrace.config.ConfigFile;
import io.millrace.main.Millrace;
import io.millrace.security.PasswordHash;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The load generator against a whole broker. */
@Timeout(60)
class BenchTest {
    @TempDir
    private Path directory;

    private Millrace broker;
    private final CompletableFuture<Runnable> stop = new CompletableFuture<>();
    private String said = "";

    @BeforeEach
    void start() throws Exception {
        String yaml = """
                listeners: [{name: test, host: 127.0.0.1, port: 0, anonymous: true}]
                http: off
                event-loops: 2
                store: {directory: "%s"}
                queues:
                  - {name: small, max-messages: 10}
                """.formatted(directory.resolve("data"));
        Config config = ConfigFile.parse("test", yaml, name -> Optional.empty());
        broker = Millrace.start(config);
    }

    @AfterEach
    void end() {
        broker.close();
    }

    private int run(String... arguments) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8)) {
            return new CommandLine(new BenchCommand("test", stop::complete, out, out)).execute(arguments);
        } finally {
            said = bytes.toString(StandardCharsets.UTF_8);
        }
    }

    private JsonObject report(int exitCode, String... arguments) throws Exception {
        Path file = directory.resolve("report.json");
        List<String> all = new ArrayList<>(List.of("amqp://127.0.0.1:" + broker.port(), "--json", file.toString()));
        all.addAll(List.of(arguments));
        int code = run(all.toArray(new String[0]));
        assertEquals(exitCode, code, () -> said);
        return new JsonObject(Files.readString(file));
    }

    private static void assertTotals(JsonObject report, long sent, long received) {
        JsonObject totals = report.getJsonObject("totals");
        assertEquals(sent, totals.getLong("sent"), totals::encode);
        assertEquals(sent, totals.getLong("accepted"), totals::encode);
        assertEquals(received, totals.getLong("received"), totals::encode);
        assertEquals(0, totals.getLong("lost", 0L), totals::encode);
        assertEquals(0, totals.getLong("duplicates", 0L), totals::encode);
        assertEquals(0, totals.getLong("outOfOrder", 0L), totals::encode);
    }

    @Test
    void countsEachMessageOnce() throws Exception {
        JsonObject report = report(0, "--messages", "1001", "--producers", "3", "--consumers", "2", "--warmup", "100");
        assertTotals(report, 1101, 1101);
        assertEquals(1001, report.getJsonObject("totals").getLong("measuredAnswered"));
        assertEquals(1001, report.getJsonObject("totals").getLong("measuredReceived"));
        assertEquals(
                1001,
                report.getJsonObject("latencyMicros").getJsonObject("endToEnd").getLong("count"));
        assertFalse(report.getJsonArray("series").isEmpty());
    }

    @Test
    void countsWhatMessagesCostAfterThoseOfTheWarmUp() throws Exception {
        String pid = Long.toString(ProcessHandle.current().pid());
        JsonObject costs = report(0, "--messages", "20000", "--warmup", "30000", "--broker-pid", pid)
                .getJsonObject("costs");
        long sides = costs.getLong("messagesOfASide");
        assertTrue(sides > 0 && sides <= 40_000 + 10_000, costs::encode);
    }

    @Test
    void givesEveryMessageOfATopicToEachSubscriber() throws Exception {
        assertTotals(
                report(
                        0,
                        "--topic",
                        "--address",
                        "news",
                        "--subscribers",
                        "3",
                        "--messages",
                        "500",
                        "--durable-subscriptions"),
                500,
                1500);
    }

    @Test
    void sendsAndAcceptsInTransactions() throws Exception {
        JsonObject report =
                report(0, "--messages", "1050", "--transaction-size", "100", "--consume-transaction-size", "40");
        assertTotals(report, 1050, 1050);
        assertEquals(11, report.getJsonObject("totals").getLong("transactions"));
        assertEquals(
                11,
                report.getJsonObject("latencyMicros")
                        .getJsonObject("transaction")
                        .getLong("count"));
        // What was accepted in transactions, the last of them short, is not there any more.
        assertEquals(
                0,
                report(0, "--drain", "--empty-after", "300ms")
                        .getJsonObject("totals")
                        .getLong("received"));
    }

    @Test
    void sendsPreSettled() throws Exception {
        JsonObject report = report(0, "--presettled", "--messages", "2000");
        assertTotals(report, 2000, 2000);
        assertFalse(report.getJsonObject("latencyMicros").containsKey("acknowledged"));
    }

    @Test
    void saysInEachMessageWhereToWithoutAnAddress() throws Exception {
        assertTotals(
                report(
                        0,
                        "--anonymous",
                        "--addresses",
                        "2",
                        "--producers",
                        "2",
                        "--consumers",
                        "2",
                        "--messages",
                        "100"),
                100,
                100);
    }

    @Test
    void asksForACapability() throws Exception {
        assertEquals(1, run("amqp://127.0.0.1:" + broker.port(), "--address", "small", "--capability", "topic"), said);
        assertTrue(said.contains("'small' is a queue"), said);
    }

    @Test
    void tellsWhatTheBrokerTook() throws Exception {
        String own = Long.toString(ProcessHandle.current().pid());
        JsonObject report = report(0, "--messages", "1000", "--broker-pid", own);
        JsonObject costs = report.getJsonObject("costs");
        assertEquals(ProcessHandle.current().pid(), costs.getLong("brokerPid"));
        assertTrue(costs.getDouble("brokerCpuMicrosPerMessage") > 0, costs::encode);
        assertTrue(costs.getLong("brokerResidentBytes") > 1 << 20, costs::encode);
    }

    @Test
    void sharesConnections() throws Exception {
        assertTotals(
                report(0, "--connections", "1", "--producers", "4", "--consumers", "4", "--messages", "400"), 400, 400);
    }

    @Test
    void sendsLargeMessagesInManyFrames() throws Exception {
        assertTotals(report(0, "--size", "3MiB", "--messages", "5"), 5, 5);
    }

    @Test
    void fillsAndDrainsAQueue() throws Exception {
        assertTotals(report(0, "--fill", "--messages", "300"), 300, 0);
        JsonObject some = report(0, "--drain", "--messages", "120");
        assertEquals(120, some.getJsonObject("totals").getLong("received"));
        JsonObject rest = report(0, "--drain", "--empty-after", "500ms");
        assertEquals(180, rest.getJsonObject("totals").getLong("measuredReceived"));
    }

    @Test
    void keepsARateFromTheFirstMessageOn() throws Exception {
        JsonObject report = report(0, "--rate", "1000", "--messages", "501", "--producers", "2");
        assertTotals(report, 501, 501);
        // The last is due half a second after the first, and cannot be answered before.
        assertTrue(report.getJsonObject("rates").getDouble("sendSeconds") >= 0.5, report::encode);
        assertEquals(
                501,
                report.getJsonObject("latencyMicros").getJsonObject("sentLate").getLong("count"));
    }

    @Test
    void countsRejectionsByTheirCondition() throws Exception {
        JsonObject totals =
                report(0, "--fill", "--address", "small", "--messages", "25").getJsonObject("totals");
        assertEquals(10, totals.getLong("accepted"));
        JsonObject refusals = totals.getJsonObject("refusals");
        assertEquals(
                15L, refusals.stream().mapToLong(each -> (int) each.getValue()).sum(), refusals::encode);
        assertTrue(refusals.encode().contains("amqp:resource-limit-exceeded"), refusals::encode);
    }

    @Test
    void endsWithTheReasonWhenALinkIsRefused() throws Exception {
        JsonObject report = report(1, "--topic", "--fill", "--address", "news.*", "--messages", "1");
        assertTrue(report.getString("failure").contains("amqp:invalid-field"), report::encode);
    }

    /** The broker lets in the user {@code shop} with the password {@code p@ss:/+} only. */
    private void startForUsersOnly() throws Exception {
        broker.close();
        String yaml = """
                listeners: [{name: test, host: 127.0.0.1, port: 0, anonymous: false}]
                http: off
                store: {directory: "%s"}
                users: [{name: shop, password: "%s"}]
                """.formatted(directory.resolve("users"), PasswordHash.of("p@ss:/+"));
        broker = Millrace.start(ConfigFile.parse("test", yaml, name -> Optional.empty()));
    }

    @Nested
    class Users {
        @BeforeEach
        void start() throws Exception {
            startForUsersOnly();
        }

        @Test
        void comeInWithAPasswordWhoseSpecialCharactersArePercentEncoded() {
            assertEquals(0, run("amqp://shop:p%40ss%3A%2F+@127.0.0.1:" + broker.port(), "--messages", "1"), said);
        }

        @Test
        void hearThatTheirPasswordIsWrong() {
            assertEquals(1, run("amqp://shop:wrong@127.0.0.1:" + broker.port(), "--messages", "1"));
            assertTrue(said.contains("FAILED: wrong user or password (SASL PLAIN)\n"), said);
        }

        @Test
        void areAskedForWhenThereIsNone() {
            assertEquals(1, run("amqp://127.0.0.1:" + broker.port(), "--messages", "1"));
            assertTrue(said.contains("FAILED: the broker wants a user: amqp://USER:PASSWORD@HOST[:PORT]\n"), said);
        }
    }

    @Nested
    class APortThatIsSilent {
        private ServerSocket silent;

        @BeforeEach
        void listen() throws Exception {
            silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress());
        }

        @AfterEach
        void close() throws Exception {
            silent.close();
        }

        private int runInto(String... more) {
            List<String> all = new ArrayList<>(List.of("amqp://127.0.0.1:" + silent.getLocalPort()));
            all.addAll(List.of("--stall-limit", "500ms"));
            all.addAll(List.of(more));
            return run(all.toArray(new String[0]));
        }

        @Test
        void isSaidToGiveNoAnswerInAmqp() {
            assertEquals(1, runInto(), said);
            assertTrue(
                    said.contains("no AMQP answer from 127.0.0.1:" + silent.getLocalPort()
                            + " in 0.5 s: is that an AMQP 1.0 port?"),
                    said);
            assertFalse(said.contains("lost 0"), said);
        }

        @Test
        void hasAReportThatIsComparedWithAWarning() {
            String json = directory.resolve("failed.json").toString();
            assertEquals(1, runInto("--json", json), said);
            String page = directory.resolve("page.html").toString();
            assertEquals(0, run("--compare", json, "--html", page), said);
            assertTrue(said.startsWith("millrace: " + json + ": this run failed: no AMQP answer from "), said);
        }
    }

    @Test
    void saysWhoWaitsForWhatWhenNothingMoves() throws Exception {
        // The queue holds what it has no room for.
        broker.close();
        String yaml = """
                listeners: [{name: test, host: 127.0.0.1, port: 0, anonymous: true}]
                http: off
                store: {directory: "%s"}
                queues: [{name: full, max-messages: 1, hold: 1h}]
                """.formatted(directory.resolve("full"));
        broker = Millrace.start(ConfigFile.parse("test", yaml, name -> Optional.empty()));
        String url = "amqp://127.0.0.1:" + broker.port();
        assertEquals(
                1, run(url, "--address", "full", "--fill", "--messages", "5", "--stall-limit", "500ms"), () -> said);
        assertTrue(said.contains("nothing has moved for 0.5 s while waiting for "), said);
        assertTrue(said.contains(": 1 producer waits for "), said);
    }

    @Test
    void reportsWhatThereIsWhenItIsStopped() throws Exception {
        CompletableFuture<Void> stopped = stop.thenAccept(
                stopping -> CompletableFuture.delayedExecutor(300, java.util.concurrent.TimeUnit.MILLISECONDS)
                        .execute(stopping));
        JsonObject report = report(0, "--duration", "1h");
        stopped.join();
        assertTrue(report.getBoolean("stopped"));
        assertEquals(0, report.getJsonObject("totals").getLong("lost"), report::encode);
    }

    @Test
    void theLinesOfTheReadmeRunOneAfterTheOther() throws Exception {
        List<String> lines = Files.readAllLines(Path.of("README.md")).stream()
                .filter(line -> line.startsWith("java -jar millrace.jar bench "))
                .toList();
        assertEquals(3, lines.size(), lines::toString);
        for (String line : lines) {
            List<String> words = new ArrayList<>(List.of(line.replaceAll("^.* bench | #.*", "")
                    .replace("amqp://127.0.0.1:5672", "amqp://127.0.0.1:" + broker.port())
                    .replaceAll("\\b\\d+s\\b", "200ms")
                    .split(" +")));
            words.replaceAll(word ->
                    word.matches(".*\\.(json|html)") ? directory.resolve(word).toString() : word);
            if (!line.contains("--duration") && !line.contains("--compare")) {
                words.addAll(List.of("--duration", "200ms"));
            }
            assertEquals(0, run(words.toArray(new String[0])), () -> line + "\n" + said);
        }
        assertTrue(Files.readString(directory.resolve("comparison.html")).contains("bench-topic"));
    }

    @Nested
    class ThePage {
        @Test
        void holdsTheDataOfAllReportsAndNeedsNothingElse() throws Exception {
            report(0, "--messages", "50", "--label", "first </script>");
            Path page = directory.resolve("page.html");
            String json = directory.resolve("report.json").toString();
            assertEquals(0, run("--compare", json, json, "--html", page.toString()), said);
            String html = Files.readString(page);
            assertTrue(html.contains("first \\u003c/script>"), "the label must not end the script");
            assertTrue(html.contains("uPlot") && html.contains("\"endToEnd\""));
            assertFalse(html.matches("(?s).*@[A-Z_]+@.*"), "a place of the template is left");
            assertFalse(html.matches("(?s).*<(script|link|img)[^>]+(src|href)=.*"), "the page needs the network");
        }
    }

    @Nested
    class Comparing {
        private void assertRefused(String file, String words) {
            String page = directory.resolve("page.html").toString();
            assertEquals(2, run("--compare", file, "--html", page), said);
            assertEquals("millrace: " + file + words + "\n", said.replace(System.lineSeparator(), "\n"));
            assertTrue(Files.notExists(Path.of(page)));
        }

        @Test
        void tellsOfAFileThatIsNotThere() {
            assertRefused(directory.resolve("nope.json").toString(), ": there is no such file");
        }

        @Test
        void tellsWhereAFileCeasesToBeAReport() throws Exception {
            Path file = directory.resolve("broken.json");
            Files.writeString(file, "{\"a\": oops}");
            assertRefused(file.toString(), " is not a report of --json (line 1, column 11)");
            Files.writeString(file, "[1, 2]");
            assertRefused(file.toString(), " is not a report of --json");
            Files.writeString(file, "{\"format\": \"x\"}");
            assertRefused(file.toString(), " is not a report of --json");
            Files.writeString(file, "{\"format\": 99}");
            assertRefused(file.toString(), " is a report of another version");
        }

        @Test
        void warnsOfARunThatLostMessages() throws Exception {
            report(0, "--messages", "5");
            Path file = directory.resolve("report.json");
            Files.writeString(
                    file,
                    new JsonObject(Files.readString(file)).put("good", false).encode());
            String page = directory.resolve("page.html").toString();
            assertEquals(0, run("--compare", file.toString(), "--html", page), said);
            assertTrue(said.contains("this run failed: accepted messages were lost or came twice"), said);
        }
    }

    @Nested
    class Mistakes {
        @Test
        void areAllSaidAtOnceAndNothingIsSent() {
            assertEquals(2, run("http://127.0.0.1", "--size", "3", "--fill", "--drain"));
            assertTrue(
                    said.contains("\"http://127.0.0.1\" is not a URL of the form amqp://[USER:PASSWORD@]HOST[:PORT]\n"),
                    said);
            assertTrue(said.contains("--size must be at least 24"), said);
            assertTrue(said.contains("--fill and --drain"), said);
        }

        @Test
        void inTheUrlAreShownWithoutThePassword() {
            assertEquals(2, run("amqp://shop:p@ss/word@broker:5672"));
            assertTrue(
                    said.contains("\"amqp://shop:***@broker:5672\" is not a URL of the form"
                            + " amqp://[USER:PASSWORD@]HOST[:PORT]; special characters of user and password are"
                            + " percent-encoded"),
                    said);
            assertEquals(2, run("127.0.0.1:5672"));
            assertTrue(said.contains("\"127.0.0.1:5672\" is not a URL of the form"), said);
            assertEquals(2, run("amqps://shop:secret@broker"));
            assertTrue(said.contains("\"amqps://shop:***@broker\": there is no TLS in bench; use amqp://"), said);
        }
    }
}
