package io.millrace.queue;

import io.millrace.loop.Loop;
import io.millrace.message.Condition;
import java.util.Optional;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The line of those that found no room in a queue and wait for it, for a bounded time, the first to come in front. Owned by
 * the queue.
 *
 * <p>While somebody waits nobody else comes in. When something leaves the queue, or the store has room again, those in front
 * come in, at the end of the turn. Who has waited for the time that is set is refused. If nobody came in for all that time,
 * the queue takes nobody into its line any more and refuses at once, until it has taken a message. One timer runs while
 * somebody waits, for the first in line.
 */
final class Hold {
    private static final Logger LOG = LoggerFactory.getLogger(Hold.class);

    /** One that is full for the blink of an eye, again and again, does not fill the log. */
    private static final long SILENCE_MILLIS = 60_000;

    private final Queue queue;
    private final LoopResources loop;
    private final Admission admission;
    private final Tally tally;
    private final TreeSet<Held> line = new TreeSet<>();
    private final Runnable look = this::look;
    private boolean idle = true;
    private long bytes;
    private long admitted;
    private boolean refusing;
    private boolean refusingForStore;
    private boolean lookIsDue;
    private boolean looking;
    private boolean waitsForStore;
    private long toldMillis = Long.MIN_VALUE;
    private Optional<Held> timed = Optional.empty();
    private Optional<Loop.Timer> timer = Optional.empty();

    Hold(Queue queue, LoopResources loop, Admission admission, Tally tally) {
        this.queue = queue;
        this.loop = loop;
        this.admission = admission;
        this.tally = tally;
    }

    /** Whether nobody waits, and nobody is refused without waiting: all that a message into a queue with room asks. */
    boolean idle() {
        return idle;
    }

    /** How many wait. */
    int size() {
        return line.size();
    }

    /** How many more messages a link may let its peer send: one at least, for a peer without credit hears nothing. */
    int room(long left) {
        return idle ? (int) Math.max(1, Math.min(left, Integer.MAX_VALUE)) : 1;
    }

    /** Why one that has just come may not come in before those that wait; empty if nobody does. */
    Optional<Condition> precedence() {
        return line.isEmpty() ? Optional.empty() : Optional.of(line.first().reason());
    }

    /** As {@link #precedence()}, for one that has waited elsewhere. */
    Optional<Condition> precedence(Held other) {
        return line.isEmpty() || other.before(line.first()) ? Optional.empty() : precedence();
    }

    // ---- in line

    /** Whether it waits from now on, until it may try again or is refused; counts it as refused otherwise. */
    boolean add(Held held, Condition reason) {
        boolean fits =
                line.isEmpty() || bytes + held.message().size() <= loop.memory().shareBytes() / 2;
        if (admission.holdMillis() == 0
                || refusing
                || queue.deleted()
                || !fits
                || !admission.mayHaveRoomFor(held.message(), reason)) {
            refused(reason);
            return false;
        }
        held.waitsFor(reason);
        held.admittedBefore = admitted;
        line.add(held);
        bytes += held.message().size();
        idle = false;
        waitFor(reason);
        setTimer();
        return true;
    }

    /** A message is refused. */
    void refused(Condition reason) {
        tally.refused++;
        long now = queue.now();
        if (reason.symbol().equals(Condition.RESOURCE_LIMIT_EXCEEDED) && now >= toldMillis + SILENCE_MILLIS) {
            toldMillis = now;
            LOG.warn("{} (told once a minute at most)", reason.description());
        }
    }

    /** Whether it was in line; then it is not any more. */
    boolean remove(Held held) {
        boolean was = line.contains(held);
        if (was) {
            take(held);
            roomMayHaveCome();
            setTimer();
        }
        return was;
    }

    private void take(Held held) {
        line.remove(held);
        bytes -= held.message().size();
        settleDown();
    }

    private void settleDown() {
        idle = line.isEmpty() && !refusing;
    }

    private void waitFor(Condition reason) {
        if (Admission.isStoreFull(reason) && !waitsForStore) {
            waitsForStore = true;
            loop.recorder().whenStoreHasRoom(() -> {
                waitsForStore = false;
                roomMayHaveCome();
            });
        }
    }

    // ---- room

    /** Something left the queue, or the store has room again. */
    void roomMayHaveCome() {
        if (!line.isEmpty() && !lookIsDue) {
            lookIsDue = true;
            loop.loop().post(look);
        }
    }

    /** A message came in that did not have to wait. */
    void entered() {
        if (refusing && !(refusingForStore && !loop.recorder().journal().room().available())) {
            refusing = false;
            settleDown();
        }
    }

    private void look() {
        lookIsDue = false;
        if (looking) {
            return;
        }
        looking = true;
        boolean room = true;
        while (room && !line.isEmpty()) {
            Held first = line.first();
            Optional<Condition> objection = queue.offers().lack(first.message());
            objection.ifPresent(reason -> {
                first.waitsFor(reason);
                waitFor(reason);
            });
            room = objection.isEmpty();
            if (room) {
                admit(first);
            }
        }
        looking = false;
        setTimer();
    }

    private void admit(Held first) {
        take(first);
        admitted++;
        first.tryAgain();
    }

    // ---- time

    private void setTimer() {
        Optional<Held> first = line.isEmpty() ? Optional.empty() : Optional.of(line.first());
        if (first.equals(timed)) {
            return;
        }
        timer.ifPresent(Loop.Timer::cancel);
        timed = first;
        timer = first.map(held -> loop.loop().after(remainingMillis(held), this::rang));
    }

    /** Never more than the time that is set, whatever becomes of the time of day. */
    private long remainingMillis(Held held) {
        long all = admission.holdMillis();
        return Math.max(1, Math.min(all, held.sinceMillis() + all - queue.now()));
    }

    private void rang() {
        timer = Optional.empty();
        timed = Optional.empty();
        boolean over = true;
        while (over) {
            over = refuseFirst() && !line.isEmpty() && isOver(line.first());
        }
        look();
    }

    /** What came in one burst is over together. */
    private boolean isOver(Held held) {
        return queue.now() - held.sinceMillis() >= admission.holdMillis();
    }

    /** False if it is not refused, for there is room. */
    private boolean refuseFirst() {
        Held first = line.first();
        Optional<Condition> objection = queue.offers().lack(first.message());
        if (objection.isEmpty()) {
            return false;
        }
        boolean noRoomAtAll = first.admittedBefore == admitted;
        take(first);
        refused(objection.get());
        first.refused(objection.get());
        if (noRoomAtAll) {
            refuseAll(Admission.isStoreFull(objection.get()));
        }
        return true;
    }

    /** Nobody came in for as long as anybody should wait: who waits now would do so in vain. */
    private void refuseAll(boolean forStore) {
        refusing = true;
        refusingForStore = forStore;
        while (!line.isEmpty()) {
            Held first = line.first();
            Optional<Condition> objection = queue.offers().lack(first.message());
            if (objection.isEmpty()) {
                admit(first);
            } else {
                take(first);
                refused(objection.get());
                first.refused(objection.get());
            }
        }
        settleDown();
    }

    /** The queue is deleted: whoever waits tries again, and will see. */
    void clear() {
        refusing = false;
        while (!line.isEmpty()) {
            Held first = line.first();
            take(first);
            loop.loop().post(first::tryAgain);
        }
        settleDown();
        setTimer();
    }
}
