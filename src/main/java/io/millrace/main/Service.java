package io.millrace.main;

import io.millrace.broker.Broker;
import io.millrace.config.Config;
import io.millrace.config.ConfigException;
import io.millrace.config.ConfigFile;
import io.millrace.journal.JournalException;
import io.millrace.net.ListenException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The broker as a process: its config, its log, its signals and its exit code. */
final class Service {
    private static final Path DEFAULT_FILE = Path.of("config", "millrace.yaml");

    private Service() {}

    /** Runs until a signal or a failure ends it. {@code file} is the config that was named, if one was. */
    static ExitCode run(Optional<Path> file) {
        // Before the other thread begins: two that initialise SLF4J at once lose what is logged meanwhile.
        LoggerFactory.getILoggerFactory();
        Warmup.begin();
        try {
            Optional<Path> source = source(file);
            return serve(load(source), origin(source));
        } catch (ConfigException e) {
            return refused(e);
        } catch (RuntimeException | Error e) {
            return unexpected(e);
        }
    }

    /** Reads the config and says what is wrong with it. */
    static ExitCode check(Optional<Path> file) {
        Optional<Path> source = source(file);
        try {
            load(source).warnings().forEach(warning -> System.out.println("warning: " + warning));
            System.out.println("the config is good (" + origin(source) + ")");
            return ExitCode.STOPPED;
        } catch (ConfigException e) {
            return refused(e);
        }
    }

    /** Says what nobody foresaw, with the stack that a report needs. */
    static ExitCode unexpected(Throwable e) {
        System.err.println("millrace: something unexpected happened (" + e + "); please report it with what follows");
        e.printStackTrace();
        return ExitCode.UNEXPECTED;
    }

    private static Optional<Path> source(Optional<Path> file) {
        return file.or(() -> Optional.of(DEFAULT_FILE).filter(Files::isRegularFile));
    }

    private static String origin(Optional<Path> source) {
        return source.map(path -> path.toAbsolutePath().toString())
                .orElse("built-in defaults, for there is no " + DEFAULT_FILE + " here");
    }

    private static Config load(Optional<Path> source) throws ConfigException {
        return source.isPresent() ? ConfigFile.loadChecked(source.get(), Broker::selectorFault) : Config.defaults();
    }

    private static ExitCode refused(ConfigException e) {
        int count = e.mistakes().size();
        System.err.println(e.getMessage());
        System.err.println("millrace: the config has " + count + (count == 1 ? " mistake" : " mistakes")
                + "; nothing was started");
        return ExitCode.BAD_CONFIG;
    }

    private static ExitCode serve(Config config, String origin) {
        Logger log = LoggerFactory.getLogger(Service.class);
        log.info("config: {}", origin);
        CompletableFuture<Millrace> started = new CompletableFuture<>();
        // Before the start, so that a signal at any moment of it leads to an orderly end when it is over.
        Signals.handle(() -> started.join().stop());
        Millrace broker;
        try {
            broker = Millrace.start(config, Millrace::openStore, ProcessAge.startMillis());
        } catch (ListenException e) {
            log.error(e.getMessage());
            return ExitCode.CANNOT_LISTEN;
        } catch (JournalException e) {
            log.error(e.getMessage());
            return ExitCode.STORE_UNUSABLE;
        }
        started.complete(broker);
        return broker.ended().toCompletableFuture().join().isPresent() ? ExitCode.STORE_FAILED : ExitCode.STOPPED;
    }
}
