package io.millrace.amqp;

import io.millrace.message.Condition;
import java.util.Optional;

/** What happens to connections, for logs and metrics. Nothing of it happens per message. Called on the connection's loop. */
public interface ConnectionEvents {

    /** A peer is in. */
    void opened(AmqpConnection connection);

    /** Something was refused or ended by us: a connection, a session or a link. */
    void refused(AmqpConnection connection, Condition reason);

    /** It is over, whether it was ever opened or not. Called exactly once. */
    void closed(AmqpConnection connection, Optional<Condition> reason);
}
