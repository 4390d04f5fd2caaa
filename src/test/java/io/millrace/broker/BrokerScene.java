package io.millrace.broker;

import io.millrace.config.Config;
import io.millrace.config.ConfigException;
import io.millrace.config.ConfigFile;
import io.millrace.journal.InMemoryJournal;
import io.millrace.loop.ManualLoop;
import io.millrace.message.Condition;
import io.millrace.queue.Answers;
import io.millrace.queue.Messages;
import io.millrace.queue.QueueStats;
import io.millrace.queue.Recipient;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A broker on loops by hand, over a journal in memory. */
final class BrokerScene {
    final Config config;
    final InMemoryJournal journal;
    final List<ManualLoop> loops;
    final Broker broker;

    BrokerScene(int loops) {
        this(Config.defaults(), new InMemoryJournal(), loops);
    }

    BrokerScene(Config config, InMemoryJournal journal, int loops) {
        this.config = config;
        this.journal = journal;
        this.loops = Stream.generate(ManualLoop::new).limit(loops).toList();
        broker = new Broker(config, journal, List.copyOf(this.loops));
        var started = broker.start();
        settle();
        if (!started.isDone()) {
            throw new AssertionError("the broker did not start");
        }
    }

    /** Two loops whose messages may take so much of the heap. */
    static BrokerScene withMemory(String size) {
        return of("memory: " + size + "\n");
    }

    /** Two loops, and this config. */
    static BrokerScene of(String yaml) {
        try {
            Config config = ConfigFile.parse("test.yaml", yaml, name -> Optional.empty());
            return new BrokerScene(config, new InMemoryJournal(), 2);
        } catch (ConfigException e) {
            throw new AssertionError(e);
        }
    }

    BrokerScene restarted() {
        return new BrokerScene(config, journal.successor(), loops.size());
    }

    /** Runs the loops and flushes the journal until nothing is left to do. */
    void settle() {
        boolean busy = true;
        while (busy) {
            runLoops();
            journal.flush();
            busy = false;
            for (ManualLoop loop : loops) {
                busy |= loop.runOne();
            }
        }
    }

    /** Runs the loops until nothing is left to do, but lets the journal wait. */
    void runLoops() {
        boolean busy = true;
        while (busy) {
            busy = false;
            for (ManualLoop loop : loops) {
                busy |= loop.runOne();
            }
        }
    }

    /** What was said to whoever asked for an address. */
    static final class Opened implements Nodes.Answer {
        final List<Node> nodes = new ArrayList<>();
        final List<Condition> refusals = new ArrayList<>();
        final List<Condition> deletions = new ArrayList<>();

        @Override
        public void opened(Node node) {
            nodes.add(node);
        }

        @Override
        public void refused(Condition reason) {
            refusals.add(reason);
        }

        @Override
        public void deleted(Condition reason) {
            deletions.add(reason);
        }

        Node node() {
            if (nodes.size() != 1 || !refusals.isEmpty()) {
                throw new AssertionError("opened " + nodes + ", refused " + refusals);
            }
            return nodes.get(0);
        }

        Condition refusal() {
            if (!nodes.isEmpty() || refusals.size() != 1) {
                throw new AssertionError("opened " + nodes + ", refused " + refusals);
            }
            return refusals.get(0);
        }
    }

    Opened open(int loop, String address, Request.Use use, Object connection) {
        Link link = new Link(connection, String.valueOf(connection), "link");
        return open(loop, new Request(address, Optional.empty(), use, link, Terms.PLAIN));
    }

    Opened open(int loop, Request request) {
        Opened opened = new Opened();
        broker.nodes(loop).open(request, opened);
        return opened;
    }

    /** The node as seen from a loop, made if need be. */
    Node node(int loop, String address) {
        Opened opened = open(loop, address, Request.Use.SEND, this);
        settle();
        return opened.node();
    }

    /** A temporary queue of this connection. */
    Opened temporary(int loop, Object connection) {
        Opened opened = new Opened();
        broker.nodes(loop).openTemporary(NodeType.QUEUE, new Link(connection, "", "link"), opened);
        settle();
        return opened;
    }

    Recipient consumer(int loop, String address) {
        return new Recipient(node(loop, address).source()).attached();
    }

    /** Offers durable messages, and waits until they are accepted. */
    void offer(int loop, String address, String... names) {
        Node node = node(loop, address);
        for (String name : names) {
            Answers answers = new Answers();
            node.target().offer(Messages.durable(name), answers);
            settle();
            if (answers.outcomes.size() != 1) {
                throw new AssertionError(name + " was answered " + answers.outcomes);
            }
        }
    }

    Optional<QueueStats> stats(String address) {
        var stats = broker.stats();
        settle();
        return stats.join().stream()
                .filter(each -> each.address().equals(address))
                .findFirst();
    }

    long messages(String address) {
        return stats(address).map(QueueStats::messages).orElse(0L);
    }
}
