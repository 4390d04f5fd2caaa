package io.millrace.main;

/**
 * Makes the start quick, which is mostly the loading of classes: what takes longest is loaded on another thread, while the
 * command line and the config are read. For the process only; an application that embeds the broker has its own ways.
 */
final class Warmup {
    private static final String[] CLASSES = {
        "io.vertx.core.impl.VertxImpl",
        "io.netty.channel.epoll.EpollIoHandler",
        "io.netty.buffer.PooledByteBufAllocator",
        "io.vertx.core.net.impl.NetServerImpl",
        "org.h2.mvstore.MVStore",
    };

    private Warmup() {}

    static void begin() {
        // Neither is needed to serve AMQP, and each loads a hundred classes: a DNS client, and events for a profiler.
        setIfAbsent("vertx.disableDnsResolver", "true");
        setIfAbsent("io.netty.jfr.enabled", "false");
        Thread thread = new Thread(Warmup::load, "millrace-warmup");
        thread.setDaemon(true);
        thread.start();
    }

    private static void setIfAbsent(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }

    private static void load() {
        for (String name : CLASSES) {
            try {
                Class.forName(name);
            } catch (ClassNotFoundException | LinkageError e) {
                // Whoever needs it says so better.
                return;
            }
        }
    }
}
