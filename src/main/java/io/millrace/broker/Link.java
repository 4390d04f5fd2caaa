package io.millrace.broker;

/**
 * Which link asks (AMQP 1.0, part 2, section 2.6.1: a link is known by its name and the containers at its ends).
 *
 * @param connection identity of its connection
 * @param container the peer's container-id
 * @param name of the link
 */
public record Link(Object connection, String container, String name) {}
