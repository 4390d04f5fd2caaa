package io.millrace.conformance.orders;

import io.millrace.conformance.tap.Expect;
import io.millrace.conformance.tap.Tap;
import jakarta.jms.Connection;
import jakarta.jms.DeliveryMode;
import jakarta.jms.JMSException;
import jakarta.jms.Message;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.qpid.jms.JmsConnectionFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/**
 * The orders story: producers send durable orders, consumers settle them, poison orders end in the dead-letter queue, and the
 * broker may crash half-way. At the end every accepted order has been processed or buried, and none that was settled for good
 * has come back.
 */
@Command(
        name = "orders",
        mixinStandardHelpOptions = true,
        description = "Sends, settles and buries orders through any AMQP 1.0 broker, and counts. Exit code 0: nothing was lost.")
public final class Orders implements Callable<Integer> {
    private static final int ACK_REJECTED = 2;

    @Parameters(index = "0", defaultValue = "amqp://localhost:5672", description = "the broker, ${DEFAULT-VALUE} by default")
    private String url;

    @Option(names = "--user", defaultValue = "", description = "user name; none: anonymous")
    private String user;

    @Option(names = "--password", defaultValue = "", description = "password of the user")
    private String password;

    @Option(names = "--queues", split = ",", defaultValue = "orders,orders.express", description = "the queues, ${DEFAULT-VALUE}")
    private List<String> queues;

    @Option(names = "--dead-letter-suffix", defaultValue = ".dlq", description = "queue name to dead-letter queue, ${DEFAULT-VALUE}")
    private String deadLetterSuffix;

    @Option(names = "--orders", defaultValue = "20000", description = "how many, ${DEFAULT-VALUE}")
    private int orders;

    @Option(names = "--poison-every", defaultValue = "500", description = "one order of so many is poison, ${DEFAULT-VALUE}")
    private int poisonEvery;

    @Option(names = "--producers", defaultValue = "8", description = "sending threads, ${DEFAULT-VALUE}")
    private int producers;

    @Option(names = "--consumers", defaultValue = "4", description = "receiving threads, ${DEFAULT-VALUE}")
    private int consumers;

    @Option(names = "--crash-command", defaultValue = "", description = "run by sh when half of the orders are accepted")
    private String crashCommand;

    @Option(names = "--limit-seconds", defaultValue = "180", description = "give up after so long, ${DEFAULT-VALUE}")
    private int limitSeconds;

    @Option(names = "--tap", description = "report as TAP, version 14; the rest goes to the standard error output")
    private boolean asTap;

    private final Ledger ledger = new Ledger(TimeUnit.SECONDS.toNanos(2));
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicBoolean crash = new AtomicBoolean();
    private final AtomicBoolean over = new AtomicBoolean();

    private Orders() {}

    /** Runs the story. */
    public static void main(String[] args) {
        System.exit(new CommandLine(new Orders()).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        return asTap ? tap() : report(story());
    }

    /** How the story ended. */
    private record Ending(boolean inTime, double seconds) {}

    private Ending story() throws Exception {
        System.out.printf("orders: %,d orders to %s at %s%n", orders, queues, url);
        crash.set(!crashCommand.isEmpty());
        long start = System.nanoTime();
        ExecutorService threads = Executors.newCachedThreadPool();
        List<Future<?>> working = new ArrayList<>();
        for (int i = 0; i < consumers; i++) {
            String queue = queues.get(i % queues.size());
            working.add(threads.submit(() -> consume(queue)));
        }
        for (String queue : queues) {
            working.add(threads.submit(() -> bury(queue + deadLetterSuffix)));
        }
        List<Future<?>> sending = new ArrayList<>();
        for (int i = 0; i < producers; i++) {
            String queue = queues.get(i % queues.size());
            sending.add(threads.submit(() -> produce(queue)));
        }
        boolean inTime = await(sending, working, start);
        over.set(true);
        threads.shutdown();
        if (!threads.awaitTermination(20, TimeUnit.SECONDS)) {
            threads.shutdownNow();
        }
        return new Ending(inTime, (System.nanoTime() - start) / 1e9);
    }

    /** The story, and then a line for each claim. Whatever else is printed goes to the standard error output. */
    private int tap() throws IOException {
        Tap tap = new Tap();
        tap.client("Qpid JMS", Tap.version(JmsConnectionFactory.class, "org.apache.qpid", "qpid-jms-client"));
        String each = String.format("%,d orders are sent and processed within %d s", orders, limitSeconds);
        tap.test(each, Duration.ofSeconds(limitSeconds + 60L), () -> {
            Ending ending = story();
            report(ending);
            Expect.that(ending.inTime(), ledger.acceptedCount() + " were accepted, and some of them did not come to their end");
        });
        tap.test("all clients go on after a kill -9 of the broker", () -> {
            if (crashCommand.isEmpty()) {
                throw new Tap.Skipped("the broker can't be killed from here");
            }
            Expect.that(ledger.acceptedCount() == orders, "all orders are accepted, not " + ledger.acceptedCount());
            Expect.that(ledger.hasCrashed(), "the broker was killed on the way");
        });
        for (Ledger.Claim claim : Ledger.Claim.values()) {
            tap.test(claim.words, () -> Expect.equal(List.of(), ledger.faults(claim), claim.words));
        }
        return tap.finish();
    }

    private boolean await(List<Future<?>> sending, List<Future<?>> working, long start) throws Exception {
        long deadline = start + TimeUnit.SECONDS.toNanos(limitSeconds);
        int shown = 0;
        while (System.nanoTime() < deadline) {
            boolean sent = true;
            for (Future<?> each : sending) {
                sent &= finished(each);
            }
            for (Future<?> each : working) {
                finished(each);
            }
            if (sent && ledger.complete()) {
                return true;
            }
            if (ledger.acceptedCount() - shown >= orders / 10) {
                shown = ledger.acceptedCount();
                System.out.printf("  %,d accepted%n", shown);
            }
            TimeUnit.MILLISECONDS.sleep(50);
        }
        return false;
    }

    private static boolean finished(Future<?> work) throws Exception {
        if (!work.isDone()) {
            return false;
        }
        try {
            work.get();
            return true;
        } catch (ExecutionException e) {
            throw new IllegalStateException("a worker failed: " + e.getCause(), e.getCause());
        }
    }

    private int report(Ending ending) {
        ledger.counts().forEach(System.out::println);
        List<String> faults = new ArrayList<>(ledger.faults());
        if (!ending.inTime()) {
            faults.add("not finished within " + limitSeconds + " s");
        }
        faults.forEach(fault -> System.out.println("  FAULT: " + fault));
        System.out.printf("orders: %s in %.1f s%n", faults.isEmpty() ? "nothing lost, nothing came back" : "FAILED", ending.seconds());
        System.out.printf("%d passed, %d failed%n", faults.isEmpty() ? 1 : 0, faults.isEmpty() ? 0 : 1);
        return faults.isEmpty() ? 0 : 1;
    }

    private Connection connect() throws JMSException {
        String failover = "failover:(" + url + ")?failover.maxReconnectAttempts=-1&failover.reconnectDelay=50"
                + "&failover.maxReconnectDelay=500&jms.prefetchPolicy.queuePrefetch=100";
        JmsConnectionFactory factory = new JmsConnectionFactory(failover);
        Connection connection =
                user.isEmpty() ? factory.createConnection() : factory.createConnection(user, password);
        connection.start();
        return connection;
    }

    private Void produce(String queue) throws Exception {
        try (Connection connection = connect();
                Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
                MessageProducer producer = session.createProducer(session.createQueue(queue))) {
            producer.setDeliveryMode(DeliveryMode.PERSISTENT);
            for (int number = next.getAndIncrement(); number < orders; number = next.getAndIncrement()) {
                String order = (number % poisonEvery == poisonEvery / 2 ? "poison-" : "order-") + number;
                ledger.sending(order);
                producer.send(session.createTextMessage(order));
                ledger.accepted(order);
                if (ledger.acceptedCount() >= orders / 2 && crash.compareAndSet(true, false)) {
                    crashBroker();
                }
            }
        }
        return null;
    }

    private void crashBroker() throws IOException, InterruptedException {
        System.out.printf("  crash: %s%n", crashCommand);
        ledger.crashed();
        int exit = new ProcessBuilder("sh", "-c", "exec >&2; " + crashCommand)
                .inheritIO()
                .start()
                .waitFor();
        if (exit != 0) {
            throw new IllegalStateException("the crash command ended with " + exit);
        }
    }

    /** Good orders are acknowledged one by one. A poison order fails its session, or is rejected outright, in turn. */
    private Void consume(String queue) throws Exception {
        try (Connection connection = connect()) {
            while (!over.get()) {
                try (Session session = connection.createSession(Session.CLIENT_ACKNOWLEDGE);
                        MessageConsumer consumer = session.createConsumer(session.createQueue(queue))) {
                    processUntilFailure(consumer);
                }
            }
        }
        return null;
    }

    private void processUntilFailure(MessageConsumer consumer) throws JMSException {
        while (!over.get()) {
            Message message = consumer.receive(200);
            if (message == null) {
                continue;
            }
            String order = ((TextMessage) message).getText();
            if (Ledger.poison(order)) {
                ledger.attemptFailed();
                if (order.hashCode() % 2 == 0) {
                    return;
                }
                message.setIntProperty("JMS_AMQP_ACK_TYPE", ACK_REJECTED);
                message.acknowledge();
            } else {
                ledger.received(order);
                message.acknowledge();
                ledger.settled(order);
            }
        }
    }

    private Void bury(String deadLetterQueue) throws Exception {
        try (Connection connection = connect();
                Session session = connection.createSession(Session.AUTO_ACKNOWLEDGE);
                MessageConsumer consumer = session.createConsumer(session.createQueue(deadLetterQueue))) {
            while (!over.get()) {
                if (consumer.receive(200) instanceof TextMessage message) {
                    ledger.buried(message.getText());
                }
            }
        }
        return null;
    }
}
