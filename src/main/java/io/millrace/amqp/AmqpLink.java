package io.millrace.amqp;

import io.millrace.broker.Departure;
import io.millrace.broker.Lifetime;
import io.millrace.broker.Link;
import io.millrace.broker.Node;
import io.millrace.broker.NodeType;
import io.millrace.broker.Nodes;
import io.millrace.broker.Request;
import io.millrace.message.Condition;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.qpid.proton.amqp.Binary;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Detach;
import org.apache.qpid.proton.amqp.transport.Flow;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.amqp.transport.Transfer;

/**
 * What both directions of links have in common: the way from the peer's attach over the look-up of the node to the answer,
 * and the ways out (AMQP 1.0, part 2, section 2.6). Owned by its session.
 *
 * <p>A refused link is attached without its terminus and then detached with the reason (section 2.6.3). A link that we have
 * detached keeps its handle until the peer has detached it, too; what arrives for it meanwhile is dropped.
 */
abstract sealed class AmqpLink permits IncomingLink, OutgoingLink {
    /** What a link takes on the heap, and so many times what its attach has in bytes. */
    private static final int LINK_BYTES = 3000;

    private static final int FRAME_FACTOR = 4;

    private final AmqpSession session;
    private final Attach asked;
    private final int localHandle;
    private State state = State.OPENING;
    private Departure departure = Departure.DETACHED;
    private boolean stays;
    private int weight;

    /** What it has of the address book, to be given back when it goes. */
    private final List<Claim> claims = new ArrayList<>(1);

    private enum State {
        OPENING,
        ACTIVE,
        DETACHED,
        GONE
    }

    AmqpLink(AmqpSession session, Attach asked, int localHandle) {
        this.session = session;
        this.asked = asked;
        this.localHandle = localHandle;
    }

    /** Counts it, for it is here for as long as the peer likes, with all that the peer has said of it in so many bytes. */
    final void weighs(int frameBytes) {
        weight = LINK_BYTES + FRAME_FACTOR * frameBytes;
        session.connection().held().link(weight);
    }

    AmqpSession session() {
        return session;
    }

    String name() {
        return asked.getName();
    }

    int localHandle() {
        return localHandle;
    }

    int remoteHandle() {
        return asked.getHandle().intValue();
    }

    Attach asked() {
        return asked;
    }

    boolean active() {
        return state == State.ACTIVE;
    }

    /** Answers the attach, now or when the node is there. */
    abstract void open();

    /** What outlives the link, should it be one that can be resumed. */
    abstract Optional<? extends LinkEndpoint> endpoint();

    /** Puts what is in force into the attach that answers. */
    abstract void accept(Attach answer, Node node);

    /** The node is there: answers the attach, at once or when the node lets the link in. */
    abstract void opened(Node node);

    abstract void flowed(Flow flow);

    abstract void transferred(Transfer transfer, Binary payload);

    /** Gives up what the link holds. */
    abstract void closed(boolean lost);

    /** Opens it, as soon as a link that it resumes has let go. */
    final void claim() {
        Optional<? extends LinkEndpoint> endpoint = endpoint();
        if (endpoint.isPresent()) {
            endpoint.get().claim();
        } else {
            AmqpConnection connection = session.connection();
            connection.nodes().containers().endpoints().drop(LinkEndpoint.nameOf(connection, asked));
            open();
        }
    }

    /** Whether what the link holds is kept; known when it is {@link #closed}. */
    final boolean stays() {
        return stays;
    }

    private void depart(boolean lost, Departure how) {
        Optional<? extends LinkEndpoint> endpoint = endpoint();
        stays = endpoint.isPresent() && endpoint.get().survives(how, lost);
        closed(lost);
        endpoint.ifPresent(end -> end.left(stays, lost));
    }

    /** Which link it is, for the address book. */
    final Link link() {
        return new Link(session.connection(), session.connection().container(), name());
    }

    /** Looks the node up, or has it made. */
    final void openNode(Request request) {
        session.connection().nodes().open(request, new Claim(this::opened));
    }

    /** Has a temporary node made, which lives as long as this link. */
    final void openTemporary(NodeType type, Consumer<Node> made) {
        session.connection().nodes().openTemporary(type, link(), new Claim(made));
    }

    /** Waits for a node, and is told when it goes. */
    private final class Claim implements Nodes.Answer {
        private final Consumer<Node> next;
        private Optional<Node> node = Optional.empty();

        Claim(Consumer<Node> next) {
            this.next = next;
        }

        @Override
        public void opened(Node opened) {
            node = Optional.of(opened);
            if (state == State.OPENING) {
                claims.add(this);
                next.accept(opened);
            } else {
                giveBack(departure);
            }
        }

        @Override
        public void refused(Condition reason) {
            if (state == State.OPENING) {
                refuse(reason);
            }
        }

        @Override
        public void deleted(Condition reason) {
            detach(reason);
        }

        void giveBack(Departure how) {
            node.ifPresent(each -> session.connection().nodes().release(each, this, how));
        }

        /** Whether the session or the connection has a say in how long the node lives. */
        boolean outlives(Departure how) {
            return how == Departure.DETACHED
                    && node.flatMap(Node::subscription)
                            .map(terms -> terms.lifetime().until() != Lifetime.Until.LINK_DETACH)
                            .orElse(false);
        }
    }

    private void leave(Departure how) {
        departure = how;
        for (Claim claim : claims) {
            claim.giveBack(how);
            if (claim.outlives(how)) {
                session.whenGone(claim::giveBack);
            }
        }
        claims.clear();
    }

    /** Answers the attach: the link is there. */
    final void attach(Node node) {
        Attach answer = newAnswer();
        accept(answer, node);
        endpoint().ifPresent(endpoint -> endpoint.tell(answer));
        attach(answer);
    }

    boolean opening() {
        return state == State.OPENING;
    }

    final Attach newAnswer() {
        Attach answer = new Attach();
        answer.setName(asked.getName());
        answer.setHandle(UnsignedInteger.valueOf(localHandle));
        answer.setRole(asked.getRole() == Role.SENDER ? Role.RECEIVER : Role.SENDER);
        answer.setSndSettleMode(asked.getSndSettleMode());
        answer.setProperties(Map.of());
        if (answer.getRole() == Role.SENDER) {
            answer.setInitialDeliveryCount(UnsignedInteger.ZERO);
        }
        return answer;
    }

    final void attach(Attach answer) {
        state = State.ACTIVE;
        session.frames().frame(session.channel(), answer);
    }

    /** Answers with an attach that has no terminus on our side, and a detach that says why. */
    final void refuse(Condition reason) {
        Attach answer = newAnswer();
        if (answer.getRole() == Role.SENDER) {
            answer.setTarget(asked.getTarget());
        } else {
            answer.setSource(asked.getSource());
        }
        attach(answer);
        detach(reason, false);
    }

    /** Ends the link from our side, or never lets it in. */
    final void end(Condition reason) {
        if (state == State.OPENING) {
            refuse(reason);
        } else {
            detach(reason);
        }
    }

    /** Ends a link that is attached. */
    final void detach(Condition reason) {
        detach(reason, true);
    }

    private void detach(Condition reason, boolean was) {
        if (state != State.ACTIVE) {
            return;
        }
        state = State.DETACHED;
        session.connection().events().linkEnded(session.connection(), name(), was, reason);
        depart(false, Departure.CLOSED);
        leave(Departure.DETACHED);
        Detach detach = newDetach(true);
        detach.setError(Conditions.encode(reason));
        session.frames().frame(session.channel(), detach);
    }

    final void detachedByPeer(Detach detach) {
        departure = detach.getClosed() ? Departure.CLOSED : Departure.DETACHED;
        if (state == State.OPENING) {
            attach(newAnswer());
        }
        boolean answer = state == State.ACTIVE;
        gone();
        session.forget(this);
        if (answer) {
            depart(false, departure);
            detaching(detach.getClosed(), objection -> detached(detach.getClosed(), objection));
            leave(departure);
        } else {
            session.free(localHandle);
        }
    }

    /** The peer has detached the link: what is to be done before it is answered. */
    void detaching(boolean closed, Consumer<Optional<Condition>> answer) {
        answer.accept(Optional.empty());
    }

    private void detached(boolean closed, Optional<Condition> objection) {
        session.free(localHandle);
        if (session.active()) {
            Detach detach = newDetach(closed);
            objection.ifPresent(reason -> detach.setError(Conditions.encode(reason)));
            session.frames().frame(session.channel(), detach);
        }
    }

    private Detach newDetach(boolean closed) {
        Detach detach = new Detach();
        detach.setHandle(UnsignedInteger.valueOf(localHandle));
        detach.setClosed(closed);
        return detach;
    }

    /** The session or the connection is gone. */
    final void release(boolean lost, Departure how) {
        departure = how;
        if (state == State.OPENING || state == State.ACTIVE) {
            depart(lost, how);
            leave(how);
        }
        gone();
    }

    private void gone() {
        if (state != State.GONE) {
            state = State.GONE;
            session.connection().held().link(-weight);
        }
    }
}
