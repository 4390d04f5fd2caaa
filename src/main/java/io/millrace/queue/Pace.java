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
 * brisk: then senders go on at their own pace, and the backlog grows, until it has gone for once.
 */
final class Pace {
    /** So much is a head start that no consumer ever misses. */
    private static final long HEAD_BYTES = 4 << 20;

    /**
     * How long senders wait at most: for consumers that take at least 10 MB/s. Ten subscribers of a topic at 1,000,000 messages/s take
     * less than 50 MB/s each while the machine does something else for a moment; with a fifth of this time they were taken for slow
     * then, and as the sender went on, for good.
     */
    static final long INSTANT_MILLIS = 100;

    private final Loop loop;
    private final Recorder recorder;
    private final Window window;
    private final long mostBytes;
    private final long resumeBytes;
    private final List<Runnable> waiting = new ArrayList<>(0);
    private boolean holds;
    private boolean outrun;
    private Loop.Timer timer = () -> {};

    Pace(Window window, LoopResources loop) {
        this.loop = loop.loop();
        this.recorder = loop.recorder();
        this.window = window;
        this.mostBytes = Math.min(HEAD_BYTES, loop.memory().shareBytes() / 2);
        this.resumeBytes = mostBytes - mostBytes / 4;
    }

    /**
     * Whether senders may go on: consumers follow, and so does the disk.
     *
     * @param consumed whether there are consumers
     */
    boolean open(boolean consumed) {
        if (!holds && !outrun && consumed && ahead() > mostBytes) {
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

    /** A message was taken from the head. */
    void left() {
        if ((holds || outrun) && ahead() <= resumeBytes) {
            outrun = false;
            goOn();
        }
    }

    /** The consumers are gone, or the messages. */
    void end() {
        goOn();
    }

    private long ahead() {
        return window.beyond() > 0
                ? Long.MAX_VALUE
                : window.availableBytes() + window.available() * MemoryBudget.OVERHEAD_BYTES;
    }

    private void tooSlow() {
        outrun = true;
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
