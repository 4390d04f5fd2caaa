package io.millrace.simulation;

import io.millrace.broker.LocalTransaction;
import io.millrace.message.Outcome;
import java.util.ArrayList;
import java.util.List;

/** A transaction as the client that controls it knows it. */
final class SimTransaction {
    final LocalTransaction broker;
    final List<Copy> sent = new ArrayList<>();
    final List<Taken> taken = new ArrayList<>();
    State state = State.OPEN;

    /** A message was refused: it cannot be committed. */
    boolean doomed;

    long bytes;

    SimTransaction(LocalTransaction broker) {
        this.broker = broker;
    }

    /** How far it is. */
    enum State {
        OPEN,
        /** The client has asked for it, and has no answer. */
        COMMITTING,
        COMMITTED,
        ROLLED_BACK
    }

    /**
     * A delivery settled in it.
     *
     * @param at where it came from
     * @param onDisk whether the message was on disk then
     */
    record Taken(Copy copy, Place at, Outcome outcome, boolean onDisk) {}
}
