package io.millrace.bench;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** What to do, as the command line says it; see the descriptions for what each is. Fixed once it is parsed. */
final class Settings {
    private static final Duration USUAL_DURATION = Duration.ofSeconds(10);

    @Parameters(
            index = "0",
            arity = "0..1",
            paramLabel = "URL",
            converter = BrokerUrl.Converter.class,
            defaultValue = "amqp://127.0.0.1:5672",
            description = "amqp://[USER:PASSWORD@]HOST[:PORT] of any AMQP 1.0 broker; special characters of user and"
                    + " password are percent-encoded.%nDefault: ${DEFAULT-VALUE}")
    private BrokerUrl url;

    @Option(
            names = "--address",
            paramLabel = "NAME",
            description = "The queue or topic, which stays in the broker. Default: bench; with --topic bench-topic")
    private String address;

    @Option(
            names = "--addresses",
            paramLabel = "N",
            defaultValue = "1",
            description = "More than 1: so many addresses, NAME0 and so on; links are spread over them in turn."
                    + " Default: ${DEFAULT-VALUE}")
    int addresses;

    @Option(
            names = "--capability",
            paramLabel = "NAME",
            description = "The capability that links ask for, such as queue. Default: none, or topic with --topic.")
    private String capability;

    @Option(
            names = "--topic",
            description =
                    "The address is a topic: every consumer has a subscription of its own and gets every message.")
    boolean topic;

    @Option(
            names = "--subscribers",
            paramLabel = "N",
            defaultValue = "1",
            description =
                    "With --topic: subscriptions of each address, instead of --consumers. Default: ${DEFAULT-VALUE}")
    private int subscribers;

    @Option(
            names = "--durable-subscriptions",
            description = "With --topic: the subscriptions are durable; they are unsubscribed at the end.")
    boolean durableSubscriptions;

    @Option(names = "--producers", paramLabel = "N", defaultValue = "1", description = "Default: ${DEFAULT-VALUE}")
    private int producers;

    @Option(names = "--consumers", paramLabel = "N", defaultValue = "1", description = "Default: ${DEFAULT-VALUE}")
    private int consumers;

    @Option(names = "--fill", description = "Only producers: fill the queue.")
    boolean fill;

    @Option(
            names = "--drain",
            description = "Only consumers: until --messages were received, --duration is over, or nothing has come for"
                    + " --empty-after.")
    boolean drain;

    @Option(
            names = "--connections",
            paramLabel = "N",
            defaultValue = "0",
            description = "Producers share so many connections, and so do consumers. Default: one for each link.")
    int connections;

    @Option(
            names = "--event-loops",
            paramLabel = "N",
            defaultValue = "2",
            description = "Threads that drive the connections. Default: ${DEFAULT-VALUE}")
    int eventLoops;

    @Option(
            names = "--messages",
            paramLabel = "N",
            defaultValue = "0",
            description = "Messages to send in all (with --drain: to receive), warm-up not counted.")
    long messages;

    @Option(
            names = "--duration",
            paramLabel = "TIME",
            converter = Extent.Time.class,
            description = "How long to measure: 500ms, 10s, 2m. Default: 10s, unless --messages says how many.")
    private Duration duration;

    @Option(
            names = "--warmup",
            paramLabel = "TIME|N",
            converter = Extent.Converter.class,
            description = "A time, or a number of messages, before the measurement. Default: none")
    private Extent warmup;

    @Option(
            names = "--size",
            paramLabel = "BYTES",
            converter = Extent.Bytes.class,
            defaultValue = "1024",
            description = "Of the body, 24 at least: 1024, 64KiB, 1MiB. Default: ${DEFAULT-VALUE}")
    int size;

    @Option(names = "--durable", description = "Durable messages; the default.")
    private boolean durable;

    @Option(names = "--transient", description = "Messages that are not durable.")
    private boolean notDurable;

    @Option(
            names = "--presettled",
            description =
                    "Neither producers nor consumers want outcomes: at most once. What was sent counts as accepted.")
    boolean presettled;

    @Option(
            names = "--window",
            paramLabel = "N",
            defaultValue = "1000",
            description =
                    "Messages of a producer without an outcome yet; 1 is one at a time. Default: ${DEFAULT-VALUE}")
    int window;

    @Option(
            names = "--credit",
            paramLabel = "N",
            defaultValue = "1000",
            description = "Messages that a consumer asks for in advance. Default: ${DEFAULT-VALUE}")
    int credit;

    @Option(
            names = "--rate",
            paramLabel = "N",
            defaultValue = "0",
            description = "Messages a second, of all producers together. Latency then counts from when a message should"
                    + " have been sent, so waiting shows. Default: as fast as they go")
    double rate;

    @Option(
            names = "--transaction-size",
            paramLabel = "N",
            defaultValue = "0",
            description = "Each producer sends so many messages in a transaction. Default: no transactions")
    int transactionSize;

    @Option(
            names = "--consume-transaction-size",
            paramLabel = "N",
            defaultValue = "0",
            description = "Each consumer accepts so many messages in a transaction. Default: no transactions")
    int consumeTransactionSize;

    @Option(
            names = "--transactions",
            paramLabel = "N",
            defaultValue = "2",
            description =
                    "Transactions that a link has open at a time: one is filled while others are committed; 1 is what"
                            + " a JMS session does. Default: ${DEFAULT-VALUE}")
    int transactions;

    @Option(names = "--anonymous", description = "Producers attach without an address, and each message says where to.")
    boolean anonymous;

    @Option(
            names = "--stall-limit",
            paramLabel = "TIME",
            converter = Extent.Time.class,
            defaultValue = "30s",
            description = "The run ends when nothing has moved for so long, and says who waits for what."
                    + " Default: ${DEFAULT-VALUE}")
    Duration stallLimit;

    @Option(
            names = "--empty-after",
            paramLabel = "TIME",
            converter = Extent.Time.class,
            defaultValue = "2s",
            description = "With --drain: a queue is empty when nothing has come for so long. Default: ${DEFAULT-VALUE}")
    Duration emptyAfter;

    @Option(
            names = "--broker-pid",
            paramLabel = "PID",
            defaultValue = "0",
            description =
                    "The process of a broker on this machine (Linux): its CPU time a message, memory and writes are"
                            + " reported.")
    long brokerPid;

    @Option(
            names = "--label",
            paramLabel = "TEXT",
            description = "What the reports call this run. Default: the settings.")
    private String label;

    @Option(names = "--json", paramLabel = "FILE", description = "Write the report as JSON.")
    private Path json;

    @Option(names = "--html", paramLabel = "FILE", description = "Write the report as a page with charts.")
    private Path html;

    @Option(names = "--quiet", description = "Only the report, no progress.")
    boolean quiet;

    /** What is wrong with them; empty when nothing is. */
    List<String> mistakes() {
        List<String> mistakes = new ArrayList<>();
        url.mistake().ifPresent(mistakes::add);
        check(mistakes, !(fill && drain), "--fill and --drain exclude each other");
        check(mistakes, !(durable && notDurable), "--durable and --transient exclude each other");
        check(mistakes, producers() + consumers() > 0, "there are neither producers nor consumers");
        check(mistakes, producers >= 0 && consumers >= 0, "--producers and --consumers must not be negative");
        check(mistakes, addresses > 0, "--addresses must be at least 1");
        check(
                mistakes,
                topic || !tracked() || consumers >= addresses,
                "each of the " + addresses + " addresses needs a consumer: --consumers " + addresses + " or more");
        check(mistakes, subscribers > 0, "--subscribers must be at least 1");
        check(mistakes, connections >= 0, "--connections must not be negative");
        check(mistakes, eventLoops > 0 && eventLoops <= 64, "--event-loops must be 1 to 64");
        check(mistakes, size >= Body.MIN_BYTES, "--size must be at least " + Body.MIN_BYTES);
        check(mistakes, messages >= 0, "--messages must not be negative");
        check(mistakes, messages == 0 || duration == null, "--messages and --duration exclude each other");
        check(mistakes, window > 0 && credit > 0, "--window and --credit must be at least 1");
        check(mistakes, rate >= 0, "--rate must not be negative");
        check(mistakes, transactions > 0, "--transactions must be at least 1");
        check(mistakes, transactionSize >= 0, "--transaction-size must not be negative");
        check(mistakes, consumeTransactionSize >= 0, "--consume-transaction-size must not be negative");
        check(mistakes, !(presettled && transactionSize > 0), "--presettled and --transaction-size exclude each other");
        check(mistakes, topic || !durableSubscriptions, "--durable-subscriptions is for --topic");
        check(mistakes, topic || subscribers == 1, "--subscribers is for --topic");
        return mistakes;
    }

    private static void check(List<String> mistakes, boolean good, String otherwise) {
        if (!good) {
            mistakes.add(otherwise);
        }
    }

    String host() {
        return url.host();
    }

    int port() {
        return url.port();
    }

    /** Where to, without the password. */
    String broker() {
        return "amqp://" + host() + ":" + port();
    }

    Optional<String> user() {
        return url.user();
    }

    String password() {
        return url.password();
    }

    int producers() {
        return drain ? 0 : producers;
    }

    int consumers() {
        if (fill) {
            return 0;
        }
        return topic ? subscribers * addresses : consumers;
    }

    /** What is a queue stays one, so a topic has a name of its own. */
    String address() {
        return address != null ? address : topic ? "bench-topic" : "bench";
    }

    /** The address of the link with this number. */
    String addressOf(int link) {
        return addresses == 1 ? address() : address() + link % addresses;
    }

    Optional<String> capability() {
        return Optional.ofNullable(capability).or(() -> topic ? Optional.of("topic") : Optional.empty());
    }

    boolean durable() {
        return !notDurable;
    }

    /** Whether what is sent is also received here, so that losses can be told. */
    boolean tracked() {
        return producers() > 0 && consumers() > 0;
    }

    /** How long to measure; empty when the messages, or the end of the backlog, say when it is over. */
    Optional<Duration> duration() {
        if (duration != null) {
            return Optional.of(duration);
        }
        return messages > 0 || drain ? Optional.empty() : Optional.of(USUAL_DURATION);
    }

    Extent warmup() {
        return warmup == null ? Extent.NONE : warmup;
    }

    /** What one of several has of the messages in all: as many as the others, or one more. */
    static long share(long all, int number, int of) {
        return all / of + (number < all % of ? 1 : 0);
    }

    String label() {
        if (label != null) {
            return label;
        }
        String kind = presettled ? "pre-settled" : transactionSize > 0 ? "transactions of " + transactionSize : "";
        return String.join(
                        " ",
                        durable() ? "durable" : "transient",
                        kind,
                        topic ? "topic" : "",
                        producers() + ":" + consumers(),
                        size + " B",
                        rate > 0 ? "at " + Math.round(rate) + "/s" : "")
                .replaceAll(" +", " ")
                .strip();
    }

    Optional<Path> json() {
        return Optional.ofNullable(json);
    }

    Optional<Path> html() {
        return Optional.ofNullable(html);
    }
}
