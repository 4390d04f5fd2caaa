package io.millrace.amqp;

import io.millrace.message.Condition;
import java.nio.ByteBuffer;
import java.util.Map;
import org.apache.qpid.proton.Proton;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Begin;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.FrameBody;
import org.apache.qpid.proton.amqp.transport.Open;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.apache.qpid.proton.codec.ReadableBuffer;
import org.apache.qpid.proton.engine.Connection;
import org.apache.qpid.proton.engine.TransportDecodeException;
import org.apache.qpid.proton.engine.TransportException;
import org.apache.qpid.proton.engine.impl.TransportImpl;
import org.apache.qpid.proton.framing.TransportFrame;

/**
 * The Proton engine as this broker uses it: frames, their decoding and the connection endpoint are Proton's; what happens
 * inside sessions goes to {@link AmqpSession}. Owned by its {@link AmqpConnection}.
 *
 * <p>Proton's own sessions and links check neither handles nor credit nor sizes, and keep several objects and hash entries
 * for each delivery; so their frames are taken over here before Proton sees them, and everything that Proton writes passes
 * through the same {@link FrameOutput}, which keeps the order of all frames.
 */
final class BrokerTransport extends TransportImpl {
    private final FrameOutput frames;
    private final AmqpConnection owner;
    private final Connection connection = Proton.connection();

    /** Takes Proton's own protocol header, which the handshake has sent before. */
    private final ByteBuffer discarded = ByteBuffer.allocate(16);

    BrokerTransport(AmqpConnection owner, FrameOutput frames, ConnectionSettings settings) {
        this.owner = owner;
        this.frames = frames;
        setMaxFrameSize(settings.limits().maxFrameSize());
        setChannelMax(settings.limits().channelMax());
        setIdleTimeout((int) Math.min(settings.limits().idleTimeout().toMillis(), Integer.MAX_VALUE));
        setEmitFlowEventOnSend(false);
        setUseReadOnlyOutputBuffer(false);
        connection.setContainer(settings.containerId());
        bind(connection);
    }

    Connection connection() {
        return connection;
    }

    /** Gives bytes to the engine, which calls back here, frame by frame. */
    void receive(ByteBuffer bytes) {
        while (bytes.hasRemaining()) {
            int capacity = capacity();
            if (capacity <= 0) {
                bytes.position(bytes.limit());
                return;
            }
            int limit = bytes.limit();
            bytes.limit(bytes.position() + Math.min(capacity, bytes.remaining()));
            tail().put(bytes);
            bytes.limit(limit);
            process();
        }
    }

    /** Whether the engine will not read any more: after a close, or a frame that is none. */
    boolean deaf() {
        return capacity() < 0;
    }

    void writeOpen(Map<Symbol, Object> properties, Symbol... offered) {
        connection.setProperties(properties);
        connection.setOfferedCapabilities(offered);
        connection.open();
        writeEndpoints();
    }

    void writeClose(Condition reason) {
        connection.setCondition(Conditions.encode(reason));
        writeClose();
    }

    void writeClose() {
        connection.close();
        writeEndpoints();
    }

    private void writeEndpoints() {
        discarded.clear();
        writeInto(discarded);
    }

    @Override
    protected void writeFrame(int channel, FrameBody body, ReadableBuffer payload, Runnable onPayloadTooLarge) {
        frames.frame(channel, body);
    }

    @Override
    public boolean handleFrame(TransportFrame frame) {
        if (!owner.accepts(frame.getBody())) {
            return false;
        }
        try {
            return super.handleFrame(frame);
        } catch (ProtocolViolation violation) {
            owner.violated(frame.getChannel(), violation);
            return false;
        }
    }

    @Override
    public void handleOpen(Open open, Binary payload, Integer channel) {
        super.handleOpen(open, payload, channel);
        owner.opened(open);
    }

    @Override
    public void handleBegin(Begin begin, Binary payload, Integer channel) {
        owner.begun(channel, begin);
    }

    @Override
    public void handleAttach(Attach attach, Binary payload, Integer channel) {
        owner.inSession(channel, session -> session.attached(attach));
    }

    @Override
    public void handleFlow(Flow flow, Binary payload, Integer channel) {
        owner.inSession(channel, session -> session.flowed(flow));
    }

    @Override
    public void handleTransfer(Transfer transfer, Binary payload, Integer channel) {
        owner.transferred(channel, transfer, payload);
    }

    @Override
    public void handleDisposition(Disposition disposition, Binary payload, Integer channel) {
        owner.inSession(channel, session -> session.disposed(disposition));
    }

    @Override
    public void handleDetach(Detach detach, Binary payload, Integer channel) {
        owner.inSession(channel, session -> session.detached(detach));
    }

    @Override
    public void handleEnd(End end, Binary payload, Integer channel) {
        owner.ended(channel);
    }

    @Override
    public void handleClose(Close close, Binary payload, Integer channel) {
        super.handleClose(close, payload, channel);
        owner.closedByPeer(close);
    }

    @Override
    public void closed(TransportException error) {
        if (error != null) {
            boolean undecodable = error instanceof TransportDecodeException;
            owner.brokenFraming(new Condition(
                    undecodable ? Condition.DECODE_ERROR : Condition.FRAMING_ERROR,
                    "the bytes received are not AMQP frames: " + error.getMessage()));
        }
        super.closed(error);
    }
}
