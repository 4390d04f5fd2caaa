package io.millrace.journal.h2;

import java.nio.ByteBuffer;
import java.util.Comparator;
import java.util.Optional;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.ToIntFunction;
import org.h2.mvstore.WriteBuffer;
import org.h2.mvstore.type.BasicDataType;

/** How the store orders, weighs, writes and reads small records, said in four functions. */
final class RecordType<T> extends BasicDataType<T> {
    private final IntFunction<T[]> storage;
    private final ToIntFunction<T> memoryBytes;
    private final BiConsumer<WriteBuffer, T> writer;
    private final Function<ByteBuffer, T> reader;
    private final Optional<Comparator<T>> order;

    private RecordType(
            IntFunction<T[]> storage,
            ToIntFunction<T> memoryBytes,
            BiConsumer<WriteBuffer, T> writer,
            Function<ByteBuffer, T> reader,
            Optional<Comparator<T>> order) {
        this.storage = storage;
        this.memoryBytes = memoryBytes;
        this.writer = writer;
        this.reader = reader;
        this.order = order;
    }

    /** Of keys, all of one size in memory. */
    static <T> RecordType<T> ofKeys(
            IntFunction<T[]> storage,
            int memoryBytes,
            BiConsumer<WriteBuffer, T> writer,
            Function<ByteBuffer, T> reader,
            Comparator<T> order) {
        return new RecordType<>(storage, key -> memoryBytes, writer, reader, Optional.of(order));
    }

    /** Of values, which have no order. */
    static <T> RecordType<T> ofValues(
            IntFunction<T[]> storage,
            ToIntFunction<T> memoryBytes,
            BiConsumer<WriteBuffer, T> writer,
            Function<ByteBuffer, T> reader) {
        return new RecordType<>(storage, memoryBytes, writer, reader, Optional.empty());
    }

    @Override
    public int compare(T a, T b) {
        return order.orElseThrow().compare(a, b);
    }

    @Override
    public int getMemory(T record) {
        return memoryBytes.applyAsInt(record);
    }

    @Override
    public boolean isMemoryEstimationAllowed() {
        return false;
    }

    @Override
    public void write(WriteBuffer out, T record) {
        writer.accept(out, record);
    }

    @Override
    public T read(ByteBuffer in) {
        return reader.apply(in);
    }

    @Override
    public T[] createStorage(int size) {
        return storage.apply(size);
    }
}
