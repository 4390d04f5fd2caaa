package io.millrace.net;

import io.millrace.loop.Loop;
import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.internal.net.NetSocketInternal;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.function.BiFunction;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A socket of a client and the protocol on it. Owned by its loop.
 *
 * <p>A protocol that fails is done with: its socket is closed, and it hears only that it is lost. A peer that makes us
 * answer and does not read the answers is not read from either, and cannot hold up its own end.
 */
final class AmqpSocket implements Peer {
    private static final Logger LOG = LoggerFactory.getLogger(AmqpSocket.class);

    /** Of an AMQP protocol header (part 2, section 2.2). */
    private static final int HEADER_BYTES = 8;

    /**
     * So many times what makes a socket full written to one that is, and nothing is read from it until it drains. That is far
     * above what makes the protocol wait, so only a peer that is answered without end gets here: one that must write before
     * it can read (most simple clients) must not find both ends waiting for each other.
     */
    private static final int MAX_EXCESS = 8;

    /** For what was written to leave before the socket is cut. */
    private static final Duration CLOSE_LIMIT = Duration.ofSeconds(3);

    private final VertxLoop loop;
    private final NetSocketInternal socket;
    private final String name;
    private final Protocol protocol;
    private Loop.Timer headerTimer;
    private Loop.Timer cutTimer = () -> {};
    private int headerBytes;
    private int excessBytes;

    /** From how many waiting bytes on it is full; and how many are counted for it while it is. */
    private int fullBytes;

    private int waitingBytes;
    private boolean wanted = true;
    private boolean reading = true;
    private boolean closing;
    private boolean over;

    AmqpSocket(
            VertxLoop loop,
            NetSocketInternal socket,
            Duration headerLimit,
            BiFunction<VertxLoop, Peer, Protocol> protocols) {
        this.loop = loop;
        this.socket = socket;
        this.name = String.valueOf(socket.remoteAddress());
        this.protocol = protocols.apply(loop, this);
        this.headerTimer = loop.after(headerLimit.toMillis(), () -> headerMissing(headerLimit));
    }

    void start(Runnable closed) {
        socket.messageHandler(this::received);
        socket.readCompletionHandler(ignored -> guarded("the end of a read", protocol::readComplete));
        socket.drainHandler(ignored -> drained());
        socket.shutdownHandler(ignored -> guarded("stopping", protocol::stopping));
        socket.exceptionHandler(e -> LOG.debug("{}: {}", name, e.toString()));
        socket.closeHandler(ignored -> {
            headerTimer.cancel();
            cutTimer.cancel();
            over = true;
            waits(0);
            try {
                protocol.lost();
            } catch (Throwable e) {
                loop.failed("the end of the connection from " + name, e);
            }
            closed.run();
        });
    }

    private void received(Object message) {
        try {
            if (message instanceof ByteBuf bytes && bytes.isReadable() && !over) {
                if (headerBytes < HEADER_BYTES) {
                    countHeader(bytes.readableBytes());
                }
                // The view is good until the buffer is released: the protocol copies what it keeps.
                ByteBuffer view = bytes.nioBufferCount() == 1
                        ? bytes.internalNioBuffer(bytes.readerIndex(), bytes.readableBytes())
                        : bytes.nioBuffer();
                guarded("reading", () -> protocol.received(view));
            }
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void countHeader(int bytes) {
        headerBytes = Math.min(HEADER_BYTES, headerBytes + bytes);
        if (headerBytes == HEADER_BYTES) {
            headerTimer.cancel();
        }
    }

    private void headerMissing(Duration limit) {
        if (headerBytes == 0) {
            LOG.debug("{}: nothing came within {} s; closed", name, limit.toSeconds());
        } else {
            LOG.info(
                    "{}: only {} bytes of a protocol header came within {} s; closed",
                    name,
                    headerBytes,
                    limit.toSeconds());
        }
        close();
    }

    private void guarded(String what, Runnable step) {
        if (over) {
            return;
        }
        try {
            step.run();
        } catch (Throwable e) {
            over = true;
            loop.failed(what + " on the connection from " + name, e);
            close();
        }
    }

    private void drained() {
        excessBytes = 0;
        waits(0);
        read();
        guarded("writing on", protocol::drained);
    }

    private void countExcess(int bytes) {
        if (!socket.writeQueueFull()) {
            excessBytes = 0;
            return;
        }
        excessBytes += bytes;
        if (!over) {
            waits(fullBytes + excessBytes);
        }
        if (excessive()) {
            read();
        }
    }

    private boolean excessive() {
        return excessBytes > MAX_EXCESS * fullBytes;
    }

    /** So many bytes wait for the peer. */
    private void waits(int bytes) {
        loop.output().waits(bytes - waitingBytes);
        waitingBytes = bytes;
    }

    /** Reads on or does not. Not by the socket's own pause, which would still take in and keep what has come. */
    private void read() {
        boolean reads = wanted && !excessive();
        if (reads != reading) {
            reading = reads;
            socket.channelHandlerContext().channel().config().setAutoRead(reads);
        }
    }

    @Override
    public void reading(boolean more) {
        wanted = more;
        read();
    }

    @Override
    public String name() {
        return name;
    }

    @Override
    public void write(ByteBuffer bytes) {
        int length = bytes.remaining();
        int full = loop.output().full();
        if (full != fullBytes && waitingBytes == 0) {
            fullBytes = full;
            socket.setWriteQueueMaxSize(full);
        }
        ByteBuf out = socket.channelHandlerContext().alloc().directBuffer(length);
        out.writeBytes(bytes);
        socket.writeMessage(out);
        countExcess(length);
    }

    @Override
    public boolean writable() {
        return !socket.writeQueueFull();
    }

    @Override
    public void close() {
        if (!closing) {
            closing = true;
            // A peer that does not read would keep what was written to it, and the socket, for good.
            cutTimer = loop.after(CLOSE_LIMIT.toMillis(), this::cut);
            socket.close();
        }
    }

    private void cut() {
        LOG.info("{} does not read what it was sent; cut", name);
        var unused = socket.channelHandlerContext().close();
    }
}
