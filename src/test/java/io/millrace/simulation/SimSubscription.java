package io.millrace.simulation;

import io.millrace.broker.Departure;
import io.millrace.broker.Lifetime;
import io.millrace.broker.Link;
import io.millrace.broker.Node;
import io.millrace.broker.NodeType;
import io.millrace.broker.Nodes;
import io.millrace.broker.Request;
import io.millrace.broker.Terms;
import io.millrace.message.Condition;
import io.millrace.queue.Source;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/** A subscription that clients come back to, and what they know of its life. */
final class SimSubscription {
    private final Place place;
    private final Terms terms;
    private final Link link;
    private State state = State.ABSENT;
    private boolean stays;
    private int asked;
    private int linked;

    /** Whether it takes messages. */
    enum State {
        ABSENT,
        /** A link was asked for. */
        COMING,
        THERE,
        /** Its last link was closed for good. */
        LEAVING
    }

    /** Volatile, for one link; its name in figures has a number that nobody knows. */
    static SimSubscription volatileOne(Place place, Object connection) {
        place.isCalled(place.address + "::sim.#");
        return new SimSubscription(place, terms(place, false, false), new Link(connection, "sim", place.address));
    }

    static SimSubscription named(Place place, String name, boolean shared, Object connection) {
        place.isCalled(place.address + "::sim." + name);
        return new SimSubscription(place, terms(place, place.persistent, shared), new Link(connection, "sim", name));
    }

    private static Terms terms(Place place, boolean durable, boolean shared) {
        Lifetime life = durable ? new Lifetime(Lifetime.Until.NEVER, Duration.ZERO) : Lifetime.OF_LINK;
        return new Terms(durable, shared, false, place.colour.map(SimConsumer::selector), false, life);
    }

    private SimSubscription(Place place, Terms terms, Link link) {
        this.place = place;
        this.terms = terms;
        this.link = link;
    }

    Place place() {
        return place;
    }

    boolean isThere() {
        return state == State.THERE;
    }

    /**
     * Whether it takes a message that is sent now; empty if that cannot be told.
     *
     * @param atOnce it is not overtaken by a link on its way to the topic
     */
    Optional<Boolean> takes(String topic, Traits traits, boolean atOnce) {
        if ((state == State.ABSENT && atOnce) || !place.takes(topic, traits)) {
            return Optional.of(false);
        }
        return state == State.THERE ? Optional.of(true) : Optional.empty();
    }

    boolean mayBeOpened() {
        return state != State.LEAVING && (terms.shared() || asked + linked == 0);
    }

    /** Asks for a link. One that was closed just now, on another loop, may be in the way still. */
    void open(Nodes nodes, Ledger ledger, Consumer<SimConsumer> opened, Consumers consumers) {
        asked++;
        state = state == State.ABSENT ? State.COMING : state;
        if (state == State.COMING) {
            ledger.subscribing(place);
        }
        Runnable answered = ledger.expect("a link to " + place);
        nodes.open(Request.toReceive(place.address, Optional.of(NodeType.TOPIC), link, terms), new Nodes.Answer() {
            @Override
            public void opened(Node node) {
                answered.run();
                asked--;
                linked++;
                state = State.THERE;
                SimConsumer consumer = consumers.of(place, node.source());
                consumer.whenGone(() -> closed(nodes, node, this, ledger));
                opened.accept(consumer);
            }

            @Override
            public void refused(Condition reason) {
                answered.run();
                asked--;
                Checks.that(
                        state == State.THERE && reason.symbol().equals(Condition.RESOURCE_LOCKED),
                        "%s is refused: %s",
                        place,
                        reason);
            }
        });
    }

    /** Makes the consumer for a link. */
    @FunctionalInterface
    interface Consumers {
        SimConsumer of(Place place, Source source);
    }

    private void closed(Nodes nodes, Node node, Nodes.Answer answer, Ledger ledger) {
        linked--;
        // One in many goes for good; with a link on its way the subscription would end and begin at a time nobody
        // knows.
        boolean forGood = terms.durable() && linked + asked == 0 && !stays && ledger.endsSubscription();
        if ((forGood || !terms.durable()) && linked == 0) {
            state = State.LEAVING;
            ledger.ending(place);
        }
        nodes.release(node, answer, forGood ? Departure.CLOSED : Departure.DETACHED);
    }

    /** Whether a link that closes now leaves others behind, or none that is on its way. */
    boolean mayBeClosed() {
        return terms.durable() || asked == 0;
    }

    /** From now on it does not end by chance. */
    void stay() {
        stays = true;
    }

    /** Everything has come to rest. A durable one lives on if the last link to leave for good was not the last to arrive. */
    void settled(Set<String> nodes, Ledger ledger) {
        if (state == State.LEAVING && nodes.contains(place.title())) {
            state = State.THERE;
        } else if (state == State.LEAVING) {
            state = State.ABSENT;
            ledger.ended(place);
        }
    }

    /** The broker died; these nodes are in the store. */
    void crashed(Set<String> nodes, Ledger ledger) {
        boolean there = nodes.contains(place.title());
        Checks.that(state != State.THERE || !terms.durable() || there, "%s is not there after a crash", place);
        Checks.that(state != State.ABSENT || !there, "%s is there after a crash", place);
        asked = 0;
        linked = 0;
        if (state == State.LEAVING && !there) {
            ledger.ended(place);
        }
        state = there ? State.THERE : State.ABSENT;
    }
}
