package io.millrace.journal.h2;

import static io.millrace.journal.h2.Root.BLOCK;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.StreamSupport;
import java.util.zip.CRC32C;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.MVStoreException;
import org.h2.mvstore.SFChunk;
import org.h2.mvstore.SingleFileStore;
import org.h2.store.fs.FilePath;

/**
 * H2's file, with a note where the newest commit is and a seal on every commit, so that a loss of power costs nothing that
 * was synced.
 *
 * <p>H2 alone does not give that. It checks the first and the last line of a chunk (one commit) and nothing between them.
 * And its search for the newest chunk follows hints that a loss of power breaks when space is used again at once: the
 * header may name a chunk that is torn, or lead over one that is overwritten, and H2 then settles for an old commit. So:
 *
 * <ul>
 *   <li>A chunk is written only when the one before it is synced. At most the newest can be torn.
 *   <li>With each chunk a {@link Root} is written, beside that of the chunk before. On opening, the newer of the two is
 *       taken if its chunk matches its seal, else the older; H2 is shown a header that names it, no later chunk, and no
 *       earlier one that still holds something. This reads one commit, and the map of the others, however large the file
 *       is.
 *   <li>The mark of a clean end is written only when all before it is synced; a store that has one and lacks its last
 *       commit is damaged.
 *   <li>Seals are salted with a number of this file, which clients never see: a message that holds the text of a chunk
 *       cannot pass for one.
 * </ul>
 *
 * <p>Owned by the journal thread; reads come from the reader thread too.
 */
final class SealedFileStore extends SingleFileStore {
    private static final int FOOTER = 128;
    private static final int HEADERS = 2 * BLOCK;
    private static final Pattern HEADER_TEXT =
            Pattern.compile("(H:2,[ -~]*),fletcher:([0-9a-f]{1,8}),millrace:([0-9a-f]{16})");
    private static final Pattern VERSION_TEXT = Pattern.compile("version:([0-9a-f]+)");
    private static final Pattern FOOTER_TEXT = Pattern.compile(
            "(chunk:([0-9a-f]+),len:([0-9a-f]+),version:([0-9a-f]+),fletcher:[0-9a-f]+),seal:([0-9a-f]{8})([0-9a-f]{8})");
    private static final String CLEAN = "clean:1";

    /** Called when the disk is full; says whether it made room. */
    private final BooleanSupplier makeRoom;

    private final long salt;
    private final Root[] roots = new Root[2];
    private Optional<ByteBuffer> shownHeaders = Optional.empty();
    private long shownVersion;
    private long closedVersion = -1;
    private long logged;
    private Root written = new Root(0, 0, 0, 0, 0);
    private Root synced = written;
    private boolean needsLog;
    private boolean committed;
    private boolean unsynced;
    private boolean headersWritten;
    private boolean shrinking;
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
        Optional<Matcher> text = headerIn(headers, 0).or(() -> headerIn(headers, BLOCK));
        return text.map(found -> {
            SealedFileStore store = create(config, path, Long.parseUnsignedLong(found.group(3), 16), makeRoom);
            store.closedVersion = Math.max(closedVersionIn(headers, 0), closedVersionIn(headers, BLOCK));
            store.findRoot(headers, found.group(1));
            return store;
        });
    }

    /** A header that is whole: when a write was cut short, one of the two may begin as the new and end as the old one. */
    private static Optional<Matcher> headerIn(ByteBuffer headers, int block) {
        Matcher text = HEADER_TEXT.matcher(textIn(headers, block));
        boolean whole = text.matches() && Integer.parseUnsignedInt(text.group(2), 16) == fletcher(text.group(1));
        return whole ? Optional.of(text) : Optional.empty();
    }

    private static int fletcher(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.ISO_8859_1);
        return DataUtils.getFletcher32(bytes, 0, bytes.length);
    }

    private static long closedVersionIn(ByteBuffer headers, int block) {
        String text = textIn(headers, block);
        Matcher version = VERSION_TEXT.matcher(text);
        boolean clean = headerIn(headers, block).isPresent() && text.contains(CLEAN);
        return clean && version.find() ? Long.parseLong(version.group(1), 16) : -1;
    }

    /** H2's lines at the start of a header block; its size keeps them within one sector. */
    private static String textIn(ByteBuffer headers, int block) {
        byte[] bytes = new byte[Root.BYTES];
        headers.get(block, bytes);
        return new String(bytes, StandardCharsets.ISO_8859_1).replace('\0', ' ').trim();
    }

    private void findRoot(ByteBuffer headers, String header) {
        Root even = Root.in(headers, 0, salt).orElse(null);
        Root odd = Root.in(headers, BLOCK, salt).orElse(null);
        boolean evenIsNewer = odd == null || (even != null && even.version() > odd.version());
        Root newer = evenIsNewer ? even : odd;
        Root older = evenIsNewer ? odd : even;
        Root root = newer != null && !isSound(newer) ? older : newer;
        shownVersion = root == null ? -1 : root.version();
        if (root != null) {
            logged = Math.max(0, root.logged());
            needsLog = root.logged() >= 0 && closedVersion != root.version();
            written = root;
            roots[(int) (root.version() & 1)] = root;
            shownHeaders = Optional.of(headersNaming(root, header));
        } else {
            shownHeaders = Optional.of(ByteBuffer.allocate(HEADERS));
        }
    }

    /** One header of the two: H2 trusts two that agree, and then takes short cuts that are wrong after a crash. */
    private static ByteBuffer headersNaming(Root root, String header) {
        String text = header.replaceFirst("block:[0-9a-f]+", String.format(Locale.ROOT, "block:%x", root.block()))
                .replaceFirst("chunk:[0-9a-f]+", String.format(Locale.ROOT, "chunk:%x", root.chunk()))
                .replaceFirst("version:[0-9a-f]+", String.format(Locale.ROOT, "version:%x", root.version()));
        String checked = String.format(Locale.ROOT, "%s,fletcher:%x\n", text, fletcher(text));
        return ByteBuffer.allocate(HEADERS).put(0, checked.getBytes(StandardCharsets.ISO_8859_1));
    }

    /**
     * The store is open.
     *
     * @param version of the commit that was found
     * @return whether it is the right one; otherwise something is damaged
     */
    boolean opened(long version) {
        shownHeaders = Optional.empty();
        return version == shownVersion && closedVersion <= version;
    }

    /** The number that this file has and its clients never see. */
    long salt() {
        return salt;
    }

    /** The newest record of the log that the maps have. */
    long logged() {
        return logged;
    }

    /** The maps have one more record of the log, or some, and so will the next commit. */
    void setLogged(long record) {
        logged = record;
    }

    /** The newest record of the log that the file has on disk. */
    long syncedLogged() {
        return Math.max(0, synced.logged());
    }

    /** The newest commit that is on disk for certain. */
    long syncedVersion() {
        return synced.version();
    }

    /** Whether a commit was written since it was opened, and synced: from then on it can be told that the file needs its log. */
    boolean hasCommitted() {
        return committed;
    }

    /** Whether it was not closed, so that there may be something in the log that it lacks. */
    boolean needsLog() {
        return needsLog;
    }

    /** Bytes of the file that hold something. The rest will be used again, or given back. */
    long usedBytes() {
        return usedBytes;
    }

    /** Whether commits may cut off the end of the file when nothing is there any more. */
    void setShrinking(boolean newShrinking) {
        shrinking = newShrinking;
    }

    /** H2 would do it whenever it saves a hundredth, with two more syncs in the commit, and let the file grow again next. */
    @Override
    protected void shrinkStoreIfPossible(int minPercent) {
        if (shrinking || minPercent == 0) {
            super.shrinkStoreIfPossible(minPercent);
        }
    }

    /** While the store is being opened H2 is not to look for commits from the end of the file backwards: it is told. */
    @Override
    public long size() {
        return shownHeaders.isPresent() ? HEADERS : super.size();
    }

    /**
     * While the store is being opened H2 would read the first and last lines of every commit that holds something. All but
     * the newest were synced before the next was written, and it is enough that the file is as long as they say: pages are
     * checked when they are read.
     */
    @Override
    protected Iterable<SFChunk> getChunksFromLayoutMap() {
        Iterable<SFChunk> all = super.getChunksFromLayoutMap();
        return shownHeaders.isEmpty()
                ? all
                : () -> StreamSupport.stream(all.spliterator(), false)
                        .filter(chunk -> !isSynced(chunk))
                        .iterator();
    }

    private boolean isSynced(SFChunk chunk) {
        boolean holdsSomething = chunk.maxLenLive > 0;
        return holdsSomething
                && chunk.block > 0
                && chunk.version < shownVersion
                && (chunk.block + chunk.len) * BLOCK <= super.size();
    }

    @Override
    public ByteBuffer readFully(SFChunk chunk, long pos, int len) {
        if (shownHeaders.isPresent() && pos == 0 && len == HEADERS) {
            return shownHeaders.get().duplicate();
        }
        ByteBuffer read = super.readFully(chunk, pos, len);
        if (shownHeaders.isPresent() && len == FOOTER && (pos + FOOTER) % BLOCK == 0) {
            Optional<Matcher> footer = footerIn(read, 0);
            boolean shown = footer.isPresent() && Long.parseLong(footer.get().group(4), 16) <= shownVersion;
            return shown ? read : ByteBuffer.allocate(FOOTER);
        }
        return read;
    }

    /** A footer that this store wrote, or nothing. */
    private Optional<Matcher> footerIn(ByteBuffer buffer, int at) {
        byte[] bytes = new byte[FOOTER];
        buffer.get(at, bytes);
        Matcher text = FOOTER_TEXT.matcher(new String(bytes, StandardCharsets.ISO_8859_1).trim());
        boolean ours = text.matches() && Integer.parseUnsignedInt(text.group(6), 16) == Root.crc(text.group(1), salt);
        return ours ? Optional.of(text) : Optional.empty();
    }

    private boolean isSound(Root root) {
        long start = root.block() * BLOCK;
        int length = root.blocks() * BLOCK;
        if (start + length > size()) {
            return false;
        }
        ByteBuffer whole = super.readFully((SFChunk) null, start, length).rewind();
        Optional<Matcher> footer = footerIn(whole, length - FOOTER);
        if (footer.isEmpty() || Long.parseLong(footer.get().group(4), 16) != root.version()) {
            return false;
        }
        whole.limit(length - FOOTER + footer.get().end(1));
        return sealOf(whole) == Integer.parseUnsignedInt(footer.get().group(5), 16);
    }

    @Override
    protected void writeFully(SFChunk chunk, long pos, ByteBuffer src) {
        boolean closing = pos == 0 && textIn(src, 0).contains(CLEAN);
        if (unsynced && (pos >= HEADERS || closing)) {
            sync();
        }
        if (pos == 0) {
            writeHeaders(chunk, src, closing);
            return;
        }
        unsynced = true;
        Root root = seal(src, pos);
        usedBytes += src.remaining();
        writeOrMakeRoom(chunk, pos, src);
        roots[(int) (root.version() & 1)] = root;
        writeOrMakeRoom(null, root.position(), ByteBuffer.wrap(root.note(salt)));
        written = root;
    }

    /**
     * The first ones, and the mark of a clean end. Once space is used again H2 writes its headers with each commit, to say where
     * that is, but nobody reads that: the notes say it.
     */
    private void writeHeaders(SFChunk chunk, ByteBuffer headers, boolean closing) {
        if (closing || !headersWritten) {
            complete(headers);
            writeOrMakeRoom(chunk, 0, headers);
            headersWritten = true;
        }
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

    /** H2 reads no further in a footer than the checksum and a comma, so there is room for a seal. */
    private Root seal(ByteBuffer chunk, long pos) {
        int footer = chunk.limit() - FOOTER;
        byte[] bytes = new byte[FOOTER];
        chunk.get(footer, bytes);
        String text = new String(bytes, StandardCharsets.ISO_8859_1).trim();
        ByteBuffer sealed = chunk.duplicate().position(0).limit(footer + text.length());
        String seal = ",seal:" + HexFormat.of().toHexDigits(sealOf(sealed))
                + HexFormat.of().toHexDigits(Root.crc(text, salt));
        chunk.put(footer + text.length(), seal.getBytes(StandardCharsets.ISO_8859_1));
        Matcher found = footerIn(chunk, footer).orElseThrow();
        long version = Long.parseLong(found.group(4), 16);
        return new Root(version, Integer.parseInt(found.group(2), 16), pos / BLOCK, chunk.limit() / BLOCK, logged);
    }

    private int sealOf(ByteBuffer chunk) {
        CRC32C crc = Root.salted(salt);
        crc.update(chunk);
        return (int) crc.getValue();
    }

    /** H2 writes both blocks of its header anew, with zeros where the salt and the notes are. */
    private void complete(ByteBuffer headers) {
        byte[] salted = String.format(Locale.ROOT, ",millrace:%016x", salt).getBytes(StandardCharsets.ISO_8859_1);
        headers.put(textIn(headers, 0).length(), salted);
        headers.put(BLOCK + textIn(headers, BLOCK).length(), salted);
        for (Root root : roots) {
            if (root != null) {
                headers.put(root.position(), root.note(salt));
            }
        }
    }

    @Override
    public void sync() {
        super.sync();
        committed |= unsynced;
        unsynced = false;
        synced = written;
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
