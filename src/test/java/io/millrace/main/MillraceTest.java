package io.millrace.main;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.Config;
import io.millrace.config.Rate;
import io.millrace.journal.Fact;
import io.millrace.journal.Journal;
import io.millrace.journal.JournalException;
import io.millrace.journal.MessageReader;
import io.millrace.journal.h2.H2Journal;
import io.millrace.net.ListenException;
import io.millrace.security.PasswordHash;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import jakarta.jms.MessageConsumer;
import jakarta.jms.MessageProducer;
import jakarta.jms.Session;
import jakarta.jms.TextMessage;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.qpid.jms.JmsConnectionFactory;
import org.apache.qpid.proton.amqp.messaging.Accepted;
import org.apache.qpid.proton.amqp.transport.DeliveryState;
import org.apache.qpid.proton.message.Message;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MillraceTest {
    @TempDir
    private Path directory;

    private Config config() {
        return Config.defaults()
                .withPort(0)
                .withHttp(Optional.of(new Config.Http("127.0.0.1", 0)))
                .withDirectory(directory.resolve("store"))
                .withQueue("orders");
    }

    private static Connection connect(Millrace millrace) throws JMSException {
        Connection connection = new JmsConnectionFactory("amqp://127.0.0.1:" + millrace.port()).createConnection();
        connection.start();
        return connection;
    }

    private static void send(Millrace millrace, String text) throws JMSException {
        try (Connection connection = connect(millrace);
                Session session = connection.createSession();
                MessageProducer producer = session.createProducer(session.createQueue("orders"))) {
            producer.send(session.createTextMessage(text));
        }
    }

    private static String receive(Millrace millrace) throws JMSException {
        try (Connection connection = connect(millrace);
                Session session = connection.createSession();
                MessageConsumer consumer = session.createConsumer(session.createQueue("orders"))) {
            return ((TextMessage) consumer.receive(10_000)).getText();
        }
    }

    private static HttpResponse<String> get(Millrace millrace, String path) throws Exception {
        URI uri = URI.create("http://127.0.0.1:" + millrace.httpPort().orElseThrow() + path);
        return HttpClient.newHttpClient()
                .send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
    }

    /** Takes queues but from the first message on answers nobody, as a disk would that hangs; until it is told to go on. */
    private static final class Hanging implements Journal {
        private final Journal journal;
        private final Room room;
        private final List<Runnable> held = new ArrayList<>();
        private boolean hanging;
        private boolean wentOn;

        Hanging(Journal journal, Room room) {
            this.journal = journal;
            this.room = room;
        }

        /** Until so many batches wait for it. */
        synchronized int awaitHeld(int batches) throws InterruptedException {
            while (held.size() < batches) {
                wait();
            }
            return held.size();
        }

        synchronized void goOn() {
            hanging = false;
            wentOn = true;
            held.forEach(Runnable::run);
        }

        @Override
        public List<RecoveredNode> recover() {
            return journal.recover();
        }

        @Override
        public synchronized void append(List<Fact> batch, Executor loop, Runnable durable) {
            hanging |= !wentOn && batch.stream().anyMatch(Fact.MessageStored.class::isInstance);
            if (hanging) {
                held.add(() -> journal.append(batch, loop, durable));
                notifyAll();
            } else {
                journal.append(batch, loop, durable);
            }
        }

        @Override
        public MessageReader reader() {
            return journal.reader();
        }

        @Override
        public long newBody() {
            return journal.newBody();
        }

        @Override
        public Room room() {
            return room;
        }

        @Override
        public void whenRoom(Executor loop, Runnable task) {
            journal.whenRoom(loop, task);
        }

        @Override
        public JournalStats stats() {
            return journal.stats();
        }

        @Override
        public void close(Duration limit) {
            journal.close(limit);
        }
    }

    @Nested
    class Embedded {
        @Test
        void takesMessagesWhenItHasStartedAndKeepsThemOverARestart() throws Exception {
            try (Millrace millrace = Millrace.start(config())) {
                send(millrace, "an order");
            }
            try (Millrace millrace = Millrace.start(config())) {
                assertEquals("an order", receive(millrace));
            }
        }

        @Test
        void runsTwiceInOneJvmWithPortsAndStoresOfTheirOwn() throws Exception {
            try (Millrace one = Millrace.start(config());
                    Millrace two = Millrace.start(config().withDirectory(directory.resolve("other")))) {
                assertNotEquals(one.port(), two.port());
                assertNotEquals(one.httpPort(), two.httpPort());
                send(one, "for one");
                send(two, "for two");
                assertEquals("for one", receive(one));
                assertEquals("for two", receive(two));
            }
        }

        @Test
        void servesQueuesOnSeveralLoops() throws Exception {
            Config two = new Config(
                    config().listeners(),
                    config().http(),
                    config().store(),
                    config().memoryBytes(),
                    2,
                    config().connection(),
                    List.of(),
                    config().queueDefaults(),
                    config().queues(),
                    List.of(),
                    List.of(),
                    config().autoCreate());
            try (Millrace millrace = Millrace.start(two)) {
                for (int i = 0; i < 4; i++) {
                    send(millrace, "order " + i);
                    assertEquals("order " + i, receive(millrace));
                }
            }
        }

        @Test
        void knowsItsPortsByName() {
            Config two = config().withListeners(List.of(
                    new Config.Listener("inner", "127.0.0.1", 0, true),
                    new Config.Listener("outer", "127.0.0.1", 0, true)));
            try (Millrace millrace = Millrace.start(two)) {
                assertEquals(millrace.port(), millrace.port("inner"));
                assertNotEquals(millrace.port("inner"), millrace.port("outer"));
                assertThrows(IllegalArgumentException.class, () -> millrace.port("none"));
            }
        }

        @Test
        void hasEndedWithoutAFailureWhenItWasStopped() {
            Millrace millrace = Millrace.start(config());
            assertFalse(millrace.ended().toCompletableFuture().isDone());
            millrace.stop();
            millrace.stop();
            assertEquals(
                    Optional.empty(), millrace.ended().toCompletableFuture().getNow(null));
        }

        @Test
        void leavesNothingBehindWhenAPortIsTaken() {
            try (Millrace first = Millrace.start(config())) {
                Config second = config().withPort(first.port()).withDirectory(directory.resolve("second"));
                ListenException taken = assertThrows(
                        ListenException.class, () -> Millrace.start(second).close());
                assertTrue(taken.getMessage().endsWith("or set listeners[1].port in the config"), taken::getMessage);
                Millrace.start(second.withPort(0)).close();
            }
        }

        @Test
        void refusesAStoreThatAnotherBrokerHasOpen() {
            try (Millrace first = Millrace.start(config())) {
                JournalException refused = assertThrows(
                        JournalException.class, () -> Millrace.start(config()).close());
                assertTrue(
                        refused.getMessage().contains(directory.resolve("store").toString()), refused::getMessage);
                assertTrue(first.port() > 0);
            }
        }
    }

    @Nested
    class Stopping {
        @Test
        void tellsClientsThatTheyWereForcedOut() throws Exception {
            Millrace millrace = Millrace.start(config());
            CompletableFuture<String> told = new CompletableFuture<>();
            try (Connection connection = connect(millrace)) {
                connection.setExceptionListener(e -> told.complete(e.getMessage()));
                connection.createSession();
                millrace.stop();
                String reason = told.get(10, TimeUnit.SECONDS);
                assertTrue(reason.contains("amqp:connection:forced"), reason);
                assertTrue(reason.contains("shutting down"), reason);
            }
        }

        @Test
        void answersWhatItHasTakenBeforeItTellsClientsToGo() throws Exception {
            CompletableFuture<Hanging> journal = new CompletableFuture<>();
            Millrace millrace = Millrace.start(
                    config().withQueue("orders"),
                    (store, failed) -> {
                        Journal its = H2Journal.open(H2Journal.Options.in(store.directory()), failed);
                        journal.complete(new Hanging(its, Journal.Room.YES));
                        return journal.join();
                    },
                    System.currentTimeMillis());
            Message order = RawLink.message("an order");
            order.setDurable(true);
            try (RawLink sender = RawLink.sender(millrace.port(), "orders")) {
                CompletableFuture<DeliveryState> answer = beside(() -> sender.send(order));
                journal.get().awaitHeld(1);
                CompletableFuture<Boolean> stopped = beside(() -> {
                    millrace.stop();
                    return true;
                });
                // The connection asks the journal to tell when all before is done; one that does not has its answer:
                // none.
                CompletableFuture.anyOf(answer, beside(() -> journal.get().awaitHeld(2)))
                        .get(10, TimeUnit.SECONDS);
                journal.get().goOn();
                assertEquals(Accepted.getInstance(), answer.get(10, TimeUnit.SECONDS));
                assertTrue(stopped.get(20, TimeUnit.SECONDS));
            }
            try (Millrace again = Millrace.start(config())) {
                assertEquals("an order", receive(again));
            }
        }

        private static <T> CompletableFuture<T> beside(Callable<T> task) {
            CompletableFuture<T> result = new CompletableFuture<>();
            new Thread(() -> {
                        try {
                            result.complete(task.call());
                        } catch (Throwable e) {
                            result.completeExceptionally(e);
                        }
                    })
                    .start();
            return result;
        }
    }

    @Nested
    class SeenFromOutside {
        @Test
        void isLiveAndReady() throws Exception {
            try (Millrace millrace = Millrace.start(config())) {
                assertEquals(200, get(millrace, "/livez").statusCode());
                assertEquals(200, get(millrace, "/readyz").statusCode());
            }
        }

        @Test
        void countsWhatGoesThroughAQueue() throws Exception {
            try (Millrace millrace = Millrace.start(config())) {
                send(millrace, "one");
                send(millrace, "two");
                assertEquals("one", receive(millrace));
                String metrics = get(millrace, "/metrics").body();
                assertTrue(metrics.contains("millrace_queue_enqueued_total{queue=\"orders\"} 2.0\n"), metrics);
                assertTrue(metrics.contains("millrace_queue_dequeued_total{queue=\"orders\"} 1.0\n"), metrics);
                assertTrue(metrics.contains("millrace_queue_messages{queue=\"orders\"} 1.0\n"), metrics);
                assertTrue(metrics.contains("millrace_connections_accepted_total{listener=\"amqp\"} 3.0\n"), metrics);
                assertTrue(metrics.contains("vertx_net_server_bytes_read_total"), metrics);
            }
        }

        @Test
        void countsRefusalsByTheirCondition() throws Exception {
            try (Millrace millrace = Millrace.start(config());
                    Connection connection = connect(millrace);
                    Session session = connection.createSession()) {
                assertThrows(JMSException.class, () -> session.createProducer(session.createTopic("queue://news"))
                        .close());
                String metrics = get(millrace, "/metrics").body();
                assertTrue(metrics.contains("millrace_refusals_total{condition=\"amqp:"), metrics);
            }
        }

        @Test
        void hasAllItsMetersInTheReadmeAndNoneThatIsNotThere() throws Exception {
            Config.User limited = new Config.User(
                    "shop", PasswordHash.of("secret").toString(), new Rate(Optional.of(1000L), Optional.empty()));
            try (Millrace millrace = Millrace.start(config().withUser(limited));
                    Connection connection = connect(millrace);
                    Session session = connection.createSession()) {
                assertThrows(JMSException.class, () -> session.createProducer(session.createTopic("queue://news"))
                        .close());
                Pattern type = Pattern.compile("# TYPE (millrace_\\w+) ");
                Pattern row = Pattern.compile("(?m)^\\| `(millrace_\\w+)");
                assertEquals(
                        names(row, Files.readString(Path.of("README.md"))),
                        names(type, get(millrace, "/metrics").body()));
            }
        }

        private static String names(Pattern pattern, String text) {
            return pattern.matcher(text)
                    .results()
                    .map((MatchResult result) -> result.group(1))
                    .sorted()
                    .distinct()
                    .collect(Collectors.joining("\n"));
        }
    }

    @Nested
    class AStoreThatFails {
        private final CompletableFuture<Consumer<JournalException>> onFailure = new CompletableFuture<>();
        private volatile Journal.Room room = Journal.Room.YES;
        private volatile Hanging journal;

        private Millrace start() {
            return Millrace.start(
                    config(),
                    (store, failed) -> {
                        onFailure.complete(failed);
                        journal = new Hanging(H2Journal.open(H2Journal.Options.in(store.directory()), failed), room);
                        return journal;
                    },
                    System.currentTimeMillis());
        }

        @Test
        void stopsTheBrokerAndAnswersNobody() throws Exception {
            Millrace millrace = start();
            JournalException failure = new JournalException("the disk is gone, says a test");
            CompletableFuture<String> outcome = new CompletableFuture<>();
            try (Connection connection = connect(millrace)) {
                CompletableFuture<String> lost = new CompletableFuture<>();
                connection.setExceptionListener(e -> lost.complete(e.getMessage()));
                Session session = connection.createSession();
                MessageProducer producer = session.createProducer(session.createQueue("unwritten"));
                new Thread(() -> {
                            try {
                                producer.send(session.createTextMessage("never durable"));
                                outcome.complete("accepted");
                            } catch (JMSException e) {
                                outcome.complete("not accepted");
                            }
                        })
                        .start();
                journal.awaitHeld(1);
                onFailure.get(10, TimeUnit.SECONDS).accept(failure);
                assertSame(
                        failure,
                        millrace.ended()
                                .toCompletableFuture()
                                .get(20, TimeUnit.SECONDS)
                                .orElseThrow());
                assertEquals("not accepted", outcome.get(10, TimeUnit.SECONDS));
                String reason = lost.get(10, TimeUnit.SECONDS);
                assertFalse(reason.contains("shutting down"), reason);
            }
            millrace.stop();
        }

        @Test
        void makesTheBrokerUnreadyWhenItIsFull() throws Exception {
            room = new Journal.Room(false, "the store is full for a test");
            try (Millrace millrace = start()) {
                HttpResponse<String> ready = get(millrace, "/readyz");
                assertEquals(503, ready.statusCode());
                assertEquals("not ready: the store is full for a test\n", ready.body());
                assertEquals(200, get(millrace, "/livez").statusCode());
            }
        }
    }
}
