package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Source;
import org.apache.qpid.proton.amqp.messaging.Target;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.ReceiverSettleMode;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Messages go through a whole broker exactly once, although the connections of their sender and of their receiver break
 * again and again in any place: both resume their links (AMQP 1.0, part 2, section 2.6.13).
 */
class ExactlyOnceTest {
    private static final int MESSAGES = 300;

    /** Less than any window. */
    private static final int AT_ONCE = 12;

    private static final int MOST_CONNECTIONS = 500;

    @TempDir
    Path directory;

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void aSenderAndAReceiverThatLoseTheirConnectionsAgainAndAgainLoseAndDoubleNothing(long seed) throws Exception {
        try (RunningBroker broker = RunningBroker.start(directory, "")) {
            Random random = new Random(seed);
            ResumingSender sender = new ResumingSender(broker.port(), random);
            while (!sender.done()) {
                sender.connectAndVanish();
            }
            broker.awaitMessages("orders", MESSAGES);
            ResumingReceiver receiver = new ResumingReceiver(broker.port(), random);
            while (!receiver.done()) {
                receiver.connectAndVanish();
            }
            broker.awaitMessages("orders", 0);
            assertEquals(
                    IntStream.range(0, MESSAGES).boxed().toList(),
                    receiver.processed.stream().sorted().toList());
            assertTrue(
                    sender.connections > 5 && receiver.connections > 5, "connections must break for this to be a test");
        }
    }

    private static Binary tag(int number) {
        return new Binary(ByteBuffer.allocate(4).putInt(number).array());
    }

    private static Attach attach(Role role, Map<Binary, DeliveryState> unsettled) {
        Attach attach = new Attach();
        attach.setName(role + " of orders");
        attach.setHandle(UnsignedInteger.ZERO);
        attach.setRole(role);
        attach.setRcvSettleMode(ReceiverSettleMode.SECOND);
        Source source = new Source();
        Target target = new Target();
        if (role == Role.SENDER) {
            target.setAddress("orders");
            attach.setInitialDeliveryCount(UnsignedInteger.ZERO);
        } else {
            source.setAddress("orders");
        }
        attach.setSource(source);
        attach.setTarget(target);
        attach.setUnsettled(unsettled);
        return attach;
    }

    private static Disposition disposition(Role role, int id, boolean settled) {
        Disposition disposition = new Disposition();
        disposition.setRole(role);
        disposition.setFirst(UnsignedInteger.valueOf(id));
        disposition.setSettled(settled);
        disposition.setState(Accepted.getInstance());
        return disposition;
    }

    private static <T> T readUntil(RawClient client, Class<T> type) throws IOException {
        Object frame = client.read();
        while (!type.isInstance(frame)) {
            frame = client.read();
        }
        return type.cast(frame);
    }

    /** Sends numbered messages, and forgets one only when it has settled it after the broker's answer. */
    private static final class ResumingSender {
        private final int port;
        private final Random random;
        private final Map<Binary, Integer> inDoubt = new LinkedHashMap<>();
        private final Map<Integer, Binary> byId = new HashMap<>();
        private int next;
        private int connections;

        ResumingSender(int port, Random random) {
            this.port = port;
            this.random = random;
        }

        boolean done() {
            return next == MESSAGES && inDoubt.isEmpty();
        }

        void connectAndVanish() throws IOException {
            assertTrue(++connections < MOST_CONNECTIONS, "it does not get on");
            byId.clear();
            RawClient client = new RawClient(port).open().patience(10_000);
            Map<Binary, DeliveryState> map = new HashMap<>();
            inDoubt.keySet().forEach(each -> map.put(each, null));
            client.write(client.frame(attach(Role.SENDER, map)));
            Map<?, ?> known = readUntil(client, Attach.class).getUnsettled();
            int credit = readUntil(client, Flow.class).getLinkCredit().intValue();
            int id = resume(client, known);
            int most = Math.min(1 + random.nextInt(AT_ONCE), Math.min(AT_ONCE, credit) - id);
            for (int i = 0; i < most && next < MESSAGES; i++) {
                Binary tag = tag(next);
                inDoubt.put(tag, next);
                byte[] frame = client.frame(transfer(id, tag, false), message(next));
                next++;
                if (random.nextInt(20) == 0) {
                    client.write(Arrays.copyOf(frame, random.nextInt(frame.length)));
                    client.vanish();
                    return;
                }
                client.write(frame);
                byId.put(id++, tag);
            }
            readOutcomes(client, random.nextInt(byId.size() + 1));
            client.vanish();
        }

        private int resume(RawClient client, Map<?, ?> known) throws IOException {
            int id = 0;
            for (Map.Entry<Binary, Integer> each : List.copyOf(inDoubt.entrySet())) {
                boolean stored = known.containsKey(each.getKey());
                Transfer transfer = transfer(id, each.getKey(), random.nextBoolean());
                if (stored && random.nextBoolean()) {
                    transfer.setResume(true);
                    transfer.setSettled(true);
                    client.write(client.frame(transfer));
                    inDoubt.remove(each.getKey());
                } else if (stored && transfer.getResume()) {
                    client.write(client.frame(transfer));
                    byId.put(id, each.getKey());
                } else {
                    client.write(client.frame(transfer, message(each.getValue())));
                    byId.put(id, each.getKey());
                }
                id++;
            }
            return id;
        }

        /** Settles some of what is answered, and goes in the middle of it. */
        private void readOutcomes(RawClient client, int most) throws IOException {
            Set<Integer> seen = new HashSet<>();
            while (seen.size() < most) {
                Disposition told = readUntil(client, Disposition.class);
                assertEquals(Accepted.getInstance(), told.getState());
                int first = told.getFirst().intValue();
                int last = told.getLast() == null ? first : told.getLast().intValue();
                for (int i = first; i <= last; i++) {
                    assertTrue(seen.add(i), "told twice");
                    if (byId.containsKey(i) && random.nextInt(5) > 0) {
                        client.write(client.frame(disposition(Role.SENDER, i, true)));
                        inDoubt.remove(byId.remove(i));
                    }
                }
            }
        }

        private static Transfer transfer(int id, Binary tag, boolean resume) {
            Transfer transfer = new Transfer();
            transfer.setHandle(UnsignedInteger.ZERO);
            transfer.setDeliveryId(UnsignedInteger.valueOf(id));
            transfer.setDeliveryTag(tag);
            transfer.setMessageFormat(UnsignedInteger.ZERO);
            transfer.setResume(resume);
            return transfer;
        }

        /** A durable message with a number as its body. */
        private static byte[] message(int number) {
            byte[] text = String.valueOf(number).getBytes(StandardCharsets.US_ASCII);
            return ByteBuffer.allocate(12 + text.length)
                    .put(new byte[] {0, 0x53, 0x70, (byte) 0xc0, 2, 1, 0x41, 0, 0x53, 0x77, (byte) 0xa1})
                    .put((byte) text.length)
                    .put(text)
                    .array();
        }
    }

    /** Processes messages and forgets one only when the broker has settled it; what it processed twice shows. */
    private static final class ResumingReceiver {
        private final int port;
        private final Random random;
        private final List<Integer> processed = new ArrayList<>();
        private final Map<Binary, DeliveryState> unsettled = new HashMap<>();
        private final Map<Integer, Binary> byId = new HashMap<>();
        private int connections;

        ResumingReceiver(int port, Random random) {
            this.port = port;
            this.random = random;
        }

        boolean done() {
            return new HashSet<>(processed).size() == MESSAGES && unsettled.isEmpty();
        }

        void connectAndVanish() throws IOException {
            assertTrue(++connections < MOST_CONNECTIONS, "it does not get on");
            byId.clear();
            RawClient client = new RawClient(port).open().patience(500);
            client.write(client.frame(attach(Role.RECEIVER, unsettled)));
            Map<?, ?> known = readUntil(client, Attach.class).getUnsettled();
            // What the broker does not know it has settled.
            unsettled.keySet().retainAll(known.keySet());
            client.write(client.frame(RawClient.flow(20 + random.nextInt(40), false)));
            int frames = 1 + random.nextInt(60);
            try {
                for (int i = 0; i < frames && !done(); i++) {
                    take(client, client.read());
                }
            } catch (SocketTimeoutException e) {
                // All that is there for the credit has come.
            }
            client.vanish();
        }

        private void take(RawClient client, Object frame) throws IOException {
            if (frame instanceof Transfer transfer && transfer.getSettled()) {
                unsettled.remove(transfer.getDeliveryTag());
            } else if (frame instanceof Transfer transfer) {
                process(client, transfer);
            } else if (frame instanceof Disposition settled) {
                assertTrue(settled.getSettled());
                int first = settled.getFirst().intValue();
                int last = settled.getLast() == null ? first : settled.getLast().intValue();
                for (int i = first; i <= last; i++) {
                    unsettled.remove(byId.remove(i));
                }
            }
        }

        private void process(RawClient client, Transfer transfer) throws IOException {
            Binary tag = transfer.getDeliveryTag();
            assertTrue(transfer.getResume() || !unsettled.containsKey(tag), "a tag is given twice");
            if (random.nextInt(10) == 0) {
                unsettled.put(tag, null);
                return;
            }
            byte[] payload = client.payload();
            String whole = new String(payload, StandardCharsets.ISO_8859_1);
            processed.add(Integer.valueOf(whole.substring(whole.lastIndexOf('\u00a1') + 2)));
            unsettled.put(tag, Accepted.getInstance());
            int id = transfer.getDeliveryId().intValue();
            byId.put(id, tag);
            if (random.nextInt(10) > 0) {
                client.write(client.frame(disposition(Role.RECEIVER, id, false)));
            }
        }
    }
}
