package io.millrace.main;

import java.nio.file.Path;
import java.util.Optional;

/**
 * Where the process begins. To run the broker takes no command line parser, whose classes are a tenth of the start; all else
 * is for {@link CommandLineInterface}.
 */
public final class Main {
    private Main() {}

    /** Runs a command and ends the process with its exit code. */
    public static void main(String[] args) {
        System.exit(run(args));
    }

    private static int run(String[] args) {
        if (args.length == 0) {
            return Service.run(Optional.empty()).number;
        }
        if (args.length == 2 && args[0].equals("--config")) {
            return Service.run(Optional.of(Path.of(args[1]))).number;
        }
        return CommandLineInterface.run(args);
    }
}
