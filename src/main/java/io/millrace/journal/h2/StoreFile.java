package io.millrace.journal.h2;

import io.millrace.journal.JournalException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.MVStoreException;
import org.h2.store.fs.FilePath;

/**
 * Makes and opens the file of the store, and says in one sentence why it cannot.
 *
 * <p>A new store is made under another name and gets its own only when it is on disk. So a file of that name always held
 * a whole store once, and one in which H2 finds nothing is damaged, not new.
 *
 * @param store H2's view
 * @param file the same, sealed
 */
record StoreFile(MVStore store, SealedFileStore file) {
    /**
     * The version of the maps and their records. Stores of format 1 lack details of messages, identities, kinds of nodes and
     * the maps for them, those of format 2 a log; all they have is read as it is.
     */
    static final int FORMAT = 3;

    private static final int PAGE_SPLIT_BYTES = 16 * 1024;

    static StoreFile open(H2Journal.Options options, BooleanSupplier makeRoom) {
        String path = options.path(options.fileName());
        makeDirectory(options);
        try {
            FilePath file = FilePath.get(path);
            if (!file.exists()) {
                makeAlone(options, path, makeRoom);
            }
            if (options.scheme().isEmpty() && !Files.isRegularFile(Path.of(path))) {
                throw new JournalException("the store " + path
                        + " is not a file: move away what is there, or name another directory in store.directory");
            }
            if (!file.canWrite()) {
                throw noPermission(options, null);
            }
            return openExisting(options, path, makeRoom);
        } catch (MVStoreException | IOException e) {
            throw explained(options, e);
        } catch (RuntimeException e) {
            if (e instanceof JournalException known) {
                throw known;
            }
            throw damaged(options, e);
        }
    }

    private static void makeDirectory(H2Journal.Options options) {
        if (!options.scheme().isEmpty()) {
            return;
        }
        try {
            Files.createDirectories(options.directory());
            if (!Files.isExecutable(options.directory())) { // then what is in it looks as if it were not there
                throw noPermission(options, null);
            }
        } catch (AccessDeniedException e) {
            throw noPermission(options, e);
        } catch (IOException e) {
            throw new JournalException(
                    "the store directory " + whyNot(options.directory(), e)
                            + ": name another directory in store.directory",
                    e);
        }
    }

    /** Says of the directory, whose name is the first word, why it cannot be made. */
    private static String whyNot(Path directory, IOException e) {
        Path there = directory;
        while (there != null && !Files.exists(there, LinkOption.NOFOLLOW_LINKS)) {
            there = there.getParent();
        }
        if (there != null && !Files.isDirectory(there)) {
            return there.equals(directory)
                    ? directory + " is a file, not a directory"
                    : directory + " cannot be made, for " + there + " is a file, not a directory";
        }
        String reason = e instanceof FileSystemException known && known.getReason() != null
                ? known.getReason()
                : e.getMessage();
        return directory + " cannot be made (" + reason + ")";
    }

    /**
     * The store itself can only be locked when it is there. Without a lock before that, of two brokers that start at once
     * one could put its new store in the place of the other's, which would then write to a file without a name.
     */
    private static void makeAlone(H2Journal.Options options, String path, BooleanSupplier makeRoom) throws IOException {
        if (!options.scheme().isEmpty()) {
            make(options, path, makeRoom);
            return;
        }
        Path lockFile = Path.of(path + ".lock");
        try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                FileLock lock = channel.tryLock()) {
            if (lock == null) {
                throw inUse(options, null);
            }
            if (!FilePath.get(path).exists()) {
                make(options, path, makeRoom);
            }
            // From here on the store is there, so whoever has this lock, or one on a new file of its name, makes none.
            Files.deleteIfExists(lockFile);
        } catch (OverlappingFileLockException e) {
            throw inUse(options, e);
        }
    }

    private static void make(H2Journal.Options options, String path, BooleanSupplier makeRoom) throws IOException {
        String temporary = path + ".new";
        FilePath.get(temporary).delete();
        long salt = new SecureRandom().nextLong();
        SealedFileStore file = SealedFileStore.create(config(options), temporary, salt, makeRoom);
        MVStore store = builder().adoptFileStore(file).open();
        store.setStoreVersion(FORMAT);
        store.commit();
        store.sync();
        store.close();
        FilePath.get(temporary).moveTo(FilePath.get(path), true);
        syncDirectory(options);
    }

    static void syncDirectory(H2Journal.Options options) throws IOException {
        if (options.scheme().isEmpty()) {
            try (FileChannel directory = FileChannel.open(options.directory(), StandardOpenOption.READ)) {
                directory.force(true);
            }
        }
    }

    private static StoreFile openExisting(H2Journal.Options options, String path, BooleanSupplier makeRoom)
            throws IOException {
        SealedFileStore file = SealedFileStore.open(config(options), path, makeRoom)
                .orElseThrow(() -> new JournalException("the file " + path
                        + " is not a store of Millrace, or its first bytes are damaged: "
                        + "move it away to start with an empty store, or restore it from a backup"));
        MVStore store = builder().adoptFileStore(file).open();
        boolean good = false;
        try {
            check(options, store, file);
            // A broker that was killed may have left commits to the system, and what follows builds on them.
            file.sync();
            good = true;
        } finally {
            if (!good) {
                store.closeImmediately();
            }
        }
        if (store.getStoreVersion() < FORMAT) {
            // Becomes true with the first commit, which is also the first with anything that format 1 does not know.
            store.setStoreVersion(FORMAT);
        }
        store.setVersionsToKeep(0);
        store.setRetentionTime(0);
        return new StoreFile(store, file);
    }

    private static void check(H2Journal.Options options, MVStore store, SealedFileStore file) {
        boolean right = file.opened(store.getCurrentVersion());
        int format = store.getStoreVersion();
        if (!right || format < 1) {
            throw damaged(options, null);
        }
        if (format > FORMAT) {
            throw new JournalException("the store in " + options.directory()
                    + " was written by a newer Millrace (format " + format + ", this one knows " + FORMAT
                    + "): start that version, or name another directory in store.directory");
        }
    }

    private static Map<String, Object> config(H2Journal.Options options) {
        Map<String, Object> config = new HashMap<>();
        config.put("cacheSize", (int) Math.max(1, options.cacheBytes() >> 20));
        config.put("pageSplitSize", PAGE_SPLIT_BYTES);
        return config;
    }

    /** Without both of the first two settings H2 would commit by itself, in the middle of a batch. */
    private static MVStore.Builder builder() {
        return new MVStore.Builder()
                .autoCommitDisabled()
                .autoCommitBufferSize(0)
                .autoCompactFillRate(0);
    }

    static JournalException explained(H2Journal.Options options, Exception e) {
        if (e instanceof MVStoreException known && known.getErrorCode() == DataUtils.ERROR_FILE_LOCKED) {
            return inUse(options, e);
        }
        if (e instanceof AccessDeniedException || e.getCause() instanceof AccessDeniedException) {
            return noPermission(options, e);
        }
        if (e instanceof MVStoreException known && known.getErrorCode() == DataUtils.ERROR_UNSUPPORTED_FORMAT) {
            return new JournalException(
                    "the store in " + options.directory()
                            + " has a file format of H2 that this Millrace does not know (" + e.getMessage()
                            + "): start the version that wrote it",
                    e);
        }
        if (e instanceof IOException || e.getCause() instanceof IOException) {
            return new JournalException(
                    "the store in " + options.directory() + " cannot be read or written (" + e.getMessage()
                            + "): check the disk",
                    e);
        }
        return damaged(options, e);
    }

    private static JournalException inUse(H2Journal.Options options, Exception cause) {
        return new JournalException(
                "the store in " + options.directory()
                        + " is in use by another process: stop that broker, or name another directory in"
                        + " store.directory",
                cause);
    }

    private static JournalException noPermission(H2Journal.Options options, Exception cause) {
        return new JournalException(
                "no permission to write the store in " + options.directory()
                        + ": give it to the user that runs the broker, or name another directory in store.directory",
                cause);
    }

    private static JournalException damaged(H2Journal.Options options, Exception cause) {
        return new JournalException(
                "the store in " + options.directory() + " is damaged (" + options.fileName()
                        + " lacks commits that were on disk): restore it from a backup,"
                        + " or move all files of the store away to start with an empty one",
                cause);
    }
}
