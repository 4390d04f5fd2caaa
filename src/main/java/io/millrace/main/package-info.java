/**
 * The broker put together: {@link io.millrace.main.Millrace}, which an application can embed, and
 * {@link io.millrace.main.Main}, the command line.
 *
 * <p>Start: open the store, bring the queues back, then health and metrics, then AMQP. Vert.x starts while the store is
 * opened. Stop: the other way round, each step bounded in time; the store last of what matters.
 */
package io.millrace.main;
