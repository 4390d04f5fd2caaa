package io.millrace.config;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.Config.AutoCreateRule;
import io.millrace.config.Config.Listener;
import io.millrace.config.Config.QueueDefinition;
import io.millrace.config.Config.User;
import io.millrace.config.QueueSettings.DeadLetter;
import io.millrace.config.QueueSettings.WhenFull;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigTest {
    private static QueueSettings settings(int maxDeliveries, DeadLetter deadLetter) {
        return QueueSettings.DEFAULT
                .withMaxDeliveries(maxDeliveries)
                .withDeadLetter(deadLetter)
                .withLimits(Optional.empty(), Optional.empty(), WhenFull.REJECT);
    }

    private static AutoCreateRule rule(String match, boolean create, int maxDeliveries) {
        return new AutoCreateRule(match, create, false, settings(maxDeliveries, new DeadLetter.Own()));
    }

    private static Config withRules(AutoCreateRule... rules) {
        Config base = Config.defaults();
        return new Config(
                base.listeners(),
                base.http(),
                base.store(),
                base.memoryBytes(),
                base.eventLoops(),
                base.connection(),
                base.users(),
                base.queueDefaults(),
                base.queues(),
                List.of(),
                List.of(),
                List.of(rules));
    }

    @Nested
    class Rules {
        @ParameterizedTest
        @CsvSource({
            "*,anything,true",
            "*,'',true",
            "orders,orders,true",
            "orders,orders2,false",
            "orders,order,false",
            "orders.*,orders.eu,true",
            "orders.*,orders,false",
            "*.dlq,orders.dlq,true",
            "*.dlq,orders.dlq.x,false",
            "a*b*c,abc,true",
            "a*b*c,a.b.b.c,true",
            "a*b*c,a.c.b,false",
            "a.c,abc,false",
            "**,x,true",
            "(x|y),x,false",
            "\\E*,\\Eabc,true",
            "a*,*,false",
            "'',x,false"
        })
        void aStarStandsForAnyCharactersAndNothingElseDoes(String match, String address, boolean expected) {
            assertEquals(expected, rule(match, true, 1).matches(address));
        }

        @Test
        void manyStarsDoNotTakeForever() {
            AutoCreateRule rule = rule("a*".repeat(200) + "b", true, 1);
            assertFalse(assertTimeoutPreemptively(Duration.ofSeconds(10), () -> rule.matches("a".repeat(10_000))));
        }

        @Test
        void theFirstThatMatchesDecides() {
            Config config = withRules(rule("tmp.*", false, 1), rule("tmp.ok", true, 2), rule("a*", true, 3));
            assertFalse(config.mayCreate("tmp.ok"));
            assertTrue(config.mayCreate("abc"));
            assertEquals(1, config.settingsFor("tmp.ok").maxDeliveries());
            assertEquals(3, config.settingsFor("abc").maxDeliveries());
        }

        @Test
        void noMatchMeansNoAndTheDefaults() {
            Config config = withRules(rule("a*", true, 3));
            assertFalse(config.mayCreate("b"));
            assertEquals(config.queueDefaults(), config.settingsFor("b"));
        }

        @Test
        void aConfiguredQueueHasItsOwnSettings() {
            QueueSettings own = settings(77, new DeadLetter.Off());
            Config config = withRules(rule("*", true, 3)).withQueue(new QueueDefinition("orders", own));
            assertEquals(own, config.settingsFor("orders"));
        }
    }

    @Nested
    class DeadLetterQueues {
        @Test
        void areThoseThatAreNamedAndThoseOfTheQueues() {
            Config config = Config.defaults()
                    .withQueue(new QueueDefinition("a", settings(1, new DeadLetter.Own())))
                    .withQueue(new QueueDefinition("b", settings(1, new DeadLetter.To("graveyard"))))
                    .withQueue(new QueueDefinition("c", settings(1, new DeadLetter.Off())));
            assertEquals(Set.of("a.dlq", "graveyard"), config.deadLetterQueues());
        }

        @Test
        void haveNoneOfTheirOwn() {
            Config config =
                    Config.defaults().withQueue("a.dlq.dlq").withQueue("a.dlq").withQueue("a");
            assertEquals(
                    Set.of("a.dlq"),
                    Set.copyOf(config.withQueues(config.queues().subList(1, 3)).deadLetterQueues()));
            assertEquals(Set.of("a.dlq", "a.dlq.dlq.dlq"), config.deadLetterQueues());
        }
    }

    @Nested
    class Warnings {
        @ParameterizedTest
        @ValueSource(strings = {"0.0.0.0", "::", "192.168.0.1", "broker.example.org", "127.example.org"})
        void tellOfAListenerThatIsOpenToEveryone(String host) {
            List<String> warnings = Config.defaults()
                    .withListener(new Listener("amqp", host, 5672, true))
                    .warnings();
            assertEquals(1, warnings.size());
            assertTrue(
                    warnings.get(0).contains(host + ":5672") && warnings.get(0).contains("anonymous: false"));
        }

        @ParameterizedTest
        @ValueSource(strings = {"127.0.0.1", "127.8.9.10", "localhost", "LOCALHOST", "::1", "[::1]"})
        void doNotMindLoopback(String host) {
            assertEquals(
                    List.of(),
                    Config.defaults()
                            .withListener(new Listener("amqp", host, 5672, true))
                            .warnings());
        }

        @Test
        void doNotMindAListenerForUsers() {
            assertEquals(
                    List.of(),
                    Config.defaults()
                            .withListener(new Listener("amqp", "0.0.0.0", 5672, false))
                            .warnings());
        }

        @Test
        void tellOfMemoryThatTheHeapDoesNotHave() {
            Config base = Config.defaults();
            Config greedy = new Config(
                    base.listeners(),
                    base.http(),
                    base.store(),
                    Runtime.getRuntime().maxMemory(),
                    base.eventLoops(),
                    base.connection(),
                    base.users(),
                    base.queueDefaults(),
                    base.queues(),
                    List.of(),
                    List.of(),
                    base.autoCreate());
            assertTrue(greedy.warnings().get(0).contains("-Xmx"), greedy.warnings()::toString);
        }
    }

    @Test
    void anApplicationThatEmbedsTheBrokerSaysOnlyWhatItNeeds() {
        Config config = Config.defaults()
                .withPort(0)
                .withHttp(Optional.empty())
                .withDirectory(Path.of("elsewhere"))
                .withUser(new User("shop", "hash"))
                .withQueue("orders");
        assertEquals(List.of(new Listener("amqp", "127.0.0.1", 0, true)), config.listeners());
        assertEquals(Optional.empty(), config.http());
        assertEquals(Path.of("elsewhere"), config.store().directory());
        assertEquals(List.of(new User("shop", "hash")), config.users());
        assertEquals(List.of(new QueueDefinition("orders", QueueSettings.DEFAULT)), config.queues());
        assertFalse(config.toString().contains("hash"), config::toString);
    }

    @Test
    void theMemoryThatIsAutomaticIsAThirdOfTheHeapAndLessOfASmallOne() {
        assertEquals((1L << 30) / 3, Config.automaticMemoryBytes(1L << 30));
        assertEquals((144L << 20) / 3, Config.automaticMemoryBytes(144L << 20));
        assertEquals(16L << 20, Config.automaticMemoryBytes(64L << 20));
        assertEquals(1L << 20, Config.automaticMemoryBytes(16L << 20));
    }
}
