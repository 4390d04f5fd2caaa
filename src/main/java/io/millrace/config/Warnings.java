package io.millrace.config;

import io.millrace.config.Config.Listener;
import java.util.ArrayList;
import java.util.List;

/** What is allowed in a {@link Config} but unwise. Stateless. */
final class Warnings {
    private Warnings() {}

    /** In sentences for the log at start. */
    static List<String> of(Config config) {
        List<String> warnings = new ArrayList<>();
        for (Listener listener : config.listeners()) {
            if (listener.anonymous() && !Config.isLoopback(listener.host())) {
                warnings.add("listener " + listener.name() + " (" + listener.host() + ":" + listener.port()
                        + ") is open to everyone who can reach it; set anonymous: false and add users, or listen on"
                        + " 127.0.0.1");
            }
        }
        long heap = Runtime.getRuntime().maxMemory();
        if (config.memoryBytes() > heap / 10 * 8) {
            warnings.add("memory (" + (config.memoryBytes() >> 20) + " MiB) leaves too little of the Java heap ("
                    + (heap >> 20)
                    + " MiB) for anything else; lower it, use memory: auto, or raise the heap with -Xmx");
        }
        return warnings;
    }
}
