package io.millrace.message;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.message.Sections.Descriptor;
import io.millrace.message.Sections.Width;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Messages with bytes changed, dropped and doubled at random: refused or usable, and nothing else. */
class MessageFuzzTest {
    private static final List<byte[]> WHOLE = Stream.of(Descriptor.values())
            .flatMap(descriptor -> Stream.of(Width.values()).map(width -> Sections.rich(descriptor, width)))
            .toList();

    private static final long SEED = Long.getLong("millrace.seed", 20261120L);

    @Test
    void brokenMessagesAreRefusedOrUsable() {
        run(20_000);
    }

    @Test
    @Tag("fuzz")
    void manyBrokenMessagesAreRefusedOrUsable() {
        run(Integer.getInteger("millrace.rounds", 5_000_000));
    }

    private static void run(int rounds) {
        int usable = 0;
        for (int round = 0; round < rounds; round++) {
            Random random = new Random(SEED + round);
            byte[] bytes = broken(random);
            try {
                usable += use(bytes) ? 1 : 0;
            } catch (RuntimeException | AssertionError e) {
                throw new AssertionError(
                        "seed " + (SEED + round) + ": " + HexFormat.of().formatHex(bytes), e);
            }
        }
        assertTrue(usable > rounds / 100 && usable < rounds, usable + " of " + rounds + " usable");
    }

    private static byte[] broken(Random random) {
        byte[] bytes = WHOLE.get(random.nextInt(WHOLE.size())).clone();
        for (int change = random.nextInt(4); change >= 0; change--) {
            int at = random.nextInt(bytes.length);
            switch (random.nextInt(5)) {
                case 0 -> bytes[at] = (byte) random.nextInt();
                case 1 -> bytes[at] = (byte) (bytes[at] + random.nextInt(5) - 2);
                case 2 -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
                case 3 -> bytes = without(bytes, at, Math.min(bytes.length - at, 1 + random.nextInt(8)));
                default ->
                    bytes = Sections.bytes(Arrays.copyOf(bytes, at), Arrays.copyOfRange(bytes, at / 2, bytes.length));
            }
        }
        return bytes;
    }

    private static byte[] without(byte[] bytes, int at, int count) {
        return count == bytes.length
                ? bytes
                : Sections.bytes(Arrays.copyOf(bytes, at), Arrays.copyOfRange(bytes, at + count, bytes.length));
    }

    private static boolean use(byte[] bytes) {
        byte[] before = bytes.clone();
        Message message;
        try {
            message = Message.parse(bytes, 0);
        } catch (MalformedMessageException e) {
            return false;
        }
        readAll(message);
        byte[] encoded = message.encode(3, false, -1);
        assertEquals(encoded.length, message.encodedSize(3, -1));
        Message again = assertDoesNotThrow(() -> Message.parse(encoded, 0));
        assertArrayEquals(encoded, again.encode(3, false, -1));
        Message annotated = again.withAnnotations(Map.of("x-a", "changed", "x-new", 1));
        assertEquals("changed", annotated.annotation("x-a"));
        assertEquals(1, annotated.annotation("x-new"));
        assertArrayEquals(before, bytes);
        return true;
    }

    private static void readAll(Message message) {
        Object[] texts = {
            message.to(),
            message.subject(),
            message.replyTo(),
            message.property("content-type"),
            message.property("content-encoding"),
            message.groupId(),
            message.property("reply-to-group-id"),
            message.messageId(),
            message.correlationId(),
            message.annotation("x-a"),
            message.applicationProperty("colour"),
            message.applicationProperty("none"),
            message.userId()
        };
        for (Object text : texts) {
            assertNotNull(text);
        }
        assertTrue(message.deliveryTimeMillis(5) >= 0);
        assertTrue(message.ttlMillis() >= -1);
        message.groupSequence();
        message.absoluteExpiryMillis();
        message.creationTimeMillis();
    }
}
