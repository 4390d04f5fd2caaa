package io.millrace.main;

import io.millrace.security.PasswordHash;
import java.io.BufferedReader;
import java.io.Console;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
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
        String password;
        try {
            password = read();
        } catch (Unusable e) {
            System.err.println("millrace: " + e.getMessage() + "; nothing was hashed");
            return ExitCode.BAD_CONFIG.number;
        }
        String hash = PasswordHash.of(password).toString();
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
    private static String read() throws IOException, Unusable {
        Console console = System.console();
        if (!isTerminal(console)) {
            BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            String line = in.readLine();
            return given(line == null ? new char[0] : line.toCharArray());
        }
        char[] first = console.readPassword("Password: ");
        String password = given(first == null ? new char[0] : first);
        return sameAgain(password, console.readPassword("Again: "));
    }

    private static String given(char[] password) throws Unusable {
        if (password.length == 0) {
            throw new Unusable("no password was given");
        }
        return new String(password);
    }

    /** @param again null at the end of the input */
    static String sameAgain(String password, char[] again) throws Unusable {
        if (again == null || !password.equals(new String(again))) {
            throw new Unusable("the two passwords differ");
        }
        return password;
    }

    /** No password, or not a sure one. */
    static final class Unusable extends Exception {
        Unusable(String message) {
            super(message);
        }
    }
}
