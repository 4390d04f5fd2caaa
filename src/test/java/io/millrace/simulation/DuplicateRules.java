package io.millrace.simulation;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Where duplicates are told, one of the messages with a message-id comes, and no other. */
final class DuplicateRules {
    private final Map<String, List<Copy>> all = new HashMap<>();

    void offered(Copy copy) {
        if (copy.mayRepeat()) {
            all.computeIfAbsent(key(copy), key -> new ArrayList<>()).add(copy);
        }
    }

    private static String key(Copy copy) {
        return copy.place.title() + "/" + copy.parcel.traits.identity();
    }

    List<Copy> withTheIdentityOf(Copy copy) {
        return copy.mayRepeat() ? all.get(key(copy)) : List.of(copy);
    }

    /** What is not durable is forgotten with the broker. */
    void noMessageComesThatRepeatsAnother(Copy copy) {
        for (Copy other : withTheIdentityOf(copy)) {
            boolean forgotten = !other.parcel.durable() && other.parcel.generation != copy.parcel.generation;
            Checks.that(
                    other == copy || !other.seen || forgotten,
                    "%s comes, and repeats %s, which came before",
                    copy,
                    other);
        }
    }

    /** Whether another message that came or may have come in its stead says all that is to be said of it. */
    boolean cameAsAnother(Copy copy, long nowMillis) {
        return withTheIdentityOf(copy).stream()
                .anyMatch(other -> other != copy
                        && other.parcel.generation <= copy.parcel.generation
                        && (other.seen || other.mayHaveExpired(nowMillis)));
    }
}
