package io.millrace.bench;

import io.netty.buffer.ByteBuf;
import io.netty.util.ReferenceCountUtil;
import io.vertx.core.internal.net.NetSocketInternal;
import io.vertx.core.net.NetSocket;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.qpid.proton.engine.Collector;
import org.apache.qpid.proton.engine.Connection;
import org.apache.qpid.proton.engine.EndpointState;
import org.apache.qpid.proton.engine.Event;
import org.apache.qpid.proton.engine.Link;
import org.apache.qpid.proton.engine.Receiver;
import org.apache.qpid.proton.engine.Sasl;
import org.apache.qpid.proton.engine.Sender;
import org.apache.qpid.proton.engine.Session;
import org.apache.qpid.proton.engine.TransportException;

/**
 * A connection to the broker: Proton's engine on a socket. Owned by its event loop.
 *
 * <p>All frames of a read are one step: links hear of each, and then have one turn in which they send what they can; all output
 * of that is one write.
 */
final class ClientConnection {
    /** More than this in the engine is handed to the socket, to see whether that takes more. */
    private static final int EAGER_FLUSH_BYTES = 256 << 10;

    private static final int WRITE_QUEUE_BYTES = 1 << 20;
    private static final int FIRST_BUFFER_BYTES = 16 << 10;

    /** Before the open frame of the peer says what it takes. */
    private static final int SASL_FRAME_BYTES = 4096;

    private final Connection connection = Connection.Factory.create();
    private final ClientTransport transport = new ClientTransport();
    private final Collector collector = Collector.Factory.create();
    private final Sasl sasl;
    private final boolean withUser;
    private final Consumer<Refusal> onFailure;
    private final List<LinkEvents> awake = new ArrayList<>();
    private final List<LinkEvents> links = new ArrayList<>();
    private Optional<NetSocketInternal> socket = Optional.empty();
    private int unflushedBytes;
    private int bufferBytes = FIRST_BUFFER_BYTES;
    private long readNanos;
    private boolean dispatching;
    private boolean answered;
    private boolean authenticated;
    private boolean closing;
    private boolean over;

    /** @param onFailure hears once why the connection, a session or a link cannot go on */
    ClientConnection(String container, Settings settings, Consumer<Refusal> onFailure) {
        this.onFailure = onFailure;
        connection.setContainer(container);
        connection.setHostname(settings.host());
        connection.collect(collector);
        transport.setInitialRemoteMaxFrameSize(SASL_FRAME_BYTES);
        transport.setIdleTimeout(0);
        sasl = transport.sasl();
        sasl.client();
        withUser = settings.user().isPresent();
        if (withUser) {
            sasl.plain(settings.user().get(), settings.password());
        } else {
            sasl.setMechanisms("ANONYMOUS");
        }
        transport.bind(connection);
        connection.open();
    }

    /** A link in a session of its own. */
    Sender sender(Session session, String name, LinkEvents events) {
        Sender sender = session.sender(name);
        sender.setContext(events);
        links.add(events);
        return sender;
    }

    Receiver receiver(Session session, String name, LinkEvents events) {
        Receiver receiver = session.receiver(name);
        receiver.setContext(events);
        links.add(events);
        return receiver;
    }

    Session session() {
        Session session = connection.session();
        session.open();
        return session;
    }

    /** The socket is there. */
    void connected(NetSocket opened) {
        NetSocketInternal internal = (NetSocketInternal) opened;
        socket = Optional.of(internal);
        internal.setWriteQueueMaxSize(WRITE_QUEUE_BYTES);
        internal.messageHandler(this::received);
        internal.readCompletionHandler(ignored -> readComplete());
        internal.drainHandler(ignored -> drained());
        internal.closeHandler(ignored -> lost());
        flush();
    }

    private void received(Object message) {
        try {
            if (message instanceof ByteBuf bytes && !over) {
                readNanos = System.nanoTime();
                answered = true;
                take(bytes);
            }
        } catch (TransportException e) {
            fail(new Refusal("the broker sent what cannot be understood: " + e.getMessage()));
        } finally {
            ReferenceCountUtil.release(message);
        }
    }

    private void take(ByteBuf bytes) {
        while (bytes.isReadable()) {
            int capacity = transport.capacity();
            if (capacity <= 0) {
                return;
            }
            ByteBuffer tail = transport.tail();
            int taken = Math.min(capacity, bytes.readableBytes());
            int limit = tail.limit();
            tail.limit(tail.position() + taken);
            bytes.readBytes(tail);
            tail.limit(limit);
            transport.process();
            checkSasl();
            dispatch();
        }
    }

    private void checkSasl() {
        if (authenticated) {
            return;
        }
        if (sasl.getState() == Sasl.SaslState.PN_SASL_FAIL) {
            fail(new Refusal(whyNotLetIn()));
        }
        authenticated = sasl.getState() == Sasl.SaslState.PN_SASL_PASS;
    }

    private String whyNotLetIn() {
        List<String> offered = List.of(sasl.getRemoteMechanisms());
        boolean plain = offered.contains("PLAIN");
        if (sasl.getOutcome() == Sasl.PN_SASL_AUTH && plain && withUser) {
            return "wrong user or password (SASL PLAIN)";
        }
        if (plain && !withUser && !offered.contains("ANONYMOUS")) {
            return "the broker wants a user: amqp://USER:PASSWORD@HOST[:PORT]";
        }
        return "the broker does not let us in: SASL outcome "
                + sasl.getOutcome().name().replace("PN_SASL_", "").toLowerCase(Locale.ROOT)
                + (offered.isEmpty() ? "" : "; it offers " + String.join(", ", offered));
    }

    /** Whether the peer has said anything; what is not AMQP is a failure. */
    boolean isAnswered() {
        return answered;
    }

    private void readComplete() {
        turn();
    }

    private void drained() {
        awake.addAll(links);
        turn();
    }

    /** The link has its turn when all of this read has been looked at. To be called once per read. */
    void wake(LinkEvents link) {
        awake.add(link);
    }

    private void turn() {
        for (int i = 0; i < awake.size(); i++) {
            awake.get(i).turn();
        }
        awake.clear();
        flush();
    }

    private void dispatch() {
        if (dispatching) {
            // What a link does may lead to more events, which the loop below comes to.
            return;
        }
        dispatching = true;
        for (Event event = collector.peek(); event != null; event = collector.peek()) {
            switch (event.getType()) {
                case DELIVERY -> events(event.getLink()).delivery(event.getDelivery(), readNanos);
                case LINK_FLOW -> events(event.getLink()).credited();
                case LINK_REMOTE_OPEN -> opened(event.getLink());
                case LINK_REMOTE_CLOSE, LINK_REMOTE_DETACH -> linkEnded(event.getLink());
                case SESSION_REMOTE_CLOSE -> sessionEnded(event.getSession());
                case CONNECTION_REMOTE_CLOSE -> connectionEnded();
                case TRANSPORT_ERROR -> fail(Refusal.of("the connection broke", transport.getCondition()));
                default -> {
                    // Of no interest.
                }
            }
            collector.pop();
        }
        dispatching = false;
    }

    private static LinkEvents events(Link link) {
        return (LinkEvents) link.getContext();
    }

    private void opened(Link link) {
        boolean refused = link instanceof Sender ? link.getRemoteTarget() == null : link.getRemoteSource() == null;
        if (!refused) {
            // Otherwise the detach that follows has the reason (section 2.6.3).
            events(link).opened();
        }
    }

    private void linkEnded(Link link) {
        if (link.getLocalState() == EndpointState.ACTIVE) {
            fail(Refusal.of("the broker refuses " + events(link).name(), link.getRemoteCondition()));
        }
    }

    private void sessionEnded(Session session) {
        if (session.getLocalState() == EndpointState.ACTIVE) {
            fail(Refusal.of("the broker ended a session", session.getRemoteCondition()));
        }
    }

    private void connectionEnded() {
        if (!closing) {
            fail(Refusal.of("the broker closed the connection", connection.getRemoteCondition()));
        }
        connection.close();
        flush();
        socket.ifPresent(NetSocket::close);
    }

    private void lost() {
        over = true;
        if (!closing) {
            fail(new Refusal("the connection was lost"));
        }
    }

    private void fail(Refusal why) {
        if (!over && !closing) {
            closing = true;
            onFailure.accept(why);
        }
    }

    /** Something that a link needs was refused. */
    void refused(String why) {
        fail(new Refusal(why));
    }

    /** Whether the socket takes more. */
    boolean drains() {
        return socket.isPresent() && !over && !socket.get().writeQueueFull();
    }

    /** So many bytes were given to the engine; says whether it may be given more. */
    boolean gave(int bytes) {
        unflushedBytes += bytes;
        if (unflushedBytes < EAGER_FLUSH_BYTES) {
            return true;
        }
        flush();
        return drains();
    }

    /** Writes what there is. */
    void flush() {
        unflushedBytes = 0;
        if (socket.isEmpty() || over) {
            return;
        }
        ByteBuf output = null;
        for (int pending = transport.pending(); pending > 0; pending = transport.pending()) {
            if (output == null) {
                output = socket.get().channelHandlerContext().alloc().directBuffer(Math.max(bufferBytes, pending));
            }
            output.writeBytes(transport.head());
            transport.pop(pending);
        }
        if (output != null) {
            bufferBytes = Math.max(FIRST_BUFFER_BYTES, output.readableBytes());
            socket.get().writeMessage(output);
        }
        dispatch();
    }

    /** Lets the peer hear from us now and then, as it asked to. */
    void tick() {
        if (socket.isPresent() && !over) {
            transport.tick(System.nanoTime() / 1_000_000);
            flush();
        }
    }

    /** Closes in good order; {@link #isOver} tells when that is done. */
    void close() {
        closing = true;
        connection.close();
        flush();
        if (socket.isEmpty()) {
            over = true;
        }
    }

    /** Cuts the socket. */
    void cut() {
        closing = true;
        over = true;
        socket.ifPresent(NetSocket::close);
    }

    boolean isOver() {
        return over;
    }
}
