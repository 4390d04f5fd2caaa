package io.millrace.journal.h2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.Fact;
import io.millrace.journal.Fact.MessageMoved;
import io.millrace.journal.Fact.MessageRemoved;
import io.millrace.journal.Fact.MessageStored;
import io.millrace.journal.Fact.NodeDeclared;
import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.journal.MessageKey;
import io.millrace.journal.StoredMessage;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A process that is killed in mid-load. Message {@code n} is stored in queue 1 and, {@link #LAG} later, moved to queue 2;
 * every third one that was moved is removed. So from what is there the last batch can be told, and what must be there.
 */
class KillTest {
    private static final int ROUNDS = 4;
    private static final int LAG = 50;
    private static final int SIZE = 200;
    private static final int ANSWERS_BEFORE_KILL = 20_000;

    @TempDir
    Path directory;

    @Test
    void whatWasAnsweredBeforeTheKillIsThereWholeAndInOrder() throws Exception {
        long next = 0;
        for (int round = 0; round < ROUNDS; round++) {
            long answered = runAndKill(next);
            next = check(answered);
        }
    }

    private long runAndKill(long from) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KillTest.class.getName(),
                        directory.toString(),
                        Long.toString(from))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
        long answered = from - 1;
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            while (answered < from + ANSWERS_BEFORE_KILL) {
                answered = number(lines.readLine());
            }
            process.destroyForcibly();
            for (String rest = readOrEnd(lines); rest != null && rest.endsWith("."); rest = readOrEnd(lines)) {
                answered = number(rest);
            }
        }
        assertTrue(process.waitFor(20, TimeUnit.SECONDS));
        return answered;
    }

    private static String readOrEnd(BufferedReader lines) {
        try {
            return lines.readLine();
        } catch (IOException e) {
            return null;
        }
    }

    private static long number(String line) {
        assertTrue(line != null && line.endsWith("."), () -> "the process ended by itself: " + line);
        return Long.parseLong(line.substring(0, line.length() - 1));
    }

    /** Returns the number of the first message that is not there. */
    private long check(long answered) throws Exception {
        H2Journal journal = H2Journal.open(H2Journal.Options.in(directory), failure -> {
            throw failure;
        });
        List<Long> waiting = sequences(journal, 1);
        long last = waiting.get(waiting.size() - 1);
        assertTrue(last >= answered, () -> answered + " was answered, and " + last + " is the last one there");
        assertEquals(LongStream.rangeClosed(last - LAG + 1, last).boxed().toList(), waiting);
        List<Long> moved = LongStream.rangeClosed(0, last - LAG)
                .filter(n -> n % 3 != 0)
                .boxed()
                .toList();
        assertEquals(moved, sequences(journal, 2));
        List<RecoveredNode> queues = journal.recover();
        assertEquals(LAG, queues.get(0).messages());
        assertEquals(moved.size() * (long) SIZE, queues.get(1).bytes());
        assertTrue(queues.get(0).nextSequence() > last);
        journal.close(Duration.ofSeconds(10));
        return last + 1;
    }

    private static List<Long> sequences(H2Journal journal, long queue) throws Exception {
        CompletableFuture<List<StoredMessage>> found = new CompletableFuture<>();
        MessageKey first = new MessageKey(queue, 0, -1);
        journal.reader().read(first, Integer.MAX_VALUE, Long.MAX_VALUE, Runnable::run, found::complete);
        return found.get(20, TimeUnit.SECONDS).stream()
                .map(message -> message.key().sequence())
                .toList();
    }

    /** The process that is killed. It prints the numbers of the messages that were answered. */
    public static void main(String[] args) throws InterruptedException {
        H2Journal journal = H2Journal.open(H2Journal.Options.in(Path.of(args[0])), failure -> System.exit(1));
        Semaphore window = new Semaphore(500);
        if (journal.recover().isEmpty()) {
            List<Fact> queues = List.of(
                    new NodeDeclared(1, "one", Fact.NodeKind.QUEUE, Map.of()),
                    new NodeDeclared(2, "two", Fact.NodeKind.QUEUE, Map.of()));
            journal.append(queues, Runnable::run, () -> {});
        }
        for (long n = Long.parseLong(args[1]); ; n++) {
            long number = n;
            window.acquire();
            journal.append(batch(n), Runnable::run, () -> {
                say(number + ".\n");
                window.release();
            });
        }
    }

    private static void say(String line) {
        try {
            System.out.write(line.getBytes(StandardCharsets.UTF_8));
            System.out.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Fact> batch(long n) {
        List<Fact> batch = new ArrayList<>();
        batch.add(stored(1, n));
        if (n >= LAG) {
            MessageRemoved left = new MessageRemoved(new MessageKey(1, 0, n - LAG), true, SIZE);
            batch.add(new MessageMoved(left, stored(2, n - LAG)));
            if ((n - LAG) % 3 == 0) {
                batch.add(new MessageRemoved(new MessageKey(2, 0, n - LAG), true, SIZE));
            }
        }
        return batch;
    }

    private static MessageStored stored(long queue, long n) {
        return new MessageStored(new MessageKey(queue, 0, n), true, n, 0, new byte[SIZE], Fact.Details.NONE);
    }
}
