package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.queue.Messages;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Disposition;
import org.apache.qpid.proton.amqp.transport.End;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A broker with a heap of 64 MiB, and peers that together want far more of it. It may let them wait or refuse them; it must
 * neither die nor let a brisk neighbour wait, whose progress is counted.
 */
class SmallHeapTest {
    private static final int ROUNDS = 200;
    private static final int LARGE_BYTES = 900 << 10;
    private static final int FRAME_BYTES = 60 << 10;

    @TempDir
    Path directory;

    private Millraced broker;
    private int port;
    private final List<RawClient> peers = new ArrayList<>();

    @BeforeEach
    void start() throws Exception {
        Path config = directory.resolve("millrace.yaml");
        Files.writeString(config, """
                listeners: [{host: 127.0.0.1, port: 0}]
                http: off
                event-loops: 2
                """);
        broker = new Millraced(directory, List.of("-XX:TieredStopAtLevel=1", "-Xmx64m"), "--config", config.toString());
        port = broker.port();
    }

    @AfterEach
    void stop() throws Exception {
        for (RawClient peer : peers) {
            peer.close();
        }
        broker.kill();
    }

    private RawClient peer() throws IOException {
        RawClient peer = new RawClient(port).open();
        peers.add(peer);
        return peer;
    }

    /** Sends a small message, gets it back and settles it, many times, each in turn. */
    private void neighbourIsBrisk() throws IOException {
        try (RawLink sender = RawLink.sender(port, "brisk");
                RawLink receiver = RawLink.receiver(port, "brisk", 10_000, Map.of())) {
            for (int round = 0; round < ROUNDS; round++) {
                assertInstanceOf(Accepted.class, sender.send(RawLink.message("round " + round)));
                assertEquals("round " + round, receiver.receive());
                receiver.settle(Accepted.getInstance());
            }
        }
        assertTrue(!broker.said().contains("OutOfMemory"), broker::said);
    }

    private static Transfer transfer(int number, boolean more) {
        Transfer transfer = new Transfer();
        transfer.setHandle(UnsignedInteger.ZERO);
        transfer.setDeliveryId(UnsignedInteger.valueOf(number));
        transfer.setDeliveryTag(
                new Binary(ByteBuffer.allocate(4).putInt(0, number).array()));
        transfer.setMessageFormat(UnsignedInteger.ZERO);
        transfer.setMore(more);
        return transfer;
    }

    /** Writes the frames of a message, but for the last so many. */
    private static void write(RawClient sender, int number, byte[] message, int butFor) throws IOException {
        int frames = (message.length + FRAME_BYTES - 1) / FRAME_BYTES;
        for (int frame = 0; frame < frames - butFor; frame++) {
            int to = Math.min(message.length, (frame + 1) * FRAME_BYTES);
            sender.write(sender.frame(
                    transfer(number, frame < frames - 1), Arrays.copyOfRange(message, frame * FRAME_BYTES, to)));
        }
    }

    private static void awaitAnswers(RawClient sender, int count) throws IOException {
        for (int answered = 0; answered < count; ) {
            if (sender.read() instanceof Disposition told) {
                assertInstanceOf(Accepted.class, told.getState());
                UnsignedInteger last = told.getLast() == null ? told.getFirst() : told.getLast();
                answered += last.intValue() - told.getFirst().intValue() + 1;
            }
        }
    }

    private void fill(String queue, int count, int bytes, boolean durable) throws IOException {
        try (RawClient sender = new RawClient(port).open().send(queue)) {
            byte[] message = Messages.message("m", durable, bytes).bytes();
            for (int number = 0; number < count; number++) {
                write(sender, number, message, 0);
                awaitAnswers(sender, 1);
            }
        }
    }

    /** Reads on until so many bytes of messages have come. */
    private static void take(RawClient receiver, long bytes) throws IOException {
        for (long got = 0; got < bytes; ) {
            if (receiver.read() instanceof Transfer) {
                got += receiver.payload().length;
            }
        }
    }

    @Test
    void consumersThatHoldLargeMessagesAndSettleNothing() throws Exception {
        fill("deep", 150, LARGE_BYTES, true);
        for (int i = 0; i < 120; i++) {
            take(peer().receive("deep", 1), LARGE_BYTES);
        }
        neighbourIsBrisk();
    }

    @Test
    void consumersThatHoldManySmallMessagesAndSettleNothing() throws Exception {
        for (int q = 0; q < 60; q++) {
            fill("deep" + q, 40, 20_000, false);
            take(peer().receive("deep" + q, 1000), 20_000);
        }
        neighbourIsBrisk();
    }

    @Test
    void consumersThatDoNotReadTheirSockets() throws Exception {
        for (int q = 0; q < 10; q++) {
            fill("deep" + q, 40, 100_000, true);
        }
        for (int i = 0; i < 160; i++) {
            peer().receive("deep" + i % 10, 1000);
        }
        neighbourIsBrisk();
    }

    @Test
    void manyQueuesWithALargeMessageEach() throws Exception {
        for (int q = 0; q < 150; q++) {
            fill("one" + q, 1, LARGE_BYTES, q % 2 == 0);
            fill("one" + q, 1, 60_000, q % 2 == 0);
        }
        neighbourIsBrisk();
        for (int q = 0; q < 150; q++) {
            peer().receive("one" + q, 0);
        }
        neighbourIsBrisk();
    }

    @Test
    void sendersThatStopInTheMiddleOfAMessage() throws Exception {
        byte[] message = Messages.message("m", true, LARGE_BYTES).bytes();
        for (int i = 0; i < 120; i++) {
            write(peer().send("halves"), 0, message, 1);
        }
        neighbourIsBrisk();
    }

    @Test
    void sendersThatWriteFasterThanTheDiskTakes() throws Exception {
        byte[] message = Messages.message("m", true, 50_000).bytes();
        List<Thread> writers = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            RawClient sender = peer().send("fast" + i);
            Thread writer = new Thread(() -> {
                try {
                    for (int number = 0; number < 60; number++) {
                        write(sender, number, message, 0);
                    }
                    awaitAnswers(sender, 60);
                } catch (IOException e) {
                    throw new java.io.UncheckedIOException(e);
                }
            });
            writers.add(writer);
        }
        writers.forEach(Thread::start);
        neighbourIsBrisk();
        for (Thread writer : writers) {
            writer.join(60_000);
            assertTrue(!writer.isAlive(), "all are answered");
        }
        neighbourIsBrisk();
    }

    /** Attaches links with long names; how many the broker takes before it ends the session. */
    private static int attach(RawClient peer, int most) throws IOException {
        for (int link = 0; link < most; link++) {
            peer.attachReceiver(UnsignedInteger.valueOf(link), link + "n".repeat(3000), "many");
            if (peer.read() instanceof End end) {
                assertEquals(
                        "amqp:resource-limit-exceeded",
                        end.getError().getCondition().toString());
                return link;
            }
        }
        return most;
    }

    @Test
    void peersThatAttachLinksWithoutEnd() throws Exception {
        for (int i = 0; i < 20; i++) {
            assertTrue(attach(peer(), 4000) < 4000, "one connection has 4000 links");
        }
        neighbourIsBrisk();
    }

    @Test
    void manyPeersWithLinksGetFewerEachUntilTheOthersAreGone() throws Exception {
        int refused = 0;
        for (int i = 0; i < 60; i++) {
            refused += attach(peer(), 25) < 25 ? 1 : 0;
        }
        assertTrue(refused > 10, refused + " were refused some");
        neighbourIsBrisk();

        for (RawClient peer : peers) {
            peer.close();
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (attach(peer(), 25) < 25) {
            assertTrue(System.nanoTime() < deadline, "what closed connections had is not given back");
        }
    }

    @Test
    void linksThatAreDetachedCountNoMore() throws Exception {
        RawClient peer = peer();
        Detach detach = new Detach();
        detach.setHandle(UnsignedInteger.ZERO);
        detach.setClosed(true);
        for (int i = 0; i < 500; i++) {
            assertEquals(1, attach(peer, 1), "after " + i + " that are gone");
            peer.write(peer.frame(detach));
            assertInstanceOf(Detach.class, peer.read());
        }
    }

    @Test
    void sendersThatDoNotReadTheirAnswers() throws Exception {
        byte[] echo = new byte[0];
        for (int i = 0; i < 60; i++) {
            RawClient sender = peer().send("echo" + i);
            if (echo.length == 0) {
                byte[] flow = sender.frame(RawClient.flow(0, true));
                ByteBuffer many = ByteBuffer.allocate(flow.length * 2000);
                for (int j = 0; j < 2000; j++) {
                    many.put(flow);
                }
                echo = many.array();
            }
            byte[] bytes = echo;
            Thread writer = new Thread(() -> {
                try {
                    for (int j = 0; j < 60; j++) {
                        sender.write(bytes);
                    }
                } catch (IOException ignored) {
                    // It is cut, or the test is over.
                }
            });
            writer.setDaemon(true);
            writer.start();
        }
        neighbourIsBrisk();
    }
}
