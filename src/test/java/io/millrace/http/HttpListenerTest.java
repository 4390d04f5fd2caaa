package io.millrace.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class HttpListenerTest {
    private final HttpClient client = HttpClient.newHttpClient();
    private volatile Optional<String> notLive = Optional.empty();
    private volatile Optional<String> notReady = Optional.empty();
    private volatile CompletableFuture<List<Meter>> meters = CompletableFuture.completedFuture(List.of());
    private Vertx vertx;
    private Metrics metrics;
    private int port;

    private final class Told implements Probes {
        @Override
        public Optional<String> notLive() {
            return notLive;
        }

        @Override
        public Optional<String> notReady() {
            return notReady;
        }

        @Override
        public CompletionStage<List<Meter>> meters() {
            return meters;
        }
    }

    @BeforeEach
    void start() throws Exception {
        metrics = new Metrics();
        vertx = Vertx.builder()
                .with(new VertxOptions().setEventLoopPoolSize(1).setMetricsOptions(metrics.options()))
                .withMetrics(metrics.factory())
                .build();
        port = new HttpListener(vertx, new Told(), metrics)
                .listen("127.0.0.1", 0)
                .toCompletableFuture()
                .get(10, TimeUnit.SECONDS);
    }

    @AfterEach
    void stop() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
        metrics.close();
    }

    private HttpResponse<String> get(String path, String... headers) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return client.send(request.build(), HttpResponse.BodyHandlers.ofString());
    }

    @Nested
    class Health {
        @Test
        void isGoodWhenNothingIsWrong() throws Exception {
            assertEquals(200, get("/livez").statusCode());
            assertEquals("live\n", get("/livez").body());
            assertEquals(200, get("/readyz").statusCode());
            assertEquals("ready\n", get("/readyz").body());
        }

        @Test
        void tellsWhyTheBrokerIsNotReadyThoughItLives() throws Exception {
            notReady = Optional.of("the store is full: 1 GiB");
            HttpResponse<String> ready = get("/readyz");
            assertEquals(503, ready.statusCode());
            assertEquals("not ready: the store is full: 1 GiB\n", ready.body());
            assertEquals(200, get("/livez").statusCode());
        }

        @Test
        void isGivenAsJsonToThoseWhoAskForIt() throws Exception {
            notReady = Optional.of("a \"quoted\"\nreason");
            HttpResponse<String> ready = get("/readyz", "Accept", "application/json");
            assertEquals("{\"status\":\"not ready\",\"reason\":\"a \\\"quoted\\\"\\u000areason\"}\n", ready.body());
            assertEquals(
                    "application/json",
                    ready.headers().firstValue("Content-Type").orElse(""));
        }

        @Test
        void tellsThatALoopHangs() throws Exception {
            notLive = Optional.of("loop-0 has run nothing for 11 s");
            assertEquals(503, get("/livez").statusCode());
        }
    }

    @Nested
    class Figures {
        @Test
        void areTextForPrometheusWithTheSocketsOfVertx() throws Exception {
            meters = CompletableFuture.completedFuture(List.of(
                    Meter.gauge("millrace_queue_messages", "Messages.").add("queue", "a \"strange\" name", 3),
                    Meter.counter("millrace_queue_enqueued", "Taken.").add("queue", "orders", 1_000_000_000_000L)));
            HttpResponse<String> text = get("/metrics");
            assertEquals(200, text.statusCode());
            assertTrue(text.headers().firstValue("Content-Type").orElse("").startsWith("text/plain"));
            assertTrue(
                    text.body().contains("millrace_queue_messages{queue=\"a \\\"strange\\\" name\"} 3.0\n"),
                    text::body);
            assertTrue(text.body().contains("# TYPE millrace_queue_enqueued_total counter\n"), text::body);
            assertTrue(text.body().contains("millrace_queue_enqueued_total{queue=\"orders\"} 1.0E12\n"), text::body);
            assertTrue(text.body().contains("# TYPE vertx_pool_in_use gauge\n"), text::body);
        }

        @Test
        void thatCannotBeGatheredAreAnErrorAndNotAnEmptyPage() throws Exception {
            meters = CompletableFuture.failedFuture(new IllegalStateException("thrown by a test"));
            HttpResponse<String> text = get("/metrics");
            assertEquals(500, text.statusCode());
            assertTrue(text.body().contains("thrown by a test"), text::body);
        }
    }

    @Nested
    class Strangers {
        @Test
        void areToldWhatThereIs() throws Exception {
            HttpResponse<String> nothing = get("/queues");
            assertEquals(404, nothing.statusCode());
            assertTrue(nothing.body().contains("/livez, /readyz and /metrics"), nothing::body);
        }

        @Test
        void mayNotChangeAnything() throws Exception {
            HttpRequest post = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/metrics"))
                    .POST(HttpRequest.BodyPublishers.ofString("x"))
                    .build();
            HttpResponse<String> refused = client.send(post, HttpResponse.BodyHandlers.ofString());
            assertEquals(405, refused.statusCode());
            assertEquals("GET, HEAD", refused.headers().firstValue("Allow").orElse(""));
        }
    }
}
