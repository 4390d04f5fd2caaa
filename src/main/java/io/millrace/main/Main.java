package io.millrace.main;

import io.millrace.config.Config;
import io.millrace.config.ConfigException;
import io.millrace.config.ConfigFile;
import io.millrace.journal.JournalException;
import io.millrace.net.ListenException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The command line. Without a subcommand it runs the broker until a signal ends it. */
@Command(
        name = "millrace",
        description = "An AMQP 1.0 message broker.",
        subcommands = {HashPassword.class, HealthCheck.class},
        mixinStandardHelpOptions = true,
        versionProvider = Main.VersionLine.class,
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {
            "0:stopped by a signal, or the command did what it was asked",
            "1:something unexpected; please report it",
            "2:the config or the command line is wrong; nothing was started",
            "3:a port cannot be listened on",
            "4:the store cannot be opened: in use, damaged, no permission, or of a newer version",
            "5:the store failed while the broker ran; what was accepted is on disk"
        })
public final class Main implements Callable<Integer> {
    private static final Path DEFAULT_FILE = Path.of("config", "millrace.yaml");

    @Option(
            names = {"-c", "--config"},
            paramLabel = "FILE",
            description = "The config file. Default: config/millrace.yaml if it is there, else built-in defaults.")
    private Path file;

    @Option(names = "--check-config", description = "Read the config, say what is wrong with it, and start nothing.")
    private boolean check;

    Main() {}

    /** Runs a command and ends the process with its exit code. */
    public static void main(String[] args) {
        Warmup.begin();
        System.exit(run(args));
    }

    private static int run(String... args) {
        CommandLine command = new CommandLine(new Main());
        command.setExecutionExceptionHandler((e, line, parsed) -> {
            System.err.println(
                    "millrace: something unexpected happened (" + e + "); please report it with what follows");
            e.printStackTrace();
            return ExitCode.UNEXPECTED.number;
        });
        return command.execute(args);
    }

    @Override
    public Integer call() {
        Config config;
        Optional<Path> source =
                Optional.ofNullable(file).or(() -> Optional.of(DEFAULT_FILE).filter(Files::isRegularFile));
        try {
            config = source.isPresent() ? ConfigFile.load(source.get()) : Config.defaults();
        } catch (ConfigException e) {
            System.err.println(e.getMessage());
            int count = e.mistakes().size();
            System.err.println("millrace: the config has " + count + (count == 1 ? " mistake" : " mistakes")
                    + "; nothing was started");
            return ExitCode.BAD_CONFIG.number;
        }
        String origin = source.map(path -> path.toAbsolutePath().toString()).orElse("built-in defaults");
        if (check) {
            config.warnings().forEach(warning -> System.out.println("warning: " + warning));
            System.out.println("the config is good (" + origin + ")");
            return ExitCode.STOPPED.number;
        }
        return serve(config, origin).number;
    }

    private static ExitCode serve(Config config, String origin) {
        Logger log = LoggerFactory.getLogger(Main.class);
        log.info("config: {}", origin);
        Millrace broker;
        try {
            broker = Millrace.start(config, Millrace::openStore, processStartMillis());
        } catch (ListenException e) {
            log.error(e.getMessage());
            return ExitCode.CANNOT_LISTEN;
        } catch (JournalException e) {
            log.error(e.getMessage());
            return ExitCode.STORE_UNUSABLE;
        }
        Signals.handle(broker::stop);
        return broker.ended().toCompletableFuture().join().isPresent() ? ExitCode.STORE_FAILED : ExitCode.STOPPED;
    }

    private static long processStartMillis() {
        return ProcessHandle.current()
                .info()
                .startInstant()
                .orElseGet(Instant::now)
                .toEpochMilli();
    }

    /** For {@code --version}. */
    static final class VersionLine implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            return new String[] {"Millrace " + Version.NUMBER};
        }
    }
}
