package io.millrace.journal.h2;

import io.millrace.journal.Fact;
import io.millrace.journal.FactCodec;
import io.millrace.journal.JournalException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.zip.CRC32C;
import org.h2.store.fs.FilePath;

/**
 * Small commits, as the facts they are made of, in a file of fixed size beside the store: one write of whole sectors that are
 * there already, and one sync. The store has them in memory and writes them with its own next commit, which comes when the log
 * is full, when a larger batch comes, or when nothing comes. What is gone by then it never writes.
 *
 * <p>Records have numbers without gaps. The {@link Root} of each commit of the store says up to which number it has them; a
 * restart applies those that follow, and stops at the first that is not whole, which nobody was told of. When a commit that has
 * all of them is synced, the next record is the first in the file again. So only the newest record can be torn.
 *
 * <p>Owned by the journal thread.
 */
final class WriteAheadLog implements AutoCloseable {
    static final String NAME = "millrace.wal";

    /**
     * A record begins with one, so nothing that was synced is ever written again with what follows it: disks write all of a sector
     * or nothing, and larger ones than 512 bytes are usual.
     */
    static final int SECTOR = 4096;

    /** A larger commit is better written once, by the store. */
    static final int MOST_BYTES = 32 << 10;

    private static final String TITLE = "millrace-wal:";

    private static final int STEP_BYTES = 256 << 10;

    /** Length, checksum, number, and the newest commit of the store that was synced before. */
    private static final int HEAD = 2 * Integer.BYTES + 2 * Long.BYTES;

    private static final int CHECKSUM_AT = Integer.BYTES;
    private static final int NUMBER_AT = 2 * Integer.BYTES;
    private static final int VERSION_AT = NUMBER_AT + Long.BYTES;

    private final H2Journal.Options options;
    private final SealedFileStore store;
    private final BooleanSupplier makeRoom;
    private final FileChannel file;
    private final ByteBuffer buffer = ByteBuffer.allocateDirect(HEAD + MOST_BYTES + SECTOR);
    private long number;
    private int position = SECTOR;

    private WriteAheadLog(
            H2Journal.Options options, SealedFileStore store, BooleanSupplier makeRoom, FileChannel file) {
        this.options = options;
        this.store = store;
        this.makeRoom = makeRoom;
        this.file = file;
        this.number = store.logged();
    }

    /**
     * Opens the log of a store that is open, and gives what the store lacks, in order, to {@code replay}.
     *
     * @param makeRoom called when the disk is full; says whether it made room
     * @throws JournalException if the log is missing, or of another store, though the store needs it
     */
    static WriteAheadLog open(
            H2Journal.Options options, SealedFileStore store, BooleanSupplier makeRoom, Consumer<Fact> replay) {
        FilePath path = FilePath.get(options.path(NAME));
        try {
            boolean there = path.exists();
            if (!there && store.needsLog()) {
                throw damaged(options, "is missing");
            }
            WriteAheadLog log = new WriteAheadLog(options, store, makeRoom, path.open("rw"));
            if (there && !store.needsLog() && !log.isOfThisStore() && log.isOfAnother()) {
                log.close();
                path.moveTo(FilePath.get(options.path(NAME + ".old")), true);
                return open(options, store, makeRoom, replay);
            }
            boolean good = false;
            try {
                if (there && log.isOfThisStore()) {
                    // A broker that was killed may have left it to the system, and what follows builds on it.
                    log.file.force(true);
                    log.replay(replay);
                } else if (store.needsLog()) {
                    throw damaged(options, "is not whole, or not that of this store");
                } else {
                    log.make();
                }
                good = true;
                return log;
            } finally {
                if (!good) {
                    log.close();
                }
            }
        } catch (IOException e) {
            throw new JournalException(
                    "the log " + options.directory().resolve(NAME) + " cannot be read or written (" + e.getMessage()
                            + "): check the disk, and that the user that runs the broker may write there",
                    e);
        }
    }

    private static JournalException damaged(H2Journal.Options options, String what) {
        return new JournalException("the store in " + options.directory() + " needs its log " + NAME + ", which " + what
                + ": restore both files from one backup, or move both away to start with an empty store");
    }

    // ---- the file

    private byte[] title() {
        String text = TITLE + FactCodec.VERSION + ",bytes:" + options.logBytes();
        String sealed = text + ",seal:" + HexFormat.of().toHexDigits(Root.crc(text, store.salt())) + "\n";
        return Arrays.copyOf(sealed.getBytes(StandardCharsets.ISO_8859_1), SECTOR);
    }

    private boolean isOfThisStore() throws IOException {
        return file.size() >= options.logBytes() && Arrays.equals(found(), title());
    }

    private boolean isOfAnother() throws IOException {
        return new String(found(), StandardCharsets.ISO_8859_1).startsWith(TITLE);
    }

    private byte[] found() throws IOException {
        ByteBuffer title = ByteBuffer.allocate(SECTOR);
        readFully(title, 0);
        return title.array();
    }

    /** All zeros first, for a write of what is there already costs no write of where it is; the title last. */
    private void make() throws IOException {
        writeOrMakeRoom(ByteBuffer.allocate(options.logBytes()), 0);
        file.force(true);
        writeFully(ByteBuffer.wrap(title()), 0);
        file.force(true);
        StoreFile.syncDirectory(options);
    }

    private void readFully(ByteBuffer to, long at) throws IOException {
        int read = 1;
        while (to.hasRemaining() && read > 0) {
            read = file.read(some(to), at + to.position());
            to.position(to.position() + Math.max(0, read));
        }
    }

    private void writeFully(ByteBuffer from, long at) throws IOException {
        while (from.hasRemaining()) {
            from.position(from.position() + file.write(some(from), at + from.position()));
        }
    }

    /** The next of a buffer. For each thread the JDK keeps a copy, outside the heap, of the largest that it has had to do with. */
    private static ByteBuffer some(ByteBuffer of) {
        return of.slice(of.position(), Math.min(STEP_BYTES, of.remaining()));
    }

    private void writeOrMakeRoom(ByteBuffer from, long at) throws IOException {
        try {
            writeFully(from, at);
        } catch (IOException e) {
            if (!makeRoom.getAsBoolean()) {
                throw e;
            }
            writeFully(from.rewind(), at);
        }
    }

    // ---- after a restart

    /** A record that is whole. */
    private record Found(long number, long version, ByteBuffer facts, int end) {}

    private void replay(Consumer<Fact> apply) throws IOException {
        ByteBuffer all = ByteBuffer.allocate((int) Math.min(file.size(), options.logBytes()));
        readFully(all, 0);
        all.flip();
        Optional<Found> next = found(all, SECTOR);
        long expected = next.map(Found::number).orElse(0L);
        if (expected > number + 1) {
            throw damaged(options, "begins later than the store ends");
        }
        while (next.isPresent() && next.get().number() == expected) {
            Found record = next.get();
            if (expected > number) {
                if (record.version() > store.syncedVersion()) {
                    throw damaged(options, "was written after commits that the store lacks");
                }
                while (record.facts().hasRemaining()) {
                    apply.accept(FactCodec.read(record.facts()));
                }
                number = expected;
            }
            expected++;
            position = record.end();
            next = found(all, position);
        }
        checkNoneIsNewer(all);
        store.setLogged(number);
    }

    /** What follows is older, or of the record that was under way at the end, unless one that was whole is so no more. */
    private void checkNoneIsNewer(ByteBuffer all) {
        for (int at = position; at < all.limit(); at += SECTOR) {
            if (found(all, at).filter(record -> record.number() > number).isPresent()) {
                throw damaged(options, "has damage in the middle");
            }
        }
    }

    private Optional<Found> found(ByteBuffer all, int at) {
        if (at + HEAD > all.limit()) {
            return Optional.empty();
        }
        int length = all.getInt(at);
        boolean whole = length > 0
                && length <= MOST_BYTES
                && length <= all.limit() - at - HEAD
                && all.getInt(at + CHECKSUM_AT) == crc(all, at, length);
        if (!whole) {
            return Optional.empty();
        }
        return Optional.of(new Found(
                all.getLong(at + NUMBER_AT),
                all.getLong(at + VERSION_AT),
                all.slice(at + HEAD, length),
                end(at, length)));
    }

    /** Of all but itself. */
    private int crc(ByteBuffer in, int start, int length) {
        CRC32C crc = Root.salted(store.salt());
        crc.update(in.slice(start, CHECKSUM_AT));
        crc.update(in.slice(start + NUMBER_AT, HEAD - NUMBER_AT + length));
        return (int) crc.getValue();
    }

    private static int end(int start, int length) {
        return (start + HEAD + length + SECTOR - 1) / SECTOR * SECTOR;
    }

    // ---- while it runs

    /** Whether what a commit would write can be written here. */
    boolean takes(Plan plan) {
        return plan.isLoggable()
                && plan.weight() <= MOST_BYTES
                && end(start(), (int) plan.weight()) <= options.logBytes();
    }

    private int start() {
        return store.syncedLogged() == number ? SECTOR : position;
    }

    /**
     * Writes what is durable of what a commit would write; the maps get it too.
     *
     * @return whether there was any, so that a {@link #sync} must follow
     */
    boolean write(Plan plan) {
        buffer.clear().position(HEAD);
        plan.forEach(this::encode);
        int length = buffer.position() - HEAD;
        if (length == 0) {
            return false;
        }
        buffer.putInt(0, length).putLong(NUMBER_AT, number + 1).putLong(VERSION_AT, store.syncedVersion());
        buffer.putInt(CHECKSUM_AT, crc(buffer, 0, length));
        int start = start();
        position = end(start, length);
        buffer.limit(position - start).rewind();
        try {
            writeOrMakeRoom(buffer, start);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        number++;
        store.setLogged(number);
        return true;
    }

    /** Once it is back, what was written is on disk. */
    void sync() {
        try {
            file.force(false);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void encode(Fact fact) {
        if (FactCodec.isDurable(fact)) {
            FactCodec.write(fact, buffer);
        }
    }

    /** Whether it has something that the store on disk lacks. */
    boolean isNeeded() {
        return store.syncedLogged() != number;
    }

    @Override
    public void close() {
        try {
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
