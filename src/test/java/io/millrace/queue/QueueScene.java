package io.millrace.queue;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.DeadLetter;
import io.millrace.config.QueueSettings.WhenFull;
import io.millrace.journal.Fact;
import io.millrace.journal.InMemoryJournal;
import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.loop.ManualLoop;
import io.millrace.message.Message;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** One queue and its dead-letter queue on one loop by hand, over a journal in memory. */
final class QueueScene {
    static final long AMPLE_BYTES = 64 << 20;

    final ManualLoop loop = new ManualLoop();
    final InMemoryJournal journal;
    final LoopResources resources;
    final Queue queue;
    final Queue dead;

    QueueScene() {
        this(settings(), AMPLE_BYTES);
    }

    QueueScene(QueueSettings settings, long memoryBytes) {
        this(settings, memoryBytes, new InMemoryJournal());
    }

    /** On a journal which may have something in it already. */
    QueueScene(QueueSettings settings, long memoryBytes, InMemoryJournal journal) {
        this.journal = journal;
        resources =
                new LoopResources(loop, new Recorder(loop, journal, AMPLE_BYTES), new MemoryBudget(loop, memoryBytes));
        List<RecoveredNode> recovered = journal.recover();
        if (recovered.isEmpty()) {
            resources.recorder().declare(new Fact.NodeDeclared(1, "orders", Fact.NodeKind.QUEUE, Map.of()), () -> {});
            resources
                    .recorder()
                    .declare(
                            new Fact.NodeDeclared(2, "orders.dlq", Fact.NodeKind.DEAD_LETTER_QUEUE, Map.of()),
                            () -> {});
            settle();
        }
        dead = new Queue(
                new QueueIdentity(2, "orders.dlq", true),
                settings(),
                resources,
                DeadLetterRoute.NONE,
                backlog(recovered, 2));
        DeadLetterRoute route =
                settings.deadLetter() instanceof DeadLetter.Off ? DeadLetterRoute.NONE : new ToQueue(dead);
        queue = new Queue(new QueueIdentity(1, "orders", true), settings, resources, route, backlog(recovered, 1));
    }

    private record ToQueue(Queue queue) implements DeadLetterRoute {
        @Override
        public boolean exists() {
            return true;
        }

        @Override
        public void open(Consumer<MoveTarget> opened) {
            opened.accept(queue);
        }
    }

    private static Backlog backlog(List<RecoveredNode> recovered, long number) {
        return recovered.stream()
                .filter(each -> each.declared().number() == number)
                .map(Backlog::of)
                .findFirst()
                .orElse(Backlog.NONE);
    }

    /** The same queues after the process died. */
    QueueScene restarted(QueueSettings settings, long memoryBytes) {
        return new QueueScene(settings, memoryBytes, journal.successor());
    }

    static QueueSettings settings() {
        return QueueSettings.DEFAULT
                .withMaxDeliveries(3)
                .withDeadLetter(new DeadLetter.Own())
                .withLimits(Optional.empty(), Optional.empty(), WhenFull.REJECT)
                .withHold(Duration.ZERO);
    }

    static QueueSettings withoutDeadLetters() {
        return QueueSettings.DEFAULT
                .withMaxDeliveries(3)
                .withDeadLetter(new DeadLetter.Off())
                .withLimits(Optional.empty(), Optional.empty(), WhenFull.REJECT)
                .withHold(Duration.ZERO);
    }

    static QueueSettings atMost(long messages, WhenFull whenFull) {
        return QueueSettings.DEFAULT
                .withMaxDeliveries(3)
                .withDeadLetter(new DeadLetter.Own())
                .withLimits(Optional.of(messages), Optional.empty(), whenFull)
                .withHold(Duration.ZERO);
    }

    static QueueSettings atMostBytes(long bytes, WhenFull whenFull) {
        return QueueSettings.DEFAULT
                .withMaxDeliveries(3)
                .withDeadLetter(new DeadLetter.Own())
                .withLimits(Optional.empty(), Optional.of(bytes), whenFull)
                .withHold(Duration.ZERO);
    }

    /** Runs the loop and flushes the journal until nothing is left to do. */
    void settle() {
        do {
            loop.runAll();
            journal.flush();
        } while (loop.runOne());
    }

    /** Time passes, and all that this brings about happens. */
    void elapse(long millis) {
        loop.advance(millis);
        settle();
    }

    Recipient consumer() {
        return new Recipient(queue).attached();
    }

    /** A consumer of the messages whose names pass. */
    Recipient consumerOf(Predicate<String> names) {
        return consumer(Selection.CONSUME.matching(delivery -> names.test(Messages.name(delivery.message()))));
    }

    Recipient consumer(Selection selection) {
        Recipient recipient = new Recipient(queue);
        queue.attach(recipient, selection);
        return recipient;
    }

    Recipient browser() {
        return new Recipient(queue).browsing();
    }

    Answers offer(Message message) {
        Answers answers = new Answers();
        queue.offer(message, answers);
        return answers;
    }

    void offerDurable(String... names) {
        for (String name : names) {
            offer(Messages.durable(name));
        }
    }

    void offerTransient(String... names) {
        for (String name : names) {
            offer(Messages.transientOne(name));
        }
    }

    /** Offers messages {@code m<first>} to {@code m<last>} of so many bytes. */
    void offerMany(int first, int last, boolean durable, int bytes) {
        for (int i = first; i <= last; i++) {
            offer(Messages.message("m" + i, durable, bytes));
        }
    }

    long heldBytes() {
        long used = resources.memory().usedBytes();
        long backlog = resources.memory().backlogBytes();
        assertTrue(backlog >= 0 && backlog <= used, backlog + " bytes are available, of " + used + " in memory");
        return used;
    }

    long storedMessages() {
        return journal.messages().size();
    }
}
