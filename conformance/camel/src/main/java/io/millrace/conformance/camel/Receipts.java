package io.millrace.conformance.camel;

import io.millrace.conformance.tap.Expect;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.apache.camel.Exchange;
import org.apache.camel.Processor;

/** The end of a route that remembers the texts it got, and throws where it is told to. */
final class Receipts implements Processor {
    private final List<String> all = new ArrayList<>();
    private final Predicate<String> failing;

    Receipts() {
        this(text -> false);
    }

    Receipts(Predicate<String> failing) {
        this.failing = failing;
    }

    @Override
    public void process(Exchange exchange) {
        String text = exchange.getMessage().getBody(String.class);
        synchronized (all) {
            all.add(text);
        }
        if (failing.test(text)) {
            throw new IllegalStateException("on purpose: " + text);
        }
    }

    List<String> all() {
        synchronized (all) {
            return new ArrayList<>(all);
        }
    }

    long count(String text) {
        return all().stream().filter(text::equals).count();
    }

    /** That each of these comes, in any order, and each once. */
    void expect(List<String> texts) throws Exception {
        Expect.within(Trial.PATIENCE, texts.size() + " messages", () -> all().size() >= texts.size());
        Expect.equal(new TreeSet<>(texts), new TreeSet<>(all()), "messages");
        Expect.equal(texts.size(), all().size(), "messages, each once");
    }
}
