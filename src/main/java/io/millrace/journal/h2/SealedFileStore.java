package io.millrace.journal.h2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32C;
import org.h2.mvstore.MVStoreException;
import org.h2.mvstore.SFChunk;
import org.h2.mvstore.SingleFileStore;
import org.h2.store.fs.FilePath;

/**
 * H2's file with a seal on every commit, so that a commit torn by a power loss is seen and passed over.
 *
 * <p>H2 checks the first and the last line of a chunk (one commit) and nothing between them, so it takes a chunk whose
 * ends reached the disk and whose middle did not. Here the footer of each chunk also carries a CRC32C of the whole chunk,
 * behind the last field that H2 reads. While the store is being opened, a footer whose chunk does not match its seal is
 * shown to H2 as blank; H2's own search then goes on to the commit before. Invariants:
 *
 * <ul>
 *   <li>A chunk is written only when the one before it is synced. So at most the newest can be torn, and a chunk that
 *       matches its seal vouches for all older ones: recovery reads the newest few, however large the file is.
 *   <li>Seals are salted with a number of this file, which clients never see: a message that holds the text of a chunk
 *       cannot pass for one.
 * </ul>
 *
 * <p>Owned by the journal thread; reads come from the reader thread too.
 */
final class SealedFileStore extends SingleFileStore {
    private static final int BLOCK = 4096;
    private static final int FOOTER = 128;
    private static final int HEADERS = 2 * BLOCK;
    private static final Pattern SALT_TEXT = Pattern.compile("H:2,[ -~]*,fletcher:[0-9a-f]+,millrace:([0-9a-f]{16})");
    private static final Pattern FOOTER_TEXT = Pattern.compile(
            "(chunk:[0-9a-f]+,len:([0-9a-f]+),version:([0-9a-f]+),fletcher:[0-9a-f]+),seal:([0-9a-f]{8})([0-9a-f]{8})\\s*");

    /** Called when the disk is full; says whether it made room. */
    private final BooleanSupplier makeRoom;

    private final long salt;
    private final Set<Long> sound = new HashSet<>();
    private boolean opening = true;
    private boolean unsynced;
    private long vouchedVersion = -1;
    private long newestVersionSeen = -1;
    private long usedBytes;

    private SealedFileStore(Map<String, Object> config, long salt, BooleanSupplier makeRoom) {
        super(config);
        this.salt = salt;
        this.makeRoom = makeRoom;
    }

    /** A file that is not there yet. */
    static SealedFileStore create(Map<String, Object> config, String path, long salt, BooleanSupplier makeRoom) {
        SealedFileStore store = new SealedFileStore(config, salt, makeRoom);
        store.open(path, false, (char[]) null);
        return store;
    }

    /** A file that is there; empty when it is not one of ours. */
    static Optional<SealedFileStore> open(Map<String, Object> config, String path, BooleanSupplier makeRoom)
            throws IOException {
        ByteBuffer headers = ByteBuffer.allocate(HEADERS);
        try (FileChannel file = FilePath.get(path).open("r")) {
            while (headers.hasRemaining() && file.read(headers, headers.position()) > 0) {
                // a read may be short
            }
        }
        return saltIn(headers, 0).or(() -> saltIn(headers, BLOCK)).map(salt -> create(config, path, salt, makeRoom));
    }

    private static Optional<Long> saltIn(ByteBuffer headers, int block) {
        Matcher text = SALT_TEXT.matcher(textIn(headers, block));
        return text.matches() ? Optional.of(Long.parseUnsignedLong(text.group(1), 16)) : Optional.empty();
    }

    private static String textIn(ByteBuffer headers, int block) {
        byte[] bytes = new byte[BLOCK];
        headers.get(block, bytes);
        return new String(bytes, StandardCharsets.ISO_8859_1).trim();
    }

    /**
     * The search for the newest commit is over.
     *
     * @param version what it found
     * @return whether commits are missing that had been synced, which no crash does
     */
    boolean opened(long version) {
        opening = false;
        sound.clear();
        return newestVersionSeen > version + 1;
    }

    /** Bytes of the file that hold something. The rest will be used again, or given back. */
    long usedBytes() {
        return usedBytes;
    }

    @Override
    public ByteBuffer readFully(SFChunk chunk, long pos, int len) {
        ByteBuffer read = super.readFully(chunk, pos, len);
        if (opening && len == FOOTER && (pos + FOOTER) % BLOCK == 0 && !isSound(read, pos)) {
            return ByteBuffer.allocate(FOOTER);
        }
        return read;
    }

    private boolean isSound(ByteBuffer footer, long pos) {
        byte[] bytes = new byte[FOOTER];
        footer.get(0, bytes);
        Matcher text = FOOTER_TEXT.matcher(new String(bytes, StandardCharsets.ISO_8859_1));
        if (!text.matches() || Integer.parseUnsignedInt(text.group(5), 16) != keyOf(text.group(1))) {
            return false;
        }
        long version = Long.parseLong(text.group(3), 16);
        newestVersionSeen = Math.max(newestVersionSeen, version);
        if (version <= vouchedVersion || sound.contains(pos)) {
            return true;
        }
        long length = Long.parseLong(text.group(2), 16) * BLOCK;
        long start = pos + FOOTER - length;
        if (length > Integer.MAX_VALUE || start < HEADERS) {
            return false;
        }
        ByteBuffer whole = super.readFully((SFChunk) null, start, (int) length);
        whole.limit(whole.capacity() - FOOTER + text.end(1));
        if (sealOf(whole) != Integer.parseUnsignedInt(text.group(4), 16)) {
            return false;
        }
        sound.add(pos);
        vouchedVersion = Math.max(vouchedVersion, version - 1);
        return true;
    }

    @Override
    protected void writeFully(SFChunk chunk, long pos, ByteBuffer src) {
        if (pos >= HEADERS && unsynced) {
            sync();
        }
        if (chunk != null) {
            seal(src);
            usedBytes += src.remaining();
        } else if (pos == 0) {
            putSalt(src, 0);
            putSalt(src, BLOCK);
        }
        if (pos >= HEADERS) {
            unsynced = true;
        }
        writeOrMakeRoom(chunk, pos, src);
    }

    private void writeOrMakeRoom(SFChunk chunk, long pos, ByteBuffer src) {
        int start = src.position();
        try {
            super.writeFully(chunk, pos, src);
        } catch (MVStoreException e) {
            if (!(e.getCause() instanceof IOException) || !makeRoom.getAsBoolean()) {
                throw e;
            }
            src.position(start);
            super.writeFully(chunk, pos, src);
        }
    }

    private void seal(ByteBuffer chunk) {
        int footer = chunk.limit() - FOOTER;
        byte[] bytes = new byte[FOOTER];
        chunk.get(footer, bytes);
        String text = new String(bytes, StandardCharsets.ISO_8859_1).trim();
        ByteBuffer sealed = chunk.duplicate().position(0).limit(footer + text.length());
        String seal = String.format(Locale.ROOT, ",seal:%08x%08x", sealOf(sealed), keyOf(text));
        chunk.put(footer + text.length(), seal.getBytes(StandardCharsets.ISO_8859_1));
    }

    private int sealOf(ByteBuffer chunk) {
        CRC32C crc = salted();
        crc.update(chunk);
        return (int) crc.getValue();
    }

    private int keyOf(String footerText) {
        CRC32C crc = salted();
        crc.update(footerText.getBytes(StandardCharsets.ISO_8859_1));
        return (int) crc.getValue();
    }

    private CRC32C salted() {
        CRC32C crc = new CRC32C();
        for (int shift = 0; shift < Long.SIZE; shift += Byte.SIZE) {
            crc.update((int) (salt >>> shift));
        }
        return crc;
    }

    private void putSalt(ByteBuffer headers, int block) {
        String salted = String.format(Locale.ROOT, ",millrace:%016x", salt);
        int end = block + textIn(headers, block).length();
        headers.put(end, salted.getBytes(StandardCharsets.ISO_8859_1));
    }

    @Override
    public void sync() {
        super.sync();
        unsynced = false;
    }

    @Override
    public void markUsed(long pos, int length) {
        super.markUsed(pos, length);
        usedBytes += length;
    }

    @Override
    protected void free(long pos, int length) {
        super.free(pos, length);
        usedBytes -= length;
    }

    @Override
    public void clear() {
        super.clear();
        usedBytes = 0;
    }
}
