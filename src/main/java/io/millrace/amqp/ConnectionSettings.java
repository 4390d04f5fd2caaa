package io.millrace.amqp;

import io.millrace.config.Config;

/**
 * What a connection needs to know of the broker and of the listener that accepted it. Immutable, shared.
 *
 * @param containerId the broker's container-id
 * @param version the broker's version, for the open frame
 * @param anonymous whether a peer may come without a user
 * @param passwords whether there are users, that is whether SASL PLAIN is offered
 * @param heldBytes how many bytes of messages a connection takes in before they are answered
 * @param limits of every connection
 * @param users limits of users
 */
public record ConnectionSettings(
        String containerId,
        String version,
        boolean anonymous,
        boolean passwords,
        long heldBytes,
        Config.Connection limits,
        UserRates users) {}
