package io.millrace.journal.h2;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.util.List;
import org.h2.store.fs.FileBaseDefault;
import org.h2.store.fs.FilePath;

/** Lets H2 use a {@link PowerDisk}: {@code power:/disk1/file}. */
final class PowerPath extends FilePath {

    private PowerDisk disk() {
        return PowerDisk.of(name);
    }

    @Override
    public String getScheme() {
        return "power";
    }

    @Override
    public FilePath getPath(String path) {
        PowerPath result = new PowerPath();
        result.name = path.startsWith(PowerDisk.SCHEME) ? path.substring(PowerDisk.SCHEME.length()) : path;
        return result;
    }

    @Override
    public String toString() {
        return PowerDisk.SCHEME + name;
    }

    @Override
    public long size() {
        return disk().size(name);
    }

    @Override
    public void moveTo(FilePath target, boolean atomicReplace) {
        disk().move(name, target.name);
    }

    @Override
    public boolean createFile() {
        boolean made = !exists();
        disk().create(name);
        return made;
    }

    @Override
    public boolean exists() {
        return disk().exists(name);
    }

    @Override
    public void delete() {
        disk().delete(name);
    }

    @Override
    public List<FilePath> newDirectoryStream() {
        throw new UnsupportedOperationException();
    }

    @Override
    public FilePath toRealPath() {
        return this;
    }

    @Override
    public FilePath getParent() {
        return null;
    }

    @Override
    public boolean isDirectory() {
        return false;
    }

    @Override
    public boolean isRegularFile() {
        return exists();
    }

    @Override
    public boolean isAbsolute() {
        return true;
    }

    @Override
    public long lastModified() {
        return 0;
    }

    @Override
    public boolean canWrite() {
        return true;
    }

    @Override
    public void createDirectory() {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean setReadOnly() {
        return false;
    }

    @Override
    public FileChannel open(String mode) {
        disk().create(name);
        return new Channel(disk(), name);
    }

    /** An open file. */
    private static final class Channel extends FileBaseDefault {
        private final PowerDisk disk;
        private final String file;
        private final int generation;

        Channel(PowerDisk disk, String file) {
            this.disk = disk;
            this.file = file;
            this.generation = disk.generation();
        }

        @Override
        public long size() {
            return disk.size(file);
        }

        @Override
        public synchronized int read(ByteBuffer to, long position) throws IOException {
            return disk.read(generation, file, to, position);
        }

        @Override
        public synchronized int write(ByteBuffer from, long position) throws IOException {
            return disk.write(generation, file, from, position);
        }

        @Override
        protected void implTruncate(long size) throws IOException {
            disk.truncate(generation, file, size);
        }

        @Override
        public void force(boolean metaData) throws IOException {
            disk.force(generation, file);
        }

        @Override
        public FileLock tryLock(long position, long size, boolean shared) {
            return new FileLock(this, position, size, shared) {
                @Override
                public boolean isValid() {
                    return true;
                }

                @Override
                public void release() {
                    // nobody else opens a disk of a test
                }
            };
        }

        @Override
        protected void implCloseChannel() {
            // nothing is kept open
        }
    }
}
