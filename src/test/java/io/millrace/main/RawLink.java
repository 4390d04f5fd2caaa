package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Map;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.AmqpValue;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.apache.qpid.proton.message.Message;

/** One link of a connection of its own, for small messages of which everything is chosen. */
public final class RawLink implements AutoCloseable {
    private final RawClient client;
    private int deliveries;
    private int deliveryId;
    private Message received = Message.Factory.create();

    private RawLink(int port) throws IOException {
        client = new RawClient(port).open();
    }

    public static RawLink sender(int port, String address) throws IOException {
        RawLink link = new RawLink(port);
        Attach attach = attach(Role.SENDER);
        attach.setSource(new Source());
        Target target = new Target();
        target.setAddress(address);
        attach.setTarget(target);
        attach.setInitialDeliveryCount(UnsignedInteger.ZERO);
        link.write(attach);
        // Who sends without credit is detached.
        assertNotNull(link.next(Flow.class).getHandle(), "a flow of the link");
        return link;
    }

    /** With these properties of the link, and credit. */
    public static RawLink receiver(int port, String address, int credit, Map<Symbol, Object> properties)
            throws IOException {
        RawLink link = new RawLink(port);
        Attach attach = attach(Role.RECEIVER);
        Source source = new Source();
        source.setAddress(address);
        attach.setSource(source);
        attach.setTarget(new Target());
        attach.setProperties(properties);
        link.write(attach);
        assertInstanceOf(Attach.class, link.client.read());
        link.write(RawClient.flow(credit, false));
        return link;
    }

    private static Attach attach(Role role) {
        Attach attach = new Attach();
        attach.setName("raw");
        attach.setHandle(UnsignedInteger.ZERO);
        attach.setRole(role);
        return attach;
    }

    private void write(Object performative) throws IOException {
        client.write(client.frame(performative));
    }

    /** Sends a message and waits for its outcome. */
    public DeliveryState send(Message message) throws IOException {
        Transfer transfer = new Transfer();
        transfer.setHandle(UnsignedInteger.ZERO);
        transfer.setDeliveryId(UnsignedInteger.valueOf(deliveries));
        transfer.setDeliveryTag(new Binary(new byte[] {(byte) deliveries++}));
        transfer.setMessageFormat(UnsignedInteger.ZERO);
        byte[] performative = client.frame(transfer);
        byte[] content = new byte[1 << 16];
        int size = message.encode(content, 0, content.length);
        client.write(ByteBuffer.allocate(performative.length + size)
                .put(performative)
                .put(content, 0, size)
                .putInt(0, performative.length + size)
                .array());
        return next(Disposition.class).getState();
    }

    /** The next performative of this kind; attaches and flows on the way there are passed over. */
    private <T> T next(Class<T> kind) throws IOException {
        Object performative = client.read();
        while (!kind.isInstance(performative)) {
            if (!(performative instanceof Flow) && !(performative instanceof Attach)) {
                throw new AssertionError("no " + kind.getSimpleName() + " but " + performative);
            }
            performative = client.read();
        }
        return kind.cast(performative);
    }

    /** The text of the next message, which is the one to {@link #settle}. */
    String receive() throws IOException {
        Transfer transfer = next(Transfer.class);
        deliveryId = transfer.getDeliveryId().intValue();
        received = Message.Factory.create();
        byte[] payload = client.payload();
        received.decode(payload, 0, payload.length);
        return (String) ((AmqpValue) received.getBody()).getValue();
    }

    /** The message received last. */
    Message received() {
        return received;
    }

    void settle(DeliveryState state) throws IOException {
        Disposition disposition = new Disposition();
        disposition.setRole(Role.RECEIVER);
        disposition.setFirst(UnsignedInteger.valueOf(deliveryId));
        disposition.setSettled(true);
        disposition.setState(state);
        write(disposition);
    }

    public static Message message(String text) {
        Message message = Message.Factory.create();
        message.setDurable(true);
        message.setBody(new AmqpValue(text));
        return message;
    }

    /** Goes without a word. */
    public void vanish() throws IOException {
        client.vanish();
    }

    @Override
    public void close() throws IOException {
        client.close();
    }
}
