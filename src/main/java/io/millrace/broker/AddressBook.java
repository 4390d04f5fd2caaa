package io.millrace.broker;

import io.millrace.config.Config;
import io.millrace.config.QueueSettings;
import io.millrace.config.QueueSettings.DeadLetter;
import io.millrace.journal.Fact;
import io.millrace.journal.Journal.RecoveredNode;
import io.millrace.message.Condition;
import io.millrace.queue.Backlog;
import io.millrace.queue.DeadLetterRoute;
import io.millrace.queue.MoveTarget;
import io.millrace.queue.Queue;
import io.millrace.queue.QueueIdentity;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;

/**
 * Which queues there are, and how new ones come to be. Owned by the first loop, its home.
 *
 * <p>A queue that is to last is declared to the journal before anyone is told of it. It is put on the loop of whoever first
 * asks for it, so that producer, queue and consumer often share one.
 */
final class AddressBook {
    /** Numbers of temporary queues start here, so that they never meet those of queues in the store. */
    private static final long FIRST_TEMPORARY = 1L << 40;

    private static final String OWN_SUFFIX = ".dlq";

    private final Config config;
    private final Set<String> configuredDeadLetterQueues;
    private final Map<String, QueueSettings> configured = new HashMap<>();
    private final List<Directory> directories;
    private final Map<String, QueueEntry> entries = new HashMap<>();
    private final Set<String> deadLetterQueues = new HashSet<>();
    private final Map<String, List<Waiting>> opening = new HashMap<>();

    private long nextNumber = 1;
    private long nextTemporary = FIRST_TEMPORARY;

    private record Waiting(Directory directory, Nodes.Answer answer) {}

    AddressBook(Config config, List<Directory> directories) {
        this.config = config;
        this.directories = directories;
        this.configuredDeadLetterQueues = config.deadLetterQueues();
        config.queues().forEach(queue -> configured.put(queue.name(), queue.settings()));
    }

    private Directory home() {
        return directories.get(0);
    }

    // ---- start

    /** Brings back the queues of the store and makes those of the config file; runs on the home loop, before any other call. */
    void start(List<RecoveredNode> recovered, Runnable done) {
        home().loop().assertCurrent();
        for (RecoveredNode node : recovered) {
            nextNumber = Math.max(nextNumber, node.declared().number() + 1);
            if (node.declared().kind() == Fact.NodeKind.DEAD_LETTER_QUEUE) {
                deadLetterQueues.add(node.declared().address());
            }
        }
        for (RecoveredNode node : recovered) {
            long number = node.declared().number();
            Directory owner = directories.get((int) (number % directories.size()));
            announce(queueOf(number, node.declared().address(), owner, Backlog.of(node)), () -> {});
        }
        List<String> missing = config.queues().stream()
                .map(Config.QueueDefinition::name)
                .filter(name -> !entries.containsKey(name))
                .toList();
        Countdown countdown = new Countdown(missing.size(), done);
        for (String name : missing) {
            declare(name, false, directories.get((int) (nextNumber % directories.size())), countdown::step);
        }
    }

    int size() {
        return entries.size();
    }

    /** Begins a transaction of a connection on the loop of a directory; called there. */
    LocalTransaction begin(Directory on) {
        return new CoordinatedTransaction(on, directories, TransactionLimits.of(config.memoryBytes()));
    }

    // ---- on behalf of links; called on the loop of the directory

    void open(String plain, Directory from, Nodes.Answer answer) {
        home().loop().post(() -> openAtHome(plain, new Waiting(from, answer)));
    }

    private void openAtHome(String plain, Waiting waiting) {
        if (entries.containsKey(plain)) {
            opened(plain, waiting);
            return;
        }
        Optional<Condition> objection = Address.objection(plain).or(() -> mayNotCreate(plain));
        if (objection.isPresent()) {
            waiting.directory().loop().post(() -> waiting.answer().refused(objection.get()));
            return;
        }
        create(plain, false, waiting);
    }

    private Optional<Condition> mayNotCreate(String plain) {
        if (plain.startsWith(Address.TEMPORARY_PREFIX)) {
            return Optional.of(new Condition(
                    Condition.NOT_FOUND, "the temporary queue '" + plain + "' is gone; its owner has closed it"));
        }
        return config.mayCreate(plain)
                ? Optional.empty()
                : Optional.of(new Condition(
                        Condition.NOT_FOUND,
                        "there is no queue '" + plain + "', and no auto-create rule of the config allows to make it"));
    }

    private void create(String plain, boolean deadLetter, Waiting waiting) {
        List<Waiting> others = opening.get(plain);
        if (others != null) {
            others.add(waiting);
            return;
        }
        opening.put(plain, new ArrayList<>(List.of(waiting)));
        declare(plain, deadLetter, waiting.directory(), () -> opening.remove(plain)
                .forEach(each -> opened(plain, each)));
    }

    private void opened(String plain, Waiting waiting) {
        waiting.directory().loop().post(() -> {
            Optional<Node> node = waiting.directory().find(plain);
            node.ifPresentOrElse(waiting.answer()::opened, () -> waiting.answer()
                    .refused(new Condition(Condition.RESOURCE_DELETED, "queue '" + plain + "' was deleted")));
        });
    }

    private void declare(String address, boolean deadLetter, Directory owner, Runnable done) {
        long number = nextNumber++;
        if (deadLetter) {
            deadLetterQueues.add(address);
        }
        home().resources()
                .recorder()
                .declare(
                        new Fact.NodeDeclared(
                                number,
                                address,
                                deadLetter ? Fact.NodeKind.DEAD_LETTER_QUEUE : Fact.NodeKind.QUEUE,
                                Map.of()),
                        () -> announce(queueOf(number, address, owner, Backlog.NONE), done));
    }

    private QueueEntry queueOf(long number, String address, Directory owner, Backlog backlog) {
        QueueSettings own = configured.get(address);
        QueueSettings settings = own == null ? config.settingsFor(address) : own;
        Queue queue = new Queue(
                new QueueIdentity(number, address, true),
                settings,
                owner.resources(),
                routeFrom(address, settings, owner),
                backlog);
        return new QueueEntry(number, address, owner.index(), queue, Optional.empty());
    }

    /** Tells every loop; {@code done} runs on the home loop when its own directory knows, the others will before they are asked. */
    private void announce(QueueEntry entry, Runnable done) {
        entries.put(entry.address(), entry);
        Directory owner = directories.get(entry.loop());
        for (Directory directory : directories) {
            if (directory == home()) {
                directory.add(entry, owner);
            } else {
                directory.loop().post(() -> directory.add(entry, owner));
            }
        }
        done.run();
    }

    // ---- temporary queues

    void openTemporary(Object connection, Directory from, Nodes.Answer answer) {
        home().loop().post(() -> {
            String address = Address.TEMPORARY_PREFIX + UUID.randomUUID();
            QueueIdentity identity = new QueueIdentity(nextTemporary++, address, false);
            Queue queue =
                    new Queue(identity, config.queueDefaults(), from.resources(), DeadLetterRoute.NONE, Backlog.NONE);
            QueueEntry entry = new QueueEntry(identity.number(), address, from.index(), queue, Optional.of(connection));
            announce(entry, () -> opened(address, new Waiting(from, answer)));
        });
    }

    void delete(QueueEntry entry) {
        home().loop().post(() -> {
            if (entries.remove(entry.address(), entry)) {
                for (Directory directory : directories) {
                    directory.loop().post(() -> directory.remove(entry));
                }
                directories.get(entry.loop()).loop().post(entry.queue()::delete);
            }
        });
    }

    // ---- dead letters

    /** A dead-letter queue has none of its own; for the others it is found or made when first needed. */
    private DeadLetterRoute routeFrom(String address, QueueSettings settings, Directory owner) {
        if (isDeadLetterQueue(address) || settings.deadLetter() instanceof DeadLetter.Off) {
            return DeadLetterRoute.NONE;
        }
        String to =
                settings.deadLetter() instanceof DeadLetter.To named ? named.queue() : DeadLetter.Own.nameFor(address);
        return new DeadLetterRoute() {
            @Override
            public boolean exists() {
                return true;
            }

            @Override
            public void open(Consumer<MoveTarget> opened) {
                if (owner.knows(to)) {
                    opened.accept(owner.target(to));
                } else {
                    openDeadLetter(to, owner, opened);
                }
            }
        };
    }

    /** By what it is for, not by who came first: somebody may well wait at a dead-letter queue before the first death. */
    private boolean isDeadLetterQueue(String address) {
        if (deadLetterQueues.contains(address) || configuredDeadLetterQueues.contains(address)) {
            return true;
        }
        if (!address.endsWith(OWN_SUFFIX)) {
            return false;
        }
        String of = address.substring(0, address.length() - OWN_SUFFIX.length());
        return !of.isEmpty() && config.settingsFor(of).deadLetter() instanceof DeadLetter.Own && !isDeadLetterQueue(of);
    }

    private void openDeadLetter(String address, Directory from, Consumer<MoveTarget> opened) {
        Nodes.Answer answer = new Nodes.Answer() {
            @Override
            public void opened(Node node) {
                opened.accept(from.target(address));
            }

            @Override
            public void refused(Condition reason) {
                throw new IllegalStateException("the dead-letter queue '" + address + "' cannot be made: " + reason);
            }
        };
        home().loop().post(() -> {
            Waiting waiting = new Waiting(from, answer);
            if (entries.containsKey(address)) {
                opened(address, waiting);
            } else {
                create(address, true, waiting);
            }
        });
    }

    /** Runs a task after so many steps; at once if there are none. */
    private static final class Countdown {
        private final Runnable task;
        private int left;

        Countdown(int steps, Runnable task) {
            this.task = task;
            this.left = steps;
            if (steps == 0) {
                task.run();
            }
        }

        void step() {
            left--;
            if (left == 0) {
                task.run();
            }
        }
    }
}
