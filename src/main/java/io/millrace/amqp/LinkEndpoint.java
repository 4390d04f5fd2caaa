package io.millrace.amqp;

import io.millrace.broker.Departure;
import io.millrace.broker.LinkEndpoints;
import io.millrace.loop.Loop;
import java.util.Optional;
import java.util.function.Consumer;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.Role;

/**
 * Our end of a link that can be resumed: what is left of it when the link is gone, until the peer attaches it again or the time
 * is up (AMQP 1.0, part 2, section 2.6.13). Owned by the loop of the link's connection.
 *
 * <p>Each attach has an endpoint of its own, which takes over what its predecessor hands to it. Nothing is handed over
 * before every outcome on its way to the disk is there, so what goes on is either open or certain.
 */
abstract sealed class LinkEndpoint implements LinkEndpoints.Endpoint permits ReceivingEndpoint, SendingEndpoint {
    private final AmqpLink link;
    private final Loop loop;
    private final LinkEndpoints book;
    private final LinkEndpoints.Name name;
    private final UnsettledMap unsettled;
    private Optional<Retention> retention;
    private State state = State.ATTACHED;

    /** The predecessor has let go. */
    private boolean claimed;

    /** Outcomes that are told and not durable yet, or not known yet. */
    private int pending;

    private Optional<Loop.Timer> timer = Optional.empty();
    private Optional<Consumer<Optional<LinkEndpoints.Remains>>> heir = Optional.empty();

    private enum State {
        ATTACHED,
        SUSPENDED,
        GONE
    }

    LinkEndpoint(AmqpLink link, AmqpSession session, Attach asked, Optional<Retention> retention) {
        AmqpConnection connection = session.connection();
        this.link = link;
        this.loop = connection.loop();
        this.book = connection.nodes().containers().endpoints();
        this.name = nameOf(connection, asked);
        this.unsettled = new UnsettledMap(asked, connection.maxFrameSize());
        this.retention = connection.container().isEmpty() ? Optional.empty() : retention;
    }

    static LinkEndpoints.Name nameOf(AmqpConnection connection, Attach asked) {
        return new LinkEndpoints.Name(
                connection.user(), connection.container(), asked.getName(), asked.getRole() == Role.SENDER);
    }

    /** Takes over what the predecessor has left. */
    abstract void inherit(LinkEndpoints.Remains remains);

    /** What goes on with the successor. */
    abstract LinkEndpoints.Remains remains();

    /** Gives up what is kept. */
    abstract void end(boolean lost);

    Loop loop() {
        return loop;
    }

    /** What the peer has said of its unsettled deliveries, and what we say of ours. */
    UnsettledMap unsettled() {
        return unsettled;
    }

    /** Takes the name; the link opens when the predecessor has let go. */
    final void claim() {
        if (retention.isEmpty()) {
            claimed = true;
            link.open();
            return;
        }
        book.claim(name, this, new LinkEndpoints.Answer() {
            @Override
            public void claimed(Optional<LinkEndpoints.Remains> remains) {
                LinkEndpoint.this.claimed(remains);
            }

            @Override
            public void refused() {
                retention = Optional.empty();
                LinkEndpoint.this.claimed(Optional.empty());
            }
        });
    }

    private void claimed(Optional<LinkEndpoints.Remains> remains) {
        claimed = true;
        remains.ifPresent(this::inherit);
        if (heir.isPresent()) {
            handOver();
        } else if (state == State.GONE) {
            end(false);
        } else if (state == State.ATTACHED) {
            link.open();
        }
    }

    /** Says in the answer to the attach what can be resumed, and for how long. */
    final void tell(Attach answer) {
        unsettled.tell(answer);
        Object end = answer.getRole() == Role.SENDER ? answer.getSource() : answer.getTarget();
        retention.ifPresent(kept -> kept.tell(end));
    }

    /** Whether the link is suspended, or taken over, when it leaves like this. */
    final boolean survives(Departure how, boolean lost) {
        return heir.isPresent()
                || retention.map(kept -> kept.survives(how, lost)).orElse(false);
    }

    /** The link is gone. */
    final void left(boolean stays, boolean lost) {
        if (stays) {
            state = State.SUSPENDED;
            if (heir.isPresent()) {
                handOver();
            } else {
                retention.ifPresent(
                        kept -> timer = Optional.of(loop.after(kept.timeout().toMillis(), this::drop)));
            }
        } else {
            state = State.GONE;
            book.release(name, this);
            end(lost);
        }
    }

    /** The peer has come back, or the time is up. */
    @Override
    public final void drop() {
        if (state == State.ATTACHED) {
            link.end(Termini.stolen(name.link()));
        } else if (state == State.SUSPENDED && heir.isEmpty()) {
            state = State.GONE;
            timer.ifPresent(Loop.Timer::cancel);
            book.release(name, this);
            end(true);
        }
    }

    @Override
    public final void surrender(Consumer<Optional<LinkEndpoints.Remains>> to) {
        if (state == State.GONE) {
            to.accept(Optional.empty());
            return;
        }
        heir = Optional.of(to);
        timer.ifPresent(Loop.Timer::cancel);
        if (state == State.ATTACHED) {
            link.end(Termini.stolen(name.link()));
        } else {
            handOver();
        }
    }

    private void handOver() {
        if (claimed && pending == 0 && state == State.SUSPENDED && heir.isPresent()) {
            state = State.GONE;
            heir.get().accept(Optional.of(remains()));
        }
    }

    /** An outcome is not certain yet. */
    final void pending() {
        pending++;
    }

    /** It is. */
    final void certain() {
        pending--;
        handOver();
    }
}
