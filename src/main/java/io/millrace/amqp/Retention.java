package io.millrace.amqp;

import io.millrace.broker.Departure;
import java.time.Duration;
import java.util.Optional;
import org.apache.qpid.proton.amqp.UnsignedInteger;
import org.apache.qpid.proton.amqp.messaging.Terminus;
import org.apache.qpid.proton.amqp.messaging.TerminusDurability;
import org.apache.qpid.proton.amqp.messaging.TerminusExpiryPolicy;
import org.apache.qpid.proton.amqp.transport.Attach;
import org.apache.qpid.proton.amqp.transport.ReceiverSettleMode;
import org.apache.qpid.proton.amqp.transport.Role;
import org.apache.qpid.proton.amqp.transport.SenderSettleMode;

/**
 * For how long a link can be resumed once it is suspended (AMQP 1.0, part 2, section 2.6.13, and part 3, section 3.5.5).
 *
 * @param policy what ends the link's terminus, and starts its time, as the peer asked
 * @param timeout how long it is kept
 * @param asked whether the peer named the time: then any way to leave but a close starts it
 */
record Retention(TerminusExpiryPolicy policy, Duration timeout, boolean asked) {
    /** Of a link whose peer wants to resume it, and does not say when at the latest. */
    private static final Duration DEFAULT = Duration.ofSeconds(30);

    private static final Duration MOST = Duration.ofDays(1);

    /**
     * Empty for a link that is never resumed: one whose peer shows no sign that it could, whose deliveries are settled when
     * they are sent, or whose node lives only as long as the link.
     */
    static Optional<Retention> of(Attach asked) {
        boolean peerSends = asked.getRole() == Role.SENDER;
        Object end = peerSends ? asked.getTarget() : asked.getSource();
        if (!(end instanceof Terminus terminus)
                || terminus.getDynamic()
                || asked.getSndSettleMode() == SenderSettleMode.SETTLED
                || (!peerSends && Termini.browses(end))) {
            return Optional.empty();
        }
        TerminusExpiryPolicy policy =
                terminus.getExpiryPolicy() == null ? TerminusExpiryPolicy.SESSION_END : terminus.getExpiryPolicy();
        long seconds = terminus.getTimeout() == null ? 0 : terminus.getTimeout().longValue();
        boolean resumes = asked.getRcvSettleMode() == ReceiverSettleMode.SECOND
                || asked.getUnsettled() != null
                || (seconds > 0 && policy != TerminusExpiryPolicy.LINK_DETACH);
        if (!resumes) {
            return Optional.empty();
        }
        Duration timeout = seconds == 0 ? DEFAULT : Duration.ofSeconds(Math.min(seconds, MOST.toSeconds()));
        return Optional.of(new Retention(policy, timeout, seconds > 0));
    }

    /**
     * Whether the link is suspended when it leaves like this, rather than closed.
     *
     * @param lost the connection broke
     */
    boolean survives(Departure how, boolean lost) {
        return switch (how) {
            case CLOSED -> false;
            case DETACHED -> asked || policy != TerminusExpiryPolicy.LINK_DETACH;
            case SESSION_ENDED ->
                asked || policy == TerminusExpiryPolicy.CONNECTION_CLOSE || policy == TerminusExpiryPolicy.NEVER;
            case CONNECTION_CLOSED -> lost || asked || policy == TerminusExpiryPolicy.NEVER;
        };
    }

    /** Says what is in force of what was asked of a terminus that is nothing but the end of its link. */
    void tell(Object end) {
        if (end instanceof Terminus terminus && terminus.getDurable() == TerminusDurability.NONE) {
            terminus.setTimeout(UnsignedInteger.valueOf(timeout.toSeconds()));
            if (policy == TerminusExpiryPolicy.NEVER) {
                terminus.setExpiryPolicy(TerminusExpiryPolicy.CONNECTION_CLOSE);
            }
        }
    }
}
