package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

/** What the command line says, in this process; {@link MainProcessTest} has what it does. */
class CommandLineInterfaceTest {
    private String said = "";

    private int run(String... arguments) {
        StringWriter all = new StringWriter();
        CommandLine commands = CommandLineInterface.commands();
        commands.setOut(new PrintWriter(all, true));
        commands.setErr(new PrintWriter(all, true));
        int code = commands.execute(arguments);
        said = all.toString();
        return code;
    }

    @Nested
    class Help {
        @Test
        void isACommandToo() {
            assertEquals(0, run("help"), said);
            assertTrue(said.startsWith("Usage: millrace ["), said);
            assertEquals(0, run("help", "bench"), said);
            assertTrue(said.startsWith("Usage: millrace bench ["), said);
        }

        @Test
        void doesNotBreakUrls() {
            assertEquals(0, run("health", "--help"));
            assertTrue(said.contains(" Default: http://127.0.0.1:8672/readyz" + System.lineSeparator()), said);
            assertEquals(0, run("bench", "--help"));
            assertTrue(said.contains(" Default: amqp://127.0.0.1:5672" + System.lineSeparator()), said);
        }

        @Test
        void tellsWhatFailsARunOfBenchAndWhatDoesNot() {
            assertEquals(0, run("bench", "--help"));
            String text = said.replaceAll("\\s+", " ");
            assertTrue(text.contains("0 the run came to its end"), said);
            assertTrue(text.contains("refused messages are counted and do not fail it"), said);
            assertTrue(text.contains("1 the broker refused the connection or a link, nothing moved"), said);
        }
    }

    @Test
    void aPasswordThatIsGivenOtherwiseAgainIsNotHashed() throws Exception {
        assertEquals("secret", HashPassword.sameAgain("secret", "secret".toCharArray()));
        for (char[] again : new char[][] {"Secret".toCharArray(), {}, null}) {
            String why = assertThrows(HashPassword.Unusable.class, () -> HashPassword.sameAgain("secret", again))
                    .getMessage();
            assertEquals("the two passwords differ", why);
        }
    }

    @Nested
    class AMistake {
        private void assertSaid(String words, String... arguments) {
            assertEquals(2, run(arguments), said);
            assertEquals(words, said.replace(System.lineSeparator(), "\n"));
        }

        @ParameterizedTest
        @CsvSource(
                delimiter = '|',
                quoteCharacter = '`',
                value = {
                    "--messages=ten          | --messages: \"ten\" is not a whole number",
                    "--window=99999999999    | --window: \"99999999999\" is too large",
                    "--rate=fast             | --rate: \"fast\" is not a number",
                    "--duration=10           | --duration: \"10\" is not a duration; write 500ms, 10s, 2m or 1h",
                    "--size=big              | --size: \"big\" is not a size; write 1024, 64KiB or 1MiB",
                })
        void inAValueIsToldInPlainWordsAndWithoutTheWholeHelp(String argument, String words) {
            assertSaid("millrace: " + words + "\nmillrace bench --help lists all options\n", "bench", argument);
        }

        @ParameterizedTest
        @CsvSource({
            "127.0.0.1:8672, http://127.0.0.1:8672",
            "localhost:8672, http://localhost:8672",
            "amqp://broker:5672, http://HOST:PORT"
        })
        void inTheUrlOfTheHealthCheckSaysWhatToWrite(String url, String instead) {
            assertSaid(
                    "millrace: --url: \"" + url + "\" is not a URL; write " + instead
                            + "\nmillrace health --help lists all options\n",
                    "health",
                    "--url",
                    url);
        }

        @Test
        void inTheNameOfAnOptionSuggestsTheRightOne() {
            assertSaid(
                    "millrace: Unknown option: '--confg'\nPossible solutions: --config\nmillrace --help lists all options\n",
                    "--confg");
        }

        @ParameterizedTest
        @CsvSource({"--port 5673", "--host=0.0.0.0", "--data /tmp/x"})
        void ofWhoLooksForWhatIsInTheConfigSaysSo(String arguments) {
            assertEquals(2, run(arguments.split(" ")));
            assertTrue(
                    said.contains("Ports, hosts and directories are set in the config file; see config/README.md"),
                    said);
            assertEquals(2, run("bench", "--port", "5673"));
            assertTrue(!said.contains("config/README.md"), said);
        }
    }
}
