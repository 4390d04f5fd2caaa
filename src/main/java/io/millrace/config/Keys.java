package io.millrace.config;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Every key that the file may have, by the section it is in. What is not here is a mistake in the file. */
final class Keys {
    static final List<String> TOP = List.of(
            "listeners",
            "http",
            "store",
            "memory",
            "event-loops",
            "connection",
            "users",
            "queue-defaults",
            "queues",
            "topics",
            "forward",
            "auto-create");
    static final List<String> LISTENER = List.of("name", "host", "port", "anonymous");
    static final List<String> HTTP = List.of("host", "port");
    static final List<String> STORE = List.of("directory", "max-bytes", "min-free");
    static final List<String> CONNECTION = List.of(
            "max-frame-size",
            "channel-max",
            "handle-max",
            "idle-timeout",
            "max-message-size",
            "link-credit",
            "transaction-timeout",
            "max-message-rate",
            "max-byte-rate");
    static final List<String> USER = List.of("name", "password", "max-message-rate", "max-byte-rate");
    static final List<String> SETTINGS = List.of(
            "max-deliveries",
            "dead-letter",
            "max-messages",
            "max-bytes",
            "when-full",
            "hold",
            "default-ttl",
            "min-ttl",
            "max-ttl",
            "expired",
            "redelivery-delay",
            "redelivery-multiplier",
            "max-redelivery-delay",
            "redelivery-jitter",
            "consumers",
            "last-value-key",
            "replay",
            "duplicates",
            "duplicates-window",
            "duplicates-kept");
    static final List<String> QUEUE = joined(List.of("name"), SETTINGS);
    static final List<String> TOPIC = joined(List.of("name"), SETTINGS);
    static final List<String> FORWARD = List.of("from", "to", "selector", "divert");
    static final List<String> RULE = joined(List.of("match", "create", "type"), SETTINGS);

    private Keys() {}

    /** All keys, by the top-level key they are under; the top level itself is under the empty name. */
    static Map<String, List<String>> all() {
        Map<String, List<String>> all = new LinkedHashMap<>();
        all.put("", TOP);
        all.put("listeners", LISTENER);
        all.put("http", HTTP);
        all.put("store", STORE);
        all.put("connection", CONNECTION);
        all.put("users", USER);
        all.put("queue-defaults", SETTINGS);
        all.put("queues", QUEUE);
        all.put("topics", TOPIC);
        all.put("forward", FORWARD);
        all.put("auto-create", RULE);
        return all;
    }

    private static List<String> joined(List<String> first, List<String> second) {
        List<String> joined = new ArrayList<>(first);
        joined.addAll(second);
        return List.copyOf(joined);
    }

    /** The allowed key that somebody may have meant. */
    static Optional<String> meant(String unknown, List<String> allowed) {
        String plain = plain(unknown);
        int near = plain.length() < 4 ? 1 : Math.max(2, plain.length() / 3);
        return allowed.stream()
                .filter(key -> distance(plain, plain(key)) <= near)
                .min(Comparator.comparingInt(key -> distance(plain, plain(key))));
    }

    /** Without what differs between habits of writing: maxMessages, max_messages and max-messages are the same. */
    private static String plain(String key) {
        return key.replaceAll("[-_ .]", "").toLowerCase(Locale.ROOT);
    }

    /** How many letters to add, drop or change (Levenshtein). */
    private static int distance(String from, String to) {
        int[] previous = new int[to.length() + 1];
        for (int column = 0; column <= to.length(); column++) {
            previous[column] = column;
        }
        for (int row = 1; row <= from.length(); row++) {
            int[] current = new int[to.length() + 1];
            current[0] = row;
            for (int column = 1; column <= to.length(); column++) {
                int change = from.charAt(row - 1) == to.charAt(column - 1) ? 0 : 1;
                int addOrDrop = Math.min(previous[column], current[column - 1]) + 1;
                current[column] = Math.min(previous[column - 1] + change, addOrDrop);
            }
            previous = current;
        }
        return previous[to.length()];
    }
}
