package io.millrace.journal.h2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.h2.store.fs.FilePath;

/**
 * A disk in memory that can lose its power: what was not synced is then kept, lost or torn, sector by sector.
 *
 * <p>Names of files are durable at once; their contents and sizes are when they are forced. Thread-safe.
 */
final class PowerDisk {
    static final String SCHEME = "power:";

    private static final int SECTOR = 4096;
    private static final int TEAR = 512;
    private static final Map<String, PowerDisk> DISKS = new ConcurrentHashMap<>();
    private static final AtomicLong NUMBERS = new AtomicLong();

    private final String name = "/disk" + NUMBERS.incrementAndGet();
    private final Map<String, Content> files = new TreeMap<>();
    private final Random lengths = new Random(7);
    private long stepsLeft = Long.MAX_VALUE;
    private long forcesLeft = Long.MAX_VALUE;
    private long capacity = Long.MAX_VALUE;
    private boolean shortWrites;
    private boolean on = true;
    private boolean lostWrites;
    private int generation;
    private long steps;
    private long failures;
    private long reads;

    static {
        FilePath.register(new PowerPath());
    }

    /** Bytes of a file as programs see them, what of them is on the disk, and what is on its way there. */
    private static final class Content {
        private byte[] seen = new byte[0];
        private byte[] durable = new byte[0];
        private final List<Change> pending = new ArrayList<>();
    }

    /** A write, or with no bytes a truncation to a length. */
    private record Change(long at, byte[] bytes) {
        byte[] applyTo(byte[] content) {
            if (bytes.length == 0) {
                return Arrays.copyOf(content, (int) Math.min(at, content.length));
            }
            byte[] to =
                    content.length >= at + bytes.length ? content : Arrays.copyOf(content, (int) (at + bytes.length));
            System.arraycopy(bytes, 0, to, (int) at, bytes.length);
            return to;
        }
    }

    PowerDisk() {
        DISKS.put(name, this);
    }

    static PowerDisk of(String path) {
        return DISKS.get(path.substring(0, path.indexOf('/', 1)));
    }

    /** The disk is needed no more. */
    void discard() {
        DISKS.remove(name);
    }

    Path directory() {
        return Path.of(name);
    }

    /** The power goes off in the middle of the so-manieth write, truncation or force from now. */
    synchronized void failAfter(long newSteps) {
        stepsLeft = newSteps;
    }

    /** The so-manieth force from now fails, and what it should have written never gets to the disk. */
    synchronized void failForceAfter(long forces) {
        forcesLeft = forces;
    }

    synchronized void setCapacity(long bytes) {
        capacity = bytes;
    }

    synchronized void setShortWrites(boolean newShortWrites) {
        shortWrites = newShortWrites;
    }

    synchronized boolean isOn() {
        return on;
    }

    synchronized int generation() {
        return generation;
    }

    /** Writes, truncations and forces since the start. */
    synchronized long steps() {
        return steps;
    }

    /** How often the disk has refused something. */
    synchronized long failures() {
        return failures;
    }

    /** How often something was read so far. */
    synchronized long reads() {
        return reads;
    }

    synchronized long size() {
        return files.values().stream().mapToLong(content -> content.seen.length).sum();
    }

    /** Power off, and on again. Files that are open stay dead. */
    synchronized void crash(Random random) {
        double kept = new double[] {0.02, 0.5, 0.9, 0.98}[random.nextInt(4)];
        double torn = random.nextBoolean() ? 0 : 0.3;
        for (Content content : files.values()) {
            byte[] image = content.durable.clone();
            boolean sizeKept = random.nextInt(4) > 0;
            for (Change change : content.pending) {
                image = crash(change, image, random, random.nextDouble() < torn ? 0.5 : kept);
            }
            content.durable = sizeKept ? image : Arrays.copyOf(image, content.durable.length);
            content.seen = content.durable.clone();
            content.pending.clear();
        }
        lostWrites = false;
        kill();
    }

    /** Whether programs see what is not on the disk and never will be, for a force of it failed; until the power goes off. */
    synchronized boolean hasLostWrites() {
        return lostWrites;
    }

    /** Whoever has files open is killed: what was written is there, and not on the disk yet. */
    synchronized void kill() {
        on = true;
        stepsLeft = Long.MAX_VALUE;
        forcesLeft = Long.MAX_VALUE;
        generation++;
    }

    private static byte[] crash(Change change, byte[] image, Random random, double kept) {
        if (change.bytes.length == 0) {
            return random.nextBoolean() ? change.applyTo(image) : image;
        }
        byte[] result = image;
        int unit = random.nextInt(3) == 0 ? TEAR : SECTOR;
        for (int from = 0; from < change.bytes.length; ) {
            int to = (int) Math.min(change.bytes.length, ((change.at + from) / unit + 1) * unit - change.at);
            if (random.nextDouble() < kept) {
                result = new Change(change.at + from, Arrays.copyOfRange(change.bytes, from, to)).applyTo(result);
            }
            from = to;
        }
        return result;
    }

    /** Turns over some bits of a file that is on the disk. */
    synchronized void damage(String file, long at) {
        Content content = files.get(name + "/" + file);
        content.durable[(int) at] ^= 0x55;
        content.seen[(int) at] ^= 0x55;
    }

    synchronized boolean exists(String file) {
        return files.containsKey(file);
    }

    synchronized void create(String file) {
        files.computeIfAbsent(file, none -> new Content());
    }

    synchronized void delete(String file) {
        files.remove(file);
    }

    synchronized void move(String from, String to) {
        files.put(to, files.remove(from));
    }

    synchronized long size(String file) {
        Content content = files.get(file);
        return content == null ? 0 : content.seen.length;
    }

    synchronized int read(int opened, String file, ByteBuffer to, long position) throws IOException {
        reads++;
        alive(opened);
        byte[] seen = files.get(file).seen;
        int length = (int) Math.min(to.remaining(), seen.length - position);
        if (length <= 0) {
            return -1;
        }
        to.put(seen, (int) position, length);
        return length;
    }

    synchronized int write(int opened, String file, ByteBuffer from, long position) throws IOException {
        alive(opened);
        Content content = files.get(file);
        int length = from.remaining();
        if (shortWrites && length > 1) {
            length = 1 + lengths.nextInt(length);
        }
        long growth = Math.max(0, position + length - content.seen.length);
        if (size() + growth > capacity) {
            throw new IOException("No space left on device");
        }
        byte[] bytes = new byte[length];
        from.get(bytes);
        change(content, new Change(position, bytes));
        step();
        return length;
    }

    synchronized void truncate(int opened, String file, long size) throws IOException {
        alive(opened);
        change(files.get(file), new Change(size, new byte[0]));
        step();
    }

    private static void change(Content content, Change change) {
        content.seen = change.applyTo(content.seen);
        content.pending.add(change);
    }

    synchronized void force(int opened, String file) throws IOException {
        alive(opened);
        step();
        Content content = files.get(file);
        if (content == null) {
            return;
        }
        if (--forcesLeft == 0) {
            content.pending.clear();
            failures++;
            lostWrites = true;
            throw new IOException("Input/output error");
        }
        for (Change change : content.pending) {
            content.durable = change.applyTo(content.durable);
        }
        content.pending.clear();
    }

    private void step() throws IOException {
        steps++;
        if (--stepsLeft <= 0) {
            on = false;
            failures++;
            throw new IOException("the power is off");
        }
    }

    private void alive(int opened) throws IOException {
        if (!on || opened != generation) {
            throw new IOException("the power is off");
        }
    }
}
