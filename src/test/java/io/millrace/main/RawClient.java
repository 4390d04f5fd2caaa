package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Begin;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Open;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.codec.AMQPDefinedTypes;
import org.apache.qpid.proton.codec.DecoderImpl;
import org.apache.qpid.proton.codec.EncoderImpl;

/** An AMQP client that does only what it is told, frame by frame, and reads only when asked. One session, on channel 0. */
public final class RawClient implements AutoCloseable {
    private static final byte[] HEADER = {'A', 'M', 'Q', 'P', 0, 1, 0, 0};
    private static final UnsignedInteger HANDLE = UnsignedInteger.ZERO;

    private final DecoderImpl decoder = new DecoderImpl();
    private final EncoderImpl encoder = new EncoderImpl(decoder);
    private final Socket socket = new Socket();
    private final DataInputStream in;
    private byte[] payload = {};
    private long incomingWindow;

    public RawClient(int port) throws IOException {
        AMQPDefinedTypes.registerAllTypes(decoder, encoder);
        // Small, so that what is not read soon waits at the other end.
        socket.setReceiveBufferSize(64 << 10);
        socket.setSoTimeout(20_000);
        socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        in = new DataInputStream(new BufferedInputStream(socket.getInputStream(), 64 << 10));
    }

    /** How long it waits for a frame. */
    RawClient patience(int millis) throws IOException {
        socket.setSoTimeout(millis);
        return this;
    }

    /** Opens the connection and begins the session. */
    public RawClient open() throws IOException {
        write(HEADER);
        Open open = new Open();
        open.setContainerId("raw");
        open.setHostname("test");
        write(frame(open));
        Begin begin = new Begin();
        begin.setNextOutgoingId(UnsignedInteger.ZERO);
        begin.setIncomingWindow(UnsignedInteger.valueOf(Integer.MAX_VALUE));
        begin.setOutgoingWindow(UnsignedInteger.valueOf(Integer.MAX_VALUE));
        write(frame(begin));
        in.readFully(new byte[HEADER.length]);
        assertInstanceOf(Open.class, read());
        incomingWindow =
                assertInstanceOf(Begin.class, read()).getIncomingWindow().longValue();
        return this;
    }

    /** How many transfers the broker takes at first. */
    long incomingWindow() {
        return incomingWindow;
    }

    /** Attaches a receiver and grants it credit. */
    public RawClient receive(String queue, int credit) throws IOException {
        attachReceiver(HANDLE, "raw", queue);
        assertInstanceOf(Attach.class, read());
        write(frame(flow(credit, false)));
        return this;
    }

    /** Asks for a receiver; the answer is still to be read. */
    void attachReceiver(UnsignedInteger handle, String name, String queue) throws IOException {
        Attach attach = new Attach();
        attach.setName(name);
        attach.setHandle(handle);
        attach.setRole(Role.RECEIVER);
        Source source = new Source();
        source.setAddress(queue);
        attach.setSource(source);
        attach.setTarget(new Target());
        write(frame(attach));
    }

    /** Attaches a sender, and waits for its credit. */
    RawClient send(String queue) throws IOException {
        Attach attach = new Attach();
        attach.setName("raw");
        attach.setHandle(HANDLE);
        attach.setRole(Role.SENDER);
        attach.setSource(new Source());
        Target target = new Target();
        target.setAddress(queue);
        attach.setTarget(target);
        attach.setInitialDeliveryCount(UnsignedInteger.ZERO);
        write(frame(attach));
        assertInstanceOf(Attach.class, read());
        assertInstanceOf(Flow.class, read());
        return this;
    }

    static Flow flow(int credit, boolean echo) {
        Flow flow = new Flow();
        flow.setNextIncomingId(UnsignedInteger.ZERO);
        flow.setIncomingWindow(UnsignedInteger.valueOf(Integer.MAX_VALUE));
        flow.setNextOutgoingId(UnsignedInteger.ZERO);
        flow.setOutgoingWindow(UnsignedInteger.valueOf(Integer.MAX_VALUE));
        flow.setHandle(HANDLE);
        flow.setDeliveryCount(UnsignedInteger.ZERO);
        flow.setLinkCredit(UnsignedInteger.valueOf(credit));
        flow.setEcho(echo);
        return flow;
    }

    /** Accepts all deliveries up to this one. */
    void accept(int first, int last) throws IOException {
        Disposition disposition = new Disposition();
        disposition.setRole(Role.RECEIVER);
        disposition.setFirst(UnsignedInteger.valueOf(first));
        disposition.setLast(UnsignedInteger.valueOf(last));
        disposition.setSettled(true);
        disposition.setState(Accepted.getInstance());
        write(frame(disposition));
    }

    byte[] frame(Object performative) {
        ByteBuffer buffer = ByteBuffer.allocate(4096);
        buffer.position(8);
        encoder.setByteBuffer(buffer);
        encoder.writeObject(performative);
        buffer.putInt(0, buffer.position()).putInt(4, 0x02_00_00_00);
        return Arrays.copyOf(buffer.array(), buffer.position());
    }

    /** A frame with a message, or with a part of one. */
    byte[] frame(Object performative, byte[] message) {
        byte[] head = frame(performative);
        byte[] whole = Arrays.copyOf(head, head.length + message.length);
        System.arraycopy(message, 0, whole, head.length, message.length);
        ByteBuffer.wrap(whole).putInt(0, whole.length);
        return whole;
    }

    public void write(byte[] bytes) throws IOException {
        socket.getOutputStream().write(bytes);
    }

    /** The performative of the next frame that has one; what follows it is the {@link #payload}. */
    Object read() throws IOException {
        while (true) {
            int size = in.readInt();
            assertTrue(size >= 8 && size < 1 << 20, () -> "a frame of " + size + " bytes");
            byte[] rest = new byte[size - 4];
            in.readFully(rest);
            if (rest.length > 4) {
                ByteBuffer body = ByteBuffer.wrap(rest, 4, rest.length - 4).slice();
                decoder.setByteBuffer(body);
                Object performative = decoder.readObject();
                payload = new byte[body.remaining()];
                body.get(payload);
                return performative;
            }
        }
    }

    byte[] payload() {
        return payload;
    }

    /** Goes without a word. */
    void vanish() throws IOException {
        socket.setSoLinger(true, 0);
        socket.close();
    }

    @Override
    public void close() throws IOException {
        socket.close();
    }
}
