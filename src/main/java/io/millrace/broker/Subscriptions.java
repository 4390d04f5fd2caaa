package io.millrace.broker;

import io.millrace.config.Config;
import io.millrace.config.QueueSettings;
import io.millrace.journal.Fact;
import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.message.Condition;
import io.millrace.queue.Backlog;
import io.millrace.queue.Queue;
import io.millrace.queue.QueueIdentity;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * All subscriptions: who may receive from which, and when they end. Owned by the home loop, where their queues live, too, so
 * that what one message becomes is one batch of the journal.
 *
 * <p>A subscription is in the list of each topic that it is for. A durable one is in the journal before its link is let in, and
 * out of it before the one who ends it is told.
 */
final class Subscriptions {
    private final Config config;
    private final Numbers numbers;
    private final Map<String, Topic> topics = new HashMap<>();
    private final Map<SubscriptionKey, Subscription> named = new HashMap<>();
    private final Map<Queue, Subscription> all = new LinkedHashMap<>();
    private final List<Subscription> wild = new ArrayList<>();
    private final DeadLetters deadLetters;
    private final Supplier<Directory> home;

    Subscriptions(Config config, Numbers numbers, DeadLetters deadLetters, Supplier<Directory> home) {
        this.config = config;
        this.numbers = numbers;
        this.deadLetters = deadLetters;
        this.home = home;
    }

    // ---- topics

    /** There is a topic of this name from now on. */
    Topic topic(String name) {
        Topic topic = new Topic(name);
        topics.put(name, topic);
        wild.stream().filter(each -> each.pattern().matches(name)).forEach(topic::add);
        return topic;
    }

    /** The topic is gone, and with it all subscriptions that are for nothing else. */
    void deleted(Topic topic) {
        topics.remove(topic.name(), topic);
        for (Subscription subscription : List.copyOf(topic.subscriptions())) {
            if (!subscription.pattern().wild()) {
                end(subscription);
            }
        }
    }

    Set<Queue> queues() {
        return all.keySet();
    }

    // ---- start

    void recover(RecoveredNode node) {
        Fact.NodeDeclared declared = node.declared();
        add(made(
                Subscription.keyOf(declared.properties()),
                declared.address(),
                Subscription.termsOf(declared.properties()),
                new QueueIdentity(
                        declared.number(),
                        Subscription.title(
                                Subscription.keyOf(declared.properties()), declared.address(), declared.number()),
                        true,
                        true),
                Backlog.of(node)));
    }

    // ---- subscribing

    /** Finds the subscription that a link wants or makes it; its topic is there. The answer may come inside the call. */
    void subscribe(String address, Request request, Directory from, Nodes.Answer answer) {
        Terms terms = inForce(request.terms());
        SubscriptionKey key = SubscriptionKey.of(request.link(), terms);
        if (key.durable() && Address.temporary(address)) {
            refuse(
                    from,
                    answer,
                    new Condition(
                            Condition.NOT_ALLOWED,
                            "'" + address + "' is temporary, so no subscription to it can be durable"));
            return;
        }
        Subscription known = named.get(key);
        if (known != null && key.durable() && known.terms().shared() != terms.shared()) {
            refuse(
                    from,
                    answer,
                    new Condition(
                            Condition.NOT_ALLOWED,
                            "the durable subscription '" + key.name() + "' is " + (terms.shared() ? "not " : "")
                                    + "shared; use another name, or end it first"));
            return;
        }
        if (known != null && !known.links().isEmpty() && (key.durable() || key.shared())) {
            join(known, address, terms, from, answer);
            return;
        }
        if (known != null && known.links().isEmpty() && known.agrees(address, terms)) {
            enter(known, from, answer);
            return;
        }
        if (known != null && known.links().isEmpty()) {
            end(known);
        }
        create(key, address, terms, from, answer);
    }

    /** A name without a container has nobody whose messages could be its own. */
    private static Terms inForce(Terms asked) {
        return asked.global() && asked.noLocal()
                ? new Terms(asked.durable(), asked.shared(), true, asked.selector(), false, asked.lifetime())
                : asked;
    }

    private void join(Subscription known, String address, Terms terms, Directory from, Nodes.Answer answer) {
        if (!terms.shared()) {
            refuse(from, answer, locked(known, "end that link first, or use another name"));
        } else if (!known.agrees(address, terms)) {
            refuse(
                    from,
                    answer,
                    locked(known, "its topic and selector cannot be changed until all of its links are closed"));
        } else {
            enter(known, from, answer);
        }
    }

    private static Condition locked(Subscription subscription, String fix) {
        return new Condition(
                Condition.RESOURCE_LOCKED,
                "the subscription '" + subscription.key().name() + "' to '" + subscription.pattern() + "' is in use; "
                        + fix);
    }

    private void enter(Subscription subscription, Directory from, Nodes.Answer answer) {
        subscription.stay();
        subscription.links().add(answer);
        if (subscription.key().durable()) {
            // Whoever made it may still wait for the disk.
            home.get().resources().recorder().whenDurable(() -> tell(subscription, from, answer));
        } else {
            tell(subscription, from, answer);
        }
    }

    private static void tell(Subscription subscription, Directory from, Nodes.Answer answer) {
        from.loop().post(() -> answer.opened(from.subscription(subscription)));
    }

    private static void refuse(Directory from, Nodes.Answer answer, Condition reason) {
        from.loop().post(() -> answer.refused(reason));
    }

    private void create(SubscriptionKey key, String address, Terms terms, Directory from, Nodes.Answer answer) {
        long number = key.durable() ? numbers.next() : numbers.nextTemporary();
        String title = Subscription.title(key, address, number);
        Subscription subscription =
                made(key, address, terms, new QueueIdentity(number, title, key.durable(), true), Backlog.NONE);
        subscription.links().add(answer);
        // From now on it gets messages; what they become is recorded after this.
        if (key.durable()) {
            home.get()
                    .resources()
                    .recorder()
                    .declare(
                            new Fact.NodeDeclared(
                                    number, address, Fact.NodeKind.SUBSCRIPTION, Subscription.properties(key, terms)),
                            () -> tell(subscription, from, answer));
        } else {
            tell(subscription, from, answer);
        }
        add(subscription);
    }

    private Subscription made(
            SubscriptionKey key, String address, Terms terms, QueueIdentity identity, Backlog backlog) {
        QueueSettings settings = config.subscriptionSettingsFor(address);
        Queue queue = new Queue(
                identity,
                settings,
                home.get().resources(),
                deadLetters.routeFrom(address, settings, home.get()),
                backlog);
        return new Subscription(key, new TopicPattern(address), terms, queue);
    }

    private void add(Subscription subscription) {
        all.put(subscription.queue(), subscription);
        named.putIfAbsent(subscription.key(), subscription);
        if (subscription.pattern().wild()) {
            wild.add(subscription);
            topics.values().stream()
                    .filter(topic -> subscription.pattern().matches(topic.name()))
                    .forEach(topic -> topic.add(subscription));
        } else {
            topics.get(subscription.pattern().toString()).add(subscription);
        }
    }

    // ---- the way out

    /** A link is gone, or its session, or its connection. */
    void released(Subscription subscription, Nodes.Answer link, Departure departure) {
        subscription.links().remove(link);
        if (!subscription.links().isEmpty()
                || !departure.ends(subscription.terms().lifetime())) {
            return;
        }
        long millis = subscription.terms().lifetime().timeout().toMillis();
        if (departure == Departure.CLOSED || millis == 0) {
            end(subscription);
        } else {
            subscription.countDown(home.get().loop().after(millis, () -> end(subscription)));
        }
    }

    /** Shows the durable subscription of this name to somebody who does not receive from it. */
    void lookUp(SubscriptionKey key, Directory from, Nodes.Answer answer) {
        Subscription found = named.get(key);
        if (found == null) {
            String of = key.container().isEmpty() ? "" : " of the container '" + key.container() + "'";
            refuse(
                    from,
                    answer,
                    new Condition(Condition.NOT_FOUND, "there is no durable subscription '" + key.name() + "'" + of));
        } else {
            tell(found, from, answer);
        }
    }

    /** Ends it when nobody uses it. {@code done} runs when that is durable, with nothing, or with why it cannot be. */
    void unsubscribe(Subscription subscription, Consumer<Optional<Condition>> done) {
        if (!subscription.links().isEmpty()) {
            done.accept(Optional.of(locked(subscription, "close its consumers before you unsubscribe")));
            return;
        }
        end(subscription);
        home.get().resources().recorder().whenDurable(() -> done.accept(Optional.empty()));
    }

    private void end(Subscription subscription) {
        if (all.remove(subscription.queue()) == null) {
            return;
        }
        subscription.stay();
        named.remove(subscription.key(), subscription);
        if (subscription.pattern().wild()) {
            wild.remove(subscription);
            topics.values().forEach(topic -> topic.remove(subscription));
        } else {
            Optional.ofNullable(topics.get(subscription.pattern().toString()))
                    .ifPresent(topic -> topic.remove(subscription));
        }
        subscription.queue().delete();
    }
}
