package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import java.util.zip.CRC32C;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.amqp.transport.Transfer;

/** Sends and receives messages of any size without ever having one whole in memory. One link of one session. */
final class StreamingClient implements AutoCloseable {
    private static final int FRAME_BYTES = 60_000;
    private static final int FRAMES_IN_A_WRITE = 4;

    private final RawClient client;
    private final byte[] block = new byte[FRAME_BYTES];
    private long window;
    private int sent;
    private int deliveries;
    private int deliveryId;

    StreamingClient(int port) throws IOException {
        client = new RawClient(port).open();
        window = client.incomingWindow();
        new Random(1).nextBytes(block);
    }

    // ---- sending

    StreamingClient attachSender(String queue) throws IOException {
        Attach attach = new Attach();
        attach.setName("large");
        attach.setHandle(UnsignedInteger.ZERO);
        attach.setRole(Role.SENDER);
        attach.setSource(new Source());
        Target target = new Target();
        target.setAddress(queue);
        attach.setTarget(target);
        attach.setInitialDeliveryCount(UnsignedInteger.ZERO);
        client.write(client.frame(attach));
        assertInstanceOf(Attach.class, client.read());
        flowed(assertInstanceOf(Flow.class, client.read()));
        return this;
    }

    private void flowed(Flow flow) {
        window = flow.getNextIncomingId().longValue() + flow.getIncomingWindow().longValue() - sent;
    }

    /** The bytes of frame {@code n} of a message: never twice the same. */
    private byte[] content(int n, int length) {
        byte[] content = Arrays.copyOf(block, length);
        ByteBuffer.wrap(content).putInt(0, n);
        return content;
    }

    /**
     * Sends a message with so many bytes of data, or only the first {@code until} of them.
     *
     * @return their checksum
     */
    long send(boolean durable, long bytes, long until) throws IOException {
        CRC32C sum = new CRC32C();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        long at = 0;
        for (int n = 0; at < until; n++) {
            byte[] content = content(n, (int) Math.max(4, Math.min(FRAME_BYTES, bytes - at)));
            sum.update(content);
            at += content.length;
            out.writeBytes(frame(n, durable, bytes, at < bytes, content));
            window--;
            sent++;
            if (n % FRAMES_IN_A_WRITE == 0 || window <= 0 || at >= until) {
                client.write(out.toByteArray());
                out.reset();
            }
            while (window <= 0) {
                flowed(assertInstanceOf(Flow.class, client.read()));
            }
        }
        return sum.getValue();
    }

    private byte[] frame(int n, boolean durable, long bytes, boolean more, byte[] content) {
        Transfer transfer = new Transfer();
        transfer.setHandle(UnsignedInteger.ZERO);
        transfer.setMore(more);
        byte[] beginning = {};
        if (n == 0) {
            transfer.setDeliveryId(UnsignedInteger.valueOf(deliveries));
            transfer.setDeliveryTag(new Binary(new byte[] {(byte) deliveries++}));
            transfer.setMessageFormat(UnsignedInteger.ZERO);
            beginning = ByteBuffer.allocate(7 + 8)
                    .put(new byte[] {0, 0x53, 0x70, (byte) 0xc0, 2, 1, (byte) (durable ? 0x41 : 0x42)})
                    .put(dataHeader(bytes))
                    .array();
        }
        byte[] performative = client.frame(transfer);
        return ByteBuffer.allocate(performative.length + beginning.length + content.length)
                .put(performative)
                .put(beginning)
                .put(content)
                .putInt(0, performative.length + beginning.length + content.length)
                .array();
    }

    /** Takes back what it has begun to send. */
    void abort() throws IOException {
        Transfer transfer = new Transfer();
        transfer.setHandle(UnsignedInteger.ZERO);
        transfer.setAborted(true);
        client.write(client.frame(transfer));
        sent++;
    }

    /** What became of the message sent. */
    DeliveryState outcome() throws IOException {
        Object performative = client.read();
        while (performative instanceof Flow flow) {
            flowed(flow);
            performative = client.read();
        }
        return assertInstanceOf(Disposition.class, performative).getState();
    }

    // ---- receiving

    StreamingClient attachReceiver(String queue, int credit) throws IOException {
        client.receive(queue, credit);
        return this;
    }

    /**
     * Receives a message with so many bytes of data, or what comes until {@code until} of them are there.
     *
     * @return their checksum
     */
    long receive(long bytes, long until) throws IOException {
        CRC32C sum = new CRC32C();
        ByteArrayOutputStream beginning = new ByteArrayOutputStream();
        long got = -1;
        boolean more = true;
        while (more && got < until) {
            Transfer transfer = assertInstanceOf(Transfer.class, client.read());
            byte[] payload = client.payload();
            deliveryId = transfer.getDeliveryId() == null
                    ? deliveryId
                    : transfer.getDeliveryId().intValue();
            more = transfer.getMore();
            int from = 0;
            if (got < 0) {
                beginning.writeBytes(payload);
                payload = beginning.toByteArray();
                from = endOfDataHeader(payload, bytes);
                if (from < 0) {
                    continue;
                }
                got = 0;
            }
            sum.update(payload, from, payload.length - from);
            got += payload.length - from;
        }
        assertEquals(!more, got == bytes, () -> "more bytes than were sent, or fewer");
        return sum.getValue();
    }

    /** Where the data begins; -1 if it has not come yet. */
    private static int endOfDataHeader(byte[] beginning, long bytes) {
        byte[] wanted = dataHeader(bytes);
        for (int at = 0; at + wanted.length <= beginning.length; at++) {
            if (Arrays.equals(beginning, at, at + wanted.length, wanted, 0, wanted.length)) {
                return at + wanted.length;
            }
        }
        return -1;
    }

    private static byte[] dataHeader(long bytes) {
        return ByteBuffer.allocate(8)
                .put(new byte[] {0, 0x53, 0x75, (byte) 0xb0})
                .putInt((int) bytes)
                .array();
    }

    /** Settles what it received last. */
    void settle(DeliveryState state) throws IOException {
        Disposition disposition = new Disposition();
        disposition.setRole(Role.RECEIVER);
        disposition.setFirst(UnsignedInteger.valueOf(deliveryId));
        disposition.setSettled(true);
        disposition.setState(state);
        client.write(client.frame(disposition));
    }

    void vanish() throws IOException {
        client.vanish();
    }

    @Override
    public void close() throws IOException {
        client.close();
    }
}
