package io.millrace.soak;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;

/** What became of each message on its way from producers to consumers, and every rule that was broken. */
final class Ledger {
    private static final int MOST_FAULTS = 10;

    private final String name;
    private final boolean ordered;
    private final List<Book> books = new ArrayList<>();
    private final Set<String> faults = new TreeSet<>();
    private long accepted;
    private long refused;
    private long received;
    private long longestWaitNanos;
    private final Map<String, Long> reasons = new TreeMap<>();
    private long lastAcceptNanos = System.nanoTime();
    private boolean lossy;
    private int producing;

    Ledger(String name, boolean ordered) {
        this.name = name;
        this.ordered = ordered;
    }

    /** What one producer has sent. */
    private static final class Book {
        private final BitSet accepted = new BitSet();
        private final BitSet refused = new BitSet();
        private final BitSet received = new BitSet();
        private int sent;
        private int last = -1;
    }

    /** What stands at the beginning of each message. */
    record Entry(int producer, int number, int size) {
        String text() {
            String head = producer + ":" + number + ":" + size + ":";
            return head + "x".repeat(Math.max(0, size - head.length()));
        }

        static Entry of(String text) {
            String[] parts = text.substring(0, Math.min(text.length(), 60)).split(":", 4);
            Entry entry = new Entry(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
            if (!entry.text().equals(text)) {
                throw new IllegalStateException("a message was changed: " + entry + " has " + text.length());
            }
            return entry;
        }
    }

    /** Messages may be dropped: they are counted at the end instead. */
    Ledger lossy() {
        lossy = true;
        return this;
    }

    synchronized int newProducer() {
        books.add(new Book());
        producing++;
        return books.size() - 1;
    }

    synchronized void producerIsDone() {
        producing--;
    }

    synchronized boolean producersAreDone() {
        return producing == 0;
    }

    synchronized Entry next(int producer, int size) {
        return new Entry(producer, books.get(producer).sent++, size);
    }

    synchronized void accepted(Entry entry) {
        books.get(entry.producer).accepted.set(entry.number);
        accepted++;
        lastAcceptNanos = System.nanoTime();
    }

    synchronized void refused(Entry entry) {
        books.get(entry.producer).refused.set(entry.number);
        refused++;
    }

    /** Numbers aside, there are few reasons. */
    synchronized void reason(String text) {
        reasons.merge(text.replaceAll("\\d+", "N"), 1L, Long::sum);
    }

    synchronized Map<String, Long> reasons() {
        return Map.copyOf(reasons);
    }

    synchronized void received(Entry entry) {
        Book book = books.get(entry.producer);
        if (book.received.get(entry.number)) {
            fault("twice: " + entry);
            return;
        }
        if (ordered && entry.number < book.last) {
            fault("out of order: " + entry + " after " + book.last);
        }
        book.received.set(entry.number);
        book.last = entry.number;
        received++;
    }

    synchronized void waited(long nanos) {
        longestWaitNanos = Math.max(longestWaitNanos, nanos);
    }

    /** No message is expected now. */
    synchronized void pause() {
        lastAcceptNanos = System.nanoTime();
    }

    synchronized long sinceLastAcceptNanos() {
        return producing == 0 ? 0 : System.nanoTime() - lastAcceptNanos;
    }

    synchronized long outstanding() {
        return lossy ? 0 : accepted - received;
    }

    synchronized long accepted() {
        return accepted;
    }

    synchronized long refused() {
        return refused;
    }

    synchronized long received() {
        return received;
    }

    synchronized long longestWaitNanos() {
        return longestWaitNanos;
    }

    synchronized void fault(String what) {
        if (faults.size() < MOST_FAULTS) {
            faults.add(name + ": " + what);
        }
    }

    /** All that is wrong, when everybody is done. */
    synchronized List<String> audit() {
        for (int i = 0; i < books.size(); i++) {
            Book book = books.get(i);
            BitSet lost = (BitSet) book.accepted.clone();
            lost.andNot(book.received);
            if (!lossy && !lost.isEmpty()) {
                fault("lost of producer " + i + ": " + lost.cardinality() + ", the first is " + lost.nextSetBit(0));
            }
            BitSet strange = (BitSet) book.refused.clone();
            strange.and(book.received);
            if (!strange.isEmpty()) {
                fault("refused, and received: " + strange.cardinality() + ", the first is " + strange.nextSetBit(0));
            }
        }
        if (received == 0) {
            fault("nothing was received");
        }
        return List.copyOf(faults);
    }

    synchronized String row() {
        long sent = books.stream().mapToLong(book -> book.sent).sum();
        return "%-40s %8d %8d %8d %8d %7d ms"
                .formatted(name, sent, accepted, refused, received, TimeUnit.NANOSECONDS.toMillis(longestWaitNanos));
    }

    @Override
    public String toString() {
        return name;
    }
}
