package io.millrace.amqp;

import io.millrace.config.Rate;
import io.millrace.loop.Loop;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What may be sent in a second by those who share a limit: the links of a connection, or the connections of a user. Owned by one
 * loop, which need not be that of the {@link RateLease leases} that draw on it.
 *
 * <p>Leases that find too little wait in a line; when a lump has come it is shared evenly among the first of them, and whoever
 * got something goes to the end. One timer while somebody waits, none otherwise.
 */
final class RatePool {
    /** So that a clock that was set does not matter for longer. */
    private static final long LONGEST_WAIT_MILLIS = 1000;

    /** A message is this part of a second's bytes, until it is known how large they are. */
    private static final int FIRST_GUESS = 64;

    private static final int LEAST_GUESS = 1024;

    /** Of so many messages the size is the average. */
    private static final int AVERAGED = 8;

    private final Loop loop;
    private final Optional<String> user;
    private final Rate rate;
    private final TokenBucket messages;
    private final TokenBucket bytes;
    private final Map<RateLease, Long> waiting = new LinkedHashMap<>();
    private boolean waits;

    /** What a message takes, by those that came last; 0 if it does not matter. */
    private long bytesPerMessage;

    /** Bytes since the last message ended. */
    private long begunBytes;

    /** @param user whose connections share it; empty if it is for the links of one connection */
    RatePool(Loop loop, Optional<String> user, Rate rate) {
        this.loop = loop;
        this.user = user;
        this.rate = rate;
        long now = loop.now();
        messages = rate.messages().map(each -> TokenBucket.of(each, now)).orElseGet(TokenBucket::unlimited);
        bytes = rate.bytes().map(each -> TokenBucket.of(each, now)).orElseGet(TokenBucket::unlimited);
        bytesPerMessage = rate.bytes()
                .map(each -> Math.max(LEAST_GUESS, each / FIRST_GUESS))
                .orElse(0L);
    }

    Loop loop() {
        return loop;
    }

    /** Whose it is; empty if it is a connection's. */
    Optional<String> user() {
        return user;
    }

    Rate rate() {
        return rate;
    }

    /** Sets tokens aside for so many messages or fewer, now if there are some and nobody was first. */
    void ask(RateLease lease, long wanted) {
        fill();
        long available = waiting.isEmpty() ? available() : 0;
        if (available > 0) {
            give(lease, Math.min(wanted, available));
        } else {
            waiting.put(lease, wanted);
            wakeInTime();
        }
    }

    /** The lease wants nothing more. */
    void forget(RateLease lease) {
        loop.assertCurrent();
        waiting.remove(lease);
    }

    /**
     * Messages are here, or bytes of them, or will not come.
     *
     * @param kept tokens for so many messages are not kept any longer
     * @param keptBytes nor these, which were set aside with them
     * @param came so many of them have come
     * @param cameBytes bytes that have
     */
    void spend(long kept, long keptBytes, long came, long cameBytes) {
        fill();
        messages.spend(kept, came);
        bytes.spend(keptBytes, cameBytes);
        begunBytes += cameBytes;
        if (came > 0 && bytesPerMessage > 0) {
            long weight = Math.min(AVERAGED, came);
            long average = begunBytes / came;
            bytesPerMessage = Math.max(1, bytesPerMessage + (average - bytesPerMessage) * weight / AVERAGED);
        }
        begunBytes = came > 0 ? 0 : begunBytes;
    }

    private void fill() {
        loop.assertCurrent();
        long now = loop.now();
        messages.fill(now);
        bytes.fill(now);
    }

    private long available() {
        long forBytes = bytes.available();
        return Math.min(
                messages.available(),
                bytesPerMessage == 0 || forBytes == 0 ? forBytes : Math.max(1, forBytes / bytesPerMessage));
    }

    private void give(RateLease lease, long count) {
        lease.give((int) count, setAside(count));
    }

    private long setAside(long count) {
        messages.setAside(count);
        bytes.setAside(count * bytesPerMessage);
        return count * bytesPerMessage;
    }

    private void wakeInTime() {
        if (!waits && !waiting.isEmpty()) {
            waits = true;
            long millis = Math.max(messages.millisToWait(), bytes.millisToWait());
            loop.after(Math.max(1, Math.min(millis, LONGEST_WAIT_MILLIS)), this::wake);
        }
    }

    private void wake() {
        waits = false;
        fill();
        record Turn(RateLease lease, long count, long bytes) {}
        List<Turn> turns = new ArrayList<>();
        long left = available();
        long each = Math.max(1, left / Math.max(1, waiting.size()));
        for (Map.Entry<RateLease, Long> first : waiting.entrySet()) {
            long count = Math.min(left, Math.min(each, first.getValue()));
            if (count == 0) {
                break;
            }
            left -= count;
            turns.add(new Turn(first.getKey(), count, setAside(count)));
        }
        turns.forEach(turn -> waiting.remove(turn.lease));
        // They may ask for more at once: everything is as it should be by now.
        turns.forEach(turn -> turn.lease.give((int) turn.count, turn.bytes));
        wakeInTime();
    }
}
