package io.millrace.amqp;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * A map from numbers to objects that allocates nothing per entry: deliveries by delivery-id, links by handle. Owned by
 * its user's loop. Open addressing with Fibonacci hashing: consecutive numbers, the usual ones here, are spread with gaps, so
 * that a removal never has long runs to close.
 */
final class IntMap<V> {
    private static final int INITIAL_CAPACITY = 8;

    /** 2 to the 32 divided by the golden ratio. */
    private static final int GOLDEN = 0x9E3779B9;

    private int[] keys = new int[INITIAL_CAPACITY];
    private Object[] values = new Object[INITIAL_CAPACITY];
    private int size;

    int size() {
        return size;
    }

    /** The value, or null: the hot path has no room for an Optional. */
    @SuppressWarnings("unchecked")
    V get(int key) {
        return (V) values[slot(key)];
    }

    void put(int key, V value) {
        int slot = slot(key);
        if (values[slot] == null) {
            keys[slot] = key;
            size++;
        }
        values[slot] = value;
        if (size > values.length / 2) {
            grow();
        }
    }

    /** Removes and returns the value, or null. */
    V remove(int key) {
        int slot = slot(key);
        @SuppressWarnings("unchecked")
        V removed = (V) values[slot];
        if (removed != null) {
            size--;
            close(slot);
        }
        return removed;
    }

    /** Moves back what had to step aside for the entry that was here, so that every look-up may stop at a gap. */
    private void close(int start) {
        int mask = values.length - 1;
        int gap = start;
        for (int i = (gap + 1) & mask; values[i] != null; i = (i + 1) & mask) {
            int home = home(keys[i]);
            if (((i - home) & mask) >= ((i - gap) & mask)) {
                keys[gap] = keys[i];
                values[gap] = values[i];
                gap = i;
            }
        }
        values[gap] = null;
    }

    private int home(int key) {
        return (key * GOLDEN) >>> Integer.numberOfLeadingZeros(values.length - 1);
    }

    private int slot(int key) {
        int mask = values.length - 1;
        int slot = home(key);
        while (values[slot] != null && keys[slot] != key) {
            slot = (slot + 1) & mask;
        }
        return slot;
    }

    private void grow() {
        int[] oldKeys = keys;
        Object[] oldValues = values;
        keys = new int[oldKeys.length * 2];
        values = new Object[oldKeys.length * 2];
        for (int i = 0; i < oldKeys.length; i++) {
            if (oldValues[i] != null) {
                int slot = slot(oldKeys[i]);
                keys[slot] = oldKeys[i];
                values[slot] = oldValues[i];
            }
        }
    }

    /** All keys, in serial order as seen from {@code first} (RFC 1982). */
    int[] keysFrom(int first) {
        int[] distances = new int[size];
        int count = 0;
        for (int i = 0; i < keys.length; i++) {
            if (values[i] != null) {
                distances[count++] = (keys[i] - first) ^ Integer.MIN_VALUE;
            }
        }
        Arrays.sort(distances);
        for (int i = 0; i < count; i++) {
            distances[i] = (distances[i] ^ Integer.MIN_VALUE) + first;
        }
        return distances;
    }

    /** Calls {@code action}, which must not change the map, for every value, in no order. */
    @SuppressWarnings("unchecked")
    void forEach(Consumer<V> action) {
        for (Object value : values) {
            if (value != null) {
                action.accept((V) value);
            }
        }
    }

    /** All values, for loops that change the map. */
    Iterable<V> copy() {
        List<V> all = new ArrayList<>(size);
        forEach(all::add);
        return all;
    }
}
