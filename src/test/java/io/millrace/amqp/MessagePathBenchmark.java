package io.millrace.amqp;

import io.millrace.broker.Containers;
import io.millrace.config.Config;
import io.millrace.config.Rate;
import io.millrace.journal.InMemoryJournal;
import io.millrace.loop.ManualLoop;
import io.millrace.message.Condition;
import io.millrace.message.MalformedMessageException;
import io.millrace.message.Message;
import io.millrace.message.Outcome;
import io.millrace.queue.Bodies;
import io.millrace.queue.Consumer;
import io.millrace.queue.Delivery;
import io.millrace.queue.LoopResources;
import io.millrace.queue.MemoryBudget;
import io.millrace.queue.Recorder;
import io.millrace.queue.Selection;
import io.millrace.queue.Transaction;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.messaging.Data;
import org.apache.qpid.proton.amqp.messaging.Released;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Begin;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.FrameBody;
import org.apache.qpid.proton.amqp.transport.Open;
import org.apache.qpid.proton.amqp.transport.SenderSettleMode;
import org.apache.qpid.proton.amqp.transport.Transfer;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * What one message costs in this package: bytes of a transfer in, through a queue that does nothing, bytes of a transfer out
 * and of both dispositions. One producer's and one consumer's connection; {@value #BATCH} messages per read.
 *
 * <p>Run {@link #main} with the test class path.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 2)
@Measurement(iterations = 5, time = 2)
@Fork(1)
public class MessagePathBenchmark {
    static final int BATCH = 100;

    /** Bytes of the body. */
    @Param({"100", "1024"})
    public int size;

    private final FrameInput.Frames parsing = new Parsing();
    private final FrameInput input = new FrameInput(1 << 16, parsing);
    private final FrameOutput output = new FrameOutput(() -> {});
    private final Sink toWatcher = new Sink();
    private final PassingNodes watched = new PassingNodes();
    private Message message;
    private long parsedBytes;
    private int disposed;
    private AmqpConnection watcher;
    private AmqpConnection producer;
    private AmqpConnection consumer;
    private final Sink toProducer = new Sink();
    private final Sink toConsumer = new Sink();
    private final ManualLoop loop = new ManualLoop();
    private final Bodies bodies = new Bodies(new LoopResources(
            loop, new Recorder(loop, new InMemoryJournal(), 1 << 24), new MemoryBudget(loop, 1 << 28)));
    private byte[] batch;
    private final int[] idAt = new int[BATCH];
    private byte[] flow;
    private byte[] disposition;
    private int next;

    /** Runs it. */
    public static void main(String[] args) throws Exception {
        new Runner(new OptionsBuilder()
                        .include(MessagePathBenchmark.class.getName())
                        .addProfiler("gc")
                        .build())
                .run();
    }

    private static final class Sink implements Output, ConnectionEvents {
        long bytes;

        @Override
        public void write(ByteBuffer buffer) {
            bytes += buffer.remaining();
        }

        @Override
        public void reading(boolean wanted) {}

        @Override
        public boolean writable() {
            return true;
        }

        @Override
        public void close() {
            throw new IllegalStateException("closed");
        }

        @Override
        public void opened(AmqpConnection connection) {}

        @Override
        public void refused(AmqpConnection connection, Condition reason) {
            throw new IllegalStateException(reason.toString());
        }

        @Override
        public void sessionEnded(AmqpConnection connection, int channel, Condition reason) {
            throw new IllegalStateException(reason.toString());
        }

        @Override
        public void linkEnded(AmqpConnection connection, String link, boolean was, Condition reason) {
            throw new IllegalStateException(reason.toString());
        }

        @Override
        public void rateReached(AmqpConnection which, Optional<String> user, Rate rate) {}

        @Override
        public void rateWaitOver(AmqpConnection which, Duration waited) {}

        @Override
        public void closed(AmqpConnection connection, Optional<Condition> reason) {}
    }

    /** Hands every message to its only consumer at once. */
    private static final class Passage {
        Consumer consumer;

        void pass(Message message) {
            if (consumer.ready()) {
                consumer.deliver(new Delivery() {
                    @Override
                    public Message message() {
                        return message;
                    }

                    @Override
                    public int deliveryCount() {
                        return 0;
                    }

                    @Override
                    public boolean firstAcquirer() {
                        return true;
                    }
                });
            }
        }
    }

    /** Opens both connections and encodes what the peers will send over and over. */
    @Setup
    public void open() {
        Config.Connection limits = new Config.Connection(
                65536, 10, 10, Duration.ofSeconds(60), 1_000_000, 1000, Duration.ZERO, Rate.UNLIMITED);
        ConnectionSettings settings =
                new ConnectionSettings("broker", "1", true, false, 4 << 20, limits, UserRates.NONE);
        PassingNodes nodes = new PassingNodes();
        producer = new AmqpConnection(
                settings, loop, nodes, (user, password, executor, answer) -> {}, toProducer, toProducer);
        consumer = new AmqpConnection(
                settings, loop, nodes, (user, password, executor, answer) -> {}, toConsumer, toConsumer);
        Begin begin = Peer.newBegin();
        begin.setIncomingWindow(UnsignedInteger.valueOf(Integer.MAX_VALUE));
        Open open = Peer.open();
        open.setMaxFrameSize(UnsignedInteger.valueOf(65536));
        watcher = new AmqpConnection(
                settings, loop, watched, (user, password, executor, answer) -> {}, toWatcher, toWatcher);
        for (AmqpConnection each : new AmqpConnection[] {producer, consumer, watcher}) {
            feed(each, Handshake.AMQP_HEADER, Peer.frame(0, open), Peer.frame(0, begin));
        }
        feed(producer, Peer.frame(0, Peer.sender(0, "q")));
        feed(consumer, Peer.frame(0, Peer.receiver(0, "q")));
        Attach presettled = Peer.receiver(0, "q");
        presettled.setSndSettleMode(SenderSettleMode.SETTLED);
        Flow endless = credit(0);
        endless.setLinkCredit(UnsignedInteger.valueOf(Integer.MAX_VALUE));
        feed(watcher, Peer.frame(0, presettled), Peer.frame(0, endless));
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        byte[] bytes = Peer.sections(new Data(new Binary(new byte[size])));
        message = parse(bytes);
        for (int i = 0; i < BATCH; i++) {
            Transfer transfer = Peer.transfer(0, 0x70000000);
            byte[] frame = Peer.frame(0, transfer, bytes);
            int at = 0;
            while (frame[at] != 0x70 || frame[at + 1] != 0x70) {
                at++;
            }
            idAt[i] = all.size() + at + 1;
            all.writeBytes(frame);
        }
        batch = all.toByteArray();
    }

    private void feed(AmqpConnection connection, byte[]... chunks) {
        for (byte[] chunk : chunks) {
            connection.received(ByteBuffer.wrap(chunk));
        }
        connection.readComplete();
        loop.runAll();
    }

    private static Message parse(byte[] bytes) {
        try {
            return Message.parse(bytes, 0);
        } catch (MalformedMessageException e) {
            throw new IllegalStateException(e);
        }
    }

    private final class Parsing implements FrameInput.Frames {
        @Override
        public void frame(int channel, FrameBody body, Binary payload) {
            int from = payload.getArrayOffset();
            byte[] bytes = Arrays.copyOfRange(payload.getArray(), from, from + payload.getLength());
            parsedBytes += parse(bytes).size();
        }

        @Override
        public void broken(Condition why) {
            throw new IllegalStateException(why.toString());
        }
    }

    /** Bytes of a read become frames, performatives and messages. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long decode() {
        input.receive(ByteBuffer.wrap(batch));
        return parsedBytes;
    }

    /** Deliveries of a link become transfers, and bytes in one flush; nobody acknowledges them. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long encode() {
        long before = watcher.transfersOut();
        for (int i = 0; i < BATCH; i++) {
            watched.passage.pass(message);
        }
        watcher.readComplete();
        loop.runAll();
        if (watcher.transfersOut() != before + BATCH) {
            throw new IllegalStateException(watcher.transfersOut() - before + " came out");
        }
        return toWatcher.bytes;
    }

    /** Accepted and released in turns, so that each is a frame of its own. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public int dispositions() {
        for (int i = 0; i < BATCH; i++) {
            output.disposition(0, false, disposed, true, i % 2 == 0 ? Accepted.getInstance() : Released.getInstance());
            disposed++;
        }
        return output.take().remaining();
    }

    /** One read of a batch from the producer, the flush to the consumer, and one read of its disposition and new credit. */
    @Benchmark
    @OperationsPerInvocation(BATCH)
    public long throughTheBroker() {
        ByteBuffer buffer = ByteBuffer.wrap(batch);
        for (int i = 0; i < BATCH; i++) {
            buffer.putInt(idAt[i], next + i);
        }
        flow = Peer.frame(0, credit(next));
        feed(consumer, flow);
        feed(producer, batch);
        disposition = Peer.frame(0, Peer.disposition(next, next + BATCH - 1, true, Accepted.getInstance()));
        feed(consumer, disposition);
        next += BATCH;
        if (consumer.transfersOut() != next) {
            throw new IllegalStateException(consumer.transfersOut() + " of " + next + " came out");
        }
        return toProducer.bytes + toConsumer.bytes;
    }

    private static Flow credit(int count) {
        Flow flow = Peer.sessionFlow(count, Integer.MAX_VALUE);
        flow.setHandle(UnsignedInteger.ZERO);
        flow.setDeliveryCount(UnsignedInteger.valueOf(count));
        flow.setLinkCredit(UnsignedInteger.valueOf(1000));
        return flow;
    }

    private final class PassingNodes
            implements io.millrace.broker.Nodes,
                    io.millrace.broker.Node,
                    io.millrace.queue.Target,
                    io.millrace.queue.Source {
        private final Passage passage = new Passage();

        @Override
        public Optional<io.millrace.broker.Node> find(String address) {
            return Optional.of(this);
        }

        @Override
        public void open(io.millrace.broker.Request request, Answer answer) {
            loop.post(() -> answer.opened(this));
        }

        @Override
        public io.millrace.broker.LocalTransaction begin() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Bodies bodies() {
            return bodies;
        }

        @Override
        public Containers containers() {
            return new FakeNodes(loop).containers();
        }

        @Override
        public void openTemporary(io.millrace.broker.NodeType type, io.millrace.broker.Link link, Answer answer) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void release(io.millrace.broker.Node node, Answer answer, io.millrace.broker.Departure departure) {}

        @Override
        public void unsubscribe(
                io.millrace.broker.Node node,
                java.util.function.Consumer<Optional<io.millrace.message.Condition>> done) {
            throw new UnsupportedOperationException();
        }

        @Override
        public io.millrace.broker.NodeType type() {
            return io.millrace.broker.NodeType.QUEUE;
        }

        @Override
        public String address() {
            return "q";
        }

        @Override
        public boolean temporary() {
            return false;
        }

        @Override
        public io.millrace.queue.Target target(String container) {
            return this;
        }

        @Override
        public io.millrace.queue.Source source() {
            return this;
        }

        @Override
        public void offer(Message message, Transaction transaction, io.millrace.queue.Receipt receipt) {
            receipt.settled(Outcome.ACCEPTED);
            passage.pass(message);
        }

        @Override
        public int room() {
            return 1_000_000;
        }

        @Override
        public void whenRoom(Runnable task) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void attach(Consumer who, Selection selection) {
            who.admitted();
            passage.consumer = who;
        }

        @Override
        public void credit(Consumer who, long limit, boolean drain) {}

        @Override
        public void resume(Consumer who) {}

        @Override
        public void settle(
                Consumer who,
                Delivery delivery,
                Outcome outcome,
                Transaction transaction,
                io.millrace.queue.Receipt receipt) {
            receipt.settled(outcome);
        }

        @Override
        public void detach(Consumer who, boolean lost) {}
    }
}
