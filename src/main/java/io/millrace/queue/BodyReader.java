package io.millrace.queue;

import io.millrace.journal.Fact.Details;
import java.util.ArrayDeque;
import java.util.Optional;

/**
 * A body on its way out of the store: a part at hand and one read ahead. Owned by the link that sends it.
 *
 * <p>A message may be handed out before the store has written the end of its body, so a part that is missing is looked for
 * once more when all that was recorded so far is written.
 */
public final class BodyReader {
    private static final int MOST_PARTS = 2;

    private final LoopResources loop;
    private final long body;
    private final long parts;
    private final Runnable arrived;
    private final ArrayDeque<byte[]> atHand = new ArrayDeque<>();
    private int next;
    private boolean reading;
    private boolean allWritten;
    private boolean gone;
    private boolean closed;

    BodyReader(LoopResources loop, long body, long size, Runnable arrived) {
        this.loop = loop;
        this.body = body;
        this.parts = (size + Details.PART_BYTES - 1) / Details.PART_BYTES;
        this.arrived = arrived;
        readAhead();
    }

    /** Whether there is a part at hand. */
    public boolean ready() {
        return !atHand.isEmpty();
    }

    /** The part at hand, not to be changed. */
    public byte[] part() {
        return atHand.element();
    }

    /** Done with the part at hand. */
    public void next() {
        atHand.remove();
        loop.memory().releaseBytes(Details.PART_BYTES);
        readAhead();
    }

    /** Whether the rest is not there any more, because nobody had the message. */
    public boolean gone() {
        return gone;
    }

    /** Nobody wants the rest. */
    public void close() {
        closed = true;
        while (!atHand.isEmpty()) {
            atHand.remove();
            loop.memory().releaseBytes(Details.PART_BYTES);
        }
    }

    private void readAhead() {
        // When memory is short each gets one part after the other, for to wait for more might be to wait for ever.
        int most = loop.memory().scarce() ? 1 : MOST_PARTS;
        if (!reading && !closed && !gone && next < parts && atHand.size() < most) {
            reading = true;
            loop.memory().takeBytes(Details.PART_BYTES);
            read();
        }
    }

    private void read() {
        loop.recorder().journal().reader().readPart(body, next, loop.loop(), this::read);
    }

    private void read(Optional<byte[]> part) {
        if (part.isEmpty() && !allWritten && !closed) {
            allWritten = true;
            loop.recorder().whenDurable(this::read);
            return;
        }
        reading = false;
        if (closed || part.isEmpty()) {
            loop.memory().releaseBytes(Details.PART_BYTES);
            gone = true;
        } else {
            next++;
            atHand.add(part.get());
            readAhead();
        }
        if (!closed) {
            arrived.run();
        }
    }
}
