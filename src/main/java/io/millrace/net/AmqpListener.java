package io.millrace.net;

import io.millrace.config.Config;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.internal.net.NetSocketInternal;
import io.vertx.core.net.NetServer;
import io.vertx.core.net.NetServerOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiFunction;

/**
 * A port where AMQP clients connect; its connections are spread over the loops in turn. Made and closed by any thread.
 *
 * <p>One server of Vert.x listens for each loop; those of one port share the socket that accepts.
 */
public final class AmqpListener {
    /** Whoever connects and says nothing (a probe, a port scan) holds a socket for no longer than this. */
    private static final Duration HEADER_LIMIT = Duration.ofSeconds(10);

    private final Vertx vertx;
    private final Config.Listener config;
    private final List<VertxLoop> loops;
    private final Duration headerLimit;
    private final BiFunction<VertxLoop, Peer, Protocol> protocols;
    private final List<NetServer> servers = new ArrayList<>();
    private final AtomicLong open = new AtomicLong();
    private final AtomicLong total = new AtomicLong();

    /**
     * A listener that does not listen yet.
     *
     * @param protocols makes what speaks on a socket; called on the loop of the socket
     */
    public AmqpListener(
            Vertx vertx,
            Config.Listener config,
            List<VertxLoop> loops,
            BiFunction<VertxLoop, Peer, Protocol> protocols) {
        this(vertx, config, loops, HEADER_LIMIT, protocols);
    }

    AmqpListener(
            Vertx vertx,
            Config.Listener config,
            List<VertxLoop> loops,
            Duration headerLimit,
            BiFunction<VertxLoop, Peer, Protocol> protocols) {
        this.vertx = vertx;
        this.config = config;
        this.loops = loops;
        this.headerLimit = headerLimit;
        this.protocols = protocols;
    }

    /** What the config says of it. */
    public Config.Listener config() {
        return config;
    }

    /** Connections there are now. On any thread. */
    public long open() {
        return open.get();
    }

    /** Connections there have been. On any thread. */
    public long total() {
        return total.get();
    }

    /**
     * Starts to listen.
     *
     * @param index of this listener among those of {@code vertx}, in the order of the config
     * @return the port, or a {@link ListenException}
     */
    public CompletableFuture<Integer> listen(int index) {
        // Vert.x takes a negative port as: any free one, shared by all that ask for the same negative one.
        int port = config.port() == 0 ? -1 - index : config.port();
        CompletableFuture<Integer> listening = new CompletableFuture<>();
        List<Future<NetServer>> all = new ArrayList<>();
        for (VertxLoop loop : loops) {
            NetServer server = vertx.createNetServer(new NetServerOptions().setTcpNoDelay(true));
            server.connectHandler(socket -> accepted(loop, (NetSocketInternal) socket));
            servers.add(server);
            all.add(Future.future(promise -> loop.context()
                    .runOnContext(ignored -> server.listen(port, config.host()).onComplete(promise))));
        }
        Future.join(all)
                .onSuccess(ignored -> listening.complete(servers.get(0).actualPort()))
                .onFailure(e -> listening.completeExceptionally(new ListenException(
                        "listener " + config.name(),
                        config.host(),
                        config.port(),
                        "listeners[" + (index + 1) + "]",
                        "",
                        e)));
        return listening;
    }

    private void accepted(VertxLoop loop, NetSocketInternal socket) {
        open.incrementAndGet();
        total.incrementAndGet();
        new AmqpSocket(loop, socket, headerLimit, protocols).start(open::decrementAndGet);
    }

    /**
     * Accepts no more connections and tells those there are to stop.
     *
     * @param limit when it is over, connections that are still there are cut; zero cuts them at once, untold
     * @return completed when all are gone
     */
    public CompletionStage<Void> shutdown(Duration limit) {
        return Future.join(servers.stream()
                        .map(server -> server.shutdown(limit.toMillis(), TimeUnit.MILLISECONDS))
                        .toList())
                .<Void>mapEmpty()
                .toCompletionStage();
    }
}
