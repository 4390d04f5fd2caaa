package io.millrace.broker;

import io.millrace.loop.Loop;
import io.millrace.queue.Queue;
import java.time.Duration;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A subscription to a topic or to all topics that match a pattern: a queue of its own, and who receives from it. Owned by
 * the home loop; {@link Subscriptions} decides over its life. What other loops read of it never changes.
 */
final class Subscription {
    private static final String CONTAINER = "container";
    private static final String NAME = "name";
    private static final String SHARED = "shared";
    private static final String GLOBAL = "global";
    private static final String SELECTOR = "selector";
    private static final String NO_LOCAL = "no-local";

    private final SubscriptionKey key;
    private final TopicPattern pattern;
    private final Terms terms;
    private final Queue queue;
    private final Set<Nodes.Answer> links = Collections.newSetFromMap(new IdentityHashMap<>());
    private Optional<Loop.Timer> countdown = Optional.empty();

    Subscription(SubscriptionKey key, TopicPattern pattern, Terms terms, Queue queue) {
        this.key = key;
        this.pattern = pattern;
        this.terms = terms;
        this.queue = queue;
    }

    SubscriptionKey key() {
        return key;
    }

    TopicPattern pattern() {
        return pattern;
    }

    Terms terms() {
        return terms;
    }

    Queue queue() {
        return queue;
    }

    /** The links that receive from it. */
    Set<Nodes.Answer> links() {
        return links;
    }

    boolean wants(Publication publication) {
        boolean own = terms.noLocal() && publication.container().equals(key.container());
        return !own && (terms.selector().isEmpty() || terms.selector().get().matches(publication));
    }

    /** Whether it is what somebody wants who says this. */
    boolean agrees(String address, Terms others) {
        return pattern.toString().equals(address)
                && terms.noLocal() == others.noLocal()
                && terms.selectorText().equals(others.selectorText());
    }

    /** How it is told apart, for people: {@code topic::container.name}. */
    static String title(SubscriptionKey key, String address, long number) {
        String named = key.durable() || key.shared() ? key.name() : Long.toString(number);
        return address + "::" + (key.container().isEmpty() ? named : key.container() + "." + named);
    }

    String title() {
        return queue.address();
    }

    void countDown(Loop.Timer timer) {
        stay();
        countdown = Optional.of(timer);
    }

    /** It does not end for now. */
    void stay() {
        countdown.ifPresent(Loop.Timer::cancel);
        countdown = Optional.empty();
    }

    /** What a restart has to know of a durable one. */
    static Map<String, String> properties(SubscriptionKey key, Terms terms) {
        Map<String, String> properties = new LinkedHashMap<>();
        properties.put(CONTAINER, key.container());
        properties.put(NAME, key.name());
        properties.put(SHARED, Boolean.toString(terms.shared()));
        properties.put(GLOBAL, Boolean.toString(terms.global()));
        properties.put(NO_LOCAL, Boolean.toString(terms.noLocal()));
        terms.selector().ifPresent(selector -> properties.put(SELECTOR, selector.text()));
        return properties;
    }

    static SubscriptionKey keyOf(Map<String, String> properties) {
        return new SubscriptionKey(
                properties.getOrDefault(CONTAINER, ""), properties.getOrDefault(NAME, ""), true, false);
    }

    static Terms termsOf(Map<String, String> properties) {
        return new Terms(
                true,
                Boolean.parseBoolean(properties.get(SHARED)),
                Boolean.parseBoolean(properties.get(GLOBAL)),
                Optional.ofNullable(properties.get(SELECTOR)).map(Selectors::stored),
                Boolean.parseBoolean(properties.get(NO_LOCAL)),
                new Lifetime(Lifetime.Until.NEVER, Duration.ZERO));
    }
}
