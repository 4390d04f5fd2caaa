package io.millrace.amqp;

import io.millrace.broker.Departure;
import io.millrace.broker.Nodes;
import io.millrace.loop.Loop;
import io.millrace.message.Condition;
import io.millrace.security.Authenticator;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.EmptyFrame;
import org.apache.qpid.proton.amqp.transport.FrameBody;
import org.apache.qpid.proton.amqp.transport.Open;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One AMQP connection: bytes in, bytes out (AMQP 1.0, part 2, section 2.4). Owned by one loop; every method is called there.
 *
 * <p>Output gathers in {@link FrameOutput} and leaves once per loop turn: at {@link #readComplete}, or, when something
 * happened outside a read, in one posted flush. Whatever ends the connection, its sessions and links are let go at once and
 * the socket is closed within a bounded time.
 */
public final class AmqpConnection {
    private static final Logger LOG = LoggerFactory.getLogger(AmqpConnection.class);

    /** From the first contact to the peer's open frame. */
    private static final long HANDSHAKE_MILLIS = 30_000;

    /** From our close frame to the peer's. */
    private static final long CLOSE_MILLIS = 5_000;

    private static final int MIN_MAX_FRAME_SIZE = 512; // section 2.7.1

    private final ConnectionSettings settings;
    private final Loop loop;
    private final Nodes nodes;
    private final ConnectionEvents events;
    private final ConnectionOutput output;
    private final Handshake handshake;
    private final OpenExchange exchange;
    private final HeldBytes held;
    private final IdleTimeouts idle;
    private final Channels channels;
    private final Transactions transactions;
    private final Map<String, IncomingLink> incomingLinks = new HashMap<>();
    private final Map<String, OutgoingLink> outgoingLinks = new HashMap<>();

    private State state = State.HANDSHAKE;
    private BrokerTransport transport;
    private SendingRate rate;
    private Loop.Timer deadline;
    private boolean closeWhenFlushed;
    private Optional<Condition> reason = Optional.empty();
    private String container = "";
    private String user = "";
    private int maxFrameSize = MIN_MAX_FRAME_SIZE;
    private long transfersIn;
    private long transfersOut;

    private enum State {
        HANDSHAKE,
        OPENING,
        OPEN,
        CLOSING,
        CLOSED
    }

    /** A connection whose socket was just accepted. */
    public AmqpConnection(
            ConnectionSettings settings,
            Loop loop,
            Nodes nodes,
            Authenticator authenticator,
            Output socket,
            ConnectionEvents events) {
        this.settings = settings;
        this.loop = loop;
        this.nodes = nodes;
        this.events = events;
        output = new ConnectionOutput(loop, socket, this::flushed);
        handshake = new Handshake(settings, loop, authenticator, output.frames(), new HandshakeResult());
        held = new HeldBytes(settings.heldBytes(), nodes.bodies().memory(), socket);
        exchange = new OpenExchange(settings.version(), nodes.containers());
        idle = new IdleTimeouts(
                loop, settings.limits().idleTimeout().toMillis(), held::paused, this::idleForTooLong, this::heartbeat);
        channels = new Channels(settings.limits().channelMax());
        transactions = new Transactions(loop, nodes, settings.limits().transactionTimeout());
        deadline = loop.after(HANDSHAKE_MILLIS, this::handshakeTooSlow);
    }

    /** Takes bytes from the socket. After the last of one read, {@link #readComplete} is to be called. */
    public void received(ByteBuffer bytes) {
        loop.assertCurrent();
        output.reading();
        if (state == State.HANDSHAKE) {
            handshake.received(bytes);
        } else if (state != State.CLOSED) {
            idle.input();
            feed(bytes);
        }
    }

    /** All of one read is here: answers leave. */
    public void readComplete() {
        output.readComplete();
    }

    /** The socket drains again, after {@link Output#writable} was false. */
    public void writable() {
        if (output.flushing()) {
            loop.post(this::writable);
        } else if (takesOutput()) {
            resume();
        }
    }

    /** The socket is gone. What its consumers had not settled counts as a failed attempt. */
    public void lost() {
        if (state != State.CLOSED) {
            state = State.CLOSED;
            channels.release(true);
            over();
        }
    }

    /** Ends it from our side, cleanly, for example because the broker stops. */
    public void close(Condition why) {
        if (state == State.HANDSHAKE) {
            reason = Optional.of(why);
            closeWhenFlushed = true;
            output.flush();
        } else {
            end(why, false);
        }
    }

    /** The peer's container-id; empty before its open. */
    public String container() {
        return container;
    }

    /** Who logged in; empty without SASL. */
    public String user() {
        return user;
    }

    /** Messages received so far. */
    public long transfersIn() {
        return transfersIn;
    }

    /** Messages sent so far. */
    public long transfersOut() {
        return transfersOut;
    }

    private final class HandshakeResult implements Handshake.Result {
        @Override
        public void done(String name, ByteBuffer rest) {
            user = name;
            rate = SendingRate.of(AmqpConnection.this);
            state = State.OPENING;
            transport = new BrokerTransport(AmqpConnection.this, output.frames(), settings);
            feed(rest);
        }

        @Override
        public void failed(Condition condition) {
            reason = Optional.of(condition);
            events.refused(AmqpConnection.this, condition);
            closeWhenFlushed = true;
            output.schedule();
        }
    }

    private void feed(ByteBuffer bytes) {
        run(() -> transport.receive(bytes));
        output.wrote();
    }

    /** Lets frames be read; whatever goes wrong with them ends the connection, not the loop. */
    private void run(Runnable reading) {
        try {
            reading.run();
        } catch (RuntimeException e) {
            // The engine's state is unknown now: it gets nothing more to read, and the broker lives.
            LOG.warn("Connection of {} failed", container, e);
            end(new Condition(Condition.INTERNAL_ERROR, "the broker could not handle a frame: " + e), true);
            closeWhenFlushed = true;
        }
    }

    /** Whether a frame may be handled now; one that comes too early or twice ends the connection. */
    boolean accepts(FrameBody body, int channel) {
        return switch (state) {
            case OPENING -> {
                if (!(body instanceof Open) && !(body instanceof EmptyFrame)) {
                    refuse(new Condition(Condition.ILLEGAL_STATE, "the first frame must be open"));
                    yield false;
                }
                if (channel != 0 && body instanceof Open) {
                    refuse(new Condition(
                            Condition.FRAMING_ERROR, "the open frame came on channel " + channel + " instead of 0"));
                    yield false;
                }
                yield true;
            }
            case OPEN -> {
                if (body instanceof Open) {
                    end(new Condition(Condition.ILLEGAL_STATE, "a second open frame"), true);
                    yield false;
                }
                yield true;
            }
            case CLOSING -> body instanceof Close;
            case HANDSHAKE, CLOSED -> false;
        };
    }

    void opened(Open open) {
        if (state != State.OPENING) {
            return;
        }
        container = open.getContainerId();
        long theirs = open.getMaxFrameSize().longValue();
        if (theirs < MIN_MAX_FRAME_SIZE) {
            brokenFraming(new Condition(Condition.FRAMING_ERROR, "max-frame-size " + theirs + " is less than 512"));
            return;
        }
        channels.limitedTo(open.getChannelMax().intValue());
        maxFrameSize = (int) Math.min(theirs, settings.limits().maxFrameSize());
        output.frames().limit((int) Math.min(theirs, Integer.MAX_VALUE), why -> end(why, true));
        Optional<Condition> objection = OpenExchange.objection(open);
        if (objection.isPresent()) {
            refuse(objection.get());
        } else if (OpenExchange.desiresSoleConnection(open)) {
            transport.hold();
            exchange.claim(open, this, refusal -> claimed(refusal, open), this::close);
        } else {
            letIn(open);
        }
    }

    private void claimed(Optional<Condition> refusal, Open open) {
        if (state == State.OPENING) {
            refusal.ifPresentOrElse(this::refuse, () -> letIn(open));
            run(transport::goOn);
        }
    }

    private void letIn(Open open) {
        deadline.cancel();
        state = State.OPEN;
        transactions.opened(open);
        transport.writeOpen(exchange.properties(), OpenExchange.offered());
        idle.start(OpenExchange.idleMillis(open));
        events.opened(this);
    }

    /** Answers an open with one that says that a close follows. */
    private void refuse(Condition why) {
        transport.writeOpen(exchange.propertiesOfRefusal(), OpenExchange.offered());
        end(why, true);
    }

    void violated(int channel, ProtocolViolation violation) {
        if (violation.scope() == ProtocolViolation.Scope.SESSION) {
            events.sessionEnded(this, channel, violation.condition());
            channels.session(channel).end(violation.condition());
        } else {
            end(violation.condition(), true);
        }
    }

    /** The bytes are not frames any more, so the peer's close cannot be waited for. */
    void brokenFraming(Condition why) {
        if (state == State.OPENING) {
            refuse(why);
        } else {
            end(why, true);
        }
        closeWhenFlushed = true;
    }

    void closedByPeer(Close close) {
        if (state == State.OPEN) {
            state = State.CLOSING;
            if (close.getError() != null) {
                reason = Optional.of(Conditions.decode(close.getError()));
            }
            channels.release(false);
            transport.writeClose();
        }
        closeWhenFlushed = true;
    }

    private void idleForTooLong() {
        end(
                new Condition(
                        Condition.RESOURCE_LIMIT_EXCEEDED,
                        "nothing was received for "
                                + settings.limits().idleTimeout().toMillis() + " ms, the idle-time-out"),
                true);
        output.flush();
    }

    private void heartbeat() {
        transport.trim();
        output.frames().heartbeat();
    }

    private void handshakeTooSlow() {
        if (handshake.started()) {
            reason = Optional.of(new Condition(
                    Condition.RESOURCE_LIMIT_EXCEEDED,
                    "the peer did not open the connection within " + HANDSHAKE_MILLIS + " ms"));
        }
        finish();
    }

    /** Closes with an error: sessions go at once, the socket when the peer has answered or the time is up. */
    private void end(Condition why, boolean failed) {
        if (state != State.OPENING && state != State.OPEN) {
            return;
        }
        boolean opened = state == State.OPEN || transport.openWritten();
        state = State.CLOSING;
        reason = Optional.of(why);
        if (failed) {
            events.refused(this, why);
        }
        channels.release(failed);
        if (!opened) {
            transport.writeOpen(exchange.properties(), OpenExchange.offered());
        }
        transport.writeClose(why);
        idle.stop();
        deadline.cancel();
        deadline = loop.after(CLOSE_MILLIS, this::finish);
    }

    /** Tells when the connection is gone; what an ended session left behind may have waited for that. */
    void whenClosed(Consumer<Departure> task) {
        channels.whenClosed(task);
    }

    private void finish() {
        if (state != State.CLOSED) {
            boolean orderly = state == State.CLOSING;
            state = State.CLOSED;
            channels.release(!orderly);
            output.close();
            over();
        }
    }

    private void over() {
        handshake.cancel();
        idle.stop();
        deadline.cancel();
        output.stop();
        held.close();
        exchange.release(this);
        events.closed(this, reason);
    }

    private void flushed(boolean wrote) {
        if (wrote) {
            idle.output();
        }
        if (closeWhenFlushed) {
            finish();
        }
    }

    Channels channels() {
        return channels;
    }

    HeldBytes held() {
        return held;
    }

    ConnectionOutput output() {
        return output;
    }

    /** Whether more output may be made now. */
    boolean takesOutput() {
        return state == State.OPEN && output.drains();
    }

    /** Goes on with what waited for the socket or for a session window. */
    void resume() {
        output.resume(() -> channels.all().forEach(AmqpSession::continuePartials));
    }

    void receivedMessage() {
        transfersIn++;
    }

    void sentMessage() {
        transfersOut++;
    }

    Map<String, IncomingLink> incomingLinks() {
        return incomingLinks;
    }

    Map<String, OutgoingLink> outgoingLinks() {
        return outgoingLinks;
    }

    ConnectionSettings settings() {
        return settings;
    }

    ConnectionEvents events() {
        return events;
    }

    SendingRate rate() {
        return rate;
    }

    Transactions transactions() {
        return transactions;
    }

    Nodes nodes() {
        return nodes;
    }

    Loop loop() {
        return loop;
    }

    /** The largest frame to be sent. */
    int maxFrameSize() {
        return maxFrameSize;
    }
}
