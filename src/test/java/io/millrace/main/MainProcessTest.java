package io.millrace.main;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Pattern;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The real process: its exit codes, what it says, and how it takes signals. */
@Timeout(60)
@DisabledOnOs(OS.WINDOWS) // signals are sent with kill
class MainProcessTest {
    @TempDir
    private Path directory;

    private final List<Millraced> processes = new ArrayList<>();

    @AfterEach
    void killWhatIsLeft() throws InterruptedException {
        for (Millraced each : processes) {
            each.kill();
        }
    }

    private Millraced run(String... arguments) throws IOException {
        Millraced process = new Millraced(directory, arguments);
        processes.add(process);
        return process;
    }

    private Millraced runWith(String yaml) throws IOException {
        Path file = directory.resolve("test-" + processes.size() + ".yaml");
        Files.writeString(file, yaml);
        return run("--config", file.toString());
    }

    private static String yaml(int port, String store) {
        return "listeners:\n  - name: amqp\n    host: 127.0.0.1\n    port: " + port
                + "\nhttp: off\nstore:\n  directory: " + store + "\n";
    }

    @Nested
    class Refuses {
        @Test
        void aBadConfigWithEveryMistakeAtOnce() throws Exception {
            Millraced process = runWith("listeners:\n  - port: 99999\nquees: []\n");
            assertEquals(2, process.exitCode());
            process.assertSaid("test-0.yaml:2", "99999", "test-0.yaml:3", "quees", "2 mistakes", "nothing was started");
        }

        @Test
        void aSelectorThatIsNoneWithItsLineAndPosition() throws Exception {
            Millraced process = runWith("forward:\n  - from: a\n    to: b\n    selector: \"x = \"\n");
            assertEquals(2, process.exitCode());
            process.assertSaid("test-0.yaml:4", "forward[1].selector", "character", "1 mistake");
        }

        @Test
        void aConfigThatIsNotThere() throws Exception {
            Millraced process = run("--config", "missing.yaml");
            assertEquals(2, process.exitCode());
            process.assertSaid("missing.yaml");
        }

        @Test
        void anOptionThatDoesNotExist() throws Exception {
            Millraced process = run("--confg", "x");
            assertEquals(2, process.exitCode());
            process.assertSaid("Unknown options: '--confg'", "Possible solutions: --config");
        }

        @Test
        void aPortThatIsTaken() throws Exception {
            try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                Millraced process = runWith(yaml(taken.getLocalPort(), "data"));
                assertEquals(3, process.exitCode());
                process.assertSaid("127.0.0.1:" + taken.getLocalPort(), "listener amqp", "taken");
            }
        }

        @Test
        void aStoreThatAnotherProcessHasOpen() throws Exception {
            Millraced first = runWith(yaml(0, "data"));
            first.port();
            Millraced second = runWith(yaml(0, "data"));
            assertEquals(4, second.exitCode());
            second.assertSaid("store in " + directory.resolve("data"));
        }

        @Test
        void aStoreThatIsNone() throws Exception {
            Files.createDirectories(directory.resolve("data"));
            Files.write(directory.resolve("data").resolve("millrace.mv"), new byte[64 << 10]);
            Millraced process = runWith(yaml(0, "data"));
            assertEquals(4, process.exitCode());
            process.assertSaid("millrace.mv");
        }

        @Test
        void aStoreDirectoryThatCannotBeMade() throws Exception {
            Files.writeString(directory.resolve("data"), "a file, not a directory");
            Millraced process = runWith(yaml(0, "data"));
            assertEquals(4, process.exitCode());
            process.assertSaid(directory.resolve("data") + " is a file, not a directory");
        }
    }

    @Nested
    class OnASignal {
        /** The protocol header without SASL, and open{container-id: "t"} on channel 0. */
        private static final byte[] OPEN = {
            'A',
            'M',
            'Q',
            'P',
            0,
            1,
            0,
            0,
            0,
            0,
            0,
            17,
            2,
            0,
            0,
            0,
            0,
            0x53,
            0x10,
            (byte) 0xc0,
            4,
            1,
            (byte) 0xa1,
            1,
            't'
        };

        /** Opens a connection without SASL and reads until the broker closes it. */
        private byte[] openAndReadAll(int port, Millraced process) throws Exception {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setSoTimeout(30_000);
                socket.getOutputStream().write(OPEN);
                process.await(Pattern.compile("as container 't'"));
                process.signal("TERM");
                return socket.getInputStream().readAllBytes();
            }
        }

        @Test
        void tellsClientsAndExitsWithZero() throws Exception {
            Millraced process = runWith(yaml(0, "data"));
            byte[] answer = openAndReadAll(process.port(), process);
            assertEquals(0, process.exitCode());
            String text = UTF_8.decode(ByteBuffer.wrap(answer)).toString();
            assertTrue(text.contains("amqp:connection:forced"), text);
            process.assertSaid("config: ", "SIGTERM", "stopped");
        }

        @Test
        void thatComesDuringTheStartEndsItInOrder() throws Exception {
            Millraced process = runWith(yaml(0, "data"));
            Path store = directory.resolve("data").resolve("millrace.mv");
            for (long waits = 0; Files.notExists(store); waits++) {
                assertTrue(waits < 20_000, "the store was not made");
                LockSupport.parkNanos(1_000_000);
            }
            process.signal("TERM");
            assertEquals(0, process.exitCode());
            process.assertSaid("SIGTERM", "stopped");
        }

        @Test
        void aSecondOneEndsItAtOnce() throws Exception {
            Millraced process = runWith(yaml(0, "data"));
            int port = process.port();
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                // This peer never answers the close frame, so an orderly stop waits for it.
                socket.getOutputStream().write(OPEN);
                process.await(Pattern.compile("as container 't'"));
                process.signal("TERM");
                process.await(Pattern.compile("stopping: telling clients"));
                process.signal("TERM");
                assertEquals(128 + 15, process.exitCode());
            }
            process.assertSaid("stopping at once");
            Millraced again = runWith(yaml(0, "data"));
            again.port();
            again.signal("INT");
            assertEquals(0, again.exitCode());
        }
    }

    @Nested
    class Commands {
        @Test
        void checkConfigStartsNothing() throws Exception {
            Millraced process = run("--check-config");
            assertEquals(0, process.exitCode());
            process.assertSaid("the config is good (built-in defaults");
            assertTrue(Files.notExists(directory.resolve("data")));
        }

        @Test
        void hashPasswordReadsStandardInput() throws Exception {
            Millraced process = run("hash-password", "--user", "ada");
            process.input().write("secret\n".getBytes(UTF_8));
            process.input().flush();
            assertEquals(0, process.exitCode());
            process.assertSaid("pbkdf2-sha512:", "- name: ada");
            assertFalse(process.said().contains("secret"), process::said);
        }

        @Test
        void hashPasswordRefusesToHashNothing() throws Exception {
            Millraced process = run("hash-password");
            process.input().close();
            assertEquals(2, process.exitCode());
            process.assertSaid("millrace: no password was given; nothing was hashed");
        }

        @Test
        void healthOfNobodyIsOne() throws Exception {
            int free;
            try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                free = socket.getLocalPort();
            }
            Millraced process = run("health", "--url", "http://127.0.0.1:" + free + "/readyz");
            assertEquals(1, process.exitCode());
            process.assertSaid("no answer from http://127.0.0.1:" + free);
        }

        @Test
        void healthOfARunningBrokerIsZero() throws Exception {
            Millraced broker = runWith(yaml(0, "data").replace("http: off", "http:\n  port: 0"));
            String port = broker.await(Pattern.compile("http: 127\\.0\\.0\\.1:(\\d+),"))
                    .group(1);
            broker.await(Pattern.compile("ready in"));
            for (String path : List.of("/readyz", "", "/")) {
                Millraced process = run("health", "--url", "http://127.0.0.1:" + port + path);
                assertEquals(0, process.exitCode());
                process.assertSaid("ready");
            }
        }

        @Test
        void aPeerCannotForgeALineOfTheLog() throws Exception {
            Millraced broker = runWith(yaml(0, "data"));
            try (RawClient client = new RawClient(broker.port()).open()) {
                client.attachReceiver(UnsignedInteger.ZERO, "raw\n2026-01-01 ERROR" + "x".repeat(2000), "$nothing");
                broker.await(Pattern.compile(
                        "link \"raw\\?2026-01-01 ERRORx{900,1000}\\.\\.\\.\" was refused: amqp:not-found"));
            }
        }

        @Test
        void aLinkThatIsRefusedIsNamedInTheLogAndItsConnectionGoesOn() throws Exception {
            Millraced broker = runWith(yaml(0, "data"));
            try (RawClient client = new RawClient(broker.port()).open()) {
                client.receive("$nothing", 1);
                broker.await(Pattern.compile(
                        "127\\.0\\.0\\.1:\\d+ \\('raw'\\): link \"raw\" was refused: amqp:not-found: .*nothing"));
            }
            broker.await(Pattern.compile("\\('raw'\\) is gone"));
        }

        @Test
        void benchEndsWithItsReportsWhenItIsInterrupted() throws Exception {
            Millraced broker = runWith(yaml(0, "data"));
            int port = broker.port();
            Millraced bench = run("bench", "amqp://127.0.0.1:" + port, "--duration", "1h", "--json", "report.json");
            bench.await(Pattern.compile("received"));
            bench.signal("INT");
            assertEquals(0, bench.exitCode());
            JsonObject report = new JsonObject(Files.readString(directory.resolve("report.json")));
            assertTrue(report.getBoolean("stopped"), report::encode);
            JsonObject totals = report.getJsonObject("totals");
            assertTrue(totals.getLong("received") > 0, totals::encode);
            assertEquals(totals.getLong("accepted"), totals.getLong("received"), totals::encode);
            bench.assertSaid("stopped");
        }

        @Test
        void helpTellsTheExitCodes() throws Exception {
            Millraced process = run("--help");
            assertEquals(0, process.exitCode());
            process.assertSaid("Exit codes:", "the store failed while the broker ran");
        }
    }
}
