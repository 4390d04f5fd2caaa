package io.millrace.journal.h2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SpaceTest {
    private static Space space(Optional<Long> maxBytes, long minFreeBytes) {
        return new Space(H2Journal.Options.in(Path.of("/data")).withLimits(maxBytes, minFreeBytes));
    }

    @Test
    void aDiskThatIsNearlyFullIsToldInUnitsThatPeopleRead() {
        assertEquals(
                "the disk of the store in /data has 75.9 GiB free and must keep 900 TiB; free some space, or lower"
                        + " store.min-free",
                space(Optional.empty(), 900L << 40)
                        .judge(0, 81_579_806_720L, true)
                        .reason());
    }

    @Test
    void aByteBelowTheLimitIsNotTheLimit() {
        String reason = space(Optional.empty(), 256 << 20)
                .judge(0, (256 << 20) - 1, true)
                .reason();
        assertTrue(reason.contains("255.9 MiB free and must keep 256 MiB"), reason);
    }

    @Test
    void aFullStoreIsToldInUnitsThatPeopleRead() {
        assertEquals(
                "the store is full: it holds 1.5 GiB and its limit is 1 GiB; receive messages, or raise store.max-bytes",
                space(Optional.of(1L << 30), 0).judge(3L << 29, 1, true).reason());
    }

    @Test
    void sizesAreInTheLargestUnitThatFits() {
        assertEquals("0 bytes", Size.of(0));
        assertEquals("1023 bytes", Size.of(1023));
        assertEquals("1 KiB", Size.of(1024));
        assertEquals("1.5 KiB", Size.of(1536));
        assertEquals("1 MiB", Size.of((1 << 20) + 1));
        assertEquals("8388607.9 TiB", Size.of(Long.MAX_VALUE));
    }
}
