package io.millrace.http;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The HTTP server for health and metrics: GET only. Made and closed by any thread. */
public final class HttpListener {
    private static final Logger LOG = LoggerFactory.getLogger(HttpListener.class);
    private static final String PLACES = "There are /livez, /readyz and /metrics.\n";

    private final HttpServer server;
    private final Vertx vertx;
    private final Probes probes;
    private final Metrics metrics;

    /** A listener that does not listen yet. */
    public HttpListener(Vertx vertx, Probes probes, Metrics metrics) {
        this.vertx = vertx;
        this.probes = probes;
        this.metrics = metrics;
        this.server = vertx.createHttpServer(new HttpServerOptions().setIdleTimeout(60));
        server.requestHandler(this::answer);
        server.invalidRequestHandler(request -> text(request, 400, "This is no HTTP request I understand.\n"));
    }

    /** Starts to listen; completed with the port, or with why not. */
    public CompletionStage<Integer> listen(String host, int port) {
        return server.listen(port, host).map(HttpServer::actualPort).toCompletionStage();
    }

    /** Stops to listen. */
    public CompletionStage<Void> close() {
        return server.close().toCompletionStage();
    }

    private void answer(HttpServerRequest request) {
        String path = request.path();
        boolean known = "/livez".equals(path) || "/readyz".equals(path) || "/metrics".equals(path);
        if (!known) {
            text(request, 404, "Nothing is here. " + PLACES);
        } else if (!HttpMethod.GET.equals(request.method()) && !HttpMethod.HEAD.equals(request.method())) {
            request.response().putHeader("Allow", "GET, HEAD");
            text(request, 405, "Only GET is answered; nothing can be changed over HTTP. " + PLACES);
        } else if ("/metrics".equals(path)) {
            metrics(request);
        } else if ("/livez".equals(path)) {
            health(request, "live", probes.notLive());
        } else {
            health(request, "ready", probes.notReady());
        }
    }

    private static void health(HttpServerRequest request, String good, Optional<String> bad) {
        int status = bad.isEmpty() ? 200 : 503;
        String accept = Optional.ofNullable(request.getHeader("Accept")).orElse("");
        if (accept.toLowerCase(Locale.ROOT).contains("application/json")) {
            String json = bad.map(reason -> "{\"status\":\"not " + good + "\",\"reason\":" + Json.string(reason) + "}")
                    .orElse("{\"status\":\"" + good + "\"}");
            send(request, status, "application/json", Buffer.buffer(json + "\n"));
        } else {
            text(
                    request,
                    status,
                    bad.map(reason -> "not " + good + ": " + reason).orElse(good) + "\n");
        }
    }

    private void metrics(HttpServerRequest request) {
        probes.meters().whenComplete((meters, failed) -> {
            if (failed != null) {
                unavailable(request, failed);
                return;
            }
            vertx.executeBlocking(() -> metrics.text(meters), false)
                    .onSuccess(body -> send(request, 200, Metrics.CONTENT_TYPE, Buffer.buffer(body)))
                    .onFailure(e -> unavailable(request, e));
        });
    }

    private static void unavailable(HttpServerRequest request, Throwable e) {
        LOG.error("the metrics could not be gathered", e);
        text(request, 500, "The metrics could not be gathered: " + e + "\n");
    }

    private static void text(HttpServerRequest request, int status, String body) {
        send(request, status, "text/plain; charset=utf-8", Buffer.buffer(body));
    }

    private static void send(HttpServerRequest request, int status, String type, Buffer body) {
        if (request.response().ended() || request.response().closed()) {
            return;
        }
        request.response().setStatusCode(status).putHeader("Content-Type", type).putHeader("Cache-Control", "no-store");
        if (HttpMethod.HEAD.equals(request.method())) {
            request.response()
                    .putHeader("Content-Length", String.valueOf(body.length()))
                    .end();
        } else {
            request.response().end(body);
        }
    }
}
