package io.millrace.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** The command {@code bench}: puts load on a broker and reports how it did. */
@Command(
        name = "bench",
        description = "Put load on any AMQP 1.0 broker, and report rates, latencies and losses.",
        mixinStandardHelpOptions = true,
        sortOptions = false)
public final class BenchCommand implements Callable<Integer> {
    private static final int GOOD = 0;
    private static final int FAILED = 1;
    private static final int MISTAKEN = 2;

    private final String version;
    private final Consumer<Runnable> signals;

    @Mixin
    private Settings settings;

    /**
     * @param version of this program, for the reports
     * @param signals is given what to do when the user wants no more
     */
    public BenchCommand(String version, Consumer<Runnable> signals) {
        this.version = version;
        this.signals = signals;
    }

    @Override
    public Integer call() throws IOException {
        List<String> mistakes = settings.mistakes();
        if (!mistakes.isEmpty()) {
            mistakes.forEach(mistake -> System.err.println("millrace: " + mistake));
            return MISTAKEN;
        }
        CompletableFuture<Void> stop = new CompletableFuture<>();
        signals.accept(() -> stop.complete(null));
        Progress progress = new Progress(System.out, Progress.onTerminal(), settings.quiet);
        Result result = new Run(settings, progress, stop).execute();
        Report report = new Report(result, version);
        System.out.print(report.words());
        if (settings.json().isPresent()) {
            Files.writeString(settings.json().get(), report.json().encodePrettily());
        }
        return result.good() ? GOOD : FAILED;
    }
}
