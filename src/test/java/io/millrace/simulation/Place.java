package io.millrace.simulation;

import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.DeadLetter;
import io.millrace.config.QueueSettings.ExpiredTo;
import io.millrace.config.QueueSettings.WhenFull;
import java.util.Optional;

/** A queue, or the queue behind a subscription, as the clients of a simulation know it. */
final class Place {
    /** What is told apart. */
    enum Kind {
        QUEUE,
        SUBSCRIPTION,
        /** Where dead and expired messages go. */
        GRAVE
    }

    final Kind kind;

    /** Of a subscription: that of its topic, maybe with wildcards. */
    final String address;

    final QueueSettings settings;

    /** What a subscription selects. */
    final Optional<String> colour;

    /** Whether what is in it outlives the broker. */
    final boolean persistent;

    private String title;

    private Place(Kind kind, String address, QueueSettings settings, Optional<String> colour, boolean persistent) {
        this.kind = kind;
        this.address = address;
        this.settings = settings;
        this.colour = colour;
        this.persistent = persistent;
        this.title = address;
    }

    static Place queue(String address, QueueSettings settings) {
        return new Place(Kind.QUEUE, address, settings, Optional.empty(), true);
    }

    static Place grave(String address, QueueSettings settings) {
        return new Place(Kind.GRAVE, address, settings, Optional.empty(), true);
    }

    static Place subscription(String address, QueueSettings settings, Optional<String> colour, boolean durable) {
        return new Place(Kind.SUBSCRIPTION, address, settings, colour, durable);
    }

    /** What the broker calls it in figures and annotations. */
    String title() {
        return title;
    }

    void isCalled(String name) {
        title = name;
    }

    /** Whether it has this name; one that is told by a number has many in its lives. */
    boolean isCalledOrWas(Object name) {
        return title.endsWith("#")
                ? String.valueOf(name)
                        .matches(java.util.regex.Pattern.quote(title.substring(0, title.length() - 1)) + "[0-9]+")
                : title.equals(name);
    }

    boolean isGrave() {
        return kind == Kind.GRAVE;
    }

    boolean takes(String topic, Traits traits) {
        boolean named = address.equals(topic) || (address.endsWith(".*") && topic.startsWith(address.replace("*", "")));
        return named && colour.map(traits.colour()::equals).orElse(true);
    }

    /** Where messages go that failed too often or were rejected. */
    Optional<String> deadLetterQueue() {
        if (isGrave() || settings.deadLetter() instanceof DeadLetter.Off) {
            return Optional.empty();
        }
        return Optional.of(
                settings.deadLetter() instanceof DeadLetter.To to ? to.queue() : DeadLetter.Own.nameFor(address));
    }

    /** Where messages go whose time is over. */
    Optional<String> expiredTo() {
        if (settings.expiry().to() instanceof ExpiredTo.To to) {
            return Optional.of(to.queue());
        }
        return settings.expiry().to() instanceof ExpiredTo.Nowhere ? Optional.empty() : deadLetterQueue();
    }

    boolean dropsOldest() {
        return settings.maxMessages().isPresent() && settings.whenFull() == WhenFull.DROP_OLDEST;
    }

    boolean hasLimit() {
        return settings.maxMessages().isPresent();
    }

    boolean tellsDuplicates() {
        return settings.duplicates().isPresent();
    }

    long restMillis() {
        return settings.redelivery().delay().toMillis();
    }

    @Override
    public String toString() {
        return title;
    }
}
