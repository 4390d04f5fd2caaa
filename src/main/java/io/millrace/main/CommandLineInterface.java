package io.millrace.main;

import io.millrace.bench.BenchCommand;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.HelpCommand;
import picocli.CommandLine.Option;

/** The command line. Without a subcommand it runs the broker until a signal ends it. */
@Command(
        name = "millrace",
        description = "An AMQP 1.0 message broker.",
        subcommands = {HashPassword.class, HealthCheck.class, HelpCommand.class},
        mixinStandardHelpOptions = true,
        versionProvider = CommandLineInterface.VersionLine.class,
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {
            "0:stopped by a signal, or the command did what it was asked",
            "1:something unexpected; please report it. health: the broker is not ready. bench: see bench --help",
            "2:the config or the command line is wrong; nothing was started",
            "3:a port cannot be listened on",
            "4:the store cannot be opened: in use, damaged, no permission, or of a newer version",
            "5:the store failed while the broker ran; what was accepted is on disk"
        })
final class CommandLineInterface implements Callable<Integer> {
    @Option(
            names = {"-c", "--config"},
            paramLabel = "FILE",
            description = "The config file. Default: config/millrace.yaml if it is there, else built-in defaults.")
    private Path file;

    @Option(names = "--check-config", description = "Read the config, say what is wrong with it, and start nothing.")
    private boolean check;

    private CommandLineInterface() {}

    static int run(String[] args) {
        return commands().execute(args);
    }

    static CommandLine commands() {
        CommandLine command = new CommandLine(new CommandLineInterface());
        command.addSubcommand(new BenchCommand(Version.NUMBER, Signals::handle, System.out, System.err));
        command.setExecutionExceptionHandler((e, line, parsed) -> Service.unexpected(e).number);
        UsageMistake.toldBy(command);
        return command;
    }

    @Override
    public Integer call() {
        Optional<Path> named = Optional.ofNullable(file);
        return (check ? Service.check(named) : Service.run(named)).number;
    }

    /** For {@code --version}. */
    static final class VersionLine implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"Millrace " + Version.NUMBER};
        }
    }
}
