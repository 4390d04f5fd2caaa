package io.millrace.journal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.Fact.DeliveryFailed;
import io.millrace.journal.Fact.Details;
import io.millrace.journal.Fact.IdentitiesForgotten;
import io.millrace.journal.Fact.IdentitySeen;
import io.millrace.journal.Fact.MessageAnnotated;
import io.millrace.journal.Fact.MessageMoved;
import io.millrace.journal.Fact.MessageRemoved;
import io.millrace.journal.Fact.MessageStored;
import io.millrace.journal.Fact.NodeDeleted;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class FactCodecTest {
    private static final MessageKey KEY = new MessageKey(Long.MAX_VALUE - 1, Integer.MIN_VALUE + 2, -3);
    private static final byte[] BYTES = {1, 2, 3, -4, 0};

    private static MessageStored stored(Details details) {
        return new MessageStored(KEY, true, -5, 6, BYTES, details);
    }

    private static Fact there(Fact fact) {
        ByteBuffer out = ByteBuffer.allocate(BYTES.length + FactCodec.MOST_OVERHEAD);
        FactCodec.write(fact, out);
        Fact read = FactCodec.read(out.flip());
        assertFalse(out.hasRemaining());
        return read;
    }

    @Test
    void whatIsWrittenIsReadAsItWas() {
        List<Fact> facts = List.of(
                new MessageRemoved(KEY, true, 7),
                new MessageRemoved(KEY, false, 0),
                new DeliveryFailed(KEY, 8),
                new IdentitiesForgotten(9, Long.MAX_VALUE));
        for (Fact fact : facts) {
            assertEquals(fact, there(fact));
        }
    }

    @Test
    void whatHasBytesHasTheSameOnes() {
        Details details = new Details(Long.MAX_VALUE, -10, 0, 0);
        MessageStored message = (MessageStored) there(stored(details));
        assertArrayEquals(BYTES, message.bytes());
        assertEquals(details, message.details());
        assertEquals(
                List.of(KEY, true, -5L, 6),
                List.of(message.key(), message.durable(), message.arrivalMillis(), message.format()));

        MessageAnnotated annotated = (MessageAnnotated) there(new MessageAnnotated(KEY, 11, BYTES));
        assertArrayEquals(BYTES, annotated.bytes());
        assertEquals(List.of(KEY, 11), List.of(annotated.key(), annotated.oldSize()));

        IdentitySeen seen = (IdentitySeen) there(new IdentitySeen(12, 13, 14, BYTES));
        assertArrayEquals(BYTES, seen.identity());
        assertEquals(List.of(12L, 13L, 14L), List.of(seen.queue(), seen.number(), seen.seenMillis()));
    }

    @Test
    void whatIsMoreThanOneMessageIsNotForIt() {
        List<Fact> others = List.of(
                new NodeDeleted(1),
                new MessageMoved(new MessageRemoved(KEY, true, 1), stored(Details.NONE)),
                stored(Details.NONE.withBody(2)),
                stored(Details.NONE.withStreamed(3)));
        for (Fact other : others) {
            assertFalse(FactCodec.encodes(other), other::toString);
            assertThrows(IllegalArgumentException.class, () -> there(other));
        }
        assertTrue(FactCodec.encodes(stored(Details.NONE)));
    }

    @Test
    void aKindThatItDoesNotKnowIsNamed() {
        Exception unknown =
                assertThrows(IllegalArgumentException.class, () -> FactCodec.read(ByteBuffer.wrap(new byte[] {99})));
        assertEquals("no fact has the kind 99", unknown.getMessage());
    }

    @Test
    void onlyMessagesAndRemovalsOfSuchAsAreNotDurableNeedNotOutliveARestart() {
        assertFalse(FactCodec.isDurable(new MessageRemoved(KEY, false, 1)));
        assertFalse(FactCodec.isDurable(new MessageStored(KEY, false, 1, 0, BYTES, Details.NONE)));
        assertTrue(FactCodec.isDurable(stored(Details.NONE)));
        assertTrue(FactCodec.isDurable(new MessageRemoved(KEY, true, 1)));
        assertTrue(FactCodec.isDurable(new DeliveryFailed(KEY, 1)));
        assertTrue(FactCodec.isDurable(new IdentitiesForgotten(1, 2)));
    }
}
