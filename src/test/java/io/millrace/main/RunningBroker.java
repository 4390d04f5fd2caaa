package io.millrace.main;

import io.millrace.config.Config;
import io.millrace.config.ConfigFile;
import io.millrace.security.PasswordHash;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongPredicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A whole broker on free ports of loopback, which can be restarted at the same place and asked for its figures. */
final class RunningBroker implements AutoCloseable {
    private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

    private final HttpClient http = HttpClient.newHttpClient();
    private Config config;
    private Millrace millrace;

    private RunningBroker(Config config) {
        this.config = config;
        this.millrace = Millrace.start(config);
        this.config = config.withListener(new Config.Listener(
                "test", "127.0.0.1", millrace.port(), config.listeners().get(0).anonymous()));
    }

    /** Starts one whose store is below {@code directory}, with this config besides. */
    static RunningBroker start(Path directory, String yaml) throws Exception {
        return start(directory, yaml, true);
    }

    /** Starts one that lets nobody in but this user. */
    static RunningBroker startWithUser(Path directory, String user, String password) throws Exception {
        String yaml = "users:\n  - name: " + user + "\n    password: " + PasswordHash.of(password) + "\n";
        return start(directory, yaml, false);
    }

    /** Starts one whose store takes so much and no more. */
    static RunningBroker startWithStoreOf(Path directory, String maxBytes, String yaml) throws Exception {
        return start(directory, "data\", max-bytes: \"" + maxBytes, yaml, true);
    }

    private static RunningBroker start(Path directory, String yaml, boolean anonymous) throws Exception {
        return start(directory, "data", yaml, anonymous);
    }

    private static RunningBroker start(Path directory, String store, String yaml, boolean anonymous) throws Exception {
        String whole = """
                listeners:
                  - {name: test, host: 127.0.0.1, port: 0, anonymous: %s}
                http: {host: 127.0.0.1, port: 0}
                event-loops: 2
                store: {directory: "%s"}
                """.formatted(anonymous, directory + "/" + store);
        return new RunningBroker(ConfigFile.parse("test", whole + yaml, name -> Optional.empty()));
    }

    String url() {
        return "amqp://127.0.0.1:" + millrace.port();
    }

    int port() {
        return millrace.port();
    }

    /** Stops it and starts it again with the same store on the same port. */
    void restart() {
        millrace.close();
        millrace = Millrace.start(config);
    }

    /** Waits until a queue holds so many messages. */
    void awaitMessages(String queue, long messages) throws Exception {
        await(
                "millrace_queue_messages\\{[^}]*queue=\"" + Pattern.quote(queue) + "\"[^}]*}",
                value -> value == messages);
    }

    /** Waits until no delivery is unsettled; one that is leaked never ends. */
    void awaitNoUnsettled() throws Exception {
        await("millrace_queue_unsettled\\{[^}]*}", value -> value == 0);
    }

    /** Waits until every figure whose name and labels match the pattern {@code meter} is as it should be. */
    void await(String meter, LongPredicate condition) throws Exception {
        Pattern pattern = Pattern.compile("^" + meter + " (\\S+)$", Pattern.MULTILINE);
        long deadline = System.nanoTime() + PATIENCE_NANOS;
        while (!holds(pattern, condition)) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("waited in vain for " + meter + " in\n" + metrics());
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        }
    }

    private boolean holds(Pattern meter, LongPredicate condition) throws Exception {
        Matcher matcher = meter.matcher(metrics());
        int found = 0;
        while (matcher.find()) {
            if (!condition.test((long) Double.parseDouble(matcher.group(1)))) {
                return false;
            }
            found++;
        }
        return found > 0;
    }

    /** The figure with this name and these labels; 0 if there is none. */
    long figure(String meter) throws Exception {
        Matcher matcher = Pattern.compile("^" + Pattern.quote(meter) + " (\\S+)$", Pattern.MULTILINE)
                .matcher(metrics());
        return matcher.find() ? (long) Double.parseDouble(matcher.group(1)) : 0;
    }

    String metrics() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(
                        URI.create("http://127.0.0.1:" + millrace.httpPort().orElseThrow() + "/metrics"))
                .build();
        return http.send(request, HttpResponse.BodyHandlers.ofString()).body();
    }

    @Override
    public void close() {
        millrace.close();
    }
}
