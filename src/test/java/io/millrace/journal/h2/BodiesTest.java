package io.millrace.journal.h2;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.journal.Fact;
import io.millrace.journal.Fact.BodyDropped;
import io.millrace.journal.Fact.BodyPart;
import io.millrace.journal.Fact.Details;
import io.millrace.journal.Fact.MessageRemoved;
import io.millrace.journal.Fact.MessageStored;
import io.millrace.journal.Fact.NodeDeclared;
import io.millrace.journal.Fact.NodeKind;
import io.millrace.journal.JournalException;
import io.millrace.journal.MessageKey;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.ToLongFunction;
import org.h2.mvstore.MVMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What bodies that are kept apart from messages cost in the store. */
class BodiesTest {
    private static final int SUBSCRIPTIONS = 50;
    private static final int SIZE = 100_000;

    @TempDir
    Path directory;

    private final BlockingQueue<Object> said = new LinkedBlockingQueue<>();
    private H2Journal journal;

    @BeforeEach
    void openWithSubscriptions() {
        open();
        List<Fact> nodes = new ArrayList<>();
        for (int queue = 1; queue <= SUBSCRIPTIONS; queue++) {
            nodes.add(new NodeDeclared(queue, "news", NodeKind.SUBSCRIPTION, Map.of("name", "s" + queue)));
        }
        append(nodes);
    }

    private void open() {
        journal = H2Journal.open(H2Journal.Options.in(directory), said::add);
    }

    private void close() {
        journal.close(Duration.ofSeconds(20));
        Integrity.check(H2Journal.Options.in(directory));
    }

    private Object said() {
        try {
            Object next = said.poll(20, TimeUnit.SECONDS);
            assertTrue(next != null, "nothing came");
            return next;
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void append(List<Fact> facts) {
        journal.append(facts, Runnable::run, () -> said.add("durable"));
        assertEquals("durable", said());
    }

    private static byte[] bytes(int size) {
        byte[] bytes = new byte[size];
        new Random(size).nextBytes(bytes);
        return bytes;
    }

    private List<Fact> fanOut(long body, byte[] bytes) {
        List<Fact> batch = new ArrayList<>();
        for (int queue = 1; queue <= SUBSCRIPTIONS; queue++) {
            MessageKey key = new MessageKey(queue, 0, body);
            batch.add(new MessageStored(key, true, 1, 0, bytes, Details.NONE.withBody(body)));
        }
        return batch;
    }

    private static List<Fact> removed(List<Fact> stored) {
        List<Fact> batch = new ArrayList<>();
        for (Fact fact : stored) {
            if (fact instanceof MessageStored s) {
                batch.add(new MessageRemoved(s.key(), true, s.bytes().length));
            }
        }
        return batch;
    }

    /** What a store holds that is not in use. */
    private long inStore(ToLongFunction<Tables> measure) {
        StoreFile file = StoreFile.open(H2Journal.Options.in(directory), () -> false);
        try {
            return measure.applyAsLong(new Tables(file.store()));
        } finally {
            file.store().close();
        }
    }

    private static long bytesOfParts(MVMap<BodyKey, PartRecord> parts) {
        return parts.values().stream().mapToLong(part -> part.bytes().length).sum();
    }

    @Nested
    class AFanOut {
        @Test
        void isOneBodyHoweverManySubscriptionsThereAre() {
            append(fanOut(journal.newBody(), bytes(SIZE)));
            close();
            assertEquals(SIZE, inStore(tables -> bytesOfParts(tables.shared.parts())));
            assertEquals(0, inStore(tables -> tables.bodies.size()));
            assertEquals(0, inStore(tables -> tables.messages.values().stream()
                    .mapToLong(record -> record.bytes().length)
                    .sum()));
        }

        @Test
        void leavesNothingWhenAllHaveTakenIt() {
            List<Fact> stored = fanOut(journal.newBody(), bytes(SIZE));
            append(stored);
            append(removed(stored));
            close();
            assertEquals(0, inStore(tables -> tables.shared.parts().size()));
        }

        @Test
        void leavesNothingHoweverManyGoAtOnce() {
            List<Fact> stored = new ArrayList<>();
            for (int n = 0; n < 1000; n++) {
                stored.addAll(fanOut(journal.newBody(), bytes(1000)));
            }
            append(stored);
            append(removed(stored));
            close();
            assertEquals(0, inStore(tables -> tables.shared.parts().size()));
        }

        @Test
        void isNeverWrittenWhenAllHaveTakenItAtOnce() {
            append(fanOut(journal.newBody(), bytes(SIZE)));
            long commits = journal.stats().commits();
            for (int n = 0; n < 20; n++) {
                List<Fact> batch = fanOut(journal.newBody(), bytes(SIZE));
                batch.addAll(removed(batch));
                append(batch);
            }
            assertEquals(commits, journal.stats().commits());
            close();
            assertEquals(1, inStore(tables -> tables.shared.parts().size()));
        }

        @Test
        void ofAFewBytesIsInEachMessage() {
            append(fanOut(journal.newBody(), bytes(50)));
            close();
            assertEquals(0, inStore(tables -> tables.shared.parts().size()));
        }

        @Test
        void weighsItsBytesOnceInACommit() {
            Plan plan = new Plan();
            fanOut(7, bytes(SIZE)).forEach(plan::add);
            assertTrue(plan.weight() < 2 * SIZE, () -> "weight is " + plan.weight());
        }
    }

    @Nested
    class AStreamedBody {
        private static final int PARTS = 100;
        private static final int PART_SIZE = 250_000;

        private long receive() {
            long body = journal.newBody();
            for (int part = 0; part < PARTS; part++) {
                append(List.of(new BodyPart(body, part, bytes(PART_SIZE))));
            }
            return body;
        }

        private MessageStored message(long body) {
            Details details = new Details(0, 0, body, PARTS * PART_SIZE);
            return new MessageStored(new MessageKey(1, 0, 1), true, 1, 0, bytes(100), details);
        }

        @Test
        void goesInStepsAfterItsLastMessage() {
            long body = receive();
            append(List.of(message(body), new BodyDropped(body)));
            append(List.of(new MessageRemoved(message(body).key(), true, 100)));
            // Each answer is followed by a step.
            for (int step = 0; step < PARTS; step++) {
                append(List.of());
            }
            close();
            assertEquals(0, inStore(tables -> tables.shared.parts().size()));
        }

        @Test
        void goesOnGoingAfterARestartThatCameInBetween() {
            long body = receive();
            append(List.of(message(body), new BodyDropped(body)));
            append(List.of(new MessageRemoved(message(body).key(), true, 100)));
            journal.close(Duration.ofSeconds(20));
            open();
            for (int step = 0; step < PARTS; step++) {
                append(List.of(new BodyDropped(body)));
            }
            close();
            assertEquals(0, inStore(tables -> tables.shared.parts().size()));
        }

        @Test
        void thatWasNotFinishedIsRemovedAfterARestart() {
            receive();
            journal.close(Duration.ofSeconds(20));
            assertEquals(PARTS, inStore(tables -> tables.shared.parts().size()));
            open();
            for (int step = 0; step < PARTS; step++) {
                append(List.of(new BodyDropped(1_000_000)));
            }
            close();
            assertEquals(0, inStore(tables -> tables.shared.parts().size()));
        }

        @Test
        void weighsWhatItHasInACommit() {
            Plan plan = new Plan();
            plan.add(new BodyPart(1, 0, bytes(SIZE)));
            assertTrue(plan.weight() >= SIZE);
        }

        @Test
        void thatIsDamagedIsNeverGiven() {
            long body = receive();
            append(List.of(message(body), new BodyDropped(body)));
            journal.close(Duration.ofSeconds(20));
            StoreFile file = StoreFile.open(H2Journal.Options.in(directory), () -> false);
            MVMap<BodyKey, PartRecord> parts = new Tables(file.store()).shared.parts();
            PartRecord right = parts.get(new BodyKey(body, 3));
            byte[] wrong = right.bytes().clone();
            wrong[77] ^= 1;
            parts.put(new BodyKey(body, 3), new PartRecord(right.crc(), wrong));
            file.store().commit();
            file.store().close();
            open();
            journal.reader().readPart(body, 2, Runnable::run, found -> said.add(found.isPresent()));
            assertEquals(true, said());
            journal.reader().readPart(body, 3, Runnable::run, found -> said.add(Optional.of(found)));
            Object failure = said();
            assertTrue(failure instanceof JournalException e && e.getMessage().contains("part 3 of body " + body));
            journal.close(Duration.ofSeconds(20));
        }
    }
}
