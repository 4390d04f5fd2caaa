package io.millrace.amqp;

import io.millrace.config.Rate;
import io.millrace.message.Condition;
import java.time.Duration;
import java.util.Optional;

/** What happens to connections, for logs and metrics. Nothing of it happens per message. Called on the connection's loop. */
public interface ConnectionEvents {

    /** A peer is in. */
    void opened(AmqpConnection connection);

    /** The connection was refused, or ended by us. */
    void refused(AmqpConnection connection, Condition reason);

    /** A session was ended by us. */
    void sessionEnded(AmqpConnection connection, int channel, Condition reason);

    /**
     * A link was refused, or detached by us.
     *
     * @param was whether it had been let in
     */
    void linkEnded(AmqpConnection connection, String link, boolean was, Condition reason);

    /**
     * A link that could send cannot any more, because as much has come as a limit allows.
     *
     * @param user whose limit it is; empty if it is that of the connection
     */
    void rateReached(AmqpConnection connection, Optional<String> user, Rate rate);

    /** Every link may go on that a rate had held back. Comes once after each {@link #rateReached}. */
    void rateWaitOver(AmqpConnection connection, Duration waited);

    /** It is over, whether it was ever opened or not. Called exactly once. */
    void closed(AmqpConnection connection, Optional<Condition> reason);
}
