package io.millrace.simulation;

import java.util.HashSet;
import java.util.Optional;
import java.util.Set;

/** A message in one place, as far as clients can tell. */
final class Copy {
    final Parcel parcel;
    final Place place;
    Fate fate = Fate.OFFERED;

    /** The transaction that sent it or has settled it, and that is not over as far as clients can tell. */
    Optional<SimTransaction> transaction = Optional.empty();

    /** Who has it in hand, if anybody. */
    SimConsumer holder;

    /** It is dead for good, as the clients know: it is in a grave. */
    boolean buried;

    /** It may be in a grave. */
    boolean died;

    final Set<SimConsumer> excluded = new HashSet<>(0);

    /** Somebody said so in a transaction, so that it may be as if it were among {@link #excluded}. */
    boolean mayBeExcluded;

    int failures;

    /** How many more attempts may have failed than those in {@link #failures}, for a transaction may have been rolled back. */
    int doubtfulFailures;

    /** It is not to be delivered before. */
    long notBefore;

    /** It was given back, and rests if there was room for it in the store. */
    boolean mayRest;

    /** It was delivered once at least. */
    boolean seen;

    /** Where a message is in its life. */
    enum Fate {
        OFFERED,
        /** Sent in a transaction that is not committed, as far as clients can tell. */
        TENTATIVE,
        PRESENT,
        /** A consumer is through with it, and may have been told so or not. */
        SETTLED,
        /** It may be there or not: the broker died while this was open, or the subscription came or went. */
        DOUBT,
        GONE
    }

    Copy(Parcel parcel, Place place) {
        this.parcel = parcel;
        this.place = place;
        this.notBefore = parcel.traits.dueMillis();
    }

    /** Whether a crash leaves it, if the store has it. */
    boolean durable() {
        return parcel.durable() && (place.persistent || died);
    }

    /** Whether it must be somewhere, unless its time is over. */
    boolean mustBeThere() {
        return fate == Fate.PRESENT && (!place.dropsOldest() || buried);
    }

    boolean expires() {
        return parcel.traits.expiryMillis() != 0 && !buried;
    }

    /** Whether it may have expired by then. */
    boolean mayHaveExpired(long nowMillis) {
        return parcel.traits.expiryMillis() != 0 && parcel.traits.expiryMillis() <= nowMillis;
    }

    /** Whether another message with its message-id may have been taken in its stead. */
    boolean mayRepeat() {
        return place.tellsDuplicates() && !parcel.traits.identity().isEmpty();
    }

    @Override
    public String toString() {
        return parcel.name + " of " + place + " (" + fate + ", generation " + parcel.generation + ", " + parcel.traits
                + ")";
    }
}
