package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class IntMapTest {

    @Test
    void itDoesWhatAHashMapDoes() {
        for (int seed = 0; seed < 200; seed++) {
            Random random = new Random(seed);
            IntMap<String> map = new IntMap<>();
            Map<Integer, String> model = new HashMap<>();
            int base = random.nextInt();
            for (int i = 0; i < 2000; i++) {
                int key = base + random.nextInt(300);
                switch (random.nextInt(3)) {
                    case 0 -> {
                        map.put(key, "v" + i);
                        model.put(key, "v" + i);
                    }
                    case 1 -> assertEquals(model.remove(key), map.remove(key), "seed " + seed);
                    default -> assertEquals(model.get(key), map.get(key), "seed " + seed);
                }
                assertEquals(model.size(), map.size(), "seed " + seed);
            }
        }
    }

    @Test
    void keysAreInSerialOrderAcrossTheWrap() {
        IntMap<String> map = new IntMap<>();
        for (int key = Integer.MAX_VALUE - 2; key != Integer.MIN_VALUE + 3; key++) {
            map.put(key, "x");
        }
        map.put(-1, "x");
        map.put(0, "x");
        assertArrayEquals(
                new int[] {
                    Integer.MAX_VALUE - 2,
                    Integer.MAX_VALUE - 1,
                    Integer.MAX_VALUE,
                    Integer.MIN_VALUE,
                    Integer.MIN_VALUE + 1,
                    Integer.MIN_VALUE + 2,
                    -1,
                    0
                },
                map.keysFrom(Integer.MAX_VALUE - 2));
    }

    @Test
    void removingTheOldestOfManyIsQuick() {
        IntMap<String> map = new IntMap<>();
        int window = 100_000;
        for (int key = 0; key < window; key++) {
            map.put(key, "x");
        }
        org.junit.jupiter.api.Assertions.assertTimeoutPreemptively(java.time.Duration.ofSeconds(20), () -> {
            for (int key = window; key < 50 * window; key++) {
                assertEquals("x", map.remove(key - window));
                map.put(key, "x");
            }
        });
    }
}
