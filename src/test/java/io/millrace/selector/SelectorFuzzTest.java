package io.millrace.selector;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.qpid.proton.amqp.messaging.ApplicationProperties;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Selectors put together and spoilt at random, on messages with spoilt bytes: refused or usable, and nothing else. */
class SelectorFuzzTest {
    private static final long SEED = Long.getLong("millrace.seed", 20261120L);

    private static final String[] WORDS = {
        "a",
        "b",
        "none",
        "JMSPriority",
        "JMSMessageID",
        "JMSXGroupSeq",
        "amqp.ttl",
        "\"x-opt-a\"",
        "p.subject",
        "h.durable",
        "'red'",
        "'%e_'",
        "''",
        "5",
        "5L",
        "2.5",
        "1E3",
        "0x1F",
        "017",
        "9223372036854775807",
        "TRUE",
        "FALSE",
        "NULL",
        "AND",
        "OR",
        "NOT",
        "BETWEEN",
        "IN",
        "LIKE",
        "ESCAPE",
        "IS",
        "IS NULL",
        "IS NOT NULL",
        "=",
        "<>",
        "<",
        "<=",
        ">",
        ">=",
        "+",
        "-",
        "*",
        "/",
        "%",
        "(",
        ")",
        ",",
        "'",
        "\"",
        "[",
        "]",
        "\u0000",
        "\ud834",
        "é"
    };

    private static final String[] CONDITIONS = {
        "a = 5", "b LIKE '%e_' ESCAPE 'x'", "a BETWEEN 1 AND 9", "b IN ('red', 'blue')", "none IS NULL",
                "a * 2 + 1 > 2.5",
        "JMSPriority > 3", "NOT (b = 'red')", "\"x-opt-a\" <> 'b'", "TRUE", "a / (a - 5) = 1", "b NOT IN ('x')",
        "-a < 0", "JMSXGroupSeq = -1", "a % 0 = 1", "p.subject LIKE '%'", "amqp.message_id <> 'x'"
    };

    private static final byte[] WHOLE = Sample.with(message -> {
                message.setMessageId("id");
                message.setUserId(new byte[] {1});
                message.setSubject("subject");
                message.setGroupId("group");
                message.setGroupSequence(7);
                message.setApplicationProperties(new ApplicationProperties(Map.of("a", 5, "b", "red")));
            })
            .message()
            .bytes();

    @Test
    void selectorsAreRefusedOrUsable() {
        run(20_000);
    }

    @Test
    @Tag("fuzz")
    void manySelectorsAreRefusedOrUsable() {
        run(Integer.getInteger("millrace.rounds", 2_000_000));
    }

    private static void run(int rounds) {
        int usable = 0;
        for (int round = 0; round < rounds; round++) {
            Random random = new Random(SEED + round);
            String text = spoilt(random);
            try {
                usable += use(text, random) ? 1 : 0;
            } catch (RuntimeException | Error e) {
                throw new AssertionError("seed " + (SEED + round) + ": " + text, e);
            }
        }
        assertTrue(usable > rounds / 50 && usable < rounds, usable + " of " + rounds + " usable");
    }

    private static String spoilt(Random random) {
        List<String> words = new ArrayList<>();
        for (int i = random.nextInt(5); i >= 0; i--) {
            words.add(CONDITIONS[random.nextInt(CONDITIONS.length)]);
            words.add(random.nextBoolean() ? "AND" : "OR");
        }
        words.remove(words.size() - 1);
        words = new ArrayList<>(List.of(String.join(" ", words).split(" ")));
        for (int change = random.nextInt(4); change > 0; change--) {
            int at = random.nextInt(words.size());
            String word = WORDS[random.nextInt(WORDS.length)];
            switch (random.nextInt(4)) {
                case 0 -> words.set(at, word);
                case 1 -> words.add(at, word);
                case 2 -> words.add(at, words.get(random.nextInt(words.size())));
                default ->
                    words.set(
                            at,
                            words.get(at).substring(random.nextInt(words.get(at).length() + 1)));
            }
        }
        return String.join(random.nextInt(4) == 0 ? "" : " ", words);
    }

    private static boolean use(String text, Random random) {
        Selector selector;
        try {
            selector = random.nextBoolean() ? Selector.parse(text) : Selector.parseSql(text);
        } catch (SelectorException e) {
            assertFalse(e.getMessage().isEmpty());
            return false;
        }
        byte[] bytes = WHOLE.clone();
        boolean first = selector.matches(candidate(bytes));
        assertEquals(first, selector.matches(candidate(WHOLE)));
        for (int change = random.nextInt(4); change >= 0; change--) {
            bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
        }
        selector.matches(candidate(bytes));
        assertEquals(text, selector.text());
        return true;
    }

    private static Candidate candidate(byte[] bytes) {
        try {
            return Candidate.of(Message.parse(bytes, 0));
        } catch (MalformedMessageException e) {
            return Sample.with(message -> {});
        }
    }
}
