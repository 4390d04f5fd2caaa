package io.millrace.journal.h2;

import java.nio.ByteBuffer;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;
import org.h2.mvstore.type.StringDataType;

/**
 * A queue as it lies in the store.
 *
 * @param deleted it is gone, and its messages are being removed step by step
 */
record QueueRecord(String address, boolean deadLetter, boolean deleted) {

    QueueRecord asDeleted() {
        return new QueueRecord(address, deadLetter, true);
    }

    /** How the store writes and weighs queues. */
    static final class Type extends BasicDataType<QueueRecord> {
        static final Type INSTANCE = new Type();

        private static final int DEAD_LETTER = 1;
        private static final int DELETED = 2;

        @Override
        public int getMemory(QueueRecord queue) {
            return 24 + StringDataType.INSTANCE.getMemory(queue.address);
        }

        @Override
        public boolean isMemoryEstimationAllowed() {
            return false;
        }

        @Override
        public void write(WriteBuffer out, QueueRecord queue) {
            out.put((byte) ((queue.deadLetter ? DEAD_LETTER : 0) | (queue.deleted ? DELETED : 0)));
            StringDataType.INSTANCE.write(out, queue.address);
        }

        @Override
        public QueueRecord read(ByteBuffer in) {
            int flags = in.get();
            String address = DataUtils.readString(in);
            return new QueueRecord(address, (flags & DEAD_LETTER) != 0, (flags & DELETED) != 0);
        }

        @Override
        public QueueRecord[] createStorage(int size) {
            return new QueueRecord[size];
        }
    }
}
