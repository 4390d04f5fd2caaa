package io.millrace.conformance.protonj2;

import io.millrace.conformance.tap.Broker;
import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32;
import org.apache.qpid.protonj2.client.Connection;
import org.apache.qpid.protonj2.client.Message;
import org.apache.qpid.protonj2.client.OutputStreamOptions;
import org.apache.qpid.protonj2.client.Receiver;
import org.apache.qpid.protonj2.client.StreamDelivery;
import org.apache.qpid.protonj2.client.StreamReceiver;
import org.apache.qpid.protonj2.client.StreamReceiverMessage;
import org.apache.qpid.protonj2.client.StreamReceiverOptions;
import org.apache.qpid.protonj2.client.StreamSender;
import org.apache.qpid.protonj2.client.StreamSenderMessage;

/** Messages that are sent and received piece by piece. */
final class Streaming extends Clients {
    private static final int PIECE = 64 << 10;
    private static final int PIECES_OF_20_MIB = 320;

    Streaming(Broker broker) {
        super(broker);
    }

    void run(Tap tap) {
        tap.test("a body of 20 MiB goes piece by piece both ways", this::large);
        tap.test("a small stream is an ordinary message to others", this::small);
        tap.test("a stream in many data sections arrives whole", this::sections);
        tap.test("a stream that is aborted leaves nothing, and its link is still good", this::aborted);
        tap.test("a stream whose connection is closed halfway leaves nothing", this::cut);
        tap.test("a stream that is released comes again from its beginning", this::released);
        tap.test("a stream that is rejected halfway is in the dead-letter queue, whole", this::rejectedHalfway);
    }

    private static byte[] piece(Random random) {
        byte[] piece = new byte[PIECE];
        random.nextBytes(piece);
        return piece;
    }

    /** Streams pieces to an address, waits until the broker has accepted, and returns their checksum. */
    private static long send(StreamSender sender, int pieces) throws Exception {
        Random random = new Random(pieces);
        CRC32 sum = new CRC32();
        StreamSenderMessage message = sender.beginMessage();
        message.durable(true).property("pieces", pieces);
        try (OutputStream out = message.body()) {
            for (int i = 0; i < pieces; i++) {
                byte[] piece = piece(random);
                sum.update(piece);
                out.write(piece);
            }
        }
        message.tracker().awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
        return sum.getValue();
    }

    private static StreamReceiverOptions byHand() {
        return new StreamReceiverOptions().autoAccept(false);
    }

    private static StreamDelivery next(StreamReceiver receiver) throws Exception {
        StreamDelivery delivery = receiver.receive(LIMIT_SECONDS, TimeUnit.SECONDS);
        Expect.that(delivery != null, "a message within " + LIMIT_SECONDS + " s");
        return delivery;
    }

    private static long sumOf(InputStream in, long length) throws IOException {
        CRC32 sum = new CRC32();
        byte[] buffer = new byte[PIECE];
        long read = 0;
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
            sum.update(buffer, 0, count);
            read += count;
        }
        Expect.equal(length, read, "bytes of the body");
        return sum.getValue();
    }

    private void large() throws Exception {
        String address = broker.address("protonj2.stream.large");
        try (Connection connection = connect();
                StreamSender sender = connection.openStreamSender(address)) {
            long sum = send(sender, PIECES_OF_20_MIB);
            try (StreamReceiver receiver = connection.openStreamReceiver(address, byHand())) {
                StreamDelivery delivery = next(receiver);
                StreamReceiverMessage message = delivery.message();
                Expect.equal(PIECES_OF_20_MIB, message.property("pieces"), "a property");
                Expect.equal(sum, sumOf(message.body(), (long) PIECES_OF_20_MIB * PIECE), "checksum");
                delivery.accept();
            }
        }
        expectEmpty(address);
    }

    private void small() throws Exception {
        String address = broker.address("protonj2.stream.small");
        try (Connection connection = connect();
                StreamSender sender = connection.openStreamSender(address)) {
            StreamSenderMessage message = sender.beginMessage();
            message.subject("streamed");
            try (OutputStream out = message.body(new OutputStreamOptions().bodyLength(5))) {
                out.write(new byte[] {1, 2, 3});
                out.write(new byte[] {4, 5});
            }
            message.tracker().awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
            try (Receiver receiver = connection.openReceiver(address)) {
                Message<byte[]> got = next(receiver).message();
                Expect.equal("streamed", got.subject(), "subject");
                Expect.that(Arrays.equals(new byte[] {1, 2, 3, 4, 5}, got.body()), "the body");
            }
        }
    }

    private void sections() throws Exception {
        String address = broker.address("protonj2.stream.sections");
        try (Connection connection = connect();
                StreamSender sender = connection.openStreamSender(address)) {
            CRC32 sum = new CRC32();
            StreamSenderMessage message = sender.beginMessage();
            try (OutputStream out = message.body()) {
                for (int i = 0; i < 300; i++) {
                    byte[] some = ("section " + i).getBytes(StandardCharsets.US_ASCII);
                    sum.update(some);
                    out.write(some);
                    // Each flush ends a data section and sends it.
                    out.flush();
                }
            }
            message.tracker().awaitAccepted(LIMIT_SECONDS, TimeUnit.SECONDS);
            try (StreamReceiver receiver = connection.openStreamReceiver(address, byHand())) {
                StreamDelivery delivery = next(receiver);
                Expect.equal(sum.getValue(), sumOf(delivery.message().body(), 10 * 9 + 90 * 10 + 200 * 11), "checksum");
                delivery.accept();
            }
        }
    }

    /** Begins a message and sends some of it. */
    private static StreamSenderMessage begin(StreamSender sender, int pieces) throws Exception {
        StreamSenderMessage message = sender.beginMessage();
        message.durable(true);
        OutputStream out = message.body();
        for (int i = 0; i < pieces; i++) {
            out.write(new byte[PIECE]);
            out.flush();
        }
        return message;
    }

    private void aborted() throws Exception {
        String address = broker.address("protonj2.stream.aborted");
        try (Connection connection = connect();
                StreamSender sender = connection.openStreamSender(address)) {
            // Held in memory by the broker, and too large for that.
            for (int pieces : new int[] {2, 40}) {
                StreamSenderMessage message = begin(sender, pieces);
                message.abort();
                Expect.that(message.aborted(), "aborted");
            }
            long sum = send(sender, 3);
            try (StreamReceiver receiver = connection.openStreamReceiver(address, byHand())) {
                StreamDelivery delivery = next(receiver);
                Expect.equal(sum, sumOf(delivery.message().body(), 3 * PIECE), "checksum of the message that was not aborted");
                delivery.accept();
            }
        }
        expectEmpty(address);
    }

    private void cut() throws Exception {
        String address = broker.address("protonj2.stream.cut");
        try (Connection connection = connect()) {
            begin(connection.openStreamSender(address), 40);
        }
        expectEmpty(address);
    }

    private void released() throws Exception {
        String address = broker.address("protonj2.stream.released");
        try (Connection connection = connect();
                StreamSender sender = connection.openStreamSender(address)) {
            long sum = send(sender, 40);
            try (StreamReceiver receiver = connection.openStreamReceiver(address, byHand())) {
                StreamDelivery first = next(receiver);
                sumOf(first.message().body(), 40 * PIECE);
                first.release();
                StreamDelivery again = next(receiver);
                Expect.equal(sum, sumOf(again.message().body(), 40 * PIECE), "checksum");
                again.accept();
            }
        }
        expectEmpty(address);
    }

    private void rejectedHalfway() throws Exception {
        String address = broker.address("protonj2.stream.rejected");
        try (Connection connection = connect();
                StreamSender sender = connection.openStreamSender(address)) {
            long sum = send(sender, 40);
            try (StreamReceiver receiver = connection.openStreamReceiver(address, byHand())) {
                StreamDelivery delivery = next(receiver);
                Expect.equal(PIECE, delivery.message().body().readNBytes(PIECE).length, "bytes of the beginning");
                delivery.reject("shop:bad", "the beginning was enough");
            }
            try (StreamReceiver receiver = connection.openStreamReceiver(address + ".dlq", byHand())) {
                StreamDelivery delivery = next(receiver);
                Expect.equal(sum, sumOf(delivery.message().body(), 40 * PIECE), "checksum");
                delivery.accept();
            }
        }
        expectEmpty(address);
    }
}
