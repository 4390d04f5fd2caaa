package io.millrace.broker;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class TopicPatternTest {
    private static boolean matches(String pattern, String topic) {
        return new TopicPattern(pattern).matches(topic);
    }

    @Test
    void withoutWildcardsItIsTheTopicItself() {
        assertTrue(matches("a.b", "a.b"));
        assertFalse(matches("a.b", "a"));
        assertFalse(new TopicPattern("a.b").wild());
    }

    @Test
    void aStarIsExactlyOneLevel() {
        assertTrue(matches("a.*.c", "a.b.c"));
        assertFalse(matches("a.*.c", "a.c"));
        assertFalse(matches("a.*.c", "a.b.b.c"));
        assertFalse(matches("*", "a.b"));
        assertTrue(matches("*.*", "a."));
    }

    @Test
    void aHashIsAnyNumberOfLevelsAnywhere() {
        for (String topic : List.of("a", "a.b", "a.b.c")) {
            assertTrue(matches("#", topic));
            assertTrue(matches("a.#", topic));
            assertTrue(matches("#.#", topic));
        }
        assertTrue(matches("#.c", "a.b.c"));
        assertTrue(matches("a.#.c.#.e", "a.b.c.c.d.e"));
        assertFalse(matches("#.c", "a.b.cc"));
        assertFalse(matches("b.#", "a.b"));
    }

    @Test
    void aWildcardWithinALevelIsACharacterLikeAnother() {
        assertFalse(new TopicPattern("a*.b#").wild());
        assertTrue(matches("a*.b#", "a*.b#"));
        assertFalse(matches("a*", "ab"));
    }

    @Test
    void itAgreesWithTheDefinitionForRandomPatterns() {
        Random random = new Random(4711);
        String[] levels = {"a", "b", "*", "#"};
        for (int i = 0; i < 20_000; i++) {
            List<String> pattern = random.ints(1 + random.nextInt(5), 0, 4)
                    .mapToObj(n -> levels[n])
                    .toList();
            List<String> topic = random.ints(1 + random.nextInt(5), 0, 2)
                    .mapToObj(n -> levels[n])
                    .toList();
            String text = String.join(".", pattern);
            String name = String.join(".", topic);
            assertEquals(byDefinition(pattern, topic), matches(text, name), text + " and " + name);
        }
    }

    private static boolean byDefinition(List<String> pattern, List<String> topic) {
        if (pattern.isEmpty()) {
            return topic.isEmpty();
        }
        List<String> rest = pattern.subList(1, pattern.size());
        if (pattern.get(0).equals("#")) {
            return byDefinition(rest, topic)
                    || (!topic.isEmpty() && byDefinition(pattern, topic.subList(1, topic.size())));
        }
        return !topic.isEmpty()
                && (pattern.get(0).equals("*") || pattern.get(0).equals(topic.get(0)))
                && byDefinition(rest, topic.subList(1, topic.size()));
    }
}
