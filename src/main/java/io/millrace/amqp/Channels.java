package io.millrace.amqp;

import io.millrace.broker.Departure;
import io.millrace.message.Condition;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.function.Consumer;
import org.apache.qpid.proton.amqp.transport.Begin;

/**
 * The sessions of one connection by the channels on which the peer sends, and the channels on which we do (AMQP 1.0, part 2,
 * section 2.5.1). Owned by its connection.
 *
 * <p>We answer on the same number where we can: where the peer takes it, and no other session has it.
 */
final class Channels {
    private final int channelMax;
    private final IntMap<AmqpSession> sessions = new IntMap<>();
    private final BitSet outgoing = new BitSet();
    private final List<Consumer<Departure>> leftBehind = new ArrayList<>(0);
    private int remoteChannelMax;

    Channels(int channelMax) {
        this.channelMax = channelMax;
    }

    /** The peer takes no channel above this. */
    void limitedTo(int remote) {
        remoteChannelMax = remote;
    }

    void begin(int channel, Begin begin, AmqpConnection connection) {
        check(begin, channel);
        int answer = channel <= remoteChannelMax && !outgoing.get(channel) ? channel : outgoing.nextClearBit(0);
        if (answer > remoteChannelMax) {
            throw ProtocolViolation.ofConnection(
                    Condition.RESOURCE_LIMIT_EXCEEDED,
                    "the session on channel " + channel + " cannot be answered: the peer's channel-max is "
                            + remoteChannelMax + ", and none is free");
        }
        outgoing.set(answer);
        sessions.put(channel, new AmqpSession(connection, channel, answer, begin));
    }

    private void check(Begin begin, int channel) {
        if (channel > channelMax) {
            throw ProtocolViolation.ofConnection(
                    Condition.FRAMING_ERROR, "channel " + channel + " is above channel-max " + channelMax);
        }
        if (begin.getRemoteChannel() != null) {
            throw ProtocolViolation.ofConnection(
                    Condition.INVALID_FIELD, "remote-channel is set, but this broker has begun no session");
        }
        if (sessions.get(channel) != null) {
            throw ProtocolViolation.ofConnection(
                    Condition.ILLEGAL_STATE, "a session has begun already on channel " + channel);
        }
    }

    /** The session on a channel; the connection ends when there is none. */
    AmqpSession session(int channel) {
        AmqpSession session = sessions.get(channel);
        if (session == null) {
            throw ProtocolViolation.ofConnection(Condition.ILLEGAL_STATE, "no session has begun on channel " + channel);
        }
        return session;
    }

    /** The peer has ended the session: both of its channels are free. */
    void ended(int channel) {
        AmqpSession session = session(channel);
        session.endedByPeer();
        sessions.remove(channel);
        outgoing.clear(session.channel());
    }

    Iterable<AmqpSession> all() {
        return sessions.copy();
    }

    /** The connection is over: lets all links go, without a word to the peer. */
    void release(boolean lost) {
        for (AmqpSession session : sessions.copy()) {
            session.release(lost, Departure.CONNECTION_CLOSED);
        }
        leftBehind.forEach(task -> task.accept(Departure.CONNECTION_CLOSED));
        leftBehind.clear();
    }

    /** Tells when the connection is over. */
    void whenClosed(Consumer<Departure> task) {
        leftBehind.add(task);
    }
}
