package io.millrace.amqp;

import io.millrace.config.Rate;
import io.millrace.loop.Loop;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * How much a connection may send, over all its links: as much as its own limit and that of its user allow. Owned by the
 * connection.
 *
 * <p>Links that get no credit wait in a line, and take turns. What came in a turn of the loop is counted at its end, or before
 * anything is given.
 */
final class SendingRate {
    private final AmqpConnection connection;

    /** Its own limit first: what that keeps back does not take from the user's other connections. */
    private final List<RateLease> leases;

    private final Deque<Turn> waiting = new ArrayDeque<>();
    private final Set<Turn> links = new HashSet<>();
    private final Runnable count = this::count;
    private long wantedByWaiting;
    private boolean countDue;
    private long came;
    private long cameBytes;
    private boolean held;
    private long heldSinceMillis;

    private SendingRate(AmqpConnection connection) {
        this.connection = connection;
        leases = new ArrayList<>(2);
    }

    /** That of a connection of which the user is known by now. */
    static SendingRate of(AmqpConnection connection) {
        SendingRate rate = new SendingRate(connection);
        Loop loop = connection.loop();
        Rate own = connection.settings().limits().rate();
        if (own.limited()) {
            rate.drawOn(new RatePool(loop, Optional.empty(), own));
        }
        connection.settings().users().pool(connection.user()).ifPresent(rate::drawOn);
        return rate;
    }

    private void drawOn(RatePool pool) {
        leases.add(new RateLease(connection.loop(), pool, this::serve));
    }

    /**
     * The part of one link.
     *
     * @param limited whether it is for messages; links to a coordinator are not
     * @param ask lets the link ask for credit, now
     */
    CreditLimit limit(boolean limited, Runnable ask) {
        return leases.isEmpty() || !limited ? CreditLimit.NONE : new Turn(ask);
    }

    /** A link among others. */
    private final class Turn implements CreditLimit {
        private final Runnable ask;
        private boolean waits;
        private boolean sends;
        private long wants;

        /** What it may get at most; 0 if it is not its turn. */
        private long share;

        Turn(Runnable ask) {
            this.ask = ask;
        }

        @Override
        public int grant(int wanted, boolean empty) {
            links.add(this);
            count();
            if (share == 0 && !waiting.isEmpty()) {
                await(this, wanted, empty && sends);
                return 0;
            }
            long granted = available(share == 0 ? wanted : Math.min(wanted, share));
            if (granted == 0) {
                await(this, wanted, empty && sends);
            } else {
                leases.forEach(lease -> lease.take((int) granted));
            }
            return (int) granted;
        }

        @Override
        public void arrived(int bytes) {
            cameBytes += bytes;
            if (!countDue) {
                countDue = true;
                connection.output().atFlush(count);
            }
        }

        @Override
        public void used() {
            came++;
            sends = true;
        }

        @Override
        public void unused(int credit) {
            count();
            leases.forEach(lease -> lease.unused(credit));
        }

        @Override
        public void closed(int credit) {
            if (links.remove(this)) {
                unused(credit);
                leave(this);
                if (links.isEmpty()) {
                    leases.forEach(RateLease::close);
                }
            }
        }
    }

    private void count() {
        countDue = false;
        if (came > 0 || cameBytes > 0) {
            leases.forEach(lease -> lease.spend(came, cameBytes));
            came = 0;
            cameBytes = 0;
        }
    }

    /** How many messages all limits allow now; asks those that allow fewer than wanted for more. */
    private long available(long wanted) {
        long available = wanted;
        for (RateLease lease : leases) {
            available = available == 0 ? 0 : lease.available(available);
        }
        return available;
    }

    private void await(Turn turn, long wanted, boolean ranOut) {
        wantedByWaiting += wanted - turn.wants;
        turn.wants = wanted;
        if (!turn.waits) {
            turn.waits = true;
            waiting.add(turn);
        }
        available(wantedByWaiting);
        if (ranOut && !held) {
            hold();
        }
    }

    private void leave(Turn turn) {
        wantedByWaiting -= turn.wants;
        turn.wants = 0;
        if (turn.waits) {
            turn.waits = false;
            waiting.remove(turn);
        }
        if (waiting.isEmpty() && held) {
            held = false;
            long millis = Math.max(0, connection.loop().now() - heldSinceMillis);
            connection.events().rateWaitOver(connection, Duration.ofMillis(millis));
        }
    }

    private void hold() {
        held = true;
        heldSinceMillis = connection.loop().now();
        RateLease own = leases.get(0);
        RateLease scarce = own.empty() ? own : leases.get(leases.size() - 1);
        connection
                .events()
                .rateReached(connection, scarce.pool().user(), scarce.pool().rate());
    }

    /** Tokens have come: the links that wait ask again, each for an even part. */
    private void serve() {
        long left = available(wantedByWaiting);
        for (int turns = waiting.size(); turns > 0 && left > 0; turns--) {
            Turn turn = waiting.peek();
            leave(turn);
            turn.share = Math.max(1, left / turns);
            turn.ask.run();
            turn.share = 0;
            left = available(wantedByWaiting);
        }
    }
}
