package io.millrace.journal.h2;

import io.millrace.journal.JournalException;
import io.millrace.journal.MessageKey;
import io.millrace.journal.MessageReader;
import io.millrace.journal.StoredMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.h2.mvstore.Cursor;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;

/**
 * Reads runs of stored messages, so that neither a loop nor the journal thread waits for a disk.
 *
 * <p>A message that the journal thread removes meanwhile may be left out. One that is there and does not match its
 * checksum ends the journal: it is never passed over in silence.
 */
final class ReaderThread implements MessageReader {
    private static final int MAX_TRIES = 100;
    private static final long RETRY_NANOS = 1_000_000;

    private final MVStore store;
    private final Tables tables;
    private final Failure failure;
    private final BlockingQueue<Request<?>> requests = new LinkedBlockingQueue<>();
    private final Request<Boolean> end = new Request<>("", () -> true, Runnable::run, none -> {});
    private final Thread thread = new Thread(this::run, "journal-reader");

    /** What to read, and for whom. */
    private record Request<T>(String what, Supplier<T> read, Executor loop, Consumer<T> result) {}

    ReaderThread(OpenStore open, Failure failure) {
        this.store = open.file().store();
        this.tables = open.tables();
        this.failure = failure;
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    @Override
    public void read(
            MessageKey after, int maxMessages, long maxBytes, Executor loop, Consumer<List<StoredMessage>> result) {
        requests.add(
                new Request<>("the messages after " + after, () -> lane(after, maxMessages, maxBytes), loop, result));
    }

    @Override
    public void readExpired(
            ExpiryMark after, long untilMillis, int maxMessages, Executor loop, Consumer<ExpiredRun> result) {
        requests.add(new Request<>(
                "the messages that expire after " + after,
                () -> expired(after, untilMillis, maxMessages),
                loop,
                result));
    }

    @Override
    public void readPart(long body, int part, Executor loop, Consumer<Optional<byte[]>> result) {
        requests.add(new Request<>("part " + part + " of body " + body, () -> part(body, part), loop, result));
    }

    void close() {
        requests.clear();
        requests.add(end);
    }

    private void run() {
        try {
            for (Request<?> next = requests.take(); !next.equals(end); next = requests.take()) {
                answer(next);
            }
        } catch (InterruptedException e) {
            failure.report(new JournalException("the reader of the store was interrupted: restart the broker", e));
        }
    }

    private <T> void answer(Request<T> request) {
        T found;
        // Without this H2 uses the space of pages again while they are being read.
        MVStore.TxCounter version = store.registerVersionUsage();
        try {
            found = request.read.get();
        } catch (JournalException e) {
            failure.report(e);
            return;
        } catch (RuntimeException e) {
            if (!store.isClosed()) {
                failure.report(new JournalException(
                        request.what + " cannot be read (" + e.getMessage()
                                + "): the store is damaged, restore it from a backup",
                        e));
            }
            return;
        } finally {
            store.deregisterVersionUsage(version);
        }
        if (!failure.happened()) {
            request.loop.execute(() -> request.result.accept(found));
        }
    }

    private List<StoredMessage> lane(MessageKey after, int maxMessages, long maxBytes) {
        Predicate<MessageKey> sameLane = key -> key.queue() == after.queue() && key.order() == after.order();
        Walk<MessageKey, MessageRecord> durable = new Walk<>(tables.messages, after, sameLane);
        Walk<MessageKey, MessageRecord> spilled = new Walk<>(tables.spilled, after, sameLane);
        List<StoredMessage> found = new ArrayList<>();
        long bytes = 0;
        while (found.size() < maxMessages && (found.isEmpty() || bytes < maxBytes)) {
            boolean isDurable = durable.isBefore(spilled);
            Walk<MessageKey, MessageRecord> next = isDurable ? durable : spilled;
            if (next.key == null) {
                break;
            }
            Optional<StoredMessage> message = message(next.key, next.value, isDurable);
            if (message.isPresent()) {
                found.add(message.get());
                bytes += message.get().bytes().length;
            }
            next.advance();
        }
        return found;
    }

    private ExpiredRun expired(ExpiryMark after, long untilMillis, int maxMessages) {
        Predicate<ExpiryMark> sameQueue =
                mark -> mark.key().queue() == after.key().queue();
        Walk<ExpiryMark, Boolean> durable = new Walk<>(tables.deadlines.of(true), after, sameQueue);
        Walk<ExpiryMark, Boolean> spilled = new Walk<>(tables.deadlines.of(false), after, sameQueue);
        List<StoredMessage> found = new ArrayList<>();
        while (true) {
            boolean isDurable = durable.isBefore(spilled);
            Walk<ExpiryMark, Boolean> next = isDurable ? durable : spilled;
            if (next.key == null) {
                return new ExpiredRun(found, 0);
            }
            if (found.size() >= maxMessages || next.key.expiryMillis() > untilMillis) {
                return new ExpiredRun(found, next.key.expiryMillis());
            }
            MessageKey key = next.key.key();
            MessageRecord record = (isDurable ? tables.messages : tables.spilled).get(key);
            if (record != null) {
                message(key, record, isDurable).ifPresent(found::add);
            }
            next.advance();
        }
    }

    private Optional<byte[]> part(long body, int part) {
        // First, for when its last part is gone a dead body is not known any more.
        if (tables.shared.isDead(body)) {
            return Optional.empty();
        }
        BodyKey key = new BodyKey(body, part);
        PartRecord record = tables.shared.parts().get(key);
        if (record == null) {
            return Optional.empty();
        }
        if (!record.isSound(key)) {
            throw new JournalException("part " + part + " of body " + body
                    + " does not match its checksum: the store is damaged, restore it from a backup");
        }
        return Optional.of(record.bytes());
    }

    private Optional<StoredMessage> message(MessageKey key, MessageRecord seen, boolean durable) {
        MessageRecord record = seen;
        for (int tries = 0; tries < MAX_TRIES; tries++) {
            byte[] bytes =
                    record.inline() ? record.bytes() : record.shared() ? body(record) : parts(key, record.size());
            if (record.isSound(key, bytes)) {
                Integer attempts = durable && !tables.attempts.isEmpty() ? tables.attempts.get(key) : null;
                int count = attempts == null ? 0 : attempts;
                return Optional.of(new StoredMessage(
                        key, durable, record.arrivalMillis(), record.format(), count, bytes, record.details()));
            }
            MessageRecord now = (durable ? tables.messages : tables.spilled).get(key);
            if (now == null) {
                return Optional.empty();
            }
            // The journal thread may be between the parts and the message; it needs microseconds for it.
            LockSupport.parkNanos(RETRY_NANOS);
            record = now;
        }
        throw damaged(key);
    }

    private byte[] parts(MessageKey key, int size) {
        return joined(size, PartKey.partsOf(size), part -> tables.bodies.get(new PartKey(key, part)));
    }

    private byte[] body(MessageRecord record) {
        long body = record.details().body();
        return joined(record.size(), BodyKey.partsOf(record.size()), part -> {
            PartRecord found = tables.shared.parts().get(new BodyKey(body, part));
            return found == null ? null : found.bytes();
        });
    }

    /** All parts, or nothing if one is not there or they are more or less than that. */
    private static byte[] joined(int size, int count, IntFunction<byte[]> parts) {
        byte[] first = parts.apply(0);
        if (count == 1 && first != null && first.length == size) {
            return first;
        }
        byte[] whole = new byte[size];
        int at = 0;
        for (int part = 0; part < count; part++) {
            byte[] bytes = part == 0 ? first : parts.apply(part);
            if (bytes == null || bytes.length > size - at) {
                return new byte[0];
            }
            System.arraycopy(bytes, 0, whole, at, bytes.length);
            at += bytes.length;
        }
        return at == size ? whole : new byte[0];
    }

    private static JournalException damaged(MessageKey key) {
        return new JournalException("the message in queue number " + key.queue() + " with priority order " + key.order()
                + " and sequence " + key.sequence()
                + " does not match its checksum: the store is damaged, restore it from a backup");
    }

    /** A walk over some neighbours in one map. */
    private static final class Walk<K, V> {
        private final MVMap<K, V> map;
        private final Cursor<K, V> cursor;
        private final Predicate<K> within;
        private K key;
        private V value;

        Walk(MVMap<K, V> map, K after, Predicate<K> within) {
            this.map = map;
            this.within = within;
            cursor = map.cursor(after);
            advance();
            if (after.equals(key)) {
                advance();
            }
        }

        void advance() {
            key = cursor.hasNext() ? cursor.next() : null;
            if (key != null && !within.test(key)) {
                key = null;
            }
            value = key == null ? null : cursor.getValue();
        }

        boolean isBefore(Walk<K, V> other) {
            return key != null && (other.key == null || map.getKeyType().compare(key, other.key) < 0);
        }
    }
}
