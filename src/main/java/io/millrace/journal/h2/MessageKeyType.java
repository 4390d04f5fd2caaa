package io.millrace.journal.h2;

import io.millrace.journal.MessageKey;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.h2.mvstore.DataUtils;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/** Keys of messages: in a page each is written as its distance from the one before, mostly three bytes. */
final class MessageKeyType extends BasicDataType<MessageKey> {
    static final MessageKeyType INSTANCE = new MessageKeyType();

    private static final int MEMORY_BYTES = 32;
    private static final MessageKey ORIGIN = new MessageKey(0, 0, 0);

    @Override
    public int compare(MessageKey a, MessageKey b) {
        return a.compareTo(b);
    }

    @Override
    public int getMemory(MessageKey key) {
        return MEMORY_BYTES;
    }

    @Override
    public boolean isMemoryEstimationAllowed() {
        return false;
    }

    @Override
    public void write(WriteBuffer out, MessageKey key) {
        write(out, key, ORIGIN);
    }

    @Override
    public MessageKey read(ByteBuffer in) {
        return read(in, ORIGIN);
    }

    @Override
    public void write(WriteBuffer out, Object storage, int count) {
        MessageKey previous = ORIGIN;
        for (MessageKey key : cast(storage, count)) {
            write(out, key, previous);
            previous = key;
        }
    }

    @Override
    public void read(ByteBuffer in, Object storage, int count) {
        MessageKey[] keys = (MessageKey[]) storage;
        MessageKey previous = ORIGIN;
        for (int i = 0; i < count; i++) {
            previous = read(in, previous);
            keys[i] = previous;
        }
    }

    private static MessageKey[] cast(Object storage, int count) {
        MessageKey[] keys = (MessageKey[]) storage;
        return keys.length == count ? keys : Arrays.copyOf(keys, count);
    }

    private static void write(WriteBuffer out, MessageKey key, MessageKey previous) {
        long queue = key.queue() - previous.queue();
        out.putVarLong(queue);
        out.putVarInt(queue == 0 ? key.order() - previous.order() : key.order());
        boolean same = queue == 0 && key.order() == previous.order();
        out.putVarLong(same ? key.sequence() - previous.sequence() : key.sequence());
    }

    private static MessageKey read(ByteBuffer in, MessageKey previous) {
        long queue = DataUtils.readVarLong(in);
        int order = DataUtils.readVarInt(in) + (queue == 0 ? previous.order() : 0);
        boolean same = queue == 0 && order == previous.order();
        long sequence = DataUtils.readVarLong(in) + (same ? previous.sequence() : 0);
        return new MessageKey(queue + previous.queue(), order, sequence);
    }

    @Override
    public MessageKey[] createStorage(int size) {
        return new MessageKey[size];
    }
}
