package io.millrace.journal.h2;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;

/**
 * Where a commit lies in the file, as a note of one disk sector that is written with it.
 *
 * <p>There are two notes, for odd and for even versions, each in a block of H2's header where H2 has nothing. While a
 * commit is under way the note of the one before it stays as it is, so one of the two names a commit that is on disk.
 *
 * @param version of the commit
 * @param chunk H2's number for it
 * @param block where it starts
 * @param blocks how long it is
 * @param logged the number of the newest record of the {@link WriteAheadLog} that it has; -1 if
 *     a broker wrote it that had no log
 */
record Root(long version, int chunk, long block, int blocks, long logged) {
    static final int BLOCK = 4096;
    static final int BYTES = 512;

    private static final int OFFSET = 2048;
    private static final Pattern TEXT = Pattern.compile(
            "(root:([0-9a-f]+),chunk:([0-9a-f]+),block:([0-9a-f]+),len:([0-9a-f]+)(?:,log:([0-9a-f]+))?),crc:([0-9a-f]{8})");

    /** Where the note of this version belongs in the file. */
    int position() {
        return (int) (version & 1) * BLOCK + OFFSET;
    }

    static Optional<Root> in(ByteBuffer headers, int block, long salt) {
        byte[] bytes = new byte[BYTES];
        headers.get(block + OFFSET, bytes);
        Matcher text = TEXT.matcher(new String(bytes, StandardCharsets.ISO_8859_1).trim());
        if (!text.matches() || Integer.parseUnsignedInt(text.group(7), 16) != crc(text.group(1), salt)) {
            return Optional.empty();
        }
        return Optional.of(new Root(
                Long.parseLong(text.group(2), 16),
                Integer.parseInt(text.group(3), 16),
                Long.parseLong(text.group(4), 16),
                Integer.parseInt(text.group(5), 16),
                text.group(6) == null ? -1 : Long.parseLong(text.group(6), 16)));
    }

    byte[] note(long salt) {
        String text = "root:" + Long.toHexString(version) + ",chunk:" + Integer.toHexString(chunk) + ",block:"
                + Long.toHexString(block) + ",len:" + Integer.toHexString(blocks) + ",log:" + Long.toHexString(logged);
        String sealed = text + ",crc:" + HexFormat.of().toHexDigits(crc(text, salt));
        byte[] bytes = new byte[BYTES];
        System.arraycopy(sealed.getBytes(StandardCharsets.ISO_8859_1), 0, bytes, 0, sealed.length());
        return bytes;
    }

    static int crc(String text, long salt) {
        CRC32C crc = salted(salt);
        crc.update(text.getBytes(StandardCharsets.ISO_8859_1));
        return (int) crc.getValue();
    }

    static CRC32C salted(long salt) {
        CRC32C crc = new CRC32C();
        for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
            crc.update((int) (salt >>> shift));
        }
        return crc;
    }
}
