package io.millrace.config;

import io.millrace.config.QueueSettings.Consumers;
import io.millrace.config.QueueSettings.DeadLetter;
import io.millrace.config.QueueSettings.Duplicates;
import io.millrace.config.QueueSettings.ExpiredTo;
import io.millrace.config.QueueSettings.Expiry;
import io.millrace.config.QueueSettings.Redelivery;
import io.millrace.config.QueueSettings.WhenFull;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;

/** Reads the settings of queues, which may be in several places of the file. Stateless. */
final class SettingsReader {
    static final long MAX_BYTES = 1L << 50;

    private static final String UNLIMITED = "unlimited";
    private static final int MAX_NAME = 1024;
    private static final String NEVER = "never";
    private static final Duration LONGEST = Duration.ofDays(3650);
    private static final Duration DUPLICATES_WINDOW = Duration.ofMinutes(10);
    private static final Duration LONGEST_HOLD = Duration.ofHours(1);
    private static final int DUPLICATES_KEPT = 100_000;

    private SettingsReader() {}

    /** The settings in a section; what it leaves out is as in {@code byDefault}. */
    static QueueSettings settings(Section section, QueueSettings byDefault) {
        QueueSettings limited = byDefault
                .withMaxDeliveries((int) section.number("max-deliveries", byDefault.maxDeliveries(), 1, 1_000_000))
                .withDeadLetter(section.name("dead-letter")
                        .filter(name -> isQueue(section, "dead-letter", name))
                        .map(SettingsReader::deadLetter)
                        .orElse(byDefault.deadLetter()))
                .withLimits(
                        limit(
                                section,
                                "max-messages",
                                byDefault.maxMessages(),
                                "a whole number from 1, or " + UNLIMITED,
                                text -> Section.wholeNumber(text, 1, Long.MAX_VALUE)),
                        limit(section, "max-bytes", byDefault.maxBytes(), 1),
                        section.read("when-full", byDefault.whenFull(), "reject or drop-oldest", text -> switch (text) {
                            case "reject" -> Optional.of(WhenFull.REJECT);
                            case "drop-oldest" -> Optional.of(WhenFull.DROP_OLDEST);
                            default -> Optional.empty();
                        }));
        QueueSettings timed = limited.withHold(section.duration("hold", byDefault.hold(), LONGEST_HOLD))
                .withExpiry(expiry(section, byDefault.expiry()))
                .withRedelivery(redelivery(section, byDefault.redelivery()))
                .withConsumers(consumers(section, byDefault.consumers()));
        return kinds(section, duplicates(section, timed));
    }

    private static DeadLetter deadLetter(String text) {
        return Section.truth(text)
                .map(on -> on ? new DeadLetter.Own() : new DeadLetter.Off())
                .orElseGet(() -> new DeadLetter.To(text));
    }

    private static Expiry expiry(Section section, Expiry byDefault) {
        Optional<Duration> min = time(section, "min-ttl", byDefault.min());
        Optional<Duration> max = time(section, "max-ttl", byDefault.max());
        if (min.isPresent() && max.isPresent() && min.get().compareTo(max.get()) > 0) {
            section.wrongValue("min-ttl", "is more than max-ttl");
        }
        ExpiredTo to = section.name("expired")
                .filter(name -> isQueue(section, "expired", name))
                .<ExpiredTo>map(text -> switch (text) {
                    case "dead-letter" -> new ExpiredTo.DeadLetterQueue();
                    case "discard" -> new ExpiredTo.Nowhere();
                    default -> new ExpiredTo.To(text);
                })
                .orElse(byDefault.to());
        return new Expiry(time(section, "default-ttl", byDefault.byDefault()), min, max, to);
    }

    // Of the two Optionals, the outer says whether the text was understood, the inner is the value: never is none.
    @SuppressWarnings("OptionalMapToOptional")
    private static Optional<Duration> time(Section section, String key, Optional<Duration> byDefault) {
        return section.read(
                key,
                byDefault,
                "a duration of at least 1ms, such as 500ms, 60s or 2h, or " + NEVER,
                text -> text.equals(NEVER)
                        ? Optional.of(Optional.<Duration>empty())
                        : Quantity.duration(text)
                                .filter(time -> !time.isZero() && time.compareTo(LONGEST) <= 0)
                                .map(Optional::of));
    }

    private static Redelivery redelivery(Section section, Redelivery byDefault) {
        return new Redelivery(
                section.duration("redelivery-delay", byDefault.delay(), LONGEST),
                section.read(
                        "redelivery-multiplier",
                        byDefault.multiplier(),
                        "a number from 1 to 100",
                        text -> decimal(text, 1, 100)),
                section.duration("max-redelivery-delay", byDefault.maxDelay(), LONGEST),
                section.read(
                        "redelivery-jitter",
                        byDefault.jitter(),
                        "a number from 0 to 1, such as 0.2",
                        text -> decimal(text, 0, 1)));
    }

    private static Optional<Double> decimal(String text, int min, int max) {
        return text.matches("[0-9]{1,9}(\\.[0-9]{1,9})?")
                ? Optional.of(new BigDecimal(text).doubleValue()).filter(number -> number >= min && number <= max)
                : Optional.empty();
    }

    private static Consumers consumers(Section section, Consumers byDefault) {
        return section.read("consumers", byDefault, "shared, single-active or exclusive", text -> switch (text) {
            case "shared" -> Optional.of(Consumers.SHARED);
            case "single-active" -> Optional.of(Consumers.SINGLE_ACTIVE);
            case "exclusive" -> Optional.of(Consumers.EXCLUSIVE);
            default -> Optional.empty();
        });
    }

    private static QueueSettings duplicates(Section section, QueueSettings settings) {
        Optional<Duplicates> byDefault = settings.duplicates();
        Duration window = section.duration(
                "duplicates-window", byDefault.map(Duplicates::window).orElse(DUPLICATES_WINDOW), LONGEST);
        int kept = (int) section.number(
                "duplicates-kept", byDefault.map(Duplicates::maxIdentities).orElse(DUPLICATES_KEPT), 1, 10_000_000);
        Optional<String> by = section.name("duplicates");
        by.flatMap(Section::truth)
                .filter(on -> on)
                .ifPresent(on -> section.wrongValue(
                        "duplicates",
                        "\"" + by.orElseThrow()
                                + "\" does not say by what; write message-id or the name of a property"));
        boolean off = by.flatMap(Section::truth).map(on -> !on).orElse(by.isEmpty() && byDefault.isEmpty());
        if (off) {
            return settings.withoutDuplicates();
        }
        Optional<String> property = by.isEmpty()
                ? byDefault.flatMap(Duplicates::property)
                : by.filter(text ->
                        !text.equals("message-id") && Section.truth(text).isEmpty());
        return settings.withDuplicates(new Duplicates(property, window, kept));
    }

    private static QueueSettings kinds(Section section, QueueSettings settings) {
        Optional<String> lastValueKey = section.name("last-value-key");
        lastValueKey
                .flatMap(Section::truth)
                .filter(on -> on)
                .ifPresent(on -> section.wrongValue(
                        "last-value-key",
                        "\"" + lastValueKey.orElseThrow() + "\" is no name of a property or annotation"));
        QueueSettings keyed = lastValueKey
                .map(key -> Section.truth(key).filter(on -> !on).isPresent()
                        ? settings.withoutLastValueKey()
                        : settings.withLastValueKey(key))
                .orElse(settings);
        QueueSettings kind = keyed.withReplay(section.flag("replay", settings.replay()));
        boolean limited = kind.maxMessages().isPresent() || kind.maxBytes().isPresent();
        boolean expires =
                kind.expiry().max().isPresent() || kind.expiry().byDefault().isPresent();
        if (kind.replay() && limited && !expires && kind.whenFull() == WhenFull.REJECT) {
            section.wrongValue(
                    "replay",
                    "what is consumed stays, so the queue would be full for good; set when-full: drop-oldest, or a ttl");
        }
        return kind;
    }

    static Optional<Long> limit(Section section, String key, Optional<Long> byDefault, long min) {
        String expected = "a size from " + Quantity.ofBytes(min) + ", such as 64KiB or 10GiB, or " + UNLIMITED;
        return limit(section, key, byDefault, expected, text -> Quantity.bytes(text)
                .filter(bytes -> bytes >= min && bytes <= MAX_BYTES));
    }

    static Optional<Long> limit(
            Section section,
            String key,
            Optional<Long> byDefault,
            String expected,
            Function<String, Optional<Long>> number) {
        long none = Long.MAX_VALUE;
        long limit = section.read(
                key,
                byDefault.orElse(none),
                expected,
                text -> text.equals(UNLIMITED) ? Optional.of(none) : number.apply(text));
        return limit == none ? Optional.empty() : Optional.of(limit);
    }

    /** Whether a name can be that of a queue or topic; what is wrong with it is noted for the key. */
    static boolean isAddress(Section section, String key, String name) {
        if (name.startsWith("/") || name.startsWith("queue://") || name.startsWith("topic://")) {
            section.wrongValue(key, "\"" + name + "\": write the plain name; clients may put / or queue:// before it");
            return false;
        }
        if (name.startsWith("$") || name.length() > MAX_NAME) {
            section.wrongValue(
                    key, "\"" + name + "\" must not begin with $ nor be longer than " + MAX_NAME + " characters");
            return false;
        }
        return true;
    }

    /** Whether a name can be that of a queue; what is wrong with it is noted for the key. */
    static boolean isQueue(Section section, String key, String name) {
        return isAddress(section, key, name)
                && isPlain(section, key, name, "topics; name one queue, or see auto-create for the settings of many");
    }

    /** Whether a name can be that of what is sent to; what is wrong with it is noted for the key. */
    static boolean isDestination(Section section, String key, String name) {
        return isAddress(section, key, name) && isPlain(section, key, name, "subscribers; name the topics themselves");
    }

    private static boolean isPlain(Section section, String key, String name, String forWhom) {
        boolean plain = Arrays.stream(name.split("\\.")).noneMatch(level -> level.equals("*") || level.equals("#"));
        if (!plain) {
            section.wrongValue(key, "\"" + name + "\" has wildcards, which are for " + forWhom);
        }
        return plain;
    }
}
