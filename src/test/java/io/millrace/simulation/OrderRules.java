package io.millrace.simulation;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;

/** What one producer sends to one place with one priority keeps its order, and what is given back comes before later ones. */
final class OrderRules {
    private final Plan plan;
    private final Map<Place, Set<Copy>> returned = new HashMap<>();

    OrderRules(Plan plan) {
        this.plan = plan;
    }

    /** Those that keep their order: where duplicates are told, what may be one is seen later than others. */
    static String lane(Copy copy) {
        boolean later = copy.mayRepeat() && copy.parcel.durable();
        return copy.parcel.lane() + (later ? "/later" : "");
    }

    /** A first delivery to one consumer, or a message shown to one browser. */
    static void theFirstDeliveriesToAConsumerKeepTheirOrder(Map<String, Integer> last, Copy copy) {
        if (copy.parcel.traits.dueMillis() == 0) {
            Integer before = last.put(lane(copy), copy.parcel.index);
            Checks.that(before == null || before < copy.parcel.index, "%s comes after m%s", copy, before);
        }
    }

    /** It goes back to its place. */
    void givenBack(Copy copy) {
        others(copy.place).add(copy);
    }

    /** Exact where calls take effect at once and nothing is dropped. */
    void whatIsGivenBackComesBeforeLaterMessages(Copy copy, SimConsumer consumer, long nowMillis) {
        Set<Copy> others = others(copy.place);
        boolean exact = plan.loops() == 1 && !copy.place.dropsOldest() && consumer.place() == copy.place;
        if (exact && copy.parcel.traits.dueMillis() == 0) {
            for (Copy other : others) {
                Checks.that(
                        other.parcel.index >= copy.parcel.index
                                || !lane(other).equals(lane(copy))
                                || other.parcel.traits.dueMillis() != 0
                                || other.mayHaveExpired(nowMillis)
                                || !other.mustBeThere()
                                || !other.excluded.isEmpty()
                                || other.mayBeExcluded
                                || !consumer.wants(other),
                        "%s comes before %s, which was given back",
                        copy,
                        other);
            }
        }
        others.remove(copy);
    }

    /** It goes back to its place, and may come there after later ones were delivered. */
    void givenBackInTime(Copy copy) {
        others(copy.place).remove(copy);
    }

    private Set<Copy> others(Place place) {
        return returned.computeIfAbsent(place, any -> new LinkedHashSet<>());
    }

    void crashed() {
        returned.clear();
    }
}
