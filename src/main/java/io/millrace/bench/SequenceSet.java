package io.millrace.bench;

import java.util.Arrays;

/** Which numbers of a sequence there are: a bit for each, so a hundred million take 12 MB. Owned by one loop, then handed on. */
final class SequenceSet {
    private long[] bits = new long[64];

    /** Whether it was not there before. */
    boolean add(long number) {
        int word = Math.toIntExact(number >>> 6);
        if (word >= bits.length) {
            bits = Arrays.copyOf(bits, Math.max(word + 1, bits.length * 2));
        }
        long bit = 1L << number;
        boolean fresh = (bits[word] & bit) == 0;
        bits[word] |= bit;
        return fresh;
    }

    /** How many there are. */
    long size() {
        return Arrays.stream(bits).map(Long::bitCount).sum();
    }

    /** How many of these are not in the other. */
    long without(SequenceSet other) {
        long count = 0;
        for (int i = 0; i < bits.length; i++) {
            count += Long.bitCount(i < other.bits.length ? bits[i] & ~other.bits[i] : bits[i]);
        }
        return count;
    }

    /** Adds all of the other, and says how many were there already. */
    long addAll(SequenceSet other) {
        if (other.bits.length > bits.length) {
            bits = Arrays.copyOf(bits, other.bits.length);
        }
        long common = 0;
        for (int i = 0; i < other.bits.length; i++) {
            common += Long.bitCount(bits[i] & other.bits[i]);
            bits[i] |= other.bits[i];
        }
        return common;
    }
}
