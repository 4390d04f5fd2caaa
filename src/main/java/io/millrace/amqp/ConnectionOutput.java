package io.millrace.amqp;

import io.millrace.loop.Loop;
import java.util.ArrayList;
import java.util.List;

/**
 * When the output of a connection leaves, and who waits for that: links and sessions that look at their credit at the end of a turn, and links
 * whose peers do not take more at the moment. Owned by its connection.
 */
final class ConnectionOutput {
    /** Output beyond this is handed on at once, while it is still in the processor's cache. */
    private static final int EAGER_FLUSH_BYTES = 64 * 1024;

    private static final long FULL_MILLIS = 100;

    private final Loop loop;
    private final Output socket;
    private final Flushed flushed;
    private final FrameOutput frames = new FrameOutput(this::schedule);
    private final Runnable flushTask = this::flush;
    private final List<Runnable> atFlush = new ArrayList<>();
    private List<OutgoingLink> stalled = new ArrayList<>();
    private boolean partialsFirst;
    private boolean inRead;
    private boolean scheduled;
    private boolean flushing;
    private boolean stopped;
    private boolean trimDue;

    /** Hears of every flush, and whether it had anything to write. */
    interface Flushed {
        void flushed(boolean wrote);
    }

    ConnectionOutput(Loop loop, Output socket, Flushed flushed) {
        this.loop = loop;
        this.socket = socket;
        this.flushed = flushed;
    }

    FrameOutput frames() {
        return frames;
    }

    /** A read begins: all answers to it are flushed together. */
    void reading() {
        inRead = true;
    }

    void readComplete() {
        inRead = false;
        flush();
    }

    /** Flushes at the end of this turn. */
    void schedule() {
        if (!inRead && !scheduled && !stopped) {
            scheduled = true;
            loop.post(flushTask);
        }
    }

    void flush() {
        scheduled = false;
        if (stopped || flushing) {
            return;
        }
        for (int i = 0; i < atFlush.size(); i++) {
            atFlush.get(i).run();
        }
        atFlush.clear();
        flushed.flushed(send());
    }

    private boolean send() {
        if (frames.isEmpty()) {
            return false;
        }
        flushing = true;
        socket.write(frames.take());
        flushing = false;
        if (!trimDue && !socket.writable()) {
            trimDue = true;
            loop.after(FULL_MILLIS, this::trim);
        }
        return true;
    }

    /** If the socket is still full it may be long until the buffer is needed again; at once would cost brisk peers a new one each time. */
    private void trim() {
        trimDue = false;
        if (!socket.writable()) {
            frames.trim();
        }
    }

    /** Whether the socket is being written to, somewhere up the stack. */
    boolean flushing() {
        return flushing;
    }

    /** Whether the socket takes more. */
    boolean drains() {
        return socket.writable();
    }

    /** Something was written; a lot of it is not kept until the end of the turn. */
    void wrote() {
        if (frames.size() >= EAGER_FLUSH_BYTES && !flushing && !stopped) {
            send();
        }
    }

    /** Runs a task before the next flush, when this turn is over: what it writes leaves with the rest. */
    void atFlush(Runnable task) {
        atFlush.add(task);
        schedule();
    }

    /** The link goes on when there is {@linkplain #resume room} for its output again. */
    void stalled(OutgoingLink link) {
        stalled.add(link);
    }

    /**
     * There is room again.
     *
     * @param partials goes on with deliveries that had to stop in the middle
     */
    void resume(Runnable partials) {
        // By turns, so that neither a large message nor many small ones keep the others waiting for ever.
        partialsFirst = !partialsFirst;
        if (partialsFirst) {
            partials.run();
        }
        resumeStalled();
        if (!partialsFirst) {
            partials.run();
        }
    }

    private void resumeStalled() {
        if (!stalled.isEmpty()) {
            List<OutgoingLink> links = stalled;
            stalled = new ArrayList<>();
            links.forEach(OutgoingLink::resume);
        }
    }

    /** Nothing is written any more. */
    void stop() {
        stopped = true;
        stalled.clear();
        atFlush.clear();
    }

    void close() {
        socket.close();
    }
}
