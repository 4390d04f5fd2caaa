package io.millrace.main;

import io.millrace.amqp.AmqpConnection;
import io.millrace.amqp.ConnectionEvents;
import io.millrace.amqp.ConnectionSettings;
import io.millrace.amqp.Output;
import io.millrace.amqp.UserRates;
import io.millrace.broker.Broker;
import io.millrace.config.Config;
import io.millrace.config.Rate;
import io.millrace.message.Condition;
import io.millrace.net.Peer;
import io.millrace.net.Protocol;
import io.millrace.net.VertxLoop;
import io.millrace.security.Authenticator;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiFunction;
import java.util.regex.Pattern;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Puts AMQP on sockets, logs who comes and goes, and counts refusals. Immutable but for the counters; any thread. */
final class Connections {
    private static final Logger LOG = LoggerFactory.getLogger(Connections.class);
    private static final int LOGGED_CHARACTERS = 1000;
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cntrl}\\u2028\\u2029\\u0085]");
    private static final Condition STOPPING =
            new Condition(Condition.CONNECTION_FORCED, "broker is shutting down; connect again later or elsewhere");

    private static final long MIN_CONNECTION_BYTES = 1 << 20;
    private static final long MAX_CONNECTION_BYTES = 4 << 20;

    private final Config config;
    private final Broker broker;
    private final Authenticator authenticator;
    private final List<VertxLoop> loops;
    private final String containerId = "millrace-" + UUID.randomUUID();
    private final LastAnswers lastAnswers;
    private final UserRates users;
    private final RateWaits rateWaits = new RateWaits();
    private final Map<String, LongAdder> refusals = new ConcurrentHashMap<>();

    Connections(
            Config config, Broker broker, Authenticator authenticator, List<VertxLoop> loops, LastAnswers lastAnswers) {
        this.config = config;
        this.broker = broker;
        this.authenticator = authenticator;
        this.loops = loops;
        this.lastAnswers = lastAnswers;
        this.users = new UserRates(config.users(), loops);
    }

    /** How many times each condition has been the answer. */
    Map<String, Long> refusals() {
        Map<String, Long> counts = new TreeMap<>();
        refusals.forEach((condition, count) -> counts.put(condition, count.sum()));
        return counts;
    }

    /** How senders are held back by rates. */
    RateWaits rateWaits() {
        return rateWaits;
    }

    /** What a connection may hold: enough to keep a fast sender busy, little enough that some dozens of them fit. */
    private static long heldBytes(Config config) {
        return Math.max(MIN_CONNECTION_BYTES, Math.min(MAX_CONNECTION_BYTES, config.memoryBytes() / 32));
    }

    /** Makes the AMQP connections of a listener. */
    BiFunction<VertxLoop, Peer, Protocol> protocolsOf(Config.Listener listener) {
        ConnectionSettings settings = new ConnectionSettings(
                containerId,
                Version.NUMBER,
                listener.anonymous(),
                !config.users().isEmpty(),
                heldBytes(config),
                config.connection(),
                users);
        return (loop, peer) -> new Amqp(settings, listener.name(), loop, peer);
    }

    /** What a peer has said, for the log: not without end, and no line of its own. */
    private static String shown(Object said) {
        String text = String.valueOf(said);
        String cut = text.length() > LOGGED_CHARACTERS ? text.substring(0, LOGGED_CHARACTERS) + "..." : text;
        return UNPRINTABLE.matcher(cut).replaceAll("?");
    }

    /** A connection between its socket and the log. Owned by its loop. */
    private final class Amqp implements Protocol, Output, ConnectionEvents {
        private final String listener;
        private final VertxLoop loop;
        private final Peer peer;
        private final AmqpConnection connection;
        private boolean rateTold;
        private boolean stopping;
        private boolean lost;

        Amqp(ConnectionSettings settings, String listener, VertxLoop loop, Peer peer) {
            this.listener = listener;
            this.loop = loop;
            this.peer = peer;
            this.connection =
                    new AmqpConnection(settings, loop, broker.nodes(loops.indexOf(loop)), authenticator, this, this);
        }

        @Override
        public void received(ByteBuffer bytes) {
            connection.received(bytes);
        }

        @Override
        public void readComplete() {
            connection.readComplete();
        }

        @Override
        public void drained() {
            connection.writable();
        }

        @Override
        public void stopping() {
            stopping = true;
            peer.reading(false);
            lastAnswers.then(loop, this::stop);
        }

        private void stop() {
            stopping = false;
            if (lost) {
                return;
            }
            try {
                // The peer's close is to be read.
                peer.reading(true);
                connection.close(STOPPING);
            } catch (RuntimeException e) {
                peer.close();
                throw e;
            }
        }

        @Override
        public void lost() {
            lost = true;
            connection.lost();
        }

        @Override
        public void write(ByteBuffer bytes) {
            peer.write(bytes);
        }

        @Override
        public boolean writable() {
            return peer.writable();
        }

        @Override
        public void reading(boolean wanted) {
            if (!stopping) {
                peer.reading(wanted);
            }
        }

        @Override
        public void close() {
            peer.close();
        }

        @Override
        public void opened(AmqpConnection ignored) {
            LOG.info(
                    "{} connected to {} as container '{}'{}",
                    peer.name(),
                    listener,
                    shown(connection.container()),
                    connection.user().isEmpty() ? "" : ", user " + shown(connection.user()));
        }

        @Override
        public void refused(AmqpConnection ignored, Condition reason) {
            count(reason);
            LOG.info("{} was refused: {}", peer.name(), shown(reason));
        }

        @Override
        public void sessionEnded(AmqpConnection ignored, int channel, Condition reason) {
            count(reason);
            LOG.info(
                    "{} ('{}'): session {} was ended: {}",
                    peer.name(),
                    shown(connection.container()),
                    channel,
                    shown(reason));
        }

        @Override
        public void linkEnded(AmqpConnection ignored, String link, boolean was, Condition reason) {
            count(reason);
            LOG.info(
                    "{} ('{}'): link \"{}\" was {}: {}",
                    peer.name(),
                    shown(connection.container()),
                    shown(link),
                    was ? "detached" : "refused",
                    shown(reason));
        }

        private void count(Condition reason) {
            refusals.computeIfAbsent(reason.symbol(), symbol -> new LongAdder()).increment();
        }

        @Override
        public void rateReached(AmqpConnection ignored, Optional<String> user, Rate rate) {
            rateWaits.began(listener, user);
            if (user.isPresent() ? rateWaits.isNew(user.get()) : !rateTold) {
                LOG.info(
                        "{} ('{}') sends faster than {}, the limit of {}; its senders get credit as time goes by. This is said once.",
                        peer.name(),
                        shown(connection.container()),
                        rate,
                        user.map(name -> "user " + shown(name) + " over all connections")
                                .orElse("a connection"));
            }
            rateTold |= user.isEmpty();
        }

        @Override
        public void rateWaitOver(AmqpConnection ignored, Duration waited) {
            rateWaits.ended(listener, waited);
        }

        @Override
        public void closed(AmqpConnection ignored, Optional<Condition> reason) {
            if (connection.container().isEmpty()) {
                LOG.debug(
                        "{} is gone before it opened {}",
                        peer.name(),
                        reason.map(Connections::shown).orElse(""));
                return;
            }
            LOG.info(
                    "{} ('{}') is gone after {} messages in, {} out{}",
                    peer.name(),
                    shown(connection.container()),
                    connection.transfersIn(),
                    connection.transfersOut(),
                    reason.map(why -> ": " + shown(why)).orElse(""));
        }
    }
}
