package io.millrace.journal.h2;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RootTest {
    private static final long SALT = 0x1234_5678_9abc_def0L;

    private static Optional<Root> read(byte[] note, Root written, long salt) {
        ByteBuffer headers = ByteBuffer.allocate(2 * Root.BLOCK);
        headers.put(written.position(), note);
        return Root.in(headers, (int) (written.version() & 1) * Root.BLOCK, salt);
    }

    @Test
    void isReadAsItWasWrittenAndWithTheSaltOfItsFileOnly() {
        for (long version = 7; version < 9; version++) {
            Root root = new Root(version, 5, 1L << 33, 12, 99);
            assertEquals(Optional.of(root), read(root.note(SALT), root, SALT));
            assertEquals(Optional.empty(), read(root.note(SALT), root, SALT + 1));
        }
    }

    /** Such a store, killed, has no log and needs none. */
    @Test
    void ofABrokerThatHadNoLogSaysSo() {
        String text = "root:8,chunk:5,block:a,len:c";
        String note = text + ",crc:" + HexFormat.of().toHexDigits(Root.crc(text, SALT));
        Root root = new Root(8, 5, 10, 12, -1);
        assertEquals(Optional.of(root), read(note.getBytes(StandardCharsets.ISO_8859_1), root, SALT));
    }
}
