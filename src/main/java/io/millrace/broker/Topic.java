package io.millrace.broker;

import java.util.ArrayList;
import java.util.List;

/**
 * A topic: every subscription gets its messages. Owned by the home loop. Its list of subscriptions is kept as they come and
 * go, wildcards included, so that a message looks at those of its topic only.
 */
final class Topic implements Route {
    private final String name;
    private final List<Subscription> subscriptions = new ArrayList<>();

    Topic(String name) {
        this.name = name;
    }

    String name() {
        return name;
    }

    void add(Subscription subscription) {
        subscriptions.add(subscription);
    }

    void remove(Subscription subscription) {
        subscriptions.remove(subscription);
    }

    List<Subscription> subscriptions() {
        return subscriptions;
    }

    @Override
    public void collect(Publication publication) {
        for (int i = 0; i < subscriptions.size(); i++) {
            Subscription subscription = subscriptions.get(i);
            if (subscription.wants(publication)) {
                publication.goesTo(subscription.queue(), subscription.terms().durable());
            }
        }
    }
}
