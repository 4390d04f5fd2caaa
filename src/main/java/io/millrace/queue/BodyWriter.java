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
    private final LoopResources loop;
    private final Recorder recorder;
    private final IntConsumer held;
    private final IntConsumer written;
    private final long number;
    private byte[] part = {};
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
            if (part.length == 0) {
                part = new byte[Details.PART_BYTES];
                loop.memory().take(Details.PART_BYTES);
            }
            int count = Math.min(left, part.length - filled);
            System.arraycopy(bytes, at, part, filled, count);
            filled += count;
            at += count;
            left -= count;
            if (filled == part.length) {
                writePart(part);
            }
        }
        size += length;
    }

    private void writePart(byte[] whole) {
        int bytes = whole.length;
        part = new byte[0];
        filled = 0;
        held.accept(bytes);
        recorder.pending(bytes);
        recorder.record(new Fact.BodyPart(number, parts++, whole), () -> {
            loop.memory().release(Details.PART_BYTES);
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
            part = new byte[0];
            loop.memory().release(Details.PART_BYTES);
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
