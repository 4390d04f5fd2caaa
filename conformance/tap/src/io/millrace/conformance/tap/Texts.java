package io.millrace.conformance.tap;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Predicate;

/** Whatever receives texts: remembers them, and throws where it is told to. Safe for any number of threads. */
public class Texts {
    private final List<String> all = new ArrayList<>();
    private final Predicate<String> failing;
    private final Duration patience;

    /**
     * None yet.
     *
     * @param failing for which of them it throws
     * @param patience how long {@link #expect} waits
     */
    protected Texts(Predicate<String> failing, Duration patience) {
        this.failing = failing;
        this.patience = patience;
    }

    /** One has come. */
    protected void take(String text) {
        synchronized (all) {
            all.add(text);
        }
        if (failing.test(text)) {
            throw new IllegalStateException("on purpose: " + text);
        }
    }

    /** All that have come, in that order. */
    public List<String> all() {
        synchronized (all) {
            return new ArrayList<>(all);
        }
    }

    /** How often one has come. */
    public long count(String text) {
        return all().stream().filter(text::equals).count();
    }

    /** That each of these comes, in any order, and each once. */
    public void expect(List<String> texts) throws Exception {
        Expect.within(patience, texts.size() + " messages", () -> all().size() >= texts.size());
        List<String> got = all();
        Expect.equal(new TreeSet<>(texts), new TreeSet<>(got), "messages");
        Expect.equal(texts.size(), got.size(), "messages, each once");
    }
}
