package io.millrace.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.Config.Forwarding;
import io.millrace.config.QueueSettings.Consumers;
import io.millrace.config.QueueSettings.Duplicates;
import io.millrace.config.QueueSettings.ExpiredTo;
import io.millrace.config.QueueSettings.Expiry;
import io.millrace.config.QueueSettings.Redelivery;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class SettingsReaderTest {

    private static Config parse(String yaml) throws ConfigException {
        return ConfigFile.parse("test.yaml", yaml, name -> Optional.empty());
    }

    private static QueueSettings settings(String... lines) throws ConfigException {
        return parse("queues:\n  - name: q\n    " + String.join("\n    ", lines))
                .settingsFor("q");
    }

    private static String mistake(String yaml) {
        ConfigException e = assertThrows(ConfigException.class, () -> parse(yaml));
        assertEquals(1, e.mistakes().size(), e::getMessage);
        return e.getMessage();
    }

    @Nested
    class OfAQueue {
        @Test
        void ttlsAndWhereExpiredMessagesGo() throws ConfigException {
            assertEquals(
                    new Expiry(
                            Optional.of(Duration.ofHours(1)),
                            Optional.of(Duration.ofSeconds(5)),
                            Optional.of(Duration.ofHours(24)),
                            new ExpiredTo.To("old")),
                    settings("default-ttl: 1h", "min-ttl: 5s", "max-ttl: 24h", "expired: old")
                            .expiry());
            assertEquals(
                    new ExpiredTo.Nowhere(),
                    settings("expired: discard").expiry().to());
            assertEquals(Expiry.DEFAULT, settings("expired: dead-letter").expiry());
        }

        @Test
        void aMinimumAboveTheMaximumIsAMistake() {
            String text = mistake("queue-defaults: {min-ttl: 2h, max-ttl: 1h}");
            assertTrue(text.contains("min-ttl: is more than max-ttl"), text);
        }

        @Test
        void aTtlOfZeroIsAMistakeThatTellsWhatToWrite() {
            String text = mistake("queue-defaults: {max-ttl: 0}");
            assertTrue(text.contains("or never"), text);
        }

        @Test
        void restsAfterFailedAttempts() throws ConfigException {
            assertEquals(
                    new Redelivery(Duration.ofSeconds(1), 2.5, Duration.ofMinutes(1), 0.2),
                    settings(
                                    "redelivery-delay: 1s",
                                    "redelivery-multiplier: 2.5",
                                    "max-redelivery-delay: 1m",
                                    "redelivery-jitter: 0.2")
                            .redelivery());
            assertTrue(mistake("queue-defaults: {redelivery-multiplier: 0.5}").contains("from 1 to 100"));
            assertTrue(mistake("queue-defaults: {redelivery-jitter: 1.5}").contains("from 0 to 1"));
        }

        @Test
        void howConsumersShare() throws ConfigException {
            assertEquals(
                    Consumers.SINGLE_ACTIVE,
                    settings("consumers: single-active").consumers());
            assertEquals(Consumers.EXCLUSIVE, settings("consumers: exclusive").consumers());
            assertTrue(mistake("queue-defaults: {consumers: one}").contains("shared, single-active or exclusive"));
        }

        @Test
        void lastValuesAndReplay() throws ConfigException {
            assertEquals(
                    Optional.of("symbol"), settings("last-value-key: symbol").lastValueKey());
            assertTrue(settings("replay: true").replay());
        }

        @Test
        void duplicates() throws ConfigException {
            assertEquals(
                    Optional.of(new Duplicates(Optional.empty(), Duration.ofMinutes(10), 100_000)),
                    settings("duplicates: message-id").duplicates());
            assertEquals(
                    Optional.of(new Duplicates(Optional.of("order-id"), Duration.ofHours(1), 50)),
                    settings("duplicates: order-id", "duplicates-window: 1h", "duplicates-kept: 50")
                            .duplicates());
            assertEquals(Optional.empty(), settings("duplicates: off").duplicates());
        }

        @Test
        void whereMessagesGoIsAPlainNameOfAnother() {
            assertTrue(mistake("queue-defaults: {expired: /old}").contains("write the plain name"));
            assertTrue(mistake("queue-defaults: {dead-letter: $dead}").contains("must not begin with $"));
            assertTrue(mistake("queues: [{name: q, expired: q}]").contains("is the queue itself"));
        }

        @Test
        void onIsNoNameOfAProperty() {
            assertTrue(mistake("queue-defaults: {duplicates: on}").contains("write message-id"));
            assertTrue(mistake("queue-defaults: {last-value-key: yes}").contains("is no name"));
        }

        @Test
        void aReplayQueueThatWouldBeFullForGoodIsAMistake() throws ConfigException {
            assertTrue(mistake("queues: [{name: q, replay: true, max-messages: 2}]")
                    .contains("drop-oldest"));
            assertTrue(
                    settings("replay: true", "max-messages: 2", "max-ttl: 1h").replay());
        }

        @Test
        void whatTheDefaultsSwitchOnAQueueCanSwitchOff() throws ConfigException {
            Config config = parse("""
                    queue-defaults:
                      duplicates: id
                      last-value-key: k
                      replay: true
                      default-ttl: 1h
                    queues:
                      - {name: a, duplicates: off, last-value-key: off, replay: false, default-ttl: never}
                      - {name: b}
                    """);
            assertEquals(QueueSettings.DEFAULT, config.settingsFor("a"));
            assertEquals(config.queueDefaults(), config.settingsFor("b"));
            assertEquals(Optional.of("k"), config.settingsFor("b").lastValueKey());
        }
    }

    @Nested
    class OfTopics {
        @Test
        void theSettingsAreThoseOfSubscriptions() throws ConfigException {
            Config config = parse("topics: [{name: news, max-messages: 7}]");
            assertEquals(Optional.of(7L), config.subscriptionSettingsFor("news").maxMessages());
            assertEquals(
                    Optional.empty(), config.subscriptionSettingsFor("other").maxMessages());
        }

        @Test
        void aNameIsAQueueOrATopic() {
            String text = mistake("{queues: [{name: a}], topics: [{name: a}]}");
            assertTrue(text.contains("queue or another topic named \"a\""), text);
        }

        @Test
        void wildcardsAreForSubscribers() {
            String text = mistake("topics: [{name: news.*}]");
            assertTrue(text.contains("for subscribers"), text);
        }

        @Test
        void wildcardsAreNotForQueues() {
            assertEquals(
                    "test.yaml:2: queues[1].name: \"news.*\" has wildcards, which are for topics; name one queue, or see"
                            + " auto-create for the settings of many",
                    mistake("queues:\n  - name: news.*"));
            assertTrue(mistake("queue-defaults: {dead-letter: dead.#}").contains("name one queue"));
            assertTrue(mistake("queue-defaults: {expired: '*'}").contains("name one queue"));
        }

        @Test
        void aRuleCanMakeTopics() throws ConfigException {
            Config config = parse("auto-create: [{match: 'news.*', type: topic}, {match: '*'}]");
            assertTrue(config.becomesTopic("news.sport"));
            assertTrue(!config.becomesTopic("orders"));
        }
    }

    @Nested
    class Forwardings {
        @Test
        void goToOneAddressOrToSeveral() throws ConfigException {
            Config config = parse("""
                    forward:
                      - {from: a, to: b}
                      - {from: a, to: [c, d], selector: "x = 1", divert: true}
                    """);
            assertEquals(
                    List.of(
                            new Forwarding("a", List.of("b"), Optional.empty(), false),
                            new Forwarding("a", List.of("c", "d"), Optional.of("x = 1"), true)),
                    config.forwardings());
        }

        @Test
        void toNowhereOrToItselfIsAMistake() {
            assertTrue(mistake("forward: [{from: a}]").contains("the key to is missing"));
            assertTrue(mistake("forward: [{from: a, to: []}]").contains("must not be empty"));
            assertTrue(mistake("forward: [{from: a, to: [b, a]}]").contains("forward to itself"));
            assertTrue(mistake("forward: [{from: a, to: \"b.*\"}]").contains("wildcards"));
        }
    }
}
