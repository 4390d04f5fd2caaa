package io.millrace.main;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import jakarta.jms.BytesMessage;
import jakarta.jms.CompletionListener;
import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.Destination;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.ResourceAllocationException;
import jakarta.jms.Session;
import jakarta.jms.TemporaryQueue;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Open;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The whole broker, against peers that vanish, babble, send too much or read nothing, and against disks that fill up. */
@Timeout(90)
class AttackTest {
    private static final long SOON_MILLIS = 10_000;
    private static final String MEMORY = "millrace_memory_used_bytes";

    @TempDir
    private Path directory;

    private final List<AutoCloseable> belongings = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (int i = belongings.size() - 1; i >= 0; i--) {
            belongings.get(i).close();
        }
    }

    private RunningBroker broker(String yaml) throws Exception {
        RunningBroker broker = RunningBroker.start(directory, yaml);
        belongings.add(broker);
        return broker;
    }

    private Connection connect(int port, String options) throws JMSException {
        Connection connection = new JmsConnectionFactory("amqp://127.0.0.1:" + port + options).createConnection();
        belongings.add(connection);
        connection.start();
        return connection;
    }

    private Session session(int port, String options) throws JMSException {
        return connect(port, options).createSession(Session.AUTO_ACKNOWLEDGE);
    }

    /** Sends messages of one size, numbered from {@code first}; one in {@code transients} is not durable. */
    private static void send(Session session, Destination queue, int first, int end, int size, int transients)
            throws JMSException {
        try (MessageProducer producer = session.createProducer(queue)) {
            for (int n = first; n < end; n++) {
                BytesMessage message = session.createBytesMessage();
                message.writeBytes(ByteBuffer.allocate(size).putInt(n).array());
                boolean durable = n % transients != transients - 1;
                producer.send(message, durable ? DeliveryMode.PERSISTENT : DeliveryMode.NON_PERSISTENT, 4, 0);
            }
        }
    }

    private static int number(Message message) throws JMSException {
        assertNotNull(message, "no message came");
        return assertInstanceOf(BytesMessage.class, message).readInt();
    }

    private static void receive(MessageConsumer consumer, int first, int end) throws JMSException {
        for (int n = first; n < end; n++) {
            assertEquals(n, number(consumer.receive(SOON_MILLIS)));
        }
    }

    private static Thread inThread(Task task, CompletableFuture<Void> done) {
        Thread thread = new Thread(() -> {
            try {
                task.run();
                done.complete(null);
            } catch (Throwable e) {
                done.completeExceptionally(e);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private interface Task {
        void run() throws Exception;
    }

    @Nested
    class AClientThatVanishes {
        private RunningBroker broker;

        private void tenMessages() throws Exception {
            broker = broker("");
            Session session = session(broker.port(), "");
            send(session, session.createQueue("orders"), 0, 10, 100, 2);
        }

        private void theFirstFiveComeAgainInOrder() throws Exception {
            Session session = session(broker.port(), "");
            MessageConsumer other = session.createConsumer(session.createQueue("orders"));
            for (int n = 0; n < 10; n++) {
                Message message = other.receive(SOON_MILLIS);
                assertEquals(n, number(message));
                assertEquals(n < 5 ? 2 : 1, message.getIntProperty("JMSXDeliveryCount"), "of message " + n);
                assertEquals(n < 5, message.getJMSRedelivered(), "of message " + n);
            }
            assertNull(other.receiveNoWait());
            broker.awaitMessages("orders", 0);
            broker.awaitNoUnsettled();
        }

        @Test
        void withoutAWordLeavesItsMessagesToTheNextOne() throws Exception {
            tenMessages();
            RawClient client = new RawClient(broker.port()).open().receive("orders", 5);
            for (int n = 0; n < 5; n++) {
                assertInstanceOf(Transfer.class, client.read());
            }
            client.vanish();
            theFirstFiveComeAgainInOrder();
        }

        @Test
        void byAQuietEndOfItsSocketLeavesItsMessagesToo() throws Exception {
            tenMessages();
            try (RawClient client = new RawClient(broker.port()).open().receive("orders", 5)) {
                for (int n = 0; n < 5; n++) {
                    assertInstanceOf(Transfer.class, client.read());
                }
            }
            theFirstFiveComeAgainInOrder();
        }

        @Test
        void becauseTheNetworkWasCutLeavesItsMessagesToo() throws Exception {
            tenMessages();
            try (CutProxy proxy = new CutProxy(broker.port())) {
                Session session = connect(proxy.port(), "?jms.prefetchPolicy.all=5&jms.closeTimeout=100")
                        .createSession(Session.CLIENT_ACKNOWLEDGE);
                assertEquals(
                        0,
                        number(session.createConsumer(session.createQueue("orders"))
                                .receive(SOON_MILLIS)));
                broker.await("millrace_queue_unsettled\\{[^}]*queue=\"orders\"[^}]*}", unsettled -> unsettled == 5);
            }
            theFirstFiveComeAgainInOrder();
        }
    }

    @Nested
    class AConsumerThatDoesNotRead {
        private static final int MESSAGES = 20_000;
        private static final int SIZE = 10_000;

        @Test
        void harmsNobodyAndGetsEverythingInOrderWhenItReads() throws Exception {
            RunningBroker broker = broker("memory: 32MiB\n");
            Session session = session(broker.port(), "?jms.forceAsyncSend=true");
            long heapBefore = usedHeap();
            try (RawClient slow = new RawClient(broker.port()).open().receive("slow", 1_000_000)) {
                CompletableFuture<Void> sent = new CompletableFuture<>();
                inThread(() -> send(session, session.createQueue("slow"), 0, MESSAGES, SIZE, 2), sent);
                long slowestNanos = roundTripsUntil(broker, sent);
                sent.get(1, TimeUnit.SECONDS);
                broker.await("millrace_queue_enqueued_total\\{[^}]*queue=\"slow\"[^}]*}", n -> n == MESSAGES);
                assertTrue(
                        slowestNanos < TimeUnit.SECONDS.toNanos(3), () -> "a round trip took " + slowestNanos + " ns");
                assertTrue(broker.figure(MEMORY) < 36 << 20, broker.metrics());
                long heap = usedHeap() - heapBefore;
                assertTrue(heap < 96 << 20, () -> heap + " bytes of heap more than before");
                readAll(slow);
            }
            broker.awaitMessages("slow", 0);
            broker.awaitNoUnsettled();
        }

        private long roundTripsUntil(RunningBroker broker, CompletableFuture<Void> done) throws Exception {
            Session session = session(broker.port(), "");
            Destination queue = session.createQueue("brisk");
            MessageConsumer consumer = session.createConsumer(queue);
            long slowest = 0;
            for (int n = 0; !done.isDone(); n++) {
                long start = System.nanoTime();
                send(session, queue, n, n + 1, 100, 1_000_000);
                receive(consumer, n, n + 1);
                slowest = Math.max(slowest, System.nanoTime() - start);
            }
            return slowest;
        }

        private static void readAll(RawClient slow) throws IOException {
            int accepted = 0;
            for (int n = 0; n < MESSAGES; ) {
                Transfer transfer = assertInstanceOf(Transfer.class, slow.read());
                if (transfer.getMore()) {
                    continue;
                }
                assertEquals(n, transfer.getDeliveryId().intValue());
                byte[] body = slow.payload();
                assertEquals(n, ByteBuffer.wrap(body, body.length - SIZE, 4).getInt());
                n++;
                if (n % 100 == 0) {
                    slow.accept(accepted, n - 1);
                    accepted = n;
                }
            }
        }

        private static long usedHeap() {
            System.gc();
            Runtime runtime = Runtime.getRuntime();
            return runtime.totalMemory() - runtime.freeMemory();
        }
    }

    @Nested
    class APeerThatReadsNoAnswers {
        @Test
        void isNotReadFromEitherUntilItDoes() throws Exception {
            RunningBroker broker = broker("");
            Session session = session(broker.port(), "");
            try (RawClient peer = new RawClient(broker.port()).open().receive("orders", 0)) {
                byte[] some = echoes(peer, 1_000);
                AtomicLong written = new AtomicLong();
                AtomicLong asked = new AtomicLong();
                CompletableFuture<Void> done = new CompletableFuture<>();
                AtomicInteger left = new AtomicInteger(4_000);
                inThread(
                        () -> {
                            while (left.getAndDecrement() > 0) {
                                peer.write(some);
                                asked.addAndGet(1_000);
                                written.addAndGet(some.length);
                            }
                        },
                        done);
                awaitStandstill(written);
                assertTrue(!done.isDone(), () -> "all of " + written + " bytes were taken");
                left.set(0);
                send(session, session.createQueue("other"), 0, 100, 100, 2);
                receive(session.createConsumer(session.createQueue("other")), 0, 100);
                long answers = 0;
                while (!done.isDone() || answers < asked.get()) {
                    assertInstanceOf(Flow.class, peer.read());
                    answers++;
                }
                assertEquals(asked.get(), answers);
            }
        }

        private static byte[] echoes(RawClient peer, int count) {
            byte[] one = peer.frame(RawClient.flow(0, true));
            byte[] all = new byte[one.length * count];
            for (int i = 0; i < count; i++) {
                System.arraycopy(one, 0, all, i * one.length, one.length);
            }
            return all;
        }

        private static void awaitStandstill(AtomicLong figure) {
            long before = -1;
            while (figure.get() == 0 || before != figure.get()) {
                before = figure.get();
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(500));
            }
        }

        @Test
        void losesItsSocketAfterTheIdleTimeout() throws Exception {
            RunningBroker broker = broker("connection: {idle-timeout: 1s}\n");
            Session session = session(broker.port(), "?jms.forceAsyncSend=true");
            send(session, session.createQueue("orders"), 0, 1_000, 10_000, 1);
            try (RawClient peer = new RawClient(broker.port()).open().receive("orders", 1_000)) {
                broker.await("millrace_connections\\{[^}]*}", open -> open == 2);
                broker.await("millrace_connections\\{[^}]*}", open -> open == 1);
                assertThrows(IOException.class, () -> {
                    while (true) {
                        peer.read();
                    }
                });
            }
            broker.awaitNoUnsettled();
        }
    }

    @Nested
    class Garbage {
        private static final byte[] AMQP = {'A', 'M', 'Q', 'P', 0, 1, 0, 0};
        private static final byte[] SASL = {'A', 'M', 'Q', 'P', 3, 1, 0, 0};

        private final Random random = new Random(20);

        private static byte[] join(byte[]... parts) {
            ByteBuffer all = ByteBuffer.allocate(
                    Arrays.stream(parts).mapToInt(part -> part.length).sum());
            Arrays.stream(parts).forEach(all::put);
            return all.array();
        }

        private byte[] noise(int size) {
            byte[] bytes = new byte[size];
            random.nextBytes(bytes);
            return bytes;
        }

        private static byte[] sized(int size, byte[] rest) {
            return join(ByteBuffer.allocate(4).putInt(size).array(), rest);
        }

        /** A frame that looks like one, with a body that is random or nested too deeply or claims to be huge. */
        private byte[] frame(byte[] body) {
            return join(sized(8 + body.length, new byte[] {2, 0, 0, 0}), body);
        }

        private List<byte[]> kinds(RawClient encoder) {
            Open hello = new Open();
            hello.setContainerId("garbage");
            byte[] open = encoder.frame(hello);
            byte[] nested = new byte[2_000];
            Arrays.fill(nested, (byte) 0);
            byte[] flow = encoder.frame(RawClient.flow(1, true));
            return List.of(
                    noise(1_000),
                    noise(3),
                    "GET / HTTP/1.1\r\nHost: x\r\n\r\n".getBytes(UTF_8),
                    new byte[] {0x16, 3, 1, 2, 0, 1, 0, 1, (byte) 0xfc, 3, 3},
                    new byte[] {0x10, 12, 0, 4, 'M', 'Q', 'T', 'T', 4, 2, 0, 60, 0, 0},
                    new byte[70_000],
                    join(AMQP, noise(500)),
                    join(SASL, noise(500)),
                    join(SASL, frame(noise(100))),
                    join(AMQP, sized(Integer.MAX_VALUE, noise(100))),
                    join(AMQP, sized(-1, noise(100))),
                    join(AMQP, sized(3, noise(100))),
                    join(AMQP, frame(noise(100))),
                    join(AMQP, frame(nested)),
                    join(AMQP, flow),
                    join(AMQP, open, frame(noise(200))),
                    join(AMQP, open, frame(nested)),
                    join(AMQP, open, flow),
                    join(AMQP, open, open),
                    join(AMQP, open, frame(new byte[] {0, 0x53, 0x12, (byte) 0xd0, 127, 0, 0, 0, 127, 0, 0, 0})),
                    join(AMQP, Arrays.copyOf(open, open.length - 1)));
        }

        @Test
        void isAnsweredWithAnErrorAndTheOthersNoticeNothing() throws Exception {
            RunningBroker broker = broker("");
            Connection connection = connect(broker.port(), "");
            CompletableFuture<JMSException> failure = new CompletableFuture<>();
            connection.setExceptionListener(failure::complete);
            Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
            MessageConsumer consumer = session.createConsumer(session.createQueue("orders"));
            int sent = 0;
            int peers = 0;
            try (RawClient encoder = new RawClient(broker.port())) {
                for (int round = 0; round < 20; round++) {
                    for (byte[] garbage : kinds(encoder)) {
                        babble(broker.port(), garbage, round == 0);
                        peers++;
                    }
                    send(session, session.createQueue("orders"), sent, sent + 10, 100, 2);
                    receive(consumer, sent, sent + 10);
                    sent += 10;
                }
            }
            broker.await("millrace_connections\\{[^}]*}", open -> open == 1);
            assertTrue(!failure.isDone(), "the client was told of a failure");
            assertTrue(broker.figure("millrace_connections_accepted_total{listener=\"test\"}") >= peers);
            assertTrue(broker.figure("millrace_refusals_total{condition=\"amqp:connection:framing-error\"}") > 0);
            assertTrue(broker.figure("millrace_refusals_total{condition=\"amqp:decode-error\"}") > 0);
            broker.await("millrace_loop_failures_total\\{[^}]*}", failures -> failures == 0);
            broker.awaitNoUnsettled();
        }

        /** Says it, and reads what there is to be read if it is patient. */
        private void babble(int port, byte[] garbage, boolean patient) throws IOException {
            try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
                socket.setSoTimeout(patient ? 50 : 1);
                socket.getOutputStream().write(garbage);
                InputStream in = socket.getInputStream();
                while (in.read(new byte[1024]) >= 0) {
                    // whatever it says
                }
            } catch (IOException e) {
                // closed in the middle of it, or still open: as the garbage deserves
            }
        }
    }

    @Nested
    class ADeepBacklog {
        private static final int MESSAGES = 125_000;
        private static final int BEFORE = 50_000;

        /** The budget, and what waits for the disk, which must be in memory. */
        private static final long MOST = (8 << 20) + (4 << 20);

        @Test
        void isKeptOutOfMemoryAndComesInOrderAndSurvivesARestart() throws Exception {
            RunningBroker broker = broker("memory: 8MiB\n");
            Session session = session(broker.port(), "?jms.forceAsyncSend=true");
            Destination queue = session.createQueue("deep");
            for (int n = 0; n < MESSAGES; n += 5_000) {
                send(session, queue, n, n + 5_000, 1_024, 5);
                long used = broker.figure(MEMORY);
                assertTrue(used < MOST, () -> used + " bytes of messages in memory");
            }
            broker.awaitMessages("deep", MESSAGES);
            try (MessageConsumer consumer = session.createConsumer(queue)) {
                receive(consumer, 0, BEFORE);
                long used = broker.figure(MEMORY);
                assertTrue(used < MOST, () -> used + " bytes of messages in memory");
            }
            broker.awaitMessages("deep", MESSAGES - BEFORE);
            broker.awaitNoUnsettled();
            broker.restart();
            broker.awaitMessages("deep", (MESSAGES - BEFORE) / 5 * 4);
            Session after = session(broker.port(), "");
            MessageConsumer consumer = after.createConsumer(after.createQueue("deep"));
            for (int n = BEFORE; n < MESSAGES; n++) {
                if (n % 5 != 4) {
                    assertEquals(n, number(consumer.receive(SOON_MILLIS)));
                }
            }
            broker.awaitMessages("deep", 0);
            broker.awaitNoUnsettled();
        }
    }

    @Nested
    class ATemporaryQueue {
        private static final int MESSAGES = 5_000;
        private static final int SIZE = 10_000;

        @Test
        void mayHoldMoreThanMemoryAndLeavesNothingBehind() throws Exception {
            RunningBroker broker = broker("memory: 8MiB\n");
            Connection connection = connect(broker.port(), "?jms.forceAsyncSend=true");
            Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
            TemporaryQueue queue = session.createTemporaryQueue();
            send(session, queue, 0, MESSAGES, SIZE, 2);
            broker.await(MEMORY, used -> used < 10 << 20);
            broker.await("millrace_journal_bytes", bytes -> bytes > 30 << 20);
            try (MessageConsumer consumer = session.createConsumer(queue)) {
                receive(consumer, 0, MESSAGES / 4);
            }
            queue.delete();
            broker.await("millrace_queues", queues -> queues == 0);
            broker.await(MEMORY, used -> used == 0);
            // Some commits, so that there is an occasion to give space back.
            send(session, session.createQueue("orders"), 0, 100, 100, 1_000);
            broker.await("millrace_journal_bytes", bytes -> bytes < 20 << 20);
        }
    }

    @Nested
    @EnabledOnOs(OS.LINUX)
    class AFullDisk {
        private final HttpClient http = HttpClient.newHttpClient();

        private Millraced start(Path disk, String minFree) throws Exception {
            Path file = directory.resolve("full.yaml");
            Files.writeString(file, """
                    listeners:
                      - {name: amqp, host: 127.0.0.1, port: 0}
                    http: {host: 127.0.0.1, port: 0}
                    store: {directory: "%s", min-free: %s}
                    """.formatted(disk, minFree));
            Millraced process = new Millraced(directory, "--config", file.toString());
            belongings.add(process::kill);
            return process;
        }

        /** A small file system of its own, if we may make one. */
        private Path disk() throws Exception {
            Path disk = Files.createDirectory(directory.resolve("disk"));
            boolean mounted;
            try {
                mounted = run("mount", "-t", "tmpfs", "-o", "size=64m", "millrace-test", disk.toString()) == 0;
            } catch (IOException e) {
                mounted = false;
            }
            Assumptions.assumeTrue(mounted, "a tmpfs cannot be mounted here: run as root");
            belongings.add(() -> run("umount", disk.toString()));
            return disk;
        }

        private static int run(String... command) throws Exception {
            return new ProcessBuilder(command).start().waitFor();
        }

        private HttpResponse<String> ready(Millraced process) throws Exception {
            Matcher port = Pattern.compile("http: 127\\.0\\.0\\.1:(\\d+)").matcher(process.said());
            assertTrue(port.find(), process::said);
            URI uri = URI.create("http://127.0.0.1:" + port.group(1) + "/readyz");
            return http.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
        }

        /** Sends durable messages one by one until one is refused; how many were accepted. */
        private int fill(Session session, int first, List<String> refusals) throws JMSException {
            Destination queue = session.createQueue("orders");
            for (int n = 0; n < 10_000; n++) {
                try {
                    send(session, queue, first + n, first + n + 1, 20_000, 100_000);
                } catch (ResourceAllocationException e) {
                    refusals.add(e.getMessage());
                    return n;
                }
            }
            throw new AssertionError("the disk was never full");
        }

        @Test
        void refusesProducersWithTheReasonServesConsumersAndTakesUpAgain() throws Exception {
            Millraced process = start(disk(), "16MiB");
            int port = process.port();
            Session session = session(port, "");
            List<String> refusals = new ArrayList<>();
            int accepted = fill(session, 0, refusals);
            assertTrue(accepted > 100, () -> "only " + accepted);
            String why = refusals.get(0);
            for (String part : List.of("resource-limit-exceeded", "store", "free", "min-free")) {
                assertTrue(why.contains(part), why);
            }
            HttpResponse<String> unready = ready(process);
            assertEquals(503, unready.statusCode());
            assertTrue(unready.body().contains("iB free"), unready::body);
            try (MessageConsumer consumer = session.createConsumer(session.createQueue("orders"))) {
                receive(consumer, 0, accepted);
                assertNull(consumer.receiveNoWait());
            }
            awaitReady(process);
            send(session, session.createQueue("orders"), 7, 8, 20_000, 100_000);
            assertEquals(
                    7,
                    number(session.createConsumer(session.createQueue("orders")).receive(SOON_MILLIS)));
        }

        @Test
        void takenByOthersToTheLastByteLetsConsumersDrainTheQueue() throws Exception {
            Path disk = disk();
            Millraced process = start(disk, "0");
            int port = process.port();
            Session session = session(port, "");
            send(session, session.createQueue("orders"), 0, 500, 20_000, 100_000);
            Path filler = disk.resolve("filler");
            fill(filler);
            List<String> refusals = new ArrayList<>();
            int accepted = 500 + fill(session, 500, refusals);
            assertTrue(refusals.get(0).contains("is full; free some space"), refusals::toString);
            try (MessageConsumer consumer = session.createConsumer(session.createQueue("orders"))) {
                receive(consumer, 0, accepted);
            }
            Files.delete(filler);
            awaitReady(process);
            send(session, session.createQueue("orders"), 7, 8, 20_000, 100_000);
            assertEquals(
                    7,
                    number(session.createConsumer(session.createQueue("orders")).receive(SOON_MILLIS)));
        }

        @Test
        void whoseReserveOthersTookStopsTheBrokerAndLosesNothing() throws Exception {
            Path disk = disk();
            Millraced process = start(disk, "0");
            Session session = session(process.port(), "");
            send(session, session.createQueue("orders"), 0, 500, 20_000, 100_000);
            Path filler = disk.resolve("filler");
            fill(filler);
            int accepted = 500 + fill(session, 500, new ArrayList<>());
            fill(filler);
            int received = 0;
            try (MessageConsumer consumer = session.createConsumer(session.createQueue("orders"))) {
                while (received < accepted) {
                    receive(consumer, received, received + 1);
                    received++;
                }
            } catch (JMSException e) {
                // Whether it has to stop depends on the holes there are in its file.
                assertEquals(ExitCode.STORE_FAILED.number, process.exitCode());
                assertTrue(process.said().contains("No space left"), process::said);
            }
            process.kill();
            Files.delete(filler);
            Session after = session(start(disk, "0").port(), "");
            MessageConsumer rest = after.createConsumer(after.createQueue("orders"));
            int next = accepted;
            for (Message m = rest.receive(1_000); m != null; m = rest.receive(1_000)) {
                int number = number(m);
                assertTrue(next == accepted ? number <= received : number == next, number + " after " + (next - 1));
                next = number + 1;
            }
            assertEquals(accepted, next);
        }

        /** Makes the file larger until there is no space left. */
        private static void fill(Path file) throws IOException {
            for (int size : new int[] {1 << 20, 4 << 10, 1}) {
                try (OutputStream out =
                        Files.newOutputStream(file, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
                    while (true) {
                        out.write(new byte[size]);
                    }
                } catch (IOException e) {
                    assertTrue(e.getMessage().contains("No space left"), e::toString);
                }
            }
        }

        @Test
        void underTheLoadOfManyLosesNothingThatWasAccepted() throws Exception {
            Path disk = disk();
            Millraced process = start(disk, "0");
            int port = process.port();
            Set<Integer> accepted = ConcurrentHashMap.newKeySet();
            AtomicInteger refused = new AtomicInteger();
            List<CompletableFuture<Void>> producers = new ArrayList<>();
            for (int p = 0; p < 4; p++) {
                Session session = session(port, "");
                int first = p * 500;
                CompletableFuture<Void> done = new CompletableFuture<>();
                producers.add(done);
                inThread(() -> sendAll(session, first, accepted, refused), done);
            }
            for (CompletableFuture<Void> producer : producers) {
                producer.get(30, TimeUnit.SECONDS);
            }
            assertTrue(refused.get() > 0, "the disk was never full");
            // What is under way may be more than the reserve; then it has stopped by itself.
            process.kill();
            assertEquals(0, run("mount", "-o", "remount,size=160m", disk.toString()));
            Set<Integer> received = new HashSet<>();
            Session session = session(start(disk, "0").port(), "");
            MessageConsumer consumer = session.createConsumer(session.createQueue("orders"));
            for (Message m = consumer.receive(2_000); m != null; m = consumer.receive(1_000)) {
                assertTrue(received.add(number(m)), "a message came twice");
            }
            accepted.removeAll(received);
            assertEquals(Set.of(), accepted, "accepted and lost");
        }

        private static void sendAll(Session session, int first, Set<Integer> accepted, AtomicInteger refused)
                throws Exception {
            CountDownLatch answers = new CountDownLatch(500);
            MessageProducer producer = session.createProducer(session.createQueue("orders"));
            for (int n = first; n < first + 500; n++) {
                BytesMessage message = session.createBytesMessage();
                message.writeBytes(ByteBuffer.allocate(100_000).putInt(n).array());
                int number = n;
                producer.send(message, new CompletionListener() {
                    @Override
                    public void onCompletion(Message sent) {
                        accepted.add(number);
                        answers.countDown();
                    }

                    @Override
                    public void onException(Message sent, Exception e) {
                        refused.incrementAndGet();
                        answers.countDown();
                    }
                });
            }
            assertTrue(answers.await(30, TimeUnit.SECONDS), () -> answers.getCount() + " were not answered");
        }

        private void awaitReady(Millraced process) throws Exception {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (ready(process).statusCode() != 200) {
                assertTrue(System.nanoTime() < deadline, ready(process)::body);
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
            }
        }
    }

    @Nested
    class AProcessThatIsKilled {
        private static final long GRACE_NANOS = TimeUnit.SECONDS.toNanos(1);

        private final Set<Integer> sent = ConcurrentHashMap.newKeySet();
        private final Map<Integer, Long> acknowledged = new ConcurrentHashMap<>();

        private Millraced start() throws Exception {
            Path file = directory.resolve("killed.yaml");
            Files.writeString(file, """
                    listeners:
                      - {name: amqp, host: 127.0.0.1, port: 0}
                    http: off
                    store: {directory: "%s"}
                    """.formatted(directory.resolve("killed")));
            Millraced process = new Millraced(directory, "--config", file.toString());
            belongings.add(process::kill);
            return process;
        }

        private void produce(Session session, int first) throws JMSException {
            for (int n = first; ; n++) {
                send(session, session.createQueue("orders"), n, n + 1, 1_000, Integer.MAX_VALUE);
                sent.add(n);
            }
        }

        private void consume(MessageConsumer consumer) throws JMSException {
            while (true) {
                // null: the connection is gone
                Message message = consumer.receive();
                if (message == null) {
                    return;
                }
                acknowledged.put(number(message), System.nanoTime());
            }
        }

        @Test
        void losesNothingThatWasAcceptedAndRepeatsOnlyWhatWasJustAcknowledged() throws Exception {
            Millraced process = start();
            int port = process.port();
            List<CompletableFuture<Void>> clients = new ArrayList<>();
            for (int c = 0; c < 3; c++) {
                int first = c * 1_000_000;
                Session producing = session(port, "");
                Session consuming = session(port, "?jms.prefetchPolicy.all=20");
                MessageConsumer consumer = consuming.createConsumer(consuming.createQueue("orders"));
                for (Task task : List.<Task>of(() -> produce(producing, first), () -> consume(consumer))) {
                    CompletableFuture<Void> done = new CompletableFuture<>();
                    clients.add(done);
                    inThread(task, done);
                }
            }
            long start = System.nanoTime();
            while (System.nanoTime() - start < 2 * GRACE_NANOS || sent.size() < 1_000) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
            }
            long killedNanos = System.nanoTime();
            process.kill();
            for (CompletableFuture<Void> client : clients) {
                client.handle((none, failure) -> failure).get(10, TimeUnit.SECONDS);
            }
            Session session = session(start().port(), "");
            MessageConsumer consumer = session.createConsumer(session.createQueue("orders"));
            Set<Integer> left = new HashSet<>();
            for (Message m = consumer.receive(2_000); m != null; m = consumer.receive(500)) {
                assertTrue(left.add(number(m)), "a message came twice");
            }
            Set<Integer> lost = new HashSet<>(sent);
            lost.removeAll(acknowledged.keySet());
            lost.removeAll(left);
            assertEquals(Set.of(), lost);
            left.removeIf(n -> !acknowledged.containsKey(n) || killedNanos - acknowledged.get(n) < GRACE_NANOS);
            assertEquals(Set.of(), left, "acknowledged a second before the end, and here again");
        }
    }
}
