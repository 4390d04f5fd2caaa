package io.millrace.journal.h2;

import io.millrace.journal.Journal.Room;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.util.Optional;
import org.h2.store.fs.FilePath;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * How much disk is left, and the reserve that lets a full disk be drained.
 *
 * <p>To remove a message the store must write. So some of the disk is held by a file that is given up when a write finds
 * the disk full, and made again when there is space. Owned by the journal thread.
 */
final class Space {
    private static final Logger LOG = LoggerFactory.getLogger(Space.class);
    private static final int ZEROS_BYTES = 1 << 20;

    private final H2Journal.Options options;
    private final FilePath reserve;
    private Optional<FileStore> disk = Optional.empty();
    private Room room = Room.YES;
    private boolean given;

    Space(H2Journal.Options options) {
        this.options = options;
        this.reserve = FilePath.get(options.path("millrace.reserve"));
    }

    /** Gives the reserve back to the disk; false when there is none. */
    boolean giveReserve() {
        if (!reserve.exists()) {
            return false;
        }
        LOG.warn("the disk of the store in {} is full: its reserve is used to drain it", options.directory());
        reserve.delete();
        given = true;
        return true;
    }

    /** Whether the reserve was given since the last call. */
    boolean takeGiven() {
        boolean was = given;
        given = false;
        return was;
    }

    /** Looks how things are now, and makes the reserve again if there is space for it. */
    Room check(long usedBytes) {
        long free = freeBytes();
        boolean reserved = reserve.exists() || makeReserve(free);
        Room now = judge(usedBytes, free, reserved);
        if (now.available() != room.available()) {
            if (now.available()) {
                LOG.info("the store in {} has room again", options.directory());
            } else {
                LOG.warn("messages are refused: {}", now.reason());
            }
        }
        room = now;
        return now;
    }

    /** A store that was full has room again only when it is well below the limit, lest it change its mind all the time. */
    Room judge(long usedBytes, long free, boolean reserved) {
        long maxBytes = options.maxBytes().orElse(Long.MAX_VALUE);
        boolean was = room.available();
        if (usedBytes >= (was ? maxBytes : maxBytes / 20 * 19)) {
            return new Room(
                    false,
                    "the store is full: it holds " + Size.of(usedBytes) + " and its limit is " + Size.of(maxBytes)
                            + "; receive messages, or raise store.max-bytes");
        }
        long minFree = options.minFreeBytes();
        if (free < (was ? minFree : minFree / 10 * 11)) {
            return new Room(
                    false,
                    "the disk of the store in " + options.directory() + " has " + Size.of(free)
                            + " free and must keep " + Size.of(minFree)
                            + "; free some space, or lower store.min-free");
        }
        if (!reserved && options.reserveBytes() > 0) {
            return new Room(false, "the disk of the store in " + options.directory() + " is full; free some space");
        }
        return Room.YES;
    }

    private long freeBytes() {
        if (!options.scheme().isEmpty()) {
            return Long.MAX_VALUE;
        }
        try {
            if (disk.isEmpty()) {
                // Finding it reads the table of mounts, every few megabytes when there is much to write.
                disk = Optional.of(Files.getFileStore(options.directory()));
            }
            return disk.get().getUsableSpace();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private boolean makeReserve(long free) {
        long bytes = options.reserveBytes();
        if (bytes == 0 || free - bytes < options.minFreeBytes()) {
            return false;
        }
        try (FileChannel file = reserve.open("rw")) {
            ByteBuffer zeros = ByteBuffer.allocate(ZEROS_BYTES);
            for (long written = 0; written < bytes; written += zeros.limit()) {
                zeros.rewind().limit((int) Math.min(ZEROS_BYTES, bytes - written));
                while (zeros.hasRemaining()) {
                    file.write(zeros, written + zeros.position());
                }
            }
            file.force(true);
            return true;
        } catch (IOException e) {
            LOG.debug("the reserve of the store cannot be made", e);
            reserve.delete();
            return false;
        }
    }
}
