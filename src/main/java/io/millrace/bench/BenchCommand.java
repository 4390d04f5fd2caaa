package io.millrace.bench;

import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The command {@code bench}: puts load on a broker and reports how it did. */
@Command(
        name = "bench",
        description = "Put load on any AMQP 1.0 broker, and report rates, latencies and losses.",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        exitCodeListHeading = "Exit codes:%n",
        exitCodeList = {
            "0:the run came to its end, or was stopped by a signal; refused messages are counted and do not fail it",
            "1:the broker refused the connection or a link, nothing moved for --stall-limit, or accepted messages were"
                    + " lost or came twice",
            "2:the command line is wrong; nothing was started"
        })
public final class BenchCommand implements Callable<Integer> {
    private static final int GOOD = 0;
    private static final int FAILED = 1;
    private static final int MISTAKEN = 2;

    private final String version;
    private final Consumer<Runnable> signals;
    private final PrintStream out;
    private final PrintStream err;

    @Mixin
    private Settings settings;

    @Option(
            names = "--compare",
            arity = "1..*",
            paramLabel = "FILE",
            description = "Run nothing: put reports that --json wrote beside each other, in a page at --html.")
    private List<Path> compare = List.of();

    /**
     * @param version of this program, for the reports
     * @param signals is given what to do when the user wants no more
     * @param out takes progress and report
     * @param err takes what is wrong with the options
     */
    public BenchCommand(String version, Consumer<Runnable> signals, PrintStream out, PrintStream err) {
        this.out = out;
        this.err = err;
        this.version = version;
        this.signals = signals;
    }

    @Override
    public Integer call() throws IOException {
        if (!compare.isEmpty()) {
            return compared();
        }
        List<String> mistakes = settings.mistakes();
        if (!mistakes.isEmpty()) {
            mistakes.forEach(mistake -> err.println("millrace: " + mistake));
            return MISTAKEN;
        }
        CompletableFuture<Void> stop = new CompletableFuture<>();
        signals.accept(() -> stop.complete(null));
        Progress progress = new Progress(out, Progress.onTerminal(), settings.quiet);
        Result result = new Run(settings, progress, stop).execute();
        Report report = new Report(result, version);
        out.print(report.words());
        if (settings.json().isPresent()) {
            Files.writeString(settings.json().get(), report.json().encodePrettily());
        }
        if (settings.html().isPresent()) {
            Files.writeString(settings.html().get(), Page.of(List.of(report.json())));
        }
        return result.good() ? GOOD : FAILED;
    }

    private int compared() throws IOException {
        List<JsonObject> reports = new ArrayList<>();
        for (Path file : compare) {
            try {
                JsonObject json = Report.read(Files.readString(file));
                Report.flaw(json).ifPresent(why -> err.println("millrace: " + file + ": this run failed: " + why));
                reports.add(json);
            } catch (NoSuchFileException e) {
                return mistaken(file + ": there is no such file");
            } catch (MalformedInputException e) {
                return mistaken(file + " is not a report of --json");
            } catch (IOException e) {
                return mistaken(file + " cannot be read: " + e.getMessage());
            } catch (Report.Unreadable e) {
                return mistaken(file + " " + e.getMessage());
            }
        }
        if (settings.html().isEmpty()) {
            return mistaken("--compare needs --html FILE");
        }
        Files.writeString(settings.html().get(), Page.of(reports));
        return GOOD;
    }

    private int mistaken(String why) {
        err.println("millrace: " + why);
        return MISTAKEN;
    }
}
