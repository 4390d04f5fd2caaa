package io.millrace.conformance.tap;

import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** The broker under test, as the environment tells it. What it does not tell skips the test that asks for it. */
public final class Broker {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Map<String, String> environment;

    public Broker() {
        this(System.getenv());
    }

    Broker(Map<String, String> environment) {
        this.environment = environment;
    }

    /** Where anyone may connect: {@code amqp://host:port}. */
    public String url() {
        return needed("AMQP_URL", "there is no broker: AMQP_URL is not set");
    }

    public String host() {
        return needed("AMQP_HOST", "there is no broker: AMQP_HOST is not set");
    }

    public int port() {
        return Integer.parseInt(needed("AMQP_PORT", "there is no broker: AMQP_PORT is not set"));
    }

    /** Where only users may connect. */
    public String userUrl() {
        return needed("AMQP_USER_URL", "the broker has no listener for users here");
    }

    public String userHost() {
        return needed("AMQP_USER_HOST", "the broker has no listener for users here");
    }

    public int userPort() {
        return Integer.parseInt(needed("AMQP_USER_PORT", "the broker has no listener for users here"));
    }

    public String user() {
        return needed("AMQP_USER", "the broker has no users here");
    }

    public String password() {
        return needed("AMQP_PASSWORD", "the broker has no users here");
    }

    /** An address of this run alone. */
    public String address(String name) {
        return environment.getOrDefault("RUN_ID", "run") + "." + name;
    }

    /** Skips the test that asks if the broker can't be killed and started from here. */
    public void needsCrash() {
        needed("BROKER_CRASH", "the broker can't be killed from here");
    }

    /** Kills the broker and starts it again. Returns when it listens. */
    public void crash() throws IOException, InterruptedException {
        execute(needed("BROKER_CRASH", "the broker can't be killed from here"));
    }

    /** Skips the test that asks if the broker can't be restarted from here. */
    public void needsRestart() {
        needed("BROKER_RESTART", "the broker can't be restarted from here");
    }

    /** Stops the broker in good order and starts it again. Returns when it listens. */
    public void restart() throws IOException, InterruptedException {
        execute(needed("BROKER_RESTART", "the broker can't be restarted from here"));
    }

    private String needed(String variable, String reason) {
        String value = environment.getOrDefault(variable, "");
        if (value.isEmpty()) {
            throw new Tap.Skipped(reason);
        }
        return value;
    }

    private static void execute(String command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("sh", "-c", command)
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        if (!process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
            process.destroyForcibly();
            throw new IOException("did not end within " + LIMIT.toSeconds() + " s: " + command);
        }
        if (process.exitValue() != 0) {
            throw new IOException("exit code " + process.exitValue() + " of: " + command);
        }
    }
}
