package io.millrace.amqp;

import io.millrace.broker.Node;
import io.millrace.broker.Nodes;
import io.millrace.message.Condition;
import java.util.Map;
import java.util.Optional;
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
    private final AmqpSession session;
    private final Attach asked;
    private final int localHandle;
    private State state = State.OPENING;
    private Optional<Node> temporary = Optional.empty();

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

    /** Puts what is in force into the attach that answers. */
    abstract void accept(Attach answer, Node node);

    /** The node is there: answers the attach, at once or when the node lets the link in. */
    abstract void opened(Node node);

    abstract void flowed(Flow flow);

    abstract void transferred(Transfer transfer, Binary payload);

    /** Gives up what the link holds. */
    abstract void closed(boolean lost);

    /** Looks the node up, or makes a temporary one. */
    final void openNode(String address, boolean dynamic, Nodes.Use use) {
        AmqpConnection connection = session.connection();
        Nodes.Answer answer = new Nodes.Answer() {
            @Override
            public void opened(Node node) {
                nodeOpened(node, dynamic);
            }

            @Override
            public void refused(Condition reason) {
                if (state == State.OPENING) {
                    refuse(reason);
                }
            }
        };
        if (dynamic) {
            connection.nodes().openTemporary(connection, answer);
        } else {
            connection.nodes().open(address, use, connection, answer);
        }
    }

    private void nodeOpened(Node node, boolean dynamic) {
        if (dynamic) {
            temporary = Optional.of(node);
        }
        if (state != State.OPENING) {
            deleteTemporary();
            return;
        }
        opened(node);
    }

    /** Answers the attach: the link is there. */
    final void attach(Node node) {
        Attach answer = newAnswer();
        accept(answer, node);
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
        detach(reason);
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
        if (state != State.ACTIVE) {
            return;
        }
        state = State.DETACHED;
        session.connection().events().refused(session.connection(), reason);
        closed(false);
        deleteTemporary();
        Detach detach = newDetach(true);
        detach.setError(Conditions.encode(reason));
        session.frames().frame(session.channel(), detach);
    }

    final void detachedByPeer(Detach detach) {
        if (state == State.OPENING) {
            attach(newAnswer());
        }
        if (state == State.ACTIVE) {
            closed(false);
            deleteTemporary();
            session.frames().frame(session.channel(), newDetach(detach.getClosed()));
        }
        state = State.GONE;
        session.forget(this);
    }

    private Detach newDetach(boolean closed) {
        Detach detach = new Detach();
        detach.setHandle(UnsignedInteger.valueOf(localHandle));
        detach.setClosed(closed);
        return detach;
    }

    /** The session or the connection is gone. */
    final void release(boolean lost) {
        if (state == State.OPENING || state == State.ACTIVE) {
            closed(lost);
            deleteTemporary();
        }
        state = State.GONE;
    }

    private void deleteTemporary() {
        temporary.ifPresent(session.connection().nodes()::deleteTemporary);
        temporary = Optional.empty();
    }
}
