package io.millrace.amqp;

import io.millrace.message.Condition;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.UnsignedShort;
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

/**
 * The frames of one connection: takes those of the peer to where they belong, and writes open and close, the two of the
 * connection itself (AMQP 1.0, part 2, sections 2.4 and 2.7). Owned by its {@link AmqpConnection}.
 *
 * <p>A frame that breaks the rules throws {@link ProtocolViolation}, which is caught here and nowhere else.
 */
final class BrokerTransport implements FrameInput.Frames, FrameBody.FrameBodyHandler<Integer> {
    private final AmqpConnection owner;
    private final FrameOutput frames;
    private final ConnectionSettings settings;
    private final FrameInput input;
    private boolean openWritten;

    BrokerTransport(AmqpConnection owner, FrameOutput frames, ConnectionSettings settings) {
        this.owner = owner;
        this.frames = frames;
        this.settings = settings;
        input = new FrameInput(settings.limits().maxFrameSize(), this);
    }

    /** Takes bytes; whoever owns the connection hears of each frame in them, one by one. */
    void receive(ByteBuffer bytes) {
        input.receive(bytes);
    }

    /** Keeps what comes, until {@link #goOn}. */
    void hold() {
        input.pause();
    }

    /** Goes on with what was kept. */
    void goOn() {
        input.goOn();
    }

    /** Gives memory back; for a connection that is idle. */
    void trim() {
        input.trim();
        frames.trim();
    }

    /** Whether our open frame is out. */
    boolean openWritten() {
        return openWritten;
    }

    void writeOpen(Map<Symbol, Object> properties, Symbol... offered) {
        Open open = new Open();
        open.setContainerId(settings.containerId());
        open.setMaxFrameSize(UnsignedInteger.valueOf(settings.limits().maxFrameSize()));
        open.setChannelMax(UnsignedShort.valueOf((short) settings.limits().channelMax()));
        Duration idle = settings.limits().idleTimeout();
        if (!idle.isZero()) {
            // We wait for twice of what we say (section 2.4.5).
            long half = Math.min(idle.toMillis(), Integer.MAX_VALUE) / 2;
            open.setIdleTimeOut(UnsignedInteger.valueOf(half));
        }
        open.setOfferedCapabilities(offered);
        open.setProperties(properties);
        openWritten = true;
        frames.frame(0, open);
    }

    void writeClose(Condition reason) {
        Close close = new Close();
        close.setError(Conditions.encode(reason));
        frames.frame(0, close);
    }

    void writeClose() {
        frames.frame(0, new Close());
    }

    @Override
    public void frame(int channel, FrameBody body, Binary payload) {
        if (!owner.accepts(body, channel)) {
            return;
        }
        try {
            body.invoke(this, payload, channel);
        } catch (ProtocolViolation violation) {
            owner.violated(channel, violation);
        }
    }

    @Override
    public void broken(Condition why) {
        owner.brokenFraming(why);
    }

    @Override
    public void handleOpen(Open open, Binary payload, Integer channel) {
        owner.opened(open);
    }

    @Override
    public void handleBegin(Begin begin, Binary payload, Integer channel) {
        owner.channels().begin(channel, begin, owner);
    }

    @Override
    public void handleAttach(Attach attach, Binary payload, Integer channel) {
        AmqpSession session = owner.channels().session(channel);
        if (session.active()) {
            session.attached(attach, input.size());
        }
    }

    @Override
    public void handleFlow(Flow flow, Binary payload, Integer channel) {
        AmqpSession session = owner.channels().session(channel);
        if (session.active()) {
            session.flowed(flow);
        }
    }

    @Override
    public void handleTransfer(Transfer transfer, Binary payload, Integer channel) {
        AmqpSession session = owner.channels().session(channel);
        if (session.active()) {
            session.transferred(transfer, payload);
        }
    }

    @Override
    public void handleDisposition(Disposition disposition, Binary payload, Integer channel) {
        AmqpSession session = owner.channels().session(channel);
        if (session.active()) {
            session.disposed(disposition);
        }
    }

    @Override
    public void handleDetach(Detach detach, Binary payload, Integer channel) {
        AmqpSession session = owner.channels().session(channel);
        if (session.active()) {
            session.detached(detach);
        }
    }

    @Override
    public void handleEnd(End end, Binary payload, Integer channel) {
        owner.channels().ended(channel);
    }

    @Override
    public void handleClose(Close close, Binary payload, Integer channel) {
        input.stop();
        owner.closedByPeer(close);
    }
}
