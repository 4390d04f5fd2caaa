package io.millrace.queue;

import io.millrace.journal.Fact;
import io.millrace.journal.Fact.Details;
import io.millrace.journal.Journal.Room;
import io.millrace.message.Condition;
import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;

/**
 * A body on its way into the store, part by part. Owned by the link that receives it.
 *
 * <p>What is not written yet counts as pending in the {@link Recorder} and in the {@link MemoryBudget}, and is told to the
 * session, whose window bounds it. The body is there until it is {@linkplain #release released} and no message has it; a
 * broker that dies forgets it.
 */
public final class BodyWriter {
    private static final int FIRST_BYTES = 16 << 10;
    private static final byte[] NOTHING = {};

    private final LoopResources loop;
    private final Recorder recorder;
    private final IntConsumer held;
    private final IntConsumer written;
    private final long number;
    private byte[] part = NOTHING;
    private int filled;
    private int parts;
    private long size;
    private boolean released;

    BodyWriter(LoopResources loop, IntConsumer held, IntConsumer written) {
        this.loop = loop;
        this.recorder = loop.recorder();
        this.held = held;
        this.written = written;
        this.number = recorder.journal().newBody();
    }

    /** Why the store takes no more; empty while it does. */
    public Optional<Condition> refusal() {
        Room room = recorder.journal().room();
        return room.available()
                ? Optional.empty()
                : Optional.of(new Condition(
                        Condition.RESOURCE_LIMIT_EXCEEDED,
                        "the message is refused: the store takes no messages: " + room.reason(),
                        Map.of("reason", "store-full", "limit", "store")));
    }

    /** Takes the bytes that follow; they are copied. */
    public void take(byte[] bytes, int from, int length) {
        loop.loop().assertCurrent();
        int at = from;
        int left = length;
        while (left > 0) {
            int count = Math.min(left, Details.PART_BYTES - filled);
            if (count > part.length - filled) {
                grow(filled + count);
            }
            System.arraycopy(bytes, at, part, filled, count);
            filled += count;
            at += count;
            left -= count;
            if (filled == Details.PART_BYTES) {
                writePart(part);
            }
        }
        size += length;
    }

    /** A peer may stop at any time, and is then to have taken no more memory than what it has sent deserves. */
    private void grow(int needed) {
        int least = parts > 0 ? Details.PART_BYTES : FIRST_BYTES;
        int more = Math.min(Details.PART_BYTES, Math.max(least, Math.max(needed, part.length * 2)));
        loop.memory().takeBytes(more - part.length);
        part = Arrays.copyOf(part, more);
    }

    private void writePart(byte[] whole) {
        int bytes = whole.length;
        int taken = part.length;
        part = NOTHING;
        filled = 0;
        held.accept(bytes);
        recorder.pending(bytes);
        recorder.record(new Fact.BodyPart(number, parts++, whole), () -> {
            loop.memory().releaseBytes(taken);
            recorder.written(bytes);
            // A slow disk slows all who send large messages, however many sessions they have.
            recorder.whenRoomAgain(() -> written.accept(bytes));
        });
    }

    /**
     * All of the body has come: makes the message, whose body gets to the store before anything that tells of the message.
     *
     * @param beginning all sections before the body
     */
    public Message finish(byte[] beginning, int format) throws MalformedMessageException {
        if (filled > 0) {
            writePart(Arrays.copyOf(part, filled));
        }
        recorder.flush();
        return Message.streamed(beginning, format, number, size);
    }

    /** The link has done with the body: it stays if a message has it. */
    public void release() {
        if (released) {
            return;
        }
        released = true;
        if (part.length > 0) {
            loop.memory().releaseBytes(part.length);
            part = NOTHING;
        }
        if (parts > 0) {
            recorder.record(new Fact.BodyDropped(number));
        }
    }

    /** As {@link #release()}, when it is known what becomes of a message that was offered in a transaction. */
    public void release(Transaction transaction) {
        if (!transaction.exists()) {
            release();
            return;
        }
        transaction.branch(loop.loop()).enlist(new Branch.Work() {
            @Override
            public Optional<Condition> prepare(List<Fact> facts) {
                return Optional.empty();
            }

            @Override
            public void committed() {
                release();
            }

            @Override
            public void rolledBack() {
                release();
            }
        });
    }
}
