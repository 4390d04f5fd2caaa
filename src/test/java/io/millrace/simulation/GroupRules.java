package io.millrace.simulation;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Within a message group one consumer at a time holds messages, and they come in order. */
final class GroupRules {
    private final Map<String, Map<Copy, SimConsumer>> held = new HashMap<>();
    private final Map<String, Integer> lastFirst = new HashMap<>();

    /** A message is handed to a consumer. */
    void delivered(Copy copy, SimConsumer consumer, boolean first) {
        if (copy.parcel.traits.group().isEmpty()) {
            return;
        }
        Map<Copy, SimConsumer> others = held.computeIfAbsent(key(copy, consumer.place()), k -> new LinkedHashMap<>());
        onlyOneConsumerHoldsMessagesOfAGroup(copy, consumer, others);
        others.put(copy, consumer);
        if (first && consumer.place() == copy.place && copy.parcel.traits.dueMillis() == 0) {
            aGroupKeepsItsOrderWhoeverGetsIt(copy);
        }
    }

    private static void onlyOneConsumerHoldsMessagesOfAGroup(
            Copy copy, SimConsumer consumer, Map<Copy, SimConsumer> others) {
        others.forEach((other, holder) -> Checks.that(
                holder == consumer, "%s comes to a consumer while another one holds %s of its group", copy, other));
    }

    private void aGroupKeepsItsOrderWhoeverGetsIt(Copy copy) {
        // A consumer with a selector leaves the others of its group to those that may come.
        String lane = key(copy, copy.place) + OrderRules.lane(copy) + copy.parcel.traits.colour();
        Integer before = lastFirst.put(lane, copy.parcel.index);
        Checks.that(before == null || before < copy.parcel.index, "%s comes after m%s of its group", copy, before);
    }

    private static String key(Copy copy, Place at) {
        return at.title() + "/" + copy.parcel.traits.group() + "/";
    }

    /** The consumer does not hold it any more. */
    void letGo(Copy copy, Place at) {
        Map<Copy, SimConsumer> others = held.get(key(copy, at));
        if (others != null) {
            others.remove(copy);
        }
    }

    void crashed() {
        held.clear();
        lastFirst.clear();
    }
}
