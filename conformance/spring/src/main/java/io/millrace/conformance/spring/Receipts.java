package io.millrace.conformance.spring;

import io.millrace.conformance.tap.Expect;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageListener;
import jakarta.jms.TextMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Predicate;

/** A listener that remembers the texts it got, and throws where it is told to. */
final class Receipts implements MessageListener {
    private final List<String> all = new ArrayList<>();
    private final Predicate<String> failing;

    Receipts() {
        this(text -> false);
    }

    Receipts(Predicate<String> failing) {
        this.failing = failing;
    }

    @Override
    public void onMessage(Message message) {
        String text;
        try {
            text = ((TextMessage) message).getText();
        } catch (JMSException e) {
            throw new IllegalStateException(e);
        }
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
        List<String> got = all();
        Expect.equal(new TreeSet<>(texts), new TreeSet<>(got), "messages");
        Expect.equal(texts.size(), got.size(), "messages, each once");
    }
}
