package io.millrace.journal;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Consumer;

/**
 * Reads what the journal keeps, without anybody waiting for a disk. All calls return at once, may be made from any loop, and
 * answer on the executor given. They see all batches whose callback has been posted before the call, and may see more.
 */
public interface MessageReader {

    /**
     * Reads the run of messages of one lane of a queue that follow {@code after}, in their order, until {@code maxMessages}
     * or (with at least one message) {@code maxBytes} is reached. An empty list means that there are none.
     */
    void read(MessageKey after, int maxMessages, long maxBytes, Executor loop, Consumer<List<StoredMessage>> result);

    /**
     * Reads messages of a queue, of any lane, that expire at {@code untilMillis} or before, in the order of their deadlines,
     * from the one after {@code after} on.
     */
    void readExpired(ExpiryMark after, long untilMillis, int maxMessages, Executor loop, Consumer<ExpiredRun> result);

    /**
     * Reads a part of a body: {@link Fact.Details#PART_BYTES} bytes, fewer at its end. Empty when it is not there (any
     * more), because the last message that had it was removed.
     */
    void readPart(long body, int part, Executor loop, Consumer<Optional<byte[]>> result);

    /**
     * A place in the messages of a queue as they expire.
     *
     * @param expiryMillis the deadline, in milliseconds since 1970
     * @param key the message; the marks of one deadline are in the order of their keys
     */
    record ExpiryMark(long expiryMillis, MessageKey key) {
        /** Before all messages of a queue. */
        public static ExpiryMark start(long queue) {
            return new ExpiryMark(0, new MessageKey(queue, Integer.MIN_VALUE, Long.MIN_VALUE));
        }
    }

    /**
     * Messages that have expired.
     *
     * @param nextMillis the deadline of the message that comes after them, whether it has passed or not; 0 if there is none
     */
    record ExpiredRun(List<StoredMessage> messages, long nextMillis) {}
}
