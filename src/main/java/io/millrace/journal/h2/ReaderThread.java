package io.millrace.journal.h2;

import io.millrace.journal.Fact;
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
    private static final Request END = new Request(new MessageKey(0, 0, 0), 0, 0, Runnable::run, none -> {});

    private static final int MAX_TRIES = 100;
    private static final long RETRY_NANOS = 1_000_000;

    private final MVStore store;
    private final Tables tables;
    private final Failure failure;
    private final BlockingQueue<Request> requests = new LinkedBlockingQueue<>();
    private final Thread thread = new Thread(this::run, "journal-reader");

    /** What to read, and for whom. */
    record Request(
            MessageKey after, int maxMessages, long maxBytes, Executor loop, Consumer<List<StoredMessage>> result) {}

    ReaderThread(MVStore store, Tables tables, Failure failure) {
        this.store = store;
        this.tables = tables;
        this.failure = failure;
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    @Override
    public void read(
            MessageKey after, int maxMessages, long maxBytes, Executor loop, Consumer<List<StoredMessage>> result) {
        requests.add(new Request(after, maxMessages, maxBytes, loop, result));
    }

    @Override
    public void readExpired(
            ExpiryMark after, long untilMillis, int maxMessages, Executor loop, Consumer<ExpiredRun> result) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void readPart(long body, int part, Executor loop, Consumer<Optional<byte[]>> result) {
        throw new UnsupportedOperationException();
    }

    void close() {
        requests.clear();
        requests.add(END);
    }

    private void run() {
        try {
            for (Request next = requests.take(); !next.equals(END); next = requests.take()) {
                answer(next);
            }
        } catch (InterruptedException e) {
            failure.report(new JournalException("the reader of the store was interrupted: restart the broker", e));
        }
    }

    private void answer(Request request) {
        List<StoredMessage> found;
        // Without this H2 uses the space of pages again while they are being read.
        MVStore.TxCounter version = store.registerVersionUsage();
        try {
            found = run(request);
        } catch (JournalException e) {
            failure.report(e);
            return;
        } catch (RuntimeException e) {
            if (!store.isClosed()) {
                failure.report(new JournalException(
                        "the messages after " + request.after + " cannot be read (" + e.getMessage()
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

    private List<StoredMessage> run(Request request) {
        Run durable = new Run(tables.messages, request.after);
        Run spilled = new Run(tables.spilled, request.after);
        List<StoredMessage> found = new ArrayList<>();
        long bytes = 0;
        while (found.size() < request.maxMessages && (found.isEmpty() || bytes < request.maxBytes)) {
            Optional<StoredMessage> next;
            if (durable.isBefore(spilled)) {
                next = message(durable.key, durable.record);
                durable.advance();
            } else if (spilled.key != null) {
                next = Optional.of(spilledMessage(spilled.key, spilled.record));
                spilled.advance();
            } else {
                break;
            }
            if (next.isPresent()) {
                found.add(next.get());
                bytes += next.get().bytes().length;
            }
        }
        return found;
    }

    private StoredMessage spilledMessage(MessageKey key, MessageRecord record) {
        if (!record.isSound(key, record.bytes())) {
            throw damaged(key);
        }
        return new StoredMessage(
                key, false, record.arrivalMillis(), record.format(), 0, record.bytes(), Fact.Details.NONE);
    }

    private Optional<StoredMessage> message(MessageKey key, MessageRecord seen) {
        MessageRecord record = seen;
        for (int tries = 0; tries < MAX_TRIES; tries++) {
            byte[] bytes = record.inline() ? record.bytes() : parts(key, record.size());
            if (record.isSound(key, bytes)) {
                Integer attempts = tables.attempts.isEmpty() ? null : tables.attempts.get(key);
                int count = attempts == null ? 0 : attempts;
                return Optional.of(new StoredMessage(
                        key, true, record.arrivalMillis(), record.format(), count, bytes, Fact.Details.NONE));
            }
            MessageRecord now = tables.messages.get(key);
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
        byte[] whole = new byte[size];
        int at = 0;
        for (int part = 0; part < PartKey.partsOf(size); part++) {
            byte[] bytes = tables.bodies.get(new PartKey(key, part));
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

    /** A walk over the messages of one lane in one map. */
    private static final class Run {
        private final Cursor<MessageKey, MessageRecord> cursor;
        private final MessageKey lane;
        private MessageKey key;
        private MessageRecord record;

        Run(MVMap<MessageKey, MessageRecord> map, MessageKey after) {
            cursor = map.cursor(after);
            lane = after;
            advance();
            if (after.equals(key)) {
                advance();
            }
        }

        void advance() {
            key = cursor.hasNext() ? cursor.next() : null;
            if (key != null && (key.queue() != lane.queue() || key.order() != lane.order())) {
                key = null;
            }
            record = key == null ? null : cursor.getValue();
        }

        boolean isBefore(Run other) {
            return key != null && (other.key == null || key.compareTo(other.key) < 0);
        }
    }
}
