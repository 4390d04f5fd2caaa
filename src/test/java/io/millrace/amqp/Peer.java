package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.broker.Nodes;
import io.millrace.config.Config;
import io.millrace.config.Rate;
import io.millrace.loop.ManualLoop;
import io.millrace.message.Condition;
import io.millrace.security.Authenticator;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.AmqpValue;
import org.apache.qpid.proton.amqp.messaging.Properties;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Begin;
import org.apache.qpid.proton.amqp.transport.Close;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Open;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.apache.qpid.proton.codec.AMQPDefinedTypes;
import org.apache.qpid.proton.codec.DecoderImpl;
import org.apache.qpid.proton.codec.EncoderImpl;
import org.apache.qpid.proton.engine.impl.FrameWriterBuffer;

/**
 * The other end of an {@link AmqpConnection}, without a socket: writes any frame, legal or not, and reads what comes back,
 * frame by frame. Everything that the connection needs around it is here, too.
 */
final class Peer implements Output, ConnectionEvents {
    static final int MAX_FRAME = 4096;
    static final int MAX_MESSAGE = 100_000;
    static final int CREDIT = 10;
    static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(20);

    /** So much that the incoming-window is always at its largest, and no flow of a session comes between others. */
    static final long HELD_BYTES = 32 << 20;

    final ManualLoop loop;
    final FakeNodes nodes;
    final List<Condition> refusals = new ArrayList<>();

    /** What {@link #refusals} were for. */
    final List<String> ended = new ArrayList<>();

    final List<String> rates = new ArrayList<>();
    final List<Duration> ratesOver = new ArrayList<>();
    final List<String> passwordsChecked = new ArrayList<>();
    final Deque<Frame> frames = new ArrayDeque<>();
    AmqpConnection connection;
    boolean writable = true;
    boolean read = true;
    boolean socketClosed;
    boolean opened;
    int closedEvents;
    int writes;
    Optional<Condition> closeReason = Optional.empty();
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    record Frame(int type, int channel, Object body, byte[] payload) {}

    Peer() {
        this(HELD_BYTES);
    }

    Peer(long heldBytes) {
        this(true, false, Duration.ofSeconds(60), heldBytes, MAX_MESSAGE);
    }

    /** With another largest message. */
    static Peer taking(long maxMessage, long heldBytes) {
        return new Peer(true, false, Duration.ofSeconds(60), heldBytes, maxMessage);
    }

    Peer(boolean anonymous, boolean passwords, Duration idle) {
        this(anonymous, passwords, idle, HELD_BYTES, MAX_MESSAGE);
    }

    /** Another connection to the same broker, on the same loop. */
    Peer(Peer other) {
        this(other.loop, other.nodes, true, false, Duration.ofSeconds(60), HELD_BYTES, MAX_MESSAGE);
    }

    private Peer(boolean anonymous, boolean passwords, Duration idle, long heldBytes, long maxMessage) {
        this(new ManualLoop(), anonymous, passwords, idle, heldBytes, maxMessage);
    }

    private Peer(
            ManualLoop loop, boolean anonymous, boolean passwords, Duration idle, long heldBytes, long maxMessage) {
        this(loop, new FakeNodes(loop), anonymous, passwords, idle, heldBytes, maxMessage);
    }

    private Peer(
            ManualLoop loop,
            FakeNodes nodes,
            boolean anonymous,
            boolean passwords,
            Duration idle,
            long heldBytes,
            long maxMessage) {
        this(loop, nodes, anonymous, passwords, heldBytes, limits(idle, maxMessage, Rate.UNLIMITED), UserRates.NONE);
    }

    private static Config.Connection limits(Duration idle, long maxMessage, Rate rate) {
        return new Config.Connection(MAX_FRAME, 3, 7, idle, maxMessage, CREDIT, TRANSACTION_TIMEOUT, rate);
    }

    private static Config.Connection manyLinks(Rate rate) {
        return new Config.Connection(
                MAX_FRAME, 3, 127, Duration.ofSeconds(60), 20 * MAX_MESSAGE, CREDIT, TRANSACTION_TIMEOUT, rate);
    }

    /** Whose connections may send so much, each and those of a user together. */
    Peer(ManualLoop loop, FakeNodes nodes, Rate rate, UserRates users) {
        this(loop, nodes, true, true, HELD_BYTES, manyLinks(rate), users);
    }

    private Peer(
            ManualLoop loop,
            FakeNodes nodes,
            boolean anonymous,
            boolean passwords,
            long heldBytes,
            Config.Connection limits,
            UserRates users) {
        this.loop = loop;
        this.nodes = nodes;
        connection = new AmqpConnection(
                new ConnectionSettings("broker", "1.2.3", anonymous, passwords, heldBytes, limits, users),
                loop,
                nodes,
                (user, password, executor, answer) -> {
                    passwordsChecked.add(user);
                    executor.execute(() -> answer.accept(verdict(password)));
                },
                this,
                this);
    }

    /** Of a connection to a broker that is no fake, whose messages may have so many bytes. */
    Peer(ManualLoop loop, Nodes broker, long maxMessage) {
        this.loop = loop;
        this.nodes = new FakeNodes(loop);
        Config.Connection limits = limits(Duration.ofSeconds(60), maxMessage, Rate.UNLIMITED);
        connection = new AmqpConnection(
                new ConnectionSettings("broker", "1.2.3", true, false, HELD_BYTES, limits, UserRates.NONE),
                loop,
                broker,
                (user, password, executor, answer) -> executor.execute(() -> answer.accept(verdict(password))),
                this,
                this);
    }

    private static Authenticator.Verdict verdict(String password) {
        return switch (password) {
            case "secret" -> Authenticator.Verdict.RIGHT;
            case "too many" -> Authenticator.Verdict.UNDECIDED;
            default -> Authenticator.Verdict.WRONG;
        };
    }

    @Override
    public void write(ByteBuffer buffer) {
        assertFalse(socketClosed, "written after the socket was closed");
        writes++;
        byte[] copy = new byte[buffer.remaining()];
        buffer.get(copy);
        bytes.writeBytes(copy);
    }

    @Override
    public boolean writable() {
        return writable;
    }

    @Override
    public void reading(boolean wanted) {
        read = wanted;
    }

    @Override
    public void close() {
        assertFalse(socketClosed, "closed twice");
        socketClosed = true;
    }

    @Override
    public void opened(AmqpConnection which) {
        opened = true;
    }

    @Override
    public void refused(AmqpConnection which, Condition reason) {
        refusals.add(reason);
        ended.add("connection");
    }

    @Override
    public void sessionEnded(AmqpConnection which, int channel, Condition reason) {
        refusals.add(reason);
        ended.add("session " + channel);
    }

    @Override
    public void linkEnded(AmqpConnection which, String link, boolean was, Condition reason) {
        refusals.add(reason);
        ended.add((was ? "link " : "new link ") + link);
    }

    @Override
    public void rateReached(AmqpConnection which, Optional<String> user, Rate rate) {
        rates.add(user.orElse("connection") + " " + rate);
    }

    @Override
    public void rateWaitOver(AmqpConnection which, Duration waited) {
        ratesOver.add(waited);
    }

    @Override
    public void closed(AmqpConnection which, Optional<Condition> reason) {
        closedEvents++;
        closeReason = reason;
    }

    // ------------------------------------------------------------------ sending

    /** One read of the socket with these bytes, and everything that follows from it. */
    void send(byte[]... chunks) {
        for (byte[] chunk : chunks) {
            connection.received(ByteBuffer.wrap(chunk));
        }
        connection.readComplete();
        loop.runAll();
    }

    void send(Object... performatives) {
        byte[][] all = new byte[performatives.length][];
        for (int i = 0; i < all.length; i++) {
            all[i] = frame(0, performatives[i]);
        }
        send(all);
    }

    static byte[] frame(int channel, Object performative, byte... payload) {
        return frame(0, channel, performative, payload);
    }

    static byte[] frame(int type, int channel, Object performative, byte... payload) {
        FrameWriterBuffer buffer = new FrameWriterBuffer();
        buffer.position(8);
        if (performative != null) {
            EncoderImpl encoder = encoder();
            encoder.setByteBuffer(buffer);
            encoder.writeObject(performative);
        }
        buffer.put(payload, 0, payload.length);
        byte[] frame = Arrays.copyOf(buffer.array(), buffer.position());
        ByteBuffer.wrap(frame)
                .putInt(frame.length)
                .put((byte) 2)
                .put((byte) type)
                .putShort((short) channel);
        return frame;
    }

    private static final ThreadLocal<EncoderImpl> ENCODER = ThreadLocal.withInitial(() -> {
        DecoderImpl decoder = new DecoderImpl();
        EncoderImpl encoder = new EncoderImpl(decoder);
        AMQPDefinedTypes.registerAllTypes(decoder, encoder);
        return encoder;
    });

    private static EncoderImpl encoder() {
        return ENCODER.get();
    }

    /** Header, open and begin on channel 0, answered. */
    Peer begin() {
        send(Handshake.AMQP_HEADER, frame(0, open()), frame(0, newBegin()));
        expect(Open.class);
        expect(Begin.class);
        return this;
    }

    static Open open() {
        Open open = new Open();
        open.setContainerId("client");
        return open;
    }

    static Begin newBegin() {
        Begin begin = new Begin();
        begin.setNextOutgoingId(UnsignedInteger.ZERO);
        begin.setIncomingWindow(UnsignedInteger.valueOf(1000));
        begin.setOutgoingWindow(UnsignedInteger.valueOf(1000));
        return begin;
    }

    /** An attach of a peer that sends to {@code address}; null for the anonymous terminus. */
    static Attach sender(int handle, String address) {
        Attach attach = attach(handle, Role.SENDER);
        Target target = new Target();
        target.setAddress(address);
        attach.setTarget(target);
        attach.setSource(new Source());
        attach.setInitialDeliveryCount(UnsignedInteger.ZERO);
        return attach;
    }

    static Attach receiver(int handle, String address) {
        Attach attach = attach(handle, Role.RECEIVER);
        Source source = new Source();
        source.setAddress(address);
        attach.setSource(source);
        attach.setTarget(new Target());
        return attach;
    }

    private static Attach attach(int handle, Role role) {
        Attach attach = new Attach();
        attach.setName("link" + handle);
        attach.setHandle(UnsignedInteger.valueOf(handle));
        attach.setRole(role);
        return attach;
    }

    static Transfer transfer(int handle, int id) {
        Transfer transfer = new Transfer();
        transfer.setHandle(UnsignedInteger.valueOf(handle));
        transfer.setDeliveryId(UnsignedInteger.valueOf(id));
        transfer.setDeliveryTag(new Binary(new byte[] {(byte) id}));
        transfer.setMessageFormat(UnsignedInteger.ZERO);
        return transfer;
    }

    static Flow credit(int handle, int deliveryCount, int credit) {
        Flow flow = sessionFlow(0, 1000);
        flow.setHandle(UnsignedInteger.valueOf(handle));
        flow.setDeliveryCount(UnsignedInteger.valueOf(deliveryCount));
        flow.setLinkCredit(UnsignedInteger.valueOf(credit));
        return flow;
    }

    static Flow sessionFlow(int nextIncomingId, int window) {
        Flow flow = new Flow();
        flow.setNextIncomingId(UnsignedInteger.valueOf(nextIncomingId));
        flow.setIncomingWindow(UnsignedInteger.valueOf(window));
        flow.setNextOutgoingId(UnsignedInteger.ZERO);
        flow.setOutgoingWindow(UnsignedInteger.valueOf(1000));
        return flow;
    }

    static Disposition disposition(int first, int last, boolean settled, DeliveryState state) {
        Disposition disposition = new Disposition();
        disposition.setRole(Role.RECEIVER);
        disposition.setFirst(UnsignedInteger.valueOf(first));
        disposition.setLast(UnsignedInteger.valueOf(last));
        disposition.setSettled(settled);
        disposition.setState(state);
        return disposition;
    }

    static Detach detach(int handle) {
        Detach detach = new Detach();
        detach.setHandle(UnsignedInteger.valueOf(handle));
        detach.setClosed(true);
        return detach;
    }

    static byte[] message(String body) {
        return sections(new AmqpValue(body));
    }

    static byte[] messageTo(String to, String body) {
        Properties properties = new Properties();
        properties.setTo(to);
        return sections(properties, new AmqpValue(body));
    }

    static byte[] sections(Object... sections) {
        FrameWriterBuffer buffer = new FrameWriterBuffer();
        EncoderImpl encoder = encoder();
        encoder.setByteBuffer(buffer);
        for (Object section : sections) {
            encoder.writeObject(section);
        }
        return Arrays.copyOf(buffer.array(), buffer.position());
    }

    /** Sends messages, numbered from {@code first}, in one read. */
    void transfer(int handle, int first, byte[]... messages) {
        byte[][] all = new byte[messages.length][];
        for (int i = 0; i < messages.length; i++) {
            all[i] = frame(0, transfer(handle, first + i), messages[i]);
        }
        send(all);
    }

    void attachSender(int handle, String address) {
        send(sender(handle, address));
        expect(Attach.class);
        Flow flow = expect(Flow.class);
        assertEquals(CREDIT, flow.getLinkCredit().intValue());
    }

    Attach attachReceiver(int handle, String address, int credit) {
        send(receiver(handle, address), credit(handle, 0, credit));
        return expect(Attach.class);
    }

    // ------------------------------------------------------------------ receiving

    /** All that came, for a peer that reads it in another way. */
    ByteBuffer takeBytes() {
        ByteBuffer all = ByteBuffer.wrap(bytes.toByteArray());
        bytes.reset();
        return all;
    }

    private void parse() {
        byte[] all = bytes.toByteArray();
        ByteBuffer in = ByteBuffer.wrap(all);
        bytes.reset();
        while (in.remaining() >= 8) {
            if (in.get(in.position()) == 'A') {
                byte[] header = new byte[8];
                in.get(header);
                frames.add(new Frame(-1, 0, new String(header, StandardCharsets.ISO_8859_1), new byte[0]));
                continue;
            }
            int start = in.position();
            int size = in.getInt();
            assertEquals(2, in.get());
            int type = in.get();
            int channel = in.getShort();
            assertTrue(type == 1 || size <= MAX_FRAME, "a frame of " + size + " bytes");
            byte[] body = Arrays.copyOfRange(all, start + 8, start + size);
            in.position(start + size);
            frames.add(decode(type, channel, body));
        }
        bytes.write(all, in.position(), in.remaining());
    }

    private static Frame decode(int type, int channel, byte[] body) {
        if (body.length == 0) {
            return new Frame(type, channel, "heartbeat", body);
        }
        DecoderImpl decoder = new DecoderImpl();
        AMQPDefinedTypes.registerAllTypes(decoder, new EncoderImpl(decoder));
        ByteBuffer in = ByteBuffer.wrap(body);
        decoder.setByteBuffer(in);
        Object performative = decoder.readObject();
        return new Frame(type, channel, performative, Arrays.copyOfRange(body, in.position(), body.length));
    }

    /** The next frame, protocol headers left out but for {@link #expectHeader}. */
    Frame next() {
        parse();
        while (!frames.isEmpty() && frames.peek().type == -1) {
            frames.remove();
        }
        assertFalse(frames.isEmpty(), "no frame came");
        return frames.remove();
    }

    void expectHeader(byte[] header) {
        parse();
        assertFalse(frames.isEmpty(), "no header came");
        assertEquals(new String(header, StandardCharsets.ISO_8859_1), frames.remove().body);
    }

    <T> T expect(Class<T> type) {
        return assertInstanceOf(type, next().body);
    }

    Frame expectTransfer() {
        Frame frame = next();
        assertInstanceOf(Transfer.class, frame.body);
        return frame;
    }

    ErrorCondition expectDetach(String condition) {
        Detach detach = expect(Detach.class);
        assertEquals(Symbol.valueOf(condition), detach.getError().getCondition());
        assertTrue(detach.getClosed());
        return detach.getError();
    }

    ErrorCondition expectEnd(String condition) {
        ErrorCondition error = expect(End.class).getError();
        assertEquals(Symbol.valueOf(condition), error.getCondition());
        return error;
    }

    ErrorCondition expectClose(String condition) {
        ErrorCondition error = expect(Close.class).getError();
        assertEquals(Symbol.valueOf(condition), error.getCondition());
        return error;
    }

    void expectAccepted(int first, int last) {
        Disposition disposition = expect(Disposition.class);
        assertEquals(Role.RECEIVER, disposition.getRole());
        assertEquals(first, disposition.getFirst().intValue());
        assertEquals(
                last,
                disposition.getLast() == null ? first : disposition.getLast().intValue());
        assertTrue(disposition.getSettled());
        assertEquals(Accepted.getInstance(), disposition.getState());
    }

    boolean nothingCame() {
        parse();
        return frames.isEmpty();
    }

    void expectNothing() {
        parse();
        assertTrue(frames.isEmpty(), () -> "unexpected: " + frames);
    }

    /** Drops what came so far. */
    void skip() {
        parse();
        frames.clear();
    }
}
