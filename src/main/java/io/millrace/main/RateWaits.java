package io.millrace.main;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/** How many connections are held back by a rate, and for how long in all. Only counters; any thread. */
final class RateWaits {
    private final Map<String, LongAdder> now = new ConcurrentHashMap<>();
    private final Map<String, LongAdder> millis = new ConcurrentHashMap<>();
    private final Map<String, LongAdder> users = new ConcurrentHashMap<>();
    private final Set<String> told = ConcurrentHashMap.newKeySet();

    void began(String listener, Optional<String> user) {
        add(now, listener, 1);
        user.ifPresent(name -> add(users, name, 1));
    }

    void ended(String listener, Duration waited) {
        add(now, listener, -1);
        add(millis, listener, waited.toMillis());
    }

    private static void add(Map<String, LongAdder> counters, String key, long count) {
        counters.computeIfAbsent(key, ignored -> new LongAdder()).add(count);
    }

    /** Whether a user is asked about for the first time. */
    boolean isNew(String user) {
        return told.add(user);
    }

    /** Connections that wait now, on a listener. */
    long waiting(String listener) {
        return now.containsKey(listener) ? now.get(listener).sum() : 0;
    }

    /** How long those of a listener have waited, without those that wait now. */
    double seconds(String listener) {
        return millis.containsKey(listener) ? millis.get(listener).sum() / 1e3 : 0;
    }

    /** How often a connection had to wait for this user's limit. */
    long ofUser(String user) {
        return users.containsKey(user) ? users.get(user).sum() : 0;
    }
}
