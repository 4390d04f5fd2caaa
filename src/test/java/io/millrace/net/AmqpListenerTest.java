package io.millrace.net;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.Config;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

class AmqpListenerTest {
    private static final Config.Listener ANY = new Config.Listener("test", "127.0.0.1", 0, true);

    private final AtomicLong received = new AtomicLong();
    private final BlockingQueue<String> events = new LinkedBlockingQueue<>();
    private final Set<String> threads = ConcurrentHashMap.newKeySet();
    private Vertx vertx;
    private List<VertxLoop> loops;
    private AmqpListener listener;
    private int port;

    /** Echoes what comes, fails on "fail", closes on "close", and floods on "flood". */
    private final class Echo implements Protocol {
        private final Peer peer;
        private int flood;

        Echo(Peer peer) {
            this.peer = peer;
            threads.add(Thread.currentThread().getName());
        }

        @Override
        public void received(ByteBuffer bytes) {
            received.addAndGet(bytes.remaining());
            String text = US_ASCII.decode(bytes.duplicate()).toString();
            if (text.contains("fail")) {
                throw new IllegalStateException("thrown by a test");
            }
            if (text.contains("flood")) {
                flood = 256;
                drained();
            } else if (text.contains("close")) {
                peer.write(ByteBuffer.wrap("bye".getBytes(US_ASCII)));
                peer.close();
            } else {
                peer.write(bytes);
            }
        }

        @Override
        public void readComplete() {
            events.add("read complete");
        }

        @Override
        public void drained() {
            while (flood > 0 && peer.writable()) {
                peer.write(ByteBuffer.wrap(new byte[64 << 10]));
                flood--;
            }
            if (flood > 0) {
                events.add("full");
            }
        }

        @Override
        public void stopping() {
            peer.write(ByteBuffer.wrap("stopping".getBytes(US_ASCII)));
            peer.close();
        }

        @Override
        public void lost() {
            events.add("lost");
        }
    }

    @BeforeEach
    void start() throws Exception {
        vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(2).setPreferNativeTransport(true));
        loops = VertxLoop.on(vertx, 2);
        listener = new AmqpListener(vertx, ANY, loops, Duration.ofMillis(300), (loop, peer) -> new Echo(peer));
        port = listener.listen(0).get(10, TimeUnit.SECONDS);
    }

    @AfterEach
    void stop() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
    }

    private Socket connect() throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setSoTimeout(10_000);
        return socket;
    }

    private void awaitEvent(String event) throws InterruptedException {
        String next = "";
        while (!event.equals(next)) {
            next = events.poll(10, TimeUnit.SECONDS);
            assertTrue(next != null, "no event '" + event + "' came");
        }
    }

    @Nested
    class Bytes {
        @Test
        void comeInAndGoOut() throws Exception {
            try (Socket socket = connect()) {
                socket.getOutputStream().write("12345678".getBytes(US_ASCII));
                assertArrayEquals(
                        "12345678".getBytes(US_ASCII), socket.getInputStream().readNBytes(8));
                awaitEvent("read complete");
            }
        }

        @Test
        void waitInTheBrokerWhileTheSocketDoesNotDrainAndAllArrive() throws Exception {
            try (Socket socket = connect()) {
                socket.getOutputStream().write("flood...".getBytes(US_ASCII));
                awaitEvent("full");
                int expected = 256 * (64 << 10);
                assertEquals(expected, socket.getInputStream().readNBytes(expected).length);
            }
        }

        @Test
        void ofAPeerThatReadsNoAnswersAreNotReadEither() throws Exception {
            int total = 64 << 20;
            try (Socket socket = connect()) {
                Thread writer = new Thread(() -> {
                    try {
                        for (int i = 0; i < total >> 16; i++) {
                            socket.getOutputStream().write(new byte[1 << 16]);
                        }
                    } catch (IOException e) {
                        events.add(e.toString());
                    }
                });
                writer.start();
                awaitStandstill();
                assertTrue(received.get() < total / 2, received::toString);
                assertEquals(total, socket.getInputStream().readNBytes(total).length);
                assertEquals(total, received.get());
                writer.join();
            }
        }

        /** Until nothing has been received for a while. */
        private void awaitStandstill() {
            long before = -1;
            while (received.get() == 0 || before != received.get()) {
                before = received.get();
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(300));
            }
        }

        @Test
        void thatAPeerNeverReadsDoNotKeepItsSocketOpen() throws Exception {
            try (Socket socket = connect()) {
                socket.getOutputStream().write("flood...".getBytes(US_ASCII));
                awaitEvent("full");
                socket.getOutputStream().write("close...".getBytes(US_ASCII));
                awaitEvent("lost");
            }
        }

        @Test
        void writtenBeforeACloseStillLeave() throws Exception {
            try (Socket socket = connect()) {
                socket.getOutputStream().write("close...".getBytes(US_ASCII));
                assertArrayEquals(
                        "bye".getBytes(US_ASCII), socket.getInputStream().readAllBytes());
            }
            awaitEvent("lost");
        }
    }

    @Nested
    class Connections {
        @Test
        void areSpreadOverAllLoops() throws Exception {
            try (Socket one = connect();
                    Socket two = connect()) {
                for (Socket socket : List.of(one, two)) {
                    socket.getOutputStream().write("12345678".getBytes(US_ASCII));
                    assertEquals(8, socket.getInputStream().readNBytes(8).length);
                }
                assertEquals(2, threads.size(), threads::toString);
                assertEquals(2, listener.open());
            }
            awaitEvent("lost");
            awaitEvent("lost");
            assertEquals(2, listener.total());
        }

        @Test
        void thatVanishAreLostOnce() throws Exception {
            Socket socket = connect();
            socket.getOutputStream().write("12345678".getBytes(US_ASCII));
            socket.getInputStream().readNBytes(8);
            socket.setSoLinger(true, 0);
            socket.close();
            awaitEvent("lost");
            assertTrue(events.stream().noneMatch("lost"::equals));
        }

        @Test
        void thatSayNothingAreClosed() throws Exception {
            try (Socket socket = connect()) {
                assertEquals(-1, socket.getInputStream().read());
            }
            awaitEvent("lost");
        }

        @Test
        void thatDoNotFinishTheHeaderAreClosed() throws Exception {
            try (Socket socket = connect()) {
                socket.getOutputStream().write("AMQP".getBytes(US_ASCII));
                InputStream in = socket.getInputStream();
                assertArrayEquals("AMQP".getBytes(US_ASCII), in.readNBytes(4));
                assertEquals(-1, in.read());
            }
        }

        @Test
        void thatSentAHeaderMayBeSilent() throws Exception {
            try (Socket silent = connect();
                    Socket other = connect()) {
                silent.getOutputStream().write("12345678".getBytes(US_ASCII));
                assertEquals(8, silent.getInputStream().readNBytes(8).length);
                // The other one came later and is closed for its silence, so the time of this one is over as well.
                assertEquals(-1, other.getInputStream().read());
                silent.getOutputStream().write("still".getBytes(US_ASCII));
                assertArrayEquals(
                        "still".getBytes(US_ASCII), silent.getInputStream().readNBytes(5));
            }
        }

        @Test
        void whoseProtocolFailsAreClosedAndTheOthersLive() throws Exception {
            try (Socket bad = connect();
                    Socket good = connect()) {
                bad.getOutputStream().write("fail....".getBytes(US_ASCII));
                assertEquals(-1, bad.getInputStream().read());
                good.getOutputStream().write("12345678".getBytes(US_ASCII));
                assertEquals(8, good.getInputStream().readNBytes(8).length);
            }
            assertEquals(1, loops.stream().mapToLong(VertxLoop::failures).sum());
        }
    }

    @Nested
    class Shutdown {
        @Test
        void tellsTheProtocolAndWaitsForItsLastWords() throws Exception {
            try (Socket socket = connect()) {
                socket.getOutputStream().write("12345678".getBytes(US_ASCII));
                assertEquals(8, socket.getInputStream().readNBytes(8).length);
                listener.shutdown(Duration.ofSeconds(10)).toCompletableFuture().get(10, TimeUnit.SECONDS);
                assertArrayEquals(
                        "stopping".getBytes(US_ASCII), socket.getInputStream().readAllBytes());
            }
            assertThrows(IOException.class, () -> connect().close());
        }

        @Test
        void withoutPatienceCutsConnectionsWithoutAWord() throws Exception {
            try (Socket socket = connect()) {
                socket.getOutputStream().write("12345678".getBytes(US_ASCII));
                assertEquals(8, socket.getInputStream().readNBytes(8).length);
                listener.shutdown(Duration.ZERO).toCompletableFuture().get(10, TimeUnit.SECONDS);
                assertEquals(0, socket.getInputStream().readAllBytes().length);
            }
        }
    }

    @Test
    void aPortThatIsTakenIsNamedWithTheListenerAndTheFix() {
        AmqpListener second = new AmqpListener(
                vertx, new Config.Listener("second", "127.0.0.1", port, true), loops, (loop, peer) -> new Echo(peer));
        // The port is held by the same Vert.x, which would share it; another one does not.
        Vertx other = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
        try {
            AmqpListener foreign =
                    new AmqpListener(other, second.config(), VertxLoop.on(other, 1), (loop, peer) -> new Echo(peer));
            ExecutionException refused = assertThrows(
                    ExecutionException.class, () -> foreign.listen(1).get(10, TimeUnit.SECONDS));
            ListenException why = (ListenException) refused.getCause();
            assertEquals(
                    "cannot listen on 127.0.0.1:" + port + " (listener second): the port is taken by another process;"
                            + " stop that one, or set listeners[2].port in the config",
                    why.getMessage());
        } finally {
            other.close();
        }
    }
}
