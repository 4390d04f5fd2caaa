package io.millrace.queue;

import io.millrace.loop.Loop;
import java.util.ArrayList;
import java.util.List;

/**
 * Slows the senders of a queue down to the pace of its consumers, while these are nearly as fast. Owned by the queue.
 *
 * <p>What runs ahead of brisk consumers helps nobody: it leaves the processor's cache, outlives the young generation, and goes
 * to the store in the end, all of which costs more than the message itself. So when the head of the queue gets long, senders
 * get no more credit until consumers have taken a quarter of it. Consumers that do not do that in an instant are not
 * brisk: then senders go on at their own pace, and the backlog grows.
 *
 * <p>Brisk consumers that had to do something else for a moment get a second chance, for the backlog makes them slow, and the
 * sender keeps it there. Once they have taken enough for a while, senders wait for them again: each time until the backlog
 * is a little shorter than the time before, so that it goes away while senders still send.
 */
final class Pace {
    /** So much is a head start that no consumer ever misses. */
    private static final long HEAD_BYTES = 4 << 20;

    /**
     * How long senders wait at most: for consumers that take at least 10 MB/s. Ten subscribers of a topic at 1,000,000 messages/s take
     * less than 50 MB/s each while the machine does something else for a moment.
     */
    static final long INSTANT_MILLIS = 100;

    /** For so long consumers that were not brisk must take {@link #BRISK} times what brisk ones take at least. */
    static final long PROOF_MILLIS = 1000;

    private static final int BRISK = 2;

    private final Loop loop;
    private final Recorder recorder;
    private final Window window;
    private final long mostBytes;
    private final long stepBytes;
    private final List<Runnable> waiting = new ArrayList<>(0);

    /** Senders wait when more than that is ahead of consumers: {@link #mostBytes}, or while a backlog goes away what is left of it. */
    private long ceilingBytes;

    private boolean holds;
    private boolean outrun;
    private Loop.Timer timer = () -> {};
    private long provingSinceMillis;
    private long provenBytes;
    private long unseenBytes;

    Pace(Window window, LoopResources loop) {
        this.loop = loop.loop();
        this.recorder = loop.recorder();
        this.window = window;
        this.mostBytes = Math.min(HEAD_BYTES, loop.memory().shareBytes() / 2);
        this.stepBytes = mostBytes / 4;
        this.ceilingBytes = mostBytes;
    }

    /**
     * Whether senders may go on: consumers follow, and so does the disk.
     *
     * @param consumed whether there are consumers
     */
    boolean open(boolean consumed) {
        if (!holds && !outrun && consumed && window.aheadBytes() > ceilingBytes) {
            holds = true;
            timer = loop.after(INSTANT_MILLIS, this::tooSlow);
        }
        return !holds && recorder.hasRoom();
    }

    /** Runs a task once senders may go on; to be called when they may not. */
    void whenOpen(Runnable task) {
        if (holds) {
            waiting.add(task);
        } else {
            recorder.whenRoom(task);
        }
    }

    /** A message of so many bytes was taken from the head. */
    void left(int bytes) {
        if (holds || outrun || ceilingBytes > mostBytes) {
            taken(bytes, window.aheadBytes());
        }
    }

    private void taken(int bytes, long ahead) {
        if (ahead <= mostBytes - stepBytes) {
            outrun = false;
            ceilingBytes = mostBytes;
            goOn();
        } else if (outrun) {
            prove(bytes, ahead);
        } else if (ahead <= ceilingBytes - stepBytes) {
            ceilingBytes = Math.max(mostBytes, holds ? ahead : ahead + stepBytes);
            goOn();
        }
    }

    /** The clock is asked once a step, not for each message. */
    private void prove(int bytes, long ahead) {
        unseenBytes += bytes;
        if (unseenBytes < stepBytes) {
            return;
        }
        provenBytes += unseenBytes;
        unseenBytes = 0;
        long millis = loop.now() - provingSinceMillis;
        if (millis >= PROOF_MILLIS) {
            if (provenBytes / BRISK / millis >= stepBytes / INSTANT_MILLIS) {
                outrun = false;
                ceilingBytes = ahead;
            }
            beginProof();
        }
    }

    private void beginProof() {
        provingSinceMillis = loop.now();
        provenBytes = 0;
        unseenBytes = 0;
    }

    /** The consumers are gone, or the messages. */
    void end() {
        goOn();
    }

    private void tooSlow() {
        outrun = true;
        beginProof();
        goOn();
    }

    private void goOn() {
        if (holds) {
            holds = false;
            timer.cancel();
            List<Runnable> tasks = List.copyOf(waiting);
            waiting.clear();
            tasks.forEach(Runnable::run);
        }
    }
}
