package io.millrace.main;

import io.millrace.security.PasswordHash;
import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Makes the salted hash of a password, for the config. The password is never an argument: others could see it there. */
@Command(
        name = "hash-password",
        description = "Read a password from the terminal or from standard input, and print its salted hash.",
        mixinStandardHelpOptions = true)
final class HashPassword implements Callable<Integer> {
    @Option(
            names = "--user",
            paramLabel = "NAME",
            description = "The name in the lines for the config.",
            defaultValue = "NAME")
    private String user;

    @Override
    public Integer call() throws IOException {
        Optional<String> password = read();
        if (password.isEmpty()) {
            System.err.println("millrace: no password was given, or the two differ; nothing was hashed");
            return ExitCode.BAD_CONFIG.number;
        }
        String hash = PasswordHash.of(password.get()).toString();
        System.out.println(hash);
        System.out.println();
        System.out.println("# in the config:");
        System.out.println("users:");
        System.out.println("  - name: " + user);
        System.out.println("    password: \"" + hash + "\"");
        return ExitCode.STOPPED.number;
    }

    /** Before Java 22 there is a console only if it is a terminal; since then one has to ask. */
    private static boolean isTerminal(Console console) {
        try {
            return console != null
                    && (boolean) Console.class.getMethod("isTerminal").invoke(console);
        } catch (ReflectiveOperationException e) {
            return true;
        }
    }

    @SuppressWarnings("SystemConsoleNull") // see isTerminal
    private static Optional<String> read() throws IOException {
        Console console = System.console();
        if (!isTerminal(console)) {
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            return Optional.ofNullable(in.readLine()).filter(line -> !line.isEmpty());
        }
        char[] first = console.readPassword("Password: ");
        char[] second = console.readPassword("Again: ");
        boolean good = first != null && first.length > 0 && Arrays.equals(first, second);
        return good ? Optional.of(new String(first)) : Optional.empty();
    }
}
