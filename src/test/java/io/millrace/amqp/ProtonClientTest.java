package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.apache.qpid.proton.Proton;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.codec.ReadableBuffer;
import org.apache.qpid.proton.engine.Collector;
import org.apache.qpid.proton.engine.Connection;
import org.apache.qpid.proton.engine.Delivery;
import org.apache.qpid.proton.engine.EndpointState;
import org.apache.qpid.proton.engine.Event;
import org.apache.qpid.proton.engine.Receiver;
import org.apache.qpid.proton.engine.Sasl;
import org.apache.qpid.proton.engine.Sender;
import org.apache.qpid.proton.engine.Session;
import org.apache.qpid.proton.engine.Transport;
import org.junit.jupiter.api.Test;

/** A client on Proton's own engine, as many real ones are, against {@link AmqpConnection}. */
class ProtonClientTest {
    private final Peer broker = new Peer(false, true, Duration.ofSeconds(60));
    private final Transport transport = Proton.transport();
    private final Connection client = Proton.connection();
    private final Collector collector = Proton.collector();
    private final List<byte[]> received = new ArrayList<>();

    /** Passes bytes both ways until neither side has any more to say. */
    private void run() {
        boolean quiet = false;
        while (!quiet) {
            quiet = true;
            while (transport.pending() > 0) {
                byte[] out = new byte[transport.pending()];
                transport.head().get(out);
                transport.pop(out.length);
                broker.send(out);
                quiet = false;
            }
            ByteBuffer in = broker.takeBytes();
            while (in.hasRemaining()) {
                int count = Math.min(in.remaining(), transport.capacity());
                byte[] part = new byte[count];
                in.get(part);
                transport.tail().put(part);
                transport.process();
                quiet = false;
            }
            handleEvents();
        }
    }

    private void handleEvents() {
        for (Event event = collector.peek(); event != null; event = collector.peek()) {
            if (event.getType() == Event.Type.DELIVERY && event.getLink() instanceof Receiver receiver) {
                Delivery delivery = receiver.current();
                if (delivery != null && delivery.isReadable() && !delivery.isPartial()) {
                    ReadableBuffer buffer = receiver.recv();
                    byte[] bytes = new byte[buffer.remaining()];
                    buffer.get(bytes);
                    received.add(bytes);
                    receiver.advance();
                    delivery.disposition(Accepted.getInstance());
                    delivery.settle();
                }
            }
            collector.pop();
        }
    }

    private Session open() {
        Sasl sasl = transport.sasl();
        sasl.client();
        sasl.plain("ann", "secret");
        client.collect(collector);
        client.setContainer("proton");
        transport.bind(client);
        client.open();
        Session session = client.session();
        session.open();
        return session;
    }

    @Test
    void itSendsAndReceivesManyMessagesOfAllSizes() {
        FakeQueue queue = broker.nodes.add("q");
        Session session = open();
        Sender sender = session.sender("s");
        Target target = new Target();
        target.setAddress("q");
        sender.setTarget(target);
        sender.setSource(new Source());
        sender.open();
        Receiver receiver = session.receiver("r");
        Source source = new Source();
        source.setAddress("q");
        receiver.setSource(source);
        receiver.setTarget(new Target());
        receiver.open();
        receiver.flow(1000);
        run();
        assertEquals(EndpointState.ACTIVE, sender.getRemoteState());
        assertNotNull(receiver.getRemoteSource());

        List<byte[]> sent = new ArrayList<>();
        List<Delivery> deliveries = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            byte[] message = Peer.message("x".repeat(i * 100));
            sent.add(message);
            Delivery delivery = sender.delivery(new byte[] {(byte) i});
            sender.send(message, 0, message.length);
            sender.advance();
            deliveries.add(delivery);
            run();
        }
        assertEquals(200, received.size());
        for (int i = 0; i < 200; i++) {
            byte[] got = received.get(i);
            byte[] bare = sent.get(i);
            assertArrayEquals(bare, java.util.Arrays.copyOfRange(got, got.length - bare.length, got.length));
            assertEquals(Accepted.getInstance(), deliveries.get(i).getRemoteState());
            assertTrue(deliveries.get(i).remotelySettled());
        }
        assertEquals(200, queue.settled.size());

        receiver.drain(0);
        run();
        assertEquals(0, receiver.getRemoteCredit());
        sender.close();
        receiver.close();
        session.close();
        client.close();
        run();
        assertEquals(EndpointState.CLOSED, client.getRemoteState());
        assertTrue(broker.socketClosed);
        assertEquals("ann", broker.connection.user());
    }
}
