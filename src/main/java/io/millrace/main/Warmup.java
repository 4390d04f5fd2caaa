package io.millrace.main;

/**
 * Loads the classes that take longest on another thread while the command line and the config are read: the start is
 * mostly class loading, and a second core is idle then.
 */
final class Warmup {
    private Warmup() {}

    static void begin() {
        Thread thread = new Thread(Warmup::load, "millrace-warmup");
        thread.setDaemon(true);
        thread.start();
    }

    private static void load() {
        io.vertx.core.Vertx.builder();
    }
}
