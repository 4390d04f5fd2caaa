package io.millrace.simulation;

import io.millrace.message.Message;

/** Messages come neither before their time nor after their deadline, and those that expire end where they should. */
final class TimeRules {
    private final Plan plan;

    TimeRules(Plan plan) {
        this.plan = plan;
    }

    void delivered(Copy copy, Place at, Message message, Loops loops) {
        copy.mayRest = false;
        if (at == copy.place) {
            nothingComesBeforeItsTime(copy, loops);
            nothingComesAfterItsDeadline(copy, loops);
        } else if ("expired".equals(message.annotation("x-opt-death-reason"))) {
            nothingExpiresBeforeItsDeadlineOrElsewhere(copy, at, loops);
        }
    }

    /** A failed attempt may reach its queue when the store is full by then, though it was not when the consumer told it. */
    private void nothingComesBeforeItsTime(Copy copy, Loops loops) {
        boolean mayNotHaveRested = !(copy.parcel.durable() && copy.place.persistent) && plan.storeWasFull();
        Checks.that(
                mayNotHaveRested || copy.notBefore <= loops.latestMillis(),
                "%s comes at %s, before its time, %s",
                copy,
                loops.latestMillis(),
                copy.notBefore);
    }

    /** On other loops it may have been on its way for long. */
    private void nothingComesAfterItsDeadline(Copy copy, Loops loops) {
        Checks.that(
                plan.loops() > 1 || !copy.mayHaveExpired(loops.latestMillis()),
                "%s comes at %s, after its deadline",
                copy,
                loops.latestMillis());
    }

    private static void nothingExpiresBeforeItsDeadlineOrElsewhere(Copy copy, Place at, Loops loops) {
        Checks.that(copy.mayHaveExpired(loops.latestMillis()), "%s has expired before its time", copy);
        Checks.that(
                copy.place.expiredTo().filter(at.title()::equals).isPresent(),
                "%s has expired, and is in %s",
                copy,
                at);
    }

    /** An attempt failed: the message rests. Without room for it in the store, one that is not durable cannot. */
    void rests(Copy copy, Loops loops) {
        boolean sure = (copy.parcel.durable() && copy.place.persistent) || !plan.storeWasFull();
        copy.mayRest = !sure;
        copy.notBefore = sure ? loops.earliestMillis() + copy.place.restMillis() : 0;
    }
}
