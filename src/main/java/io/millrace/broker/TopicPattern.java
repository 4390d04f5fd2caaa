package io.millrace.broker;

import java.util.Arrays;
import java.util.List;

/**
 * The name of a topic, or of many: levels are separated by dots, {@code *} stands for any one level and {@code #} for any
 * number of them, none included. A star or hash that is only a part of a level stands for itself. Immutable.
 */
final class TopicPattern {
    private static final String ONE = "*";
    private static final String ANY = "#";

    private final String text;
    private final List<String> levels;
    private final boolean wild;

    TopicPattern(String text) {
        this.text = text;
        this.levels = levels(text);
        this.wild = levels.contains(ONE) || levels.contains(ANY);
    }

    private static List<String> levels(String text) {
        return Arrays.asList(text.split("\\.", -1));
    }

    /** Whether it may stand for more than one name. */
    boolean wild() {
        return wild;
    }

    boolean matches(String topic) {
        return wild ? matches(levels(topic)) : text.equals(topic);
    }

    /** Going back to the last hash is enough: what an earlier one could take more of, the last one can, too. */
    private boolean matches(List<String> topic) {
        int at = 0;
        int level = 0;
        int lastAny = -1;
        int resume = 0;
        while (at < topic.size()) {
            String wanted = level < levels.size() ? levels.get(level) : "";
            if (level < levels.size() && wanted.equals(ANY)) {
                lastAny = level++;
                resume = at;
            } else if (level < levels.size() && (wanted.equals(ONE) || wanted.equals(topic.get(at)))) {
                level++;
                at++;
            } else if (lastAny >= 0) {
                level = lastAny + 1;
                at = ++resume;
            } else {
                return false;
            }
        }
        return levels.subList(level, levels.size()).stream().allMatch(ANY::equals);
    }

    @Override
    public String toString() {
        return text;
    }
}
