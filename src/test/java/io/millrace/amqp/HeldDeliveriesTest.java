package io.millrace.amqp;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.broker.Broker;
import io.millrace.config.Config;
import io.millrace.config.ConfigException;
import io.millrace.config.ConfigFile;
import io.millrace.journal.InMemoryJournal;
import io.millrace.loop.ManualLoop;
import io.millrace.message.Message;
import io.millrace.queue.Messages;
import io.millrace.queue.QueueStats;
import io.millrace.queue.Recipient;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeSet;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.Symbol;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Rejected;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.ErrorCondition;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.SenderSettleMode;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

/** Links to queues that are full: bytes in and bytes out, with the queues of a broker, and a clock that is moved by hand. */
class HeldDeliveriesTest {
    private static final int HOLD_MILLIS = 5000;
    private static final int ROOM = 3;
    private static final int WINDOW = Peer.CREDIT;
    private static final int LARGE = 1_500_000;
    private static final int FRAME_PAYLOAD = 4000;

    private final ManualLoop loop = new ManualLoop();
    private final InMemoryJournal journal = new InMemoryJournal();
    private final Broker broker = new Broker(config(), journal, List.of(loop));

    HeldDeliveriesTest() {
        var started = broker.start();
        settle();
        assertEquals(2, started.join());
    }

    private static Config config() {
        String yaml = """
                memory: 256MiB
                queue-defaults: {hold: 5s}
                queues:
                  - {name: full, max-messages: 3}
                  - {name: free}
                """;
        try {
            return ConfigFile.parse("test.yaml", yaml, name -> Optional.empty());
        } catch (ConfigException e) {
            throw new AssertionError(e);
        }
    }

    private void settle() {
        do {
            loop.runAll();
            journal.flush();
        } while (loop.runOne());
    }

    private void elapse(int millis) {
        loop.advance(millis);
        settle();
    }

    private Recipient consumer(String queue) {
        return new Recipient(broker.nodes(0).find(queue).orElseThrow().source()).attached();
    }

    private long memoryBytes() {
        var bytes = broker.memoryBytes();
        settle();
        return bytes.join();
    }

    private QueueStats stats(String queue) {
        var all = broker.stats();
        settle();
        return all.join().stream()
                .filter(each -> each.address().equals(queue))
                .findFirst()
                .orElseThrow();
    }

    /** A connection that sends, and remembers what it was told. */
    private final class Client {
        final Peer peer = new Peer(loop, broker.nodes(0), 10 * LARGE).begin();
        final Map<Integer, Integer> limits = new HashMap<>();
        final Map<Integer, Integer> sent = new HashMap<>();
        final Map<Integer, DeliveryState> outcomes = new HashMap<>();
        final Map<Integer, ErrorCondition> detached = new HashMap<>();
        final Map<Integer, TreeSet<Integer>> unanswered = new HashMap<>();
        final TreeSet<Integer> presettling = new TreeSet<>();
        private int next;

        Client attach(int handle, String queue) {
            return attach(Peer.sender(handle, queue), handle);
        }

        Client attachPresettling(int handle, String queue) {
            Attach attach = Peer.sender(handle, queue);
            attach.setSndSettleMode(SenderSettleMode.SETTLED);
            presettling.add(handle);
            return attach(attach, handle);
        }

        private Client attach(Attach attach, int handle) {
            sent.put(handle, 0);
            unanswered.put(handle, new TreeSet<>());
            peer.send(attach);
            settle();
            read();
            return this;
        }

        int credit(int handle) {
            return limits.getOrDefault(handle, 0) - sent.get(handle);
        }

        /** @return the id of the delivery */
        int send(int handle, Message message) {
            return send(handle, message.bytes());
        }

        int send(int handle, byte[] message) {
            int id = next++;
            assertTrue(credit(handle) > 0, () -> "no credit for message " + id);
            Transfer transfer = Peer.transfer(handle, id);
            transfer.setDeliveryTag(new Binary(Integer.toString(id).getBytes(StandardCharsets.UTF_8)));
            transfer.setSettled(presettling.contains(handle));
            List<byte[]> frames = new ArrayList<>();
            for (int from = 0; from < message.length; from += FRAME_PAYLOAD) {
                int to = Math.min(message.length, from + FRAME_PAYLOAD);
                Transfer part = from == 0 ? transfer : new Transfer();
                part.setHandle(UnsignedInteger.valueOf(handle));
                part.setMore(to < message.length);
                frames.add(Peer.frame(0, part, Arrays.copyOfRange(message, from, to)));
            }
            sent.merge(handle, 1, Integer::sum);
            if (!presettling.contains(handle)) {
                unanswered.get(handle).add(id);
            }
            peer.send(frames.toArray(byte[][]::new));
            settle();
            read();
            return id;
        }

        void read() {
            while (!peer.nothingCame()) {
                Object body = peer.next().body();
                if (body instanceof Flow flow && flow.getHandle() != null) {
                    limits.put(
                            flow.getHandle().intValue(),
                            flow.getDeliveryCount().intValue()
                                    + flow.getLinkCredit().intValue());
                } else if (body instanceof Disposition disposition) {
                    int first = disposition.getFirst().intValue();
                    int last = disposition.getLast() == null
                            ? first
                            : disposition.getLast().intValue();
                    for (int id = first; id <= last; id++) {
                        answered(id, disposition.getState());
                    }
                } else if (body instanceof Detach detach) {
                    detached.put(detach.getHandle().intValue(), detach.getError());
                }
            }
        }

        private void answered(int id, DeliveryState state) {
            assertTrue(outcomes.put(id, state) == null, () -> "delivery " + id + " is answered twice");
            assertTrue(unanswered.values().stream().anyMatch(ids -> ids.remove(id)), "an answer to nothing");
        }

        boolean accepted(int id) {
            settle();
            read();
            return outcomes.get(id) instanceof Accepted;
        }

        boolean answered(int id) {
            settle();
            read();
            return outcomes.containsKey(id);
        }

        void lost() {
            peer.connection.lost();
            settle();
        }
    }

    /** Another sender has been quicker. */
    private void fill() {
        Client quick = new Client().attach(0, "full");
        for (int i = 1; i <= ROOM; i++) {
            assertTrue(quick.accepted(quick.send(0, Messages.durable("full" + i))));
        }
    }

    private List<String> namesIn(String queue) {
        Recipient consumer = consumer(queue);
        consumer.onDelivery = (self, delivery) -> self.acceptAll();
        consumer.credit(100);
        settle();
        return consumer.names();
    }

    private static byte[] large() {
        byte[] data = new byte[LARGE];
        new Random(5).nextBytes(data);
        return Messages.message("large", true, LARGE).bytes();
    }

    @Nested
    class AConnectionThatIsLost {
        @Test
        void takesWhatIsHeldBackAndLeavesNothingOfIt() {
            Client client = new Client().attach(0, "full");
            fill();
            long memory = memoryBytes();
            int first = client.send(0, Messages.durable("a"));
            int second = client.send(0, Messages.durable("b"));
            assertEquals(2, stats("full").held());
            assertTrue(memoryBytes() > memory);
            client.lost();

            assertEquals(0, stats("full").held());
            assertEquals(memory, memoryBytes());
            assertEquals(ROOM, journal.messages().size());
            assertEquals(List.of("full1", "full2", "full3"), namesIn("full"));
            assertTrue(!client.answered(first) && !client.answered(second));
        }

        @Test
        void takesBackWhatIsHeldWhileAnotherGoesOnWaiting() {
            Client leaving = new Client().attach(0, "full");
            Client staying = new Client().attach(0, "full");
            fill();
            leaving.send(0, Messages.durable("a"));
            int second = staying.send(0, Messages.durable("b"));
            leaving.lost();
            assertEquals(1, stats("full").held());
            Recipient consumer = consumer("full").credit(1);
            consumer.acceptAll();

            assertTrue(staying.accepted(second));
        }

        @Test
        void doesNotTakeBackWhatItHadSettledAlready() {
            Client client = new Client().attachPresettling(0, "full");
            fill();
            client.send(0, Messages.durable("a"));
            client.lost();
            assertEquals(1, stats("full").held());

            assertEquals(List.of("full1", "full2", "full3", "a"), namesIn("full"));
            assertEquals(0, memoryBytes());
        }

        @Test
        void leavesNothingOfALargeMessageThatIsHeld() {
            Client client = new Client().attach(0, "full");
            fill();
            long memory = memoryBytes();
            client.send(0, large());
            assertEquals(1, stats("full").held());
            assertEquals(1, journal.bodies());
            client.lost();

            assertEquals(0, stats("full").held());
            assertEquals(0, journal.bodies());
            assertEquals(memory, memoryBytes());
            assertEquals(ROOM, journal.messages().size());
        }
    }

    @Nested
    class ALinkThatIsClosed {
        @Test
        void leavesWhatIsHeldWaiting() {
            Client client = new Client().attach(0, "full");
            fill();
            client.send(0, Messages.durable("a"));
            client.peer.send(Peer.detach(0));
            settle();
            assertEquals(1, stats("full").held());

            assertEquals(List.of("full1", "full2", "full3", "a"), namesIn("full"));
            assertEquals(0, memoryBytes());
        }
    }

    @Nested
    class APresettledMessage {
        private final Client client = new Client().attachPresettling(0, "full");

        APresettledMessage() {
            fill();
            client.send(0, Messages.durable("a"));
        }

        @Test
        void waitsAndEnters() {
            assertEquals(1, stats("full").held());
            assertEquals(Map.of(), client.detached);

            assertEquals(List.of("full1", "full2", "full3", "a"), namesIn("full"));
            client.read();
            assertTrue(client.credit(0) > 0);
            assertEquals(Map.of(), client.detached);
        }

        @Test
        void endsItsLinkWithTheReasonWhenItIsRefused() {
            elapse(HOLD_MILLIS);
            client.read();

            ErrorCondition error = client.detached.get(0);
            assertEquals(Symbol.valueOf("amqp:resource-limit-exceeded"), error.getCondition());
            assertTrue(error.getDescription().contains("'full'"), error.getDescription());
            assertEquals(
                    Symbol.valueOf("max-messages").toString(),
                    error.getInfo().get(Symbol.valueOf("reason")).toString());
            assertEquals(List.of("full1", "full2", "full3"), namesIn("full"));
        }
    }

    @Nested
    class ALargeMessage {
        private final Client client = new Client().attach(0, "full");
        private final int id;
        private final long memory;

        ALargeMessage() {
            fill();
            memory = memoryBytes();
            id = client.send(0, large());
            assertEquals(1, stats("full").held());
        }

        @Test
        void waitsInTheStoreAndEnters() {
            assertTrue(memoryBytes() - memory < 10_000, "it is in memory");
            Recipient consumer = consumer("full").credit(ROOM);
            consumer.acceptAll();
            assertTrue(client.accepted(id));
            consumer.credit(1);
            settle();
            assertTrue(consumer.deliveries.get(ROOM).message().streamed() > LARGE / 2);
            consumer.acceptAll();
            settle();

            assertEquals(0, journal.bodies());
            assertEquals(0, memoryBytes());
        }

        @Test
        void leavesNothingInTheStoreWhenItIsRefused() {
            elapse(HOLD_MILLIS);

            assertTrue(client.answered(id));
            assertInstanceOf(Rejected.class, client.outcomes.get(id));
            assertEquals(0, journal.bodies());
            assertEquals(memory, memoryBytes());
        }
    }

    @Nested
    class Credit {
        @Test
        void ofALinkToAnotherQueueIsNotHeldUpByAFullOne() {
            Client client = new Client().attach(0, "full").attach(1, "free");
            fill();
            int held = client.send(0, Messages.durable("a"));
            for (int i = 0; i < 10 * WINDOW; i++) {
                assertTrue(client.accepted(client.send(1, Messages.durable("m" + i))));
            }

            assertTrue(!client.answered(held));
        }

        @Test
        void ofAnIdleLinkIsOneAtAFullQueueAndItsWindowAgainOnceItHasSent() {
            fill();
            Client idle = new Client().attach(0, "full");
            assertEquals(1, idle.credit(0));
            Recipient consumer = consumer("full");
            consumer.onDelivery = (self, delivery) -> self.acceptAll();
            consumer.credit(100);
            settle();
            int count = 0;
            while (count < 5 * WINDOW) {
                assertTrue(idle.accepted(idle.send(0, Messages.durable("m" + count))));
                count++;
            }

            assertEquals(ROOM, idle.credit(0), 1);
        }

        @Test
        void isNeverMissingForLongerThanMessagesAreHeld() {
            for (int seed = 0; seed < 30; seed++) {
                randomSenders(new Random(seed), "seed " + seed);
            }
        }

        private void randomSenders(Random random, String seed) {
            List<Client> clients = List.of(
                    new Client().attach(0, "full").attach(1, "full"),
                    new Client().attach(0, "full").attachPresettling(1, "full"));
            Recipient consumer = consumer("full");
            List<Integer> ids = new ArrayList<>();
            for (int i = 0; i < 150; i++) {
                Client client = clients.get(random.nextInt(2));
                int handle = random.nextInt(2);
                switch (random.nextInt(4)) {
                    case 0 -> {
                        consumer.credit(1);
                        consumer.acceptAll();
                        consumer.deliveries.clear();
                    }
                    case 1 -> elapse(random.nextInt(HOLD_MILLIS / 10));
                    default -> {
                        if (client.credit(handle) > 0 && !client.detached.containsKey(handle)) {
                            ids.add(client.send(handle, Messages.message("m" + i, random.nextBoolean(), 0)));
                        }
                    }
                }
                settle();
                clients.forEach(Client::read);
                clients.forEach(each -> assertNoneHangs(each, seed));
            }
            elapse(HOLD_MILLIS);
            clients.forEach(Client::read);
            for (Client client : clients) {
                assertEquals(Map.of(0, new TreeSet<>(), 1, new TreeSet<>()), client.unanswered, seed);
                assertTrue(client.credit(0) > 0, seed);
                client.lost();
            }
            assertTrue(ids.size() > 30, seed);
            consumer.onDelivery = (self, delivery) -> self.acceptAll();
            consumer.credit(100);
            settle();
            consumer.detach(false);
            assertEquals(0, memoryBytes(), seed);
        }

        /** Who may not send waits for an answer, and that is to come in bounded time. */
        private void assertNoneHangs(Client client, String seed) {
            client.sent.keySet().forEach(handle -> {
                boolean waits = !client.unanswered.get(handle).isEmpty()
                        || (client.presettling.contains(handle) && stats("full").held() > 0);
                boolean ended = client.detached.containsKey(handle);
                assertTrue(client.credit(handle) > 0 || waits || ended, seed + ": link " + handle + " hangs");
            });
        }
    }
}
