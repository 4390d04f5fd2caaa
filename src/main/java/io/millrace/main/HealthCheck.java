package io.millrace.main;

import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Asks a running broker whether it is ready: exit code 0 if so, else 1. For the health check of a container. */
@Command(
        name = "health",
        description = "Ask a running broker whether it is ready: exit code 0 if so, else 1.",
        mixinStandardHelpOptions = true)
final class HealthCheck implements Callable<Integer> {
    private static final int LIMIT_MILLIS = 3000;

    @Option(
            names = "--url",
            paramLabel = "URL",
            converter = Url.class,
            description = "Where to ask; without a path, /readyz there.%nDefault: ${DEFAULT-VALUE}",
            defaultValue = "http://127.0.0.1:8672/readyz")
    private URI url;

    /** What can be asked. */
    static final class Url implements ITypeConverter<URI> {
        @Override
        public URI convert(String text) {
            try {
                URI url = new URI(text);
                if (url.getHost() != null && String.valueOf(url.getScheme()).matches("(?i)https?")) {
                    return url;
                }
            } catch (URISyntaxException e) {
                // As bad as a URL of another kind.
            }
            String instead = text.isBlank() || text.contains("://") ? "http://HOST:PORT" : "http://" + text;
            throw new TypeConversionException('"' + text + "\" is not a URL; write " + instead);
        }
    }

    /** A broker without a path is asked whether it is ready. */
    private URI asked() {
        String path = url.getPath();
        return path == null || path.isEmpty() || path.equals("/") ? url.resolve("/readyz") : url;
    }

    @Override
    public Integer call() {
        try {
            // Not java.net.http: it takes a quarter of a second to load, and this runs every few seconds.
            HttpURLConnection connection = (HttpURLConnection) asked().toURL().openConnection();
            connection.setConnectTimeout(LIMIT_MILLIS);
            connection.setReadTimeout(LIMIT_MILLIS);
            boolean ready = connection.getResponseCode() == HttpURLConnection.HTTP_OK;
            try (InputStream body = ready ? connection.getInputStream() : connection.getErrorStream()) {
                String said = body == null ? "" : new String(body.readNBytes(4096), StandardCharsets.UTF_8).strip();
                (ready ? System.out : System.err).println(said);
            }
            return ready ? 0 : 1;
        } catch (IOException | IllegalArgumentException e) {
            System.err.println("millrace: no answer from " + url + ": " + e.getMessage());
            return 1;
        }
    }
}
