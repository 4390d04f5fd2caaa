package io.millrace.bench;

import java.util.ArrayList;
import java.util.List;

/** Which messages of each producer have come to the consumers of a queue, or to a subscription. Owned by one loop, then handed on. */
final class Arrivals {
    private final List<SequenceSet> producers = new ArrayList<>();

    /** Whether it has not come before. */
    boolean add(int producer, long sequence) {
        return of(producer).add(sequence);
    }

    SequenceSet of(int producer) {
        while (producers.size() <= producer) {
            producers.add(new SequenceSet());
        }
        return producers.get(producer);
    }

    /** Puts what came on another loop to this; how many came on both. */
    long addAll(Arrivals other) {
        long twice = 0;
        for (int i = 0; i < other.producers.size(); i++) {
            twice += of(i).addAll(other.producers.get(i));
        }
        return twice;
    }
}
